// Schedulers with a fixed function in place of the network, timestep tables, and noise.
#include "core/pipeline/random.h"
#include "core/schedulers/rflow.h"
#include "io/config/scheduler_config.h"
#include "tests/reference/checks.h"
#include "tests/reference/subject.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tanh.h>

namespace voldiff::reference {

namespace {

// What MONAI takes elsewhere (eta with every step, attributes set afterwards) is an option here.
nlohmann::json all_options(const nlohmann::json& description) {
    nlohmann::json options = description.at("constructor");
    for (const char* further : {"step_kwargs", "set_attributes"}) {
        if (description.contains(further)) options.update(description.at(further));
    }
    return options;
}

// Given as such, or as the shape that has them.
std::int64_t voxels_of(const nlohmann::json& description) {
    const nlohmann::json& arguments = description.at("set_timesteps");
    if (arguments.contains("input_img_size_numel")) return arguments.at("input_img_size_numel").get<std::int64_t>();
    std::int64_t voxels = 1;
    if (!description.contains("input_img_shape") || description.at("input_img_shape").is_null()) return voxels;
    for (const nlohmann::json& extent : description.at("input_img_shape")) voxels *= extent.get<std::int64_t>();
    return voxels;
}

void set_timesteps(Scheduler& scheduler, const nlohmann::json& description, bool numel_is_tensor) {
    if (auto* flow = dynamic_cast<RFlowScheduler*>(&scheduler)) {
        flow->transform_in_float32 = numel_is_tensor;
        flow->use_next_timestep = description.value("use_next_timestep", true);
    }
    scheduler.set_timesteps(description.at("set_timesteps").at("num_inference_steps"), voxels_of(description));
}

// The stand-in that the data describes under `model`.
at::Tensor stand_in(const at::Tensor& x, const at::Tensor& t, const std::string& variance_type) {
    const at::Tensor output = 0.3 * x + 0.1 * at::sin(t.to(at::kFloat) / 100);
    if (variance_type == "learned") return at::cat({output, 0.02 + 0.01 * x * x}, 1);
    if (variance_type == "learned_range") return at::cat({output, at::tanh(x)}, 1);
    return output;
}

void compare_schedule(const Case& reference, const Scheduler& scheduler, Comparison& comparison) {
    const NoiseSchedule* schedule = scheduler.noise_schedule();
    if (schedule == nullptr) return;
    comparison.equal("betas", schedule->betas, reference.tensor("output.betas"));
    comparison.equal("alphas", schedule->alphas, reference.tensor("output.alphas"));
    comparison.equal("alphas_cumprod", schedule->alphas_cumprod, reference.tensor("output.alphas_cumprod"));
    if (!reference.has("output.velocity")) return;
    comparison.equal("velocity",
                     schedule->velocity(reference.tensor("input.original"), reference.tensor("input.add_noise"),
                                        reference.tensor("input.add_timesteps")),
                     reference.tensor("output.velocity"));
}

}  // namespace

std::unique_ptr<Scheduler> make_scheduler(const std::string& class_name, const nlohmann::json& constructor) {
    const std::string name = class_name.substr(class_name.rfind('.') + 1);
    bool known = false;
    for (const SchedulerEntry& entry : scheduler_table()) known = known || entry.target == name;
    if (!known) throw NotCovered{"class " + name};
    nlohmann::json options = constructor;
    options["_target_"] = class_name;
    Problems problems;
    auto scheduler = read_scheduler(parse_yaml(options.dump(), "constructor"), make_map(), problems);
    problems.throw_if_any();
    return scheduler;
}

void check_scheduler(const Case& reference, Comparison& comparison) {
    const nlohmann::json& constructor = reference.body.at("constructor");
    auto scheduler = make_scheduler(reference.body.at("class"), all_options(reference.body));
    const nlohmann::json& arguments = reference.body.at("set_timesteps");
    set_timesteps(*scheduler, reference.body,
                  arguments.value("input_img_size_numel_is_tensor", !arguments.contains("input_img_size_numel")));
    comparison.equal("timesteps", scheduler->timesteps(), reference.tensor("output.timesteps"));
    compare_schedule(reference, *scheduler, comparison);
    std::int64_t draws = 0;
    const NoiseSource noise = [&](const at::Tensor&) { return reference.tensor("input.noise")[draws++]; };
    at::Tensor sample = reference.tensor("input.x0");
    std::vector<at::Tensor> samples{sample};
    std::vector<at::Tensor> outputs;
    std::vector<at::Tensor> originals;
    for (std::int64_t i = 0; i < scheduler->timesteps().numel(); ++i) {
        outputs.push_back(
            stand_in(sample, scheduler->timesteps()[i], constructor.value("variance_type", std::string())));
        const SchedulerStep step = scheduler->step(outputs.back(), i, sample, noise);
        sample = step.previous_sample;
        samples.push_back(sample);
        originals.push_back(step.pred_original);
    }
    comparison.equal("model_outputs", at::stack(outputs), reference.tensor("output.model_outputs"));
    comparison.equal("samples", at::stack(samples), reference.tensor("output.samples"));
    if (reference.has("output.pred_original")) {  // PNDM has none
        comparison.equal("pred_original", at::stack(originals), reference.tensor("output.pred_original"));
    }
    comparison.equal("noisy",
                     scheduler->add_noise(reference.tensor("input.original"), reference.tensor("input.add_noise"),
                                          reference.tensor("input.add_timesteps")),
                     reference.tensor("output.noisy"));
}

void check_timestep_table(const Case& reference, Comparison& comparison) {
    const nlohmann::json& table = reference.body.at("table");
    for (std::size_t i = 0; i < table.size(); ++i) {
        auto scheduler = make_scheduler(reference.body.at("class"), table[i].at("constructor"));
        set_timesteps(*scheduler, table[i], table[i].value("input_img_size_numel_is_tensor", true));
        const std::string name = "output.timesteps." + std::to_string(i);
        comparison.equal(name, scheduler->timesteps(), reference.tensor(name));
    }
}

void check_noise(const Case& reference, Comparison& comparison) {
    const nlohmann::json& table = reference.body.at("table");
    for (std::size_t i = 0; i < table.size(); ++i) {
        NormalNoise noise(table[i].at("seed").get<std::uint64_t>());
        const nlohmann::json& shapes = table[i].at("shapes");
        for (std::size_t j = 0; j < shapes.size(); ++j) {
            const std::string name = "output." + std::to_string(i) + "." + std::to_string(j);
            const at::Tensor drawn = noise.draw(shapes[j].get<std::vector<std::int64_t>>());
            comparison.equal(name, drawn, reference.tensor(name));
            if (!at::equal(drawn, reference.tensor(name))) comparison.fail(name + " is not equal bit for bit");
        }
    }
}

}  // namespace voldiff::reference
