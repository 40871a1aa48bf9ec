#include "io/config/run_checks.h"

#include "core/error.h"
#include "core/schedulers/scheduler.h"
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
        if (!mask.given() && !mask.labels.empty()) add("mask.labels", "'mask.labels' is given without 'mask.file'");
        if (!mask.given() && !mask.body_from.empty()) {
            add("mask.body_from", "'mask.body_from' is given without 'mask.file'");
        }
        if (mask.given() && !run_.network.controlnet) {
            add("mask.file", "'mask.file' needs a ControlNet, but the network file has no 'controlnet_def'");
        }
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
        Node value = entry.literal ? text_option_value(entry.value, entry.origin)
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
}

}  // namespace voldiff
