#include "core/networks/diffusion_unet_config.h"

#include "core/networks/target.h"

namespace voldiff {

namespace {

DiffusionUnetConfig maisi_unet() { return {}; }

DiffusionUnetConfig core_unet() {
    DiffusionUnetConfig config;
    config.include_fc = true;
    config.residuals_in_place = false;
    return config;
}

}  // namespace

DiffusionUnetConfig DiffusionUnetConfig::of(const std::string& target) {
    static const std::vector<std::pair<std::string, DiffusionUnetConfig>> classes = {
        {"DiffusionModelUNetMaisi", maisi_unet()},
        {"DiffusionModelUNet", core_unet()},
    };
    DiffusionUnetConfig config = find_target(classes, target);
    config.target = target;
    return config;
}

void DiffusionUnetConfig::visit_options(OptionVisitor& v) {
    UnetTrunkConfig::visit_options(v);
    v.visit(Option("out_channels", "channels of the prediction").in(1, 4096).needed(), out_channels);
    v.visit(Option("dropout_cattn", "training only, ignored").in(0, 1), dropout_cattn);
    v.visit(Option("include_top_region_index_input", "takes the top body region"), include_top_region_index_input);
    v.visit(Option("include_bottom_region_index_input", "takes the bottom body region"),
            include_bottom_region_index_input);
    v.visit(Option("include_spacing_input", "takes the voxel spacing"), include_spacing_input);
}

}  // namespace voldiff
