#include "core/networks/autoencoder_kl.h"

#include "core/blocks/autoencoder_blocks.h"
#include "core/blocks/script.h"
#include "core/error.h"
#include "core/ops/kernels/mapped_memory.h"
#include "core/ops/planes/store.h"
#include "core/ops/volumes.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>

#include <algorithm>
#include <sstream>

namespace voldiff {

namespace {

using Blocks = std::vector<std::shared_ptr<TensorModule>>;

// Puts the blocks of one cascade in their order.
class CascadeBuilder {
  public:
    // `name`: "encoder" or "decoder", the start of the blocks' keys.
    CascadeBuilder(const AutoencoderKlConfig& config, AttentionPlan& plan, std::string name)
        : config_(config), plan_(plan), name_(std::move(name)) {}

    void add_convolution(std::size_t level, std::int64_t in_channels, std::int64_t out_channels) {
        add(level, std::make_shared<AutoencoderConvolution>(config_, ConvolutionOptions{in_channels, out_channels}));
    }

    void add_norm(std::size_t level, std::int64_t channels) { add(level, make_autoencoder_norm(config_, channels)); }

    // The residual blocks of a level, each followed by attention where the level has it.
    void add_level(std::size_t level, std::int64_t in_channels) {
        const std::int64_t out_channels = config_.num_channels[level];
        const auto res_blocks = config_.num_res_blocks.expand(config_.num_channels.size(), "num_res_blocks")[level];
        for (std::int64_t i = 0; i < res_blocks; ++i) {
            add(level, make_autoencoder_resblock(config_, i == 0 ? in_channels : out_channels, out_channels));
            if (config_.attention_levels[level]) add_attention(level, out_channels);
        }
    }

    // Residual block, attention, residual block at the lowest resolution.
    void add_nonlocal_part() {
        const std::size_t level = config_.num_channels.size() - 1;
        const std::int64_t channels = config_.num_channels.back();
        add(level, make_autoencoder_resblock(config_, channels, channels, /*plain=*/true));
        add_attention(level, channels);
        add(level, make_autoencoder_resblock(config_, channels, channels, /*plain=*/true));
    }

    void add(std::size_t level, std::shared_ptr<TensorModule> block) {
        blocks_.push_back(std::move(block));
        levels_.push_back(level);
    }

    std::shared_ptr<BlockCascade> cascade() { return std::make_shared<BlockCascade>(blocks_, levels_); }

  private:
    void add_attention(std::size_t level, std::int64_t channels) {
        const std::string path = name_ + ".blocks." + std::to_string(blocks_.size());
        add(level, make_autoencoder_attention(config_, channels, plan_.options_for(path)));
    }

