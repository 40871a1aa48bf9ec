// What libFuzzer calls. The reader to fuzz is named by the environment variable VOLDIFF_FUZZ_READER.
#include "tests/fuzz/readers.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace {

voldiff::fuzz::ReadBytes chosen_reader() {
    const char* name = std::getenv("VOLDIFF_FUZZ_READER");
    const auto& readers = voldiff::fuzz::readers();
    const auto found = std::find_if(readers.begin(), readers.end(),
                                    [&](const auto& reader) { return name != nullptr && reader.name == name; });
    if (found == readers.end()) {
        std::abort();  // tests/fuzz/run names one
    }
    return found->read;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto read = chosen_reader();
    read({reinterpret_cast<const char*>(data), size});
    return 0;
}
