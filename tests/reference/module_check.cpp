// Networks and blocks: build the class, load its weights strictly, run the calls.
#include "core/blocks/attention_layer.h"
#include "core/blocks/sa_block.h"
#include "core/blocks/spatial_transformer.h"
#include "core/networks/autoencoder_kl.h"
#include "core/networks/diffusion_unet.h"
#include "core/state_dict/load.h"
#include "tests/reference/checks.h"

#include <map>

namespace voldiff::reference {

namespace {

// The tensors of one call. "tensor:input.x" names the tensor input.x.
class Arguments {
  public:
    Arguments(const Case& reference, const nlohmann::json& kwargs) : reference_(reference), kwargs_(kwargs) {}

    at::Tensor operator[](const std::string& name) const {
        const auto argument = kwargs_.find(name);
        return argument == kwargs_.end() || argument->is_null() ? at::Tensor() : find(argument->get<std::string>());
    }
    std::vector<at::Tensor> list(const std::string& name) const {
        std::vector<at::Tensor> tensors;
        if (!kwargs_.contains(name) || kwargs_.at(name).is_null()) return tensors;
        for (const auto& item : kwargs_.at(name)) {
            tensors.push_back(find(item.get<std::string>()));
        }
        return tensors;
    }

  private:
    at::Tensor find(const std::string& reference) const {
        return reference_.tensor(reference.substr(std::string("tensor:").size()));
    }
    const Case& reference_;
    const nlohmann::json& kwargs_;
};

using Call = std::function<std::vector<at::Tensor>(const std::string& method, const Arguments&)>;

struct Subject {
    std::shared_ptr<Module> module;
    Call call;
    std::function<at::Tensor()> att_mat;
};

template <class Block>
Subject make_attention(const std::shared_ptr<Block>& block, const Call& call) {
    return {block, call, [block] { return block->att_mat(); }};
}

Subject make_sa_block(const Case& reference) {
    const auto block = std::make_shared<SABlock>(read_arguments<SABlockConfig>(reference.body.at("constructor")));
    return make_attention(block, [block](const std::string&, const Arguments& a) {
        return std::vector<at::Tensor>{block->forward(a["x"], a["attn_mask"])};
    });
}

Subject make_cross_attention(const Case& reference) {
    const auto block = std::make_shared<CrossAttentionBlock>(
        read_arguments<CrossAttentionBlockConfig>(reference.body.at("constructor")));
    return make_attention(block, [block](const std::string&, const Arguments& a) {
        return std::vector<at::Tensor>{block->forward(a["x"], a["context"])};
    });
}

template <class Config, class Block>
Subject make_attention_layer(const Case& reference) {
    const auto block = std::make_shared<Block>(read_arguments<Config>(reference.body.at("constructor")));
    return {block,
            [block](const std::string&, const Arguments& a) {
                return std::vector<at::Tensor>{block->attend(a["x"], a["context"])};
            },
            {}};
}

Subject make_autoencoder(const Case& reference) {
    AutoencoderKlConfig defaults = AutoencoderKlConfig::of(reference.class_name());
    defaults.drop_split_remainder = true;  // the class as it is
    if (defaults.maisi) defaults.num_splits = 16;
    const auto network = std::make_shared<AutoencoderKl>(read_arguments(reference.body.at("constructor"), defaults));
    return {network,
            [network](const std::string& method, const Arguments& a) -> std::vector<at::Tensor> {
                if (method == "encode") {
                    const LatentDistribution z = network->encode(a["x"]);
                    return {z.mean, z.sigma};
                }
                if (method == "decode") return {network->decode(a["z"])};
                if (method == "decode_stage_2_outputs") return {network->decode_stage_2_outputs(a["z"])};
                if (method == "reconstruct") return {network->decode(network->encode(a["x"]).mean)};
                throw NotCovered{"method " + method};
            },
            {}};
}

Subject make_unet(const Case& reference) {
    const auto network = std::make_shared<DiffusionUnet>(
        read_arguments(reference.body.at("constructor"), DiffusionUnetConfig::of(reference.class_name())));
    return {network,
            [network](const std::string&, const Arguments& a) {
                UnetConditions conditions{a["class_labels"], a["top_region_index_tensor"],
                                          a["bottom_region_index_tensor"], a["spacing_tensor"], a["context"]};
                UnetResiduals residuals{a.list("down_block_additional_residuals"), a["mid_block_additional_residual"]};
                return std::vector<at::Tensor>{network->forward(a["x"], a["timesteps"], conditions, residuals)};
            },
            {}};
}

Subject make_subject(const Case& reference) {
    static const std::map<std::string, std::function<Subject(const Case&)>> classes = {
        {"SABlock", make_sa_block},
        {"CrossAttentionBlock", make_cross_attention},
        {"SpatialAttentionBlock", make_attention_layer<SpatialAttentionBlockConfig, SpatialAttentionBlock>},
        {"SpatialTransformer", make_attention_layer<SpatialTransformerConfig, SpatialTransformer>},
        {"AutoencoderKlMaisi", make_autoencoder},
        {"AutoencoderKL", make_autoencoder},
        {"DiffusionModelUNetMaisi", make_unet},
        {"DiffusionModelUNet", make_unet},
    };
    const auto found = classes.find(reference.class_name());
    if (found == classes.end()) throw NotCovered{"class " + reference.class_name()};
    return found->second(reference);
}

void run_call(const Case& reference, const nlohmann::json& call, const Subject& subject, Comparison& comparison) {
    const nlohmann::json kwargs = call.value("kwargs", nlohmann::json::object());
    const std::vector<at::Tensor> outputs = subject.call(call.value("method", "forward"), Arguments(reference, kwargs));
    const auto names = call.at("outputs").get<std::vector<std::string>>();
    if (names.size() != outputs.size()) throw NotCovered{"calls with " + std::to_string(names.size()) + " outputs"};
    for (std::size_t i = 0; i < names.size(); ++i) {
        comparison.equal(names[i], outputs[i], reference.tensor(names[i]));
    }
    const nlohmann::json attributes = call.value("attributes", nlohmann::json::object());
    for (const auto& [attribute, name] : attributes.items()) {
        if (attribute != "att_mat" || !subject.att_mat) throw NotCovered{"attribute " + attribute};
        comparison.equal(attribute, subject.att_mat(), reference.tensor(name.get<std::string>()));
    }
}

}  // namespace

void check_module(const Case& reference, Comparison& comparison) {
    const Subject subject = make_subject(reference);
    load_state_dict(*subject.module, reference.weights(), {std::nullopt, at::kCPU});
    for (const nlohmann::json& call : reference.body.at("calls")) run_call(reference, call, subject, comparison);
}

void check_layout_pair(const Case& reference, Comparison& comparison) {
    if (reference.class_name() != "SABlock") throw NotCovered{"class " + reference.class_name()};
    for (const std::string layout : {"separate", "fused"}) {
        SABlock block(read_arguments<SABlockConfig>(reference.body.at("constructor_" + layout)));
        load_state_dict(block, reference.weights("weights_" + layout + "."), {std::nullopt, at::kCPU});
        comparison.equal(layout, block.forward(reference.tensor("input.x")), reference.tensor("output." + layout));
    }
}

}  // namespace voldiff::reference
