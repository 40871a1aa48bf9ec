// The key layouts that checkpoints of these networks have, as data: which names a layout has in place of MONAI's.
// Sources: monai/networks/nets/diffusion_model_unet.py, autoencoderkl.py, controlnet.py (load_old_state_dict) and
// MONAI GenerativeModels 0.2 (AttentionBlock, CrossAttention, Upsample).
#pragma once

#include <string>
#include <vector>

namespace voldiff {

// What a layout says of the projection that it stores in an attention block.
enum class ProjectionUse {
    unknown,        // MONAI: applied with include_fc, but MONAI 1.4 stored it without as well
    applied,        // CrossAttention of GenerativeModels
    never_applied,  // AttentionBlock of GenerativeModels, with which MAISI was trained
};

// In a name "PARENT.native.rest", `native` stands for `layout`. PARENT ends in one of `parents`, where # is a number.
struct KeyRule {
    std::vector<std::string> parents;
    std::string native;
    std::string layout;
    ProjectionUse projection = ProjectionUse::unknown;
};

struct KeyLayout {
    std::string name;
    std::string help;
    std::vector<KeyRule> rules;  // the first that fits a name counts; a name without a rule is the same in both
    std::string refusal;         // where not empty: why weights in this layout are never this network's

    std::string to_layout(const std::string& native) const;
    std::string to_native(const std::string& name) const;
    // Of the projection with this native name ("X.attn.out_proj.weight").
    ProjectionUse projection_use(const std::string& native) const;
};

// The keys of the network's own class, as MONAI 1.5 writes them.
KeyLayout native_layout();

std::vector<KeyLayout> unet_layouts();                               // DiffusionModelUNet, ControlNet, MAISI's too
std::vector<KeyLayout> autoencoder_layouts(bool use_convtranspose);  // AutoencoderKL
std::vector<KeyLayout> maisi_autoencoder_layouts(bool use_convtranspose);  // AutoencoderKlMaisi

// The names of all layouts.
const std::vector<std::string>& layout_names();

// What wraps all names of a checkpoint: "module." of DataParallel, "_orig_mod." of torch.compile.
const std::vector<std::string>& wrapper_prefixes();

}  // namespace voldiff
