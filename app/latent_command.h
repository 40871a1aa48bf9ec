// What `encode` and `decode` have in common: one file in, one file out, by the autoencoder of a run config.
#pragma once

#include "app/named_flags.h"
#include "io/config/run_config.h"

#include <CLI/App.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace voldiff {

struct LatentCommand {
    std::string input;
    std::string config;
    std::string output;
    std::string models;
    std::vector<std::string> sets;
    FlagWords flags;
    bool force = false;
    bool json = false;
};

// The options that both have, in their order of the help; `named` are the command's own, `set_example` is one of --set.
void add_latent_options(CLI::App& parser, const std::vector<NamedFlag>& named, const std::string& set_example,
                        LatentCommand& command);

// The run config with the command's options over it. Throws as `load_run_config`.
RunConfig load_config(const LatentCommand& command, const std::filesystem::path& config,
                      const std::vector<NamedFlag>& named);

}  // namespace voldiff
