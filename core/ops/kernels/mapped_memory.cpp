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

std::size_t whole_huge_pages(std::size_t bytes) { return bytes / huge_page * huge_page; }

void unmap(const Mapping& mapping) {
    if (mapping.bytes > 0) munmap(mapping.data, mapping.bytes);
}

// Without the first `bytes`, a number of pages.
Mapping rest_of(const Mapping& mapping, std::size_t bytes) {
    return {pointer(address(mapping.data) + bytes), mapping.bytes - bytes};
}

void* map_pages(std::size_t bytes) {
    void* const data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) throw std::bad_alloc();
    return data;
}

Mapping map(std::size_t bytes) {
    if (bytes < huge_page) return {map_pages(bytes), bytes};
    const Mapping roomy{map_pages(bytes + huge_page), bytes + huge_page};
    const std::size_t before = round_up(address(roomy.data), huge_page) - address(roomy.data);
    const Mapping mapping{pointer(address(roomy.data) + before), bytes};
    unmap({roomy.data, before});
    unmap({pointer(address(mapping.data) + bytes), huge_page - before});
#ifdef MADV_HUGEPAGE
    madvise(mapping.data, whole_huge_pages(bytes), MADV_HUGEPAGE);  // a hint: failing is fine
#endif
    return mapping;
}

// False where the system cannot.
bool move_to(void* from, std::size_t bytes, void* to) {
#ifdef MREMAP_FIXED
    return mremap(from, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to) != MAP_FAILED;
#else
    static_cast<void>(from), static_cast<void>(bytes), static_cast<void>(to);
    return false;
#endif
}

// All mappings of the process: what is in use is counted, what waits is held.
class Mappings {
  public:
    Mapping take(std::size_t bytes) {
        const std::lock_guard<std::mutex> lock(mutex_);
        const auto fits = [bytes](const Mapping& m) { return m.bytes >= bytes && m.bytes <= bytes / 4 * 5; };
        const auto found = std::find_if(waiting_.begin(), waiting_.end(), fits);
        if (found == waiting_.end()) return made_of_waiting(fresh(bytes));
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
    void allow(std::size_t bytes) {
        const std::lock_guard<std::mutex> lock(mutex_);
        most_in_use_ = in_use_ + bytes;
        unmap_beyond(bytes);
    }

    std::size_t waiting() {
        const std::lock_guard<std::mutex> lock(mutex_);
        return waiting_bytes_;
    }

  private:
    // Address space; its pages come from the system when they are touched, so none are there yet.
    Mapping fresh(std::size_t bytes) {
        const Mapping mapping = map_or_free(round_up(bytes, static_cast<std::size_t>(sysconf(_SC_PAGESIZE))));
        in_use_ += mapping.bytes;
        return mapping;
    }
    // Under a limit of address space what waits is in the way of what is asked for.
    Mapping map_or_free(std::size_t bytes) {
        try {
            return map(bytes);
        } catch (const std::bad_alloc&) {
            if (waiting_.empty()) throw;
            unmap_beyond(0);
            return map(bytes);
        }
    }
    // Pages that wait move to the mapping, whatever pieces they were, first what has waited longest; only then may
    // others have to go.
    Mapping made_of_waiting(const Mapping& mapping) {
        std::size_t moved = 0;
        for (Mapping& waiting : waiting_) moved += move_pages(waiting, rest_of(mapping, moved));
        forget_empty();
        most_in_use_ = std::max(most_in_use_, in_use_);
        unmap_beyond(most_in_use_ - in_use_);
        return mapping;
    }
    // Whole huge pages of what waits to the beginning of `to`; how many bytes.
    std::size_t move_pages(Mapping& waiting, const Mapping& to) {
        const std::size_t bytes = whole_huge_pages(std::min(waiting.bytes, to.bytes));
        if (bytes == 0 || !move_to(waiting.data, bytes, to.data)) return 0;
        waiting = rest_of(waiting, bytes);
        waiting_bytes_ -= bytes;
        return bytes;
    }
    // What has waited longest goes first.
    void unmap_beyond(std::size_t bytes) {
        for (Mapping& waiting : waiting_) {
            if (waiting_bytes_ <= bytes) break;
            const std::size_t gone = std::min(round_up(waiting_bytes_ - bytes, huge_page), waiting.bytes);
            unmap({waiting.data, gone});
            waiting = rest_of(waiting, gone);
            waiting_bytes_ -= gone;
        }
        forget_empty();
    }
    void forget_empty() {
        const auto empty = [](const Mapping& mapping) { return mapping.bytes == 0; };
        waiting_.erase(std::remove_if(waiting_.begin(), waiting_.end(), empty), waiting_.end());
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

MappedMemory::MappedMemory(std::size_t bytes) {
    if (bytes > 0) mapping_ = mappings().take(bytes);
}

MappedMemory::~MappedMemory() {
    if (mapping_.data != nullptr) mappings().give(mapping_);
}

MappedMemory::MappedMemory(MappedMemory&& other) noexcept { *this = std::move(other); }

MappedMemory& MappedMemory::operator=(MappedMemory&& other) noexcept {
    std::swap(mapping_, other.mapping_);
    return *this;
}

void MappedMemory::shrink(std::size_t bytes) {
    if (mapping_.data == nullptr) return;
    const std::size_t kept = round_up(bytes, static_cast<std::size_t>(sysconf(_SC_PAGESIZE)));
    if (kept >= mapping_.bytes) return;
    // From the next huge page on it is a mapping of its own, which others can use.
    const std::size_t whole = std::min<std::size_t>(round_up(kept, huge_page), mapping_.bytes);
    unmap({rest_of(mapping_, kept).data, whole - kept});
    mappings().shrunk_by(whole - kept);
    if (whole < mapping_.bytes) mappings().give(rest_of(mapping_, whole));
    mapping_.bytes = kept;
}

MemoryReuse::MemoryReuse() { mappings().add_user(1); }
MemoryReuse::MemoryReuse(std::size_t bytes) : MemoryReuse() { mappings().allow(bytes); }
MemoryReuse::~MemoryReuse() { mappings().add_user(-1); }

void release_waiting_memory() { mappings().allow(0); }

std::size_t waiting_memory() { return mappings().waiting(); }

}  // namespace voldiff::ops
