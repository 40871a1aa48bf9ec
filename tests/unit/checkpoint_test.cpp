// Reads and writes weight files: every file of tests/data/checkpoints against the values in it, and the promises of
// checkpoint.h about memory, names and the file that is written.
#include "io/checkpoint/checkpoint.h"
#include "core/error.h"
#include "io/checkpoint/hash.h"
#include "tests/support/checkpoint_files.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>

namespace voldiff {
namespace {

using namespace test;
using nlohmann::json;

std::filesystem::path data_path(const std::string& name) {
    return std::filesystem::path(TEST_DATA) / "checkpoints" / name;
}

const json& expectations() {
    static const json files = json::parse(std::ifstream(data_path("expected.json"))).at("files");
    return files;
}

void expect_same(const at::Tensor& found, const at::Tensor& expected, const std::string& name) {
    EXPECT_EQ(found.scalar_type(), expected.scalar_type()) << name;
    ASSERT_EQ(found.sizes(), expected.sizes()) << name;
    EXPECT_TRUE(at::equal(found, expected)) << name;
}

void expect_values(const Checkpoint& checkpoint, const json& file) {
    const auto values = read_checkpoint(data_path("expected.safetensors")).weights;
    EXPECT_EQ(checkpoint.weights_at, file.value("weights_at", ""));
    EXPECT_EQ(checkpoint.weights.size(), file.at("tensors").size());
    for (const auto& [name, reference] : file.at("tensors").items()) {
        ASSERT_TRUE(checkpoint.weights.contains(name)) << name;
        expect_same(checkpoint.weights[name], values[reference.get<std::string>()], name);
    }
    for (const auto* key : {"extras", "extras_optional"}) {
        const json numbers = file.value(key, json::object());
        for (const auto& [name, number] : numbers.items()) {
            ASSERT_EQ(checkpoint.extra_numbers.count(name), 1U) << name;
            EXPECT_EQ(checkpoint.extra_numbers.at(name), number.get<double>()) << name;
        }
    }
    const json tensors = file.value("extra_tensors", json::object());
    for (const auto& [name, reference] : tensors.items()) {
        ASSERT_TRUE(checkpoint.extra_tensors.contains(name)) << name;
        expect_same(checkpoint.extra_tensors[name], values[reference.get<std::string>()], name);
    }
}

class ReferenceCheckpoint : public testing::TestWithParam<json> {};

// Files that try to run code give their weights here, with the call skipped.
TEST_P(ReferenceCheckpoint, IsReadOrRefusedAsExpected) {
    const auto& file = GetParam();
    const auto path = data_path(file.at("file").get<std::string>());
    const auto trace = std::filesystem::temp_directory_path() / "PWNED";
    std::filesystem::remove(trace);
    if (file.at("expect") == "tensors" || file.value("weights_acceptable", false)) {
        const auto checkpoint = read_checkpoint(path);
        expect_values(checkpoint, file);
        EXPECT_EQ(checkpoint.skipped_objects > 0, file.value("must_not_execute", false) ||
                                                      file.value("file", "") == "namespace_and_unknown_class.pt" ||
                                                      file.value("file", "") == "numpy_scalars_beside_weights.pt");
    } else {
        try {
            read_checkpoint(path);
            FAIL() << "was read";
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::weights);
            EXPECT_NE(std::string(error.what()).find(path.string()), std::string::npos) << error.what();
        }
    }
    EXPECT_FALSE(std::filesystem::exists(trace));
}

std::string test_name(const testing::TestParamInfo<json>& info) {
    auto name = info.param.at("file").get<std::string>();
    std::replace(name.begin(), name.end(), '.', '_');
    return name;
}

INSTANTIATE_TEST_SUITE_P(All, ReferenceCheckpoint, testing::ValuesIn(expectations().begin(), expectations().end()),
                         test_name);

// Whether an address lies in a mapping of the file.
bool is_mapped_from(const void* address, const std::filesystem::path& file) {
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        std::uintptr_t begin = 0;
        std::uintptr_t end = 0;
        const auto value = reinterpret_cast<std::uintptr_t>(address);
        if (std::sscanf(line.c_str(), "%lx-%lx", &begin, &end) == 2 && begin <= value && value < end) {
            return line.find(file.string()) != std::string::npos;
        }
    }
    return false;
}

