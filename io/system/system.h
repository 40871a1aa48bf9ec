// Small facts about the machine and this process. Linux.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace voldiff {

// Most resident memory of this process so far, in bytes; 0 where the system does not say.
std::size_t peak_memory();

// Resident memory of this process now, in bytes; 0 where the system does not say.
std::size_t resident_memory();

// Starts `peak_memory` anew from what is resident now; false where the system does not allow it.
bool reset_peak_memory();

// Bytes that can still be used without swapping: the machine's free memory or what is left of the container's limit
// (cgroup v2 or v1, this group and those above), whichever is less. Cached file pages count as free, since the system
// drops them. 0 where the system does not say. `root` holds proc/ and sys/, for tests.
std::size_t available_memory(const std::filesystem::path& root = "/");

// Memory of the machine or the container's limit, whichever is less, in bytes.
std::size_t total_memory(const std::filesystem::path& root = "/");

std::string cpu_name();

// Cores this process may run on; at least 1.
int core_count();

// Folder of the running program.
std::filesystem::path executable_directory();

// Where the model and run configs are: $VOLDIFF_DATA; else `configs` of the source tree that the program was built in
// (build/bin/voldiff); else `share/voldiff/configs` of the place it is installed in. It need not exist.
std::filesystem::path data_directory();

}  // namespace voldiff
