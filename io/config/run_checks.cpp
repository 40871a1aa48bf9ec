#include "io/config/run_checks.h"

#include "core/anatomy/body_region.h"
#include "core/anatomy/request_checks.h"
#include "core/error.h"
#include "core/schedulers/scheduler.h"
#include "io/anatomy/tables.h"
#include "io/config/anatomy_sizes.h"
#include "io/config/config_file.h"
#include "io/config/modality.h"
#include "io/config/print.h"
#include "io/config/scalar.h"
#include "io/config/yaml.h"

#include <algorithm>
#include <cctype>

namespace voldiff {

namespace {

bool is_device(const std::string& text) {
    if (text == "auto" || text == "cpu" || text == "cuda") return true;
    const std::string start = "cuda:";
    if (text.compare(0, start.size(), start) != 0) return false;
    const std::string index = text.substr(start.size());
    return !index.empty() && index.size() <= 3 &&
           std::all_of(index.begin(), index.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

class Checks {
  public:
    Checks(const RunConfig& run, const Mark& file, Problems& problems) : run_(run), file_(file), problems_(problems) {}

    void all() {
        regions();
        modality();
        text();
        mask();
        image_to_image();
        range("spacing_xy", run_.trained.spacing_xy);
        range("spacing_z", run_.trained.spacing_z);
    }

  private:
    void add(const std::string& key, const std::string& message) {
        const auto origin = run_.origins.find(key);
        problems_.add(origin == run_.origins.end() ? file_ : origin->second, message);
    }

    void region_index(const std::string& name, const std::vector<double>& index) {
        if (index.empty() || index.size() == 4) return;
        add("image." + name, "'image." + name + "' has " + std::to_string(index.size()) +
                                 " entries, expected 4 (head, chest, abdomen, pelvis)");
    }

    void regions() {
        const ImageSection& image = run_.image;
        region_index("top_region_index", image.top_region_index);
        region_index("bottom_region_index", image.bottom_region_index);
        const bool index = !image.top_region_index.empty() || !image.bottom_region_index.empty();
        if (index && image.top_region_index.empty() != image.bottom_region_index.empty()) {
            const char* key = image.top_region_index.empty() ? "image.bottom_region_index" : "image.top_region_index";
            add(key, "'" + std::string(key) + "' is given alone, expected both the top and the bottom region");
        }
        if (index && !image.body_region.empty()) {
            add("image.body_region", "'image.body_region' and the region indices say the same; keep one");
        }
        if (image.body_region.size() > 2) {
            add("image.body_region", "'image.body_region' has " + std::to_string(image.body_region.size()) +
                                         " entries, expected 2 (top and bottom)");
        }
    }

    void modality() {
        try {
            modality_code(run_.image.modality);
        } catch (const Error& e) {
            if (e.code() != ErrorCode::config) throw;
            add("image.modality", std::string("'image.modality': ") + e.what());
        }
    }

    void mask() {
        const MaskSection& mask = run_.mask;
        mask_start();
        mask_names();
        if (!mask.from_file() && !mask.labels.empty()) add("mask.labels", "'mask.labels' is given without 'mask.file'");
        if (!mask.from_file() && !mask.body_from.empty()) {
            add("mask.body_from", "'mask.body_from' is given without 'mask.file'");
        }
        if (mask.given() && !mask.only && !run_.network.controlnet) {
            add(mask_key(), "'" + mask_key() + "' needs a ControlNet, but the network file has no 'controlnet_def'");
        }
        const bool can_make = run_.network.mask_generation_autoencoder && run_.network.mask_generation_diffusion;
        if (mask.from_sizes() && !can_make) {
            add(mask_key(), "'" + mask_key() + "' needs the networks of masks, but the network file has no " +
                                "'mask_generation_autoencoder_def' and 'mask_generation_diffusion_def'");
        }
    }

    // The option that says where the mask comes from.
    std::string mask_key() const {
        const MaskSection& mask = run_.mask;
        if (mask.from_file()) return "mask.file";
        if (mask.from_sizes()) return "mask.controllable_anatomy_size";
        return mask.anatomy_list.empty() ? "mask.body_region" : "mask.anatomy_list";
    }

    void mask_start() {
        const MaskSection& mask = run_.mask;
        if (int{mask.from_file()} + int{mask.from_library()} + int{mask.from_sizes()} > 1) {
            add(mask_key(),
                "'mask.file', 'mask.controllable_anatomy_size', and 'mask.anatomy_list' with "
                "'mask.body_region' are three ways to a mask; keep one");
        }
        if (mask.only && !mask.from_library() && !mask.from_sizes()) {
            add("mask.only",
                "'mask.only' has no mask to make; expected mask.controllable_anatomy_size or mask.anatomy_list");
        }
        // Files that voldiff prints say every option, also those that nobody gave.
        const auto listed = run_.origins.find("mask.anatomy_list");
        if (!mask.given() && listed != run_.origins.end() && !listed->second.in_file()) {
            add("mask.anatomy_list", empty_anatomy_list);
        }
        if (run_.image_to_image.given() && (mask.from_library() || mask.from_sizes())) {
            add(mask_key(), "'image_to_image.file' wants a mask of that volume, expected none or 'mask.file'");
        }
        needs(mask.from_library(), "library", mask.library);
        needs(mask.from_library(), "library_index", mask.library_index);
        needs(mask.from_sizes(), "size_conditions", mask.size_conditions);
    }

    void needs(bool needed, const std::string& key, const std::string& path) {
        if (needed && path.empty())
            add(mask_key(), "'" + mask_key() + "' needs 'mask." + key + "', which is not given");
    }

    void mask_names() {
        const auto check = [this](const std::string& key, const auto& action) {
            try {
                action();
            } catch (const Error& e) {
                if (e.code() != ErrorCode::config) throw;
                add(key, "'" + key + "': " + e.what());
            }
        };
        for (const std::string& region : run_.mask.body_region) {
            check("mask.body_region", [&] { body_region_index(region); });
        }
        for (const std::string& anatomy : run_.mask.anatomy_list) {
            check("mask.anatomy_list", [&] { label_table().value(anatomy); });
        }
        check("mask.controllable_anatomy_size", [this] { check_anatomy_sizes(anatomy_sizes(run_.mask)); });
    }

    void image_to_image() {
        const auto strength = run_.origins.find("image_to_image.strength");
        if (run_.image_to_image.given() || strength == run_.origins.end()) return;
        const bool in_record = strength->second.in_file() && run_.origins.count("image_to_image.file") != 0;
        if (in_record) return;  // a record says all options, the empty ones too
        add("image_to_image.strength", "'image_to_image.strength' is given without 'image_to_image.file'");
    }

    void range(const std::string& name, const std::vector<double>& values) {
        if (values.empty() || (values.size() == 2 && values[0] <= values[1])) return;
        add("trained." + name, "'trained." + name + "': expected two numbers, the least and the most");
    }

    void text() {
        const std::string& format = run_.output.format;
        if (format.size() < 2 || format.front() != '.') {
            add("output.format",
                "'output.format' is " + show_text(format) + ", expected a file extension like .nii.gz");
        }
        if (run_.output.name.empty()) add("output.name", "'output.name' is empty, expected a file name");
        if (!is_device(run_.runtime.device)) {
            add("runtime.device",
                "'runtime.device' is " + show_text(run_.runtime.device) + ", expected one of auto, cpu, cuda, cuda:N");
        }
    }

    const RunConfig& run_;
    const Mark& file_;
    Problems& problems_;
};

}  // namespace

Node overrides_to_map(const std::vector<Override>& overrides) {
    Node root = make_map();
    for (const Override& entry : overrides) {
        Node value = entry.node      ? *entry.node
                     : entry.literal ? text_option_value(entry.value, entry.origin)
                                     : parse_option_value(entry.value, entry.origin);
        Node one = make_map(value.mark);
        set_path(one, entry.path, std::move(value));
        expand_network(one);
        root = merge(std::move(root), one);
    }
    return root;
}

std::vector<std::string> run_option_paths() {
    RunConfig defaults;
    std::vector<std::string> paths;
    for (const OptionRow& row : option_rows(defaults)) paths.push_back(row.path);
    return paths;
}

void check_run(const RunConfig& run, const SchedulerPaths& paths, const Mark& file, Problems& problems) {
    Checks(run, file, problems).all();
    const Node model = raw_node(run.network.noise_scheduler);
    if (!model.entries.empty()) read_scheduler(model, raw_node(run.sampling.scheduler), problems, paths);
    if (!run.mask.from_sizes()) return;
    read_scheduler(raw_node(run.network.mask_generation_noise_scheduler), raw_node(run.mask.scheduler), problems,
                   mask_scheduler_paths);
}

}  // namespace voldiff
