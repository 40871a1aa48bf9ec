"""Modules that voldiff exports, run by Python's torch.jit: networks against MONAI's values, attention blocks in all four
forms against the formula written here."""
import json
import sys
from pathlib import Path

import torch

from support import Program, expect_close, read_safetensors


def network_of(program, project, constructors):
    """The demo's network file with other constructor arguments."""
    config = json.loads(program("inspect", "--json", project / "configs/demo.yaml"))["config"]
    for key, (target, arguments) in constructors.items():
        config["network"][key] = {"_target_": target, **arguments}
    return config


def split(tensors, prefix):
    return {name[len(prefix):]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def export(program, folder, config, key, weights):
    """Saves the weights as PyTorch does, and has them exported as network `key` of the config."""
    torch.save(weights, folder / "weights.pt")
    config["weights"] = {key: str(folder / "weights.pt")}
    (folder / "run.json").write_text(json.dumps(config))
    program("export-torchscript", folder / "run.json", key, folder / "module.ts", "--force")
    return torch.jit.load(str(folder / "module.ts"))


def value_of(argument, tensors):
    """ "tensor:input.x" -> that tensor, as the reference data writes arguments. """
    if isinstance(argument, list):
        return [value_of(item, tensors) for item in argument]
    if isinstance(argument, dict):
        return tensors[argument["tensor"]].float()
    return tensors[argument.removeprefix("tensor:")] if isinstance(argument, str) else argument


def tolerance_of(project, case):
    """The data's own: ten times what two versions of PyTorch differ by, at least 5e-6."""
    index = json.loads((project / "tests/data/reference/INDEX.json").read_text())
    (entry,) = (each for each in index["cases"] if f"{each['group']}/{each['name']}" == case)
    return entry["tolerance"]["suggested"]


def flatten(result):
    if isinstance(result, torch.Tensor):
        return [result]
    return [tensor for item in result for tensor in flatten(item)]


def check_network(program, project, folder, case, key):
    stem = project / "tests/data/reference" / case
    description = json.loads(stem.with_suffix(".json").read_text())
    tensors = read_safetensors(stem.with_suffix(".safetensors"))
    config = network_of(program, project, {f"{key}_def": (description["class"], description["constructor"])})
    module = export(program, folder, config, key, split(tensors, "weights."))
    for call in description["calls"]:
        method = getattr(module, call.get("method", "forward"), None)
        if method is None:
            continue  # decode_stage_2_outputs: another name of decode
        outputs = flatten(method(**{name: value_of(a, tensors) for name, a in call["kwargs"].items()}))
        names = [name for name in call["outputs"] if not name.endswith("*")]
        lists = [name for name in call["outputs"] if name.endswith("*")]
        names = [f"{name[:-1]}{i}" for name in lists for i in range(len(outputs) - len(names))] + names
        for name, output in zip(names, outputs, strict=True):
            expect_close(output, tensors[name], tolerance_of(project, case), f"{case} {name}")


def attention(weights, x, heads, include_fc):
    """softmax(q k^T / sqrt(d)) v, all heads at once, with float64 sums."""
    weights = {name: tensor.double() for name, tensor in weights.items()}
    x = x.double()
    if "qkv.weight" in weights:
        q, k, v = (x @ weights["qkv.weight"].T + weights["qkv.bias"]).chunk(3, -1)
    else:
        q, k, v = (x @ weights[f"to_{part}.weight"].T + weights[f"to_{part}.bias"] for part in "qkv")
    q, k, v = (part.reshape(*x.shape[:2], heads, -1).transpose(1, 2) for part in (q, k, v))
    scores = q @ k.transpose(2, 3) * q.shape[-1] ** -0.5
    y = (scores.softmax(-1) @ v).transpose(1, 2).reshape(*x.shape[:2], -1)
    return y @ weights["out_proj.weight"].T + weights["out_proj.bias"] if include_fc else y


def check_block(program, project, folder, include_fc, combined):
    """The demo's middle block, its weights converted to the form by voldiff."""
    name = f"include_fc {include_fc}, use_combined_linear {combined}"
    program("export-torchscript", project / "configs/demo.yaml", "diffusion_unet", folder / "block.ts", "--force",
            "--block", "middle_block.attention.attn", "--set", f"network.diffusion_unet_def.include_fc={str(include_fc).lower()}",
            "--set", f"network.diffusion_unet_def.use_combined_linear={str(combined).lower()}")
    block = torch.jit.load(str(folder / "block.ts"))
    weights = dict(block.named_parameters())
    assert ("qkv.weight" in weights) == combined and ("out_proj.weight" in weights) == include_fc, sorted(weights)
    torch.manual_seed(0)
    for length in (7, 64):
        x = torch.randn(2, length, 96)
        expected = attention(weights, x, 3, include_fc)
        expect_close(block(x), expected, 5e-6, f"attention, {name}, {length} tokens")


def main():
    program, project, folder = Program(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    for include_fc in (False, True):
        for combined in (False, True):
            check_block(program, project, folder, include_fc, combined)
    for case, key in NETWORKS.items():
        check_network(program, project, folder, case, key)


NETWORKS = {
    "unet_core/class_conditional_residuals": "diffusion_unet",
    "unet_maisi/combined_linear_fc0_int_timesteps": "diffusion_unet",
    "unet_maisi/conditioned_upcast_dropout_ignored": "diffusion_unet",
    "unet_maisi/ddpm_controlnet_residuals_batch2": "diffusion_unet",
    "unet_maisi/rflow_controlnet_residuals": "diffusion_unet",
    "controlnet/rflow_style": "controlnet",
    "controlnet/cross_attention": "controlnet",
    "autoencoder_core/combined_no_nonlocal": "autoencoder",
    "autoencoder_core/fc0_convtranspose": "autoencoder",
    "autoencoder_maisi/attention_levels_fc1_combined": "autoencoder",
    "autoencoder_maisi/convtranspose": "autoencoder",
    "autoencoder_maisi/nonlocal_fc1": "autoencoder",
}

if __name__ == "__main__":
    main()
