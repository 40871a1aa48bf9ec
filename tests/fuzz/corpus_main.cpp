// Feeds every file of the corpus to its reader: fuzz_corpus FOLDER. What the fuzzer found once stays found.
#include "tests/fuzz/readers.h"
#include "tests/support/checkpoint_files.h"

#include <iostream>

namespace voldiff::fuzz {
namespace {

bool read_file(const Reader& reader, const std::filesystem::path& path) {
    try {
        reader.read(test::read_bytes(path));
        return true;
    } catch (const std::exception& error) {
        std::cerr << path.string() << ": " << error.what() << '\n';
        return false;
    }
}

// Number of files that failed, or 1 where there is none.
int read_folder(const Reader& reader, const std::filesystem::path& folder) {
    int failed = 0;
    int count = 0;
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
        failed += read_file(reader, file.path()) ? 0 : 1;
        ++count;
    }
    std::cout << reader.name << ": " << count << " files, " << failed << " failed\n";
    return count == 0 ? 1 : failed;
}

}  // namespace
}  // namespace voldiff::fuzz

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: fuzz_corpus FOLDER\n";
        return 2;
    }
    int failed = 0;
    for (const auto& reader : voldiff::fuzz::readers()) {
        failed += voldiff::fuzz::read_folder(reader, std::filesystem::path(argv[1]) / reader.name);
    }
    return failed == 0 ? 0 : 1;
}
