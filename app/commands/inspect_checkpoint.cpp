#include "app/commands/inspect.h"
#include "core/state_dict/convert.h"
#include "core/text.h"
#include "io/checkpoint/checkpoint.h"
#include "io/file.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <string_view>

namespace voldiff {

namespace {

constexpr std::size_t shown_tensors = 20;

const std::vector<std::string>& extensions() {
    static const std::vector<std::string> names = {".pt", ".pth", ".ckpt", ".bin", ".ts", ".safetensors"};
    return names;
}

// numpy's and PyTorch's names; LibTorch's own ("Float", "BFloat16", "Long") where the two have none.
std::string dtype_name(at::ScalarType type) {
    static const std::map<at::ScalarType, std::string> names = {
        {at::kByte, "uint8"}, {at::kChar, "int8"},        {at::kShort, "int16"},   {at::kInt, "int32"},
        {at::kLong, "int64"}, {at::kHalf, "float16"},     {at::kFloat, "float32"}, {at::kDouble, "float64"},
        {at::kBool, "bool"},  {at::kBFloat16, "bfloat16"}};
    const auto found = names.find(type);
    return found == names.end() ? at::toString(type) : found->second;
}

Report describe_tensor(const std::string& name, const at::Tensor& tensor) {
    return {{"name", name}, {"shape", tensor.sizes().vec()}, {"dtype", dtype_name(tensor.scalar_type())}};
}

Report describe(const std::filesystem::path& file) {
    const Checkpoint checkpoint = read_checkpoint(file);
    std::uint64_t parameters = 0;
    std::uint64_t bytes = 0;
    std::map<std::string, std::size_t> dtypes;
    Report tensors = Report::array();
    for (const auto& item : checkpoint.weights) {
        parameters += static_cast<std::uint64_t>(item.value().numel());
        bytes += item.value().nbytes();
        ++dtypes[dtype_name(item.value().scalar_type())];
        tensors.push_back(describe_tensor(item.key(), item.value()));
    }
    Report extra_tensors = Report::array();
    for (const auto& item : checkpoint.extra_tensors)
        extra_tensors.push_back(describe_tensor(item.key(), item.value()));
    const KeyForm key_form = key_form_of(checkpoint.weights);
    return {{"format", checkpoint.format},
            {"weights_at", checkpoint.weights_at},
            {"layout", key_form.layout},
            {"attention",
             {{"separate", key_form.separate}, {"fused", key_form.fused}, {"projections", key_form.projections}}},
            {"tensor_count", tensors.size()},
            {"parameters", parameters},
            {"bytes", bytes},
            {"dtypes", dtypes},
            {"skipped_objects", checkpoint.skipped_objects},
            {"extra_numbers", checkpoint.extra_numbers},
            {"extra_tensors", extra_tensors},
            {"tensors", tensors}};
}

// "6 blocks with to_q, to_k, to_v; 6 with a projection"
std::string attention_text(const Report& attention) {
    const auto count = [&attention](const char* key) { return attention[key].get<std::size_t>(); };
    if (count("separate") + count("fused") == 0) return "none";
    std::string text;
    if (count("separate") > 0) text = with_thousands(count("separate")) + " blocks with to_q, to_k, to_v; ";
    if (count("fused") > 0) text += with_thousands(count("fused")) + " blocks with qkv; ";
    return text + with_thousands(count("projections")) + " with a projection";
}

void print_tensors(const Report& tensors, std::size_t most, std::ostream& out) {
    const std::size_t count = std::min(most, tensors.size());
    for (std::size_t i = 0; i < count; ++i) {
        const Report& tensor = tensors[i];
        out << "  " << printable(tensor["name"]) << "  [" << join_values(tensor["shape"]) << "]  "
            << tensor["dtype"].get<std::string>() << "\n";
    }
    if (count < tensors.size()) out << "  ... " << tensors.size() - count << " more; --all lists them\n";
}

void print(const Report& report, const InspectDetail& detail, std::ostream& out) {
    const bool all = detail.all;
    const std::string at = report["weights_at"];
    print_field(out, "format", report["format"]);
    print_field(out, "weights at", at.empty() ? "top level" : printable(at));
    print_field(out, "layout", report["layout"]);
    print_field(out, "attention", attention_text(report["attention"]));
    print_field(out, "tensors", with_thousands(report["tensor_count"]));
    print_field(out, "parameters", with_thousands(report["parameters"]));
    print_field(out, "size", byte_size(report["bytes"]));
    for (const auto& [dtype, count] : report["dtypes"].items())
        print_field(out, dtype, with_thousands(count) + " tensors");
    for (const auto& [name, number] : report["extra_numbers"].items())
        print_field(out, printable(name), number.is_number() ? short_number(number) : "NaN");
    if (report["skipped_objects"] > 0)
        print_field(out, "skipped", with_thousands(report["skipped_objects"]) + " objects");
    if (!report["extra_tensors"].empty()) out << "beside the weights:\n";
    print_tensors(report["extra_tensors"], all ? report["extra_tensors"].size() : shown_tensors, out);
    out << "weights:\n";
    print_tensors(report["tensors"], all ? report["tensors"].size() : shown_tensors, out);
}

// A zip archive or a pickle of protocol 2 and later.
bool starts_as_checkpoint(const std::filesystem::path& file) {
    std::array<char, 4> start{};
    std::ifstream(file, std::ios::binary).read(start.data(), start.size());
    const std::string_view bytes(start.data(), start.size());
    return bytes == std::string_view("PK\x03\x04", 4) || bytes.substr(0, 1) == "\x80";
}

bool recognises(const std::filesystem::path& file) {
    const auto& names = extensions();
    return std::find(names.begin(), names.end(), extension(file)) != names.end() || starts_as_checkpoint(file);
}

}  // namespace

Inspector checkpoint_inspector() { return {"checkpoint", join(extensions()), recognises, describe, print}; }

}  // namespace voldiff
