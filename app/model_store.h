// Models that several runs share: each distinct set of networks and weights is loaded once.
#pragma once

#include "io/checkpoint/hash.h"
#include "io/config/run_config.h"
#include "io/model/model.h"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace voldiff {

class ModelStore {
  public:
    // The model of a run, which `loading` is told of where it has to be loaded. A set that failed once fails again with
    // the same Error, without being read. Throws as `load_model`.
    std::shared_ptr<const Model> get(const RunConfig& run, const std::function<void()>& loading = {});
    // Forgets all models but this one, for more memory.
    void keep_only(const Model* model);

    std::size_t loads() const { return loads_; }
    FileHashes& hashes() { return hashes_; }

  private:
    std::map<std::string, std::shared_ptr<const Model>> models_;
    std::map<std::string, std::exception_ptr> failures_;
    FileHashes hashes_;
    std::size_t loads_ = 0;
};

}  // namespace voldiff
