#include "app/streams.h"

#include "core/error.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <iostream>

namespace voldiff {

void guard_standard_streams() {
    std::signal(SIGPIPE, SIG_IGN);
    // Read-only, so that writing to a stream that was closed still fails and `flush_results` sees it.
    int descriptor = 0;
    do {
        descriptor = ::open("/dev/null", O_RDONLY);
    } while (descriptor >= 0 && descriptor <= STDERR_FILENO);
    if (descriptor > STDERR_FILENO) ::close(descriptor);
}

void flush_results() {
    errno = 0;
    std::cout.flush();
    if (std::cout) return;
    const std::string reason = errno == 0 ? "" : std::string(": ") + std::strerror(errno);
    throw Error(ErrorCode::io, "results could not be written to the standard output" + reason);
}

}  // namespace voldiff
