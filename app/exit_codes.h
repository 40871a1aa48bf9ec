// What the exit status of the program means, in one table for the help, the documentation and the tests.
#pragma once

#include "core/error.h"

#include <vector>

namespace voldiff {

struct ExitCode {
    int status;
    const char* meaning;
};

const std::vector<ExitCode>& exit_codes();

// Any exception as an Error with its code: what LibTorch throws when memory is short is Error(memory), what nobody
// expected is Error(internal).
Error as_error(const std::exception& exception);

}  // namespace voldiff
