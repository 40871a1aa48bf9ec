#include "core/torchscript/scripted_networks.h"

#include "core/error.h"
#include "core/torchscript/scripted_call.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <optional>
#include <sstream>

namespace voldiff {

namespace {

void expect_shape(const at::Tensor& tensor, const std::vector<std::int64_t>& shape, const char* what) {
    if (tensor.sizes() == at::IntArrayRef(shape)) return;
    std::ostringstream message;
    message << "the TorchScript module returns " << what << " of " << tensor.sizes() << ", expected "
            << at::IntArrayRef(shape) << "; does it belong to this network file?";
    throw Error(ErrorCode::weights, message.str());
}

at::Tensor single(const c10::IValue& result) {
    const std::vector<at::Tensor> tensors = flatten_result(result);
    if (tensors.size() == 1) return tensors.front();
    throw Error(ErrorCode::weights,
                "the TorchScript module returns " + std::to_string(tensors.size()) + " tensors, expected one");
}

c10::IValue list_or_none(const std::vector<at::Tensor>& tensors) {
    return tensors.empty() ? c10::IValue() : c10::IValue(tensors);
}

class ScriptedAutoencoder : public Autoencoder {
  public:
    ScriptedAutoencoder(torch::jit::Module module, AutoencoderKlConfig config, at::TensorOptions options)
        : config_(std::move(config)),
          options_(options),
          decode_(module, module.find_method("decode") ? "decode" : "forward", {"z"}) {
        if (module.find_method("encode")) encode_.emplace(module, "encode", std::vector<std::string>{"x"});
    }

    LatentDistribution encode(const at::Tensor& image, const BlockProgress& progress) override {
        if (!encode_)
            throw Error(ErrorCode::weights, "the TorchScript module cannot encode: it has no method 'encode'");
        const auto results = flatten_result((*encode_)({{"x", image}}));
        if (results.size() != 2)
            throw Error(ErrorCode::weights,
                        "encode returns " + std::to_string(results.size()) + " tensors, expected mean and sigma");
        if (progress) progress(1, 1);
        return {results[0], results[1]};
    }

    at::Tensor decode(const at::Tensor& latent, const BlockProgress& progress) override {
        if (progress) progress(0, 1);
        at::Tensor image = single(decode_({{"z", latent}}));
        const std::int64_t factor = config_.downsampling();
        expect_shape(image,
                     {latent.size(0), config_.out_channels, latent.size(2) * factor, latent.size(3) * factor,
                      latent.size(4) * factor},
                     "an image");
        if (progress) progress(1, 1);
        return image;
    }

    const AutoencoderKlConfig& config() const override { return config_; }
    at::TensorOptions options() const override { return options_; }

  private:
    AutoencoderKlConfig config_;
    at::TensorOptions options_;
    ScriptedMethod decode_;
    std::optional<ScriptedMethod> encode_;
};

const std::vector<std::string> residual_names = {"down_block_additional_residuals", "mid_block_additional_residual"};

std::vector<std::string> argument_names(const DiffusionUnetConfig& config) {
    std::vector<std::string> names = {"x", "timesteps"};
    if (config.with_conditioning) names.emplace_back("context");
    if (config.num_class_embeds) names.emplace_back("class_labels");
    if (config.include_top_region_index_input) names.emplace_back("top_region_index_tensor");
    if (config.include_bottom_region_index_input) names.emplace_back("bottom_region_index_tensor");
    if (config.include_spacing_input) names.emplace_back("spacing_tensor");
    return names;
}

class ScriptedDenoiser : public Denoiser {
  public:
    ScriptedDenoiser(const torch::jit::Module& module, DiffusionUnetConfig config, at::TensorOptions options)
        : config_(std::move(config)),
          options_(options),
          takes_residuals_(has_argument(module, residual_names.front())),
          forward_(module, "forward", argument_names(config_), residual_names) {}

