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

bool same_family(const std::set<std::string>& a, const std::set<std::string>& b) {
    return a.count("schedule") == b.count("schedule");
}

}  // namespace

std::unique_ptr<Scheduler> read_scheduler(const Node& model, const Node& overrides, Problems& problems,
                                          const SchedulerPaths& paths) {
    const std::size_t before = problems.size();
    const SchedulerEntry* trained = find_entry(class_name(model), model, paths.model, problems);
    const Node* other = class_name(overrides);
    const SchedulerEntry* chosen = other ? find_entry(other, overrides, paths.overrides, problems) : trained;
    if (trained == nullptr || chosen == nullptr) return nullptr;

    std::unique_ptr<Scheduler> scheduler = chosen->make();
    const std::set<std::string> inherited = keys(*trained->make());
    const Mark mark = other ? other->mark : class_name(model)->mark;
    if (!same_family(inherited, keys(*scheduler))) {
        problems.add(mark, "'" + paths.overrides + "': the model was trained with '" + trained->name + "', which '" +
                               chosen->name + "' cannot sample: only one of them has a noise schedule");
        return nullptr;
    }
    const ReadContext context{&problems, nullptr, {}};
    NamedScheduler options(*scheduler);
    read_options(options, model, paths.model, context, chosen == trained ? std::set<std::string>{} : inherited);
    read_options(options, overrides, paths.overrides, context);
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
