// Aligned memory that the kernels work in.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

namespace voldiff::ops {

// Asks the system for huge pages under fresh memory: a page fault for each 4 KB costs as much as some kernels.
void advise_huge_pages(void* data, std::size_t bytes);

// Floats on a cache line, on huge pages where the system gives them; not initialised.
class Buffer {
  public:
    Buffer() = default;
    explicit Buffer(std::size_t size);

    // Makes room for `size` floats; what was there is lost where it has to grow.
    float* at_least(std::size_t size);
    float* data() const { return data_.get(); }
    std::size_t size() const { return size_; }

  private:
    struct Free {
        void operator()(float* data) const { std::free(data); }  // NOLINT: from aligned_alloc
    };
    std::unique_ptr<float, Free> data_;
    std::size_t size_ = 0;
};

}  // namespace voldiff::ops
