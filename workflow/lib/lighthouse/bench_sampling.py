"""What collaborative guidance costs: seconds and memory of one sampling step, by IPC.

    PYTHONPATH=workflow/lib uv run python -m lighthouse.bench_sampling \\
        --model dit-xl-2 --ipc 10 100 1000 --micro-batch 2 [--output cost.csv]

A step of one set of N images calls the denoiser 2 ⌈N / micro-batch⌉ times
(classifier-free guidance) and the guidance terms once, all N together. One call is
measured and a step's calls are extrapolated from it: on two cores a whole step of
DiT-XL/2 at IPC 1000 takes an hour. The guidance is measured at each N. Medians over
repeats, after one that warms up. Peak memory is that of a whole step of the real
sampler, each in a process of its own, with a model small enough to run it.
Weights are random: neither seconds nor bytes depend on them.
"""

import argparse
import csv
import math
import os
import resource
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch

from lighthouse.couplings import joint
from lighthouse.diffusion.denoiser import new_denoiser, predict
from lighthouse.diffusion.sampler import sample, sets_of
from lighthouse.guidance import State, weighted_terms
from lighthouse.runtime.job import device
from lighthouse.runtime.precision import autocast, full_float32

#: DiT's sizes with patches of 2 (Peebles and Xie 2023, Tab. 1).
MODELS = {
    "dit-s-2": {"layers": 12, "heads": 6, "head_dim": 64},
    "dit-b-2": {"layers": 12, "heads": 12, "head_dim": 64},
    "dit-xl-2": {"layers": 28, "heads": 16, "head_dim": 72},
}

#: A latent at 256 px.
SHAPE = (4, 32, 32)

#: Weights of the order of the paper's Table 1; the cost does not depend on them.
TERMS = weighted_terms(
    ("dpp", "mean"), {"eta_dpp": 100.0, "mu_dm": 1000.0}, {"epsilon": 1e-3}, math.prod(SHAPE)
)


def model_of(name: str) -> torch.nn.Module:
    """A random DiT of ImageNet's 1000 classes, on the device."""
    options = {**MODELS[name], "patch_size": 2, "learned_variance": True}
    return new_denoiser(options, SHAPE[0], SHAPE[1], 1000).to(device())


def seconds(call: Callable[[], object], repeats: int) -> float:
    """Median wall-clock seconds of a call."""
    times = []
    for repeat in range(repeats + 1):
        started = time.perf_counter()
        call()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        if repeat:
            times.append(time.perf_counter() - started)
    return statistics.median(times)


@torch.no_grad()
def denoiser_seconds(name: str, micro_batch: int, precision: str, repeats: int) -> float:
    """Seconds of one call of the denoiser."""
    model = model_of(name)
    z = torch.randn(micro_batch, *SHAPE, device=device())
    t = torch.full((micro_batch,), 500, device=device())
    with autocast(device(), precision):
        return seconds(lambda: predict(model, z, t, t), repeats)


@torch.no_grad()
def guidance_seconds(ipc: int, repeats: int) -> float:
    """Seconds of the guidance terms of one set, DPP and mean."""
    z = torch.randn(1, ipc, math.prod(SHAPE), device=device())
    state = State(z, z[:, :0], z[:, 0], alpha_bar=0.5, ipc=ipc)
    return seconds(lambda: sum(weight * term(state) for weight, term in TERMS), repeats)


def peak_of_step(name: str, ipc: int, micro_batch: int, precision: str, threads: int) -> float:
    """Peak memory in GiB of this process, or else of its accelerator, in one step at N."""
    prepare(threads)
    means = torch.zeros(1, *SHAPE, device=device())
    options = {
        "semantics": "dit",
        "steps": 1,
        "guidance_scale": 4.0,
        "micro_batch": micro_batch,
        "precision": precision,
    }
    sample(model_of(name), sets_of("bench", ["class"], means, [0], ipc), joint(ipc), TERMS, options)
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def prepare(threads: int) -> None:
    """Threads and arithmetic of a process."""
    torch.set_num_threads(threads)
    full_float32()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=MODELS, default="dit-xl-2", help="whose seconds")
    parser.add_argument("--memory-model", choices=MODELS, default="dit-s-2", help="whose bytes")
    parser.add_argument("--ipc", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--memory-ipc", type=int, nargs="*", default=[10, 1000])
    parser.add_argument("--micro-batch", type=int, default=2)
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--output", type=Path, help="a CSV of the same figures")
    given = parser.parse_args()
    common = (given.micro_batch, given.precision)

    # First, while this process is small: a child's peak counts from its parent's size.
    peaks = {}
    for ipc in given.memory_ipc:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            asked = pool.submit(peak_of_step, given.memory_model, ipc, *common, given.threads)
            peaks[ipc] = asked.result()

    prepare(given.threads)
    call = denoiser_seconds(given.model, *common, given.repeats)
    rows = []
    for ipc in sorted({*given.ipc, *given.memory_ipc}):
        denoiser = 2 * math.ceil(ipc / given.micro_batch) * call
        guidance = guidance_seconds(ipc, given.repeats)
        rows.append(
            {
                "ipc": ipc,
                "denoiser_s": f"{denoiser:.3g}",
                "guidance_s": f"{guidance:.3g}",
                "guidance_percent": f"{100 * guidance / (denoiser + guidance):.2g}",
                "peak_gib": f"{peaks[ipc]:.2f}" if ipc in peaks else "",
            }
        )
    print(f"device {device()}, {given.threads} threads, {given.precision}")
    print(f"{given.model}: {call:.3g} s for a micro-batch of {given.micro_batch}, measured")
    print(f"denoiser_s: a step's calls, extrapolated from it; peak_gib: of {given.memory_model}")
    print("".join(f"{key:>18}" for key in rows[0]))
    for row in rows:
        print("".join(f"{value:>18}" for value in row.values()))
    if given.output:
        with given.output.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
