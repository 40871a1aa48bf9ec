// Masks as ITK images. Internal to io/anatomy: the only header that shows ITK.
#pragma once

#include <ATen/core/Tensor.h>
#include <itkImage.h>

namespace voldiff {

using MaskImage = itk::Image<unsigned char, 3>;  // 0 and 1

// The same memory; `mask` [X, Y, Z], boolean and contiguous, must outlive the image. ITK's x is the tensor's last axis,
// which is all the same to filters that treat the axes alike.
MaskImage::Pointer as_image(const at::Tensor& mask);

}  // namespace voldiff