bool is_mapped(const std::filesystem::path& file) {
    const auto maps = read_bytes("/proc/self/maps");
    return maps.find(file.string()) != std::string::npos;
}

class StoredRaw : public testing::TestWithParam<std::string> {};

TEST_P(StoredRaw, IsViewedNotCopied) {
    const auto path = std::filesystem::canonical(data_path(GetParam()));
    const auto checkpoint = read_checkpoint(path);
    for (const auto& item : checkpoint.weights) {
        EXPECT_TRUE(is_mapped_from(item.value().data_ptr(), path)) << item.key();
    }
}

INSTANTIATE_TEST_SUITE_P(Files, StoredRaw,
                         testing::Values("plain_ordered_dict.pt", "saved_by_torch26.pt", "torchscript_module.pt",
                                         "model.safetensors"),
                         [](const auto& info) { return info.param.substr(0, info.param.find('.')); });

TEST(Checkpoint, MappingLivesAsLongAsTheLastTensor) {
    const ScratchFolder folder;
    const auto path =
        std::filesystem::canonical(folder.write("whole.pt", read_bytes(data_path("plain_ordered_dict.pt"))));
    at::Tensor tensor = read_checkpoint(path).weights["proj.bias"];
    EXPECT_TRUE(is_mapped(path));
    std::filesystem::remove(path);
    expect_same(tensor, read_checkpoint(data_path("expected.safetensors")).weights["base.proj.bias"], "proj.bias");
    tensor.reset();
    EXPECT_FALSE(is_mapped(path));
}

TEST(Checkpoint, SharedStorageStaysShared) {
    const auto weights = read_checkpoint(data_path("tied_weights.pt")).weights;
    EXPECT_EQ(weights["a"].data_ptr(), weights["b"].data_ptr());
}

TEST(Checkpoint, FormatComesFromTheContent) {
    const ScratchFolder folder;
    const auto format_of = [&](const std::string& file) {
        return read_checkpoint(folder.write("weights.txt", read_bytes(data_path(file)))).format;
    };
    EXPECT_EQ(format_of("plain_dict.pt"), "torch zip");
    EXPECT_EQ(format_of("legacy_plain.pt"), "torch legacy");
    EXPECT_EQ(format_of("torchscript_module.pt"), "torchscript");
    EXPECT_EQ(format_of("model.safetensors"), "safetensors");
}

TEST(Checkpoint, KeepsTheOrderOfTheFile) {
    const auto weights = read_checkpoint(data_path("plain_ordered_dict.pt")).weights;
    const std::vector<std::string> expected{"conv.weight",
                                            "conv.bias",
                                            "norm.weight",
                                            "norm.bias",
                                            "norm.running_mean",
                                            "norm.running_var",
                                            "norm.num_batches_tracked",
                                            "emb.weight",
                                            "proj.weight",
                                            "proj.bias"};
    EXPECT_EQ(weights.keys(), expected);
}

// One record is enough: the message shows that its pickle was found and read.
TEST(Checkpoint, ReadsZip64) {
    const ScratchFolder folder;
    const auto records = zip64_file("archive/data.pkl", pickle(dict({{"state_dict", dict({{"w", "N"}})}})));
    try {
        read_checkpoint(folder.write("x.pt", records));
        FAIL() << "was read";
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("weight 'w' is None"), std::string::npos) << error.what();
    }
}

// --- forms of a tensor that the reference files do not hold

const std::string kRamp = raw_floats({0, 1, 2, 3, 4, 5});

at::Tensor read_only_tensor(const std::string& value) {
    const ScratchFolder folder;
    const auto path = folder.write("x.pt", legacy_file(dict({{"w", value}}), {{"0", kRamp}}));
    return read_checkpoint(path).weights["w"];
}

TEST(TensorForms, RebuildTensorVersion1) {
    const auto value =
        call(global("torch._utils", "_rebuild_tensor"), {storage("0", 6), number(1), numbers({2, 2}), numbers({1, 3})});
    expect_same(read_only_tensor(value), at::tensor({1.F, 4.F, 2.F, 5.F}).view({2, 2}), "w");
}

