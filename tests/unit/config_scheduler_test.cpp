#include "io/config/scheduler_config.h"

#include "core/schedulers/scheduler.h"
#include "io/config/print.h"
#include "io/config/yaml.h"
#include "tests/config_helpers.h"

namespace voldiff {

namespace {

const char* const ddpm = R"(_target_: monai.networks.schedulers.ddpm.DDPMScheduler
num_train_timesteps: 1000
beta_start: 0.0015
beta_end: 0.0195
schedule: scaled_linear_beta
clip_sample: false
)";

std::unique_ptr<Scheduler> read(const std::string& model, const std::string& overrides) {
    Problems problems;
    auto scheduler = read_scheduler(parse_yaml(model, "net.yaml"), parse_yaml(overrides, "run.yaml"), problems);
    problems.throw_if_any();
    return scheduler;
}

std::string problem_of(const std::string& model, const std::string& overrides) {
    return message_of(ErrorCode::config, [&] { read(model, overrides); });
}

}  // namespace

TEST(SchedulerConfig, TakesTheModelsOptionsAndTheRunsOverThem) {
    const auto scheduler = read(ddpm, "{beta_end: 0.02}");
    ASSERT_NE(scheduler, nullptr);
    const Node options = to_node(*scheduler);
    EXPECT_EQ(options.find("beta_start")->text, "0.0015");
    EXPECT_EQ(options.find("beta_end")->text, "0.02");
    EXPECT_EQ(options.find("schedule")->text, "scaled_linear_beta");
    EXPECT_EQ(options.find("clip_sample")->text, "false");
}

TEST(SchedulerConfig, AnyClassOfTheFamilyInheritsTheModelsSchedule) {
    for (const SchedulerEntry& entry : scheduler_table()) {
        const Node defaults = to_node(*entry.make());
        if (defaults.find("schedule") == nullptr) continue;
        const auto scheduler = read(ddpm, "{type: " + entry.name + "}");
        EXPECT_EQ(to_node(*scheduler).find("beta_end")->text, "0.0195") << entry.name;
    }
}

TEST(SchedulerConfig, ReadsEverySchedulersDefaults) {
    for (const SchedulerEntry& entry : scheduler_table()) {
        const auto scheduler = entry.make();
        const std::string yaml = to_yaml(to_node(*scheduler), false);
        const auto again = read("type: " + entry.name + "\n" + yaml, "{}");
        EXPECT_EQ(to_yaml(to_node(*again), false), yaml) << entry.name;
    }
}

TEST(SchedulerConfig, AnyClassOfAFlowInheritsTheModelsTimesteps) {
    const std::string flow =
        "{_target_: RFlowScheduler, use_timestep_transform: true, base_img_size_numel: 4096, scale: 1.4, "
        "sample_method: "
        "logit-normal, steps_offset: 0}";
    for (const char* type : {"rflow", "rflow_heun", "rflow_ab2"}) {
        const auto scheduler = read(flow, std::string("{type: ") + type + "}");
        EXPECT_EQ(to_node(*scheduler).find("base_img_size_numel")->text, "4096") << type;
        EXPECT_EQ(to_node(*scheduler).find("use_timestep_transform")->text, "true") << type;
    }
}

TEST(SchedulerConfig, AnotherKindOfModelIsAProblemThatNamesWhatFits) {
    EXPECT_EQ(problem_of("{_target_: RFlowScheduler, scale: 1.4}", "{type: dpmpp_2m}"),
              "run.yaml:1:8: 'sampling.scheduler': the model was trained with 'rflow', which 'dpmpp_2m' cannot sample; "
              "expected one of rflow, rflow_heun, rflow_ab2");
    expect_contains(problem_of(ddpm, "{type: rflow_heun}"), "expected one of ddpm, ddim, pndm, dpmpp_2m, unipc");
}

TEST(SchedulerConfig, OptionsThatOnlyTheModelsClassHasAreNoProblemInTheModelAlone) {
    const std::string model = std::string(ddpm) + "variance_type: fixed_large\n";
    EXPECT_NE(read(model, "{type: unipc, timestep_spacing: logsnr}"), nullptr);
    EXPECT_EQ(problem_of(model, "{type: unipc, variance_type: fixed_large}"),
              "run.yaml:1:15: unknown key 'sampling.scheduler.variance_type'");
    EXPECT_EQ(problem_of(model, "{type: unipc, timestep_spacnig: logsnr}"),
              "run.yaml:1:15: unknown key 'sampling.scheduler.timestep_spacnig'; did you mean "
              "'sampling.scheduler.timestep_spacing'?");
}

TEST(SchedulerConfig, AMistakeInTheModelIsOneWhateverSamplesIt) {
    EXPECT_EQ(problem_of("{type: ddpm, varianc_type: fixed_large}", "{type: unipc}"),
              "net.yaml:1:14: unknown key 'network.noise_scheduler.varianc_type'; did you mean "
              "'network.noise_scheduler.variance_type'?");
    expect_contains(problem_of("{type: ddpm, variance_type: banana}", "{type: unipc}"),
                    "'network.noise_scheduler.variance_type' is 'banana', expected one of fixed_small");
    expect_contains(problem_of("{type: ddpm, prediction_type: sample}", "{type: pndm}"),
                    "'network.noise_scheduler.prediction_type' is 'sample', expected one of epsilon, v_prediction");
}

TEST(SchedulerConfig, MessagesNameTheMapThatIsWrong) {
    EXPECT_EQ(problem_of(ddpm, "{beta_ennd: 1}"),
              "run.yaml:1:2: unknown key 'sampling.scheduler.beta_ennd'; did you mean 'sampling.scheduler.beta_end'?");
    EXPECT_EQ(problem_of("{type: ddpm, clip_smaple: true}", "{}"),
              "net.yaml:1:14: unknown key 'network.noise_scheduler.clip_smaple'; did you mean "
              "'network.noise_scheduler.clip_sample'?");
    EXPECT_EQ(problem_of("{beta_end: 1}", "{}"),
              "net.yaml:1:1: 'network.noise_scheduler' names no scheduler, expected '_target_' or 'type'");
    expect_contains(problem_of("{type: nothing}", "{}"),
                    "net.yaml:1:8: 'network.noise_scheduler': unknown scheduler 'nothing'; known here: rflow");
    expect_contains(problem_of("{type: ddpm, _target_: DDPMScheduler}", "{}"), "are two names of one option; keep one");
}

}  // namespace voldiff
