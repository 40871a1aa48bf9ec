// Kinds of file that `voldiff inspect` knows: one source file and one line in the table of inspect.cpp each.
#pragma once

#include "app/table.h"

#include <filesystem>
#include <vector>

namespace voldiff {

struct InspectDetail {
    bool all = false;        // lists in full
    bool structure = false;  // how each attention block of a network is built
};

struct Inspector {
    std::string kind;     // "volume"
    std::string expects;  // ".nii.gz, .nrrd", for the message about a file of no known kind
    // By the name or the first bytes.
    bool (*recognises)(const std::filesystem::path& file);
    // Everything there is to say. Throws what reading the file throws.
    Report (*describe)(const std::filesystem::path& file);
    // The report for people.
    void (*print)(const Report& report, const InspectDetail& detail, std::ostream& out);
};

Inspector volume_inspector();
Inspector checkpoint_inspector();
Inspector config_inspector();

}  // namespace voldiff
