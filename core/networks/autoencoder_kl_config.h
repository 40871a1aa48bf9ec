// Constructor arguments of the autoencoder, under MONAI's names.
#pragma once

#include "core/blocks/attention_options.h"
#include "core/option.h"

#include <string>
#include <vector>

namespace voldiff {

// Sources: monai/networks/nets/autoencoderkl.py (AutoencoderKL),
//          monai/apps/generation/maisi/networks/autoencoderkl_maisi.py (AutoencoderKlMaisi).
struct AutoencoderKlConfig : OptionGroup, AttentionOptions {
    std::int64_t spatial_dims = 3;
    std::int64_t in_channels = 1;
    std::int64_t out_channels = 1;
    std::vector<std::int64_t> num_channels;
    PerLevel num_res_blocks{2};
    std::vector<bool> attention_levels;
    std::int64_t latent_channels = 3;
    std::int64_t norm_num_groups = 32;
    double norm_eps = 1e-6;
    bool with_encoder_nonlocal_attn = false;
    bool with_decoder_nonlocal_attn = false;
    AttentionOverrides attention;  // for single attention blocks
    bool use_convtranspose = false;

    // Hints for a GPU's memory; they do not change the result, unless hints_act.
    std::int64_t num_splits = 1;
    std::int64_t dim_split = 0;
    bool norm_float16 = false;
    bool use_checkpointing = false;
    bool print_info = false;
    bool save_mem = true;

    // What tells AutoencoderKlMaisi and AutoencoderKL apart; set by `of`, not by an option.
    std::string target;
    bool maisi = true;  // trilinear or 3x3x3 transposed upsampling, one more `conv.` in the keys
    // MAISI's class to the letter, for comparisons with it. Its convolution drops the voxels that num_splits leaves
    // over (48 of 50 with 4 splits); its group norm with norm_float16 rounds, and gives float16 to a convolution that
    // must then have float16 weights. Off: nothing is dropped, group norms are computed in float32.
    bool hints_act = false;

    // The defaults of a class: `target` is MONAI's `_target_` (the last part is enough).
    // Throws Error(config), listing the known classes.
    static AutoencoderKlConfig of(const std::string& target);
    void visit_options(OptionVisitor& visitor) override;
    // Throws Error(config) for values that contradict each other.
    void check() const;

    // Voxels of the image along each axis for one of the latent.
    std::int64_t downsampling() const { return std::int64_t{1} << (num_channels.size() - 1); }
};

}  // namespace voldiff
