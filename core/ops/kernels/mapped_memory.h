// Memory right from the system, in large pieces.
#pragma once

#include <cstddef>

namespace voldiff::ops {

// Pages that the system has given; from 2 MB on they begin with a huge page.
struct Mapping {
    void* data = nullptr;
    std::size_t bytes = 0;
};

// Not initialised, on huge pages where the system gives them: a page fault for each 4 KB costs as much as some kernels.
// It goes back at once, where malloc would keep it. Throws std::bad_alloc.
class MappedMemory {
  public:
    MappedMemory() = default;
    explicit MappedMemory(std::size_t bytes);
    ~MappedMemory();
    MappedMemory(MappedMemory&& other) noexcept;
    MappedMemory& operator=(MappedMemory&& other) noexcept;

    void* data() const { return mapping_.data; }
    // Gives back all but the first `bytes`.
    void shrink(std::size_t bytes);

  private:
    Mapping mapping_;
};

// While one exists, memory that is given back waits for the next that asks for some: a page fresh from the system costs
// more than what is computed on it. All together is never more than what was in use at some time since then.
class MemoryReuse {
  public:
    MemoryReuse();
    // What waits and what is taken from now on is at most `bytes`, unless more is asked for.
    explicit MemoryReuse(std::size_t bytes);
    ~MemoryReuse();
    MemoryReuse(const MemoryReuse&) = delete;
    MemoryReuse& operator=(const MemoryReuse&) = delete;
};

// What waits goes back to the system now.
void release_waiting_memory();

// Bytes that wait.
std::size_t waiting_memory();

}  // namespace voldiff::ops
