// Builds the networks of a run and gives them their weights.
#include "core/error.h"
#include "core/networks/autoencoder_kl.h"
#include "core/networks/controlnet.h"
#include "core/networks/diffusion_unet.h"
#include "core/state_dict/load.h"
#include "core/torchscript/scripted_networks.h"
#include "io/checkpoint/checkpoint.h"
#include "io/checkpoint/torchscript_file.h"
#include "io/config/scalar.h"
#include "io/config/weight_path.h"
#include "io/model/model.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

namespace voldiff {

namespace {

const std::string scale_factor_key = "scale_factor";

// A tensor or a number beside the weights, or the metadata of a safetensors file.
std::optional<double> scale_factor_of(const Checkpoint& checkpoint) {
    if (checkpoint.extra_tensors.contains(scale_factor_key) &&
        checkpoint.extra_tensors[scale_factor_key].numel() == 1) {
        return checkpoint.extra_tensors[scale_factor_key].item<double>();
    }
    if (const auto number = checkpoint.extra_numbers.find(scale_factor_key); number != checkpoint.extra_numbers.end()) {
        return number->second;
    }
    const auto text = checkpoint.metadata.find(scale_factor_key);
    return text == checkpoint.metadata.end() ? std::nullopt : parse_number(text->second);
}

class ModelLoader {
  public:
    explicit ModelLoader(const RunConfig& run)
        : run_(run),
          options_(at::TensorOptions()
                       .dtype(compute_type(run.runtime, run.runtime.precision))
                       .device(at::Device(resolve_device(run.runtime.device)))) {}

    Model load() {
        if (run_.mask.from_sizes()) load_mask_generation();
        if (!run_.mask.only) load_image_networks();
        return std::move(model_);
    }

    Model load_autoencoder() {
        add_autoencoder();
        return std::move(model_);
    }

    LoadedNetwork load_one(const std::string& name) {
        options_ = at::TensorOptions().dtype(at::kFloat);
        LoadedNetwork loaded{make_network(run_.network, name), {}, {}};
        load_weights(*loaded.network, name, resolve_weight(run_, name));
        loaded.scale_factor = last_scale_factor_;
        loaded.notes = std::move(model_.notes);
        return loaded;
    }

  private:
    void add_autoencoder() {
        model_.autoencoder =
            network<AutoencoderKl, Autoencoder>("autoencoder", run_.network.autoencoder, load_scripted_autoencoder);
        if (run_.network.autoencoder.norm_float16) {
            model_.notes.push_back({"norm_float16 is ignored: group norms are computed in float32"});
        }
    }

    void load_image_networks() {
        add_autoencoder();
        model_.diffusion_unet =
            network<DiffusionUnet, Denoiser>("diffusion_unet", run_.network.diffusion_unet, load_scripted_denoiser);
        model_.scale_factor = scale_factor();
        if (run_.mask.given()) load_controlnet();
    }

    void load_mask_generation() {
        model_.mask_generation_autoencoder = network<AutoencoderKl, Autoencoder>(
            "mask_generation_autoencoder", *run_.network.mask_generation_autoencoder, load_scripted_autoencoder);
        last_scale_factor_.reset();
        model_.mask_generation_diffusion = network<DiffusionUnet, Denoiser>(
            "mask_generation_diffusion", *run_.network.mask_generation_diffusion, load_scripted_denoiser);
        model_.mask_generation_scale_factor = last_scale_factor_.value_or(run_.network.mask_generation_scale_factor);
    }

    // Our network with the weights of `weights.KEY`, or the TorchScript module that is given in its place.
    // `started_from`: see AdaptOptions.
    template <class Own, class Role, class Config, class LoadScripted>
    std::unique_ptr<Role> network(const std::string& key, const Config& config, LoadScripted load_scripted,
                                  const Module* started_from = nullptr) {
        const std::filesystem::path path = resolve_weight(run_, key);
        if (is_torchscript_module(path)) {
            note_scripted(key, path);
            std::ifstream archive = open_torchscript_module(path);
            try {
                return load_scripted(archive, config, options_);
            } catch (const Error& error) {
                throw error.within(path.string());
            }
        }
        auto own = std::make_unique<Own>(config);
        load_weights(*own, key, path, started_from);
        return own;
    }

    // MAISI trains its ControlNet from a copy of the U-Net, and saves it whole or in part.
    void load_controlnet() {
        const auto* unet = dynamic_cast<const Module*>(model_.diffusion_unet.get());
        model_.controlnet =
            network<ControlNet, Controller>("controlnet", *run_.network.controlnet, load_scripted_controller, unet);
    }

    void note_scripted(const std::string& key, const std::filesystem::path& path) {
        const auto extras = check_torchscript_module(path);
        const auto factor = extras.find(scale_factor_key);
        last_scale_factor_ = factor == extras.end() ? std::nullopt : parse_number(factor->second);
        model_.files.push_back({key, path, "torchscript module"});
        model_.notes.push_back({"weights." + key + ": " + path.string() + " is run as a TorchScript module"});
    }

    void load_weights(Network& network, const std::string& key, const std::filesystem::path& path,
                      const Module* started_from = nullptr) {
        const Checkpoint checkpoint = read_checkpoint(path);
        const AdaptOptions options{network.layouts(), run_.weights.layout, projection_rule(run_.weights.projection),
                                   started_from};
        const LoadTarget target{c10::typeMetaToScalarType(options_.dtype()), options_.device(),
                                run_.runtime.channels_last};
        try {
            add_notes(load_state_dict(network, checkpoint.weights, target, options), key);
        } catch (const Error& error) {
            throw error.within(path.string());
        }
        last_scale_factor_ = scale_factor_of(checkpoint);
        model_.files.push_back({key, path, checkpoint.format});
        model_.attention[key] = attention_record(network);
    }

    void add_notes(const std::vector<Change>& changes, const std::string& key) {
        for (const Change& change : changes) {
            model_.notes.push_back({"weights." + key + ": " + std::to_string(change.names.size()) + " tensors (" +
                                        change.names.front() + ", ...): " + change.what,
                                    change.suspicious});
        }
    }

    // Beside the weights of the network that was loaded last, the U-Net.
    double scale_factor() const {
        if (run_.weights.scale_factor > 0) return run_.weights.scale_factor;
        if (last_scale_factor_) return *last_scale_factor_;
        throw Error(
            ErrorCode::weights,
            model_.files.back().path.string() +
                ": no scale_factor beside the weights, expected a number or a tensor\nthe diffusion checkpoints "
                "of MAISI hold one (is this the autoencoder's file?); weights.scale_factor gives it otherwise");
    }

    const RunConfig& run_;
    at::TensorOptions options_;
    std::optional<double> last_scale_factor_;
    Model model_;
};

}  // namespace

Model load_model(const RunConfig& run) { return ModelLoader(run).load(); }

Model load_autoencoder(const RunConfig& run) { return ModelLoader(run).load_autoencoder(); }

LoadedNetwork load_network(const RunConfig& run, const std::string& name) { return ModelLoader(run).load_one(name); }

}  // namespace voldiff
