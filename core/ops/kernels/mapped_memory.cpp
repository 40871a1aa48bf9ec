#include "core/ops/kernels/mapped_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

namespace voldiff::ops {

namespace {

constexpr std::size_t huge_page = 2 << 20;

std::uintptr_t round_up(std::uintptr_t value, std::size_t unit) { return (value + unit - 1) / unit * unit; }
std::uintptr_t address(const void* p) { return reinterpret_cast<std::uintptr_t>(p); }
void* pointer(std::uintptr_t address) { return reinterpret_cast<void*>(address); }  // NOLINT: inside a mapping

void advise_huge_pages(const Mapping& mapping) {
#ifdef MADV_HUGEPAGE
    madvise(mapping.data, mapping.usable() / huge_page * huge_page, MADV_HUGEPAGE);  // a hint: failing is fine
#endif
}

Mapping map(std::size_t bytes) {
    Mapping mapping;
    mapping.bytes = bytes + (bytes >= huge_page ? huge_page : 0);  // pages that are not touched cost nothing
    mapping.start = mmap(nullptr, mapping.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping.start == MAP_FAILED) throw std::bad_alloc();
    mapping.data = bytes >= huge_page ? pointer(round_up(address(mapping.start), huge_page)) : mapping.start;
    advise_huge_pages(mapping);
    return mapping;
}

void unmap(const Mapping& mapping) { munmap(mapping.start, mapping.bytes); }

// All mappings of the process: what is in use is counted, what waits is held.
class Mappings {
  public:
    Mapping take(std::size_t bytes) {
        const std::lock_guard<std::mutex> lock(mutex_);
        const auto fits = [bytes](const Mapping& m) { return m.usable() >= bytes && m.usable() <= bytes / 4 * 5; };
        const auto found = std::find_if(waiting_.begin(), waiting_.end(), fits);
        if (found == waiting_.end()) return fresh(bytes);
        const Mapping mapping = *found;
        waiting_.erase(found);
        waiting_bytes_ -= mapping.bytes;
        in_use_ += mapping.bytes;
        return mapping;
    }
    void give(const Mapping& mapping) {
        const std::lock_guard<std::mutex> lock(mutex_);
        in_use_ -= mapping.bytes;
        waiting_.push_back(mapping);
        waiting_bytes_ += mapping.bytes;
        unmap_beyond(users_ > 0 ? most_in_use_ - in_use_ : 0);
    }
    void shrunk_by(std::size_t bytes) {
        const std::lock_guard<std::mutex> lock(mutex_);
        in_use_ -= bytes;
    }
    void add_user(int change) {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (users_ == 0) most_in_use_ = in_use_;
        users_ += change;
        if (users_ == 0) unmap_beyond(0);
    }

  private:
    Mapping fresh(std::size_t bytes) {
        most_in_use_ = std::max(most_in_use_, in_use_ + bytes);
        unmap_beyond(most_in_use_ - in_use_ - bytes);
        const Mapping mapping = map(bytes);
        in_use_ += mapping.bytes;
        most_in_use_ = std::max(most_in_use_, in_use_);
        return mapping;
    }
    // What has waited longest goes first.
    void unmap_beyond(std::size_t bytes) {
        auto end = waiting_.begin();
        for (; end != waiting_.end() && waiting_bytes_ > bytes; ++end) {
            waiting_bytes_ -= end->bytes;
            unmap(*end);
        }
        waiting_.erase(waiting_.begin(), end);
    }

    std::mutex mutex_;
    std::vector<Mapping> waiting_;
    std::size_t waiting_bytes_ = 0;
    std::size_t in_use_ = 0;
    std::size_t most_in_use_ = 0;  // since somebody reuses memory
    int users_ = 0;
};

// Never destroyed: at the end of the process threads and tensors still give memory back, in no order.
Mappings& mappings() {
    static Mappings& all = *std::make_unique<Mappings>().release();
    return all;
}

}  // namespace

std::size_t Mapping::usable() const { return bytes - (address(data) - address(start)); }

MappedMemory::MappedMemory(std::size_t bytes) {
    if (bytes > 0) mapping_ = mappings().take(bytes);
}

MappedMemory::~MappedMemory() {
    if (mapping_.start != nullptr) mappings().give(mapping_);
}

MappedMemory::MappedMemory(MappedMemory&& other) noexcept { *this = std::move(other); }

MappedMemory& MappedMemory::operator=(MappedMemory&& other) noexcept {
    std::swap(mapping_, other.mapping_);
    return *this;
}

void MappedMemory::shrink(std::size_t bytes) {
    if (mapping_.start == nullptr) return;
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::uintptr_t kept = round_up(address(mapping_.data) + bytes, page);
    const std::uintptr_t end = round_up(address(mapping_.start) + mapping_.bytes, page);
    if (kept >= end) return;
    munmap(pointer(kept), end - kept);
    const std::size_t left = kept - address(mapping_.start);
    mappings().shrunk_by(mapping_.bytes - left);
    mapping_.bytes = left;
}

MemoryReuse::MemoryReuse() { mappings().add_user(1); }
MemoryReuse::~MemoryReuse() { mappings().add_user(-1); }

}  // namespace voldiff::ops
