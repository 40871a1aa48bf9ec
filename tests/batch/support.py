"""Small batches of the demo model for the tests, and what must be true of their folders."""
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

SKIPPED = 77  # ctest's SKIP_RETURN_CODE
FULL = os.environ.get("VOLDIFF_FULL_TESTS") == "1"

QUICK = "sampling.steps: 1, image.size: [32, 32, 32]"


def skip(why):
    print("skipped:", why)
    sys.exit(SKIPPED)


class Batch:
    """A folder with jobs.yaml, and the program that runs it."""

    def __init__(self, program, folder, runs=6, entries=None, extra=""):
        self.program, self.folder = program, Path(folder)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.out = self.folder / "night"
        self.runs = runs
        entry = f"- {{config: demo.yaml, seeds: 0..{runs - 1}, set: {{output.directory: night, {QUICK}{extra}}}}}\n"
        (self.folder / "jobs.yaml").write_text("runs:\n" + (entries or entry))

    def command(self, *arguments):
        return [self.program, "batch", "jobs.yaml", *map(str, arguments)]

    def start(self, *arguments, **options):
        return subprocess.Popen(self.command(*arguments), cwd=self.folder, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, **options)

    def run(self, *arguments, expect=0, **options):
        done = subprocess.run(self.command(*arguments), cwd=self.folder, capture_output=True, text=True, **options)
        text = done.stdout + done.stderr
        assert done.returncode == expect, f"exit status {done.returncode}, expected {expect}\n{text}"
        return text

    def result(self, *arguments, expect=0, **options):
        done = subprocess.run(self.command(*arguments, "--json"), cwd=self.folder, capture_output=True, text=True,
                              **options)
        assert done.returncode == expect, f"exit status {done.returncode}, expected {expect}\n{done.stderr}"
        return json.loads(done.stdout)

    def events(self, kind=None):
        path = self.out / "batch.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        events = []
        for line in lines:
            try:
                events.append(json.loads(line))
            except ValueError:
                pass  # cut short by a kill
        return [event for event in events if kind in (None, event["event"])]

    def made(self):
        """The volumes whose record stands; fails where one of them is not whole."""
        names = []
        for record in sorted(self.out.glob("*.json")):
            for entry in json.loads(record.read_text())["files"]:
                content = (self.out / entry["file"]).read_bytes()
                assert hashlib.sha256(content).hexdigest() == entry["sha256"], entry["file"]
            names.append(record.stem)
        return names

    def check_complete(self, runs=None):
        runs = runs or self.runs
        assert len(self.made()) == runs, self.made()
        left = [path.name for path in self.out.iterdir() if path.name.startswith(".")]
        assert not left, f"left behind: {left}"
        made = Counter(event["id"] for event in self.events("done"))
        assert all(count == 1 for count in made.values()), made
        return made


def wait_for(condition, seconds=60):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.01)


def kill(process, number=signal.SIGKILL):
    process.send_signal(number)
    process.communicate()
    return process.returncode
