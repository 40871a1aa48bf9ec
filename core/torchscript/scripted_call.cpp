#include "core/torchscript/scripted_call.h"

#include "core/error.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/version.h>

#include <algorithm>
#include <istream>
#include <sstream>

namespace voldiff {

namespace {

bool holds(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

// LibTorch says the reason in the first line, or, after a trace through the script's source, in the last.
std::string first_line(const std::string& text) {
    const std::size_t start = text.find_first_not_of(" \n");
    return start == std::string::npos ? text : text.substr(start, text.find('\n', start) - start);
}

std::string reason(const std::string& text) {
    const std::size_t traced = text.rfind("RuntimeError: ");
    return first_line(traced == std::string::npos ? text : text.substr(traced));
}

bool is_given(const c10::IValue& value) {
    return !value.isNone() && !(value.isTensor() && !value.toTensor().defined());
}

}  // namespace

ScriptedMethod::ScriptedMethod(const torch::jit::Module& module, const std::string& name,
                               std::vector<std::string> needed, std::vector<std::string> optional)
    : module_(module), name_(name) {
    const auto method = module_.find_method(name);
    if (!method) throw Error(ErrorCode::weights, "the TorchScript module has no method '" + name + "'");
    std::string wrong;
    for (const c10::Argument& argument : method->function().getSchema().arguments()) {
        const bool known =
            argument.name() == "self" || holds(needed, argument.name()) || holds(optional, argument.name());
        if (!known && !argument.default_value()) wrong += ", unknown '" + argument.name() + "'";
        needed.erase(std::remove(needed.begin(), needed.end(), argument.name()), needed.end());
    }
    for (const std::string& missing : needed) wrong += ", no '" + missing + "'";
    if (wrong.empty()) return;
    throw Error(ErrorCode::weights, "the TorchScript module has " + signature() + ": " + wrong.substr(2) +
                                        "\nexpected the arguments that the network file asks for, by MONAI's names");
}

std::string ScriptedMethod::signature() const {
    std::ostringstream text;
    const auto method = module_.find_method(name_);
    text << name_ << "(";
    const char* separator = "";
    for (const c10::Argument& argument : method->function().getSchema().arguments()) {
        if (argument.name() == "self") continue;
        text << separator << argument.name();
        separator = ", ";
    }
    text << ")";
    return text.str();
}

c10::IValue ScriptedMethod::operator()(const ScriptedArguments& arguments) const {
    const auto method = module_.find_method(name_);
    std::vector<c10::IValue> stack;
    for (const c10::Argument& argument : method->function().getSchema().arguments()) {
        if (argument.name() == "self") continue;
        const auto given = std::find_if(arguments.begin(), arguments.end(), [&argument](const auto& each) {
            return each.first == argument.name() && is_given(each.second);
        });
        if (given != arguments.end()) {
            stack.push_back(given->second);
        } else if (argument.default_value()) {
            stack.push_back(*argument.default_value());
        } else {
            throw Error(ErrorCode::config, "the network takes " + argument.name() + ", but none is given");
        }
    }
    try {
        return (*method)(std::move(stack));
    } catch (const c10::Error& error) {
        throw Error(ErrorCode::weights,
                    "the TorchScript module fails in " + signature() + ": " + reason(error.what_without_backtrace()));
    } catch (const std::exception& error) {
        throw Error(ErrorCode::weights, "the TorchScript module fails in " + signature() + ": " + reason(error.what()) +
                                            "\na traced module may run only at the size that it was traced with");
    }
}

torch::jit::Module load_scripted(std::istream& archive, const at::TensorOptions& options) {
    try {
        torch::jit::Module module = torch::jit::load(archive, at::kCPU);
        module.eval();
        module.to(options.device(), c10::typeMetaToScalarType(options.dtype()));
        return module;
    } catch (const std::exception& error) {
        throw Error(
            ErrorCode::weights,
            "is not a TorchScript module that this LibTorch (" TORCH_VERSION ") can load: " + reason(error.what()) +
                "\nwas it saved by a newer PyTorch? trace or script it with an older one, "
                "or build voldiff with a newer LibTorch");
    }
}

std::vector<at::Tensor> flatten_result(const c10::IValue& value) {
    if (value.isTensor()) return {value.toTensor()};
    std::vector<at::Tensor> tensors;
    const auto add = [&tensors](const c10::IValue& item) {
        for (at::Tensor& tensor : flatten_result(item)) tensors.push_back(std::move(tensor));
    };
    if (value.isTuple()) {
        for (const c10::IValue& item : value.toTupleRef().elements()) add(item);
    } else if (value.isTensorList()) {
        for (const at::Tensor& item : value.toTensorVector()) tensors.push_back(item);
    } else if (value.isList()) {
        for (const c10::IValue& item : value.toListRef()) add(item);
    } else {
        throw Error(ErrorCode::weights, "the TorchScript module returns " + value.tagKind() + ", expected tensors");
    }
    return tensors;
}

}  // namespace voldiff
