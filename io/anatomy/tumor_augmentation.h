// A library's mask, changed a little, so that it does not give the same body twice: its tumour is moved and deformed
// within the organ, or, where there is none, the body is made larger or smaller.
// Source: NV-Generate-CTMR scripts/augmentation.py (augmentation and what it calls).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace voldiff {

// labels [X, Y, Z], MAISI's values -> the same size and type. Of several tumours one kind is moved: bone lesion (128)
// before those of liver (26), lung (23), pancreas (24), colon (27) and brain (401, 402, 403). A place where less than
// 80 % of the tumour (lung 85 %, bone 75 % after 40 tries) lies within the organ is drawn again, up to a thousand times
// (the reference does so without end; for the colon it leaves the tumour in its place after 20 tries).
// Throws Error(config) where no place was found, or for a lung tumour that no lobe surrounds.
at::Tensor augment_mask(const at::Tensor& labels, std::uint32_t seed);

}  // namespace voldiff
