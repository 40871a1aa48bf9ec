// Networks as TorchScript: what is written gives the same numbers, and what does not fit is refused.
#include "core/error.h"
#include "core/networks/autoencoder_kl.h"
#include "core/networks/controlnet.h"
#include "core/networks/diffusion_unet.h"
#include "core/torchscript/script_module.h"
#include "core/torchscript/scripted_call.h"
#include "core/torchscript/scripted_networks.h"
#include "io/checkpoint/torchscript_file.h"
#include "io/file.h"
#include "tests/support/random_weights.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <ATen/ops/ones.h>
#include <caffe2/serialize/inline_container.h>

namespace voldiff {
namespace {

void expect_same_outputs(const std::vector<at::Tensor>& got, const std::vector<at::Tensor>& expected) {
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
        const double scale = expected[i].abs().max().item<double>();
        // The rule of the reference data: ten times what two versions of PyTorch differ by, at least.
        EXPECT_LE((got[i] - expected[i]).abs().max().item<double>(), 5e-6 * scale) << "output " << i;
    }
}

class ScriptedNetworks : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() / ("voldiff_torchscript_" + std::to_string(getpid()));
        std::filesystem::create_directories(folder_);
        file_ = folder_ / "module.ts";
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    void save(const Module& module, const std::map<std::string, std::string>& extra = {}) const {
        std::ofstream out(file_, std::ios::binary);
        save_torchscript(module, out, extra);
    }
    std::unique_ptr<std::ifstream> archive() const { return std::make_unique<std::ifstream>(file_, std::ios::binary); }

    // What loading the file as a denoiser complains of.
    std::string complaint(const DiffusionUnetConfig& config) const {
        try {
            check_torchscript_module(file_);
            load_scripted_denoiser(*archive(), config, options_);
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::weights);
            return error.what();
        }
        return {};
    }

    void write_archive(const std::string& code) const {
        caffe2::serialize::PyTorchStreamWriter writer(file_.string());
        writer.writeRecord("data.pkl", "\x80\x02}.", 4);
        writer.writeRecord("code/__torch__/evil.py", code.data(), code.size());
        writer.writeEndOfFile();
    }

    std::filesystem::path folder_;
    std::filesystem::path file_;
    at::TensorOptions options_ = at::TensorOptions().dtype(at::kFloat);
};

TEST_F(ScriptedNetworks, AUnetGivesTheSameInEveryFormOfAttention) {
    for (const bool conditioned : {false, true}) {
        for (const bool include_fc : {false, true}) {
            for (const bool combined : {false, true}) {
                for (const bool updown : {false, true}) {
                    DiffusionUnetConfig config = small_unet_config();
                    config.include_fc = include_fc;
                    config.use_combined_linear = combined;
                    config.resblock_updown = updown;
                    config.with_conditioning = conditioned;
                    if (conditioned) config.cross_attention_dim = 3;
                    config.num_class_embeds = 4;
                    config.include_spacing_input = config.include_top_region_index_input = true;
                    DiffusionUnet network(config);
                    fill_randomly(network, 11);
                    save(network);
                    expect_same_outputs(probe(*load_scripted_denoiser(*archive(), config, options_), 2),
                                        probe(network, 2));
                }
            }
        }
    }
}

TEST_F(ScriptedNetworks, AModuleRunsAtOtherSizesThanTheFirst) {
    DiffusionUnet network(small_unet_config());
    fill_randomly(network, 11);
    save(network);
    const auto scripted = load_scripted_denoiser(*archive(), small_unet_config(), options_);
    for (const std::int64_t extent : {4, 8, 2, 6}) {
        const at::Tensor x = at::randn({1, 2, extent, 4, 2});
        const at::Tensor t = at::ones({1}) * 321.5;
        expect_same_outputs({scripted->forward(x, t, {}, {})}, {network.forward(x, t, {}, {})});
    }
}

TEST_F(ScriptedNetworks, ResidualsOfAControlNetGoIn) {
    DiffusionUnet network(small_unet_config());
    fill_randomly(network, 11);
    save(network);
    const auto scripted = load_scripted_denoiser(*archive(), small_unet_config(), options_);
    const at::Tensor x = at::randn({1, 2, 4, 4, 4});
    UnetResiduals residuals;
    residuals.down = {at::randn({1, 4, 4, 4, 4}), at::randn({1, 4, 4, 4, 4}), at::randn({1, 4, 2, 2, 2}),
                      at::randn({1, 8, 2, 2, 2})};
    residuals.mid = at::randn({1, 8, 2, 2, 2});
    const at::Tensor t = at::ones({1});
    expect_same_outputs({scripted->forward(x, t, {}, residuals)}, {network.forward(x, t, {}, residuals)});
}

TEST_F(ScriptedNetworks, AutoencodersOfBothClassesGiveTheSame) {
    for (const std::string target : {"AutoencoderKL", "AutoencoderKlMaisi"}) {
        for (const bool transposed : {false, true}) {
            AutoencoderKlConfig config = AutoencoderKlConfig::of(target);
            config.num_channels = {4, 8};
            config.num_res_blocks = PerLevel(1);
            config.attention_levels = {false, true};
            config.norm_num_groups = 2;
            config.use_convtranspose = transposed;
            config.with_encoder_nonlocal_attn = true;
            AutoencoderKl network(config);
            fill_randomly(network, 13);
            save(network);
            expect_same_outputs(probe(*load_scripted_autoencoder(*archive(), config, options_), 2), probe(network, 2));
        }
    }
}

