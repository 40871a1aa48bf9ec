#include "io/anatomy/morphology.h"

#include "core/anatomy/box.h"
#include "core/anatomy/labels.h"
#include "core/error.h"
#include "io/anatomy/itk_mask.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros_like.h>
#include <itkFlatStructuringElement.h>
#include <itkGrayscaleDilateImageFilter.h>
#include <itkGrayscaleErodeImageFilter.h>

#include <cstring>
#include <functional>

namespace voldiff {

namespace {

using BoxElement = itk::FlatStructuringElement<3>;

// On a mask of 0 and 1 the grey-level filters are the binary ones; they take boxes apart into lines and can be told
// what lies beyond the border.
template <template <class, class, class> class Filter>
at::Tensor filtered(const at::Tensor& mask, std::int64_t size, Beyond beyond) {
    if (size < 1 || size % 2 == 0) throw Error(ErrorCode::internal, "the box of a morphological filter is not odd");
    const at::Tensor input = mask.contiguous();
    using BoxFilter = Filter<MaskImage, MaskImage, BoxElement>;
    auto filter = BoxFilter::New();
    BoxElement::RadiusType radius;
    radius.Fill(static_cast<itk::SizeValueType>(size / 2));
    filter->SetInput(as_image(input));
    filter->SetKernel(BoxElement::Box(radius));
    filter->SetAlgorithm(BoxFilter::AlgorithmEnum::VHGW);  // the one of its own choice keeps a histogram a line
    filter->SetBoundary(beyond == Beyond::foreground ? 1 : 0);
    filter->Update();
    at::Tensor output = at::empty_like(input);
    std::memcpy(output.data_ptr(), filter->GetOutput()->GetBufferPointer(), input.nbytes());
    return output;
}

// `action` on the part of the mask that it can change.
at::Tensor in_box(const at::Tensor& mask, std::int64_t margin,
                  const std::function<at::Tensor(const at::Tensor&)>& action) {
    at::Tensor result = at::zeros_like(mask);
    const auto box = box_around(mask, margin);
    if (box) part_of(result, *box).copy_(action(part_of(mask, *box)));
    return result;
}

}  // namespace

at::Tensor dilate(const at::Tensor& mask, std::int64_t size, Beyond beyond) {
    const auto action = [&](const at::Tensor& part) {
        return filtered<itk::GrayscaleDilateImageFilter>(part, size, beyond);
    };
    if (beyond == Beyond::foreground) return action(mask);  // grows in from every border
    return in_box(mask, size / 2, action);
}

at::Tensor erode(const at::Tensor& mask, std::int64_t size, Beyond beyond) {
    // One voxel of background around the box where the volume goes on: there it is no border.
    return in_box(mask, size / 2,
                  [&](const at::Tensor& part) { return filtered<itk::GrayscaleErodeImageFilter>(part, size, beyond); });
}

at::Tensor closed_organ(const at::Tensor& labels, std::int64_t label) {
    constexpr std::int64_t size = 3;
    constexpr int times = 2;
    // A closing does not leave the box of the organ.
    return in_box(where_label(labels, label), size / 2, [](at::Tensor part) {
        for (int i = 0; i < times; ++i) part = erode(dilate(part, size), size, Beyond::background);
        return part;
    });
}

at::Tensor near_organ(const at::Tensor& labels, std::int64_t label, const at::Tensor& allowed) {
    // Three dilations by 3 are one by 7.
    return dilate(where_label(labels, label), 7).logical_and_(allowed);
}

}  // namespace voldiff
