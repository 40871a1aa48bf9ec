// Reads the "name: value" lines of /proc. Internal to io/system.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace voldiff {

// The text behind `name` and a colon or spaces in a file of such lines; "" without one.
std::string proc_field(const std::filesystem::path& file, const std::string& name);

// "123 kB" and "123" in bytes, 0 for no number.
std::size_t proc_bytes(const std::string& text);

}  // namespace voldiff
