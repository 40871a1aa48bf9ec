#include "core/anatomy/image_grid.h"

#include <algorithm>
#include <cmath>

namespace voldiff {

namespace {

constexpr std::array<std::int64_t, 3> plane_sizes = {256, 384, 512};
constexpr std::array<std::int64_t, 6> axial_sizes = {128, 256, 384, 512, 640, 768};
constexpr double least_spacing = 0.5;
constexpr double most_in_plane = 3;
constexpr double most_axial = 5;

template <std::size_t N>
bool contains(const std::array<std::int64_t, N>& allowed, std::int64_t size) {
    return std::find(allowed.begin(), allowed.end(), size) != allowed.end();
}

template <std::size_t N>
std::int64_t nearest_of(const std::array<std::int64_t, N>& allowed, double size) {
    const auto apart = [&](std::int64_t candidate) { return std::abs(static_cast<double>(candidate) - size); };
    return *std::min_element(allowed.begin(), allowed.end(), [&](auto a, auto b) { return apart(a) < apart(b); });
}

}  // namespace

bool is_ct_grid(const ImageGrid& grid) {
    const auto& [size, spacing] = grid;
    return size[0] == size[1] && contains(plane_sizes, size[0]) && contains(axial_sizes, size[2]) &&
           std::abs(spacing[0] - spacing[1]) < 1e-6 && spacing[0] >= least_spacing && spacing[0] <= most_in_plane &&
           spacing[2] >= least_spacing && spacing[2] <= most_axial;
}

ImageGrid nearest_ct_grid(const ImageGrid& grid) {
    const auto view = [&](std::size_t axis) { return static_cast<double>(grid.size[axis]) * grid.spacing[axis]; };
    const std::int64_t plane = nearest_of(plane_sizes, static_cast<double>(grid.size[0] + grid.size[1]) / 2);
    const std::int64_t axial = nearest_of(axial_sizes, static_cast<double>(grid.size[2]));
    const double in_plane =
        std::clamp((view(0) + view(1)) / 2 / static_cast<double>(plane), least_spacing, most_in_plane);
    const double across = std::clamp(view(2) / static_cast<double>(axial), least_spacing, most_axial);
    return {{plane, plane, axial}, {in_plane, in_plane, across}};
}

}  // namespace voldiff
