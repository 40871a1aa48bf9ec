// Stopping on SIGINT and SIGTERM: the signal sets a flag, the work looks at it between steps, destructors clean up.
#pragma once

namespace voldiff {

class Cancel {
  public:
    // From here on the first SIGINT or SIGTERM only sets the flag; a second one of the same kind ends the program.
    static Cancel on_signals();

    bool requested() const;
    // Throws Error(cancelled) once a signal has come.
    void check() const;

  private:
    Cancel() = default;
};

}  // namespace voldiff
