// What every scheduler of the table must do, and what is special about each. The numbers are the reference check's.
#include "core/schedulers/scheduler.h"
#include "core/error.h"
#include "core/schedulers/rflow.h"

#include <gtest/gtest.h>

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>

#include <set>

namespace voldiff {
namespace {

// Sets one flag by its key.
class OptionSetter : public OptionVisitor {
  public:
    OptionSetter(std::string key, bool value) : key_(std::move(key)), value_(value) {}
    void visit(const Option& option, bool& value) override {
        if (option.key == key_) value = value_;
    }
    void visit(const Option&, std::int64_t&) override {}
    void visit(const Option&, double&) override {}
    void visit(const Option&, std::string&) override {}
    void visit(const Option&, std::optional<bool>&) override {}
    void visit(const Option&, std::optional<std::int64_t>&) override {}
    void visit(const Option&, std::optional<std::string>&) override {}
    void visit(const Option&, std::vector<bool>&) override {}
    void visit(const Option&, std::vector<std::int64_t>&) override {}
    void visit(const Option&, std::vector<double>&) override {}
    void visit(const Option&, std::vector<std::string>&) override {}
    void visit(const Option&, std::array<std::int64_t, 3>&) override {}
    void visit(const Option&, std::array<double, 3>&) override {}
    void visit(const Option&, PerLevel&) override {}
    void visit(const Option&, RawOptions&) override {}
    void visit(const Option&, OptionMap&) override {}
    void visit(const Option&, OptionGroup&) override {}

  private:
    std::string key_;
    bool value_;
};

TEST(Schedulers, HaveDistinctNames) {
    std::set<std::string> names;
    for (const SchedulerEntry& entry : scheduler_table()) {
        EXPECT_TRUE(names.insert(entry.name).second);
        EXPECT_TRUE(names.insert(entry.target).second);
        EXPECT_FALSE(entry.help.empty());
    }
}

TEST(Schedulers, AreFoundByNameAndByTarget) {
    for (const SchedulerEntry& entry : scheduler_table()) {
        EXPECT_EQ(find_scheduler(entry.name).name, entry.name);
        EXPECT_EQ(find_scheduler("monai.networks.schedulers.some_module." + entry.target).name, entry.name);
    }
}

TEST(Schedulers, AnUnknownNameListsTheKnown) {
    try {
        find_scheduler("euler");
        FAIL() << "found";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::config);
        for (const SchedulerEntry& entry : scheduler_table()) {
            EXPECT_NE(std::string(error.what()).find(entry.name), std::string::npos);
        }
    }
}

TEST(Schedulers, GoFromNoiseToData) {
    for (const SchedulerEntry& entry : scheduler_table()) {
        auto scheduler = entry.make();
        scheduler->prepare();
        scheduler->set_timesteps(7, 4096);
        const at::Tensor t = scheduler->timesteps().to(at::kDouble);
        ASSERT_EQ(t.numel(), 7) << entry.name;
        EXPECT_TRUE((t.slice(0, 1) < t.slice(0, 0, -1)).all().item<bool>()) << entry.name;
    }
}

TEST(Schedulers, RefuseMoreStepsThanTheyWereTrainedWith) {
    for (const SchedulerEntry& entry : scheduler_table()) {
        auto scheduler = entry.make();
        scheduler->prepare();
        EXPECT_THROW(scheduler->set_timesteps(1001, 4096), Error) << entry.name;
        EXPECT_THROW(scheduler->set_timesteps(0, 4096), Error) << entry.name;
    }
}

TEST(Schedulers, StepKeepsShapeAndType) {
    for (const SchedulerEntry& entry : scheduler_table()) {
        auto scheduler = entry.make();
        scheduler->prepare();
        scheduler->set_timesteps(3, 8);
        const at::Tensor x = at::ones({1, 2, 2, 2, 2});
        for (std::int64_t i = 0; i < 3; ++i) {
            const SchedulerStep step = scheduler->step(x, i, x, [](const at::Tensor& like) { return like; });
            EXPECT_EQ(step.previous_sample.sizes(), x.sizes()) << entry.name;
            EXPECT_EQ(step.previous_sample.scalar_type(), at::kFloat) << entry.name;
            EXPECT_EQ(step.pred_original.sizes(), x.sizes()) << entry.name;
        }
    }
}

TEST(RFlowScheduler, AVelocityToTheDataArrivesThere) {
    // Without the timestep transform dt sums to one, so constant velocity data - noise goes from noise to data.
    RFlowScheduler scheduler;
    scheduler.prepare();
    scheduler.set_timesteps(10, 1);
    const at::Tensor noise = at::full({1, 1, 1, 1, 1}, -3.0);
    const at::Tensor data = at::full({1, 1, 1, 1, 1}, 5.0);
    at::Tensor x = noise;
    for (std::int64_t i = 0; i < 10; ++i) x = scheduler.step(data - noise, i, x, {}).previous_sample;
    EXPECT_NEAR(x.item<double>(), 5.0, 1e-5);
}

TEST(RFlowScheduler, RoundsTimestepsToHalfPrecision) {
    // 3 steps: 1000, 666.67, 333.33; float16 counts in halves above 512 and in quarters above 256.
    RFlowScheduler scheduler;
    scheduler.use_next_timestep = true;
    OptionSetter continuous("use_discrete_timesteps", false);
    scheduler.visit_options(continuous);
    scheduler.prepare();
    scheduler.set_timesteps(3, 1);
    EXPECT_TRUE(at::equal(scheduler.timesteps(), at::tensor({1000.0F, 666.5F, 333.25F}).to(at::kHalf)));
}

}  // namespace
}  // namespace voldiff
