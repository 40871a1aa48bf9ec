#include "core/ops/kernels/plane_conv.h"

#include "core/ops/kernels/norm_kernels.h"
#include "core/ops/kernels/parallel.h"

#include <algorithm>
#include <cstring>

namespace voldiff::ops {

namespace {

// With fewer tiles a thread all threads work on the same ones, and each weight is read once for all.
constexpr std::int64_t tiles_of_worker = 48;
// Blocks a thread in each step, so that none waits long for the last.
constexpr std::int64_t blocks_of_worker = 8;
// Where all threads share tiles: bytes of their points.
constexpr std::size_t shared_points_bytes = 192 << 20;
constexpr std::int64_t border = 2;  // planes, rows and voxels of padding on both sides together
constexpr std::size_t floats_of_line = 16;

std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

std::size_t pad(std::size_t channels, std::size_t lanes) { return (channels + lanes - 1) / lanes * lanes; }

// Points of the tiles in hand; one buffer a thread, shared by all convolutions. Of whole huge pages: a tile touches a
// page for every point.
float* scratch(std::size_t size) {
    constexpr std::size_t huge_page = (2 << 20) / sizeof(float);
    thread_local Buffer own;
    return own.at_least(std::max(size, huge_page));
}

// A cache line more than a power of two may have: points of a tile lie in different sets of the cache.
std::size_t point_stride(std::size_t tiles, std::size_t values) { return tiles * values + floats_of_line; }

std::size_t depth_of(const TileKernels& kernels, std::size_t inputs) {
    if (!kernels.multiplied) return 27 * pad(inputs, kernels.input_lanes);
    return kernels.terms == 1 ? inputs : kernels.terms * pad(inputs, kernels.input_lanes);
}

}  // namespace

std::size_t packed_bytes(ConvVariant variant, std::size_t outputs, std::size_t inputs) {
    const TileKernels& kernels = tile_kernels(variant);
    const std::size_t points = kernels.multiplied ? kernels.points : 1;
    return points * depth_of(kernels, inputs) * pad(outputs, kernels.lanes) * sizeof(float);
}

PackedConv pack_conv(ConvVariant variant, std::size_t outputs, std::size_t inputs, const float* weight,
                     const float* bias) {
    const TileKernels& kernels = tile_kernels(variant);
    const std::size_t columns = pad(outputs, kernels.lanes);
    PackedConv conv{variant, inputs, outputs, Buffer(packed_bytes(variant, outputs, inputs) / sizeof(float)),
                    Buffer(columns)};
    parallel_each(static_cast<std::int64_t>(panels_of(columns)), [&](std::int64_t panel, std::int64_t) {
        const auto first = static_cast<std::size_t>(panel);
        kernels.pack(weight, outputs, inputs, first, first + 1, conv.weight.data());
    });
    std::fill_n(conv.bias.data(), columns, 0.0F);
    std::copy_n(bias, outputs, conv.bias.data());
    return conv;
}

// Rows of values whose distance is a large power of two fall into the same few sets of a cache.
std::size_t PlaneConv::apart(std::size_t values) {
    return values % (16 * floats_of_line) == 0 ? values + floats_of_line : values;
}

PlaneConv::PlaneConv(const PackedConv& conv, const std::array<std::int64_t, 3>& extents, ConvPlanes planes)
    : conv_(conv),
      kernels_(tile_kernels(conv.variant)),
      extents_(extents),
      planes_(std::move(planes)),
      channels_(pad(conv.inputs, kernels_.input_lanes)),
      columns_(pad(conv.outputs, kernels_.lanes)),
      products_(tile_products(kernels_, depth_of(kernels_, conv.inputs), columns_, conv.weight.data())) {
    for (std::size_t axis = 0; axis < 3; ++axis) tiles_[axis] = divide_up(extents[axis], kernels_.step[axis]);
    choose_slab();
    row_size_ = static_cast<std::size_t>(tiles_[2] * kernels_.step[2] + border) * channels_;
    // An odd number of cache lines: the rows of a tile lie in different sets of the cache.
    if (row_size_ / floats_of_line % 2 == 0) row_size_ += floats_of_line;
    plane_size_ = static_cast<std::size_t>(tiles_[1] * kernels_.step[1] + border) * row_size_;
    ring_planes_ = slab_ * kernels_.step[0] + border;
}

void PlaneConv::allocate() {
    ring_.at_least(ring_size());
    std::copy_n(conv_.bias.data(), columns_, bias_.at_least(columns_));
    for (std::size_t k = 0; planes_.shift != nullptr && k < conv_.outputs; ++k) bias_.data()[k] += planes_.shift[k];
    if (planes_.moments != nullptr) sums_.at_least(sums_size());
}

// Blocks of tiles for every thread where there are enough of them; otherwise all threads share the same tiles.
void PlaneConv::choose_slab() {
    const std::int64_t workers = worker_count();
    const std::int64_t layer = tiles_[1] * tiles_[2];
    const bool few = layer * tiles_[0] < workers * tiles_of_worker;
    together_ = kernels_.multiplied && (few || kernels_.load == nullptr);
    std::int64_t wanted = workers * products_->tiles_of_block() * blocks_of_worker;
    if (together_) {
        const std::size_t tile_bytes = kernels_.points * (input_values() + output_values()) * sizeof(float);
        wanted = static_cast<std::int64_t>(shared_points_bytes / tile_bytes);
        wanted = std::max<std::int64_t>(wanted / layer * layer, 1);
    }
    const std::int64_t layers = std::min(divide_up(wanted, layer), tiles_[0]);
    slab_ = divide_up(tiles_[0], divide_up(tiles_[0], layers));  // steps of equal size
    const std::int64_t tiles = slab_ * layer;
    // As many blocks for each thread, so that none is left with one more.
    const std::int64_t blocks = divide_up(divide_up(tiles, products_->tiles_of_block()), workers) * workers;
    const std::int64_t even = divide_up(tiles, blocks);
    tiles_at_once_ = together_ ? tiles : divide_up(even, products_->even_rows()) * products_->even_rows();
}

std::array<std::int64_t, 3> PlaneConv::output_extents() const {
    std::array<std::int64_t, 3> extents{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        extents[axis] = extents_[axis] * kernels_.output[axis] / kernels_.step[axis];
    }
    return extents;
}

std::size_t PlaneConv::sums_size() const {
    return static_cast<std::size_t>(slab_ * tiles_[1] * tiles_[2]) * sums_of_part(conv_.outputs);
}

std::int64_t PlaneConv::planes_done() const { return std::min(layer_ * kernels_.output[0], output_extents()[0]); }

std::int64_t PlaneConv::layers_of_step() const { return std::min(slab_, tiles_[0] - layer_); }

std::int64_t PlaneConv::planes_of_step() const {
    return std::min((layer_ + layers_of_step()) * kernels_.output[0], output_extents()[0]) - planes_done();
}

std::size_t PlaneConv::scratch_size() const {
    if (!together_) return (points_of_group() + 1) * slot();
    const auto tiles = static_cast<std::size_t>(tiles_at_once_);
    return kernels_.points * (point_stride(tiles, input_values()) + point_stride(tiles, output_values()));
}

std::size_t PlaneConv::scratch_bytes() const {
    const std::size_t threads = together_ ? 1 : static_cast<std::size_t>(worker_count());
    return threads * scratch_size() * sizeof(float);
}

// The transforms of a value take about as long as this many multiplications of a matrix product: from their share of
// the time at 64 and at 256 channels.
double PlaneConv::work_of_step() const {
    constexpr double of_transforms = 20;
    const auto tiles = static_cast<double>(layers_of_step() * tiles_[1] * tiles_[2]);
    const auto inputs = static_cast<double>(depth_of(kernels_, conv_.inputs));
    const auto outputs = static_cast<double>(kernels_.multiplied ? columns_ : conv_.outputs);
    return tiles * static_cast<double>(kernels_.points) * (inputs * outputs + of_transforms * (inputs + outputs));
}

// A row in its frame of zeros.
void PlaneConv::fill_row(std::int64_t z, std::int64_t y, float* row) const {
    const bool inside = z >= 0 && z < extents_[0] && y >= 0 && y < extents_[1];
    const std::size_t end = channels_ * static_cast<std::size_t>(1 + extents_[2]);
    if (!inside || channels_ != conv_.inputs) {
        std::fill_n(row, row_size_, 0.0F);
    } else {
        std::fill_n(row, channels_, 0.0F);
        std::fill_n(row + end, row_size_ - end, 0.0F);
    }
    if (inside) planes_.read_row(z, y, row + channels_, channels_);
}

// Padded planes hold input planes from -1 on.
void PlaneConv::fill_planes(Range planes) {
    const std::int64_t begin = std::max<std::int64_t>(planes.begin, 0);
    const std::int64_t end = std::min(planes.end, extents_[0]);
    if (planes_.prepare && begin < end) planes_.prepare(begin, end);
    if (!planes_.read_row) return;
    const auto rows = static_cast<std::int64_t>(plane_size_ / row_size_);
    parallel_each((planes.end - planes.begin) * rows, [&](std::int64_t index, std::int64_t) {
        const std::int64_t z = planes.begin + index / rows;
        const std::int64_t y = index % rows - 1;
        fill_row(z, y, ring_.data() + ((z + 1) % ring_planes_) * plane_size_ + (y + 1) * row_size_);
    });
}

std::array<std::int64_t, 3> PlaneConv::tile_position(std::int64_t tile) const {
    return {layer_ + tile / (tiles_[1] * tiles_[2]), tile / tiles_[2] % tiles_[1], tile % tiles_[2]};
}

void PlaneConv::load_tiles(Range tiles, std::int64_t group, float* points, std::size_t stride) const {
    TileInput input;
    input.group = group;
    input.row_stride = row_size_;
    input.channels = channels_;
    input.point_stride = stride;
    input.weight = conv_.weight.data();
    input.outputs = conv_.outputs;
    for (std::int64_t tile = tiles.begin; tile < tiles.end; ++tile, points += input_values()) {
        const auto position = tile_position(tile);
        const std::size_t offset = static_cast<std::size_t>(position[1] * kernels_.step[1]) * row_size_ +
                                   static_cast<std::size_t>(position[2] * kernels_.step[2]) * channels_;
        for (std::int64_t z = 0; z < kernels_.taps[0]; ++z) {
            input.planes[z] = padded_plane(position[0] * kernels_.step[0] + z) + offset;
        }
        input.points = points;
        kernels_.load(input);
    }
}

// The voxels of this step, where they stand in their padded planes.
NeighbourRows PlaneConv::neighbours(std::int64_t tiles, float* c) const {
    NeighbourRows rows;
    rows.voxels = static_cast<std::size_t>(tiles_[2]);
    rows.row_stride = row_size_;
    rows.channels = channels_;
    rows.c = c;
    rows.ldc = output_values();
    rows.lines.resize(static_cast<std::size_t>(tiles) / rows.voxels);
    for (std::size_t line = 0; line < rows.lines.size(); ++line) {
        const auto position = tile_position(static_cast<std::int64_t>(line * rows.voxels));
        for (std::int64_t z = 0; z < 3; ++z) {
            rows.lines[line][z] = padded_plane(position[0] + z) + static_cast<std::size_t>(position[1]) * row_size_;
        }
    }
    return rows;
}

// Output voxels of a tile that lie inside the volume.
std::array<std::int64_t, 3> PlaneConv::tile_extents(const std::array<std::int64_t, 3>& position) const {
    const auto extents = output_extents();
    std::array<std::int64_t, 3> inside{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        inside[axis] = std::min(kernels_.output[axis], extents[axis] - position[axis] * kernels_.output[axis]);
    }
    return inside;
}

void PlaneConv::store_tile(std::int64_t tile, std::int64_t group, const float* points, std::size_t stride) {
    const auto position = tile_position(tile);
    const auto extents = output_extents();
    TileOutput output;
    output.group = group;
    output.points = points;
    output.point_stride = stride;
    output.bias = bias_.data();
    output.channels = conv_.outputs;
    output.row_stride = static_cast<std::size_t>(extents[2]) * conv_.outputs;
    output.extents = tile_extents(position);
    if (planes_.moments != nullptr) {
        output.sums = sums_.data() + static_cast<std::size_t>(tile) * sums_of_part(conv_.outputs);
    }
    std::array<std::int64_t, 3> start{};
    for (std::size_t axis = 0; axis < 3; ++axis) start[axis] = position[axis] * kernels_.output[axis];
    const std::size_t offset =
        static_cast<std::size_t>(start[1]) * output.row_stride + static_cast<std::size_t>(start[2]) * conv_.outputs;
    for (std::int64_t z = 0; z < output.extents[0]; ++z) {
        output.planes[z] = planes_.output(start[0] + z) + offset;
        if (planes_.residual) output.residual[z] = planes_.residual(start[0] + z) + offset;
    }
    kernels_.store(output);
}

// Room for one point of all tiles of a block, before or after its product.
std::size_t PlaneConv::slot() const {
    return point_stride(static_cast<std::size_t>(tiles_at_once_), std::max(input_values(), output_values()));
}

// Each thread takes blocks of tiles through all three stages, in its own part of the cache, a group of points after the
// other. The products of a point take the place of the values at the point before, which are no longer needed.
void PlaneConv::compute_blocks(std::int64_t tiles) {
    const std::size_t stride = slot();
    parallel_each(divide_up(tiles, tiles_at_once_), [&](std::int64_t block, std::int64_t) {
        const Range range{block * tiles_at_once_, std::min((block + 1) * tiles_at_once_, tiles)};
        float* output = scratch(scratch_size());
        float* input = output + stride;
        for (std::int64_t group = 0; group < kernels_.groups; ++group) {
            load_tiles(range, group, input, stride);
            if (kernels_.multiplied) {
                multiply_group(range.end - range.begin, group, input, output, stride);
            } else {
                output = input;
            }
            for (std::int64_t tile = range.begin; tile < range.end; ++tile) {
                store_tile(tile, group, output + (tile - range.begin) * output_values(), stride);
            }
        }
    });
}

void PlaneConv::multiply_group(std::int64_t tiles, std::int64_t group, const float* a, float* c,
                               std::size_t stride) const {
    const std::size_t first = static_cast<std::size_t>(group) * points_of_group();
    const std::size_t panels = panels_of(columns_);
    products_->multiply_points(
        {static_cast<std::size_t>(tiles), first, a, stride, input_values(), c, stride, output_values()},
        {first * panels, (first + points_of_group()) * panels});
}

// All threads work on the same tiles, one stage after the other: the weights are read once for all of them.
void PlaneConv::compute_together(std::int64_t tiles) {
    const std::size_t input_stride = point_stride(tiles, input_values());
    const std::size_t output_stride = point_stride(tiles, output_values());
    float* input = scratch(scratch_size());
    float* output = input + input_stride * kernels_.points;
    const auto group_of = [&](std::int64_t index) { return index % kernels_.groups; };
    if (kernels_.load != nullptr) {
        parallel_each(tiles * kernels_.groups, [&](std::int64_t index, std::int64_t) {
            const std::int64_t tile = index / kernels_.groups;
            const std::size_t point = static_cast<std::size_t>(group_of(index)) * points_of_group();
            load_tiles({tile, tile + 1}, group_of(index), input + point * input_stride + tile * input_values(),
                       input_stride);
        });
    }
    multiply_together(tiles, {input, input_stride}, {output, output_stride});
    parallel_each(tiles, [&](std::int64_t tile, std::int64_t) {
        for (std::int64_t group = 0; group < kernels_.groups; ++group) {
            const std::size_t point = static_cast<std::size_t>(group) * points_of_group();
            store_tile(tile, group, output + point * output_stride + tile * output_values(), output_stride);
        }
    });
}

void PlaneConv::multiply_together(std::int64_t tiles, Points<const float> a, Points<float> c) const {
    const PointRows rows{
        static_cast<std::size_t>(tiles), 0, a.data, a.stride, input_values(), c.data, c.stride, output_values()};
    const NeighbourRows voxels = kernels_.load == nullptr ? neighbours(tiles, c.data) : NeighbourRows();
    const std::size_t products = kernels_.points * panels_of(columns_);
    const std::int64_t shares = products_->shares(static_cast<std::int64_t>(products), worker_count());
    parallel_each(shares, [&](std::int64_t index, std::int64_t) {
        const auto share = static_cast<std::size_t>(index), all = static_cast<std::size_t>(shares);
        const TileProducts::Range range{share * products / all, (share + 1) * products / all};
        kernels_.load == nullptr ? products_->multiply_neighbours(voxels, range)
                                 : products_->multiply_points(rows, range);
    });
}

void PlaneConv::add_sums(std::int64_t tiles) {
    std::vector<std::int32_t> voxels(static_cast<std::size_t>(tiles));
    for (std::int64_t tile = 0; tile < tiles; ++tile) {
        const auto inside = tile_extents(tile_position(tile));
        voxels[static_cast<std::size_t>(tile)] = static_cast<std::int32_t>(inside[0] * inside[1] * inside[2]);
    }
    merge_parts(sums_.data(), voxels, *planes_.moments);
}

bool PlaneConv::step() {
    if (layer_ == tiles_[0]) return false;
    const bool rehearsal = !planes_.read_row;
    if (layer_ == 0 && !rehearsal) allocate();
    const std::int64_t layers = layers_of_step();
    const std::int64_t end = (layer_ + layers) * kernels_.step[0] + border - 1;
    fill_planes({filled_, end});
    filled_ = end;
    if (planes_.rows_are_read) planes_.rows_are_read();
    const std::int64_t tiles = layers * tiles_[1] * tiles_[2];
    if (!rehearsal) together_ ? compute_together(tiles) : compute_blocks(tiles);
    if (!rehearsal && planes_.moments != nullptr) add_sums(tiles);
    layer_ += layers;
    return true;
}

}  // namespace voldiff::ops
