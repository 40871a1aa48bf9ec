// Stopping on SIGINT and SIGTERM: the signal sets a flag, the work looks at it between steps, destructors clean up.
#pragma once

namespace voldiff {

class Cancel {
  public:
    // From here on SIGINT and SIGTERM only set the flag. A second SIGINT ends the program, for impatient people;
    // SIGTERM never does, since Slurm sends it to every process of a task and its script passes it on once more.
    static Cancel on_signals();

    bool requested() const;
    // Throws Error(cancelled) once a signal has come.
    void check() const;

  private:
    Cancel() = default;
};

}  // namespace voldiff
