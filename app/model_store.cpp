#include "app/model_store.h"

#include "core/error.h"
#include "io/config/print.h"
#include "io/run_identity.h"

namespace voldiff {

namespace {

// Everything that `load_model` looks at.
std::string key_of(RunConfig run) {
    nlohmann::ordered_json inputs = nlohmann::ordered_json::object();
    for (const auto& [key, path] : run_weights(run)) inputs[key] = path.string();
    const nlohmann::ordered_json options = to_json(to_node(run));
    return nlohmann::ordered_json{{"files", inputs},
                                  {"network", options["network"]},
                                  {"layout", run.weights.layout},
                                  {"scale_factor", run.weights.scale_factor},
                                  {"projection", run.weights.projection},
                                  {"precision", run.runtime.precision},
                                  {"channels_last", run.runtime.channels_last},
                                  {"device", run.runtime.device}}
        .dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

std::shared_ptr<const Model> ModelStore::get(const RunConfig& run, const std::function<void()>& loading) {
    const std::string key = key_of(run);
    if (const auto known = models_.find(key); known != models_.end()) return known->second;
    if (const auto failed = failures_.find(key); failed != failures_.end()) std::rethrow_exception(failed->second);
    if (loading) loading();
    ++loads_;
    try {
        return models_[key] = std::make_shared<const Model>(load_model(run));
    } catch (const Error& error) {
        models_.erase(key);
        if (error.code() == ErrorCode::weights) failures_[key] = std::current_exception();
        throw;
    }
}

void ModelStore::keep_only(const Model* model) {
    for (auto entry = models_.begin(); entry != models_.end();)
        entry = entry->second.get() == model ? std::next(entry) : models_.erase(entry);
}

}  // namespace voldiff
