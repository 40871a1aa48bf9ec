// volume_check GOT EXPECTED LIMIT: the voxels of two volumes differ by at most LIMIT, their affines by float32
// rounding.
#include "io/volume/volume.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fprintf(stderr, "usage: volume_check GOT EXPECTED LIMIT\n");
        return 2;
    }
    try {
        const voldiff::Volume got = voldiff::read_volume(argv[1]);
        const voldiff::Volume expected = voldiff::read_volume(argv[2]);
        double affine = 0;
        for (int i = 0; i < 16; ++i) {
            affine = std::max(affine, std::abs(got.affine[i / 4][i % 4] - expected.affine[i / 4][i % 4]));
        }
        if (got.voxels.sizes() != expected.voxels.sizes() ||
            got.voxels.scalar_type() != expected.voxels.scalar_type()) {
            std::printf("size or type differs\n");
            return 1;
        }
        const at::Tensor difference = (got.voxels.to(at::kDouble) - expected.voxels.to(at::kDouble)).abs();
        const auto worst = difference.max().item<double>();
        std::printf("largest difference %g, in %lld of %lld voxels; affine %g\n", worst,
                    static_cast<long long>((difference > 0).sum().item<std::int64_t>()),
                    static_cast<long long>(difference.numel()), affine);
        return worst <= std::atof(argv[3]) && affine <= 1e-6 ? 0 : 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "error: %s\n", error.what());
        return 1;
    }
}
