#include "core/anatomy/mask_library.h"

#include "core/anatomy/labels.h"

#include <algorithm>
#include <cmath>

namespace voldiff {

namespace {

constexpr std::int64_t most_missing_voxels = 128;
constexpr std::array<std::int64_t, 5> tumors_of_masks = {label::lung_tumor, label::pancreatic_tumor,
                                                         label::hepatic_tumor, label::colon_cancer, label::bone_lesion};

bool has(const std::vector<std::int64_t>& values, std::int64_t value) {
    return std::find(values.begin(), values.end(), value) != values.end();
}

std::int64_t index_of_region(const RegionIndex& region) {
    std::size_t index = 0;
    while (index < region.size() && region[index] == 0) ++index;
    return static_cast<std::int64_t>(index);
}

bool shows(const LibraryMask& mask, const std::vector<std::int64_t>& regions) {
    if (!mask.regions) return true;
    const std::int64_t top = index_of_region(mask.regions->top);
    const std::int64_t bottom = index_of_region(mask.regions->bottom);
    return std::all_of(regions.begin(), regions.end(), [&](auto region) { return region >= top && region <= bottom; });
}

bool serves(const LibraryMask& mask, const MaskWish& wish) {
    const auto occurs = [&](std::int64_t value) { return has(mask.labels, value); };
    const auto unwanted = [&](std::int64_t tumor) { return occurs(tumor) && !has(wish.labels, tumor); };
    return std::all_of(wish.labels.begin(), wish.labels.end(), occurs) && shows(mask, wish.regions) &&
           std::none_of(tumors_of_masks.begin(), tumors_of_masks.end(), unwanted);
}

bool too_coarse(const ImageGrid& mask, const ImageGrid& grid) {
    for (std::size_t axis = 0; axis < 3; ++axis)
        if (mask.size[axis] <= grid.size[axis] - most_missing_voxels) return true;
    return false;
}

double unlike(const ImageGrid& a, const ImageGrid& b) {
    double sum = 0;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const auto voxels = static_cast<double>(a.size[axis]);
        const auto wished = static_cast<double>(b.size[axis]);
        sum += std::abs((voxels * a.spacing[axis] - wished * b.spacing[axis]) / 10);
        sum += std::abs((voxels - wished) / 100);
        sum += std::abs(a.spacing[axis] - b.spacing[axis]);
    }
    return sum;
}

}  // namespace

std::vector<LibraryMask> masks_with(const std::vector<LibraryMask>& library, const MaskWish& wish) {
    std::vector<LibraryMask> found;
    for (const LibraryMask& mask : library)
        if (serves(mask, wish)) found.push_back(mask);
    return found;
}

std::vector<LibraryMask> nearest_first(const std::vector<LibraryMask>& masks, const ImageGrid& grid) {
    std::vector<LibraryMask> fine;
    for (const LibraryMask& mask : masks)
        if (!too_coarse(mask.grid, grid)) fine.push_back(mask);
    std::stable_sort(fine.begin(), fine.end(), [&](const LibraryMask& a, const LibraryMask& b) {
        return unlike(a.grid, grid) < unlike(b.grid, grid);
    });
    return fine;
}

}  // namespace voldiff
