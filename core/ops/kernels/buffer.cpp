#include "core/ops/kernels/buffer.h"

#include <sys/mman.h>

#include <memory>
#include <new>

namespace voldiff::ops {

namespace {

constexpr std::size_t cache_line = 64;
constexpr std::size_t huge_page = 2 << 20;

}  // namespace

void advise_huge_pages(void* data, std::size_t bytes) {
#ifdef MADV_HUGEPAGE
    void* begin = data;
    std::size_t room = bytes;
    if (std::align(huge_page, huge_page, begin, room) == nullptr) return;
    madvise(begin, room / huge_page * huge_page, MADV_HUGEPAGE);  // no more than a hint: failing is fine
#endif
}

Buffer::Buffer(std::size_t size) : size_(size) {
    if (size == 0) return;
    const std::size_t alignment = size * sizeof(float) >= huge_page ? huge_page : cache_line;
    const std::size_t bytes = (size * sizeof(float) + alignment - 1) / alignment * alignment;
    data_.reset(static_cast<float*>(std::aligned_alloc(alignment, bytes)));
    if (!data_) throw std::bad_alloc();
    advise_huge_pages(data_.get(), bytes);
}

float* Buffer::at_least(std::size_t size) {
    if (size > size_) {
        *this = Buffer();  // before the new one, or both stand at once
        *this = Buffer(size);
    }
    return data();
}

}  // namespace voldiff::ops