TEST(TensorForms, RebuildTensorVersion3TakesTheDtypeOfTheTensor) {
    const auto untyped =
        tuple({text("storage"), global("torch.storage", "UntypedStorage"), text("0"), text("cpu"), number(24)}) + "Q";
    const auto value = call(global("torch._utils", "_rebuild_tensor_v3"),
                            {untyped, number(0), numbers({6}), numbers({1}), "\x89", "}", global("torch", "float32")});
    const ScratchFolder folder;
    const auto path = folder.write("x.pt", torch_zip(dict({{"w", value}}), {{"0", kRamp}}));
    expect_same(read_checkpoint(path).weights["w"], at::arange(6, at::kFloat), "w");
}

TEST(TensorForms, ParameterWithState) {
    const auto value = call(global("torch._utils", "_rebuild_parameter_with_state"),
                            {tensor(storage("0", 6), 0, {6}, {1}), "\x88", "}", dict({{"tag", number(1)}})});
    expect_same(read_only_tensor(value), at::arange(6, at::kFloat), "w");
}

TEST(TensorForms, SubclassOfTensor) {
    const auto value =
        call(global("torch._tensor", "_rebuild_from_type_v2"),
             {global("torch._utils", "_rebuild_tensor_v2"), global("monai.data.meta_tensor", "MetaTensor"),
              tuple({storage("0", 6), number(0), numbers({6}), numbers({1}), "\x89", "}"}), "}"});
    expect_same(read_only_tensor(value), at::arange(6, at::kFloat), "w");
}

TEST(TensorForms, ViewOfAStorageInTheOldFormat) {
    const auto view = tuple({text("storage"), global("torch", "FloatStorage"), text("0"), text("cpu"), number(6),
                             tuple({text("view"), number(2), number(3)})}) +
                      "Q";
    expect_same(read_only_tensor(tensor(view, 1, {2}, {1})), at::tensor({3.F, 4.F}), "w");
}

TEST(TensorForms, OrderedDictOfPython2) {
    const auto pair = "](" + text("w") + tensor(storage("0", 6), 0, {6}, {1}) + "e";
    const auto root = call(global("collections", "OrderedDict"), {"](" + pair + "e"});
    const ScratchFolder folder;
    const auto weights = read_checkpoint(folder.write("x.pt", legacy_file(root, {{"0", kRamp}}))).weights;
    expect_same(weights["w"], at::arange(6, at::kFloat), "w");
}

TEST(Checkpoint, FindsWeightsUnderModel) {
    const ScratchFolder folder;
    const auto root = dict({{"model", dict({{"w", tensor(storage("0", 6), 0, {6}, {1})}})}, {"epoch", number(7)}});
    const auto checkpoint = read_checkpoint(folder.write("x.pt", legacy_file(root, {{"0", kRamp}})));
    EXPECT_EQ(checkpoint.weights_at, "model");
    EXPECT_EQ(checkpoint.extra_numbers.at("epoch"), 7);
    expect_same(checkpoint.weights["w"], at::arange(6, at::kFloat), "w");
}

// --- TorchScript

std::string script_archive(const std::string& source) {
    const auto value = tensor(storage("0", 6), 0, {6}, {1});
    const auto module = global("__torch__.net", "Net") + ")\x81" + dict({{"weight", value}, {"cache", value}}) + "b";
    const auto top = global("__torch__", "Top") + ")\x81" + dict({{"net", module}, {"mode", number(1)}}) + "b";
    std::vector<ZipRecord> records{{"a/data.pkl", pickle(top)}, {"a/data/0", kRamp}};
    if (!source.empty()) {
        records.push_back({"a/code/__torch__/net.py", source});
    }
    return zip_file(records);
}

