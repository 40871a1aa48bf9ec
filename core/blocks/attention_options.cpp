#include "core/blocks/attention_options.h"

#include "core/error.h"

#include <fnmatch.h>

#include <algorithm>

namespace voldiff {

namespace {

bool names(const std::string& pattern, const std::string& path) {
    return fnmatch(pattern.c_str(), path.c_str(), 0) == 0;
}

void apply(const AttentionOverride& from, AttentionOptions& options) {
    options.include_fc = from.include_fc.value_or(options.include_fc);
    options.use_combined_linear = from.use_combined_linear.value_or(options.use_combined_linear);
    options.use_flash_attention = from.use_flash_attention.value_or(options.use_flash_attention);
    if (from.attention_dtype) options.attention_dtype = from.attention_dtype;
}

}  // namespace

AttentionOptions AttentionPlan::options_for(const std::string& path) {
    AttentionOptions options = of_network_;
    for (const auto& [pattern, override] : overrides_.items) {
        if (names(pattern, path)) apply(override, options);
    }
    blocks_.push_back({path, options});
    return options;
}

void AttentionPlan::check_all_used() const {
    for (const auto& [pattern, override] : overrides_.items) {
        const bool used = std::any_of(blocks_.begin(), blocks_.end(),
                                      [&name = pattern](const auto& block) { return names(name, block.path); });
        if (used) continue;
        std::string known;
        for (const auto& block : blocks_) known += (known.empty() ? "" : ", ") + block.path;
        throw Error(ErrorCode::config, "'attention' has '" + pattern +
                                           "', which names no attention block; this network has " +
                                           (known.empty() ? "none" : known));
    }
}

}  // namespace voldiff
