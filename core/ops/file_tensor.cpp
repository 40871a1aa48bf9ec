#include "core/ops/file_tensor.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace voldiff::ops {

namespace {

using Owner = std::shared_ptr<const void>;

// Also tells these tensors from all others.
void release_owner(void* owner) { delete static_cast<Owner*>(owner); }  // NOLINT: LibTorch wants a plain function

}  // namespace

at::Tensor file_tensor(const void* data, at::IntArrayRef sizes, at::IntArrayRef strides, at::ScalarType type,
                       std::shared_ptr<const void> owner) {
    return at::for_blob(const_cast<void*>(data), sizes)
        .strides(strides)
        .context(new Owner(std::move(owner)), release_owner)  // NOLINT: see above
        .options(at::TensorOptions(type))
        .make_tensor();
}

void forget_pages(const at::Tensor& tensor) {
    if (!tensor.defined() || !tensor.has_storage() || !tensor.is_contiguous()) return;
    if (tensor.storage().data_ptr().get_deleter() != &release_owner) return;
    const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    const auto data = reinterpret_cast<std::uintptr_t>(tensor.data_ptr());
    const std::uintptr_t begin = (data + page - 1) / page * page;
    const std::uintptr_t end = (data + tensor.nbytes()) / page * page;
    if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);  // NOLINT: of the mapping
}

}  // namespace voldiff::ops
