// Work shared by the cores.
#pragma once

#include <cstdint>
#include <functional>

namespace voldiff::ops {

// Threads that take part: LibTorch's number (at::set_num_threads).
std::int64_t worker_count();

// work(index, worker) for every index below `count`, in turns by whichever worker is free; worker < worker_count().
// Throws what `work` throws, the first of it. Within `work`, and while another thread is in here, on the caller alone.
void parallel_each(std::int64_t count, const std::function<void(std::int64_t, std::int64_t)>& work);

}  // namespace voldiff::ops
