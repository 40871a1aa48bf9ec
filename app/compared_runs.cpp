#include "app/compared_runs.h"

#include "app/ablation.h"
#include "app/generation.h"
#include "app/seeds.h"
#include "app/set_option.h"
#include "core/error.h"

#include <iostream>

namespace voldiff {

namespace {

namespace fs = std::filesystem;

Side load_side(const std::string& letter, const std::string& file, std::vector<Override> overrides,
               const RunsRequest& request, const ComparisonFolder& folder) {
    Side side{file, {}, {}};
    for (const Override& each : overrides)
        if (each.origin != "--set") side.name += (side.name == file ? " with " : ", ") + each.path + "=" + each.value;
    const std::string origin = "voldiff compare";
    overrides.push_back({"output.directory", (folder.path / letter).string(), origin, true});
    overrides.push_back({"output.name", "{config}_seed{seed}", origin, true});
    overrides.push_back({"output.preview", "false", origin});
    side.run = load_run_config({file, overrides, request.models});
    return side;
}

// Loads the model and drops it. What it has to say is said when the volumes are made.
void check_side(const Side& side, Context& context) {
    Log silent(std::cerr, false, false);
    silent.set_level(LogLevel::error);
    Context check{silent, context.cancel, context.out};
    const Generation generation(side.run, side.outputs, check);
}

}  // namespace

bool RunsRequest::any() const {
    return !seeds.empty() || !ablate.empty() || !sets.empty() || !sets_b.empty() || !models.empty();
}

void ComparisonFolder::check_new(const fs::path& file) const {
    if (!force) check_absent(file, "--output");
}

std::vector<Side> load_sides(const std::vector<std::string>& files, const RunsRequest& request,
                             const ComparisonFolder& folder) {
    const std::vector<Override> sets = set_overrides(request.sets, "--set");
    const std::vector<Override> sets_b = set_overrides(request.sets_b, "--set-b");
    std::vector<Side> sides = {load_side("a", files.front(), sets, request, folder)};
    const bool changed = !request.ablate.empty() || !sets_b.empty();
    if (files.size() == 1 && !changed) {
        throw Error(ErrorCode::usage,
                    "one run config is given; expected a second one, or --ablate or --set-b to say what B does "
                    "differently");
    }
    if (files.size() == 2 && !request.ablate.empty()) {
        throw Error(ErrorCode::usage, "--ablate makes B from A, but two run configs are given; leave one out");
    }
    std::vector<Override> of_b = sets;
    for (const auto& more : {flipped_options(sides[0].run, request.ablate), sets_b})
        of_b.insert(of_b.end(), more.begin(), more.end());
    sides.push_back(load_side("b", files.back(), of_b, request, folder));
    check_comparable(sides[0].run, sides[0].name, sides[1].run, sides[1].name);
    return sides;
}

std::vector<ComparedFiles> plan_pairs(const RunsRequest& request, const ComparisonFolder& folder,
                                      std::vector<Side>& sides) {
    const auto seeds = request.seeds.empty() ? configured_seeds(sides[0].run) : parse_seeds(request.seeds);
    for (Side& side : sides) {
        side.outputs = plan_outputs(side.run, seeds, true);
        for (const OutputFiles& files : side.outputs)
            for (const fs::path& path : {files.volume, files.sidecar}) folder.check_new(path);
    }
    std::vector<ComparedFiles> pairs;
    for (std::size_t i = 0; i < seeds.size(); ++i) {
        const fs::path picture = folder.path / ("seed" + std::to_string(seeds[i]) + ".png");
        pairs.push_back({seeds[i], sides[0].outputs[i].volume, sides[1].outputs[i].volume, picture});
        folder.check_new(picture);
    }
    prepare_folder(pairs.front().picture);
    for (const Side& side : sides) prepare_folder(side.outputs.front().volume);
    return pairs;
}

void generate_sides(const std::vector<Side>& sides, Context& context) {
    context.log.info("checking " + sides[1].name);
    check_side(sides[1], context);
    for (const Side& side : sides) {
        context.log.info("making the volumes of " + side.name);
        Generation(side.run, side.outputs, context).make_all();
    }
}

}  // namespace voldiff
