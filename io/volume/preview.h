// A look at a volume, or at two and their difference, as one PNG.
#pragma once

#include "io/volume/volume.h"

namespace voldiff {

// Values from centre - width / 2 (black) to centre + width / 2 (white).
struct Window {
    double centre;
    double width;
};

constexpr Window soft_tissue_window{40, 400};  // HU

// From the 1st to the 99th percentile of the finite voxels that are not zero, for images without a fixed scale, as MR.
Window percentile_window(const at::Tensor& voxels);

// Three planes through the centre side by side with black between: axial, coronal, sagittal. Radiological convention:
// the patient's right is on the left of the picture; anterior is up in the axial plane and left in the sagittal one;
// the head is up in the coronal and sagittal planes. A pixel is as many mm in both directions and in all planes.
// Oblique volumes are shown along their own axes. NaN is black. [rows, columns], uint8
at::Tensor render_preview(const Volume& volume, const Window& window);

// The same as an 8-bit grey PNG, which appears under its name only when it is whole. Throws Error(config) for another
// extension than .png, Error(io) where the file cannot be written.
void write_preview(const std::filesystem::path& path, const Volume& volume, const Window& window);

// Two volumes on the same voxels and their difference: the three planes of `a`, below them those of `b` in the same
// window, below them those of b - a, where white is no difference, red is b higher, blue is b lower, and the full
// colour is `most_difference` (in the volumes' unit) or more. Both must have the same size. [rows, columns, 3], uint8
at::Tensor render_comparison(const Volume& a, const Volume& b, const Window& window, double most_difference);

// The same as a PNG in colour. Throws as `write_preview`.
void write_comparison(const std::filesystem::path& path, const Volume& a, const Volume& b, const Window& window,
                      double most_difference);

}  // namespace voldiff
