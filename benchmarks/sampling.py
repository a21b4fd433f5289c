"""What sampling costs: seconds an image, arithmetic, memory, and the share of the guidance.

    uv run python -m benchmarks.sampling --model dit-xl-2 --micro-batch 2 [--out FOLDER]

``sampling.csv``: the package's sampler at each precision and ``launch`` (``compute.launch``), and
beside it two loops. ``diffusers`` calls that library's model as it is, with as many latents a call:
blocks that each embed step and class, weights that autocast casts at every call, a call with the
classes and one without. ``peers`` is their way (MiniMax Diffusion's ``sample.py``, which is DiT's:
one image after another, both predictions of classifier-free guidance in one call of two latents,
float32 with TF32 products allowed where the device has them), also without TF32. All take 50 steps
and guidance 4; ``steps_timed`` of the steps are measured, behind those in which calls are recorded
or compiled, and ``seconds_per_image`` is their multiple: all steps cost the same. ``tflops``:
10¹² floating-point operations a second, two for a multiplication with its addition, as torch
counts them in the denoiser alone.

``guidance.csv``: by IPC a step's passes through the denoiser (the multiple of those in
``sampling.csv``), the guidance (the ``terms`` DPP and mean, or support points among 1,300 real
latents, measured inside the sampler), its share, and the peak memory of whole steps, in a process
of its own, of ``--memory-model``: of the accelerator, or else of the process.

Medians over repeats, after one that warms up. Weights are random: neither seconds nor
bytes depend on them.
"""

import argparse
import math
import os
import resource
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.measure import Table, device_peak, seconds, shipped, start_peak, synchronise
from lighthouse.couplings import Stage, iid, joint
from lighthouse.datasets.latents import LATENTS, MEANS
from lighthouse.diffusion.denoiser import new_denoiser, null_label, predict
from lighthouse.diffusion.sampler import Sets, sample, sets_of
from lighthouse.diffusion.schedule import ancestral
from lighthouse.guidance import Context, Guide, State, guides_of
from lighthouse.parts.terms import TERMS
from lighthouse.runtime.files import write_arrays
from lighthouse.runtime.job import device
from lighthouse.runtime.launching import COMPILED, GRAPHS, PLAIN, WARM, at_work
from lighthouse.runtime.precision import autocast, full_float32
from lighthouse.steps import respaced

#: DiT's sizes with patches of 2 (Peebles and Xie 2023, Tab. 1), and one for trying things.
MODELS = {
    "dit-tiny": {"layers": 1, "heads": 2, "head_dim": 16},
    "dit-s-2": {"layers": 12, "heads": 6, "head_dim": 64},
    "dit-b-2": {"layers": 12, "heads": 12, "head_dim": 64},
    "dit-xl-2": {"layers": 28, "heads": 16, "head_dim": 72},
}
#: ImageNet's.
CLASSES = 1000
#: A latent at 256 px.
SHAPE = (4, 32, 32)
#: The sampler that costs are given for: DiT's and the peers'.
STEPS, SCALE = 50, 4.0
#: A schedule has a first and a last step at least.
LEAST_STEPS = 2
#: Ways to launch the denoiser's calls, in the order in which they are measured.
LAUNCHES = (PLAIN, GRAPHS, COMPILED)
#: Guidance, with weights of the order of the paper's Table 1; the cost does not depend on them.
GUIDED_BY = {"dpp+mean": {"dpp": 100.0, "mean": 1000.0}, "support": {"support": 1.0}}
#: Real latents of a class, ImageNet's.
REAL = 1300

SAMPLING = (
    "way",
    "launch",
    "model",
    "precision",
    "tf32",
    "latents_per_call",
    "images",
    "steps_timed",
    "seconds_per_image",
    "tflops",
    "peak_gib",
)
GUIDANCE = (
    "model",
    "precision",
    "terms",
    "ipc",
    "denoiser_s",
    "guidance_s",
    "guidance_percent",
    "memory_model",
    "peak_gib",
)


def model_of(name: str, n_classes: int = CLASSES, where: object = None) -> nn.Module:
    """A random DiT with learned variance, on a device, by default the one work runs on."""
    options = {**MODELS[name], "patch_size": 2, "learned_variance": True}
    place = torch.device(where or device())
    with place:  # weights are drawn there: 675 million take seconds on a CPU
        return new_denoiser(options, SHAPE[0], SHAPE[1], n_classes).to(place)


def options_of(micro_batch: int, precision: str, steps: int, scale: float = SCALE) -> dict:
    """The sampler's options: the shipped ones, but for these and DiT's semantics."""
    return {
        **shipped()["datasets"]["digits"]["sampler"],
        "semantics": "dit",
        "steps": steps,
        "guidance_scale": scale,
        "micro_batch": micro_batch,
        "precision": precision,
    }


