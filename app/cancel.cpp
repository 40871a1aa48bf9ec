#include "app/cancel.h"

#include "core/error.h"

#include <csignal>

namespace voldiff {

namespace {

volatile std::sig_atomic_t cancel_requested = 0;  // a signal handler has nothing but globals

extern "C" void request_cancel(int /*signal*/) { cancel_requested = 1; }

}  // namespace

Cancel Cancel::on_signals() {
    struct sigaction action {};
    action.sa_handler = request_cancel;
    action.sa_flags = SA_RESTART;
    sigaction(SIGTERM, &action, nullptr);
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
    sigaction(SIGINT, &action, nullptr);
    return {};
}

bool Cancel::requested() const { return cancel_requested != 0; }

void Cancel::check() const {
    if (requested()) throw Error(ErrorCode::cancelled, "interrupted; unfinished files were removed");
}

}  // namespace voldiff
