#include "core/anatomy/request_checks.h"

#include "core/error.h"
#include "core/text.h"

#include <algorithm>
#include <functional>
#include <set>
#include <sstream>

namespace voldiff {

namespace {

constexpr std::size_t most_sizes = 10;       // the reference's message says "less than 10", its code accepts 10
constexpr double least_field_of_view = 256;  // mm

class Complaints {
  public:
    void unless(bool holds, const std::string& text) {
        if (!holds) lines_.push_back(text);
    }
    void add_error_of(const std::function<void()>& action) {
        try {
            action();
        } catch (const Error& error) {
            lines_.emplace_back(error.what());
        }
    }
    void throw_if_any() const {
        if (!lines_.empty()) throw Error(ErrorCode::config, join(lines_, "\n"));
    }

  private:
    std::vector<std::string> lines_;
};

template <class Value>
std::string show(const std::array<Value, 3>& values) {
    std::ostringstream text;
    text << "[" << values[0] << ", " << values[1] << ", " << values[2] << "]";
    return text.str();
}

template <class Value>
bool one_of(const Value& value, std::initializer_list<Value> allowed) {
    return std::find(allowed.begin(), allowed.end(), value) != allowed.end();
}

bool within(double value, double low, double high) { return value >= low && value <= high; }

void check_ct_geometry(const AnatomyRequest& request, Complaints& complaints) {
    const auto& size = request.output_size;
    const auto& spacing = request.spacing;
    complaints.unless(size[0] == size[1] && one_of<std::int64_t>(size[0], {256, 384, 512}) &&
                          one_of<std::int64_t>(size[2], {128, 256, 384, 512, 640, 768}),
                      "'output_size' is " + show(size) +
                          ", expected x and y alike of 256, 384 or 512 and z of 128, 256, 384, 512, 640 or 768");
    complaints.unless(
        spacing[0] == spacing[1] && within(spacing[0], 0.5, 3) && within(spacing[2], 0.5, 5),
        "'spacing' is " + show(spacing) + " mm, expected x and y alike from 0.5 to 3 and z from 0.5 to 5");
    complaints.unless(static_cast<double>(size[0]) * spacing[0] >= least_field_of_view,
                      "'output_size' " + show(size) + " times 'spacing' " + show(spacing) +
                          " mm is less than 256 mm in x; expected at least 256 for a head, 384 for a body");
}

bool is_tumor(const std::string& anatomy) {
    const auto& names = sizeable_anatomy();
    return std::find(names.begin() + first_tumor_size, names.end(), anatomy) != names.end();
}

std::string suggestion(const std::string& name, const std::array<std::string, 10>& known) {
    const std::string near = nearest(name, {known.begin(), known.end()});
    return near.empty() ? "" : "; did you mean '" + near + "'?";
}

void check_sizes(const std::vector<AnatomySize>& sizes, Complaints& complaints) {
    const auto& known = sizeable_anatomy();
    std::set<std::string> seen;
    std::set<std::string> tumors;
    complaints.unless(sizes.size() <= most_sizes, "'controllable_anatomy_size' has " + std::to_string(sizes.size()) +
                                                      " entries, expected up to " + std::to_string(most_sizes));
    for (const AnatomySize& entry : sizes) {
        const std::string where = "'controllable_anatomy_size': '" + entry.anatomy + "' ";
        complaints.unless(std::find(known.begin(), known.end(), entry.anatomy) != known.end(),
                          where + "has no size to choose" + suggestion(entry.anatomy, known) + ", expected one of " +
                              join(std::vector<std::string>(known.begin(), known.end())));
        complaints.unless(entry.size == -1 || within(entry.size, 0, 1),
                          where + "is " + std::to_string(entry.size) + ", expected 0 to 1, or -1");
        complaints.unless(seen.insert(entry.anatomy).second, where + "stands there twice");
        if (is_tumor(entry.anatomy)) tumors.insert(entry.anatomy);
    }
    complaints.unless(tumors.size() <= 1, "'controllable_anatomy_size' has several tumours, expected one: " +
                                              join({tumors.begin(), tumors.end()}));
}

void check_regions(const std::vector<std::string>& regions, Complaints& complaints) {
    for (const std::string& region : regions) {
        complaints.unless(
            one_of<std::string>(region, {"head", "chest", "thorax", "abdomen", "pelvis", "lower"}),
            "'body_region' has '" + region + "', expected of head, chest, thorax, abdomen, pelvis and lower");
    }
}

void check_anatomy(const std::vector<std::string>& names, const LabelTable& table, Complaints& complaints) {
    for (const std::string& name : names) complaints.add_error_of([&] { table.value(name); });
}

}  // namespace

void check_anatomy_sizes(const std::vector<AnatomySize>& sizes) {
    Complaints complaints;
    check_sizes(sizes, complaints);
    complaints.throw_if_any();
}

void check_ct_request(const AnatomyRequest& request, const LabelTable& table) {
    Complaints complaints;
    check_ct_geometry(request, complaints);
    if (request.controllable_anatomy_size) check_sizes(*request.controllable_anatomy_size, complaints);
    if (request.controllable_anatomy_size && request.controllable_anatomy_size->empty()) {
        check_regions(request.body_region, complaints);
        check_anatomy(request.anatomy_list, table, complaints);
    }
    complaints.throw_if_any();
}

void check_mr_request(const AnatomyRequest& request, const LabelTable& table) {
    using Size = std::array<std::int64_t, 3>;
    const Size& size = request.output_size;
    const bool flat = size[2] == 128 && size[0] == size[1] && one_of<std::int64_t>(size[0], {128, 256, 384, 512});
    Complaints complaints;
    complaints.unless(flat || one_of<Size>(size, {{128, 256, 256}, {256, 128, 256}, {256, 256, 256}}),
                      "'output_size' is " + show(size) +
                          ", expected [n, n, 128] with n of 128, 256, 384 or 512, or [128, 256, 256], [256, 128, 256] "
                          "or [256, 256, 256]");
    const auto& spacing = request.spacing;
    complaints.unless(std::all_of(spacing.begin(), spacing.end(), [](double mm) { return within(mm, 0.4, 5); }),
                      "'spacing' is " + show(spacing) + " mm, expected 0.4 to 5");
    check_anatomy(request.anatomy_list, table, complaints);
    complaints.throw_if_any();
}

}  // namespace voldiff
