#include "io/model/start_volume.h"

#include "core/error.h"
#include "io/config/weight_path.h"
#include "io/volume/orientation.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cmath>
#include <sstream>

namespace voldiff {

namespace {

template <class Number>
std::string text_of(const std::array<Number, 3>& values) {
    std::ostringstream text;
    text << "[" << values[0] << ", " << values[1] << ", " << values[2] << "]";
    return text.str();
}

class StartReader {
  public:
    explicit StartReader(const RunConfig& run) : run_(run) {}

    StartVolume read() {
        start_.path = resolve_start_image(run_);
        const Volume volume = read_volume(start_.path);
        try {
            start_.input = encoder_input(volume, run_.image.modality, multiple(), run_.encode.pad);
        } catch (const Error& error) {
            throw error.within(start_.path.string());
        }
        const Volume ras = to_ras(volume);
        start_.size = {ras.voxels.size(0), ras.voxels.size(1), ras.voxels.size(2)};
        start_.affine = ras.affine;
        compare("image.size", run_.image.size, start_.size);
        compare("image.spacing", run_.image.spacing, spacing_of(start_.affine));
        return std::move(start_);
    }

  private:
    std::int64_t multiple() const {
        return run_.network.autoencoder.downsampling() * run_.network.diffusion_unet.extent_multiple();
    }

    template <class Number>
    void compare(const std::string& key, const std::array<Number, 3>& said, const std::array<Number, 3>& found) {
        const auto origin = run_.origins.find(key);
        const bool same = std::equal(said.begin(), said.end(), found.begin(),
                                     [](Number a, Number b) { return std::abs(static_cast<double>(a - b)) < 1e-3; });
        if (origin == run_.origins.end() || same) return;
        const std::string text = origin->second.text() + ": '" + key + "' is " + text_of(said) +
                                 ", but the volume to start from has " + text_of(found);
        if (!gives_way(origin->second)) {
            throw Error(ErrorCode::config, text + " (right, anterior, superior)\nleave it out: the result has the " +
                                               "volume's voxels; or resample the volume first");
        }
        start_.notes.push_back({text + ", which counts"});
    }

    // What a file says about images in general, where another place names the volume.
    bool gives_way(const Mark& origin) const {
        const auto named = run_.origins.find("image_to_image.file");
        if (!origin.in_file() || named == run_.origins.end()) return false;
        return !named->second.in_file() || *named->second.source != *origin.source;
    }

    const RunConfig& run_;
    StartVolume start_;
};

}  // namespace

StartVolume load_start_volume(const RunConfig& run) { return StartReader(run).read(); }

void take_grid(RunConfig& run, const StartVolume& start) {
    run.image.size = start.size;
    run.image.spacing = spacing_of(start.affine);
    const Mark place = run.origins["image_to_image.file"];
    run.origins["image.size"] = run.origins["image.spacing"] = place;
}

void check_same_voxels(const StartVolume& start, const Volume& mask) {
    const auto spacing = spacing_of(start.affine);
    const double shift = largest_shift(start.affine, mask.affine, start.size);
    if (shift <= 0.1 * *std::min_element(spacing.begin(), spacing.end())) return;
    std::ostringstream text;
    text << "the voxels of the mask are up to " << shift << " mm away from those of " << start.path.string()
         << "\nexpected a mask of the volume to start from; resample one of them first";
    throw Error(ErrorCode::config, text.str());
}

}  // namespace voldiff
