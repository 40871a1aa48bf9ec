// Which instruction sets Highway compiles the kernels for: AVX2, AVX-512 and NEON, and the compiler's baseline for the
// rest. Comes before Highway's headers.
#pragma once

#include <hwy/detect_targets.h>

// Newer Highway knows more; those bits are for kernels of other kinds (bfloat16, AES).
#ifndef HWY_AVX3_ZEN4
#define HWY_AVX3_ZEN4 0
#endif
#ifndef HWY_AVX3_SPR
#define HWY_AVX3_SPR 0
#endif
// The vectors of SVE and RVV have no size that the compiler knows, so no array can hold them.
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS                                                                                \
    (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL | HWY_AVX3_ZEN4 | HWY_AVX3_SPR | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | \
     HWY_SVE2_128 | HWY_RVV)
