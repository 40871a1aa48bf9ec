#include "app/batch/rehearsal.h"

#include "app/exit_codes.h"
#include "app/generation.h"
#include "core/decode/decode_planner.h"
#include "core/networks/probe.h"
#include "io/system/system.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <chrono>
#include <iostream>

namespace voldiff {

namespace {

constexpr double most_of_unet = 1.6e11;   // multiplications of a call: about a second of two cores
constexpr double most_of_decode = 2e10;   // of a decoding, which counts what Winograd's method leaves of them
constexpr double enough_seconds = 0.4;    // of calls, for their mean
constexpr std::int64_t least_latent = 8;  // extent that is decoded

using Clock = std::chrono::steady_clock;

double voxels(const Extents& e) {
    return static_cast<double>(e[0]) * static_cast<double>(e[1]) * static_cast<double>(e[2]);
}

struct Call {
    double seconds = 0;
    double kept = 0;    // bytes resident between calls: weights, also rearranged ones
    double memory = 0;  // bytes that a call adds
};

// The first call reads the weights from the disk and rearranges them, which a run does once.
Call time_call(const std::function<void()>& call) {
    call();
    Call cost;
    cost.kept = static_cast<double>(resident_memory());
    reset_peak_memory();
    const auto start = Clock::now();
    int calls = 0;
    while (cost.seconds < enough_seconds) {
        call();
        ++calls;
        cost.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    }
    cost.seconds /= calls;
    cost.memory = std::max(static_cast<double>(peak_memory()) - cost.kept, 0.0);
    return cost;
}

// A step of denoising, and of the controller that steers it, for a latent of these extents.
Call cost_of_step(Denoiser& unet, Controller* controller, const Extents& latent, bool guided) {
    const auto work = [&](const Extents& e) { return unet_work(unet.config(), e); };
    const Extents tried = affordable_extents(latent, unet.config().extent_multiple(), most_of_unet, work);
    Call cost = time_call([&] {
        probe(unet, 0, tried);
        if (controller != nullptr) probe(*controller, 0, tried);
    });
    const double pair = guided ? 2 : 1;  // with the conditions and without, in one call
    cost.seconds *= pair * work(latent) / work(tried);
    cost.memory *= pair * voxels(latent) / voxels(tried);
    return cost;
}

double seconds_of_decode(Autoencoder& autoencoder, const Extents& latent, const DecodeOptions& options) {
    const Extents piece = find_decode_method(options.method).extents_at_once(latent, options);
    const bool streams = autoencoder.decode_cost(piece, {}).has_value();
    const DecodeOptions whole{"whole", options.roi, options.overlap, options.mode};
    const auto work = [&](const Extents& e) {
        return predict_decode(autoencoder, e, whole).work * (streams ? 1 : voxels(e));
    };
    const double limit = streams ? most_of_decode : voxels({least_latent, least_latent, least_latent});
    const Extents tried = affordable_extents(piece, least_latent, limit, work);
    const at::Tensor z = at::zeros({1, autoencoder.config().latent_channels, tried[0], tried[1], tried[2]}, at::kFloat);
    const double pieces =
        predict_decode(autoencoder, latent, options).work / predict_decode(autoencoder, piece, whole).work;
    return time_call([&] { decode_latent(autoencoder, z, whole); }).seconds * work(piece) / work(tried) * pieces;
}

// Denoising and decoding, one after the other.
Estimate cost_of_stages(Denoiser& unet, Controller* controller, Autoencoder& autoencoder, const Extents& latent,
                        double calls, bool guided, const DecodeOptions& decode) {
    const Call step = cost_of_step(unet, controller, latent, guided);
    unet.release_packed_weights();  // as denoising does at its end
    if (controller != nullptr) controller->release_packed_weights();
    const double decode_memory =
        static_cast<double>(resident_memory()) + predict_decode(autoencoder, latent, decode).bytes;
    return {calls * step.seconds + seconds_of_decode(autoencoder, latent, decode),
            std::max(step.kept + step.memory, decode_memory)};
}

Estimate cost_of_image(const Generation& generation, const RunConfig& run) {
    const nlohmann::ordered_json plan = generation.plan();
    const Model& model = generation.model();
    const Extents latent = plan.at("latent");
    return cost_of_stages(*model.diffusion_unet, model.controlnet.get(), *model.autoencoder, latent,
                          plan.at("network_calls").get<double>(), run.sampling.guidance_scale > 0, generation.decode());
}

// Without the clean-up of the mask, which is the same for all.
Estimate cost_of_mask(const Model& model, const RunConfig& run) {
    const std::vector<std::int64_t>& shape = run.network.mask_generation_latent_shape;
    const DecodeOptions decode{"whole", run.decode.roi, run.decode.overlap, "min"};
    return cost_of_stages(*model.mask_generation_diffusion, nullptr, *model.mask_generation_autoencoder,
                          {shape.at(1), shape.at(2), shape.at(3)}, static_cast<double>(run.mask.steps), false, decode);
}

double volume_memory(const Work& work) {
    double bytes = 4;  // int16, and the one before that is written meanwhile
    for (const std::int64_t extent : work.size) bytes *= static_cast<double>(extent);
    return bytes;
}

}  // namespace

Extents affordable_extents(Extents extents, std::int64_t multiple, double most,
                           const std::function<double(const Extents&)>& work) {
    while (work(extents) > most) {
        std::int64_t& longest = *std::max_element(extents.begin(), extents.end());
        if (longest / 2 < multiple) break;
        longest = longest / 2 / multiple * multiple;
    }
    return extents;
}

Rehearsal::Rehearsal(std::shared_ptr<ModelStore> store, Context& context, bool beyond_training)
    : store_(std::move(store)),
      log_(std::cerr, false, false),
      context_{log_, context.cancel, context.out},
      beyond_training_(beyond_training) {
    log_.set_level(LogLevel::error);
}

Estimate Rehearsal::of(const Job& job) {
    RunConfig run = *job.run;
    if (!run.mask.only) {
        run.decode.method = job.work->decode.method;
        run.decode.roi = job.work->decode.roi;
        run.decode.mode = job.work->decode.mode;
    }
    store_->keep_only(nullptr);  // so that one model at a time is in memory
    const Generation generation(run, {}, context_, beyond_training_, store_);
    Estimate sum;
    const auto add = [&sum](const Estimate& part) {
        sum.seconds += part.seconds;
        sum.memory = std::max(sum.memory, part.memory);
    };
    if (run.mask.from_sizes()) add(cost_of_mask(generation.model(), run));
    if (!run.mask.only) add(cost_of_image(generation, run));
    sum.memory = std::max(sum.memory, static_cast<double>(resident_memory())) + volume_memory(*job.work);
    return sum;
}

std::map<std::string, Estimate> rehearse(std::vector<Job>& jobs, const std::set<std::string>& known,
                                         Rehearsal& rehearsal, Context& context) {
    std::map<std::string, Estimate> estimates;
    std::map<std::string, Error> problems;
    for (Job& job : jobs) {
        if (job.problem || known.count(job.work->kind) != 0) continue;
        const std::string& kind = job.work->kind;
        if (estimates.count(kind) == 0 && problems.count(kind) == 0) {
            context.cancel.check();
            if (estimates.empty()) context.log.info("calling each network once or twice, for times and memory");
            try {
                estimates[kind] = rehearsal.of(job);
            } catch (const std::exception& exception) {
                problems.emplace(kind, as_error(exception));
            }
        }
        if (const auto problem = problems.find(kind); problem != problems.end()) job.problem = problem->second;
    }
    return estimates;
}

}  // namespace voldiff