TEST(TorchScript, TakesParametersAndBuffersButNoOtherTensors) {
    const ScratchFolder folder;
    const auto source =
        "class Other(Module):\n  __parameters__ = [\"cache\", ]\n"
        "class Net(Module):\n  __parameters__ = [\"weight\", ]\n  __buffers__ = []\n"s;
    const auto checkpoint = read_checkpoint(folder.write("x.pt", script_archive(source)));
    EXPECT_EQ(checkpoint.format, "torchscript");
    EXPECT_EQ(checkpoint.weights.keys(), std::vector<std::string>{"net.weight"});
}

TEST(TorchScript, TakesAllTensorsWhereThereIsNoSource) {
    const ScratchFolder folder;
    const auto weights = read_checkpoint(folder.write("x.pt", script_archive(""))).weights;
    EXPECT_EQ(weights.keys(), (std::vector<std::string>{"net.weight", "net.cache"}));
}

// --- writing

StateDict one_tensor_of_each_type() {
    StateDict tensors;
    for (const auto type : {at::kByte, at::kHalf, at::kBool, at::kFloat, at::kBFloat16, at::kLong, at::kChar,
                            at::kDouble, at::kShort, at::kInt}) {
        tensors.insert(c10::toString(type), at::arange(2, at::kInt).to(type));
    }
    tensors.insert("transposed", at::arange(6, at::kFloat).view({2, 3}).t());
    tensors.insert("expanded", at::ones({1}).expand({3}));
    tensors.insert("empty", at::zeros({0, 4}));
    tensors.insert("scalar", at::scalar_tensor(2.5));
    return tensors;
}

TEST(WriteSafetensors, GivesBackWhatWasWritten) {
    const ScratchFolder folder;
    const auto path = std::filesystem::canonical(folder.write("out.safetensors", "an older file"));
    const auto tensors = one_tensor_of_each_type();
    write_safetensors(path, tensors, {{"made by", "a \"test\""}});
    const auto checkpoint = read_checkpoint(path);
    EXPECT_EQ(checkpoint.metadata, (std::map<std::string, std::string>{{"made by", "a \"test\""}}));
    EXPECT_EQ(checkpoint.weights.size(), tensors.size());
    for (const auto& item : tensors) {
        expect_same(checkpoint.weights[item.key()], item.value(), item.key());
        EXPECT_TRUE(item.value().numel() == 0 || is_mapped_from(checkpoint.weights[item.key()].data_ptr(), path))
            << item.key() << " is not aligned";
    }
}

TEST(WriteSafetensors, WritesTheseBytes) {
    const ScratchFolder folder;
    StateDict tensors;
    tensors.insert("b", at::tensor({1.F, 2.F}));
    tensors.insert("a", at::tensor({3.F}).view({1, 1}));
    write_safetensors(folder.path("x"), tensors);
    const auto header = R"({"b":{"data_offsets":[0,8],"dtype":"F32","shape":[2]},)"
                        R"("a":{"data_offsets":[8,12],"dtype":"F32","shape":[1,1]}})"s;
    const auto padded = header + std::string((8 - header.size() % 8) % 8, ' ');
    EXPECT_EQ(read_bytes(folder.path("x")), safetensors_file(padded, raw_floats({1, 2, 3})));
}

TEST(WriteSafetensors, LeavesNothingBehindWhenItFails) {
    const ScratchFolder folder;
    StateDict tensors;
    tensors.insert("complex", at::zeros({2}, at::kComplexFloat));
    try {
        write_safetensors(folder.path("x"), tensors);
        FAIL() << "was written";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::weights);
        EXPECT_NE(std::string(error.what()).find("'complex'"), std::string::npos) << error.what();
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder.path("")));
}

TEST(WriteSafetensors, NamesTheFolderThatIsMissing) {
    const ScratchFolder folder;
    StateDict tensors;
    tensors.insert("a", at::zeros({2}));
    try {
        write_safetensors(folder.path("missing") / "x", tensors);
        FAIL() << "was written";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::io);
        EXPECT_NE(std::string(error.what()).find("missing"), std::string::npos) << error.what();
    }
}

TEST(Sha256, IsThatOfTheStandard) {
    const ScratchFolder folder;
    EXPECT_EQ(sha256_of_file(folder.write("abc", "abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sha256_of_file(folder.write("empty", "")),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace voldiff
