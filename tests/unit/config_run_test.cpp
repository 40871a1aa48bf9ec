#include "io/config/run_config.h"

#include "io/config/modality.h"
#include "io/config/print.h"
#include "io/config/weight_path.h"
#include "io/config/yaml.h"
#include "tests/config_helpers.h"

#include <algorithm>

namespace voldiff {

using RunConfigFile = ConfigFolder;
using WeightPath = ConfigFolder;
using Modality = ConfigFolder;

TEST_F(RunConfigFile, ReadsAFileWithItsNetworkFile) {
    write("networks/small.yaml", small_network);
    const std::string file = write("run.yaml", R"(network: networks/small.yaml
weights: {autoencoder: a.pt}
image: {size: [64, 64, 32], spacing: [1, 1, 2.5], modality: mri_t1, body_region: [chest, abdomen]}
sampling: {scheduler: {use_timestep_transform: true}, seed: 9223372036854775807, guidance_scale: 1.5}
decode: {method: sliding_window}
output: {dtype: float32}
runtime: {device: "cuda:1", threads: 2}
)");
    const RunConfig run = load_run_config({file, {}, {}});
    EXPECT_EQ(run.name, "run");
    EXPECT_EQ(run.network.autoencoder.latent_channels, 4);
    EXPECT_EQ(run.network.diffusion_unet.out_channels, 4);
    EXPECT_TRUE(run.network.autoencoder.maisi);
    EXPECT_EQ(run.image.size, (std::array<std::int64_t, 3>{64, 64, 32}));
    EXPECT_EQ(run.image.top_region(), (std::vector<double>{0, 1, 0, 0}));
    EXPECT_EQ(run.image.bottom_region(), (std::vector<double>{0, 0, 1, 0}));
    EXPECT_EQ(run.sampling.seed, 9223372036854775807);
    EXPECT_EQ(run.sampling.steps, 30);
    EXPECT_EQ(raw_node(run.sampling.scheduler).find("use_timestep_transform")->text, "true");
    EXPECT_EQ(run.runtime.device, "cuda:1");
    EXPECT_EQ(run.origins.at("image.size").text(), file + ":3:15");
    EXPECT_EQ(run.origins.at("network.autoencoder_def.norm_num_groups").text(),
              (folder / "networks/small.yaml").string() + ":10:20");
}

TEST_F(RunConfigFile, ExtendsABaseAndTakesOverrides) {
    write("net.yaml", small_network);
    write("base/base.yaml", "network: ../net.yaml\nsampling: {steps: 10, seed: 5}\nimage: {size: [8, 8, 8]}\n");
    const std::string file = write("run.yaml", "extends: base/base.yaml\nsampling: {steps: 20}\n");
    const RunConfig run = load_run_config({file,
                                           {{"sampling.steps", "40", "--steps"},
                                            {"network.noise_scheduler.num_train_timesteps", "500", "--set"},
                                            {"output.directory", "a: b", "--output-dir", true}},
                                           {}});
    EXPECT_EQ(run.sampling.steps, 40);
    EXPECT_EQ(run.sampling.seed, 5);
    EXPECT_EQ(run.output.directory, "a: b");
    EXPECT_EQ(raw_node(run.network.noise_scheduler).find("num_train_timesteps")->text, "500");
    EXPECT_EQ(run.origins.at("sampling.steps").text(), "--steps");
    EXPECT_EQ(run.origins.at("sampling.seed").text(), (folder / "base/base.yaml").string() + ":2:29");
}

TEST_F(RunConfigFile, ANetworkFileCoversThatOfTheBaseWhole) {
    write("net.yaml", small_network);
    write("classes.yaml", "extends: net.yaml\ndiffusion_unet_def: {num_class_embeds: 128}\n");
    write("base.yaml", "network: classes.yaml\n");
    const std::string file = write("run.yaml", "extends: base.yaml\nnetwork: net.yaml\n");
    EXPECT_EQ(load_run_config({file, {}, {}}).network.diffusion_unet.num_class_embeds, std::nullopt);
    const std::string other = write("other.yaml", "extends: base.yaml\n");
    EXPECT_EQ(load_run_config({other, {}, {}}).network.diffusion_unet.num_class_embeds, 128);
}

TEST_F(RunConfigFile, ASwitchedNetworkMayBeNamedOnTheCommandLine) {
    const std::string net = write("net.yaml", small_network);
    const std::string file = write("run.yaml", "image: {size: [8, 8, 8]}\n");
    EXPECT_EQ(load_run_config({file, {{"network", net, "--network", true}}, {}}).network.latent_channels, 4);
}

TEST_F(RunConfigFile, TakesKeysThatAReferenceNamesAndNoOthers) {
    const std::string text = std::string("width: 8\nidle: 1\n") + small_network;
    const std::string net = write("net.yaml", text + "controlnet_def: {conditioning: '@width'}\n");
    const std::string file = write("run.yaml", "network: net.yaml\n");
    EXPECT_EQ(message_of(ErrorCode::config,
                         [&] {
                             load_run_config({file, {}, {}});
                         }),
              net + ":2:1: unknown key 'network.idle'");
}

TEST_F(RunConfigFile, TheDefaultsOfTheClassApply) {
    std::string text = small_network;
    text.replace(text.find("DiffusionModelUNetMaisi"), 23,
                 "monai.networks.nets.diffusion_model_unet.DiffusionModelUNet");
    write("net.yaml", text);
    const RunConfig run = load_run_config({write("run.yaml", "network: net.yaml\n"), {}, {}});
    EXPECT_TRUE(run.network.diffusion_unet.include_fc);
    EXPECT_FALSE(run.network.autoencoder.include_fc);
}

TEST_F(RunConfigFile, TellsTheMistakesOfAllFilesAtOnce) {
    std::string text = small_network;
    text.replace(text.find("norm_num_groups"), 15, "norm_num_group_");
    const std::string net = write("net.yaml", text);
    const std::string file = write("run.yaml", "network: net.yaml\nsampling:\n  step: 5\nimage: {modality: mri_t8}\n");
    const std::string message = message_of(ErrorCode::config, [&] {
        load_run_config({file, {{"image.size", "[1, 2]", "--size"}}, {}});
    });
    expect_contains(message, file + ":3:3: unknown key 'sampling.step'; did you mean 'sampling.steps'?");
    expect_contains(message, file + ":4:19: 'image.modality': unknown modality 'mri_t8'; did you mean 'mri_t1'?");
    expect_contains(message, "--size: 'image.size' has 2 entries, expected 3 (voxels, x y z)");
    expect_contains(message, net +
                                 ":10:3: unknown key 'network.autoencoder_def.norm_num_group_'; did you mean "
                                 "'network.autoencoder_def.norm_num_groups'?");
}

TEST_F(RunConfigFile, TellsWhatContradicts) {
    write("net.yaml", small_network);
    const auto problem = [&](const std::string& text) {
        const std::string file = write("run.yaml", "network: net.yaml\n" + text);
        const std::string message = message_of(ErrorCode::config, [&] { load_run_config({file, {}, {}}); });
        EXPECT_EQ(message.find(file + ":2:"), 0U) << message;
        return message;
    };
    expect_contains(problem("image: {top_region_index: [0, 1, 0]}"), "expected 4 (head, chest, abdomen, pelvis)");
    expect_contains(problem("image: {top_region_index: [0, 1, 0, 0]}"), "is given alone");
    expect_contains(problem("image: {body_region: [head], top_region_index: [0, 1, 0, 0], bottom_region_index: "
                            "[0, 0, 1, 0]}"),
                    "keep one");
    expect_contains(problem("image: {body_region: [head, chest, pelvis]}"), "has 3 entries, expected 2");
    expect_contains(problem("image: {body_region: [hed]}"), "did you mean 'head'?");
    expect_contains(problem("mask: {file: a.nii.gz}"), "'mask.file' needs a ControlNet");
    expect_contains(problem("mask: {labels: a.yaml}"), "'mask.labels' is given without 'mask.file'");
    expect_contains(problem("runtime: {device: gpu}"), "expected one of auto, cpu, cuda, cuda:N");
    expect_contains(problem("runtime: {device: 'cuda:'}"), "expected one of auto, cpu, cuda, cuda:N");
    expect_contains(problem("output: {format: nii}"), "expected a file extension like .nii.gz");
    expect_contains(problem("output: {name: ''}"), "'output.name' is empty");
    expect_contains(problem("decode: {method: streamed}"), "expected one of auto, whole, sliding_window");
    expect_contains(problem("sampling: {scheduler: {type: rflwo}}"), "unknown scheduler 'rflwo'");
}

TEST_F(RunConfigFile, TellsWhereANetworkContradictsItself) {
    std::string text = small_network;
    text.replace(text.find("[4, 8, 8]"), 9, "[4, 8, 7]");
    const std::string net = write("net.yaml", text);
    const std::string file = write("run.yaml", "network: net.yaml\n");
    EXPECT_EQ(
        message_of(ErrorCode::config,
                   [&] {
                       load_run_config({file, {}, {}});
                   }),
        net + ":3:3: 'network.autoencoder_def': 'num_channels' has 7, expected multiples of 'norm_num_groups' (2)");
}

TEST_F(RunConfigFile, NamesAnUnknownClassWithItsPlace) {
    std::string text = small_network;
    text.replace(text.find("AutoencoderKlMaisi"), 18, "VQVAE");
    const std::string net = write("net.yaml", text);
    const std::string file = write("run.yaml", "network: net.yaml\n");
    EXPECT_EQ(message_of(ErrorCode::config,
                         [&] {
                             load_run_config({file, {}, {}});
                         }),
              net +
                  ":3:13: 'network.autoencoder_def': unknown class 'VQVAE'; known here: AutoencoderKlMaisi, "
                  "AutoencoderKL");
}

TEST_F(RunConfigFile, PrintsWhatReadsBack) {
    write("net.yaml", small_network);
    const std::string file = write(
        "run.yaml", "network: net.yaml\nimage: {spacing: [0.1, 1.7, 3.3333333333333335]}\nsampling: {scheduler: {}}\n");
    RunConfig run = load_run_config({file, {{"sampling.seed", "9007199254740993", "--seed"}}, {}});
    const std::string yaml = to_yaml(to_node(run, run.origins));
    expect_contains(yaml, "# --seed");
    expect_contains(yaml, "# " + file + ":2:18");
    expect_contains(yaml, "# default");
    RunConfig again = load_run_config({write("again.yaml", yaml), {}, {}});
    EXPECT_EQ(to_json(to_node(again)).dump(), to_json(to_node(run)).dump());
    EXPECT_EQ(again.image.spacing, run.image.spacing);
    EXPECT_EQ(again.sampling.seed, 9007199254740993);
}

TEST_F(RunConfigFile, TakesTheConfigOfASidecar) {
    write("net.yaml", small_network);
    RunConfig run = load_run_config({write("run.yaml", "network: net.yaml\nsampling: {seed: 77}\n"), {}, {}});
    nlohmann::ordered_json sidecar;
    sidecar["voldiff"] = {{"version", "0.1.0"}};
    sidecar["config"] = to_json(to_node(run));
    sidecar["seconds"] = 12;
    RunConfig again = load_run_config({write("out.json", sidecar.dump(2)), {{"sampling.steps", "3", "--steps"}}, {}});
    EXPECT_EQ(again.sampling.seed, 77);
    EXPECT_EQ(again.sampling.steps, 3);
    EXPECT_EQ(again.network.diffusion_unet.num_channels, run.network.diffusion_unet.num_channels);
}

TEST_F(RunConfigFile, TheDefaultsReadBack) {
    RunConfig defaults;
    const std::string yaml = to_yaml(to_node(defaults), false);
    RunConfig again;
    again.sampling.steps = 1;  // so that reading must set it
    again.output.name = "x";
    Problems problems;
    read_options(again, parse_yaml(yaml, "x.yaml"), "", {&problems, nullptr, {}});
    problems.throw_if_any();
    EXPECT_EQ(to_yaml(to_node(again), false), yaml);
}

TEST_F(RunConfigFile, EveryShippedConfigReadsBack) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(std::string(PROJECT_ROOT) + "/configs")) {
        if (entry.path().extension() != ".yaml") continue;
        ++count;
        RunConfig run = load_run_config({entry.path(), {}, {}});
        const std::string yaml = to_yaml(to_node(run, run.origins));
        RunConfig again = load_run_config({write("again.yaml", yaml), {}, {}});
        EXPECT_EQ(to_yaml(to_node(again), false), to_yaml(to_node(run), false)) << entry.path();
        RunConfig json = load_run_config({write("again.json", to_json(to_node(run)).dump(1)), {}, {}});
        EXPECT_EQ(to_json(to_node(json)).dump(), to_json(to_node(run)).dump()) << entry.path();
    }
    EXPECT_GE(count, 6U);
}

