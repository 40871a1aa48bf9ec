// LibTorch's number of threads, as it was when this was made, comes back with its end.
#pragma once

#include <ATen/Parallel.h>

namespace voldiff {

class KeptThreads {
  public:
    KeptThreads() = default;
    ~KeptThreads() { at::set_num_threads(before_); }
    KeptThreads(const KeptThreads&) = delete;
    KeptThreads& operator=(const KeptThreads&) = delete;

  private:
    int before_ = at::get_num_threads();
};

}  // namespace voldiff
