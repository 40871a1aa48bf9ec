#include "core/networks/controlnet_config.h"

#include "core/networks/target.h"

namespace voldiff {

namespace {

ControlNetConfig maisi_controlnet() { return {}; }

ControlNetConfig core_controlnet() {
    ControlNetConfig config;
    config.include_fc = true;
    return config;
}

}  // namespace

ControlNetConfig ControlNetConfig::of(const std::string& target) {
    static const std::vector<std::pair<std::string, ControlNetConfig>> classes = {
        {"ControlNetMaisi", maisi_controlnet()},
        {"ControlNet", core_controlnet()},
    };
    ControlNetConfig config = find_target(classes, target);
    config.target = target;
    return config;
}

void ControlNetConfig::visit_options(OptionVisitor& v) {
    UnetTrunkConfig::visit_options(v);
    v.visit(Option("conditioning_embedding_in_channels", "channels of the conditioning").in(1, 4096),
            conditioning_embedding_in_channels);
    v.visit(Option("conditioning_embedding_num_channels", "channels of each level of the conditioning's embedding")
                .in(1, 65536),
            conditioning_embedding_num_channels);
    v.visit(Option("use_checkpointing", "training only, ignored"), use_checkpointing);
}

void ControlNetConfig::check() const {
    UnetTrunkConfig::check();
    if (!conditioning_embedding_num_channels.empty()) return;
    throw Error(ErrorCode::config, "'conditioning_embedding_num_channels' is empty, expected one entry for each level");
}

}  // namespace voldiff
