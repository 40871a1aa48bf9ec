#include "app/seeds.h"

#include "core/error.h"
#include "io/config/scalar.h"

#include <algorithm>
#include <sstream>

namespace voldiff {

namespace {

constexpr std::size_t most_seeds = 10000;

[[noreturn]] void refuse(const std::string& text, const std::string& why) {
    throw Error(ErrorCode::usage,
                "--seeds is " + show_text(text) + ", " + why + "; expected seeds as in 0..7 or 0,3,5");
}

std::int64_t seed_of(const std::string& word, const std::string& text) {
    const auto seed = parse_integer(word);
    if (!seed || *seed < 0) refuse(text, "where " + show_text(word) + " is no integer from 0");
    return *seed;
}

void add_range(const std::string& word, const std::string& text, std::vector<std::int64_t>& seeds) {
    const std::size_t dots = word.find("..");
    const std::int64_t first = seed_of(word.substr(0, dots), text);
    const std::int64_t last = dots == std::string::npos ? first : seed_of(word.substr(dots + 2), text);
    if (last < first) refuse(text, "which ends before it begins");
    const auto count = static_cast<std::size_t>(last - first);
    if (count >= most_seeds - seeds.size())
        refuse(text, "which are more than " + std::to_string(most_seeds) + " seeds");
    for (std::size_t i = 0; i <= count; ++i) seeds.push_back(first + static_cast<std::int64_t>(i));
}

}  // namespace

std::vector<std::int64_t> parse_seeds(const std::string& text) {
    std::vector<std::int64_t> seeds;
    std::istringstream words(text + ",");
    for (std::string word; std::getline(words, word, ',');) add_range(word, text, seeds);
    std::vector<std::int64_t> sorted = seeds;
    std::sort(sorted.begin(), sorted.end());
    const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
    if (twice != sorted.end()) refuse(text, "which names seed " + std::to_string(*twice) + " twice");
    return seeds;
}

}  // namespace voldiff
