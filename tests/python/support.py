"""What the tests of files for Python share: the program, safetensors, comparisons. Needs python3-torch alone."""
import json
import struct
import subprocess
import sys
from pathlib import Path

import numpy
import torch

DTYPES = {"F64": numpy.float64, "F32": numpy.float32, "F16": numpy.float16, "I64": numpy.int64, "I32": numpy.int32,
          "I16": numpy.int16, "I8": numpy.int8, "U8": numpy.uint8, "BOOL": numpy.bool_}


def read_safetensors(path):
    """All tensors of a file, read by the format's description alone: https://github.com/huggingface/safetensors"""
    data = Path(path).read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        raw = data[8 + length + begin:8 + length + end]
        if entry["dtype"] == "BF16":
            array = torch.frombuffer(bytearray(raw), dtype=torch.bfloat16)
        else:
            array = torch.from_numpy(numpy.frombuffer(raw, DTYPES[entry["dtype"]]).copy())
        tensors[name] = array.reshape(entry["shape"])
    return tensors


class Program:
    """The voldiff program; a failure of it is a failure of the test."""

    def __init__(self, path):
        self.path = path

    def __call__(self, *arguments):
        command = [self.path, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}\nexit status {done.returncode}\n{done.stderr}")
        return done.stdout


def expect(condition, message):
    if not condition:
        sys.exit(f"FAILED: {message}")


def expect_close(got, expected, tolerance, what):
    """The rule of the reference data: max|got - expected| <= tolerance * max|expected|."""
    expect(got.shape == expected.shape, f"{what}: shape {tuple(got.shape)}, expected {tuple(expected.shape)}")
    difference = (got.double() - expected.double()).abs().max().item()
    scale = expected.double().abs().max().item()
    expect(difference <= tolerance * scale, f"{what}: differs by {difference} of {scale}")
    print(f"{what}: largest difference {difference:.3g} of {scale:.3g}")


def expect_same(got, expected, what):
    expect(set(got) == set(expected), f"{what}: other names, {sorted(set(got) ^ set(expected))[:4]}")
    for name, tensor in expected.items():
        expect(got[name].dtype == tensor.dtype and torch.equal(got[name], tensor), f"{what}: {name} differs")
    print(f"{what}: {len(expected)} tensors, bit for bit")
