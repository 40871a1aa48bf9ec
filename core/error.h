// The one exception type of voldiff, with a small closed set of codes. Everything thrown on purpose is an `Error`;
// it is caught once, in app/main.cpp, which prints it and exits with `exit_status(code)`.
//
// A message says what is wrong, where (file, key or tensor), what was expected, what was found, and what to do, on at
// most three lines. Callers on the way up add where they were with `within`.
#pragma once

#include <stdexcept>
#include <string>

namespace voldiff {

// The value is the exit status of the program.
enum class ErrorCode {
    internal = 1,
    usage = 2,      // command line
    config = 3,     // a config file or the values in it
    io = 4,         // reading or writing a file
    weights = 5,    // a checkpoint: its format, or its tensors against the network
    memory = 6,     // more memory needed than there is
    numerical = 7,  // NaN or infinity
    partial = 8,    // some runs of a batch failed
    cancelled = 130,
};

class Error : public std::exception {
  public:
    Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

    ErrorCode code() const { return code_; }
    const char* what() const noexcept override { return message_.c_str(); }

    // Puts "`place`: " before the message, for a caller that knows where it happened.
    Error within(const std::string& place) const { return {code_, place + ": " + message_}; }

  private:
    ErrorCode code_;
    std::string message_;
};

inline int exit_status(ErrorCode code) { return static_cast<int>(code); }

}  // namespace voldiff
