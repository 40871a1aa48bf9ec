#include "io/model/mask_input.h"

#include "core/anatomy/labels.h"
#include "core/error.h"
#include "core/pipeline/intensity.h"
#include "io/anatomy/body_envelope.h"
#include "io/anatomy/prepare_mask.h"
#include "io/anatomy/tables.h"
#include "io/config/modality.h"
#include "io/config/scalar.h"
#include "io/config/weight_path.h"
#include "io/config/yaml.h"
#include "io/volume/orientation.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cmath>
#include <sstream>

namespace voldiff {

namespace {

// `labels: {1: 3, 2: 5}`: a value of the file -> a value of MAISI's.
LabelPairs read_mapping(const std::filesystem::path& file) {
    const Node root = load_yaml(file);
    const Node* labels = root.find("labels");
    if (labels == nullptr || labels->kind != NodeKind::map) {
        throw Error(ErrorCode::config, file.string() + ": expected a map 'labels' of label values, as {1: 3, 2: 5}");
    }
    LabelPairs pairs;
    for (const NodeEntry& entry : labels->entries) {
        const auto from = parse_integer(entry.key);
        const auto to = entry.value.kind == NodeKind::scalar ? parse_integer(entry.value.text) : std::nullopt;
        if (!from || !to) {
            throw Error(ErrorCode::config, entry.mark.text() + ": 'labels." + entry.key + "': expected whole numbers");
        }
        pairs.emplace_back(*from, *to);
    }
    return pairs;
}

void check_mapped(const at::Tensor& labels, const LabelPairs& pairs, const std::filesystem::path& mapping) {
    LabelCounts rest = count_labels(labels);
    rest.erase(label::background);
    for (const auto& [from, to] : pairs) rest.erase(from);
    if (rest.empty()) return;
    std::ostringstream text;
    text << mapping.string() << ": the mask has " << rest.size() << " values that the map does not name, "
         << rest.begin()->first << " with " << rest.begin()->second << " voxels first; expected an entry for each";
    throw Error(ErrorCode::config, text.str());
}

bool same_grid(const Volume& a, const Volume& b) {
    if (a.voxels.sizes() != b.voxels.sizes()) return false;
    for (std::size_t row = 0; row < 3; ++row) {
        for (std::size_t column = 0; column < 4; ++column) {
            if (std::abs(a.affine[row][column] - b.affine[row][column]) > 1e-3) return false;
        }
    }
    return true;
}

// Shares of labelled voxels outside the body.
constexpr double outside_noted = 0.02;
constexpr double outside_refused = 0.2;

class MaskReader {
  public:
    explicit MaskReader(const RunConfig& run) : run_(run) {}

    MaskInput read() {
        result_.path = resolve_mask_input(run_, "file", run_.mask.file);
        Volume mask = read_volume(result_.path);
        try {
            mask.voxels = as_labels(mask.voxels);
            map_labels(mask);
            add_body(mask);
            check_labels(mask.voxels, label_table());
            prepare(mask);
        } catch (const Error& error) {
            throw error.within(result_.path.string());
        }
        note_missing_body();
        return std::move(result_);
    }

  private:
    void map_labels(Volume& mask) {
        if (run_.mask.labels.empty()) return;
        const auto file = resolve_mask_input(run_, "labels", run_.mask.labels);
        const LabelPairs pairs = read_mapping(file);
        check_mapped(mask.voxels, pairs, file);
        mask.voxels = replace_labels(mask.voxels, pairs);
    }

    void add_body(Volume& mask) {
        if (run_.mask.body_from.empty()) return;
        const auto file = resolve_mask_input(run_, "body_from", run_.mask.body_from);
        const Volume ct = read_volume(file);
        if (!same_grid(mask, ct)) {
            throw Error(ErrorCode::config, "'mask.body_from' " + file.string() +
                                               ": its voxels are not those of the mask; expected one grid");
        }
        check_inside_body(mask, ct, file);
        mask.voxels = add_body_envelope(mask.voxels, ct.voxels);
    }

    // A mask of another scan, or one that is flipped, lies beside the body.
    void check_inside_body(const Volume& mask, const Volume& ct, const std::filesystem::path& file) {
        const double share = share_outside_body(mask.voxels, ct.voxels);
        if (share < outside_noted) return;
        std::ostringstream text;
        text.precision(3);
        text << 100 * share << " % of the labelled voxels lie in the air around the body of " << file.string();
        if (share >= outside_refused) {
            throw Error(ErrorCode::config, text.str() +
                                               "\nexpected a mask of this CT; check that the two belong "
                                               "together and are not flipped");
        }
        result_.notes.push_back({"mask: " + text.str(), true});
    }

    bool is_given(const char* key) const { return run_.origins.count(std::string("image.") + key) != 0; }

    void prepare(const Volume& mask) {
        std::array<std::int64_t, 3> size = run_.image.size;
        std::array<double, 3> spacing = run_.image.spacing;
        const Volume own = to_ras(mask);
        if (!is_given("size")) size = {own.voxels.size(0), own.voxels.size(1), own.voxels.size(2)};
        if (!is_given("spacing")) spacing = spacing_of(own.affine);
        PreparedMask prepared = prepare_mask(mask, size, spacing);
        note_changes(prepared);
        result_.mask = std::move(prepared.mask);
    }

    void note_changes(const PreparedMask& prepared) {
        const LabelTable table = label_table();
        for (const LabelChange& change : prepared.changes) {
            if (!change.vanished()) continue;
            result_.notes.push_back({"mask: " + table.describe(change.label) + " is lost in resampling, it had " +
                                         std::to_string(change.voxels_before) + " voxels",
                                     true});
        }
        double moved = 0;
        double all = 0;
        for (const LabelChange& change : prepared.changes) {
            moved += std::abs(change.lost());
            all += change.volume_before;
        }
        if (all <= 0 || moved / all < 1e-6) return;
        std::ostringstream text;
        text.precision(3);
        text << "mask: resampled to the run's size and spacing; the labels' volumes changed by " << 100 * moved / all
             << " % in all";
        result_.notes.push_back({text.str()});
    }

    void note_missing_body() {
        const bool is_ct = modality_code(run_.image.modality) < first_mr_modality;
        if (!is_ct || count_labels(result_.mask.voxels).count(label::body) != 0) return;
        result_.notes.push_back(
            {"mask: no voxel has label 200 (body without a label of its own), which MAISI's CT "
             "ControlNet was trained with; mask.body_from adds it from a CT",
             true});
    }

    const RunConfig& run_;
    MaskInput result_;
};

}  // namespace

MaskInput load_mask(const RunConfig& run) { return MaskReader(run).read(); }

}  // namespace voldiff
