#include "io/model/library_mask.h"

#include "core/anatomy/mask_library.h"
#include "core/anatomy/numpy_random.h"
#include "core/error.h"
#include "core/text.h"
#include "io/anatomy/mask_database.h"
#include "io/anatomy/resample.h"
#include "io/anatomy/tables.h"
#include "io/anatomy/tumor_augmentation.h"
#include "io/config/weight_path.h"
#include "io/volume/orientation.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <numeric>

namespace voldiff {

namespace {

constexpr std::size_t most_resampled = 5;

bool same_grid(const ImageGrid& a, const ImageGrid& b) { return a.size == b.size && a.spacing == b.spacing; }

bool has_all(const at::Tensor& labels, const std::vector<std::int64_t>& wanted) {
    const LabelCounts counts = count_labels(labels);
    return std::all_of(wanted.begin(), wanted.end(), [&](auto label) { return counts.count(label) != 0; });
}

// 0, 1, ... in an order that the seed decides.
std::vector<std::size_t> shuffled(std::size_t count, std::uint32_t seed) {
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    NumpyRandom random(seed);
    for (std::size_t last = count; last > 1; --last) {
        const auto chosen = static_cast<std::size_t>(random.uniform(0, static_cast<double>(last)));
        std::swap(order[last - 1], order[std::min(chosen, last - 1)]);
    }
    return order;
}

class LibraryMaskSource : public MaskSource {
  public:
    explicit LibraryMaskSource(const RunConfig& run)
        : folder_(resolve_mask_input(run, "library", run.mask.library)),
          index_(resolve_mask_input(run, "library_index", run.mask.library_index)),
          grid_{run.image.size, run.image.spacing},
          augment_(run.mask.augment) {
        const LabelTable table = label_table();
        for (const std::string& region : run.mask.body_region) wish_.regions.push_back(body_region_index(region));
        for (const std::string& name : run.mask.anatomy_list) wish_.labels.push_back(table.value(name));
        find(run);
    }

    ProvidedMask provide(const Model&, std::int64_t seed, std::int64_t attempt, const StageProgress&) const override {
        const auto start = static_cast<std::uint32_t>(seed);
        const std::vector<std::size_t> order = shuffled(found_.size(), start);
        const LibraryMask& entry = found_[order[static_cast<std::size_t>(attempt) % order.size()]];
        Volume mask = read(entry);
        if (augment_) mask.voxels = augment_mask(mask.voxels, start + static_cast<std::uint32_t>(attempt));
        LabelMask labels(mask.voxels);
        labels.from_database = true;
        if (same_grid(entry.grid, grid_)) labels.regions = entry.regions;
        return {std::move(mask), std::move(labels), (folder_ / entry.file).string()};
    }

  private:
    void find(const RunConfig& run) {
        const std::vector<LibraryMask> library = read_mask_library(index_);
        const std::vector<LibraryMask> candidates = masks_with(library, wish_);
        for (const LibraryMask& mask : candidates)
            if (same_grid(mask.grid, grid_)) found_.push_back(mask);
        if (found_.empty()) found_ = resampled(candidates);
        if (!found_.empty()) return;
        throw Error(ErrorCode::config,
                    index_.string() + ": of " + std::to_string(library.size()) + " masks " +
                        std::to_string(candidates.size()) + " have what is asked for (" + wish_text(run) +
                        ", and no tumour but those named), and none of these keeps it at the run's size and "
                        "spacing\nask for less, or change image.size and image.spacing");
    }

    // Of the nearest grids the first that keep the anatomy.
    std::vector<LibraryMask> resampled(const std::vector<LibraryMask>& candidates) const {
        std::vector<LibraryMask> kept;
        for (const LibraryMask& mask : nearest_first(candidates, grid_)) {
            if (kept.size() == most_resampled) break;
            if (has_all(read(mask).voxels, wish_.labels)) kept.push_back(mask);
        }
        return kept;
    }

    Volume read(const LibraryMask& entry) const {
        const std::filesystem::path file = folder_ / entry.file;
        try {
            Volume mask = to_ras(read_volume(file));
            mask.voxels = as_labels(mask.voxels).contiguous();
            if (!same_grid(entry.grid, grid_)) return fit_mask(mask, grid_.size, grid_.spacing);
            if (mask.voxels.sizes() == at::IntArrayRef(grid_.size.data(), grid_.size.size())) return mask;
            throw Error(ErrorCode::config, "the index " + index_.string() +
                                               " says that it has the run's size, but it "
                                               "has not");
        } catch (const Error& error) {
            throw error.within(file.string());
        }
    }

    static std::string wish_text(const RunConfig& run) {
        std::vector<std::string> wishes = run.mask.body_region;
        wishes.insert(wishes.end(), run.mask.anatomy_list.begin(), run.mask.anatomy_list.end());
        return join(wishes);
    }

    std::filesystem::path folder_;
    std::filesystem::path index_;
    ImageGrid grid_;
    bool augment_;
    MaskWish wish_;
    std::vector<LibraryMask> found_;
};

}  // namespace

std::unique_ptr<MaskSource> make_library_mask(const RunConfig& run) { return std::make_unique<LibraryMaskSource>(run); }

}  // namespace voldiff
