// Builds checkpoints byte by byte, whole or wrong, for tests that need a file no tool would write.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace voldiff::test {

using namespace std::string_literals;

// A folder of its own, removed with all its files.
class ScratchFolder {
  public:
    ScratchFolder() {
        auto name = (std::filesystem::temp_directory_path() / "voldiff-test-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~ScratchFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;

    std::filesystem::path path(const std::string& name) const { return path_ / name; }
    std::filesystem::path write(const std::string& name, const std::string& bytes) const {
        std::ofstream(path(name), std::ios::binary) << bytes;
        return path(name);
    }

  private:
    std::filesystem::path path_;
};

inline std::string read_bytes(const std::filesystem::path& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

template <class Number>
std::string raw(Number number) {
    return {reinterpret_cast<const char*>(&number), sizeof(number)};
}

inline std::string raw_floats(const std::vector<float>& values) {
    std::string bytes;
    for (const float value : values) {
        bytes += raw(value);
    }
    return bytes;
}

// --- pickles: each function gives the instructions that push one value

inline std::string text(const std::string& value) {
    return "X" + raw(static_cast<std::uint32_t>(value.size())) + value;
}
inline std::string number(std::int64_t value) { return "\x8a\x08"s + raw(value); }
inline std::string global(const std::string& module_name, const std::string& name) {
    return "c" + module_name + "\n" + name + "\n";
}
inline std::string tuple(const std::vector<std::string>& elements) {
    std::string code = "(";
    for (const auto& element : elements) {
        code += element;
    }
    return code + "t";
}
inline std::string numbers(const std::vector<std::int64_t>& values) {
    std::vector<std::string> elements;
    elements.reserve(values.size());
    for (const auto value : values) {
        elements.push_back(number(value));
    }
    return tuple(elements);
}
inline std::string call(const std::string& function, const std::vector<std::string>& arguments) {
    return function + tuple(arguments) + "R";
}
inline std::string dict(const std::vector<std::pair<std::string, std::string>>& items) {
    std::string code = "}(";
    for (const auto& [key, value] : items) {
        code += text(key) + value;
    }
    return code + "u";
}
inline std::string storage(const std::string& key, std::int64_t elements, const std::string& type = "FloatStorage") {
    return tuple({text("storage"), global("torch", type), text(key), text("cpu"), number(elements)}) + "Q";
}
inline std::string tensor(const std::string& storage, std::int64_t offset, const std::vector<std::int64_t>& sizes,
                          const std::vector<std::int64_t>& strides) {
    return call(global("torch._utils", "_rebuild_tensor_v2"),
                {storage, number(offset), numbers(sizes), numbers(strides), "\x89", "}"});
}
inline std::string pickle(const std::string& value) { return "\x80\x02" + value + "."; }

// --- containers

using Records = std::vector<std::pair<std::string, std::string>>;

// The old format: storages by key, with the number of their elements, here of four bytes each.
inline std::string legacy_file(const std::string& root, const Records& storages) {
    std::string bytes =
        pickle("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"s) + pickle(number(1001)) + pickle("}");
    bytes += pickle(root) + "\x80\x02](";
    for (const auto& [key, content] : storages) {
        bytes += text(key);
    }
    bytes += "e.";
    for (const auto& [key, content] : storages) {
        bytes += raw(static_cast<std::uint64_t>(content.size() / 4)) + content;
    }
    return bytes;
}

// What the directory of a zip archive says of a record, as far as a test wants it wrong.
struct ZipRecord {
    std::string name;
    std::string content;
    std::uint16_t method = 0;
    std::uint16_t flags = 0;
    std::uint32_t size = 0;  // 0: that of the content
};

inline std::string zip_file(const std::vector<ZipRecord>& records) {
    std::string bytes;
    std::string directory;
    for (const auto& record : records) {
        const auto crc = static_cast<std::uint32_t>(
            crc32(0, reinterpret_cast<const Bytef*>(record.content.data()), record.content.size()));
        const auto stored = static_cast<std::uint32_t>(record.content.size());
        const auto common = raw<std::uint16_t>(20) + raw(record.flags) + raw(record.method) + raw<std::uint32_t>(0) +
                            raw(crc) + raw(stored) + raw(record.size == 0 ? stored : record.size) +
                            raw(static_cast<std::uint16_t>(record.name.size())) + raw<std::uint16_t>(0);
        directory += "PK\x01\x02" + raw<std::uint16_t>(20) + common + std::string(10, '\0') +
                     raw(static_cast<std::uint32_t>(bytes.size())) + record.name;
        // The ten zeros are comment length, disk and attributes, which the local header does not have.
        bytes += "PK\x03\x04" + common + record.name + record.content;
    }
    const auto count = static_cast<std::uint16_t>(records.size());
    return bytes + directory + "PK\x05\x06" + raw<std::uint32_t>(0) + raw(count) + raw(count) +
           raw(static_cast<std::uint32_t>(directory.size())) + raw(static_cast<std::uint32_t>(bytes.size())) +
           raw<std::uint16_t>(0);
}

// The same archive of one record with every size and position in the 64-bit fields, as files beyond 4 GiB have them.
inline std::string zip64_file(const std::string& name, const std::string& content) {
    constexpr std::uint32_t kSee64 = 0xffffffff;
    const auto crc =
        static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(content.data()), content.size()));
    const auto size = raw(static_cast<std::uint64_t>(content.size()));
    const auto common = [&](std::uint16_t extra) {
        return raw<std::uint16_t>(45) + raw<std::uint64_t>(0) + raw(crc) + raw(kSee64) + raw(kSee64) +
               raw(static_cast<std::uint16_t>(name.size())) + raw(extra);
    };
    const auto record =
        "PK\x03\x04" + common(20) + name + raw<std::uint16_t>(1) + raw<std::uint16_t>(16) + size + size + content;
    const auto directory = "PK\x01\x02" + raw<std::uint16_t>(45) + common(28) + std::string(10, '\0') + raw(kSee64) +
                           name + raw<std::uint16_t>(1) + raw<std::uint16_t>(24) + size + size + raw<std::uint64_t>(0);
    const auto end = "PK\x06\x06" + raw<std::uint64_t>(44) + raw<std::uint16_t>(45) + raw<std::uint16_t>(45) +
                     raw<std::uint64_t>(0) + raw<std::uint64_t>(1) + raw<std::uint64_t>(1) +
                     raw(static_cast<std::uint64_t>(directory.size())) + raw(static_cast<std::uint64_t>(record.size()));
    const auto locator = "PK\x06\x07" + raw<std::uint32_t>(0) +
                         raw(static_cast<std::uint64_t>(record.size() + directory.size())) + raw<std::uint32_t>(1);
    return record + directory + end + locator + "PK\x05\x06" + raw<std::uint32_t>(0) + raw<std::uint32_t>(kSee64) +
           raw(kSee64) + raw(kSee64) + raw<std::uint16_t>(0);
}

inline std::string torch_zip(const std::string& root, const Records& storages) {
    std::vector<ZipRecord> records{{"archive/data.pkl", pickle(root)}};
    for (const auto& [key, content] : storages) {
        records.push_back({"archive/data/" + key, content});
    }
    return zip_file(records);
}

inline std::string safetensors_file(const std::string& header, const std::string& data) {
    return raw(static_cast<std::uint64_t>(header.size())) + header + data;
}

}  // namespace voldiff::test