    at::Tensor forward(const at::Tensor& x, const at::Tensor& timesteps, const UnetConditions& c,
                       const UnetResiduals& residuals) override {
        if (!takes_residuals_ && !residuals.down.empty()) {
            throw Error(ErrorCode::weights, "the TorchScript module does not take a ControlNet's residuals (argument " +
                                                residual_names.front() + ")");
        }
        at::Tensor y = single(forward_({{"x", x},
                                        {"timesteps", timesteps},
                                        {"context", c.context},
                                        {"class_labels", c.class_labels},
                                        {"top_region_index_tensor", c.top_region_index_tensor},
                                        {"bottom_region_index_tensor", c.bottom_region_index_tensor},
                                        {"spacing_tensor", c.spacing_tensor},
                                        {residual_names[0], list_or_none(residuals.down)},
                                        {residual_names[1], residuals.mid}}));
        std::vector<std::int64_t> shape = x.sizes().vec();
        shape[1] = config_.out_channels;
        expect_shape(y, shape, "a prediction");
        return y;
    }

    const DiffusionUnetConfig& config() const override { return config_; }
    at::TensorOptions options() const override { return options_; }

  private:
    static bool has_argument(const torch::jit::Module& module, const std::string& name) {
        const auto method = module.find_method("forward");
        return method && method->function().getSchema().argumentIndexWithName(name).has_value();
    }

    DiffusionUnetConfig config_;
    at::TensorOptions options_;
    bool takes_residuals_;
    ScriptedMethod forward_;
};

std::vector<std::string> argument_names(const ControlNetConfig& config) {
    std::vector<std::string> names = {"x", "timesteps", "controlnet_cond"};
    if (config.with_conditioning) names.emplace_back("context");
    if (config.num_class_embeds) names.emplace_back("class_labels");
    return names;
}

class ScriptedController : public Controller {
  public:
    ScriptedController(const torch::jit::Module& module, ControlNetConfig config, at::TensorOptions options)
        : config_(std::move(config)), options_(options), forward_(module, "forward", argument_names(config_)) {}

    // The scale is applied here: a traced module has none.
    UnetResiduals forward(const at::Tensor& x, const at::Tensor& timesteps, const ControlNetConditions& c) override {
        UnetResiduals residuals;
        residuals.down = flatten_result(forward_({{"x", x},
                                                  {"timesteps", timesteps},
                                                  {"controlnet_cond", c.controlnet_cond},
                                                  {"context", c.context},
                                                  {"class_labels", c.class_labels}}));
        if (residuals.down.size() < 2) throw Error(ErrorCode::weights, "the TorchScript module returns no residuals");
        for (at::Tensor& residual : residuals.down) residual = residual * c.conditioning_scale;
        residuals.mid = residuals.down.back();
        residuals.down.pop_back();
        return residuals;
    }

    const ControlNetConfig& config() const override { return config_; }
    at::TensorOptions options() const override { return options_; }

  private:
    ControlNetConfig config_;
    at::TensorOptions options_;
    ScriptedMethod forward_;
};

}  // namespace

std::unique_ptr<Autoencoder> load_scripted_autoencoder(std::istream& archive, const AutoencoderKlConfig& config,
                                                       const at::TensorOptions& options) {
    return std::make_unique<ScriptedAutoencoder>(load_scripted(archive, options), config, options);
}

std::unique_ptr<Denoiser> load_scripted_denoiser(std::istream& archive, const DiffusionUnetConfig& config,
                                                 const at::TensorOptions& options) {
    return std::make_unique<ScriptedDenoiser>(load_scripted(archive, options), config, options);
}

std::unique_ptr<Controller> load_scripted_controller(std::istream& archive, const ControlNetConfig& config,
                                                     const at::TensorOptions& options) {
    return std::make_unique<ScriptedController>(load_scripted(archive, options), config, options);
}

}  // namespace voldiff
