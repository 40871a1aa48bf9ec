#include "core/ops/conv_policy.h"

#include "core/ops/kernels/matrix_unit.h"
#include "core/ops/packed_weights.h"

#include <algorithm>
#include <atomic>
#include <limits>

namespace voldiff::ops {

namespace {

std::atomic<bool> own_kernels_on{true};

// Packed weights of all layers may take this many bytes; beyond it a layer takes a smaller variant, or LibTorch.
// MAISI's U-Net takes 1.5 GB at 128^3, with its ControlNet 2.6 GB at 256^3, and 3.5 GB at most. Layers are packed in
// the order of their first use, so the last, which are of the finest level, where most of the time goes, would come off
// worst: their weights are small, and large ones leave room for them.
constexpr std::size_t weight_budget = std::size_t{3840} << 20;
constexpr std::size_t for_small_layers = std::size_t{384} << 20;
constexpr std::size_t small_layer = std::size_t{64} << 20;

constexpr std::int64_t any = std::numeric_limits<std::int64_t>::max();

// What a row asks of the machine. A matrix unit is so much faster than the vectors that coarse levels wait for weights.
enum class Machine { any, without_unit, narrow_vectors };  // narrow: of 8 floats or fewer, which have no unit either

// The first row that a layer satisfies. Larger tiles save more products, if there are enough of them to use each weight
// often, but they round more. What is rounded in the coarse layers, which have the most channels, decides the error of
// a network: so these take smaller tiles, and the whole stays as near to float64 as LibTorch's float32 (measured with
// bench_network --exact). Layers with few channels take them too: there LibTorch rounds little, and time is short. At
// the coarsest levels of a U-Net a matrix unit does little but read weights, so there it is the weights that have to be
// few; vectors are still busy with products (measured: AVX2 and AVX-512 of AMD). With narrow vectors (measured: AVX2)
// LibTorch itself rounds two to three times more, which leaves room for larger tiles. With AVX-512 MAISI's decoder has
// no more room (side_by_side.py --exact: 0.98 of MONAI's error).
struct Rule {
    std::int64_t least_extent = 1;    // of the output
    std::int64_t least_channels = 0;  // inputs and outputs together
    std::int64_t most_channels = any;
    std::int64_t most_inputs = any;
    std::int64_t most_outputs = any;
    ConvVariant variant = ConvVariant::direct;
    Machine machine = Machine::any;
};
constexpr Rule rules[] = {
    {1, 0, any, any, 4, ConvVariant::narrow},
    {1, 0, any, 4, any, ConvVariant::shallow},
    {48, 128, 256, any, any, ConvVariant::f444},
    {32, 128, 256, any, 64, ConvVariant::f444},
    {32, 128, 256, any, any, ConvVariant::f444, Machine::narrow_vectors},
    {48, 128, 512, any, any, ConvVariant::f244},
    {16, 128, 384, any, any, ConvVariant::f244},
    {16, 0, any, any, any, ConvVariant::f224},
    {8, 256, any, any, 256, ConvVariant::f224, Machine::without_unit},
    {5, 0, any, any, any, ConvVariant::f222},
    {4, 0, any, any, any, ConvVariant::f122, Machine::without_unit},
    {1, 0, any, any, any, ConvVariant::direct},
};

bool is_this(Machine machine) {
    if (machine == Machine::narrow_vectors) return tile_kernels(ConvVariant::direct).lanes <= 8;
    return machine == Machine::any || !MatrixUnit::available();
}

bool fits(ConvVariant variant, const ConvShape& shape) {
    if (tile_kernels(variant).output[0] > shape.most_planes) return false;
    if (!shape.stays_packed) return true;
    if (std::count(shape.packed.begin(), shape.packed.end(), variant) > 0) return true;
    const std::size_t bytes =
        packed_bytes(variant, static_cast<std::size_t>(shape.outputs), static_cast<std::size_t>(shape.inputs));
    const std::size_t room = bytes <= small_layer ? weight_budget : weight_budget - for_small_layers;
    return packed_weight_bytes() + bytes <= room;
}

}  // namespace

std::optional<ConvVariant> choose_conv(const ConvShape& shape) {
    if (tile_kernels(ConvVariant::direct).lanes == 1) return std::nullopt;  // no vectors: oneDNN knows more machines
    if (shape.upsampling == Upsampling::nearest || shape.upsampling == Upsampling::zeros) {
        const bool nearest = shape.upsampling == Upsampling::nearest;
        const ConvVariant variant = nearest ? ConvVariant::nearest_2x : ConvVariant::zeros_2x;
        return fits(variant, shape) ? std::optional(variant) : std::nullopt;
    }
    const std::int64_t extent = *std::min_element(shape.extents.begin(), shape.extents.end());
    const std::int64_t channels = shape.inputs + shape.outputs;
    for (const Rule& rule : rules) {
        const bool suits = extent >= rule.least_extent && channels >= rule.least_channels &&
                           channels <= rule.most_channels && shape.inputs <= rule.most_inputs &&
                           shape.outputs <= rule.most_outputs && is_this(rule.machine) && fits(rule.variant, shape);
        if (suits) return rule.variant;
    }
    return std::nullopt;
}

void use_own_kernels(bool on) { own_kernels_on = on; }
bool own_kernels() { return own_kernels_on; }

}  // namespace voldiff::ops
