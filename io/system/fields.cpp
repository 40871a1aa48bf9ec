#include "io/system/fields.h"

#include <fstream>
#include <sstream>

namespace voldiff {

std::string proc_field(const std::filesystem::path& file, const std::string& name) {
    std::ifstream stream(file);
    for (std::string line; std::getline(stream, line);) {
        if (line.compare(0, name.size(), name) != 0) continue;
        const std::size_t begin = line.find_first_not_of(" \t:", name.size());
        if (begin > name.size() && begin != std::string::npos) return line.substr(begin);
    }
    return "";
}

std::size_t proc_bytes(const std::string& text) {
    std::istringstream stream(text);
    std::size_t value = 0;
    std::string unit;
    stream >> value >> unit;
    return unit == "kB" ? value * 1024 : value;
}

}  // namespace voldiff
