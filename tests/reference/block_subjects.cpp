// The building blocks of the networks, by themselves.
#include "core/blocks/autoencoder_blocks.h"
#include "core/blocks/spatial_transformer.h"
#include "core/networks/controlnet.h"
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
    config.drop_split_remainder = true;  // the class as it is
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
    if (a.at("norm_float16").get<bool>()) throw NotCovered{"norm_float16, which acts on a GPU only"};
    return std::make_shared<GroupNorm>(a.at("num_groups"), a.at("num_channels"), a.at("eps"));
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

}  // namespace

std::optional<Subject> make_block_subject(const std::string& class_name, const Json& constructor) {
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
