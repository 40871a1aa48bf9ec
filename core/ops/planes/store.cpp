#include "core/ops/planes/store.h"

#include "core/ops/planes/lazy_planes.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <map>
#include <optional>
#include <utility>

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
    // Memory of a volume of these extents with at least so many channels, or none.
    std::optional<PlaneSlots> reusable(const std::array<std::int64_t, 3>& extents, std::int64_t channels) const {
        if (!all_lazy_inside()) return std::nullopt;
        for (const auto& [key, count] : counts_) {
            const PlaneVolume& volume = *count.volume;
            const bool ours = volume.is_stored() && count.inside == count.all;
            if (ours && volume.extents() == extents && volume.channels() >= channels) {
                return static_cast<const StoredPlanes&>(volume).slots();
            }
        }
        return std::nullopt;
    }

  private:
    struct Count {
        const PlaneVolume* volume = nullptr;
        long inside = 0;
        long all = 0;
    };
    std::map<const PlaneVolume*, Count> counts_;
};

PlaneSlots new_slots(const PlaneVolume& x) {
    return {std::make_shared<PlaneBuffer>(x.run(), static_cast<std::size_t>(x.size())), 0, x.plane_size()};
}

PlaneSlots slots_for(const Planes& x) {
    Holders holders;
    holders.add(x);
    const auto reusable = holders.reusable(x->extents(), x->channels());
    return reusable ? *reusable : new_slots(*x);
}

// Lets go of what x was made of.
std::shared_ptr<StoredPlanes> finished(Planes& x, PlaneSlots slots) {
    auto volume = std::make_shared<StoredPlanes>(x->run(), x->extents(), x->channels(), std::move(slots), x->moments());
    x = nullptr;
    return volume;
}

LazyPlanes& lazy(const Planes& x) { return static_cast<LazyPlanes&>(*x); }

// [1, C, D, H, W] with `axis` and the first of the three exchanged.
at::Tensor exchanged(const at::Tensor& x, std::int64_t axis) { return x.transpose(2, 2 + axis); }

// `count` planes of x from `first` on, `stride` floats apart, as a tensor [1, C, count, H, W].
at::Tensor planes_view(
    const PlaneVolume& x, const float* first, std::int64_t count, std::int64_t stride,
    const std::function<void(void*)>& free = [](void*) {}) {
    const auto& extents = x.extents();
    const std::int64_t row = extents[2] * x.channels();
    return at::from_blob(const_cast<float*>(first),  // NOLINT: a tensor has no const values
                         {1, x.channels(), count, extents[1], extents[2]},
                         {count * stride, 1, stride, row, x.channels()}, free);
}

}  // namespace

Planes stored(Planes x) {
    if (x->is_stored()) return x;
    PlaneSlots slots = slots_for(x);
    lazy(x).begin_into(x->run().new_pass(), slots);
    lazy(x).advance(x->extents()[0]);
    const auto volume = finished(x, std::move(slots));
    volume->compact();
    return volume;
}

void store_both(Planes& conv, Planes& map) {
    if (map->is_stored()) {
        conv = stored(std::move(conv));
        return;
    }
    Holders holders;
    holders.add(conv);
    holders.add(map);
    auto reusable = holders.reusable(conv->extents(), conv->channels() + map->channels());
    if (!lazy(conv).tells_before_writing()) reusable.reset();
    PlaneSlots of_map = reusable ? *reusable : new_slots(*map);
    PlaneSlots of_conv = reusable ? std::move(*reusable) : new_slots(*conv);
    if (reusable) of_conv.offset += map->plane_size();
    const std::int64_t pass = conv->run().new_pass();
    // Plane z of the source is read by the convolution, then by the map, which writes over what it has read from the
    // front on; then the convolution writes over the rest.
    lazy(conv).begin_into(pass, of_conv, [&map](std::int64_t end) { lazy(map).advance(end); });
    lazy(map).begin_into(pass, of_map);
    lazy(conv).advance(conv->extents()[0]);
    lazy(map).advance(map->extents()[0]);
    conv = finished(conv, std::move(of_conv));
    map = finished(map, std::move(of_map));
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
    const auto volume = empty_volume_of(run, {y.size(2), y.size(3), y.size(4)}, x.size(1));
    planes_view(*volume, volume->plane(0), y.size(2), volume->plane_size()).copy_(y);
    return volume;
}

at::Tensor to_tensor(Planes x) {
    const std::int64_t axis = x->run().axis();
    if (x->is_stored()) {
        if (x->run().rehearsal()) return {};
        const std::int64_t stride = static_cast<const StoredPlanes&>(*x).slots().stride;
        const auto keep = [x](void*) {};
        return exchanged(planes_view(*x, x->plane(0), x->extents()[0], stride, keep), axis);
    }
    const auto as_it_is = [](const at::Tensor& plane) { return plane; };
    const auto bytes_of_voxel = static_cast<std::size_t>(x->channels()) * sizeof(float);
    return to_mapped_tensor(std::move(x), as_it_is, bytes_of_voxel);
}

at::Tensor to_mapped_tensor(Planes x, const PlaneMap& map, std::size_t bytes_of_voxel) {
    const auto& extents = x->extents();
    const CountedBytes bytes(x->run(), static_cast<std::size_t>(x->size() / x->channels()) * bytes_of_voxel);
    at::Tensor y;
    for_each_plane(x, [&](std::int64_t z, const float* plane) {
        if (x->run().rehearsal()) return;
        const at::Tensor made = map(planes_view(*x, plane, 1, x->plane_size()));
        if (!y.defined()) {
            std::array<std::int64_t, 5> shape{1, made.size(1), extents[0], extents[1], extents[2]};
            std::swap(shape[2], shape[static_cast<std::size_t>(2 + x->run().axis())]);
            y = at::empty(shape, made.options());
        }
        exchanged(y, x->run().axis()).narrow(2, z, 1).copy_(made);
    });
    return y;
}

Planes empty_volume_of(PlaneRun& run, const std::array<std::int64_t, 3>& extents, std::int64_t channels) {
    const std::int64_t plane = extents[1] * extents[2] * channels;
    const auto buffer = std::make_shared<PlaneBuffer>(run, static_cast<std::size_t>(extents[0] * plane));
    return std::make_shared<StoredPlanes>(run, extents, channels, PlaneSlots{buffer, 0, plane});
}

}  // namespace voldiff::ops
