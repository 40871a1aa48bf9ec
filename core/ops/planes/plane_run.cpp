#include "core/ops/planes/plane_run.h"

#include <sys/mman.h>
#include <unistd.h>

#include <new>

namespace voldiff::ops {

namespace {

constexpr std::size_t huge_page = 2 << 20;

std::uintptr_t round_up(std::uintptr_t value, std::size_t unit) { return (value + unit - 1) / unit * unit; }

}  // namespace

// Mapped from the system, so that it goes back to it at once; on huge pages where it fills some.
PlaneBuffer::PlaneBuffer(PlaneRun& run, std::size_t size) : counted_(run, size * sizeof(float)) {
    if (run.rehearsal() || size == 0) return;
    const std::size_t bytes = size * sizeof(float);
    mapped_bytes_ = bytes + (bytes >= huge_page ? huge_page : 0);  // pages that are not touched cost nothing
    mapped_ = mmap(nullptr, mapped_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped_ == MAP_FAILED) throw std::bad_alloc();
    auto address = reinterpret_cast<std::uintptr_t>(mapped_);
    if (bytes >= huge_page) address = round_up(address, huge_page);
    data_ = reinterpret_cast<float*>(address);  // NOLINT: an address that mmap gave, aligned
#ifdef MADV_HUGEPAGE
    if (bytes >= huge_page) madvise(data_, bytes / huge_page * huge_page, MADV_HUGEPAGE);
#endif
}

PlaneBuffer::~PlaneBuffer() {
    if (mapped_ != nullptr) munmap(mapped_, mapped_bytes_);
}

void PlaneBuffer::shrink(std::size_t size) {
    counted_.change_to(size * sizeof(float));
    if (data_ == nullptr) return;
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::uintptr_t kept = round_up(reinterpret_cast<std::uintptr_t>(data_ + size), page);
    const std::uintptr_t end = round_up(reinterpret_cast<std::uintptr_t>(mapped_) + mapped_bytes_, page);
    if (kept >= end) return;
    munmap(reinterpret_cast<void*>(kept), end - kept);  // NOLINT: a part of the mapping
    mapped_bytes_ = kept - reinterpret_cast<std::uintptr_t>(mapped_);
}

}  // namespace voldiff::ops
