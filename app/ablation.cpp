#include "app/ablation.h"

#include "core/error.h"
#include "core/pipeline/intensity.h"
#include "core/text.h"
#include "io/config/modality.h"
#include "io/config/print.h"
#include "io/config/weight_path.h"

#include <algorithm>

namespace voldiff {

namespace {

// Every option with its key path, as one level. Lists are values.
void flatten(const Report& map, const std::string& prefix, Report& flat) {
    for (const auto& [key, value] : map.items()) {
        if (value.is_object() && !value.empty()) {
            flatten(value, prefix + key + ".", flat);
        } else {
            flat[prefix + key] = value;
        }
    }
}

Report flat_options(OptionGroup& group) {
    Report flat = Report::object();
    flatten(to_json(to_node(group)), "", flat);
    return flat;
}

// "norm" of "a.b.norm"
std::string last_part(const std::string& key) { return key.substr(key.rfind('.') + 1); }

// What was meant by a key that is none: the nearest, else all whose last part is nearest ("include_fc").
std::vector<std::string> meant(const std::string& key, const std::vector<std::string>& switches) {
    const std::string whole = nearest(key, switches);
    if (!whole.empty()) return {whole};
    std::vector<std::string> ends;
    ends.reserve(switches.size());
    for (const std::string& name : switches) ends.push_back(last_part(name));
    const std::string end = nearest(last_part(key), ends);
    std::vector<std::string> names;
    for (const std::string& name : switches)
        if (!end.empty() && last_part(name) == end) names.push_back(name);
    return names;
}

[[noreturn]] void refuse_key(const std::string& key, const Report& options) {
    std::vector<std::string> switches;
    for (const auto& [name, value] : options.items())
        if (value.is_boolean()) switches.push_back(name);
    const std::vector<std::string> names = meant(key, switches);
    throw Error(ErrorCode::usage, "--ablate is '" + key + "', which is no option of the network that is true or false" +
                                      (names.empty() ? "\nexpected one of " + join(switches)
                                                     : "; did you mean '" + join(names, "' or '") + "'?"));
}

std::string shown(const Report& options, const std::string& key) { return key + " is " + options[key].dump(); }

}  // namespace

std::vector<Override> flipped_options(RunConfig& run, const std::vector<std::string>& keys) {
    const Report options = flat_options(run.network);
    std::vector<Override> overrides;
    for (const std::string& key : keys) {
        if (!options.contains(key) || !options[key].is_boolean()) refuse_key(key, options);
        overrides.push_back({"network." + key, options[key].get<bool>() ? "false" : "true", "--ablate"});
    }
    return overrides;
}

Report config_differences(RunConfig a, RunConfig b) {
    make_inputs_absolute(a);
    make_inputs_absolute(b);
    const Report of_a = flat_options(a);
    const Report of_b = flat_options(b);
    Report keys = of_a;
    keys.update(of_b);
    Report differences = Report::array();
    for (const auto& [key, ignored] : keys.items()) {
        const Report value_a = of_a.value(key, Report());
        const Report value_b = of_b.value(key, Report());
        const bool where_to_write = key.rfind("output.", 0) == 0 && key != "output.dtype";
        if (value_a != value_b && !where_to_write)
            differences.push_back({{"key", key}, {"a", value_a}, {"b", value_b}});
    }
    return differences;
}

void check_comparable(const RunConfig& a, const std::string& name_a, const RunConfig& b, const std::string& name_b) {
    RunConfig copy_a = a;
    RunConfig copy_b = b;
    const Report of_a = flat_options(copy_a);
    const Report of_b = flat_options(copy_b);
    std::vector<std::string> keys;
    if (a.image.size != b.image.size) keys.emplace_back("image.size");
    if (a.image.spacing != b.image.spacing) keys.emplace_back("image.spacing");
    if (makes_mr(a) != makes_mr(b)) keys.emplace_back("image.modality");
    if (keys.empty()) return;
    std::string text = "cannot compare '" + name_a + "' and '" + name_b + "', whose voxels are not the same:";
    for (const std::string& key : keys)
        text += "\n" + shown(of_a, key) + " in the first and " + of_b[key].dump() + " in the second";
    throw Error(ErrorCode::config, text);
}

bool makes_mr(const RunConfig& run) { return modality_code(run.image.modality) >= first_mr_modality; }

}  // namespace voldiff
