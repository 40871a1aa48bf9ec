#include "io/config/maisi_config.h"

#include "io/config/print.h"
#include "io/config/weight_path.h"
#include "tests/config_helpers.h"

namespace voldiff {

namespace {

const char* const environment = R"({
  "model_dir": "./models",
  "model_filename": "unet.pt",
  "output_dir": "./output",
  "output_prefix": "unet_3d",
  "trained_autoencoder_path": "models/autoencoder.pt",
  "json_data_list": "./dataset.json"
})";

const char* const inference = R"({
  "diffusion_unet_train": {"lr": 1e-5},
  "diffusion_unet_inference": {
    "dim": [32, 32, 64],
    "spacing": [1.234, 1.234, 2.0],
    "top_region_index": [0, 1, 0, 0],
    "bottom_region_index": [0, 0, 1, 0],
    "random_seed": 7,
    "num_inference_steps": 6,
    "modality": 9,
    "cfg_guidance_scale": 1.5
  }
})";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    text.replace(text.find(from), from.size(), to);
    return text;
}

class MaisiConfig : public ConfigFolder {
  protected:
    MaisiFiles files(const std::string& net = small_network, const std::string& env = environment,
                     const std::string& infer = inference) {
        return {write("net.json", net), write("env.json", env), write("infer.json", infer)};
    }

    std::string problem_of(const MaisiFiles& given, const std::vector<Override>& overrides = {}) {
        return message_of(ErrorCode::config, [&] { load_maisi_config(given, overrides); });
    }
};

}  // namespace

TEST_F(MaisiConfig, MapsTheReferencesNames) {
    const RunConfig run = load_maisi_config(files());
    EXPECT_EQ(run.weights.diffusion_unet, "./models/unet.pt");
    EXPECT_EQ(run.weights.autoencoder, "models/autoencoder.pt");
    EXPECT_EQ(run.output.directory, "./output");
    EXPECT_EQ(run.output.name, "unet_3d_seed{seed}_size32x32x64_spacing1.23x1.23x2.00_modality9");
    EXPECT_EQ(run.image.size, (std::array<std::int64_t, 3>{32, 32, 64}));
    EXPECT_EQ(run.image.spacing, (std::array<double, 3>{1.234, 1.234, 2.0}));
    EXPECT_EQ(run.image.top_region(), (std::vector<double>{0, 1, 0, 0}));
    EXPECT_EQ(run.image.bottom_region(), (std::vector<double>{0, 0, 1, 0}));
    EXPECT_EQ(run.image.modality, "9");
    EXPECT_EQ(run.sampling.seed, 7);
    EXPECT_EQ(run.sampling.steps, 6);
    EXPECT_EQ(run.sampling.guidance_scale, 1.5);
    EXPECT_EQ(run.decode.method, "sliding_window");
    EXPECT_EQ(run.decode.roi, (std::array<std::int64_t, 3>{80, 80, 80}));
    EXPECT_EQ(run.decode.overlap, 0.4);
    EXPECT_EQ(run.network.diffusion_unet.in_channels, 4);
    EXPECT_EQ(run.origins.at("image.size").text(), (folder / "infer.json").string() + ":4:12");
    EXPECT_EQ(run.origins.at("network.latent_channels").text(), (folder / "net.json").string() + ":1:18");
}

TEST_F(MaisiConfig, OverridesHaveTheRunsKeyPaths) {
    const RunConfig run = load_maisi_config(files(), {{"image.size", "[8, 8, 8]", "--size"},
                                                      {"sampling.steps", "2", "--steps"},
                                                      {"network.latent_channels", "3", "--set"}});
    EXPECT_EQ(run.output.name, "unet_3d_seed{seed}_size8x8x8_spacing1.23x1.23x2.00_modality9");
    EXPECT_EQ(run.sampling.steps, 2);
    EXPECT_EQ(run.network.diffusion_unet.in_channels, 3);
    EXPECT_EQ(run.origins.at("sampling.steps").text(), "--steps");
    EXPECT_EQ(load_maisi_config(files(), {{"output.name", "x", "--name"}}).output.name, "x");
}

