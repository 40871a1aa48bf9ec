// Channels-last float32 volumes [D, H, W, C] whose planes are asked for in ascending order, so that the whole need not
// exist: it is made plane by plane when it is read, and made again when it is read once more.
#pragma once

#include "core/ops/kernels/channel_moments.h"
#include "core/ops/planes/plane_run.h"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>

namespace voldiff::ops {

class PlaneReader;
class PlaneVolume;
using Planes = std::shared_ptr<PlaneVolume>;

class PlaneVolume {
  public:
    PlaneVolume(PlaneRun& run, const std::array<std::int64_t, 3>& extents, std::int64_t channels)
        : run_(run), extents_(extents), channels_(channels) {}
    virtual ~PlaneVolume() = default;
    PlaneVolume(const PlaneVolume&) = delete;
    PlaneVolume& operator=(const PlaneVolume&) = delete;

    PlaneRun& run() const { return run_; }
    const std::array<std::int64_t, 3>& extents() const { return extents_; }  // z y x; z counts planes
    std::int64_t channels() const { return channels_; }
    // Floats of a plane and of all of them.
    std::int64_t plane_size() const { return extents_[1] * extents_[2] * channels_; }
    std::int64_t size() const { return extents_[0] * plane_size(); }

    // Whether all planes are there.
    virtual bool is_stored() const = 0;
    // Of every channel over the whole volume; goes through all planes where that is not known yet.
    virtual const ChannelMoments& moments() = 0;
    // Plane z [H, W, C], which has been asked for and is still needed by a reader. Throws Error(internal) for another.
    // Null in a rehearsal.
    virtual const float* plane(std::int64_t z) const = 0;
    // Calls visit with each volume that this one is made of.
    virtual void visit_sources(const std::function<void(const Planes&)>&) const {}

  protected:
    friend class PlaneReader;
    // A reader begins; the first one of a pass starts it.
    virtual void begin(std::int64_t pass, const PlaneReader& reader) = 0;
    virtual void ensure(std::int64_t end) = 0;
    virtual void leave(const PlaneReader& reader) = 0;

  private:
    PlaneRun& run_;
    std::array<std::int64_t, 3> extents_;
    std::int64_t channels_;
};

// Goes through a volume once a pass.
class PlaneReader {
  public:
    explicit PlaneReader(Planes source) : source_(std::move(source)) {}
    ~PlaneReader() { source_->leave(*this); }
    PlaneReader(const PlaneReader&) = delete;
    PlaneReader& operator=(const PlaneReader&) = delete;

    const Planes& source() const { return source_; }
    const float* plane(std::int64_t z) const { return source_->plane(z); }
    void begin(std::int64_t pass) {
        first_needed_ = 0;
        source_->begin(pass, *this);
    }
    // Makes the planes before `end`.
    void ensure(std::int64_t end) { source_->ensure(end); }
    // Those before `end` are not needed any more in this pass.
    void release(std::int64_t end) { first_needed_ = end; }
    std::int64_t first_needed() const { return first_needed_; }

  private:
    Planes source_;
    std::int64_t first_needed_ = 0;
};

// Where the planes of a volume lie: plane z begins at offset + z stride. Volumes may share a buffer.
struct PlaneSlots {
    std::shared_ptr<PlaneBuffer> buffer;
    std::int64_t offset = 0;
    std::int64_t stride = 0;

    float* plane(std::int64_t z) const {
        return buffer->data() == nullptr ? nullptr : buffer->data() + offset + z * stride;
    }
};

// A volume in memory.
class StoredPlanes : public PlaneVolume {
  public:
    StoredPlanes(PlaneRun& run, const std::array<std::int64_t, 3>& extents, std::int64_t channels, PlaneSlots slots,
                 ChannelMoments moments = ChannelMoments())
        : PlaneVolume(run, extents, channels), slots_(std::move(slots)), moments_(std::move(moments)) {}

    bool is_stored() const override { return true; }
    const ChannelMoments& moments() override;
    const float* plane(std::int64_t z) const override { return slots_.plane(z); }
    const PlaneSlots& slots() const { return slots_; }
    // Moves the planes together and gives the rest of the buffer back, if nobody else has a part of it.
    void compact();

  protected:
    void begin(std::int64_t, const PlaneReader&) override {}
    void ensure(std::int64_t) override {}
    void leave(const PlaneReader&) override {}

  private:
    PlaneSlots slots_;
    ChannelMoments moments_;
};

}  // namespace voldiff::ops
