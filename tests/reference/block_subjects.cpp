// The building blocks of the networks, by themselves.
#include "core/blocks/autoencoder_blocks.h"
#include "core/blocks/spatial_transformer.h"
#include "core/blocks/unet_stage.h"
#include "core/networks/controlnet.h"
#include "core/ops/upsample.h"
#include "tests/reference/subject.h"

#include <map>

namespace voldiff::reference {

namespace {

using Json = nlohmann::json;
using Block = std::shared_ptr<TensorModule>;

AutoencoderKlConfig block_config(bool maisi, const Json& arguments) {
    AutoencoderKlConfig config;
    config.maisi = maisi;
    config.norm_num_groups = arguments.value("norm_num_groups", 1);
    config.norm_eps = arguments.value("norm_eps", 1e-6);
    config.num_splits = arguments.value("num_splits", 1);
    config.dim_split = arguments.value("dim_split", 0);
    config.use_convtranspose = arguments.value("use_convtranspose", false);
    config.hints_act = true;  // the class as it is
    return config;
}

template <bool maisi>
Block make_resblock(const Json& a) {
    return make_autoencoder_resblock(block_config(maisi, a), a.at("in_channels"), a.at("out_channels"));
}

Block make_convolution(const Json& a) {
    ConvolutionOptions options{a.at("in_channels"), a.at("out_channels"), a.at("kernel_size"), a.at("strides"),
                               a.at("padding")};
    options.is_transposed = a.value("is_transposed", false);
    if (options.is_transposed) options.output_padding = options.stride - 1;
    return std::make_shared<AutoencoderConvolution>(block_config(true, a), options);
}

Block make_group_norm(const Json& a) {
    AutoencoderKlConfig config = block_config(true, a);
    config.norm_num_groups = a.at("num_groups");
    config.norm_eps = a.value("eps", 1e-5);
    config.norm_float16 = a.value("norm_float16", false);
    return make_autoencoder_norm(config, a.at("num_channels"));
}

Block make_conditioning_embedding(const Json& a) {
    return std::make_shared<ConditioningEmbedding>(a.at("in_channels"), a.at("out_channels"),
                                                   a.at("channels").get<std::vector<std::int64_t>>());
}

using MakeBlock = Block (*)(const Json&);

const std::map<std::string, MakeBlock>& block_makers() {
    static const std::map<std::string, MakeBlock> makers = {
        {"AEKLResBlock", make_resblock<false>},
        {"MaisiResBlock", make_resblock<true>},
        {"MaisiConvolution", make_convolution},
        {"MaisiDownsample",
         [](const Json& a) { return make_autoencoder_downsample(block_config(true, a), a.at("in_channels")); }},
        {"MaisiUpsample",
         [](const Json& a) { return make_autoencoder_upsample(block_config(true, a), a.at("in_channels")); }},
        {"MaisiGroupNorm3D", make_group_norm},
        {"MLPBlock",
         [](const Json& a) -> Block { return std::make_shared<GegluMlp>(a.at("hidden_size"), a.at("mlp_dim")); }},
        {"ControlNetConditioningEmbedding", make_conditioning_embedding},
    };
    return makers;
}

using Tensors = std::vector<at::Tensor>;

Subject make_unet_downsample(const Json& a) {
    if (!a.at("use_conv").get<bool>()) {
        return {std::make_shared<Module>(),
                [](const std::string&, const Arguments& given) { return Tensors{ops::average_pool_2x(given["x"])}; },
                {native_layout()},
                {}};
    }
    const auto block = std::make_shared<UnetDownsample>(a.at("num_channels"));
    return {block,
            [block](const std::string&, const Arguments& given) { return Tensors{block->forward(given["x"], {})}; },
            {native_layout()},
            {}};
}

Subject make_unet_resblock(const Json& a) {
    const std::int64_t in = a.at("in_channels");
    const Resampling resampling = a.value("up", false)     ? Resampling::up
                                  : a.value("down", false) ? Resampling::down
                                                           : Resampling::none;
    const auto block = std::make_shared<UnetResnetBlock>(UnetResnetBlockOptions{
        in, a.value("out_channels", in), a.at("temb_channels"), a.at("norm_num_groups"), 1e-6, resampling});
    return {block,
            [block](const std::string&, const Arguments& given) {
                return Tensors{block->forward(given["x"], given["emb"])};
            },
            {native_layout()},
            {}};
}

Subject make_up_block(const Json& a) {
    UnetStageOptions options;
    options.in_channels = a.at("in_channels");
    options.prev_output_channel = a.at("prev_output_channel");
    options.out_channels = a.at("out_channels");
    options.temb_channels = a.at("temb_channels");
    options.num_res_blocks = a.at("num_res_blocks");
    options.norm_num_groups = a.at("norm_num_groups");
    options.resample = a.at("add_upsample");
    options.resblock_updown = a.at("resblock_updown");
    const auto block = std::make_shared<UnetUpBlock>(options);
    return {block,
            [block](const std::string&, const Arguments& given) {
                Tensors skips = given.list("res_hidden_states_list");
                return Tensors{block->forward(given["hidden_states"], given["temb"], {}, skips)};
            },
            {native_layout()},
            {}};
}

}  // namespace

std::optional<Subject> make_block_subject(const std::string& class_name, const Json& constructor) {
    if (class_name == "DiffusionUnetDownsample") return make_unet_downsample(constructor);
    if (class_name == "DiffusionUNetResnetBlock") return make_unet_resblock(constructor);
    if (class_name == "UpBlock") return make_up_block(constructor);
    const auto found = block_makers().find(class_name);
    if (found == block_makers().end()) return std::nullopt;
    const Block block = found->second(constructor);
    Subject subject;
    subject.module = block;
    subject.call = [block](const std::string&, const Arguments& a) {
        for (const char* name : {"x", "input", "conditioning"}) {
            if (a[name].defined()) return std::vector<at::Tensor>{block->forward(a[name])};
        }
        throw NotCovered{"the block's argument"};
    };
    return subject;
}

}  // namespace voldiff::reference
