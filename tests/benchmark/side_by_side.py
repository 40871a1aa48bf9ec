#!/usr/bin/env python3
"""voldiff and MONAI side by side: the same weights, the same input, in turns, each measurement in a process of its own.

    side_by_side.py BUILD --monai DIR --einops DIR [--blas DIR] [--only WORD ...] [--threads 1,2] [--repeat 3] [--exact]

--blas: a folder with a fast libblas.so.3 (Debian: libopenblas0-pthread) for MONAI, whose small convolutions and attention
take three times as long with Debian's reference BLAS; voldiff's own kernels need none.
BUILD has voldiff, bench_side and random_model; DIR are checkouts of MONAI and of einops, which it needs. Prints a
Markdown table, a row as soon as it is measured. --exact: the error of both against MONAI in
float64 instead. Weights are random in MAISI's architecture, and those of the demo.

Seconds are medians of the rounds: of a whole call with all that is done once (decoder), of a step in a loop (U-Net: the
median of the five calls after a first one), of the whole program (generation), and from its start to the end of the
first denoising step (start; its CPU time is that of ten steps). Memory is the largest of the rounds: peak resident set of the process. Ratios are against
the faster of MONAI's two.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy

HERE = Path(__file__).resolve().parent
CONFIGS = HERE.parents[1] / "configs"
CONFIG_SPLITS = 4  # num_splits of MAISI's config_network_rflow.json
EXACT_SPLITS = 8  # LibTorch's float64 convolutions hold 27 copies of their input; a part of it at a time fits


@dataclass
class Row:
    name: str
    task: str  # decoder, unet, generate, start
    latent: tuple
    modes: tuple = ("store",)  # decode.mode, of voldiff alone: a line for each
    model: str = "maisi"

    @property
    def calls(self):
        return 6 if self.task == "unet" else 1

    def monai_bytes(self):
        """What MONAI is known to need; the decoder 6.8 tensors of 64 channels, measured at 32^3."""
        voxels = self.latent[0] * self.latent[1] * self.latent[2]
        return 6.8 * 64 * 64 * 4 * voxels if self.task in ("decoder", "generate") else 0


ROWS = [
    Row("decoder 16^3", "decoder", (16, 16, 16)),
    Row("decoder 32^3", "decoder", (32, 32, 32), ("store", "min", "multipass")),
    Row("decoder 64^3", "decoder", (64, 64, 64), ("store", "min", "multipass")),
    Row("U-Net step 32^3", "unet", (32, 32, 32)),
    Row("U-Net step 64x64x32", "unet", (64, 64, 32)),
    Row("U-Net step 64^3", "unet", (64, 64, 64)),
    Row("generation 128^3, 30 steps", "generate", (32, 32, 32), ("auto",)),
    Row("start to first step, demo", "start", (16, 16, 16), ("auto",), "demo"),
]
EXACT_ROWS = [
    Row("decoder 24^3, random weights", "decoder", (24, 24, 24)),
    Row("decoder 24^3, demo", "decoder", (24, 24, 24), model="demo"),
    Row("U-Net 32^3, random weights", "unet", (32, 32, 32)),
    Row("U-Net 32^3, demo", "unet", (32, 32, 32), model="demo"),
]


@dataclass
class Measured:
    seconds: float
    cpu_seconds: float  # of all threads: what else the machine does disturbs it less
    peak_bytes: int
    output: numpy.ndarray


def watch(command, environment, until=None):
    """Runs a command to its end: (seconds to the end, or to the first line of stderr with `until`; CPU seconds; peak
    resident set; stdout)."""
    environment = {"OMP_WAIT_POLICY": "passive", **os.environ, **environment}  # as app/run does, for both sides
    environment.pop("OPENBLAS_CORETYPE", None)  # its own choice is the best
    began = time.monotonic()
    with subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        errors, seconds = [], None
        for line in process.stderr:
            errors.append(line)
            if until and until in line and seconds is None:
                seconds = time.monotonic() - began
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}:\n" + "".join(errors[-8:]))
    cpu_seconds = usage.ru_utime + usage.ru_stime
    return seconds or time.monotonic() - began, cpu_seconds, usage.ru_maxrss * 1024, output


class Voldiff:
    def __init__(self, build, folder):
        self.programs, self.folder = Path(build).resolve() / "bin", folder
        subprocess.run([self.programs / "random_model", CONFIGS / "networks/rflow.yaml", folder], check=True)
        self.configs = {"demo": CONFIGS / "demo.yaml", "maisi": folder / "maisi.yaml"}
        weights = {name: str(folder / f"{name}.safetensors") for name in ("autoencoder", "diffusion_unet")}
        self.configs["maisi"].write_text(json.dumps({
            "network": str(CONFIGS / "networks/rflow.yaml"), "weights": weights,
            "image": {"size": [128] * 3, "spacing": [1.5] * 3, "modality": "ct"}, "sampling": {"steps": 30}}))

    def resolved(self, model):
        command = [self.programs / "voldiff", "generate", self.configs[model], "--print-config", "--json"]
        return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)

    def measure(self, row, threads, mode):
        if row.task in ("generate", "start"):
            return self.generate(row, threads, mode)
        return self.network(row, threads, mode)

    def network(self, row, threads, mode):
        result = self.folder / "voldiff.raw"
        command = [self.programs / "bench_side", row.task, self.configs[row.model], *row.latent, threads,
                   row.calls, mode, result]
        *_, printed = watch([*map(str, command)], {})
        return Measured(**json.loads(printed), output=numpy.fromfile(result, numpy.float32))

    def generate(self, row, threads, mode):
        volume = self.folder / "voldiff.nii"
        command = [self.programs / "voldiff", "generate", self.configs[row.model], "-o", volume, "--force", "--set",
                   f"runtime.threads={threads}", "--set", f"decode.mode={mode}", "--set", f"sampling.steps={10 if row.task == 'start' else 30}"]
        first = "denoise 1/" if row.task == "start" else None  # with ten steps every step has its line
        seconds, cpu_seconds, peak, _ = watch([*map(str, command)], {}, first)
        stages = json.loads(volume.with_suffix(".json").read_text())["stages"]  # each begins a new peak
        return Measured(seconds, cpu_seconds, max(peak, *(stage["peak_memory_bytes"] for stage in stages)),
                        numpy.fromfile(volume, numpy.int16, offset=352))


class Monai:
    def __init__(self, monai, einops, blas, voldiff):
        self.environment = {"PYTHONPATH": f"{monai}:{einops}"}
        if blas:
            self.environment["LD_LIBRARY_PATH"] = blas
        self.voldiff = voldiff
        self.configs = {model: voldiff.resolved(model) for model in voldiff.configs}

    def measure(self, row, threads, splits, dtype="float32"):
        whole = row.task in ("generate", "start")
        config, result = self.configs[row.model], self.voldiff.folder / "monai.raw"
        config["sampling"]["steps"] = 10 if row.task == "start" else 30
        base = self.voldiff.configs[row.model].parent
        job = {"config": config, "latent": row.latent, "threads": threads, "num_splits": splits, "dtype": dtype,
               "calls": row.calls if dtype == "float32" else 1, "output": str(result),
               "weights": {name: str(base / config["weights"][name]) for name in ("autoencoder", "diffusion_unet")}}
        command = [sys.executable, str(HERE / "monai_side.py"), "generate" if whole else row.task, json.dumps(job)]
        environment = {**self.environment, "OPENBLAS_NUM_THREADS": str(threads)}
        seconds, cpu_seconds, peak, printed = watch(command, environment, "step" if row.task == "start" else None)
        told = json.loads(printed.splitlines()[-1])
        values = numpy.fromfile(result, numpy.int16 if whole else dtype)
        if whole:  # NIfTI has x fastest
            values = values.reshape([4 * extent for extent in row.latent]).ravel(order="F")
        if not whole:
            seconds, cpu_seconds = told["seconds"], told["cpu_seconds"]
        return Measured(seconds, cpu_seconds, peak, values)


def difference(a, b):
    delta = a.astype(numpy.float64) - b
    return numpy.sqrt(numpy.mean(delta ** 2)), numpy.abs(delta).max()


def median(rounds, what="seconds"):
    return statistics.median(getattr(one, what) for one in rounds)


def peak(rounds):
    return max(one.peak_bytes for one in rounds)


def cell(rounds):
    return f"{median(rounds):.3g} s, {peak(rounds) / 1e9:.2f} GB"


def available_bytes():
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))


def compare(row, threads, repeat, voldiff, monai):
    """The lines of a row, measured in turns."""
    variants = [CONFIG_SPLITS, 1] if row.task in ("decoder", "generate") else [1]
    fits = row.monai_bytes() < available_bytes()
    own, reference = {mode: [] for mode in row.modes}, {splits: [] for splits in variants}
    for _ in range(repeat):
        for mode, rounds in own.items():
            rounds.append(voldiff.measure(row, threads, mode))
        for splits in variants if fits else []:
            reference[splits].append(monai.measure(row, threads, splits))
    for mode, rounds in own.items():
        name = row.name + (f", mode {mode}" if len(own) > 1 else "")
        yield [name, threads, cell(rounds), *(against(reference, rounds) if fits else ["does not fit"] * 2 + [""] * 4)]


def against(reference, own):
    """The cells of MONAI, and how voldiff compares with its faster variant."""
    best = min(reference.values(), key=median)
    first = reference.get(CONFIG_SPLITS)
    rms, largest = difference(own[-1].output, best[-1].output)
    unit = " HU" if own[-1].output.dtype == numpy.int16 else ""
    return [cell(first) if first else "same", cell(reference[1]), f"{median(best) / median(own):.2f}",
            f"{median(best, 'cpu_seconds') / median(own, 'cpu_seconds'):.2f}", f"{peak(best) / peak(own):.2f}",
            f"{rms:.2g}{unit} ({largest:.2g}{unit})"]


def compare_exact(row, threads, _, voldiff, monai):
    exact = monai.measure(row, threads, EXACT_SPLITS, "float64").output
    scale = numpy.sqrt(numpy.mean(exact ** 2))
    errors = [difference(exact, side.output)[0] / scale
              for side in (voldiff.measure(row, threads, "store"), monai.measure(row, threads, 1))]
    yield [row.name, threads, f"{errors[0]:.3g}", f"{errors[1]:.3g}", f"{errors[0] / errors[1]:.2f}"]


def machine():
    fields = dict(line.split(":", 1) for line in subprocess.check_output(["lscpu"], text=True).splitlines() if ":" in line)
    return f"{fields['Model name'].strip()}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.2f} at the start"


def print_row(cells):
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--monai", required=True)
    parser.add_argument("--einops", required=True)
    parser.add_argument("--blas")
    parser.add_argument("--only", nargs="+", default=[""], help="rows with one of these in their name")
    parser.add_argument("--threads", default="2")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--exact", action="store_true")
    arguments = parser.parse_args()
    for program in ("voldiff", "bench_side", "random_model"):
        if not (Path(arguments.build) / "bin" / program).exists():
            sys.exit(f"{arguments.build} has no bin/{program}; ninja -C {arguments.build} {program}")
    titles = ["", "threads", "voldiff", f"MONAI, num_splits {CONFIG_SPLITS}", "MONAI, num_splits 1", "times faster",
              "times less CPU", "times less memory", "difference rms (largest)"]
    if arguments.exact:
        titles = ["rms error over rms of the values", "threads", "voldiff", "MONAI float32", "ratio"]
    print(machine() + "\n")
    print_row(titles)
    print_row(["---"] * len(titles))
    with tempfile.TemporaryDirectory() as folder:
        voldiff = Voldiff(arguments.build, Path(folder))
        monai = Monai(arguments.monai, arguments.einops, arguments.blas, voldiff)
        for row in EXACT_ROWS if arguments.exact else ROWS:
            for threads in map(int, arguments.threads.split(",")):
                if any(word in row.name for word in arguments.only):
                    measure = compare_exact if arguments.exact else compare
                    for line in measure(row, threads, arguments.repeat, voldiff, monai):
                        print_row(line)


main()
