#include "core/ops/planes/store.h"

#include "core/ops/planes/lazy_planes.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <map>

namespace voldiff::ops {

namespace {

// How often each volume is held by the others of a graph and by `held_outside` of the caller's.
class Holders {
  public:
    void add(const Planes& x) {
        if (++counts_[&*x].inside > 1) return;
        counts_[&*x].volume = &*x;
        counts_[&*x].all = x.use_count();
        x->visit_sources([this](const Planes& source) { add(source); });
    }
    // Whether nobody outside could still read one of the volumes that are made of others.
    bool all_lazy_inside() const {
        for (const auto& [key, count] : counts_) {
            if (!count.volume->is_stored() && count.inside != count.all) return false;
        }
        return true;
    }
    // Memory for a volume like `wanted`, or null.
    std::shared_ptr<PlaneBuffer> reusable(const PlaneVolume& wanted) const {
        if (!all_lazy_inside()) return nullptr;
        for (const auto& [key, count] : counts_) {
            const PlaneVolume& volume = *count.volume;
            const bool ours = volume.is_stored() && count.inside == count.all;
            if (ours && volume.extents() == wanted.extents() && volume.channels() >= wanted.channels()) {
                return static_cast<const StoredPlanes&>(volume).buffer();
            }
        }
        return nullptr;
    }

  private:
    struct Count {
        const PlaneVolume* volume = nullptr;
        long inside = 0;
        long all = 0;
    };
    std::map<const PlaneVolume*, Count> counts_;
};

std::shared_ptr<PlaneBuffer> new_buffer(const PlaneVolume& x) {
    return std::make_shared<PlaneBuffer>(x.run(), static_cast<std::size_t>(x.size()));
}

// Lets go of what x was made of.
Planes finished(Planes& x, std::shared_ptr<PlaneBuffer> buffer) {
    auto volume = std::make_shared<StoredPlanes>(x->run(), x->extents(), x->channels(), std::move(buffer), x->moments());
    x = nullptr;
    volume->buffer()->shrink(static_cast<std::size_t>(volume->size()));
    return volume;
}

LazyPlanes& lazy(const Planes& x) { return static_cast<LazyPlanes&>(*x); }

// [1, C, D, H, W] with `axis` and the first of the three exchanged.
at::Tensor exchanged(const at::Tensor& x, std::int64_t axis) { return x.transpose(2, 2 + axis); }

// Planes [begin, begin + count) as a tensor [1, C, count, H, W].
at::Tensor planes_view(const PlaneVolume& x, const float* first, std::int64_t count,
                       const std::function<void(void*)>& free = [](void*) {}) {
    const auto& extents = x.extents();
    const at::Tensor view = at::from_blob(const_cast<float*>(first),  // NOLINT: a tensor has no const values
                                          {1, count, extents[1], extents[2], x.channels()}, free);
    return view.permute({0, 4, 1, 2, 3});
}

}  // namespace

Planes stored(Planes x) {
    if (x->is_stored()) return x;
    Holders holders;
    holders.add(x);
    std::shared_ptr<PlaneBuffer> buffer = holders.reusable(*x);
    if (!buffer) buffer = new_buffer(*x);
    lazy(x).begin_into(x->run().new_pass(), *buffer);
    lazy(x).advance(x->extents()[0]);
    return finished(x, std::move(buffer));
}

void store_both(Planes& ahead, Planes& behind) {
    if (behind->is_stored()) {
        ahead = stored(std::move(ahead));
        return;
    }
    Holders holders;
    holders.add(ahead);
    holders.add(behind);
    std::shared_ptr<PlaneBuffer> of_ahead = new_buffer(*ahead);
    std::shared_ptr<PlaneBuffer> of_behind = holders.reusable(*behind);
    if (!of_behind) of_behind = new_buffer(*behind);
    const std::int64_t pass = ahead->run().new_pass();
    lazy(ahead).begin_into(pass, *of_ahead);
    lazy(behind).begin_into(pass, *of_behind);
    while (lazy(ahead).planes_made() < ahead->extents()[0]) {
        lazy(ahead).advance(lazy(ahead).planes_made() + 1);
        lazy(behind).advance(lazy(ahead).planes_made());
    }
    ahead = finished(ahead, std::move(of_ahead));
    behind = finished(behind, std::move(of_behind));
}

void for_each_plane(const Planes& x, const std::function<void(std::int64_t, const float*)>& take) {
    PlaneReader reader(x);
    reader.begin(x->run().new_pass());
    for (std::int64_t z = 0; z < x->extents()[0]; ++z) {
        reader.ensure(z + 1);
        take(z, reader.plane(z));
        reader.release(z + 1);
    }
}

Planes from_tensor(PlaneRun& run, const at::Tensor& x) {
    const at::Tensor y = exchanged(x, run.axis());
    const std::array<std::int64_t, 3> extents{y.size(2), y.size(3), y.size(4)};
    const auto buffer = std::make_shared<PlaneBuffer>(run, static_cast<std::size_t>(x.numel()));
    const auto volume = std::make_shared<StoredPlanes>(run, extents, x.size(1), buffer);
    planes_view(*volume, buffer->data(), extents[0]).copy_(y);
    return volume;
}

at::Tensor to_tensor(Planes x) {
    const std::int64_t axis = x->run().axis();
    if (x->is_stored()) {
        if (x->run().rehearsal()) return {};
        const auto keep = [x](void*) {};
        return exchanged(planes_view(*x, x->plane(0), x->extents()[0], keep), axis);
    }
    const auto& extents = x->extents();
    at::Tensor y;
    if (!x->run().rehearsal()) {
        std::array<std::int64_t, 5> shape{1, x->channels(), extents[0], extents[1], extents[2]};
        std::swap(shape[2], shape[static_cast<std::size_t>(2 + axis)]);
        y = at::empty(shape);
    }
    const CountedBytes bytes(x->run(), static_cast<std::size_t>(x->size()) * sizeof(float));
    for_each_plane(x, [&](std::int64_t z, const float* plane) {
        if (y.defined()) exchanged(y, axis).narrow(2, z, 1).copy_(planes_view(*x, plane, 1));
    });
    return y;
}

Planes rehearsed_volume(PlaneRun& run, const std::array<std::int64_t, 3>& extents, std::int64_t channels) {
    const auto size = static_cast<std::size_t>(extents[0] * extents[1] * extents[2] * channels);
    return std::make_shared<StoredPlanes>(run, extents, channels, std::make_shared<PlaneBuffer>(run, size));
}

}  // namespace voldiff::ops
