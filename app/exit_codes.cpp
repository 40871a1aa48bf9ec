#include "app/exit_codes.h"

#include <c10/util/Exception.h>

#include <new>

namespace voldiff {

const std::vector<ExitCode>& exit_codes() {
    static const std::vector<ExitCode> table = {
        {0, "ok"},
        {exit_status(ErrorCode::internal), "internal error"},
        {exit_status(ErrorCode::usage), "command line"},
        {exit_status(ErrorCode::config), "config file or a value in it"},
        {exit_status(ErrorCode::io), "reading or writing a file"},
        {exit_status(ErrorCode::weights), "weights: not a checkpoint, or not of this network"},
        {exit_status(ErrorCode::memory), "not enough memory"},
        {exit_status(ErrorCode::numerical), "NaN or infinity"},
        {exit_status(ErrorCode::partial), "some runs of a batch failed"},
        {exit_status(ErrorCode::cancelled), "interrupted"},
    };
    return table;
}

Error as_error(const std::exception& exception) {
    if (const auto* known = dynamic_cast<const Error*>(&exception)) return *known;
    if (dynamic_cast<const std::bad_alloc*>(&exception) != nullptr) return {ErrorCode::memory, "not enough memory"};
    const auto* torch = dynamic_cast<const c10::Error*>(&exception);
    std::string text = torch != nullptr ? torch->what_without_backtrace() : exception.what();
    text = text.substr(0, text.find('\n'));
    const bool memory = text.find("not enough memory") != std::string::npos ||
                        text.find("allocate memory") != std::string::npos ||
                        text.find("out of memory") != std::string::npos;
    // LibTorch: "[enforce fail at ...] ...: you tried to allocate N bytes. Error code 12 (...)"
    const std::size_t asked = text.find("tried to allocate");
    if (memory && asked != std::string::npos)
        return {ErrorCode::memory, "not enough memory: " + text.substr(asked, text.find('.', asked) - asked)};
    if (memory) return {ErrorCode::memory, text};
    return {ErrorCode::internal, text + "\nThis is a defect of voldiff; please report it with the command you ran."};
}

}  // namespace voldiff
