// Work for all threads of LibTorch (at::set_num_threads).
#pragma once

#include <cstdint>
#include <functional>

namespace voldiff::ops {

std::int64_t worker_count();

// Calls work(index, worker) for every index in [0, count). A thread takes the next index when it is free; `worker` in
// [0, worker_count()) tells the threads apart. Inside a parallel region it runs on the calling thread.
void parallel_each(std::int64_t count, const std::function<void(std::int64_t index, std::int64_t worker)>& work);

}  // namespace voldiff::ops
