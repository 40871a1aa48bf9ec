#include "io/anatomy/components.h"

#include "core/anatomy/box.h"
#include "core/anatomy/labels.h"
#include "io/anatomy/itk_mask.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <itkConnectedComponentImageFilter.h>

#include <algorithm>
#include <cstring>
#include <numeric>

namespace voldiff {

namespace {

// ITK's own numbers, in whatever order they come.
at::Tensor itk_components(const at::Tensor& mask, Neighbours neighbours) {
    using Ids = itk::Image<std::int32_t, 3>;
    const at::Tensor input = mask.contiguous();
    auto filter = itk::ConnectedComponentImageFilter<MaskImage, Ids>::New();
    filter->SetInput(as_image(input));
    filter->SetFullyConnected(neighbours == Neighbours::all);
    filter->Update();
    at::Tensor ids = at::empty(input.sizes(), at::kInt);
    std::memcpy(ids.data_ptr(), filter->GetOutput()->GetBufferPointer(), ids.nbytes());
    return ids;
}

// Gives numbers in order of the first voxel and counts; `ids` is contiguous and changed in place.
std::vector<std::int64_t> renumber(at::Tensor& ids) {
    std::vector<std::int32_t> number_of{0};
    std::vector<std::int64_t> sizes{0};
    auto* values = ids.data_ptr<std::int32_t>();
    for (std::int64_t i = 0; i < ids.numel(); ++i) {
        const auto old = static_cast<std::size_t>(values[i]);
        if (old >= number_of.size()) number_of.resize(old + 1, 0);
        if (old > 0 && number_of[old] == 0) {
            number_of[old] = static_cast<std::int32_t>(sizes.size());
            sizes.push_back(0);
        }
        values[i] = number_of[old];
        ++sizes[static_cast<std::size_t>(values[i])];
    }
    return sizes;
}

// The numbers that occur, the most frequent first, of equals the last first.
std::vector<std::int64_t> by_size(const std::vector<std::int64_t>& sizes) {
    std::vector<std::int64_t> ids;
    for (std::size_t id = sizes.size(); id-- > 0;)
        if (sizes[id] > 0) ids.push_back(static_cast<std::int64_t>(id));
    const auto size_of = [&](std::int64_t id) { return sizes[static_cast<std::size_t>(id)]; };
    std::stable_sort(ids.begin(), ids.end(), [&](auto a, auto b) { return size_of(a) > size_of(b); });
    return ids;
}

}  // namespace

Components connected_components(const at::Tensor& mask, Neighbours neighbours) {
    Components found{at::zeros(mask.sizes(), at::kInt), {mask.numel()}};
    const auto box = box_around(mask);
    if (!box) return found;
    at::Tensor ids = itk_components(part_of(mask, *box), neighbours);
    found.sizes = renumber(ids);
    found.sizes[0] += mask.numel() - ids.numel();
    part_of(found.ids, *box).copy_(ids);
    return found;
}

at::Tensor largest_component(const at::Tensor& mask) {
    Components found = connected_components(mask);
    found.sizes[0] = 0;
    const std::vector<std::int64_t> ids = by_size(found.sizes);
    return ids.empty() ? at::zeros_like(mask) : found.ids == ids.front();
}

Suppressed suppress_small_components(const at::Tensor& labels, const std::vector<std::int64_t>& organs,
                                     std::int64_t replacement) {
    at::Tensor small = at::zeros_like(labels, at::kBool);
    for (const std::int64_t organ : organs) {
        const Components found = connected_components(where_label(labels, organ));
        const std::vector<std::int64_t> ids = by_size(found.sizes);
        if (ids.size() > 2) small.logical_or_((found.ids != ids[0]).logical_and_(found.ids != ids[1]));
    }
    Suppressed result{labels.masked_fill(small, replacement), 0};
    result.decreased = (labels > result.labels).sum().item<std::int64_t>();
    return result;
}

}  // namespace voldiff
