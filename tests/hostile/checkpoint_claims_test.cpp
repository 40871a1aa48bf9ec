// Files of a kilobyte that claim ten gigabytes, or more work than their size is worth: each is refused at once, that is
// without an allocation of that size, which the limit on the memory of the process would turn into another exception.
#include "core/error.h"
#include "io/checkpoint/checkpoint.h"
#include "tests/support/checkpoint_files.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

namespace voldiff {
namespace {

using namespace test;

constexpr std::uint64_t kTenGigabytes = 10'000'000'000;
const std::string kFour = raw_floats({0, 1, 2, 3});
const std::string kGood = tensor(storage("0", 4), 0, {4}, {1});

// While it lives, the process may take only so many bytes more than it has.
class MemoryLimit {
  public:
    explicit MemoryLimit(std::uint64_t bytes) {
        ::getrlimit(RLIMIT_AS, &before_);
        std::uint64_t pages = 0;
        std::ifstream("/proc/self/statm") >> pages;
        const rlimit limited{pages * static_cast<std::uint64_t>(::getpagesize()) + bytes, before_.rlim_max};
        ::setrlimit(RLIMIT_AS, &limited);
    }
    ~MemoryLimit() { ::setrlimit(RLIMIT_AS, &before_); }
    MemoryLimit(const MemoryLimit&) = delete;
    MemoryLimit& operator=(const MemoryLimit&) = delete;

