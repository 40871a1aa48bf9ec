#include "core/ops/planes/plane_conv_layer.h"

#include "core/ops/conv_policy.h"
#include "core/ops/kernels/volume_rows.h"

#include <ATen/core/Tensor.h>

#include <algorithm>

namespace voldiff::ops {

namespace {

using PlaneExtents = std::array<std::int64_t, 3>;

PlaneExtents times(const PlaneExtents& e, std::int64_t factor) { return {factor * e[0], factor * e[1], factor * e[2]}; }

PlaneExtents output_extents(const PlaneVolume& source, Upsampling kind) {
    return times(source.extents(), kind == Upsampling::none ? 1 : 2);
}

// Planes follow each other along `axis` of the weights' three.
std::shared_ptr<const PackedConv> pack(const PlaneVolume& source, const ConvParameters& conv, Upsampling upsampling) {
    const std::int64_t outputs = conv.weight.size(0);
    ConvShape conv_shape{source.channels(), outputs, output_extents(source, upsampling), upsampling, {}};
    conv_shape.stays_packed = false;
    if (source.run().thin_steps()) conv_shape.most_planes = 2;
    const ConvVariant variant = choose_conv(conv_shape).value_or(ConvVariant::direct);
    const PlaneRun& run = source.run();
    if (run.rehearsal()) {
        PackedConv shape{
            variant, static_cast<std::size_t>(source.channels()), static_cast<std::size_t>(outputs), {}, {}};
        return std::make_shared<PackedConv>(std::move(shape));
    }
    if (run.axis() == 0 && conv.packed != nullptr) {
        const auto packed = conv.packed->packed_variants(conv.weight, conv.bias);
        const bool has = std::find(packed.begin(), packed.end(), variant) != packed.end();
        if (has) return conv.packed->conv(variant, conv.weight, conv.bias);
    }
    PackedWeights for_this_volume;
    return for_this_volume.conv(variant, conv.weight.transpose(2, 2 + run.axis()), conv.bias);
}

std::optional<ChannelAffine> affine_of(PlaneVolume& source, const std::optional<GroupNormParameters>& norm) {
    if (!norm) return std::nullopt;
    const ChannelMoments& moments = source.moments();
    if (source.run().rehearsal()) return ChannelAffine();
    const at::Tensor weight = norm->weight.contiguous();
    const at::Tensor bias = norm->bias.contiguous();
    return group_norm_affine(moments, norm->groups, weight.data_ptr<float>(), bias.data_ptr<float>(), norm->eps);
}

}  // namespace

ConvolvedPlanes::ConvolvedPlanes(Planes source, const ConvParameters& conv, PlaneFusion fusion)
    : LazyPlanes(source->run(), output_extents(*source, fusion.upsampling), conv.weight.size(0)),
      source_(std::move(source)),
      interpolated_(fusion.upsampling == Upsampling::trilinear),
      conv_extents_(times(source_.source()->extents(), interpolated_ ? 2 : 1)),
      affine_(affine_of(*source_.source(), fusion.norm)),
      packed_(pack(*source_.source(), conv, fusion.upsampling)),
      packed_bytes_(run(), packed_bytes(packed_->variant, packed_->outputs, packed_->inputs)) {
    if (fusion.residual) residual_ = std::make_unique<PlaneReader>(std::move(fusion.residual));
}

void ConvolvedPlanes::visit_sources(const std::function<void(const Planes&)>& visit) const {
    visit(source_.source());
    if (residual_) visit(residual_->source());
}

void ConvolvedPlanes::start(std::int64_t pass) {
    read_ = 0;
    conv_.reset();
    source_.begin(pass);
    if (residual_) residual_->begin(pass);
    conv_.emplace(*packed_, conv_extents_, planes());
    held_bytes_.emplace(run(), conv_->held_bytes());
    run().take_scratch(conv_->scratch_bytes());
}

ConvPlanes ConvolvedPlanes::planes() {
    ConvPlanes planes;
    planes.prepare = [this](std::int64_t, std::int64_t end) { ensure_source(end); };
    planes.rows_are_read = [this] { about_to_write(planes_made() + next_planes()); };
    if (run().rehearsal()) return planes;
    planes.read_row = [this](std::int64_t z, std::int64_t y, float* row, std::size_t stride) {
        read_row(z, y, row, stride);
    };
    planes.output = [this](std::int64_t z) { return output(z); };
    if (residual_) planes.residual = [this](std::int64_t z) { return residual_->plane(z); };
    planes.moments = gathered();
    return planes;
}

// Interpolated plane i lies between two of the source: the later one is i / 2 or the one after it.
void ConvolvedPlanes::ensure_source(std::int64_t end) {
    read_ = end;
    source_.ensure(interpolated_ ? end / 2 + 1 : end);
}

void ConvolvedPlanes::release_source() {
    source_.release(interpolated_ ? std::max<std::int64_t>((read_ - 1) / 2, 0) : read_);
}

void ConvolvedPlanes::read_row(std::int64_t z, std::int64_t y, float* row, std::size_t stride) const {
    const PlaneVolume& source = *source_.source();
    const auto plane = [&](std::int64_t index) {
        return VolumeRows{source.plane(index), source.extents(), source.channels()};
    };
    if (interpolated_) {
        const Between pair = between(z, source.extents()[0]);
        trilinear_row(plane(pair.low), plane(pair.high), pair.share, y, row, stride);
    } else if (affine_) {
        normalised_row(plane(z), *affine_, 0, y, row, stride);
    } else {
        copy_row(plane(z), 0, y, row, stride);
    }
}

void ConvolvedPlanes::finish() {
    conv_.reset();
    held_bytes_.reset();
}

void ConvolvedPlanes::make(std::int64_t first) {
    const std::int64_t end = first + next_planes();
    if (residual_) residual_->ensure(end);
    const double work = conv_->work_of_step();
    conv_->step();
    release_source();
    if (residual_) residual_->release(end);
    run().add_work(work);
}

}  // namespace voldiff::ops
