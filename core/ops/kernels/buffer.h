// Aligned memory that the kernels work in.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

namespace voldiff::ops {

// Asks the system for huge pages under fresh memory: a page fault for each 4 KB costs as much as some kernels.
void advise_huge_pages(void* data, std::size_t bytes);

// Memory right from the system, on huge pages where it gives them. It goes back at once, where malloc would keep it.
class MappedMemory {
  public:
    MappedMemory() = default;
    explicit MappedMemory(std::size_t bytes);
    ~MappedMemory();
    MappedMemory(MappedMemory&& other) noexcept;
    MappedMemory& operator=(MappedMemory&& other) noexcept;

    void* data() const { return data_; }
    // Gives back all but the first `bytes`.
    void shrink(std::size_t bytes);

  private:
    void* start_ = nullptr;  // of the mapping
    std::size_t mapped_bytes_ = 0;
    void* data_ = nullptr;  // where its first huge page begins
};

// Floats on a cache line; not initialised.
class Buffer {
  public:
    Buffer() = default;
    explicit Buffer(std::size_t size);

    // Makes room for `size` floats; what was there is lost where it has to grow.
    float* at_least(std::size_t size);
    float* data() const { return large_.data() != nullptr ? static_cast<float*>(large_.data()) : small_.get(); }
    std::size_t size() const { return size_; }

  private:
    struct Free {
        void operator()(float* data) const { std::free(data); }  // NOLINT: from aligned_alloc
    };
    std::unique_ptr<float, Free> small_;
    MappedMemory large_;
    std::size_t size_ = 0;
};

}  // namespace voldiff::ops
