#include "app/seeds.h"

#include "core/error.h"
#include "io/config/scalar.h"

#include <algorithm>
#include <sstream>

namespace voldiff {

namespace {

constexpr std::size_t most_seeds = 10000;

class SeedReader {
  public:
    SeedReader(const std::string& text, const std::string& name, ErrorCode code)
        : text_(text), name_(name), code_(code) {}

    std::vector<std::int64_t> read() {
        std::istringstream words(text_ + ",");
        for (std::string word; std::getline(words, word, ',');) add_range(word);
        std::vector<std::int64_t> sorted = seeds_;
        std::sort(sorted.begin(), sorted.end());
        const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
        if (twice != sorted.end()) refuse("which names seed " + std::to_string(*twice) + " twice");
        return seeds_;
    }

  private:
    [[noreturn]] void refuse(const std::string& why) const {
        throw Error(code_, name_ + " is " + show_text(text_) + ", " + why + "; expected seeds as in 0..7 or 0,3,5");
    }

    std::int64_t seed_of(const std::string& word) const {
        const auto seed = parse_integer(word);
        if (!seed || *seed < 0) refuse("where " + show_text(word) + " is no integer from 0");
        return *seed;
    }

    void add_range(const std::string& word) {
        const std::size_t dots = word.find("..");
        const std::int64_t first = seed_of(word.substr(0, dots));
        const std::int64_t last = dots == std::string::npos ? first : seed_of(word.substr(dots + 2));
        if (last < first) refuse("which ends before it begins");
        const auto count = static_cast<std::size_t>(last - first);
        if (count >= most_seeds - seeds_.size()) refuse("which are more than " + std::to_string(most_seeds) + " seeds");
        for (std::size_t i = 0; i <= count; ++i) seeds_.push_back(first + static_cast<std::int64_t>(i));
    }

    const std::string& text_;
    const std::string& name_;
    ErrorCode code_;
    std::vector<std::int64_t> seeds_;
};

}  // namespace

std::vector<std::int64_t> parse_seeds(const std::string& text, const std::string& name, ErrorCode code) {
    return SeedReader(text, name, code).read();
}

}  // namespace voldiff
