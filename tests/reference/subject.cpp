#include "tests/reference/subject.h"

#include "core/blocks/attention_layer.h"
#include "core/blocks/sa_block.h"
#include "core/blocks/spatial_transformer.h"
#include "core/networks/autoencoder_kl.h"
#include "core/networks/controlnet.h"
#include "core/networks/diffusion_unet.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <map>

namespace voldiff::reference {

namespace {

using Tensors = std::vector<at::Tensor>;

template <class Block>
Subject make_attention(const std::shared_ptr<Block>& block,
                       std::function<Tensors(const std::string&, const Arguments&)> call) {
    return {block, std::move(call), {native_layout()}, [block] { return block->att_mat(); }};
}

Subject make_sa_block(const std::string& /*class_name*/, const nlohmann::json& constructor, Hints /*hints*/) {
    const auto block = std::make_shared<SABlock>(read_arguments<SABlockConfig>(constructor));
    return make_attention(block, [block](const std::string&, const Arguments& a) {
        return Tensors{block->forward(a["x"], a["attn_mask"])};
    });
}

Subject make_cross_attention(const std::string& /*class_name*/, const nlohmann::json& constructor, Hints /*hints*/) {
    const auto block = std::make_shared<CrossAttentionBlock>(read_arguments<CrossAttentionBlockConfig>(constructor));
    return make_attention(block, [block](const std::string&, const Arguments& a) {
        return Tensors{block->forward(a["x"], a["context"])};
    });
}

template <class Config, class Block>
Subject make_attention_layer(const std::string& /*class_name*/, const nlohmann::json& constructor, Hints /*hints*/) {
    const auto block = std::make_shared<Block>(read_arguments<Config>(constructor));
    Subject subject;
    subject.module = block;
    subject.call = [block](const std::string&, const Arguments& a) {
        return Tensors{block->attend(a["x"], a["context"])};
    };
    return subject;
}

Tensors call_autoencoder(AutoencoderKl& network, const std::string& method, const Arguments& a) {
    if (method == "encode") {
        const LatentDistribution z = network.encode(a["x"]);
        return {z.mean, z.sigma};
    }
    if (method == "decode") return {network.decode(a["z"])};
    if (method == "decode_stage_2_outputs") return {network.decode_stage_2_outputs(a["z"])};
    if (method == "reconstruct") return {network.decode(network.encode(a["x"]).mean)};
    throw NotCovered{"method " + method};
}

Subject make_autoencoder(const std::string& class_name, const nlohmann::json& constructor, Hints hints) {
    AutoencoderKlConfig defaults = AutoencoderKlConfig::of(class_name);
    defaults.hints_act = hints == Hints::act;
    if (defaults.maisi) defaults.num_splits = 16;
    const auto network = std::make_shared<AutoencoderKl>(read_arguments(constructor, defaults));
    return {network,
            [network](const std::string& method, const Arguments& a) { return call_autoencoder(*network, method, a); },
            network->layouts(),
            {}};
}

Subject make_unet(const std::string& class_name, const nlohmann::json& constructor, Hints /*hints*/) {
    const auto network =
        std::make_shared<DiffusionUnet>(read_arguments(constructor, DiffusionUnetConfig::of(class_name)));
    return {network,
            [network](const std::string&, const Arguments& a) {
                UnetConditions conditions{a["class_labels"], a["top_region_index_tensor"],
                                          a["bottom_region_index_tensor"], a["spacing_tensor"], a["context"]};
                UnetResiduals residuals{a.list("down_block_additional_residuals"), a["mid_block_additional_residual"]};
                return Tensors{network->forward(a["x"], a["timesteps"], conditions, residuals)};
            },
            network->layouts(),
            {}};
}

Subject make_controlnet(const std::string& class_name, const nlohmann::json& constructor, Hints /*hints*/) {
    const auto network = std::make_shared<ControlNet>(read_arguments(constructor, ControlNetConfig::of(class_name)));
    return {network,
            [network](const std::string&, const Arguments& a) {
                const ControlNetConditions conditions{
                    a["controlnet_cond"], a["class_labels"], a["context"], a.number("conditioning_scale", 1), {}};
                UnetResiduals residuals = network->forward(a["x"], a["timesteps"], conditions);
                residuals.down.push_back(residuals.mid);
                return residuals.down;
            },
            network->layouts(),
            {}};
}

// "down.*" stands for as many outputs as are not named otherwise.
std::vector<std::string> expand_names(const std::vector<std::string>& names, std::size_t outputs) {
    std::vector<std::string> all;
    for (const std::string& name : names) {
        if (name.size() < 2 || name.compare(name.size() - 2, 2, ".*") != 0) {
            all.push_back(name);
            continue;
        }
        for (std::size_t i = 0; i + names.size() <= outputs; ++i) {
            all.push_back(name.substr(0, name.size() - 1) + std::to_string(i));
        }
    }
    return all;
}

}  // namespace

at::Tensor Arguments::find(const nlohmann::json& argument) const {
    const bool converted = argument.is_object();
    const std::string name = converted ? argument.at("tensor").get<std::string>()
                                       : argument.get<std::string>().substr(std::string("tensor:").size());
    const at::Tensor& tensor = reference_.tensor(name);
    if (!converted) return tensor;
    if (argument.at("as") != "torch:float32") throw NotCovered{"an argument as " + argument.at("as").dump()};
    return tensor.to(at::kFloat);
}

at::Tensor Arguments::operator[](const std::string& name) const {
    const auto argument = kwargs_.find(name);
    return argument == kwargs_.end() || argument->is_null() ? at::Tensor() : find(*argument);
}

std::vector<at::Tensor> Arguments::list(const std::string& name) const {
    std::vector<at::Tensor> tensors;
    if (!kwargs_.contains(name) || kwargs_.at(name).is_null()) return tensors;
    for (const auto& item : kwargs_.at(name)) tensors.push_back(find(item));
    return tensors;
}

Subject make_subject(const std::string& class_name, const nlohmann::json& constructor, Hints hints) {
    using Make = std::function<Subject(const std::string&, const nlohmann::json&, Hints)>;
    static const std::map<std::string, Make> classes = {
        {"SABlock", make_sa_block},
        {"CrossAttentionBlock", make_cross_attention},
        {"SpatialAttentionBlock", make_attention_layer<SpatialAttentionBlockConfig, SpatialAttentionBlock>},
        {"SpatialTransformer", make_attention_layer<SpatialTransformerConfig, SpatialTransformer>},
        {"AutoencoderKlMaisi", make_autoencoder},
        {"AutoencoderKL", make_autoencoder},
        {"DiffusionModelUNetMaisi", make_unet},
        {"DiffusionModelUNet", make_unet},
        {"ControlNetMaisi", make_controlnet},
        {"ControlNet", make_controlnet},
    };
    const std::string name = class_name.substr(class_name.rfind('.') + 1);
    const auto found = classes.find(name);
    if (found == classes.end()) {
        if (auto block = make_block_subject(name, constructor)) return *block;
    }
    if (found == classes.end()) throw NotCovered{"class " + name};
    return found->second(name, constructor, hints);
}

void run_call(const Case& reference, const nlohmann::json& call, const Subject& subject, const std::string& prefix,
              Comparison& comparison) {
    const nlohmann::json kwargs = call.value("kwargs", nlohmann::json::object());
    const Tensors outputs = subject.call(call.value("method", "forward"), Arguments(reference, kwargs));
    const auto names = expand_names(call.at("outputs").get<std::vector<std::string>>(), outputs.size());
    if (names.size() != outputs.size()) throw NotCovered{"calls with " + std::to_string(names.size()) + " outputs"};
    for (std::size_t i = 0; i < names.size(); ++i) {
        comparison.equal(prefix + names[i], outputs[i], reference.tensor(prefix + names[i]));
    }
    const nlohmann::json attributes = call.value("attributes", nlohmann::json::object());
    for (const auto& [attribute, name] : attributes.items()) {
        if (attribute != "att_mat" || !subject.att_mat) throw NotCovered{"attribute " + attribute};
        comparison.equal(attribute, subject.att_mat(), reference.tensor(name.get<std::string>()));
    }
}

}  // namespace voldiff::reference
