#include "app/latent_command.h"

#include "app/set_option.h"

namespace voldiff {

void add_latent_options(CLI::App& parser, const std::vector<NamedFlag>& named, const std::string& set_example,
                        LatentCommand& command) {
    add_named_flags(parser, named, command.flags);
    add_set_option(parser, "--set", command.sets, "any option by its key path, as " + set_example + "; repeatable");
    parser.add_option("--models", command.models, "folder of the weight files, as in generate")
        ->group("Run")
        ->type_name("DIR");
    parser.add_flag("--force", command.force, "replace files that exist")->group("Output");
    parser.add_flag("--json", command.json, "print the record as JSON")->group("Output");
}

RunConfig load_config(const LatentCommand& command, const std::filesystem::path& config,
                      const std::vector<NamedFlag>& named) {
    std::vector<Override> overrides = set_overrides(command.sets, "--set");
    for (Override& given : flag_overrides(named, command.flags)) overrides.push_back(std::move(given));
    return load_run_config({config, overrides, command.models});
}

}  // namespace voldiff
