// Weight files that are damaged, mislabelled or made to harm: each is refused with Error(weights) or Error(io) and a
// message that names what is wrong, and none crashes, allocates what it only claims, or runs anything.
#include "core/error.h"
#include "io/checkpoint/checkpoint.h"
#include "io/checkpoint/hash.h"
#include "tests/support/checkpoint_files.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <random>

namespace voldiff {
namespace {

using namespace test;

const std::string kFour = raw_floats({0, 1, 2, 3});
const std::string kGood = tensor(storage("0", 4), 0, {4}, {1});

std::filesystem::path data_path(const std::string& name) {
    return std::filesystem::path(TEST_DATA) / "checkpoints" / name;
}

void expect_refused_file(const std::filesystem::path& path, const std::string& words, ErrorCode code) {
    try {
        read_checkpoint(path);
        FAIL() << "was read, expected: " << words;
    } catch (const Error& error) {
        const std::string message = error.what();
        EXPECT_EQ(error.code(), code) << message;
        EXPECT_NE(message.find(path.string()), std::string::npos) << message;
        EXPECT_NE(message.find(words), std::string::npos) << message;
        EXPECT_LE(std::count(message.begin(), message.end(), '\n'), 2) << message;
    }
}

void expect_refused(const std::string& bytes, const std::string& words) {
    const ScratchFolder folder;
    expect_refused_file(folder.write("weights.pt", bytes), words, ErrorCode::weights);
}

// A tensor named w beside a good one over the storage "0", in both formats of torch.save.
void expect_tensor_refused(const std::string& value, const std::string& words) {
    const auto root = dict({{"good", kGood}, {"w", value}});
    expect_refused(legacy_file(root, {{"0", kFour}}), words);
    expect_refused(torch_zip(root, {{"0", kFour}}), words);
}

// --- files that are something else

TEST(HostileFile, CannotBeOpened) {
    const ScratchFolder folder;
    expect_refused_file(folder.path("missing.pt"), "No such file", ErrorCode::io);
    expect_refused_file(folder.path(""), "is a directory", ErrorCode::io);
    const auto pipe = folder.path("pipe");
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    expect_refused_file(pipe, "not a regular file", ErrorCode::io);
    EXPECT_THROW(sha256_of_file(folder.path("missing")), Error);
}

TEST(HostileFile, MayNotBeRead) {
    if (::geteuid() == 0) {
        GTEST_SKIP() << "root may read every file";
    }
    const ScratchFolder folder;
    const auto path = folder.write("secret.pt", "PK");
    ASSERT_EQ(::chmod(path.c_str(), 0), 0);
    expect_refused_file(path, "Permission denied", ErrorCode::io);
}

TEST(HostileFile, IsSomethingElse) {
    expect_refused("", "is empty");
    expect_refused("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer; run git lfs pull");
    expect_refused("\n <!DOCTYPE html><html></html>", "web page (HTML");
    expect_refused("\x1f\x8b\x08 and so on", "gzip");
    expect_refused(std::string(257, '\0') + "ustar", "tar archive");
    expect_refused("\x89HDF\r\n", "HDF5");
    expect_refused("\x1b[2Jsome text", "begin with '?[2Jsome text'");
    expect_refused("PK", "is no checkpoint");
    expect_refused("\x80", "is no checkpoint");
}

// --- zip archives

TEST(HostileZip, WithoutDirectory) { expect_refused("PK\x03\x04", "no directory at its end"); }

TEST(HostileZip, OfSomethingElse) {
    expect_refused(zip_file({{"a/readme.txt", "hello"}}), "the first is 'a/readme.txt'");
    expect_refused(zip_file({}), "directory");  // minizip 1.1 finds none at its end, 1.3 an empty one
}

TEST(HostileZip, WithTwoCheckpoints) {
    expect_refused(zip_file({{"a/data.pkl", pickle("}")}, {"b/data.pkl", pickle("}")}}), "more than one data.pkl");
    expect_refused(zip_file({{"a/data.pkl", pickle("}")}, {"a/data.pkl", pickle("}")}}), "two records named");
}

TEST(HostileZip, WithARecordThatCannotBe) {
    const auto with = [](ZipRecord record) {
        record.name = "a/data/0";
        return zip_file({{"a/data.pkl", pickle(dict({{"w", kGood}}))}, record});
    };
    expect_refused(with({"", kFour, 0, 0, 4'000'000'000}), "holds 4000000000 bytes, but the tensors of it need 16");
    expect_refused(with({"", kFour, 0, 1}), "encrypted");
    expect_refused(with({"", kFour, 12}), "method 12");
    expect_refused(with({"", kFour, 8}), "compressed data is damaged");
    expect_refused(with({"", kFour.substr(0, 8)}), "holds 8 bytes, but the tensors of it need 16");
}

TEST(HostileZip, ClaimsToInflateWithoutEnd) {
    const auto elements = std::int64_t{1} << 29;  // 2 GiB out of 16 bytes
    const auto value = tensor(storage("0", elements), 0, {elements}, {1});
    const auto file = zip_file({{"a/data.pkl", pickle(dict({{"w", value}}))}, {"a/data/0", kFour, 8, 0, 1U << 31U}});
    expect_refused(file, "claims to inflate from 16 to 2147483648 bytes");
}

TEST(HostileZip, OfABigEndianMachine) {
    const auto file = zip_file({{"a/data.pkl", pickle("}")}, {"a/byteorder", "big"}});
    expect_refused(file, "byte order 'big'");
}

// --- pickles

TEST(HostilePickle, ClaimsTenGigabytes) {
    const auto elements = std::int64_t{2'500'000'000};
    const auto root = dict({{"w", tensor(storage("0", elements), 0, {elements}, {1})}});
    expect_refused(torch_zip(root, {{"0", kFour}}), "holds 16 bytes, but the tensors of it need 10000000000");
    auto legacy = legacy_file(root, {{"0", kFour}});
    legacy.replace(legacy.size() - 24, 8, raw(elements));
    expect_refused(legacy, "storage '0': needs 10000000000 bytes");
    expect_refused(torch_zip("\x8e" + raw(~std::uint64_t{0}), {}), "needs 18446744073709551615 bytes");
    expect_refused(torch_zip("B" + raw(~std::uint32_t{0}), {}), "needs 4294967295 bytes");
}

TEST(HostilePickle, BreaksTheStackMachine) {
    const auto refused = [](const std::string& code, const std::string& words) {
        expect_refused(torch_zip(code, {}), words);
    };
    refused("", "stack empty");
    refused("t", "no mark on the stack");
    refused(
        "N(0"
        "0"
        "0",
        "stack empty");
    refused("}(" + text("a") + "u", "sets 1 keys");
    refused("NNa", "appends to None");
    refused("NNs", "stack empty");
    refused("NNb", "gives a state to None");
    refused("(o", "object without a class");
    refused("NNR", "cannot work on None");
    refused("NN\x93", "cannot work on None");
    refused("h\x07", "refers to value 7");
    refused("\x82\x01", "instruction 130");
    refused("S'text'\n", "instruction 83");
    refused("\x80\x09", "protocol 9");
    refused("cno_line_feed", "cut short");
}

TEST(HostilePickle, NeverEnds) {
    expect_refused(torch_zip(std::string(1'100'000, 'N'), {}), "more than 1000000 instructions");
    expect_refused(torch_zip(std::string(1'100'000, '('), {}), "more than 1000000 instructions");
}

// A list of lists a million deep must neither overflow the stack when it is read nor when it is destroyed.
TEST(HostilePickle, NestsWithoutEnd) {
    std::string code;
    for (int i = 0; i < 900'000; ++i) {
        code += "\x85";
    }
    expect_refused(torch_zip(")" + code, {}), "a tuple, expected a dict of tensors");
}

TEST(HostilePickle, HoldsItself) {
    expect_refused(torch_zip("}q\x01" + text("state_dict") + "h\x01s", {}), "weight 'state_dict' is a dict");
    expect_refused(torch_zip("]q\x01h\x01"s + "a", {}), "a list, expected a dict of tensors");
}

TEST(HostilePickle, WrapsParametersWithoutEnd) {
    auto value = kGood;
    for (int i = 0; i < 20; ++i) {
        value = call(global("torch._utils", "_rebuild_parameter"), {value, "\x89", "}"});
    }
    expect_tensor_refused(value, "expected a tensor");
}

TEST(HostilePickle, HoldsNoWeights) {
    expect_refused(torch_zip("}", {}), "holds no weights");
    expect_refused(torch_zip(dict({{"state_dict", "}"}}), {}), "holds no weights");
    expect_refused(torch_zip(text("hello"), {}), "a text, expected a dict of tensors");
    expect_refused(torch_zip(dict({{"epoch", number(1)}}), {}), "the file holds 'epoch'");
    expect_refused(torch_zip(call(global("nets", "Net"), {}), {}), "an object of class 'nets.Net', expected a dict");
}

TEST(HostilePickle, IsAmbiguous) {
    const auto weights = dict({{"w", kGood}});
    expect_refused(torch_zip(dict({{"unet_state_dict", weights}, {"state_dict", weights}}), {{"0", kFour}}),
                   "under 'unet_state_dict' and under 'state_dict'");
    expect_refused(torch_zip(dict({{"w", kGood}, {"w", kGood}}), {{"0", kFour}}), "'w' appears twice");
    expect_refused(torch_zip("}" + number(1) + kGood + "s", {{"0", kFour}}), "a number as a key");
    expect_refused(torch_zip(dict({{"w\x1b[31m", kGood}}), {{"0", kFour}}), "'w?[31m' is too long or holds control");
}

TEST(HostilePickle, CallsAFunctionForAWeight) {
    const auto run = call(global("os", "system"), {text("exit 1")});
    expect_tensor_refused(run, "weight 'w' is an object of class 'os.system', expected a tensor");
    expect_tensor_refused("(" + text("exit 1") + "ios\nsystem\n", "an object of class 'os.system'");
    expect_tensor_refused("(" + global("os", "system") + text("exit 1") + "o", "an object of class 'os.system'");
    expect_tensor_refused(global("os", "system") + ")}\x92", "an object of class 'os.system'");
    expect_tensor_refused(global("os", "system"), "the class 'os.system'");
    const auto wrapped = call(global("torch._tensor", "_rebuild_from_type_v2"),
                              {global("os", "system"), global("torch", "Tensor"), tuple({text("exit 1")}), "}"});
    expect_tensor_refused(wrapped, "expected a tensor");
}

// --- tensors

TEST(HostileTensor, ReachesOutOfItsStorage) {
    constexpr auto kHuge = std::int64_t{1} << 62;
    const auto on_four = [](std::int64_t offset, const std::vector<std::int64_t>& sizes,
                            const std::vector<std::int64_t>& strides) {
        return tensor(storage("0", 4), offset, sizes, strides);
    };
    expect_tensor_refused(on_four(0, {5}, {1}), "element 0 to 4 of a storage that holds 4");
    expect_tensor_refused(on_four(1, {4}, {1}), "element 1 to 4 of a storage that holds 4");
    expect_tensor_refused(on_four(-1, {4}, {1}), "element -1");
    expect_tensor_refused(on_four(kHuge, {1}, {1}), "of a storage that holds 4");
    expect_tensor_refused(on_four(0, {2}, {kHuge}), "of a storage that holds 4");
    expect_tensor_refused(on_four(0, {4}, {-1}), "stride -1 on axis 0");
    expect_tensor_refused(on_four(0, {5}, {kHuge}), "reaches out of its storage");
    expect_tensor_refused(on_four(0, {-4}, {1}), "impossible shape: [-4]");
    expect_tensor_refused(on_four(0, {kHuge, kHuge, 0}, {1, 1, 1}), "impossible shape");
    expect_tensor_refused(on_four(0, {4, 1}, {1}), "2 sizes but 1 strides");
    expect_tensor_refused(on_four(0, std::vector<std::int64_t>(65, 1), std::vector<std::int64_t>(65, 1)), "65 axes");
    expect_tensor_refused(on_four(0, {100'000'000}, {0}), "claims 100000000 elements");
}

TEST(HostileTensor, HasAnImpossibleStorage) {
    expect_tensor_refused(tensor(storage("0", -4), 0, {4}, {1}), "storage of -4 elements");
    expect_tensor_refused(tensor(storage("0", INT64_MAX), 0, {4}, {1}), "elements");
    expect_tensor_refused(tensor(storage("0", 4, "ComplexFloatStorage"), 0, {4}, {1}), "torch.ComplexFloatStorage");
    expect_tensor_refused(tensor(storage("1", 4), 0, {4}, {1}), "1' is missing");
    expect_tensor_refused(tensor(number(1), 0, {4}, {1}), "from a number, expected a storage");
    expect_tensor_refused(call(global("torch._utils", "_rebuild_tensor_v2"), {storage("0", 4)}),
                          "rebuilt from 1 values");
    const auto view = tuple({text("storage"), global("torch", "FloatStorage"), text("0"), text("cpu"), number(4),
                             tuple({text("v"), number(3), number(2)})}) +
                      "Q";
    expect_tensor_refused(tensor(view, 0, {2}, {1}), "view of 8 bytes from byte 12");
}

TEST(HostileTensor, HoldsBooleansThatAreNone) {
    const auto value = tensor(storage("0", 4, "BoolStorage"), 0, {4}, {1});
    expect_refused(torch_zip(dict({{"w", value}}), {{"0", "\x01\x00\x02\x00"s}}), "booleans, but one of them is 2");
    const auto header = R"({"w":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}})"s;
    expect_refused(safetensors_file(header, "\x01\x07"), "booleans, but one of them is 7");
}

TEST(HostileTorchScript, NestsModulesWithoutEnd) {
    const auto module = global("__torch__", "Net") + ")\x81q\x01}" + text("a") + "h\x01s" + "b";
    expect_refused(torch_zip(module, {}), "nested deeper than 64");
    const auto twice = global("__torch__", "Net") + ")\x81q\x01" + dict({{"a", "h\x01"}, {"b", "h\x01"}}) + "b";
    expect_refused(torch_zip(twice, {}), "nested deeper than 64");
    std::string shared = global("__torch__", "Net") + ")\x81q\x01";
    for (int i = 0; i < 40; ++i) {
        shared += "0" + global("__torch__", "Net") + ")\x81" + dict({{"a", "h\x01"}, {"b", "h\x01"}}) + "bq\x01";
    }
    expect_refused(torch_zip(shared, {}), "more than 500000 module attributes");
}

// --- the old format

TEST(HostileLegacy, ListsItsStoragesWrongly) {
    const auto root = dict({{"w", kGood}});
    expect_refused(legacy_file(root, {}), "storage '0' is missing");
    expect_refused(legacy_file(root, {{"0", kFour}, {"1", kFour}}), "lists a storage '1'");
    expect_refused(legacy_file(root, {{"0", kFour}, {"0", kFour}}), "lists it twice");
    expect_refused(legacy_file(root, {{"0", kFour + kFour}}), "holds 8 elements, but its tensors need 4");
    const auto whole = legacy_file(root, {{"0", kFour}});
    expect_refused(whole.substr(0, whole.size() - 1), "storage '0': needs 16 bytes");
    const auto two_types = dict({{"w", kGood}, {"v", tensor(storage("0", 4, "IntStorage"), 0, {4}, {1})}});
    expect_refused(legacy_file(two_types, {{"0", kFour}}), "described in two ways");
}

// --- safetensors

std::string entry(const std::string& name, const std::string& offsets) {
    return "\"" + name + R"(":{"dtype":"F32","shape":[1],"data_offsets":)" + offsets + "}";
}

TEST(HostileSafetensors, HasAWrongHeader) {
    const auto refused = [](const std::string& header, const std::string& words) {
        expect_refused(safetensors_file(header, kFour.substr(0, 4)), words);
    };
    expect_refused(raw(std::uint64_t{1} << 62U) + "{}", "claims a header of 4611686018427387904 bytes");
    expect_refused(raw(std::uint64_t{10'000'000'000}) + "{}" + std::string(1000, ' '),
                   "claims a header of 10000000000");
    refused("{", "not a valid JSON object");
    refused("{\"a\xff\":1}", "not a valid JSON object");
    refused("{}", "holds 4 bytes of data, expected 0");
    refused("{" + std::string(100'000, '['), "not a valid JSON object");
    refused(R"({"a":)" + std::string(100'000, '['), "nested deeper");
    refused("{" + entry("a\\u001b[2J", "[0,4]") + "}", "tensor 'a?[2J': has a name");
    refused(R"({"a":1})", "tensor 'a': is not described by an object");
    refused("{" + entry("a", "[0,4]") + "," + entry("a", "[0,4]") + "}", "names tensor 'a' twice");
    refused(R"({"__metadata__":{"a":1},)" + entry("a", "[0,4]") + "}", "metadata");
    refused(R"({"__metadata__":7,)" + entry("a", "[0,4]") + "}", "metadata");
}

TEST(HostileSafetensors, HasAWrongTensor) {
    const auto refused = [](const std::string& description, const std::string& words) {
        expect_refused(safetensors_file(R"({"a":{)" + description + "}}", kFour), words);
    };
    refused(R"("shape":[4],"data_offsets":[0,16])", "dtype ''");
    refused(R"("dtype":"F8_E5M2","shape":[16],"data_offsets":[0,16])", "dtype 'F8_E5M2'");
    refused(R"("dtype":"F32","data_offsets":[0,16])", "no list 'shape'");
    refused(R"("dtype":"F32","shape":[4])", "no list 'data_offsets'");
    refused(R"("dtype":"F32","shape":[-4],"data_offsets":[0,16])", "shape holds '-4'");
    refused(R"("dtype":"F32","shape":[4.0],"data_offsets":[0,16])", "shape holds '4.0'");
    refused(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,16])", "impossible shape");
    refused(R"("dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,16])", "impossible shape");
    refused(R"("dtype":"F32","shape":[4],"data_offsets":[0,16,32])", "3 data_offsets");
    refused(R"("dtype":"F32","shape":[4],"data_offsets":[16,0])", "at bytes 16 to 0 of 16");
    refused(R"("dtype":"F32","shape":[4],"data_offsets":[0,17])", "at bytes 0 to 17 of 16");
    refused(R"("dtype":"F32","shape":[3],"data_offsets":[0,16])", "needs 12 bytes for its shape, but has 16");
}

TEST(HostileSafetensors, HasTensorsThatOverlapOrLeaveGaps) {
    const auto refused = [](const std::string& entries, const std::string& words) {
        expect_refused(safetensors_file("{" + entries + "}", kFour.substr(0, 8)), words);
    };
    refused(entry("a", "[0,4]") + "," + entry("b", "[0,4]"), "'b' begins at byte 0 of the data, expected 4");
    refused(entry("a", "[4,8]"), "'a' begins at byte 4 of the data, expected 0");
    refused(entry("a", "[0,4]"), "holds 8 bytes of data, expected 4");
}

// --- mutations: whatever happens to a file, it is read or refused

class MutatedCheckpoint : public testing::TestWithParam<std::string> {};

void read_or_refuse(const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    try {
        const auto checkpoint = read_checkpoint(path);
        for (const auto& item : checkpoint.weights) {
            item.value().clone();  // touches every element
        }
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::weights) << error.what();
    }
}

TEST_P(MutatedCheckpoint, IsReadOrRefused) {
    const ScratchFolder folder;
    const auto path = folder.path("mutated");
    const auto good = read_bytes(data_path(GetParam()));
    std::mt19937 random(20240501);  // its numbers, unlike those of distributions, are the same everywhere
    constexpr int kMutations = 300;
    for (int i = 0; i < kMutations; ++i) {
        auto bytes = good;
        const auto flips = 1 + random() % 4;
        for (unsigned flip = 0; flip < flips; ++flip) {
            bytes[random() % bytes.size()] = static_cast<char>(random());
        }
        if (i % 4 == 0) {
            bytes.resize(random() % bytes.size());
        }
        read_or_refuse(path, bytes);
    }
}

INSTANTIATE_TEST_SUITE_P(Files, MutatedCheckpoint,
                         testing::Values("plain_ordered_dict.pt", "plain_dict.pt", "diffusion_training_checkpoint.pt",
                                         "parameters.pt", "noncontiguous_and_shared_legacy.pt", "legacy_nested.pt",
                                         "saved_by_torch26_nested.pt", "numpy_scalars_beside_weights.pt",
                                         "torchscript_module.pt", "rezipped_deflated.pt", "model.safetensors"),
                         [](const auto& info) { return info.param.substr(0, info.param.find('.')); });

// The CRC-32 hides the pickle from the mutations above; the same ones on a pickle whose archive is made afterwards.
TEST(MutatedPickle, IsReadOrRefused) {
    const ScratchFolder folder;
    const auto whole =
        dict({{"unet_state_dict", dict({{"w", kGood}, {"v", tensor(storage("1", 4), 1, {2, 1}, {2, 1})}})},
              {"epoch", number(3)},
              {"args", call(global("argparse", "Namespace"), {}) + dict({{"a", number(1)}}) + "b"}});
    std::mt19937 random(7);
    constexpr int kMutations = 1000;
    for (int i = 0; i < kMutations; ++i) {
        auto code = whole;
        const auto flips = 1 + random() % 3;
        for (unsigned flip = 0; flip < flips; ++flip) {
            code[random() % code.size()] = static_cast<char>(random());
        }
        read_or_refuse(folder.path("mutated"), torch_zip(code, {{"0", kFour}, {"1", kFour}}));
        read_or_refuse(folder.path("mutated"), legacy_file(code, {{"0", kFour}, {"1", kFour}}));
    }
}

}  // namespace
}  // namespace voldiff
