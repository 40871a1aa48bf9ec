#include "io/config/trained.h"

#include "core/error.h"
#include "core/text.h"
#include "io/config/modality.h"
#include "io/config/scalar.h"

#include <algorithm>

namespace voldiff {

namespace {

std::string size_text(const std::array<std::int64_t, 3>& size) {
    return std::to_string(size[0]) + "x" + std::to_string(size[1]) + "x" + std::to_string(size[2]);
}

class TrainedCheck {
  public:
    explicit TrainedCheck(const RunConfig& run) : image_(run.image), trained_(run.trained) {}

    std::string problems() {
        size();
        spacing("x", image_.spacing[0], trained_.spacing_xy);
        spacing("y", image_.spacing[1], trained_.spacing_xy);
        spacing("z", image_.spacing[2], trained_.spacing_z);
        field_of_view("x", 0);
        field_of_view("y", 1);
        modality();
        return problems_;
    }

  private:
    void add(const std::string& text) { problems_ += (problems_.empty() ? "" : "\n") + text; }

    void size() {
        const std::string found = size_text(image_.size);
        const auto& sizes = trained_.sizes;
        if (sizes.empty() || std::find(sizes.begin(), sizes.end(), found) != sizes.end()) return;
        add("'image.size' is " + found + ", but the model was trained for " + join(sizes));
    }

    void spacing(const char* axis, double found, const std::vector<double>& range) {
        if (range.empty() || (found >= range[0] && found <= range[1])) return;
        add("'image.spacing' is " + format_number(found) + " mm in " + axis + ", but the model was trained for " +
            format_number(range[0]) + " to " + format_number(range[1]) + " mm");
    }

    void field_of_view(const char* axis, std::size_t i) {
        const double found = static_cast<double>(image_.size[i]) * image_.spacing[i];
        if (found >= trained_.field_of_view_xy) return;
        add("size times spacing is " + format_number(found) + " mm in " + axis + ", but the model was trained for " +
            format_number(trained_.field_of_view_xy) + " mm and more");
    }

    void modality() {
        if (trained_.modalities.empty()) return;
        const auto code = modality_code(image_.modality);
        const bool known = std::any_of(trained_.modalities.begin(), trained_.modalities.end(),
                                       [code](const std::string& name) { return modality_code(name) == code; });
        if (known) return;
        add("'image.modality' is " + image_.modality + ", but the model was trained for " + join(trained_.modalities));
    }

    const ImageSection& image_;
    const TrainedSection& trained_;
    std::string problems_;
};

}  // namespace

void check_trained(const RunConfig& run) {
    const std::string problems = TrainedCheck(run).problems();
    if (problems.empty()) return;
    throw Error(ErrorCode::config, problems + "\n--force makes it all the same; expect a worse image");
}

}  // namespace voldiff
