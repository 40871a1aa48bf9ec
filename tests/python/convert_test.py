"""Files that voldiff writes, read by Python: torch.load with weights_only=True, and safetensors by its description."""
import sys
from pathlib import Path

import torch

from support import Program, expect, expect_same, read_safetensors


def load(path):
    return torch.load(str(path), weights_only=True)


def weights_of(loaded):
    for key in ("unet_state_dict", "state_dict"):
        if key in loaded:
            return loaded[key]
    return loaded


def round_trip(program, folder, source, name):
    """safetensors -> pt -> safetensors, nothing changes."""
    original = read_safetensors(source)
    program("convert", source, folder / f"{name}.pt", "--force")
    expect_same(weights_of(load(folder / f"{name}.pt")), original, f"{name}.pt")
    program("convert", folder / f"{name}.pt", folder / f"{name}.safetensors", "--force")
    expect_same(read_safetensors(folder / f"{name}.safetensors"), original, f"{name}.safetensors")


def layouts_and_back(program, folder, source):
    """Every pair of conversions that says it is lossless."""
    original = weights_of(load(source))
    steps = {
        "fused": (["--fuse-qkv"], ["--split-qkv"]),
        "generative": (["--layout", "generative", "--keep-proj"], ["--layout", "monai-1.5", "--keep-proj"]),
        "float64": (["--dtype", "float64"], ["--dtype", str(next(iter(original.values())).dtype).removeprefix("torch.")]),
    }
    for name, (there, back) in steps.items():
        for extension in (".pt", ".safetensors"):
            program("convert", source, folder / f"{name}{extension}", "--force", *there)
            program("convert", folder / f"{name}{extension}", folder / "back.pt", "--force", *back)
            expect_same(weights_of(load(folder / "back.pt")), original, f"{name}{extension} and back")
    generative = weights_of(load(folder / "generative.pt"))
    expect("middle_block.attention.proj_attn.weight" in generative, "the names of GenerativeModels")
    fused = weights_of(load(folder / "fused.pt"))
    parts = [original[f"middle_block.attention.attn.to_{part}.weight"] for part in "qkv"]
    expect(torch.equal(fused["middle_block.attention.attn.qkv.weight"], torch.cat(parts)), "qkv is q, k, v in this order")


def training_checkpoint(program, folder):
    """What stands beside the weights comes along."""
    weights = {"a.weight": torch.randn(3, 2), "b": torch.arange(5)}
    torch.save({"epoch": 7, "loss": 0.25, "scale_factor": torch.tensor(1.5), "unet_state_dict": weights}, folder / "in.pt")
    program("convert", folder / "in.pt", folder / "out.pt", "--force")
    out = load(folder / "out.pt")
    expect(out["epoch"] == 7 and float(out["loss"]) == 0.25 and float(out["scale_factor"]) == 1.5, f"extras: {out}")
    expect_same(out["unet_state_dict"], weights, "training checkpoint")
    torch.save(weights, folder / "plain.pt")
    program("convert", folder / "plain.pt", folder / "plain_out.pt", "--force")
    expect_same(load(folder / "plain_out.pt"), weights, "plain state_dict")


def main():
    program, project, folder = Program(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    models = project / "configs/demo_model"
    for name in ("diff_unet", "autoencoder"):
        round_trip(program, folder, models / f"{name}.safetensors", name)
    layouts_and_back(program, folder, folder / "diff_unet.pt")
    training_checkpoint(program, folder)


if __name__ == "__main__":
    main()