  private:
    rlimit before_{};
};

void expect_refused(const std::string& bytes, const std::string& words) {
    constexpr std::uint64_t kEnough = 64ULL << 20ULL;
    const ScratchFolder folder;
    const auto path = folder.write("claims.pt", bytes);
    const MemoryLimit limit(kEnough);
    try {
        read_checkpoint(path);
        FAIL() << "was read, expected: " << words;
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::weights) << error.what();
        EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    } catch (const std::exception& error) {
        FAIL() << error.what() << ", expected: " << words;
    }
}

void expect_claim_refused(const std::string& bytes, const std::string& words) {
    ASSERT_LE(bytes.size(), 1024U);
    expect_refused(bytes, words);
}

std::string replaced(std::string bytes, const std::string& what, const std::string& by, bool all = false) {
    auto found = bytes.find(what);
    EXPECT_NE(found, std::string::npos);
    for (; found != std::string::npos; found = all ? bytes.find(what, found + by.size()) : std::string::npos) {
        bytes.replace(found, what.size(), by);
    }
    return bytes;
}

TEST(TenGigabytes, CannotBeHad) {
    const MemoryLimit limit(64ULL << 20ULL);
    EXPECT_EQ(::mmap(nullptr, kTenGigabytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), MAP_FAILED);
}

const std::string kPickle = pickle(dict({{"w", kGood}}));

TEST(TenGigabytes, InSizesOfAZipRecord) {
    const auto size = raw(static_cast<std::uint32_t>(kPickle.size()));
    const auto claim = raw(std::uint32_t{4'000'000'000});
    for (const std::uint16_t method : {0, 8}) {
        const auto file = zip_file({{"a/data.pkl", kPickle, method}});
        expect_claim_refused(replaced(file, size + size, claim + claim, true), "claims 4000000000 bytes of a file");
        expect_claim_refused(replaced(file, size + size, claim + claim), "local header");
        expect_claim_refused(replaced(file, size + size, size + claim, true),
                             method == 0 ? "claims 4000000000" : "inflate");
        expect_claim_refused(replaced(file, size + size, claim + size, true), "claims 4000000000 bytes of a file");
    }
}

TEST(TenGigabytes, InSizesOfAZip64Record) {
    const auto file = zip64_file("a/data.pkl", kPickle);
    const auto size = raw(static_cast<std::uint64_t>(kPickle.size()));
    const auto claim = raw(kTenGigabytes);
    expect_claim_refused(replaced(file, size + size, claim + claim, true), "claims 10000000000 bytes of a file");
    expect_claim_refused(replaced(file, size + size, claim + claim), "by its local header");
    expect_claim_refused(replaced(file, size + size, claim + size, true), "claims 10000000000 bytes");
    expect_claim_refused(replaced(file, size + size, raw(~std::uint64_t{0}) + raw(~std::uint64_t{0}), true),
                         "claims 18446744073709551615 bytes of a file");
}

TEST(TenGigabytes, InTheDirectoryOfAZip) {
    const auto plain = zip_file({{"a/data.pkl", kPickle}});
    for (std::size_t field = 4; field <= 16; field += 4) {  // disks, records, size and position of the directory
        auto file = plain;
        file.replace(file.size() - 22 + field, 4, std::string(4, '\xfe'));
        expect_claim_refused(file, "directory");
    }
    const auto large = zip64_file("a/data.pkl", kPickle);
    const auto end = large.find("PK\x06\x06");
    for (std::size_t field = 24; field <= 48; field += 8) {
        auto file = large;
        file.replace(end + field, 8, raw(kTenGigabytes));
        expect_claim_refused(file, "directory");
    }
}

TEST(TenGigabytes, InLengthsOfAPickle) {
    for (const char* code : {"\x8d", "\x8e", "\x96"}) {  // BINUNICODE8, BINBYTES8, BYTEARRAY8
        expect_claim_refused(torch_zip(code + raw(kTenGigabytes), {}), "needs 10000000000 bytes");
        expect_claim_refused(torch_zip(code + raw(~std::uint64_t{0}), {}), "needs 18446744073709551615 bytes");
    }
    for (const char* code : {"X", "T", "B", "\x8b"}) {  // BINUNICODE, BINSTRING, BINBYTES, LONG4
        expect_claim_refused(torch_zip(code + raw(std::uint32_t{4'000'000'000}), {}), "needs 4000000000 bytes");
    }
    expect_claim_refused(torch_zip("\x95" + raw(kTenGigabytes), {}), "stack empty");  // a frame, a hint only
    expect_claim_refused(legacy_file("\x8d" + raw(kTenGigabytes), {}), "needs 10000000000 bytes");
}

TEST(TenGigabytes, InIndicesOfAMemo) {
    const auto last = raw(~std::uint32_t{0});
    expect_claim_refused(torch_zip("Nr" + last + "j" + last, {}), "None, expected a dict of tensors");
    expect_claim_refused(torch_zip("j" + last, {}), "refers to value 4294967295");
}

TEST(TenGigabytes, InElementsOfAStorage) {
    const auto elements = static_cast<std::int64_t>(kTenGigabytes / 4);
    const auto root = dict({{"w", tensor(storage("0", elements), 0, {elements}, {1})}});
    expect_claim_refused(torch_zip(root, {{"0", kFour}}), "holds 16 bytes, but the tensors of it need 10000000000");
    const auto legacy = legacy_file(root, {{"0", kFour}});
    expect_claim_refused(legacy, "holds 4 elements, but its tensors need 2500000000");
    expect_claim_refused(replaced(legacy, raw(std::uint64_t{4}) + kFour, raw(elements) + kFour),
                         "needs 10000000000 bytes");
}

TEST(TenGigabytes, InASafetensorsHeader) {
    expect_claim_refused(raw(kTenGigabytes) + "{}", "claims a header of 10000000000 bytes");
    const auto refused = [](const std::string& shape, const std::string& offsets, const std::string& words) {
        const auto header = R"({"a":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
        expect_claim_refused(safetensors_file(header, kFour), words);
    };
    refused("[2500000000]", "[0,10000000000]", "at bytes 0 to 10000000000 of 16");
    refused("[4]", "[10000000000,10000000016]", "at bytes 10000000000 to 10000000016 of 16");
    refused("[2500000000]", "[0,16]", "needs 10000000000 bytes for its shape, but has 16");
    refused("[1,4294967296,4294967296]", "[0,16]", "impossible shape");
}

// --- small files that would take the work or the memory of large ones

TEST(MoreThanItsSize, FromRecordsOnTopOfEachOther) {
    const std::string content(400, 'x');
    auto file = zip_file({{"a/data.pkl", kPickle}, {"a/1", content}, {"a/2", ""}});
    const auto sizes =
        raw(static_cast<std::uint32_t>(content.size())) + raw(static_cast<std::uint32_t>(content.size()));
    const auto directory = file.find("PK\x01\x02");
    file.replace(file.find("a/2", directory) - 26, 8, sizes);
    expect_claim_refused(file, "record 'a/2' claims 400 bytes of a file that holds");
}

TEST(MoreThanItsSize, FromNamesThatManyValuesShare) {
    const std::string name(2000, 'n');
    const auto value = tensor(storage(name, 4), 0, {4}, {1});
    expect_refused(torch_zip(dict({{"w", value}}), {}), "is too long");
    expect_refused(legacy_file(dict({{"w", value}}), {}), "is too long");
    expect_refused(torch_zip(global(name, "Net"), {}), "the name of a class is too long");
    const auto create = global("__torch__", "Net") + ")\x81";
    const auto nested = [&](const std::string& module) {
        return create + dict({{std::string(900, 'n'), module}}) + "b";
    };
    expect_refused(torch_zip(nested(nested(nested(create + "}b"))), {}), "nnn...' is too long");
}

TEST(MoreThanItsSize, FromMetadataThatManyTensorsShare) {
    std::string bits = "}(";
    for (int i = 0; i < 100; ++i) {
        bits += text(std::to_string(i)) + "\x88";
    }
    bits += "u";
    const auto value = call(global("torch._utils", "_rebuild_tensor_v2"),
                            {storage("0", 4), number(0), numbers({4}), numbers({1}), "\x89", "}", bits});
    expect_refused(torch_zip(dict({{"w", value}}), {{"0", kFour}}), "has 100 entries of metadata");
}

TEST(MoreThanItsSize, FromSourcesThatManyModulesShare) {
    const auto module = global("__torch__/m", "Net") + ")\x81" + dict({{"w", kGood}, {"v", kGood}}) + "b";
    const auto file = zip_file({{"a/data.pkl", pickle(module)},
                                {"a/data/0", kFour},
                                {"a/code/__torch__/m.py", "class Net(Module):\n  __parameters__ = [\"w\", ]\n"}});
    const ScratchFolder folder;
    EXPECT_EQ(read_checkpoint(folder.write("shared.pt", file)).weights.size(), 2U);  // both, so without the source
}

// Minutes where each object is compared with those before it.
TEST(MoreThanItsSize, FromAHeaderOfManyObjects) {
    std::string header = R"({"a":[{})";
    for (int i = 0; i < 400'000; ++i) {
        header += ",{}";
    }
    expect_refused(safetensors_file(header + "]}", {}), "is not described by an object");
}

}  // namespace
}  // namespace voldiff
