"""MONAI's half of side_by_side.py: one measurement in a process of its own.

    monai_side.py TASK JSON      TASK: decoder, unet (one call), generate (noise to voxels, as MAISI's diff_model_infer)

JSON: {"config": run config as `voldiff generate --print-config --json` writes it, "weights": {network: safetensors},
"latent": [D, H, W], "threads", "calls", "num_splits", "dtype", "output"}. Prints what bench_side prints.
"""
import functools
import importlib
import inspect
import json
import struct
import sys
import time

import numpy
import torch

TYPES = {"F32": numpy.float32, "F16": numpy.float16}


def peak_bytes():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def header_of(file):
    """Of a safetensors file: names to places, and where the places begin."""
    (length,) = struct.unpack("<Q", file.read(8))
    return json.loads(file.read(length)), 8 + length


def scale_factor_of(path):
    with open(path, "rb") as file:
        return float(header_of(file)[0]["__metadata__"]["scale_factor"])


def tensors_of(path):
    """The tensors of a safetensors file as float32, one at a time, so that none is in memory twice."""
    with open(path, "rb") as file:
        header, begin = header_of(file)
        header.pop("__metadata__", None)
        for name, entry in header.items():
            file.seek(begin + entry["data_offsets"][0])
            values = numpy.fromfile(file, TYPES[entry["dtype"]], int(numpy.prod(entry["shape"], dtype=int)))
            yield name, torch.from_numpy(values.reshape(entry["shape"])).float()


def build(definition, weights, dtype, **changes):
    """The class of `_target_` with the arguments that it has; every tensor of the file must find its place."""
    module, name = definition["_target_"].rsplit(".", 1)
    cls = getattr(importlib.import_module(module), name)
    known = inspect.signature(cls.__init__).parameters
    arguments = {**definition, "use_flash_attention": False, "norm_float16": False, **changes}
    network = cls(**{key: value for key, value in arguments.items() if key in known and value is not None})
    own = dict(network.state_dict())
    for key, tensor in tensors_of(weights):
        own.pop(key).copy_(tensor)
    if own:
        sys.exit(f"{weights} lacks {sorted(own)[:4]}")
    if dtype == torch.float64:  # MAISI's own norm is in float32 whatever it is given
        for module in network.modules():
            if isinstance(module, torch.nn.GroupNorm):
                module.forward = functools.partial(torch.nn.GroupNorm.forward, module)
    return network.to(dtype).eval()


class Maisi:
    def __init__(self, job):
        self.job = job
        self.network = job["config"]["network"]
        self.dtype = getattr(torch, job["dtype"])

    def autoencoder(self):
        return build(self.network["autoencoder_def"], self.job["weights"]["autoencoder"], self.dtype,
                     num_splits=self.job["num_splits"], dim_split=1)

    def unet(self):
        return build(self.network["diffusion_unet_def"], self.job["weights"]["diffusion_unet"], self.dtype)

    def noise(self):
        torch.manual_seed(0)
        return torch.randn([1, 4, *self.job["latent"]]).to(self.dtype)

    def conditions(self, label, spacing):
        return {"class_labels": torch.tensor([label]), "spacing_tensor": torch.tensor([spacing]).to(self.dtype)}

    def decoder_call(self):
        network, z = self.autoencoder(), self.noise()
        return lambda: network.decode_stage_2_outputs(z)

    def unet_call(self):
        network, x = self.unet(), self.noise()
        conditions = self.conditions(0, [150.0] * 3)
        return lambda: network(x=x, timesteps=torch.tensor([500.0]).to(self.dtype), **conditions)

    def generate(self):
        """diff_model_infer's run_inference without CUDA; for latents up to 80^3, which it decodes whole."""
        config, image = self.job["config"], self.noise()
        autoencoder, unet, scheduler = self.autoencoder(), self.unet(), self.scheduler(config)
        scheduler.set_timesteps(config["sampling"]["steps"], input_img_size_numel=torch.tensor(image[0, 0].numel()))
        conditions = self.conditions(1, (torch.tensor(config["image"]["spacing"]) * 100).half().tolist())
        following = torch.cat((scheduler.timesteps[1:], torch.tensor([0], dtype=scheduler.timesteps.dtype)))
        for t, next_t in zip(scheduler.timesteps, following):
            image, _ = scheduler.step(unet(x=image, timesteps=torch.Tensor((t,)), **conditions), t, image, next_t)
            print("step", file=sys.stderr, flush=True)
        hounsfield = autoencoder.decode_stage_2_outputs(image / scale_factor_of(self.job["weights"]["diffusion_unet"])) * 2000 - 1000
        return hounsfield.clip(-1000, 1000).to(torch.int16)

    def scheduler(self, config):
        options = {key: value for key, value in self.network["noise_scheduler"].items() if key != "_target_"}
        from monai.networks.schedulers import RFlowScheduler
        return RFlowScheduler(**options)


def middle(times):
    return sorted(times)[(len(times) - 1) // 2]


def main():
    task, job = sys.argv[1], json.loads(sys.argv[2])
    torch.set_num_threads(job["threads"])
    maisi = Maisi(job)
    call = maisi.generate if task == "generate" else getattr(maisi, task + "_call")()
    times = []
    with torch.inference_mode():
        for _ in range(job["calls"]):
            began, cpu_began = time.monotonic(), time.process_time()
            result = call()
            times.append((time.monotonic() - began, time.process_time() - cpu_began))
    seconds, cpu_seconds = middle(times[1:] or times)
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_bytes": peak_bytes()}), flush=True)
    result.numpy().tofile(job["output"])


main()