    const AutoencoderKlConfig& config_;
    AttentionPlan& plan_;
    std::string name_;
    Blocks blocks_;
    std::vector<std::size_t> levels_;
};

std::shared_ptr<BlockCascade> make_encoder(const AutoencoderKlConfig& config, AttentionPlan& plan) {
    const std::vector<std::int64_t>& channels = config.num_channels;
    CascadeBuilder builder(config, plan, "encoder");
    builder.add_convolution(0, config.in_channels, channels.front());
    for (std::size_t level = 0; level < channels.size(); ++level) {
        builder.add_level(level, channels[level == 0 ? 0 : level - 1]);
        if (level + 1 < channels.size()) {
            builder.add(level + 1, make_autoencoder_downsample(config, channels[level]));
        }
    }
    if (config.with_encoder_nonlocal_attn) builder.add_nonlocal_part();
    builder.add_norm(channels.size() - 1, channels.back());
    builder.add_convolution(channels.size() - 1, channels.back(), config.latent_channels);
    return builder.cascade();
}

std::shared_ptr<BlockCascade> make_decoder(const AutoencoderKlConfig& config, AttentionPlan& plan) {
    const std::vector<std::int64_t>& channels = config.num_channels;
    CascadeBuilder builder(config, plan, "decoder");
    builder.add_convolution(channels.size() - 1, config.latent_channels, channels.back());
    if (config.with_decoder_nonlocal_attn) builder.add_nonlocal_part();
    for (std::size_t level = channels.size(); level-- > 0;) {
        builder.add_level(level, channels[std::min(level + 1, channels.size() - 1)]);
        if (level > 0) builder.add(level - 1, make_autoencoder_upsample(config, channels[level]));
    }
    builder.add_norm(0, channels.front());
    builder.add_convolution(0, channels.front(), config.out_channels);
    return builder.cascade();
}

using VoxelExtents = std::array<std::int64_t, 3>;

// The axis with the largest extent, the first of equal ones.
std::int64_t longest_axis(const VoxelExtents& extents) {
    return std::max_element(extents.begin(), extents.end()) - extents.begin();
}

// Then planes in flight are most of the memory.
bool keeps_nothing(const StreamPlan& plan) { return !plan_of_level(plan, 0).output; }

// Turns work into hundredths of all of it, and tells each once.
std::function<void(double)> in_hundredths(const BlockProgress& progress, double all) {
    if (!progress) return {};
    return [progress, all, told = std::size_t{0}](double done) mutable {
        const auto hundredths = static_cast<std::size_t>(std::min(100 * done / all, 99.0));  // 100: at the very end
        if (hundredths > told) progress(told = hundredths, 100);
    };
}

void check_channels(const at::Tensor& x, std::int64_t channels, const char* what) {
    if (x.dim() == 5 && x.size(1) == channels) return;
    std::ostringstream message;
    message << "autoencoder: the " << what << " is " << x.sizes() << ", expected [N, " << channels << ", D, H, W]";
    throw Error(ErrorCode::config, message.str());
}

}  // namespace

BlockCascade::BlockCascade(std::vector<std::shared_ptr<TensorModule>> blocks, std::vector<std::size_t> levels)
    : blocks_(std::move(blocks)), levels_(std::move(levels)) {
    register_list("blocks", blocks_);
}

at::Tensor BlockCascade::forward(at::Tensor x, const BlockProgress& progress) {
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
        x = blocks_[i]->forward(std::move(x));
        if (progress) progress(i + 1, blocks_.size());
    }
    return x;
}

ops::Planes BlockCascade::forward_planes(ops::Planes x, const StreamPlan& plan) {
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
        const bool last = i + 1 == blocks_.size();
        x = blocks_[i]->forward_planes(std::move(x),
                                       last ? LevelPlan{false, false, false} : plan_of_level(plan, levels_[i]));
    }
    return x;
}

AutoencoderKl::AutoencoderKl(const AutoencoderKlConfig& config) : Network({config, config.attention}), config_(config) {
    config.check();
    const ConvolutionOptions pointwise{config.latent_channels, config.latent_channels, 1, 1, 0};
    encoder_ = register_module("encoder", make_encoder(config, plan_));
    decoder_ = register_module("decoder", make_decoder(config, plan_));
    quant_conv_mu_ = add<Convolution>("quant_conv_mu", pointwise);
    quant_conv_log_sigma_ = add<Convolution>("quant_conv_log_sigma", pointwise);
    post_quant_conv_ = add<Convolution>("post_quant_conv", pointwise);
    plan_.check_all_used();
}

std::string BlockCascade::script() const {
    std::string text = "def forward(self, x: Tensor) -> Tensor:\n";
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
        text += "    x = " + script::member("blocks." + std::to_string(i)) + ".forward(x)\n";
    }
    return text + "    return x\n";
}

// MONAI's forward samples the latent; here it takes the mean, so that a module is a function.
std::string AutoencoderKl::script() const {
    return R"(
def encode(self, x: Tensor) -> Tuple[Tensor, Tensor]:
    h = self.encoder.forward(x)
    log_var = torch.clamp(self.quant_conv_log_sigma.forward(h), -30.0, 20.0)
    return self.quant_conv_mu.forward(h), torch.exp(log_var / 2)

def decode(self, z: Tensor) -> Tensor:
    return self.decoder.forward(self.post_quant_conv.forward(z))

def forward(self, x: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
    z_mu, z_sigma = self.encode(x)
    return self.decode(z_mu), z_mu, z_sigma
)";
}

