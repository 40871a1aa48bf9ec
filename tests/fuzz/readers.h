// The readers of checkpoints as functions of arbitrary bytes, for the fuzzer and for the test over its corpus.
#pragma once

#include <array>
#include <string_view>

namespace voldiff::fuzz {

// Returns where the bytes are read, every byte of the result included, or refused with Error(weights). Whatever else
// happens is a finding.
using ReadBytes = void (*)(std::string_view);

struct Reader {
    std::string_view name;  // and the folder of its corpus
    ReadBytes read;
};

const std::array<Reader, 5>& readers();

}  // namespace voldiff::fuzz
