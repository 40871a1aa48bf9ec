// 3x3x3 convolutions with stride 1 and zero padding 1 on channels-last float32 volumes, a few planes at a time.
//
// Neither the input nor the output has to exist as a whole: rows are asked for when they are needed, planes are handed
// out when they are done, both in ascending order.
#pragma once

#include "core/ops/kernels/buffer.h"
#include "core/ops/kernels/channel_moments.h"
#include "core/ops/kernels/tile_kernels.h"
#include "core/ops/kernels/tile_products.h"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>

namespace voldiff::ops {

// The weights of one layer as a variant takes them.
struct PackedConv {
    ConvVariant variant = ConvVariant::direct;
    std::size_t inputs = 0;
    std::size_t outputs = 0;
    Buffer weight;
    Buffer bias;  // [outputs, padded to whole vectors]
};

// Bytes of the packed weights of a layer.
std::size_t packed_bytes(ConvVariant variant, std::size_t outputs, std::size_t inputs);
// weight [K, C, 3, 3, 3] and bias [K], contiguous.
PackedConv pack_conv(ConvVariant variant, std::size_t outputs, std::size_t inputs, const float* weight,
                     const float* bias);

// Where the planes come from and go to; z, y, x are voxels of the input or of the output.
struct ConvPlanes {
    // Writes the C values of each voxel of a row, voxels `stride` floats apart. Called from several threads at once.
    // Empty for a rehearsal: then steps only call `prepare`, and nothing is allocated.
    std::function<void(std::int64_t z, std::int64_t y, float* row, std::size_t stride)> read_row;
    // Called on one thread before rows of the planes [begin, end) are read; empty, or what makes those planes.
    std::function<void(std::int64_t begin, std::int64_t end)> prepare;
    // Called on one thread when the rows of a step are read and nothing is written yet; may be empty.
    std::function<void()> rows_are_read;
    // The plane [H', W', K] that receives the output.
    std::function<float*(std::int64_t z)> output;
    // A plane that is added, or empty; it may be the output's own, which is then replaced.
    std::function<const float*(std::int64_t z)> residual;
    const float* shift = nullptr;       // [K], added to every voxel; null for none
    ChannelMoments* moments = nullptr;  // gathers those of the output; null for none
};

class PlaneConv {
  public:
    // extents: of the input, [D, H, W]. `conv` must outlive this.
    PlaneConv(const PackedConv& conv, const std::array<std::int64_t, 3>& extents, ConvPlanes planes);

    // Makes the next output planes; false when there are none left.
    bool step();
    // Output planes that are complete.
    std::int64_t planes_done() const;
    std::array<std::int64_t, 3> output_extents() const;
    // Output planes that the next step makes.
    std::int64_t planes_of_step() const;
    // Bytes of the padded planes and of the tiles' sums that are held from the first step on.
    std::size_t held_bytes() const { return (ring_size() + sums_size()) * sizeof(float); }
    // Bytes that all threads together hold from the first step on, to be used by later convolutions too.
    std::size_t scratch_bytes() const;
    // What a step costs, in multiplications of its products and what takes as long.
    double work_of_step() const;

  private:
    struct Range {
        std::int64_t begin, end;
    };
    template <class T>
    struct Points {
        T* data;
        std::size_t stride;  // floats from a point to the next
    };
    void choose_slab();
    std::size_t ring_size() const { return static_cast<std::size_t>(ring_planes_) * plane_size_; }
    std::size_t sums_size() const;
    std::size_t slot() const;
    std::size_t scratch_size() const;  // floats of a thread's
    std::int64_t layers_of_step() const;
    void allocate();
    void fill_planes(Range planes);
    void fill_row(std::int64_t z, std::int64_t y, float* row) const;
    void compute_blocks(std::int64_t tiles);
    void compute_together(std::int64_t tiles);
    void load_tiles(Range tiles, std::int64_t group, float* points, std::size_t stride) const;
    NeighbourRows neighbours(std::int64_t tiles, float* c) const;
    void store_tile(std::int64_t tile, std::int64_t group, const float* points, std::size_t stride);
    void add_sums(std::int64_t tiles);
    void multiply_group(std::int64_t tiles, std::int64_t group, const float* a, float* c, std::size_t stride) const;
    void multiply_together(std::int64_t tiles, Points<const float> a, Points<float> c) const;
    std::size_t points_of_group() const { return kernels_.points / static_cast<std::size_t>(kernels_.groups); }
    std::array<std::int64_t, 3> tile_position(std::int64_t tile) const;
    std::array<std::int64_t, 3> tile_extents(const std::array<std::int64_t, 3>& position) const;
    const float* padded_plane(std::int64_t z) const { return ring_.data() + (z % ring_planes_) * plane_size_; }
    // Floats from a tile to the next, at one point.
    std::size_t input_values() const {
        if (kernels_.load == nullptr) return 0;
        return kernels_.multiplied ? apart(channels_) : columns_;
    }
    std::size_t output_values() const { return kernels_.multiplied ? apart(columns_) : columns_; }
    static std::size_t apart(std::size_t values);

    const PackedConv& conv_;
    const TileKernels& kernels_;
    std::array<std::int64_t, 3> extents_;
    ConvPlanes planes_;
    std::size_t channels_;  // padded
    std::size_t columns_;   // padded outputs
    std::unique_ptr<const TileProducts> products_;
    std::array<std::int64_t, 3> tiles_{};
    std::int64_t tiles_at_once_ = 0;  // of a block
    bool together_ = false;           // all threads work on the same tiles
    std::int64_t slab_ = 1;           // layers of tiles a step
    std::int64_t layer_ = 0;          // layers done
    std::int64_t filled_ = -1;        // padded planes are filled up to here, in input planes
    std::int64_t ring_planes_ = 0;
    std::size_t plane_size_ = 0;
    std::size_t row_size_ = 0;
    Buffer ring_;
    Buffer bias_;  // with the shift
    Buffer sums_;  // [tiles of a step, sums_of_part]: merged in the order of the tiles, not of the threads
};

}  // namespace voldiff::ops
