#include "app/commands/inspect.h"

#include "app/commands/commands.h"
#include "core/error.h"

#include <algorithm>
#include <memory>
#include <system_error>

namespace voldiff {

namespace {

// The first that recognises a file has it.
const std::vector<Inspector>& inspectors() {
    static const std::vector<Inspector> table = {volume_inspector(), config_inspector(), checkpoint_inspector()};
    return table;
}

const Inspector& inspector_for(const std::filesystem::path& file) {
    std::error_code ignored;
    const std::string what = "cannot inspect '" + file.string() + "': ";
    if (!std::filesystem::exists(file, ignored)) throw Error(ErrorCode::io, what + "there is no such file");
    if (std::filesystem::is_directory(file, ignored)) throw Error(ErrorCode::io, what + "it is a folder");
    const auto& table = inspectors();
    const auto found =
        std::find_if(table.begin(), table.end(), [&](const auto& each) { return each.recognises(file); });
    if (found != table.end()) return *found;
    std::string kinds;
    for (const Inspector& each : table)
        kinds += (kinds.empty() ? "a " : " or a ") + each.kind + " (" + each.expects + ")";
    throw Error(ErrorCode::io, what + "expected " + kinds);
}

struct InspectOptions {
    std::filesystem::path file;
    bool json = false;
    InspectDetail detail;
};

void inspect(const InspectOptions& options, Context& context) {
    const Inspector& inspector = inspector_for(options.file);
    Report report = {{"file", options.file.string()}, {"kind", inspector.kind}};
    report.update(inspector.describe(options.file));
    if (options.json) return print_json(context.out, report);
    print_field(context.out, "file", options.file.string());
    print_field(context.out, "kind", inspector.kind);
    inspector.print(report, options.detail, context.out);
}

}  // namespace

Action add_inspect(CLI::App& parser) {
    const auto options = std::make_shared<InspectOptions>();
    parser.add_option("FILE", options->file, "checkpoint, volume, or config")->required();
    parser.add_flag("--json", options->json, "print JSON with everything")->group("Output");
    parser.add_flag("--all", options->detail.all, "list every tensor, not the first 20")->group("Output");
    parser.add_flag("--structure", options->detail.structure, "show how each attention block of a config is built")
        ->group("Output");
    return [options](Context& context) { inspect(*options, context); };
}

}  // namespace voldiff
