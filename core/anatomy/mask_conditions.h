// Spacing and body regions as the networks take them on the ways that start from a mask. The image-only way is
// core/pipeline/conditions.h. All multiply by 100, and round at another place: 1.234 mm is 123.375 image-only, 123.4375
// from a mask, 123.4 (float32) from the mask database.
// Source: NV-Generate-CTMR scripts/utils_infer.py (build_conditioning_tensors), scripts/sample.py
// (LDMSampler.prepare_one_mask_and_meta_info, val_transforms).
#pragma once

#include <ATen/core/Tensor.h>

#include <c10/util/ArrayRef.h>

namespace voldiff {

// A user's or a generated mask: float16 first, then times 100 in float16. [1, n], float16.
at::Tensor hundredfold_from_mask(c10::ArrayRef<double> values);

// A mask of the database: times 100 in float32. [n], float32.
at::Tensor hundredfold_from_database(c10::ArrayRef<double> values);

}  // namespace voldiff
