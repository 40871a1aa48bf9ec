#include "core/pipeline/mask_generation.h"

#include "core/decode/decode_mode.h"
#include "core/networks/autoencoder_kl.h"
#include "core/state_dict/load.h"
#include "io/anatomy/tables.h"
#include "io/model/model.h"
#include "io/system/system.h"
#include "io/volume/volume.h"
#include "tests/config_helpers.h"
#include "tests/support/random_weights.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>

namespace voldiff {

namespace {

const std::string folder = std::string(TEST_DATA) + "/mask_generation/";

RunConfig run_of_masks() {
    const std::string file = folder + "run.yaml";
    return load_run_config({file, {}, {}});
}

AutoencoderKlConfig small_decoder(std::int64_t classes) {
    AutoencoderKlConfig config;
    config.in_channels = 1;
    config.out_channels = classes;
    config.latent_channels = 2;
    config.num_channels = {4, 8};
    config.attention_levels = {false, false};
    config.num_res_blocks = PerLevel(1);
    config.norm_num_groups = 2;
    return config;
}

}  // namespace

// The margin of a voxel's class over the next one has a density of about 0.2 at zero (in units of the logits' standard
// deviation), and two computations differ by up to 2e-5: 0.13 of the 32768 voxels are expected to flip, more than three
// in one of 10^5 machines.
TEST(MaskGeneration, EqualsTheReference) {
    const RunConfig run = run_of_masks();
    const Model model = load_model(run);
    MaskRequest request;
    request.latent_shape = run.network.mask_generation_latent_shape;
    request.sizes = {0.3, 0.7, 0.5, 0.4, 0.2, -1, -1, -1, -1, -1};
    request.steps = run.mask.steps;
    request.seed = 3;
    request.scale_factor = model.mask_generation_scale_factor;
    request.decode.method = "whole";
    request.decode.mode = "min";
    const auto scheduler = make_mask_scheduler(run);
    const at::Tensor classes = generate_mask_classes(*model.mask_generation_autoencoder,
                                                     *model.mask_generation_diffusion, *scheduler, request, {});
    const at::Tensor labels =
        replace_labels(classes, read_label_pairs(data_directory() / "labels" / "label_dict_124_to_132.json"));
    const at::Tensor expected = read_volume(folder + "expected_labels.nii.gz").voxels;
    EXPECT_EQ(labels.sizes(), expected.sizes());
    EXPECT_LE(labels.ne(expected).sum().item<std::int64_t>(), 3) << "of 32768 voxels";
}

TEST(MaskGeneration, RefusesNetworksOfAnotherKind) {
    const RunConfig run = run_of_masks();
    const Model model = load_model(run);
    MaskRequest request;
    request.latent_shape = {4, 8, 9, 8};
    request.steps = 1;
    const auto scheduler = make_mask_scheduler(run);
    const auto generate = [&] {
        generate_mask_classes(*model.mask_generation_autoencoder, *model.mask_generation_diffusion, *scheduler, request,
                              {});
    };
    EXPECT_NE(message_of(ErrorCode::config, generate).find("expected multiples of 2"), std::string::npos);
    request.latent_shape = {3, 8, 8, 8};
    EXPECT_NE(message_of(ErrorCode::config, generate).find("has 3 channels"), std::string::npos);
}

// Plane by plane, all channels of one at a time.
TEST(DecodeClasses, EqualsTheLargestChannelOfTheWhole) {
    for (const std::int64_t classes : {3, 200}) {
        AutoencoderKl network(small_decoder(classes));
        fill_randomly(network, 1);
        const at::Tensor latent = at::randn({1, 2, 6, 20, 30});
        const at::Tensor logits = network.decode(latent);
        const at::Tensor streamed = network.decode_classes(latent, find_decode_mode("min").plan);
        EXPECT_EQ(streamed.sizes(), (std::vector<std::int64_t>{1, 12, 40, 60}));
        // Where another class is taken, it is a tie but for the rounding of two computations (1e-6 each, rms).
        const at::Tensor taken = logits.gather(1, streamed.to(at::kLong).unsqueeze(1)).squeeze(1);
        EXPECT_LE((logits.amax(1) - taken).max().item<float>(), 2e-5F * logits.abs().max().item<float>()) << classes;
    }
}

}  // namespace voldiff
