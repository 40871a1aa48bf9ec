#include "core/ops/kernels/buffer.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <new>
#include <utility>

namespace voldiff::ops {

namespace {

constexpr std::size_t cache_line = 64;
constexpr std::size_t huge_page = 2 << 20;
constexpr std::size_t large = 1 << 20;  // from here on from the system

std::uintptr_t round_up(std::uintptr_t value, std::size_t unit) { return (value + unit - 1) / unit * unit; }
std::uintptr_t address(const void* p) { return reinterpret_cast<std::uintptr_t>(p); }
void* pointer(std::uintptr_t address) { return reinterpret_cast<void*>(address); }  // NOLINT: inside a mapping

}  // namespace

void advise_huge_pages(void* data, std::size_t bytes) {
#ifdef MADV_HUGEPAGE
    void* begin = data;
    std::size_t room = bytes;
    if (std::align(huge_page, huge_page, begin, room) == nullptr) return;
    madvise(begin, room / huge_page * huge_page, MADV_HUGEPAGE);  // no more than a hint: failing is fine
#endif
}

MappedMemory::MappedMemory(std::size_t bytes) {
    if (bytes == 0) return;
    mapped_bytes_ = bytes + (bytes >= huge_page ? huge_page : 0);  // pages that are not touched cost nothing
    start_ = mmap(nullptr, mapped_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start_ == MAP_FAILED) throw std::bad_alloc();
    data_ = bytes >= huge_page ? pointer(round_up(address(start_), huge_page)) : start_;
    advise_huge_pages(data_, bytes);
}

MappedMemory::~MappedMemory() {
    if (start_ != nullptr) munmap(start_, mapped_bytes_);
}

MappedMemory::MappedMemory(MappedMemory&& other) noexcept { *this = std::move(other); }

MappedMemory& MappedMemory::operator=(MappedMemory&& other) noexcept {
    std::swap(start_, other.start_);
    std::swap(mapped_bytes_, other.mapped_bytes_);
    std::swap(data_, other.data_);
    return *this;
}

void MappedMemory::shrink(std::size_t bytes) {
    if (start_ == nullptr) return;
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::uintptr_t kept = round_up(address(data_) + bytes, page);
    const std::uintptr_t end = round_up(address(start_) + mapped_bytes_, page);
    if (kept >= end) return;
    munmap(pointer(kept), end - kept);
    mapped_bytes_ = kept - address(start_);
}

Buffer::Buffer(std::size_t size) : size_(size) {
    const std::size_t bytes = round_up(size * sizeof(float), cache_line);
    if (bytes >= large) {
        large_ = MappedMemory(bytes);
    } else if (bytes > 0) {
        small_.reset(static_cast<float*>(std::aligned_alloc(cache_line, bytes)));
        if (!small_) throw std::bad_alloc();
    }
}

float* Buffer::at_least(std::size_t size) {
    if (size > size_) {
        *this = Buffer();  // before the new one, or both stand at once
        *this = Buffer(size);
    }
    return data();
}

}  // namespace voldiff::ops
