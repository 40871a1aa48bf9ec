// The readers of checkpoints and of configs as functions of arbitrary bytes, for the fuzzer and for the test over its
// corpus.
#pragma once

#include <string_view>
#include <vector>

namespace voldiff::fuzz {

// Returns where the bytes are read, every byte of the result included, or refused with an Error. Whatever else
// happens is a finding.
using ReadBytes = void (*)(std::string_view);

struct Reader {
    std::string_view name;  // and the folder of its corpus
    ReadBytes read;
};

// Those of checkpoints, which refuse with Error(weights), and those of configs and tables, with Error(config).
const std::vector<Reader>& checkpoint_readers();
const std::vector<Reader>& text_readers();
const std::vector<Reader>& readers();  // all

}  // namespace voldiff::fuzz