TEST_F(ScriptedNetworks, AControlNetGivesTheSame) {
    ControlNetConfig config;
    config.in_channels = 2;
    config.num_channels = {4, 8};
    config.attention_levels = {false, true};
    config.num_res_blocks = PerLevel(1);
    config.num_head_channels = PerLevel(4);
    config.norm_num_groups = 2;
    config.conditioning_embedding_in_channels = 3;
    config.conditioning_embedding_num_channels = {4, 6};
    ControlNet network(config);
    fill_randomly(network, 17);
    save(network);
    expect_same_outputs(probe(*load_scripted_controller(*archive(), config, options_), 2), probe(network, 2));
}

TEST_F(ScriptedNetworks, MasksAndCausalityOfTheAttentionAreWrittenToo) {
    SABlockConfig config;
    config.hidden_size = 8;
    config.num_heads = 2;
    SABlock masked(config);
    fill_randomly(masked, 19);
    save(masked);
    const at::Tensor x = at::randn({2, 5, 8});
    at::Tensor mask = at::ones({2, 5});
    mask.select(1, 3).zero_();
    const ScriptedMethod forward(load_scripted(*archive(), options_), "forward", {"x"}, {"attn_mask"});
    expect_same_outputs(flatten_result(forward({{"x", x}, {"attn_mask", mask}})), {masked.forward(x, mask)});
    config.causal = true;
    config.sequence_length = 6;
    SABlock causal(config);
    for (const auto& [key, tensor] : causal.named_tensors()) {
        if (key != "causal_mask") *tensor = at::randn(tensor->sizes());
    }
    save(causal);
    const ScriptedMethod again(load_scripted(*archive(), options_), "forward", {"x"}, {"attn_mask"});
    expect_same_outputs(flatten_result(again({{"x", x}})), {causal.forward(x)});
}

TEST_F(ScriptedNetworks, OtherArgumentsThanTheNetworksAreRefusedByName) {
    DiffusionUnet network(small_unet_config());
    fill_randomly(network, 11);
    save(network);
    DiffusionUnetConfig other = small_unet_config();
    other.include_spacing_input = true;
    EXPECT_NE(complaint(other).find("no 'spacing_tensor'"), std::string::npos);
    EXPECT_EQ(complaint(small_unet_config()), "");
    DiffusionUnetConfig wider = small_unet_config();
    wider.out_channels = 3;
    EXPECT_THROW(probe(*load_scripted_denoiser(*archive(), wider, options_), 0), Error);
    DiffusionUnet spaced(other);
    fill_randomly(spaced, 11);
    save(spaced);
    EXPECT_NE(complaint(small_unet_config()).find("unknown 'spacing_tensor'"), std::string::npos);
}

TEST_F(ScriptedNetworks, CodeThatTouchesFilesIsNotRun) {
    for (const std::string call : {"torch.save(x, \"/tmp/x\")", "torch.from_file(\"/etc/passwd\")", "ops.custom.run(x)",
                                   "ops.aten.save(x, \"/tmp/x\")"}) {
        write_archive("class M(Module):\n  def forward(self, x: Tensor) -> Tensor:\n    return " + call + "\n");
        EXPECT_NE(complaint(small_unet_config()).find("it is not run"), std::string::npos) << call;
    }
    write_archive("  _0 = ops.prim.NumToTensor(1)\n  drops.custom(x)\n");
    EXPECT_EQ(complaint(small_unet_config()).find("it is not run"), std::string::npos);
}

TEST_F(ScriptedNetworks, DamagedAndOtherFilesAreRefused) {
    DiffusionUnet network(small_unet_config());
    fill_randomly(network, 11);
    save(network);
    const std::string whole = read_text(file_);
    write_text(file_, whole.substr(0, whole.size() / 2));
    EXPECT_NE(complaint(small_unet_config()), "");
    std::string damaged = whole;
    for (std::size_t i = 0; i < 300; ++i) damaged[whole.size() / 3 + i] ^= 1;  // more than the padding of a record
    write_text(file_, damaged);
    EXPECT_NE(complaint(small_unet_config()), "");
    write_text(file_, "no archive");
    EXPECT_NE(complaint(small_unet_config()), "");
    write_archive("");
    EXPECT_NE(complaint(small_unet_config()), "");
    std::filesystem::copy_file(TEST_DATA "/checkpoints/plain_dict.pt", file_,
                               std::filesystem::copy_options::overwrite_existing);
    EXPECT_NE(complaint(small_unet_config()).find("without code"), std::string::npos);
}

TEST_F(ScriptedNetworks, TextsBesideTheModuleComeBack) {
    DiffusionUnet network(small_unet_config());
    fill_randomly(network, 11);
    save(network, {{"scale_factor", "1.25"}});
    EXPECT_EQ(check_torchscript_module(file_).at("scale_factor"), "1.25");
}

}  // namespace
}  // namespace voldiff
