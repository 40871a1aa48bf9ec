// What the volumes of one streamed computation share: how their memory and work are counted, and along which axis the
// planes lie.
#pragma once

#include "core/ops/kernels/buffer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

namespace voldiff::ops {

// A rehearsal goes through everything that a run would do, with neither numbers nor memory: what it counts is what the
// run will need.
class PlaneRun {
  public:
    // axis: of the tensors' three, the one along which the planes follow each other. progress: called now and then with
    // the work done so far; may throw to stop.
    explicit PlaneRun(std::int64_t axis, bool rehearsal = false, std::function<void(double work)> progress = {})
        : axis_(axis), rehearsal_(rehearsal), progress_(std::move(progress)) {}
    // Few planes in flight, rather than few products.
    void prefer_thin_steps(bool thin) { thin_steps_ = thin; }
    bool thin_steps() const { return thin_steps_; }
    PlaneRun(const PlaneRun&) = delete;
    PlaneRun& operator=(const PlaneRun&) = delete;

    std::int64_t axis() const { return axis_; }
    bool rehearsal() const { return rehearsal_; }
    std::int64_t new_pass() { return ++passes_; }

    void take(std::size_t bytes) { peak_ = std::max(peak_, held_ += bytes); }
    void give(std::size_t bytes) { held_ -= bytes; }
    // What the kernels keep for later ones.
    void take_scratch(std::size_t bytes) { scratch_ = std::max(scratch_, bytes); }
    std::size_t scratch_bytes() const { return scratch_; }
    std::size_t peak_bytes() const { return peak_ + scratch_; }

    void add_work(double work) {
        work_ += work;
        if (progress_) progress_(work_);
    }
    double work() const { return work_; }

  private:
    std::int64_t axis_;
    bool rehearsal_;
    bool thin_steps_ = false;
    std::function<void(double)> progress_;
    std::int64_t passes_ = 0;
    std::size_t held_ = 0;
    std::size_t peak_ = 0;
    std::size_t scratch_ = 0;
    double work_ = 0;
};

// Bytes that a run counts while this exists.
class CountedBytes {
  public:
    CountedBytes(PlaneRun& run, std::size_t bytes) : run_(&run), bytes_(bytes) { run.take(bytes); }
    ~CountedBytes() { change_to(0); }
    CountedBytes(const CountedBytes&) = delete;
    CountedBytes& operator=(const CountedBytes&) = delete;
    void change_to(std::size_t bytes) {
        run_->give(bytes_);
        run_->take(bytes_ = bytes);
    }

  private:
    PlaneRun* run_;
    std::size_t bytes_;
};

// Floats whose end can be given back to the system; none in a rehearsal.
class PlaneBuffer {
  public:
    PlaneBuffer(PlaneRun& run, std::size_t size)
        : counted_(run, size * sizeof(float)), memory_(run.rehearsal() ? 0 : size * sizeof(float)) {}

    float* data() const { return static_cast<float*>(memory_.data()); }
    void shrink(std::size_t size) {
        counted_.change_to(size * sizeof(float));
        memory_.shrink(size * sizeof(float));
    }

  private:
    CountedBytes counted_;
    MappedMemory memory_;
};

}  // namespace voldiff::ops