TEST_F(RunConfigFile, ListsEveryOption) {
    RunConfig defaults;
    const std::vector<OptionRow> rows = option_rows(defaults);
    const auto row = std::find_if(rows.begin(), rows.end(), [](const auto& r) { return r.path == "sampling.steps"; });
    ASSERT_NE(row, rows.end());
    EXPECT_EQ(row->type, "integer");
    EXPECT_EQ(row->range, "1 to 1000");
    EXPECT_EQ(row->default_value, "30");
    for (const OptionRow& each : rows) EXPECT_FALSE(each.help.empty()) << each.path;
    const std::string table = markdown_table(rows);
    expect_contains(
        table, "| `image.size` | 3 integers (voxels, x y z) | 1 to 65536 | `[256, 256, 128]` | size of the volume |\n");
    EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), static_cast<std::ptrdiff_t>(rows.size() + 2));
}

TEST_F(WeightPath, IsSoughtBesideTheFileThenInModels) {
    write("net.yaml", small_network);
    write("models/a.pt", "x");
    write("env/b.pt", "x");
    const std::string file =
        write("run.yaml", "network: net.yaml\nweights: {autoencoder: a.pt, diffusion_unet: b.pt, controlnet: c.pt}\n");
    ::setenv("VOLDIFF_MODELS", (folder / "env").c_str(), 1);
    const RunConfig run = load_run_config({file, {}, folder / "models"});
    EXPECT_EQ(resolve_weight(run, "autoencoder"), folder / "models/a.pt");
    EXPECT_EQ(resolve_weight(run, "diffusion_unet"), folder / "env/b.pt");
    write("a.pt", "x");
    EXPECT_EQ(resolve_weight(run, "autoencoder"), folder / "a.pt");
    const std::string message = message_of(ErrorCode::io, [&] { resolve_weight(run, "controlnet"); });
    expect_contains(message, file + ":2:64: 'weights.controlnet': there is no file '" + (folder / "c.pt").string() +
                                 "', '" + (folder / "models/c.pt").string() + "', '" + (folder / "env/c.pt").string());
    expect_contains(message, "--models or $VOLDIFF_MODELS");
    expect_contains(message_of(ErrorCode::config, [&] { resolve_weight(run, "mask_generation_autoencoder"); }),
                    "'weights.mask_generation_autoencoder' is missing");
}