@contextmanager
def guides(terms: str, classes: Sequence[str] = ("class",)) -> Iterator[list[Guide]]:
    """Terms of ``GUIDED_BY`` at work, as long as there are ``REAL`` random latents a class."""
    made = [TERMS[name].at_work(w, TERMS[name].defaults) for name, w in GUIDED_BY[terms].items()]
    with TemporaryDirectory() as folder:
        rng, count = np.random.default_rng(0), len(classes)
        latents = rng.standard_normal((count * REAL, 1, *SHAPE), dtype=np.float32)
        np.save(Path(folder, LATENTS), latents)
        means = latents.reshape(count, REAL, *SHAPE).mean(1)
        arrays = {"labels": np.arange(count).repeat(REAL), "class_means": means}
        write_arrays(Path(folder, MEANS), arrays, {"classes": list(classes)})
        numbers = math.prod(SHAPE)
        context = Context("bench", classes, 1, numbers, latents=Path(folder), device=device())
        yield guides_of(made, context)


def drawn(
    model: nn.Module,
    sets: Sets,
    coupling: Sequence[Stage],
    guided_by: Sequence[Guide],
    options: Mapping,
    launch: str = PLAIN,
) -> Tensor:
    """Latents of the package's sampler, (B, N, c, h, w) on the CPU."""
    return sample(model, sets, coupling, guided_by, options, launch).latents


def one_set(ipc: int) -> Sets:
    """A set of one class."""
    return sets_of("bench", ["class"], torch.zeros(1, *SHAPE, device=device()), [0], ipc)


def gflop(name: str) -> float:
    """10⁹ floating-point operations of one latent's pass through a denoiser."""
    model = model_of(name, where="meta")
    z = torch.empty(1, *SHAPE, device="meta")
    t = torch.zeros(1, dtype=torch.long, device="meta")
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        predict(model, z, t, t)
    return counter.get_total_flops() / 1e9


def sampler_seconds(
    model: nn.Module, micro_batch: int, precision: str, launch: str, steps: int, repeats: int
) -> float:
    """Seconds of one image and step in the package's sampler, calls filled to the last place.

    The median of ``repeats`` runs after one that warms up. The clock is a term of guidance that
    moves nothing and is asked once, behind the denoiser's last call that is not timed.
    """
    before = WARM if launch == GRAPHS else 0
    options = options_of(micro_batch, precision, before + 1 + steps)
    start = respaced(options["steps"])[-1 - before]
    started: list[float] = []

    def look(state: State) -> Tensor:
        synchronise()
        started.append(time.perf_counter())
        return torch.zeros_like(state.z)

    clock, spent = Guide(1.0, look, (start, start + 1)), []
    for _ in range(repeats + 1):
        drawn(model, one_set(micro_batch), iid(micro_batch), [clock], options, launch)
        synchronise()
        spent.append(time.perf_counter() - started[-1])
    return statistics.median(spent[1:]) / (micro_batch * steps)


@torch.no_grad()
def loop_seconds(
    model: nn.Module, images: int, together: bool, precision: str, steps: int, repeats: int
) -> float:
    """Seconds of one image and step in a loop of some images at a time around a plain model.

    together: both predictions of classifier-free guidance in one call, or each in its own.
    """
    scheduler, place = ancestral(STEPS, "learned_range"), device()
    labels = torch.tensor([0] * images + [null_label(model)] * images, device=place)
    size = 2 * images if together else images

    def draw() -> None:
        z = torch.randn(images, *SHAPE, device=place)
        for t in scheduler.timesteps[:steps]:
            parts = zip(torch.cat([z, z]).split(size), labels.split(size), strict=True)
            with autocast(place, precision):
                said = [predict(model, x, t.to(place).expand(len(x)), own) for x, own in parts]
            given, nothing = torch.cat(said).float().chunk(2)
            guided = nothing[:, :3] + SCALE * (given[:, :3] - nothing[:, :3])
            z = scheduler.step(torch.cat([guided, given[:, 3:]], dim=1), t, z).prev_sample

    return seconds(draw, repeats) / (images * steps)


