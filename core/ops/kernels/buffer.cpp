#include "core/ops/kernels/buffer.h"

#include <new>

namespace voldiff::ops {

namespace {

constexpr std::size_t cache_line = 64;
constexpr std::size_t large = 1 << 20;  // from here on from the system

}  // namespace

Buffer::Buffer(std::size_t size) : size_(size) {
    const std::size_t bytes = (size * sizeof(float) + cache_line - 1) / cache_line * cache_line;
    if (bytes >= large) {
        large_ = MappedMemory(bytes);
    } else if (bytes > 0) {
        small_.reset(static_cast<float*>(std::aligned_alloc(cache_line, bytes)));  // NOLINT: owned by small_
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
