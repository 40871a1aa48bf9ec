#include "core/ops/planes/lazy_planes.h"

#include "core/error.h"

#include <algorithm>

namespace voldiff::ops {

void LazyPlanes::start_pass(std::int64_t pass) {
    pass_ = pass;
    made_ = 0;
    readers_.clear();
    target_ = {};
    before_writing_ = {};
    for (auto& plane : kept_) spare_.push_back(std::move(plane));
    kept_.clear();
    first_kept_ = 0;
    if (!moments_known_) moments_ = ChannelMoments(static_cast<std::size_t>(channels()));
    start(pass);
}

void LazyPlanes::begin(std::int64_t pass, const PlaneReader& reader) {
    if (pass != pass_) start_pass(pass);
    readers_.push_back(&reader);
}

void LazyPlanes::begin_into(std::int64_t pass, PlaneSlots target, BeforeWriting before_writing) {
    start_pass(pass);
    spare_.clear();
    target_ = std::move(target);
    before_writing_ = std::move(before_writing);
}

void LazyPlanes::leave(const PlaneReader& reader) {
    readers_.erase(std::remove(readers_.begin(), readers_.end(), &reader), readers_.end());
}

void LazyPlanes::drop_what_nobody_needs() {
    std::int64_t needed = made_;
    for (const PlaneReader* reader : readers_) needed = std::min(needed, reader->first_needed());
    for (; first_kept_ < needed; ++first_kept_) {
        spare_.push_back(std::move(kept_.front()));
        kept_.pop_front();
    }
}

void LazyPlanes::make_room(std::int64_t planes) {
    if (target_.buffer) return;
    drop_what_nobody_needs();
    for (std::int64_t i = 0; i < planes; ++i) {
        if (spare_.empty()) spare_.push_back(std::make_unique<PlaneBuffer>(run(), plane_size()));
        kept_.push_back(std::move(spare_.back()));
        spare_.pop_back();
    }
}

void LazyPlanes::ensure(std::int64_t end) {
    end = std::min(end, extents()[0]);
    while (made_ < end) {
        const std::int64_t planes = next_planes();
        make_room(planes);
        make(made_);
        made_ += planes;
        if (made_ < extents()[0]) continue;
        moments_known_ = true;
        finish();
    }
}

float* LazyPlanes::output(std::int64_t z) const {
    if (target_.buffer) return target_.plane(z);
    return kept_[static_cast<std::size_t>(z - first_kept_)]->data();
}

const float* LazyPlanes::plane(std::int64_t z) const {
    if (z >= first_kept_ && z < made_ && !target_.buffer) return output(z);
    throw Error(ErrorCode::internal, "streamed volume: plane " + std::to_string(z) + " is read, those from " +
                                         std::to_string(first_kept_) + " to " + std::to_string(made_) + " are there");
}

const ChannelMoments& LazyPlanes::moments() {
    if (!moments_known_) {
        start_pass(run().new_pass());
        ensure(extents()[0]);
    }
    return moments_;
}

}  // namespace voldiff::ops
