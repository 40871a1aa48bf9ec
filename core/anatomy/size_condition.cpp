#include "core/anatomy/size_condition.h"

#include "core/anatomy/labels.h"
#include "core/error.h"
#include "core/text.h"

#include <algorithm>
#include <cmath>

namespace voldiff {

namespace {

constexpr std::array<std::int64_t, 5> sized_tumors = {label::lung_tumor, label::pancreatic_tumor, label::hepatic_tumor,
                                                      label::colon_cancer, label::bone_lesion};

std::size_t index_of(const std::string& anatomy) {
    const auto& names = sizeable_anatomy();
    for (std::size_t i = 0; i < names.size(); ++i)
        if (names[i] == anatomy) return i;
    const std::vector<std::string> known(names.begin(), names.end());
    const std::string near = nearest(anatomy, known);
    throw Error(ErrorCode::config, "'" + anatomy + "' has no size to choose" +
                                       (near.empty() ? "" : "; did you mean '" + near + "'?") +
                                       " (known: " + join(known) + ")");
}

double distance(const std::vector<AnatomySize>& requested, const SizeCondition& entry) {
    double sum = 0;
    for (const AnatomySize& wish : requested) sum += std::abs(wish.size - entry[index_of(wish.anatomy)]);
    return sum;
}

}  // namespace

const std::array<std::string, 10>& sizeable_anatomy() {
    static const std::array<std::string, 10> names = {"gallbladder",      "liver",         "stomach",
                                                      "pancreas",         "colon",         "lung tumor",
                                                      "pancreatic tumor", "hepatic tumor", "colon cancer primaries",
                                                      "bone lesion"};
    return names;
}

SizeCondition anatomy_size_condition(const std::vector<AnatomySize>& requested,
                                     const std::vector<SizeCondition>& database) {
    if (database.empty()) throw Error(ErrorCode::config, "the table of anatomy sizes is empty");
    const auto nearer = [&](const SizeCondition& a, const SizeCondition& b) {
        return distance(requested, a) < distance(requested, b);
    };
    SizeCondition condition = *std::min_element(database.begin(), database.end(), nearer);
    for (const AnatomySize& wish : requested) condition[index_of(wish.anatomy)] = wish.size;
    return condition;
}

std::optional<std::int64_t> target_tumor(const SizeCondition& condition) {
    std::optional<std::int64_t> target;
    for (std::size_t i = 0; i < sized_tumors.size(); ++i)
        if (condition[first_tumor_size + i] != -1) target = sized_tumors[i];
    return target;
}

}  // namespace voldiff
