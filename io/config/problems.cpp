#include "io/config/problems.h"

#include "core/error.h"
#include "io/config/scalar.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace voldiff {

namespace {

constexpr std::size_t max_shown = 20;
constexpr std::size_t max_length = 600;

}  // namespace

void Problems::add(const Mark& mark, const std::string& message) { list_.push_back({mark, message}); }

void Problems::throw_if_any() const {
    if (list_.empty()) return;
    std::map<std::string, std::size_t> order;  // of the files, as they were met
    for (const Problem& problem : list_) order.emplace(problem.mark.source ? *problem.mark.source : "", order.size());
    const auto key = [&](const Problem& problem) {
        const std::string source = problem.mark.source ? *problem.mark.source : "";
        return std::make_tuple(order.at(source), problem.mark.line, problem.mark.column);
    };
    std::vector<Problem> sorted = list_;
    std::stable_sort(sorted.begin(), sorted.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
    const auto same = [&](const auto& a, const auto& b) { return key(a) == key(b) && a.message == b.message; };
    sorted.erase(std::unique(sorted.begin(), sorted.end(), same), sorted.end());
    std::string text;
    for (std::size_t i = 0; i < std::min(sorted.size(), max_shown); ++i) {
        text += (i == 0 ? "" : "\n") + sorted[i].mark.text() + ": " + shorten(sorted[i].message, max_length);
    }
    if (sorted.size() > max_shown) text += "\n... and " + std::to_string(sorted.size() - max_shown) + " more";
    throw Error(ErrorCode::config, text);
}

}  // namespace voldiff
