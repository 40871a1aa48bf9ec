#include "core/ops/packed_weights.h"

#include "core/ops/file_tensor.h"

#include <ATen/core/Tensor.h>

#include <atomic>

namespace voldiff::ops {

namespace {

std::atomic<std::size_t> bytes_held{0};

// Of all layers together, what is not worth releasing: to rearrange it again takes longer than a step of a small model.
constexpr std::size_t bytes_kept = 64 << 20;

std::size_t bytes_of(const PackedConv& conv) { return packed_bytes(conv.variant, conv.outputs, conv.inputs); }

// Counts the changes of both in place.
std::int64_t version_of(const at::Tensor& weight, const at::Tensor& bias) {
    const auto version = [](const at::Tensor& tensor) {
        return !tensor.defined() || tensor.is_inference() ? 0 : tensor._version();
    };
    return version(weight) + version(bias);
}

}  // namespace

PackedWeights::~PackedWeights() { forget(); }

void PackedWeights::forget() {
    for (auto& conv : convs_) {
        if (conv) bytes_held -= bytes_of(*conv);
        conv.reset();
    }
    if (linear_) bytes_held -= linear_->weight.size() * sizeof(float);
    linear_.reset();
}

void PackedWeights::release() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (bytes_held > bytes_kept) forget();
}

void PackedWeights::forget_other(const at::Tensor& weight, const at::Tensor& bias) {
    const std::int64_t version = version_of(weight, bias);
    if (weight_.is_same(weight) && bias_.is_same(bias) && version_ == version) return;
    forget();
    weight_ = weight;  // kept, so that no other tensor can take its place in memory
    bias_ = bias;
    version_ = version;
}

std::shared_ptr<const PackedConv> PackedWeights::conv(ConvVariant variant, const at::Tensor& weight,
                                                      const at::Tensor& bias) {
    const std::lock_guard<std::mutex> lock(mutex_);
    forget_other(weight, bias);
    auto& conv = convs_[static_cast<std::size_t>(variant)];
    if (!conv) {
        const at::Tensor w = weight.contiguous();
        const at::Tensor b = bias.contiguous();
        conv = std::make_shared<PackedConv>(pack_conv(variant, static_cast<std::size_t>(w.size(0)),
                                                      static_cast<std::size_t>(w.size(1)), w.data_ptr<float>(),
                                                      b.data_ptr<float>()));
        bytes_held += bytes_of(*conv);
        forget_pages(weight);
    }
    return conv;
}

std::shared_ptr<const PackedLinear> PackedWeights::linear(const at::Tensor& weight, const at::Tensor& bias) {
    const std::lock_guard<std::mutex> lock(mutex_);
    forget_other(weight, bias);
    if (!linear_) {
        const at::Tensor w = weight.contiguous();
        const at::Tensor b = bias.defined() ? bias.contiguous() : bias;
        linear_ = std::make_shared<PackedLinear>(
            pack_linear(static_cast<std::size_t>(w.size(0)), static_cast<std::size_t>(w.numel() / w.size(0)),
                        w.data_ptr<float>(), b.defined() ? b.data_ptr<float>() : nullptr));
        bytes_held += linear_->weight.size() * sizeof(float);
        forget_pages(weight);
    }
    return linear_;
}

std::vector<ConvVariant> PackedWeights::packed_variants(const at::Tensor& weight, const at::Tensor& bias) {
    const std::lock_guard<std::mutex> lock(mutex_);
    forget_other(weight, bias);
    std::vector<ConvVariant> variants;
    for (const auto& conv : convs_) {
        if (conv) variants.push_back(conv->variant);
    }
    return variants;
}

std::size_t packed_weight_bytes() { return bytes_held; }

}  // namespace voldiff::ops
