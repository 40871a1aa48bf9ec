// A streamed volume each plane of which is a function of one plane of another.
#pragma once

#include "core/ops/planes/lazy_planes.h"

namespace voldiff::ops {

class MappedPlanes : public LazyPlanes {
  public:
    using Map = std::function<void(const float* in, float* out)>;  // planes [H, W, C] -> [H, W, K]
    // work: of a plane, see PlaneRun.
    MappedPlanes(Planes source, std::int64_t channels, Map map, double work)
        : LazyPlanes(source->run(), source->extents(), channels),
          source_(std::move(source)),
          map_(std::move(map)),
          work_(work) {}
    void visit_sources(const std::function<void(const Planes&)>& visit) const override { visit(source_.source()); }

  protected:
    void start(std::int64_t pass) override { source_.begin(pass); }
    std::int64_t next_planes() const override { return 1; }
    void make(std::int64_t first) override;

  private:
    PlaneReader source_;
    Map map_;
    double work_;
};

}  // namespace voldiff::ops
