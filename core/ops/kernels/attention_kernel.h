// Scaled dot-product attention in float32 with a running softmax: the scores exist for a block of queries and a block
// of keys at a time (Milakov and Gimelshein, arXiv:1805.02867; Dao et al., arXiv:2205.14135).
#pragma once

#include <cstddef>
#include <cstdint>

namespace voldiff::ops {

// One matrix a head, [tokens, width], contiguous along the width.
struct HeadRows {
    const float* data = nullptr;
    std::int64_t sample_stride = 0;
    std::int64_t head_stride = 0;
    std::int64_t token_stride = 0;
};

struct AttentionShape {
    std::int64_t samples = 1;
    std::int64_t heads = 1;
    std::int64_t queries = 0;
    std::int64_t keys = 0;
    std::int64_t width = 0;        // of queries and keys
    std::int64_t value_width = 0;  // of values and result
};

// result = softmax(scale q k^T) v, written with the strides of `layout`, whose data is not used. scale > 0, keys > 0.
void attend(const AttentionShape& shape, float scale, const HeadRows& q, const HeadRows& k, const HeadRows& v,
            float* result, const HeadRows& layout);

}  // namespace voldiff::ops
