#include "io/checkpoint/tensor_view.h"

#include "core/ops/file_tensor.h"
#include "io/checkpoint/message.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/ScalarType.h>

#include <algorithm>

namespace voldiff {
namespace {

constexpr std::size_t kMostAxes = 64;
constexpr std::int64_t kMostElements = std::int64_t{1} << 58;  // its bytes still fit 63 bits
constexpr std::int64_t kMostExpanded = std::int64_t{1} << 24;

// Index of the last element that the layout touches.
std::int64_t last_element(const TensorLayout& layout) {
    std::int64_t last = layout.offset;
    for (std::size_t axis = 0; axis < layout.sizes.size(); ++axis) {
        std::int64_t reach = 0;
        if (layout.strides[axis] < 0 || __builtin_mul_overflow(layout.sizes[axis] - 1, layout.strides[axis], &reach) ||
            __builtin_add_overflow(last, reach, &last)) {
            refuse_weights("has stride ", layout.strides[axis], " on axis ", axis,
                           ", which reaches out of its storage");
        }
    }
    return last;
}

void check_bounds(const TensorLayout& layout, std::int64_t count, std::int64_t stored) {
    const auto last = last_element(layout);
    if (layout.offset < 0 || last >= stored) {
        refuse_weights("reaches from element ", layout.offset, " to ", last, " of a storage that holds ", stored);
    }
    // Stride 0 makes any number of elements out of one; whoever copies such a tensor would pay for all of them.
    if (count > stored && count > kMostExpanded) {
        refuse_weights("claims ", count, " elements out of a storage that holds ", stored);
    }
}

void check_booleans(std::string_view bytes) {
    const auto wrong = bytes.find_first_not_of(std::string_view("\0\1", 2));
    if (wrong != std::string_view::npos) {
        refuse_weights("holds booleans, but one of them is ", static_cast<int>(bytes[wrong]), " (expected 0 or 1)");
    }
}

}  // namespace

std::int64_t element_count(const std::vector<std::int64_t>& sizes) {
    if (sizes.size() > kMostAxes) {
        refuse_weights("has ", sizes.size(), " axes, expected at most ", kMostAxes);
    }
    std::int64_t product = 1;  // zero sizes left out: strides are made of it too
    for (const auto size : sizes) {
        if (size < 0 || __builtin_mul_overflow(product, std::max<std::int64_t>(size, 1), &product) ||
            product > kMostElements) {
            refuse_weights("has an impossible shape: [", c10::Join(", ", sizes), "]");
        }
    }
    return std::find(sizes.begin(), sizes.end(), 0) == sizes.end() ? product : 0;
}

std::vector<std::int64_t> contiguous_strides(const std::vector<std::int64_t>& sizes) {
    std::vector<std::int64_t> strides(sizes.size(), 1);
    for (std::size_t axis = sizes.size(); axis > 1; --axis) {
        strides[axis - 2] = strides[axis - 1] * std::max<std::int64_t>(sizes[axis - 1], 1);
    }
    return strides;
}

Blob typed_storage(const Blob& bytes, at::ScalarType dtype) {
    if (dtype == at::kBool) {
        check_booleans(bytes.bytes);
    }
    if (reinterpret_cast<std::uintptr_t>(bytes.bytes.data()) % c10::elementSize(dtype) == 0) {
        return bytes;
    }
    const auto copy = at::empty({static_cast<std::int64_t>(bytes.bytes.size())}, at::kByte);
    auto* data = static_cast<char*>(copy.data_ptr());
    std::copy(bytes.bytes.begin(), bytes.bytes.end(), data);
    return {std::make_shared<at::Tensor>(copy), {data, bytes.bytes.size()}};
}

at::Tensor view_as_tensor(const Blob& storage, const TensorLayout& layout) {
    const auto count = element_count(layout.sizes);
    if (layout.strides.size() != layout.sizes.size()) {
        refuse_weights("has ", layout.sizes.size(), " sizes but ", layout.strides.size(), " strides");
    }
    if (count == 0) {
        return at::empty(layout.sizes, layout.dtype);
    }
    const auto element_size = c10::elementSize(layout.dtype);
    check_bounds(layout, count, static_cast<std::int64_t>(storage.bytes.size() / element_size));
    auto* data = const_cast<char*>(storage.bytes.data()) + layout.offset * static_cast<std::int64_t>(element_size);
    if (reinterpret_cast<std::uintptr_t>(data) % element_size != 0) {
        refuse_weights("begins at a byte where elements of ", element_size, " bytes cannot be");
    }
    if (storage.mapped) return ops::file_tensor(data, layout.sizes, layout.strides, layout.dtype, storage.owner);
    const auto keep_alive = [owner = storage.owner](void*) {};
    return at::from_blob(data, layout.sizes, layout.strides, keep_alive, at::TensorOptions(layout.dtype));
}

}  // namespace voldiff