TEST_F(WeightPath, AnAbsoluteOneIsTakenAsItIs) {
    write("net.yaml", small_network);
    const std::string weights = write("models/a.pt", "x");
    const RunConfig run = load_run_config(
        {write("run.yaml", "network: net.yaml\n"), {{"weights.autoencoder", weights, "--autoencoder", true}}, {}});
    EXPECT_EQ(resolve_weight(run, "autoencoder"), weights);
}

TEST_F(WeightPath, IsMadeAbsoluteForSidecars) {
    write("net.yaml", small_network);
    write("a.pt", "x");
    RunConfig run = load_run_config({write("run.yaml", "network: net.yaml\nweights: {autoencoder: ./a.pt}\n"), {}, {}});
    make_inputs_absolute(run);
    EXPECT_EQ(run.weights.autoencoder, (folder / "a.pt").string());
    EXPECT_EQ(run.weights.controlnet, "");
    run.weights.controlnet = "nowhere.pt";  // named, not needed, not there
    make_inputs_absolute(run);
    EXPECT_EQ(run.weights.controlnet, "nowhere.pt");
    const std::string sidecar = write("out/run.yaml", to_yaml(to_node(run)));
    EXPECT_EQ(resolve_weight(load_run_config({sidecar, {}, {}}), "autoencoder"), folder / "a.pt");
}

TEST_F(Modality, HasACode) {
    EXPECT_EQ(modality_code("ct"), 1);
    EXPECT_EQ(modality_code("mri_mra_skull_stripped"), 33);
    EXPECT_EQ(modality_code("29"), 29);
    EXPECT_EQ(modality_table().size(), 20U);
    const std::string message = message_of(ErrorCode::config, [] { modality_code("mri_flare"); });
    expect_contains(message, "unknown modality 'mri_flare'; did you mean 'mri_flair'?");
    expect_contains(message, "known: unknown, ct, ct_wo_contrast");
    expect_contains(message_of(ErrorCode::config, [] { modality_code("-1"); }), "unknown modality '-1'");
}

}  // namespace voldiff