@contextmanager
def tf32(allowed: bool) -> Iterator[None]:
    """Products of float32 on an accelerator with TF32's 10 bits, as the peers' code allows."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = allowed
    try:
        yield
    finally:
        full_float32()


def guidance_seconds(terms: str, ipc: int, repeats: int) -> float:
    """Seconds of some guidance terms at one step of one set.

    Measured in the sampler, so that they see what they see at work; the denoiser there
    is a tiny one.
    """
    spent: list[float] = []

    def watched(guide: Guide) -> Guide:
        def term(state: State) -> Tensor:
            synchronise()
            started = time.perf_counter()
            direction = guide.term(state)
            synchronise()
            spent.append(time.perf_counter() - started)
            return direction

        return replace(guide, term=term)

    options = options_of(min(ipc, 100), "fp32", repeats + 1, scale=1.0)
    with guides(terms) as found:
        at_work = [watched(guide) for guide in found]
        drawn(model_of("dit-tiny"), one_set(ipc), joint(ipc), at_work, options)
    steps = [sum(spent[i : i + len(at_work)]) for i in range(0, len(spent), len(at_work))]
    return statistics.median(steps[1:])


def peak_of_steps(
    name: str, terms: str, ipc: int, micro_batch: int, precision: str, threads: int
) -> float:
    """Peak memory in GiB of whole guided steps at N: the accelerator's, or else this process's.

    In a process of its own.
    """
    prepare(threads)
    options = options_of(micro_batch, precision, LEAST_STEPS)
    with guides(terms) as found:
        drawn(model_of(name), one_set(ipc), joint(ipc), found, options)
    return device_peak() or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def prepare(threads: int) -> None:
    """Threads and arithmetic of a process."""
    torch.set_num_threads(threads)
    full_float32()


def measure_sampling(given: argparse.Namespace) -> dict[str, float]:
    """Fill ``sampling.csv``; return the seconds of an image and step, by precision."""
    table = Table(given.out, "sampling", SAMPLING)
    # As in a job. What is to be trained autocast keeps from one call to the next.
    model = model_of(given.model).requires_grad_(False)
    operations = 2 * gflop(given.model) / 1000
    common = {"model": given.model, "steps_timed": given.timed_steps}
    size, timed = given.micro_batch, (given.timed_steps, given.repeats)

    def add(step: float, **row: object) -> float:
        costs = {"seconds_per_image": STEPS * step, "tflops": operations / step}
        table.add(**common, **row, **costs, peak_gib=device_peak())
        return step

    def measured(precision: str, launch: str) -> float:
        start_peak()
        step = sampler_seconds(model, size, precision, launch, *timed)
        way = {"way": "lighthouse", "launch": launch, "precision": precision, "tf32": False}
        return add(step, **way, latents_per_call=size, images=size)

    found = {precision: measured(precision, PLAIN) for precision in given.precision}
    for launch in LAUNCHES[1:]:
        if launch in given.launch and at_work(launch, device()) == launch:
            for precision in given.precision:
                measured(precision, launch)
    loops = [("diffusers", size, False, precision, False) for precision in given.precision]
    for allowed in (True, False) if torch.cuda.is_available() else (False,):
        loops.append(("peers", 1, True, "fp32", allowed))
    for way, images, together, precision, allowed in loops:
        start_peak()
        with tf32(allowed):
            step = loop_seconds(model, images, together, precision, *timed)
        about = {"way": way, "launch": PLAIN, "precision": precision, "tf32": allowed}
        add(step, **about, latents_per_call=2 if together else size, images=images)
    return found


def measure_guidance(
    given: argparse.Namespace,
    step: Mapping[str, float],
    pools: Mapping[tuple[str, int], ProcessPoolExecutor],
) -> None:
    """Fill ``guidance.csv``."""
    table = Table(given.out, "guidance", GUIDANCE)
    cells = list(product(GUIDED_BY, given.ipc))
    guidance = {cell: guidance_seconds(*cell, given.repeats) for cell in cells}
    for precision, each in step.items():
        for terms, ipc in cells:
            size = min(given.micro_batch, ipc)
            asked = (given.memory_model, terms, ipc, size, precision, given.threads)
            pool = pools.pop((terms, ipc), None)
            peak = pool.submit(peak_of_steps, *asked).result() if pool else None
            denoiser, guided = ipc * each, guidance[terms, ipc]
            table.add(
                model=given.model,
                precision=precision,
                terms=terms,
                ipc=ipc,
                denoiser_s=denoiser,
                guidance_s=guided,
                guidance_percent=100 * guided / (denoiser + guided),
                memory_model=given.memory_model if peak else None,
                peak_gib=peak,
            )


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=MODELS, default="dit-xl-2", help="whose seconds")
    parser.add_argument("--memory-model", choices=MODELS, default="dit-s-2", help="whose bytes")
    parser.add_argument("--ipc", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument(
        "--memory-ipc", type=int, nargs="*", default=[10, 1000], help="some of --ipc"
    )
    parser.add_argument("--micro-batch", type=int, default=2)
    parser.add_argument("--precision", choices=["fp32", "bf16"], nargs="+", default=["fp32"])
    parser.add_argument(
        "--launch", choices=LAUNCHES[1:], nargs="*", default=[], help="beside plain"
    )
    parser.add_argument("--timed-steps", type=int, default=LEAST_STEPS, help=f"of {STEPS}")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=Path, help="a folder for the same figures as CSV")
    given = parser.parse_args()
    if not LEAST_STEPS <= given.timed_steps <= STEPS:
        parser.error(f"--timed-steps: {LEAST_STEPS} to {STEPS}")
    if not set(given.memory_ipc) <= set(given.ipc):
        parser.error("--memory-ipc: some of --ipc")

    # Started while this process is small: a child's peak counts from its parent's size.
    pools = {
        cell: ProcessPoolExecutor(1, get_context("spawn"))
        for cell in product(GUIDED_BY, given.memory_ipc)
    }
    for started in [pool.submit(os.getpid) for pool in pools.values()]:
        started.result()
    prepare(given.threads)
    print(f"device {device()}, {given.threads} threads")
    measure_guidance(given, measure_sampling(given), pools)


if __name__ == "__main__":
    main()
