#include "app/cli.h"
#include "app/exit_codes.h"
#include "app/streams.h"

#include <iostream>

int main(int argc, char** argv) {
    voldiff::guard_standard_streams();
    voldiff::Log log(std::cerr, voldiff::stderr_is_terminal(), voldiff::colour_wanted());
    try {
        voldiff::run_program(argc, argv, log, voldiff::Cancel::on_signals());
        voldiff::flush_results();
        return 0;
    } catch (const std::exception& exception) {
        const voldiff::Error error = voldiff::as_error(exception);
        log.error(error.what());
        return voldiff::exit_status(error.code());
    }
}
