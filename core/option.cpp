#include "core/option.h"

#include "core/error.h"

namespace voldiff {

Option Option::in(double low, double high) const {
    Option option = *this;
    option.minimum = low;
    option.maximum = high;
    return option;
}

Option Option::at_least(double low) const { return in(low, maximum); }

Option Option::measured_in(std::string name) const {
    Option option = *this;
    option.unit = std::move(name);
    return option;
}

Option Option::also_called(std::string name) const {
    Option option = *this;
    option.alias = std::move(name);
    return option;
}

Option Option::one_of(std::vector<std::string> names) const {
    Option option = *this;
    option.choices = std::move(names);
    return option;
}

Option Option::needed() const {
    Option option = *this;
    option.required = true;
    return option;
}

std::vector<std::int64_t> PerLevel::expand(std::size_t levels, const std::string& key) const {
    if (same_for_all && values.size() == 1) return std::vector<std::int64_t>(levels, values.front());
    if (values.size() == levels) return values;
    throw Error(ErrorCode::config, "'" + key + "' has " + std::to_string(values.size()) + " entries, expected " +
                                       std::to_string(levels) + ", one for each level");
}

}  // namespace voldiff
