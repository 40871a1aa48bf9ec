#include "core/ops/attention.h"

#include "core/compat/libtorch.h"
#include "core/error.h"
#include "core/ops/kernels/attention_kernel.h"
#include "core/ops/volumes.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>
#include <c10/core/ScalarType.h>

#include <algorithm>

namespace voldiff::ops {

namespace {

// Scores held at a time; 32 MB of float32 stay near the cache (measured best at 8192 keys: 128 queries of 8 heads).
constexpr std::int64_t scores_at_once = 8 << 20;

std::int64_t queries_at_once(const at::Tensor& q, const at::Tensor& k) {
    const std::int64_t scores_a_query = std::max<std::int64_t>(1, q.size(0) * q.size(1) * k.size(2));
    return std::max<std::int64_t>(1, scores_at_once / scores_a_query);
}

void check_types(const at::Tensor& q, const at::Tensor& v) {
    if (q.scalar_type() == v.scalar_type()) return;
    throw Error(ErrorCode::config, std::string("attention: the probabilities are ") + c10::toString(q.scalar_type()) +
                                       " and the values " + c10::toString(v.scalar_type()) +
                                       ", expected one type; leave attention_dtype out, or give the network that type");
}

// The kernel reads heads where they lie, but rows must be contiguous.
at::Tensor with_contiguous_rows(const at::Tensor& x) { return x.stride(3) == 1 ? x : x.contiguous(); }

HeadRows rows_of(const at::Tensor& x) { return {x.data_ptr<float>(), x.stride(0), x.stride(1), x.stride(2)}; }

// Its result lies in memory as [N, queries, heads, d'], so that heads are merged by a view.
at::Tensor attend_by_kernel(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale) {
    const AttentionShape shape{q.size(0), q.size(1), q.size(2), k.size(2), q.size(3), v.size(3)};
    const at::Tensor queries = with_contiguous_rows(q);
    const at::Tensor keys = with_contiguous_rows(k);
    const at::Tensor values = with_contiguous_rows(v);
    at::Tensor result = at::empty({shape.samples, shape.queries, shape.heads, shape.value_width}, v.options());
    result = result.transpose(1, 2);
    attend(shape, static_cast<float>(scale), rows_of(queries), rows_of(keys), rows_of(values), result.data_ptr<float>(),
           rows_of(result));
    return result;
}

}  // namespace

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const AttentionOptions& options) {
    check_types(q, v);
    const std::int64_t queries = q.size(2);
    const std::int64_t chunk = options.probabilities != nullptr ? queries : queries_at_once(q, k);
    const bool plain = !options.adjust_scores && options.probabilities == nullptr;
    if (plain && for_own_kernels(q) && for_own_kernels(k) && for_own_kernels(v) && options.scale > 0) {
        return attend_by_kernel(q, k, v, options.scale);
    }
    if (plain && chunk < queries) {
        if (auto fused = compat::scaled_dot_product_attention(q, k, v, options.scale)) return *fused;
    }
    const at::Tensor keys = k.transpose(2, 3).contiguous();  // [N, heads, d, keys]
    const at::Tensor values = v.contiguous();
    at::Tensor result = at::empty({q.size(0), q.size(1), queries, v.size(3)}, v.options());
    for (std::int64_t begin = 0; begin < queries; begin += chunk) {
        const std::int64_t end = std::min(begin + chunk, queries);
        at::Tensor scores = at::matmul(q.slice(2, begin, end), keys).mul_(options.scale);
        if (options.adjust_scores) options.adjust_scores(scores, begin, end);
        const at::Tensor probabilities = at::softmax(scores, -1);
        result.slice(2, begin, end).copy_(at::matmul(probabilities, values));
        if (options.probabilities != nullptr) *options.probabilities = probabilities;
    }
    return result;
}

}  // namespace voldiff::ops
