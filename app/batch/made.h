// Whether a run is made already, by what lies in its folder.
#pragma once

#include "app/batch/jobs.h"

#include <string>

namespace voldiff {

// "" where the files of the run are there and whole, and were made from these options and weights; else why not: "not
// made", "made from other options or weights", "damaged: ...". Looks at the record and the sizes of the files; `verify`
// reads the files and compares their SHA-256 as well.
std::string why_not_made(const Job& job, bool verify);

}  // namespace voldiff