TEST_F(MaisiConfig, ALaterFileCoversTopLevelKeysWhole) {
    const RunConfig run = load_maisi_config(files(std::string(small_network) + "output_dir: other\n"));
    EXPECT_EQ(run.output.directory, "other");
}

TEST_F(MaisiConfig, MissingKeysNameTheFileThatShouldHaveThem) {
    EXPECT_EQ(problem_of(files(small_network, replaced(environment, "model_dir", "model_dri"))),
              (folder / "env.json").string() + ": 'model_dir' is missing: folder of the diffusion U-Net's weights");
    EXPECT_EQ(problem_of(files(small_network, environment, "{}")),
              (folder / "infer.json").string() + ": 'diffusion_unet_inference' is missing: the volume to make");
    expect_contains(problem_of(files("latent_channels: 4")),
                    (folder / "net.json").string() + ": 'autoencoder_def' is missing");
    expect_contains(problem_of(files(small_network, environment, replaced(inference, "\"modality\": 9,", ""))),
                    (folder / "infer.json").string() + ":3:31: 'diffusion_unet_inference.modality' is missing");
}

TEST_F(MaisiConfig, UnknownKeysOfTheMapsAreMistakes) {
    expect_contains(problem_of(files(small_network, environment, replaced(inference, "random_seed", "random_sed"))),
                    ":8:5: unknown key 'diffusion_unet_inference.random_sed'; did you mean "
                    "'diffusion_unet_inference.random_seed'?");
    expect_contains(problem_of(files(replaced(small_network, "num_res_blocks: 1", "num_resblocks: 1"))),
                    ":18:3: unknown key 'diffusion_unet_def.num_resblocks'; did you mean "
                    "'diffusion_unet_def.num_res_blocks'?");
    expect_contains(problem_of(files(), {{"sampling.step", "1", "--set"}}), "--set: unknown key 'sampling.step'");
    expect_contains(problem_of(files(), {{"network.nois", "1", "--set"}}), "--set: unknown key 'nois'");
}

TEST_F(MaisiConfig, WeightsAreSoughtInTheWorkingDirectoryOnly) {
    write("models/autoencoder.pt", "x");
    const RunConfig run = load_maisi_config(files());
    const std::string message = message_of(ErrorCode::io, [&] { resolve_weight(run, "autoencoder"); });
    expect_contains(message, "'" + (std::filesystem::current_path() / "models/autoencoder.pt").string() + "'");
    expect_contains(message, "relative paths in these files start in the working directory");
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(folder);
    EXPECT_TRUE(std::filesystem::equivalent(resolve_weight(run, "autoencoder"), folder / "models/autoencoder.pt"));
    std::filesystem::current_path(before);
}

TEST_F(MaisiConfig, ReadsTheReferenceCases) {
    const std::filesystem::path shared = SHARED_DATA;
    if (!std::filesystem::exists(shared / "reference")) GTEST_SKIP() << "no reference data";
    for (const char* name : {"ddpm_ct_image", "rflow_ct_image", "rflow_mr_image_cfg"}) {
        const auto at = shared / "reference/pipelines" / name;
        RunConfig run =
            load_maisi_config({at / "config_network.json", at / "environment.json", at / "config_infer.json"});
        EXPECT_EQ(run.image.size[0], 32) << name;
        const std::string yaml = to_yaml(to_node(run), false);
        RunConfig again = load_run_config({write("again.yaml", yaml), {}, {}});
        EXPECT_EQ(to_yaml(to_node(again), false), yaml) << name;
    }
    const auto demo = shared / "demo_model";
    const RunConfig run = load_maisi_config(
        {demo / "config_network_demo.json", write("env.json", environment), demo / "config_infer_demo.json"});
    EXPECT_EQ(run.network.diffusion_unet.num_class_embeds, 128);
    EXPECT_EQ(run.network.autoencoder.num_channels, (std::vector<std::int64_t>{16, 32, 64}));
}

}  // namespace voldiff
