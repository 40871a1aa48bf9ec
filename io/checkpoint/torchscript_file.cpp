#include "io/checkpoint/torchscript_file.h"

#include "io/checkpoint/message.h"
#include "io/checkpoint/zip_archive.h"
#include "io/file.h"

#include <array>

namespace voldiff {

namespace {

constexpr std::size_t most_extra_bytes = std::size_t{1} << 20;

bool starts_with(std::string_view text, std::string_view start) { return text.substr(0, start.size()) == start; }

// What TorchScript can do besides computing: operators that touch files, and those of loaded libraries.
void check_code(const std::string& name, std::string_view code) {
    constexpr std::array<std::string_view, 4> touching{"torch.save(", "torch.from_file(", "ops.aten.save(",
                                                       "ops.aten.from_file("};
    for (const std::string_view call : touching) {
        if (code.find(call) == std::string_view::npos) continue;
        refuse_weights("the code ", in_quotes(name), " calls ", call, "...), which touches files; it is not run");
    }
    for (std::size_t at = code.find("ops."); at != std::string_view::npos; at = code.find("ops.", at + 1)) {
        const bool word = at > 0 && (std::isalnum(static_cast<unsigned char>(code[at - 1])) != 0 ||
                                     code[at - 1] == '_' || code[at - 1] == '.');
        const std::string_view rest = code.substr(at + 4);
        if (word || starts_with(rest, "prim.") || starts_with(rest, "aten.")) continue;
        refuse_weights("the code ", in_quotes(name), " calls an operator of another library (",
                       in_quotes(code.substr(at, 40)), "); it is not run");
    }
}

}  // namespace

bool is_torchscript_module(const std::filesystem::path& path) { return extension(path) == ".ts"; }

std::ifstream open_torchscript_module(const std::filesystem::path& path) {
    std::ifstream archive(path, std::ios::binary);
    if (!archive) throw Error(ErrorCode::io, path.string() + ": cannot be opened");
    return archive;
}

std::map<std::string, std::string> check_torchscript_module(const std::filesystem::path& path) {
    try {
        ZipArchive archive(map_file(path));
        std::map<std::string, std::string> extras;
        bool has_code = false;
        for (const std::string& name : archive.names()) {
            const std::string inner = name.substr(name.find('/') + 1);
            if (starts_with(inner, "code/") && extension(inner) == ".py") {
                has_code = true;
                check_code(name, archive.read(name).bytes);
            } else if (starts_with(inner, "extra/") && archive.size_of(name) <= most_extra_bytes) {
                extras.emplace(inner.substr(inner.find('/') + 1), std::string(archive.read(name).bytes));
            } else {
                archive.read(name);  // for its checksum, which LibTorch does not look at
            }
        }
        if (!has_code) refuse_weights("is a zip archive without code, expected one of torch.jit.save");
        return extras;
    } catch (const Error& error) {
        throw error.within(path.string());
    }
}

}  // namespace voldiff
