// Work beside the main thread, one piece after the other: the writing of a volume while the next is computed.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace voldiff {

class Background {
  public:
    Background();
    ~Background();  // waits for what was handed over
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;

    // Hands over a piece, which must not throw; waits while the one before is not done, so that at most one waits in
    // memory.
    void put(std::function<void()> piece);
    void wait();

  private:
    void work();

    std::mutex mutex_;
    std::condition_variable changed_;
    std::function<void()> piece_;
    bool ended_ = false;
    std::thread thread_;
};

}  // namespace voldiff
