// A mask without its tumours: what guidance compares with. Source: NV-Generate-CTMR scripts/augmentation.py
// (remove_tumors, remove_tumors_majority_vote).
#pragma once

#include <ATen/core/Tensor.h>

namespace voldiff {

// labels [X, Y, Z]. Tumours of liver, pancreas and colon (26, 24, 27) and kidney cysts (116, 117) become their organ,
// brain tumours (401, 402, 403, 176) brain. A lung tumour (23) becomes the lobe that most voxels around it have, the
// smallest of equals; where there is none, the commonest lobe of the volume. Bone lesions (128) stay.
//
// Quirk of the reference, kept: every voxel on the border of the volume counts as one around the lung tumour, so lobes
// that touch the border vote as well and may win.
at::Tensor remove_tumors(const at::Tensor& labels);

// As above for organs, but the voxels of 23, 128, 401, 402, 403 and 176 take the value of `pseudo_labels` [X, Y, Z], a
// segmentation of the same body without lesions.
at::Tensor remove_tumors(const at::Tensor& labels, const at::Tensor& pseudo_labels);

}  // namespace voldiff
