// The 3x3x3 convolution of a streamed volume, and what is fused with it.
#pragma once

#include "core/ops/kernels/norm_kernels.h"
#include "core/ops/planes/lazy_planes.h"
#include "core/ops/planes/plane_layers.h"

namespace voldiff::ops {

class ConvolvedPlanes : public LazyPlanes {
  public:
    ConvolvedPlanes(Planes source, const ConvParameters& conv, PlaneFusion fusion);
    void visit_sources(const std::function<void(const Planes&)>& visit) const override;
    bool tells_before_writing() const override { return true; }

  protected:
    void start(std::int64_t pass) override;
    std::int64_t next_planes() const override { return conv_->planes_of_step(); }
    void make(std::int64_t first) override;
    void finish() override;

  private:
    ConvPlanes planes();
    void read_row(std::int64_t z, std::int64_t y, float* row, std::size_t stride) const;
    void ensure_source(std::int64_t end);
    void release_source();

    PlaneReader source_;
    std::unique_ptr<PlaneReader> residual_;
    bool interpolated_;
    std::array<std::int64_t, 3> conv_extents_;  // of what the convolution reads
    std::optional<ChannelAffine> affine_;       // of norm and SiLU
    std::shared_ptr<const PackedConv> packed_;
    CountedBytes packed_bytes_;
    std::optional<PlaneConv> conv_;
    std::optional<CountedBytes> held_bytes_;
    std::int64_t read_ = 0;  // planes of conv_extents_ that were read
};

}  // namespace voldiff::ops
