// Collects what is wrong in config files, so that all of it is told in one go.
#pragma once

#include "io/config/node.h"

#include <string>
#include <vector>

namespace voldiff {

class Problems {
  public:
    // `message` without the place; "unknown key 'sampling.step'".
    void add(const Mark& mark, const std::string& message);

    std::size_t size() const { return list_.size(); }

    // Throws one Error(config) with a line for each problem, "configs/x.yaml:12:5: message", in the order of files and
    // lines; at most 20 of them. Does nothing where there are none.
    void throw_if_any() const;

  private:
    struct Problem {
        Mark mark;
        std::string message;
    };
    std::vector<Problem> list_;
};

}  // namespace voldiff
