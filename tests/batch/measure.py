#!/usr/bin/env python3
"""What a batch costs: measure.py VOLDIFF CONFIGS FOLDER [RUNS] [STEPS] [PART ...]. No test; run it on a quiet machine.

killed: RUNS demo runs, killed twice and resumed.  overhead: what a batch adds to the bare computing, and loads of models.
workers: one process with all cores, two on half of them.  pair: one process with one thread, two of them on one batch.
"""
import json
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


def bare_seconds(batch):
    """Of denoising and decoding, as the records tell."""
    stages = [stage for path in batch.out.glob("*.json") for stage in json.loads(path.read_text())["stages"]]
    return sum(stage["seconds"] for stage in stages if stage["name"] in ("denoise", "decode"))


def overhead(new, count):
    before = load()
    batch = new("one", count)
    wall = timed(batch)
    bare = bare_seconds(batch)
    empty = timed(batch)
    loading = sum(event["seconds"] for event in batch.events("load"))
    added = wall - empty - loading - bare
    print(f"{count} runs in {wall:.1f} s: denoising and decoding {bare:.1f} s, a call that finds all made {empty:.2f} s, "
          f"{len(batch.events('load'))} load {loading:.2f} s; the rest is {added / bare * 100:.2f} % of the computing; "
          f"load average {before:.1f} before")


def workers(new, count):
    before = load()
    one = timed(new("threads", count))
    two = timed(new("workers", count), "--workers", 2)
    print(f"{count} runs: one process with {os.cpu_count()} threads {one:.1f} s, --workers 2 {two:.1f} s: "
          f"{one / two:.2f} times as fast; load average {before:.1f} before")


def pair(new, count):
    before = load()
    batch = new("pair", count)
    started = time.monotonic()
    for process in [batch.start("--set", "runtime.threads=1") for _ in range(2)]:
        process.communicate()
    both = time.monotonic() - started
    batch.check_complete()
    alone = timed(new("alone", count), "--set", "runtime.threads=1")
    print(f"{count} runs, one thread each: one process {alone:.1f} s, two on one batch {both:.1f} s: "
          f"{alone / both:.2f} times as fast; load average {before:.1f} before")


def main():
    program, configs, folder = map(os.path.abspath, sys.argv[1:4])
    runs = int(sys.argv[4]) if len(sys.argv) > 4 else 100
    steps = int(sys.argv[5]) if len(sys.argv) > 5 else 30
    parts = sys.argv[6:] or ["killed", "overhead", "workers", "pair"]
    os.environ.update(VOLDIFF_DATA=configs, OMP_WAIT_POLICY="passive")

    def make(name, count):
        return new(program, folder, name, count, steps)

    few = max(4, runs // 5)
    for part in parts:
        {"killed": lambda: killed_twice(make("killed", runs)), "overhead": lambda: overhead(make, few),
         "workers": lambda: workers(make, few), "pair": lambda: pair(make, few)}[part]()


if __name__ == "__main__":
    main()
