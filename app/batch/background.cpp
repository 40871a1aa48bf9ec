#include "app/batch/background.h"

namespace voldiff {

Background::Background() {
    thread_ = std::thread([this] { work(); });
}

Background::~Background() {
    wait();
    {
        const std::lock_guard<std::mutex> guard(mutex_);
        ended_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void Background::put(std::function<void()> piece) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return !piece_; });
    piece_ = std::move(piece);
    changed_.notify_all();
}

void Background::wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return !piece_; });
}

// A piece stays in its place until it is done, and what it holds is freed before the next one comes.
void Background::work() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
        changed_.wait(lock, [this] { return piece_ || ended_; });
        if (!piece_) return;
        lock.unlock();
        piece_();
        lock.lock();
        piece_ = nullptr;
        changed_.notify_all();
    }
}

}  // namespace voldiff
