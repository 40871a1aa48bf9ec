// Aligned memory that the kernels work in.
#pragma once

#include "core/ops/kernels/mapped_memory.h"

#include <cstddef>
#include <cstdlib>
#include <memory>

namespace voldiff::ops {

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
