#include "io/system/fields.h"
#include "io/system/system.h"

#include <algorithm>
#include <fstream>
#include <limits>

namespace voldiff {

namespace {

using std::filesystem::path;

constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

// How the two versions of cgroup name the same things.
struct CgroupNames {
    path mount, limit, usage;
    std::string reclaimable;
};

struct Room {
    std::size_t limit = unlimited;
    std::size_t left = unlimited;
};

std::size_t number_in(const path& file, std::size_t otherwise) {
    std::size_t value = 0;
    return std::ifstream(file) >> value ? value : otherwise;  // cgroup v2 says "max" for no limit
}

// Room in `group` and in every group above it, since each has a limit of its own.
Room room_in(const CgroupNames& names, path group) {
    Room room;
    while (true) {
        const path folder = names.mount / group.relative_path();
        const std::size_t limit = number_in(folder / names.limit, unlimited);
        const std::size_t usage = number_in(folder / names.usage, 0);
        const std::size_t used =
            usage - std::min(usage, proc_bytes(proc_field(folder / "memory.stat", names.reclaimable)));
        room.limit = std::min(room.limit, limit);
        if (limit != unlimited) room.left = std::min(room.left, limit - std::min(limit, used));
        if (!group.has_relative_path()) return room;
        group = group.parent_path();
    }
}

// Lines of /proc/self/cgroup are ID:CONTROLLERS:PATH; version 2 has no controllers.
Room cgroup_room(const path& root) {
    const CgroupNames v2{root / "sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"};
    const CgroupNames v1{root / "sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
                         "total_inactive_file"};
    Room room;
    std::ifstream stream(root / "proc/self/cgroup");
    for (std::string line; std::getline(stream, line);) {
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
        const bool memory = controllers.find(",memory,") != std::string::npos;
        if (controllers != ",," && !memory) continue;
        const Room here = room_in(memory ? v1 : v2, line.substr(second + 1));
        room = {std::min(room.limit, here.limit), std::min(room.left, here.left)};
    }
    return room;
}

}  // namespace

std::size_t peak_memory() { return proc_bytes(proc_field("/proc/self/status", "VmHWM")); }

std::size_t resident_memory() { return proc_bytes(proc_field("/proc/self/status", "VmRSS")); }

bool reset_peak_memory() {
    std::ofstream stream("/proc/self/clear_refs");
    stream << "5" << std::flush;  // 5: reset VmHWM, proc(5)
    return stream.good();
}

std::size_t available_memory(const path& root) {
    return std::min(proc_bytes(proc_field(root / "proc/meminfo", "MemAvailable")), cgroup_room(root).left);
}

std::size_t total_memory(const path& root) {
    return std::min(proc_bytes(proc_field(root / "proc/meminfo", "MemTotal")), cgroup_room(root).limit);
}

}  // namespace voldiff
