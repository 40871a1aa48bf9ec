#include "io/anatomy/itk_mask.h"

#include "core/error.h"

#include <ATen/core/Tensor.h>

namespace voldiff {

MaskImage::Pointer as_image(const at::Tensor& mask) {
    if (mask.dim() != 3 || mask.scalar_type() != at::kBool || !mask.is_contiguous())
        throw Error(ErrorCode::internal, "a mask for ITK is not boolean, contiguous and [X, Y, Z]");
    static_assert(sizeof(bool) == 1, "a boolean tensor is read as bytes");
    auto image = MaskImage::New();
    MaskImage::SizeType size;
    for (unsigned axis = 0; axis < 3; ++axis) size[axis] = static_cast<itk::SizeValueType>(mask.size(2 - axis));
    image->SetRegions(size);
    auto* bytes = static_cast<unsigned char*>(mask.data_ptr());
    image->GetPixelContainer()->SetImportPointer(bytes, static_cast<itk::SizeValueType>(mask.numel()), false);
    return image;
}

}  // namespace voldiff
