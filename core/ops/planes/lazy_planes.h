// Volumes that are made while they are read.
#pragma once

#include "core/ops/planes/planes.h"

#include <deque>
#include <memory>
#include <vector>

namespace voldiff::ops {

// Keeps the planes from the first that a reader still needs to the last one made. A derived class makes them.
class LazyPlanes : public PlaneVolume {
  public:
    using PlaneVolume::PlaneVolume;

    bool is_stored() const override { return false; }
    const ChannelMoments& moments() override;
    const float* plane(std::int64_t z) const override;

    using BeforeWriting = std::function<void(std::int64_t end)>;
    // Starts a pass whose planes go to `target`; nobody else may read them. `before_writing` is called when what the
    // planes before `end` are made of has been read, and before they are written: see `tells_before_writing`.
    void begin_into(std::int64_t pass, PlaneSlots target, BeforeWriting before_writing = {});
    // Makes the next planes of such a pass, up to `end`.
    void advance(std::int64_t end) { ensure(end); }
    virtual bool tells_before_writing() const { return false; }
    std::int64_t planes_made() const { return made_; }

  protected:
    void begin(std::int64_t pass, const PlaneReader& reader) override;
    void ensure(std::int64_t end) override;
    void leave(const PlaneReader& reader) override;

    // Starts the readers of the sources.
    virtual void start(std::int64_t pass) = 0;
    // How many planes `make` makes next.
    virtual std::int64_t next_planes() const = 0;
    // Makes planes [first, first + next_planes()) where `output` says, and lets go of what they were made of.
    virtual void make(std::int64_t first) = 0;
    // All planes are made.
    virtual void finish() {}
    float* output(std::int64_t z) const;
    void about_to_write(std::int64_t end) const {
        if (before_writing_) before_writing_(end);
    }
    // Where to gather the moments of the output; null where they are known.
    ChannelMoments* gathered() { return moments_known_ || run().rehearsal() ? nullptr : &moments_; }

  private:
    void start_pass(std::int64_t pass);
    void drop_what_nobody_needs();
    void make_room(std::int64_t planes);

    std::int64_t pass_ = 0;
    std::int64_t made_ = 0;
    std::int64_t first_kept_ = 0;
    std::deque<std::unique_ptr<PlaneBuffer>> kept_;
    std::vector<std::unique_ptr<PlaneBuffer>> spare_;
    std::vector<const PlaneReader*> readers_;
    PlaneSlots target_;  // without a buffer: none
    BeforeWriting before_writing_;
    ChannelMoments moments_;
    bool moments_known_ = false;
};

}  // namespace voldiff::ops
