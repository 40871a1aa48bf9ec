#include "io/system/system.h"

#include "io/system/fields.h"

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <system_error>
#include <thread>

namespace voldiff {

using std::filesystem::path;

std::string cpu_name() {
    const std::string name = proc_field("/proc/cpuinfo", "model name");
    if (!name.empty()) return name;
    utsname machine{};
    return ::uname(&machine) == 0 ? machine.machine : "unknown";
}

int core_count() {
    cpu_set_t set;
    if (::sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(1, CPU_COUNT(&set));
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

path executable_directory() {
    std::error_code failed;
    const path program = std::filesystem::read_symlink("/proc/self/exe", failed);
    return failed ? std::filesystem::current_path() : program.parent_path();
}

path data_directory() {
    const char* chosen = std::getenv("VOLDIFF_DATA");
    if (chosen != nullptr && *chosen != '\0') return chosen;
    const path here = executable_directory();
    const path source_tree = (here / "../../configs").lexically_normal();
    if (std::filesystem::is_directory(source_tree)) return source_tree;
    return (here / "../share/voldiff/configs").lexically_normal();
}

}  // namespace voldiff
