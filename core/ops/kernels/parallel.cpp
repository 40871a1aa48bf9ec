// Compiled with OpenMP, without which at::parallel_for is a plain loop in its caller; hence in a file of its own.
#include "core/ops/kernels/parallel.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>

namespace voldiff::ops {

std::int64_t worker_count() { return std::max(1, at::get_num_threads()); }

void parallel_each(std::int64_t count, const std::function<void(std::int64_t, std::int64_t)>& work) {
    std::atomic<std::int64_t> next{0};
    const auto take_turns = [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t worker = begin; worker < end; ++worker) {
            for (std::int64_t index = next++; index < count; index = next++) work(index, worker);
        }
    };
    at::parallel_for(0, std::min(worker_count(), count), 1, take_turns);
}

}  // namespace voldiff::ops
