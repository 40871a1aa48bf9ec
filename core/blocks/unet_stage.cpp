#include "core/blocks/unet_stage.h"

#include "core/blocks/script.h"
#include "core/error.h"
#include "core/ops/volumes.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <sstream>

namespace voldiff {

namespace {

UnetResnetBlockOptions resnet_options(const UnetStageOptions& stage, std::int64_t in_channels,
                                      Resampling resampling = Resampling::none) {
    return {in_channels, stage.out_channels, stage.temb_channels, stage.norm_num_groups, stage.norm_eps, resampling};
}

// `direction` is what the resampler does; without resblock_updown it is a convolution.
std::shared_ptr<EmbeddedModule> make_resampler(const UnetStageOptions& stage, Resampling direction) {
    if (stage.resblock_updown) {
        return std::make_shared<UnetResnetBlock>(resnet_options(stage, stage.out_channels, direction));
    }
    if (direction == Resampling::down) return std::make_shared<UnetDownsample>(stage.out_channels);
    return std::make_shared<UnetUpsample>(stage.out_channels);
}

std::vector<std::shared_ptr<AttentionLayer>> make_attentions(const UnetStageOptions& stage) {
    std::vector<std::shared_ptr<AttentionLayer>> layers;
    if (!stage.make_attention) return layers;
    for (std::int64_t i = 0; i < stage.num_res_blocks; ++i) {
        layers.push_back(stage.make_attention("attentions." + std::to_string(i)));
    }
    return layers;
}

at::Tensor join_skip(const at::Tensor& x, const at::Tensor& skip) {
    if (x.sizes().slice(2) == skip.sizes().slice(2)) return ops::join_channels(x, skip);
    std::ostringstream message;
    message << "U-Net: the upsampled state is " << x.sizes().slice(2) << " and the state to join it with is "
            << skip.sizes().slice(2) << "; the latent's extents must be multiples of 2^(levels - 1)";
    throw Error(ErrorCode::config, message.str());
}

}  // namespace

UnetDownBlock::UnetDownBlock(const UnetStageOptions& options) : attentions_(make_attentions(options)) {
    for (std::int64_t i = 0; i < options.num_res_blocks; ++i) {
        const std::int64_t in_channels = i == 0 ? options.in_channels : options.out_channels;
        resnets_.push_back(std::make_shared<UnetResnetBlock>(resnet_options(options, in_channels)));
    }
    if (!attentions_.empty()) register_list("attentions", attentions_);
    register_list("resnets", resnets_);
    if (options.resample) {
        downsampler_ = make_resampler(options, Resampling::down);
        register_module("downsampler", downsampler_);
    }
}

at::Tensor UnetDownBlock::forward(at::Tensor x, const at::Tensor& emb, const at::Tensor& context,
                                  std::vector<at::Tensor>& skips) {
    for (std::size_t i = 0; i < resnets_.size(); ++i) {
        x = resnets_[i]->forward(std::move(x), emb);
        if (!attentions_.empty()) x = attentions_[i]->attend(x, context);
        skips.push_back(x);
    }
    if (downsampler_) {
        x = downsampler_->forward(std::move(x), emb);
        skips.push_back(x);
    }
    return x;
}

UnetMidBlock::UnetMidBlock(const UnetStageOptions& options) {
    const UnetResnetBlockOptions resnet = resnet_options(options, options.in_channels);
    resnet_1_ = add<UnetResnetBlock>("resnet_1", resnet);
    attention_ = register_module("attention", options.make_attention("attention"));
    resnet_2_ = add<UnetResnetBlock>("resnet_2", resnet);
}

at::Tensor UnetMidBlock::forward(at::Tensor x, const at::Tensor& emb, const at::Tensor& context) {
    x = resnet_1_->forward(std::move(x), emb);
    x = attention_->attend(x, context);
    return resnet_2_->forward(std::move(x), emb);
}

UnetUpBlock::UnetUpBlock(const UnetStageOptions& options) : attentions_(make_attentions(options)) {
    for (std::int64_t i = 0; i < options.num_res_blocks; ++i) {
        const std::int64_t hidden = i == 0 ? options.prev_output_channel : options.out_channels;
        const std::int64_t skip = i == options.num_res_blocks - 1 ? options.in_channels : options.out_channels;
        resnets_.push_back(std::make_shared<UnetResnetBlock>(resnet_options(options, hidden + skip)));
    }
    if (!attentions_.empty()) register_list("attentions", attentions_);
    register_list("resnets", resnets_);
    if (options.resample) {
        upsampler_ = make_resampler(options, Resampling::up);
        register_module("upsampler", upsampler_);
    }
}

at::Tensor UnetUpBlock::forward(at::Tensor x, const at::Tensor& emb, const at::Tensor& context,
                                std::vector<at::Tensor>& skips) {
    for (std::size_t i = 0; i < resnets_.size(); ++i) {
        x = join_skip(x, skips.back());
        skips.pop_back();
        x = resnets_[i]->forward(std::move(x), emb);
        if (!attentions_.empty()) x = attentions_[i]->attend(x, context);
    }
    return upsampler_ ? upsampler_->forward(std::move(x), emb) : x;
}

namespace {

// The lines of residual block i and its attention.
std::string script_resnet(std::size_t i, bool with_attention) {
    const std::string number = std::to_string(i);
    std::string text = "    x = " + script::member("resnets." + number) + ".forward(x, emb)\n";
    if (with_attention) text += "    x = " + script::member("attentions." + number) + ".forward(x, context)\n";
    return text;
}

}  // namespace

std::string UnetDownBlock::script() const {
    std::string text =
        "def forward(self, x: Tensor, emb: Tensor, context: Optional[Tensor], skips: List[Tensor]) -> Tensor:\n";
    for (std::size_t i = 0; i < resnets_.size(); ++i) {
        text += script_resnet(i, !attentions_.empty()) + "    skips.append(x)\n";
    }
    if (downsampler_) text += "    x = self.downsampler.forward(x, emb)\n    skips.append(x)\n";
    return text + "    return x\n";
}

std::string UnetMidBlock::script() const {
    return R"(
def forward(self, x: Tensor, emb: Tensor, context: Optional[Tensor]) -> Tensor:
    x = self.resnet_1.forward(x, emb)
    x = self.attention.forward(x, context)
    return self.resnet_2.forward(x, emb)
)";
}

std::string UnetUpBlock::script() const {
    std::string text =
        "def forward(self, x: Tensor, emb: Tensor, context: Optional[Tensor], skips: List[Tensor]) -> Tensor:\n";
    for (std::size_t i = 0; i < resnets_.size(); ++i) {
        text += "    x = torch.cat([x, skips.pop()], 1)\n" + script_resnet(i, !attentions_.empty());
    }
    if (upsampler_) text += "    x = self.upsampler.forward(x, emb)\n";
    return text + "    return x\n";
}

}  // namespace voldiff
