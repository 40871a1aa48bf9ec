#include "io/config/scheduler_config.h"

#include "core/error.h"
#include "core/schedulers/scheduler.h"
#include "io/config/print.h"
#include "io/config/reader.h"

#include <set>

namespace voldiff {

namespace {

// A scheduler's options, with the keys that name its class.
class NamedScheduler : public OptionGroup {
  public:
    explicit NamedScheduler(Scheduler& scheduler) : scheduler_(scheduler) {}

    void visit_options(OptionVisitor& v) override {
        std::string name;
        v.visit(Option("type", "name of the scheduler").also_called("_target_"), name);
        scheduler_.visit_options(v);
    }

  private:
    Scheduler& scheduler_;
};

// Keys of `accepted` are no mistake: what only the model's own scheduler knows.
void read_named(Scheduler& scheduler, const Node& map, const std::string& path, const ReadContext& context,
                const std::set<std::string>& accepted = {}) {
    NamedScheduler options(scheduler);
    read_options(options, map, path, context, accepted);
}

const Node* class_name(const Node& map) {
    const Node* type = map.find("type");
    return type == nullptr ? map.find("_target_") : type;
}

// Null where there is no such scheduler.
const SchedulerEntry* find_entry(const Node* name, const Node& map, const std::string& path, Problems& problems) {
    if (name != nullptr && name->kind == NodeKind::broken) return nullptr;
    if (name == nullptr || name->kind != NodeKind::scalar) {
        problems.add(name == nullptr ? map.mark : name->mark,
                     "'" + path + "' names no scheduler, expected '_target_' or 'type'");
        return nullptr;
    }
    try {
        return &find_scheduler(name->text);
    } catch (const Error& e) {
        problems.add(name->mark, "'" + path + "': " + e.what());
        return nullptr;
    }
}

std::set<std::string> keys(Scheduler& scheduler) {
    std::set<std::string> names;
    for (const OptionRow& row : option_rows(scheduler)) names.insert(row.path);
    return names;
}

// Samplers of flows have no noise schedule, the others need one.
bool same_family(const SchedulerEntry& a, const SchedulerEntry& b) {
    return (a.make()->noise_schedule() == nullptr) == (b.make()->noise_schedule() == nullptr);
}

std::string fitting(const SchedulerEntry& trained) {
    std::string names;
    for (const SchedulerEntry& entry : scheduler_table()) {
        if (same_family(trained, entry)) names += (names.empty() ? "" : ", ") + entry.name;
    }
    return names;
}

}  // namespace

std::unique_ptr<Scheduler> read_scheduler(const Node& model, const Node& overrides, Problems& problems,
                                          const SchedulerPaths& paths) {
    const std::size_t before = problems.size();
    const SchedulerEntry* trained = find_entry(class_name(model), model, paths.model, problems);
    const Node* other = class_name(overrides);
    const SchedulerEntry* chosen = other ? find_entry(other, overrides, paths.overrides, problems) : trained;
    if (trained == nullptr || chosen == nullptr) return nullptr;

    const Mark mark = other ? other->mark : class_name(model)->mark;
    if (!same_family(*trained, *chosen)) {
        problems.add(mark, "'" + paths.overrides + "': the model was trained with '" + trained->name + "', which '" +
                               chosen->name + "' cannot sample; expected one of " + fitting(*trained));
        return nullptr;
    }
    const ReadContext context{&problems, nullptr, {}};
    std::unique_ptr<Scheduler> scheduler = trained->make();
    read_named(*scheduler, model, paths.model, context);
    if (chosen != trained) {
        const std::set<std::string> known = keys(*scheduler);
        scheduler = chosen->make();
        if (problems.size() == before) read_named(*scheduler, model, paths.model, context, known);
    }
    read_named(*scheduler, overrides, paths.overrides, context);
    if (problems.size() != before) return nullptr;
    try {
        scheduler->prepare();
    } catch (const Error& e) {
        problems.add(mark, "'" + (other ? paths.overrides : paths.model) + "': " + e.what());
        return nullptr;
    }
    return scheduler;
}

}  // namespace voldiff
