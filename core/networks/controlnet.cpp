#include "core/networks/controlnet.h"

#include "core/blocks/script.h"
#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/silu.h>

#include <sstream>

namespace voldiff {

namespace {

const ControlNetConfig& checked(const ControlNetConfig& config) {
    config.check();
    return config;
}

ConvolutionOptions pointwise(std::int64_t channels) { return {channels, channels, 1, 1, 0}; }

}  // namespace

ConditioningEmbedding::ConditioningEmbedding(std::int64_t in_channels, std::int64_t out_channels,
                                             const std::vector<std::int64_t>& num_channels) {
    conv_in_ = add<Convolution>("conv_in", ConvolutionOptions{in_channels, num_channels.front()});
    for (std::size_t i = 0; i + 1 < num_channels.size(); ++i) {
        const std::int64_t in = num_channels[i];
        blocks_.push_back(std::make_shared<Convolution>(ConvolutionOptions{in, in}));
        blocks_.push_back(std::make_shared<Convolution>(ConvolutionOptions{in, num_channels[i + 1], 3, 2, 1}));
    }
    register_list("blocks", blocks_);
    conv_out_ = add<Convolution>("conv_out", ConvolutionOptions{num_channels.back(), out_channels});
}

at::Tensor ConditioningEmbedding::forward(at::Tensor conditioning) {
    at::Tensor h = conv_in_->forward(std::move(conditioning));
    at::silu_(h);
    for (const auto& block : blocks_) {
        h = block->forward(std::move(h));
        at::silu_(h);
    }
    return conv_out_->forward(std::move(h));
}

ControlNet::ControlNet(const ControlNetConfig& config)
    : UnetTrunk(checked(config), config.embedding_width()), config_(config) {
    controlnet_cond_embedding_ =
        add<ConditioningEmbedding>("controlnet_cond_embedding", config.conditioning_embedding_in_channels,
                                   config.num_channels.front(), config.conditioning_embedding_num_channels);
    build_projections();
    plan_.check_all_used();
}

// One 1x1x1 convolution for each residual. MONAI registers the first without its wrapper, hence its shorter key.
void ControlNet::build_projections() {
    const std::size_t levels = config_.num_channels.size();
    const std::vector<std::int64_t> res_blocks = config_.num_res_blocks.expand(levels, "num_res_blocks");
    ConvolutionOptions first = pointwise(config_.num_channels.front());
    first.key_depth = 0;
    controlnet_down_blocks_.push_back(std::make_shared<Convolution>(first));
    for (std::size_t level = 0; level < levels; ++level) {
        const std::int64_t residuals = res_blocks[level] + (level + 1 < levels ? 1 : 0);  // and the downsampler's
        for (std::int64_t i = 0; i < residuals; ++i) {
            controlnet_down_blocks_.push_back(std::make_shared<Convolution>(pointwise(config_.num_channels[level])));
        }
    }
    register_list("controlnet_down_blocks", controlnet_down_blocks_);
    controlnet_mid_block_ = add<Convolution>("controlnet_mid_block", pointwise(config_.num_channels.back()));
}

at::Tensor ControlNet::embed(const at::Tensor& controlnet_cond) {
    given_condition(controlnet_cond, "controlnet_cond");
    if (controlnet_cond.dim() == 5 && controlnet_cond.size(1) == config_.conditioning_embedding_in_channels) {
        return controlnet_cond_embedding_->forward(controlnet_cond);
    }
    std::ostringstream message;
    message << "ControlNet: the conditioning is " << controlnet_cond.sizes() << ", expected [N, "
            << config_.conditioning_embedding_in_channels << ", D, H, W]";
    throw Error(ErrorCode::config, message.str());
}

at::Tensor ControlNet::embedding_for(const at::Tensor& x, const ControlNetConditions& conditions) {
    at::Tensor embedding = conditions.embedding.defined() ? conditions.embedding : embed(conditions.controlnet_cond);
    if (embedding.sizes().slice(2) == x.sizes().slice(2)) return embedding;
    std::ostringstream message;
    message << "ControlNet: the conditioning, with extents divided by " << config_.conditioning_downsampling()
            << ", becomes " << embedding.sizes().slice(2) << ", expected the latent's " << x.sizes().slice(2);
    throw Error(ErrorCode::config, message.str());
}

UnetResiduals ControlNet::forward(const at::Tensor& x, const at::Tensor& timesteps,
                                  const ControlNetConditions& conditions) {
    check_call(x, conditions.context);
    const at::Tensor emb = embed_time(x, timesteps, conditions.class_labels);
    at::Tensor h = conv_in_->forward(x) + embedding_for(x, conditions);
    std::vector<at::Tensor> skips{h};
    for (const auto& block : down_blocks_) h = block->forward(std::move(h), emb, conditions.context, skips);
    h = middle_block_->forward(std::move(h), emb, conditions.context);
    UnetResiduals residuals;
    for (std::size_t i = 0; i < skips.size(); ++i) {
        at::Tensor residual = controlnet_down_blocks_[i]->forward(std::move(skips[i]));
        residuals.down.push_back(residual.mul_(conditions.conditioning_scale));
    }
    residuals.mid = controlnet_mid_block_->forward(std::move(h)).mul_(conditions.conditioning_scale);
    return residuals;
}

std::string ConditioningEmbedding::script() const {
    std::string text = "def forward(self, x: Tensor) -> Tensor:\n    x = torch.silu(self.conv_in.forward(x))\n";
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
        text += "    x = torch.silu(" + script::member("blocks." + std::to_string(i)) + ".forward(x))\n";
    }
    return text + "    return self.conv_out.forward(x)\n";
}

std::string ControlNet::script() const {
    std::string projections;
    for (std::size_t i = 0; i < controlnet_down_blocks_.size(); ++i) {
        projections += "    down.append(" + script::member("controlnet_down_blocks." + std::to_string(i)) +
                       ".forward(skips[" + std::to_string(i) + "]) * conditioning_scale)\n";
    }
    return script::fill(R"(
def forward(self, x: Tensor, timesteps: Tensor, controlnet_cond: Tensor$arguments,
            conditioning_scale: float=1.0) -> Tuple[List[Tensor], Tensor]:
$embed_time
    h = $conv_in.forward(x) + $embedding.forward(controlnet_cond)
    skips = [h]
$down
    h = $middle.forward(h, emb, context_)
    down: List[Tensor] = []
$projections
    return down, $mid.forward(h) * conditioning_scale
)",
                        {{"arguments", std::string(config_.with_conditioning ? ", context: Tensor" : "") +
                                           (config_.num_class_embeds ? ", class_labels: Tensor" : "")},
                         {"embed_time", script_embed_time()},
                         {"conv_in", script::member("conv_in")},
                         {"embedding", script::member("controlnet_cond_embedding")},
                         {"down", script_down()},
                         {"middle", script::member("middle_block")},
                         {"projections", projections},
                         {"mid", script::member("controlnet_mid_block")}});
}

}  // namespace voldiff
