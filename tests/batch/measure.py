#!/usr/bin/env python3
"""What a batch costs: measure.py VOLDIFF CONFIGS FOLDER [RUNS] [STEPS]. No test; run it on a quiet machine.

1. RUNS demo runs, killed twice and resumed.  2. What a batch adds to the bare computing, and loads of models.
3. One process with all cores, two on half of them, in runs a minute.
"""
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from support import Batch, kill, wait_for  # noqa: E402


def new(program, folder, name, runs, steps):
    entry = (f"- {{config: demo.yaml, seeds: 0..{runs - 1}, "
             f"set: {{output.directory: night, sampling.steps: {steps}}}}}\n")
    return Batch(program, Path(folder) / name, runs=runs, entries=entry)


def load():
    return os.getloadavg()[0]


def killed_twice(batch):
    for part in (1, 2):
        process = batch.start()
        wait_for(lambda: len(batch.events("done")) >= batch.runs * part // 3, 3600)
        kill(process)
    batch.run()
    made = batch.check_complete()
    print(f"{batch.runs} runs killed twice: {len(batch.made())} whole volumes, {len(made)} told done, "
          f"most often {max(made.values())} time; {len(batch.events('load'))} loads in 3 processes")


def timed(batch, *arguments):
    started = time.monotonic()
    batch.run(*arguments)
    return time.monotonic() - started


def overhead(batch):
    before = load()
    wall = timed(batch)
    computing = sum(event["seconds"] for event in batch.events("done"))
    loading = sum(event["seconds"] for event in batch.events("load"))
    empty = timed(batch)
    added = wall - computing - empty
    print(f"{batch.runs} runs in {wall:.1f} s: computing {computing:.1f} s (loading {loading:.2f} s within it), a call "
          f"that finds all made {empty:.2f} s; added {added / computing * 100:.2f} % of the computing; "
          f"{len(batch.events('load'))} load; load average {before:.1f} before")
    return wall


def main():
    program, configs, folder = sys.argv[1:4]
    runs = int(sys.argv[4]) if len(sys.argv) > 4 else 100
    steps = int(sys.argv[5]) if len(sys.argv) > 5 else 30
    os.environ.update(VOLDIFF_DATA=configs, OMP_WAIT_POLICY="passive")
    killed_twice(new(program, folder, "killed", runs, steps))
    count = max(4, runs // 5)
    one = overhead(new(program, folder, "one", count, steps))
    before = load()
    workers = timed(new(program, folder, "workers", count, steps), "--workers", 2)
    print(f"{count} runs: one process with {os.cpu_count()} threads {one:.1f} s, --workers 2 {workers:.1f} s: "
          f"{one / workers:.2f} times as fast; load average {before:.1f} before")
    pair = new(program, folder, "pair", count, steps)
    started = time.monotonic()
    for process in [pair.start("--set", "runtime.threads=1") for _ in range(2)]:
        process.communicate()
    both = time.monotonic() - started
    pair.check_complete()
    alone = timed(new(program, folder, "alone", count, steps), "--set", "runtime.threads=1")
    print(f"one thread each: one process {alone:.1f} s, two on one batch {both:.1f} s: {alone / both:.2f} times as fast")


if __name__ == "__main__":
    main()