std::vector<KeyLayout> AutoencoderKl::layouts() const {
    return config_.maisi ? maisi_autoencoder_layouts(config_.use_convtranspose)
                         : autoencoder_layouts(config_.use_convtranspose);
}

LatentDistribution AutoencoderKl::encode(const at::Tensor& image, const BlockProgress& progress) {
    check_channels(image, config_.in_channels, "image");
    const at::Tensor h = encoder_->forward(image, progress);
    const at::Tensor log_variance = quant_conv_log_sigma_->forward(h).clamp_(-30.0, 20.0);
    return {quant_conv_mu_->forward(h), log_variance.div(2).exp_()};
}

at::Tensor AutoencoderKl::decode(const at::Tensor& latent, const BlockProgress& progress) {
    check_channels(latent, config_.latent_channels, "latent");
    return decoder_->forward(post_quant_conv_->forward(latent), progress);
}

std::optional<DecodeCost> AutoencoderKl::decode_cost(const std::array<std::int64_t, 3>& latent,
                                                     const StreamPlan& plan) const {
    const bool drops = config_.hints_act && config_.num_splits > 1;
    if (drops || !ops::for_own_kernels(options())) return std::nullopt;
    VoxelExtents extents = latent;
    const std::int64_t axis = longest_axis(extents);
    std::swap(extents[0], extents[static_cast<std::size_t>(axis)]);
    ops::PlaneRun run(axis, /*rehearsal=*/true);
    run.prefer_thin_steps(keeps_nothing(plan));
    ops::to_tensor(decoder_->forward_planes(ops::empty_volume_of(run, extents, config_.latent_channels), plan));
    return DecodeCost{static_cast<double>(run.peak_bytes()), static_cast<double>(run.scratch_bytes()), run.work()};
}

at::Tensor AutoencoderKl::stream(const at::Tensor& latent, const StreamPlan& plan, const DecodeCost& cost,
                                 const BlockProgress& progress, const std::function<at::Tensor(ops::Planes)>& finish) {
    const double all = cost.work * static_cast<double>(latent.size(0));
    ops::PlaneRun run(longest_axis({latent.size(2), latent.size(3), latent.size(4)}), /*rehearsal=*/false,
                      in_hundredths(progress, all));
    run.prefer_thin_steps(keeps_nothing(plan));
    const ops::MemoryReuse reuse(static_cast<std::size_t>(cost.bytes));  // of what denoising left, no more than that
    if (progress) progress(0, 100);                                      // what is set up takes time too
    std::vector<at::Tensor> images;
    for (const at::Tensor& z : post_quant_conv_->forward(latent).split(1)) {
        images.push_back(finish(decoder_->forward_planes(ops::from_tensor(run, z), plan)));
    }
    if (progress) progress(100, 100);
    return images.size() == 1 ? images.front() : at::cat(images);
}

at::Tensor AutoencoderKl::decode_streamed(const at::Tensor& latent, const StreamPlan& plan,
                                          const BlockProgress& progress) {
    check_channels(latent, config_.latent_channels, "latent");
    const auto cost = decode_cost({latent.size(2), latent.size(3), latent.size(4)}, plan);
    if (!cost) return decode(latent, progress);
    return stream(latent, plan, *cost, progress, [](ops::Planes image) { return ops::to_tensor(std::move(image)); });
}

// All channels at once are the largest tensor by far, 8 GB for the 125 of MAISI's masks.
at::Tensor AutoencoderKl::decode_classes(const at::Tensor& latent, const StreamPlan& plan,
                                         const BlockProgress& progress) {
    check_channels(latent, config_.latent_channels, "latent");
    const auto cost = decode_cost({latent.size(2), latent.size(3), latent.size(4)}, plan);
    if (!cost) return Autoencoder::decode_classes(latent, plan, progress);
    const auto largest = [](const at::Tensor& plane) { return largest_channel(plane).unsqueeze(1); };
    return stream(latent, plan, *cost, progress, [&](ops::Planes image) {
        return ops::to_mapped_tensor(std::move(image), largest, sizeof(std::uint8_t)).squeeze(1);
    });
}

}  // namespace voldiff
