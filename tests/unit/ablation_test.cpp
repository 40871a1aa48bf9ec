#include "app/ablation.h"

#include "tests/config_helpers.h"

namespace voldiff {
namespace {

class Ablation : public ConfigFolder {
  protected:
    RunConfig load(const std::vector<Override>& overrides = {}, const std::string& network = small_network) {
        write("net.yaml", network);
        for (const char* weights : {"a.pt", "b.pt"}) write(weights, "");
        return load_run_config({write("run.yaml",
                                      "network: net.yaml\nweights: {autoencoder: a.pt, diffusion_unet: b.pt}\n"
                                      "image: {size: [16, 16, 16]}\n"),
                                overrides,
                                {}});
    }
};

TEST_F(Ablation, FlipsAnOptionOfTheNetwork) {
    RunConfig run = load();
    const auto flips = flipped_options(run, {"diffusion_unet_def.include_fc", "diffusion_unet_def.resblock_updown"});
    ASSERT_EQ(flips.size(), 2U);
    EXPECT_EQ(flips[0].path, "network.diffusion_unet_def.include_fc");
    RunConfig other = load(flips);
    EXPECT_NE(run.network.diffusion_unet.include_fc, other.network.diffusion_unet.include_fc);
    EXPECT_NE(run.network.diffusion_unet.resblock_updown, other.network.diffusion_unet.resblock_updown);
    EXPECT_EQ(config_differences(run, other).size(), 2U) << config_differences(run, other);
}

TEST_F(Ablation, FlipsAnOptionThatTheFileCallsByItsOtherName) {
    std::string network = small_network;
    network.insert(network.find("noise_scheduler:"), "  use_proj_attn: false\n");
    RunConfig run = load({}, network);
    EXPECT_FALSE(run.network.diffusion_unet.include_fc);
    const auto flips = flipped_options(run, {"diffusion_unet_def.include_fc"});
    EXPECT_TRUE(load(flips, network).network.diffusion_unet.include_fc);
}

TEST_F(Ablation, NamesWhatWasMeant) {
    RunConfig run = load();
    const auto message = [&](const std::string& key) {
        return message_of(ErrorCode::usage, [&] { flipped_options(run, {key}); });
    };
    expect_contains(message("difusion_unet_def.include_fc"), "did you mean 'diffusion_unet_def.include_fc'?");
    expect_contains(message("network.diffusion_unet_def.include_fc"), "did you mean 'diffusion_unet_def.include_fc'?");
    expect_contains(message("include_fc"), "'autoencoder_def.include_fc' or 'diffusion_unet_def.include_fc'?");
    expect_contains(message("banana"), "expected one of include_body_region, autoencoder_def.");
    expect_contains(message("diffusion_unet_def.num_res_blocks"), "which is no option");
    expect_contains(message(""), "which is no option");
}

TEST_F(Ablation, ListsWhatDiffersButNotWhereItIsWritten) {
    const RunConfig a = load();
    const RunConfig b = load({{"sampling.steps", "7", "--set"},
                              {"output.directory", "elsewhere", "--set"},
                              {"output.dtype", "float32", "--set"},
                              {"network.diffusion_unet_def.num_channels", "[4, 4]", "--set"},
                              {"sampling.scheduler.scale", "2", "--set"}});
    const Report differences = config_differences(a, b);
    Report expected = Report::array();
    expected.push_back({{"key", "network.diffusion_unet_def.num_channels"}, {"a", {4, 8}}, {"b", {4, 4}}});
    expected.push_back({{"key", "sampling.steps"}, {"a", 30}, {"b", 7}});
    expected.push_back({{"key", "output.dtype"}, {"a", "auto"}, {"b", "float32"}});
    for (const Report& each : expected)
        EXPECT_NE(std::find(differences.begin(), differences.end(), each), differences.end()) << each << differences;
    EXPECT_TRUE(config_differences(a, a).empty());
}

TEST_F(Ablation, RefusesImagesThatAreNotTheSameVoxels) {
    const RunConfig a = load();
    const RunConfig b = load({{"image.size", "[16, 16, 32]", "--set"}, {"image.spacing", "[1, 1, 1]", "--set"}});
    const std::string message = message_of(ErrorCode::config, [&] { check_comparable(a, "a.yaml", b, "b.yaml"); });
    expect_contains(message, "cannot compare 'a.yaml' and 'b.yaml'");
    expect_contains(message, "image.size is [16,16,16] in the first and [16,16,32] in the second");
    expect_contains(message, "image.spacing is [1.7,1.7,2] in the first and [1,1,1]");
    EXPECT_NO_THROW(check_comparable(a, "a", load({{"image.modality", "ct_contrast", "--set"}}), "b"));
    EXPECT_THROW(check_comparable(a, "a", load({{"image.modality", "mri_t1", "--set"}}), "b"), Error);
}

}  // namespace
}  // namespace voldiff
