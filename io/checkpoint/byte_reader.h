// Reads numbers and ranges from bytes front to back and never past their end.
#pragma once

#include "io/checkpoint/message.h"

#include <cstdint>
#include <cstring>
#include <string_view>

namespace voldiff {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "checkpoints are read in place and are little-endian");

class ByteReader {
  public:
    explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

    std::size_t position() const { return position_; }
    std::string_view rest() const { return bytes_.substr(position_); }

    // Throws Error(weights) where fewer are left.
    std::string_view take(std::uint64_t count) {
        if (count > bytes_.size() - position_) {
            refuse_weights("needs ", count, " bytes at byte ", position_, ", but only ", bytes_.size() - position_,
                           " follow; the file is cut short or damaged");
        }
        const auto result = bytes_.substr(position_, count);
        position_ += count;
        return result;
    }

    // Up to the next line feed, which is skipped.
    std::string_view take_line() {
        const auto line = rest().substr(0, rest().find('\n'));
        take(line.size() + 1);
        return line;
    }

    template <class Number>
    Number take_number() {
        Number number;
        std::memcpy(&number, take(sizeof(Number)).data(), sizeof(Number));
        return number;
    }

  private:
    std::string_view bytes_;
    std::size_t position_ = 0;
};

}  // namespace voldiff
