#include "io/anatomy/body_envelope.h"

#include "core/anatomy/labels.h"
#include "core/error.h"
#include "io/anatomy/components.h"
#include "io/anatomy/morphology.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

namespace voldiff {

namespace {

at::Tensor closed(const at::Tensor& mask, std::int64_t size) { return erode(dilate(mask, size), size); }

void check_grid(const at::Tensor& labels, const at::Tensor& ct) {
    if (labels.sizes() != ct.sizes())
        throw Error(ErrorCode::config, "the labels and the CT differ in size; expected one grid for both");
}

at::Tensor body_of(const at::Tensor& labelled, const at::Tensor& ct, const BodyEnvelopeOptions& options) {
    const at::Tensor air = closed(largest_component(ct < options.air_below), options.closing);
    at::Tensor body = air.logical_not().logical_or_(labelled);
    body = largest_component(erode(body, options.bed_cleanup, Beyond::background));
    body = closed(dilate(body, options.bed_cleanup), options.closing);
    return body.logical_or_(labelled);
}

// The air between patient and table is apart from the air outside, so the table may have passed for body; it may come
// in several pieces.
void remove_tables(at::Tensor& labels, const at::Tensor& ct, const BodyEnvelopeOptions& options) {
    const at::Tensor body = where_label(labels, label::body);
    const double least = options.table_fraction * static_cast<double>(body.sum().item<std::int64_t>());
    const Components air = connected_components(body.logical_and(ct < options.air_below), Neighbours::faces);
    for (std::size_t id = 1; id < air.sizes.size(); ++id)
        if (static_cast<double>(air.sizes[id]) >= least)
            labels.masked_fill_(air.ids == static_cast<std::int64_t>(id), label::background);
}

}  // namespace

double share_outside_body(const at::Tensor& labels, const at::Tensor& ct, const BodyEnvelopeOptions& options) {
    check_grid(labels, ct);
    std::vector<std::int64_t> airy = label::lung_lobes();
    airy.insert(airy.end(), {label::background, label::trachea, label::airway});
    const at::Tensor solid = where_label(labels, airy).logical_not();
    const auto all = solid.sum().item<std::int64_t>();
    if (all == 0) return 0;
    const at::Tensor air = largest_component(ct < options.air_below);
    return static_cast<double>(solid.logical_and(air).sum().item<std::int64_t>()) / static_cast<double>(all);
}

at::Tensor add_body_envelope(const at::Tensor& labels, const at::Tensor& ct, const BodyEnvelopeOptions& options) {
    check_grid(labels, ct);
    const at::Tensor free = where_label(labels, label::background);
    const at::Tensor body = body_of(labels > 0, ct, options);
    at::Tensor enveloped = labels.masked_fill(body.logical_and(free), label::body);
    if (options.remove_table) remove_tables(enveloped, ct, options);
    return enveloped;
}

}  // namespace voldiff
