#include "io/config/maisi_config.h"

#include "core/error.h"
#include "core/pipeline/intensity.h"
#include "io/config/config_file.h"
#include "io/config/maisi_options.h"
#include "io/config/modality.h"
#include "io/config/print.h"
#include "io/config/references.h"
#include "io/config/run_checks.h"
#include "io/config/scalar.h"

#include <algorithm>
#include <cstdio>
#include <limits>

namespace voldiff {

namespace {

using namespace maisi;  // NOLINT: the keys of its files

Node merge_files(const MaisiFiles& files) {
    Node merged = make_map();
    for (const auto& file : {files.environment, files.inference, files.network}) {
        for (NodeEntry& entry : load_config(file).entries) {
            merged.erase(entry.key);
            merged.entries.push_back(std::move(entry));
        }
    }
    return merged;
}

// [["liver", 0.5]] -> {liver: 0.5}; anything else as it is.
void pairs_to_map(Node& node) {
    Node map = make_map(node.mark);
    for (const Node& pair : node.items) {
        const bool is_pair =
            pair.kind == NodeKind::sequence && pair.items.size() == 2 && pair.items[0].kind == NodeKind::scalar;
        if (!is_pair) return;
        map.entries.push_back({pair.items[0].text, pair.mark, pair.items[1]});
    }
    if (node.kind == NodeKind::sequence) node = std::move(map);
}

// "unet_3d_seed{seed}_size256x256x128_spacing1.70x1.70x2.00_modality1", with a number where there are several.
std::string output_name(const std::string& prefix, const RunConfig& run) {
    std::string size;
    std::string spacing;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        std::array<char, 64> text{};
        std::snprintf(text.data(), text.size(), "%.2f", run.image.spacing[axis]);
        size += (axis == 0 ? "" : "x") + std::to_string(run.image.size[axis]);
        spacing += (axis == 0 ? "" : "x") + std::string(text.data());
    }
    return prefix + "_seed{seed}_size" + size + "_spacing" + spacing + "_modality" + run.image.modality;
}

class Loader {
  public:
    Loader(const MaisiFiles& files, const std::vector<Override>& overrides)
        : files_(files), overrides_(overrides_to_map(overrides)), merged_(merge_files(files)) {}

    RunConfig load() {
        run_.name = files_.inference.stem().string();
        run_.in_working_directory = true;
        run_.decode.method = "sliding_window";
        read_run();
        read_trained_ranges();
        read_model();
        overrides_.erase("network");
        RunSections sections(run_);
        const ReadContext context{&problems_, &run_.origins, run_option_paths()};
        read_options(sections, overrides_, "", context);
        const Node* output = overrides_.find("output");
        if (output == nullptr || output->find("name") == nullptr) run_.output.name = name();
        if (files_.with_controlnet && !run_.mask.given()) {
            problems_.add(run_.origins["mask.anatomy_list"], empty_anatomy_list);
        }
        check_run(run_, {"noise_scheduler", "sampling.scheduler"}, mark_of(files_.inference.string()), problems_);
        problems_.throw_if_any();
        return std::move(run_);
    }

  private:
    // The top-level keys of `group`, references resolved. Missing ones are told with the file that should have them.
    void read(OptionGroup& group, const std::filesystem::path& file) {
        Node part = make_map(mark_of(file.string()));
        for (const std::string& key : top_level_keys(group)) {
            resolve_references(merged_, key, problems_);
            if (const Node* node = merged_.find(key)) part.entries.push_back({key, node->mark, *node});
        }
        Origins origins;
        read_options(group, part, "", {&problems_, &origins, {}});
        for (const auto& [theirs, ours] : origin_names) {
            if (origins.count(theirs) > 0) run_.origins[ours] = origins.at(theirs);
        }
    }

    static std::vector<std::string> top_level_keys(OptionGroup& group) {
        std::vector<std::string> keys;
        for (const NodeEntry& entry : to_node(group).entries) keys.push_back(entry.key);
        return keys;
    }

    bool names_mask() const {
        const Node* mask = overrides_.find("mask");
        return mask != nullptr && mask->find("file") != nullptr;
    }

    void read_run() {
        if (!files_.with_controlnet) return read_image_only();
        names_mask() ? read_from_mask() : read_pairs();
    }

    // The mask's name, as the reference; the image-only way says what was asked for.
    std::string name() const {
        if (!files_.with_controlnet) return output_name(prefix_, run_);
        if (!names_mask()) return "sample_seed{seed}_image";
        const std::string file = std::filesystem::path(run_.mask.file).filename().string();
        return file.substr(0, file.find('.')) + "_seed{seed}_image";
    }

    void read_image_only() {
        Environment environment;
        read(environment, files_.environment);
        apply(environment, run_);
        prefix_ = environment.output_prefix;
        InferenceFile file;
        read(file, files_.inference);
        apply(file.inference, run_);
    }

    void read_from_mask() {
        ControlNetEnvironment environment;
        read(environment, files_.environment);
        apply(environment, run_);
        FromMaskInference inference;
        read(inference, files_.inference);
        apply(inference, run_);
    }

    void read_pairs() {
        PairEnvironment environment;
        read(environment, files_.environment);
        apply(environment, run_);
        if (Node* sizes = merged_.find("controllable_anatomy_size")) pairs_to_map(*sizes);
        PairInference inference;
        read(inference, files_.inference);
        apply(inference, run_);
    }

    // The reference refuses sizes and spacings of CT that its models do not know, and of MR where it makes pairs.
    void read_trained_ranges() {
        std::int64_t code = 0;
        try {
            code = modality_code(run_.image.modality);
        } catch (const Error&) {
            return;  // told by `check_run`
        }
        const bool is_ct = code >= 1 && code < first_mr_modality;
        const bool pairs_of_mr = code >= first_mr_modality && files_.with_controlnet && !names_mask();
        if (!is_ct && !pairs_of_mr) return;
        const auto file = find_config(is_ct ? "trained/ct.yaml" : "trained/mr.yaml", {});
        const Node root = load_config(file);
        read_options(run_.trained, *root.find("trained"), "trained.", {&problems_, nullptr, {}});
        run_.trained.modalities.clear();  // any code goes there
    }

    void read_model() {
        const Node* given = overrides_.find("network");
        if (given != nullptr) merged_ = merge(std::move(merged_), *given);
        std::vector<std::string> keys = top_level_keys(run_.network);
        for (const NodeEntry& entry : given == nullptr ? Node{}.entries : given->entries) {
            if (std::find(keys.begin(), keys.end(), entry.key) == keys.end()) keys.push_back(entry.key);
        }
        Node part = make_map(mark_of(files_.network.string()));
        std::set<std::string> named;
        for (const std::string& key : keys) {
            named.merge(resolve_references(merged_, key, problems_));
            if (const Node* node = merged_.find(key)) part.entries.push_back({key, node->mark, *node});
        }
        Origins origins;
        read_network(run_.network, part, "", {&problems_, &origins, {}}, named);
        for (const auto& [path, mark] : origins) run_.origins["network." + path] = mark;
    }

    const MaisiFiles& files_;
    Node overrides_;
    Node merged_;
    Problems problems_;
    RunConfig run_;
    std::string prefix_;
};

}  // namespace

RunConfig load_maisi_config(const MaisiFiles& files, const std::vector<Override>& overrides) {
    return Loader(files, overrides).load();
}

}  // namespace voldiff
