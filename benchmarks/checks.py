"""What must hold on an accelerator, checked with the package's own trainings and sampler.

    uv run python -m benchmarks.checks [--out FOLDER]

``checks.csv``: each check with its outcome (``passed``, ``failed``, ``skipped``), what was
seen and its seconds. A denoiser of DiT-S/2's size (``--model``) is trained for a few
steps on latents made up for the purpose, and then sampled from. What needs an
accelerator is skipped without one. Exits with 1 where a check failed.
"""

import argparse
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks.bench import CLASSES, REAL, TOY, Bench
from benchmarks.measure import Table, shipped
from benchmarks.sampling import MODELS, guides
from benchmarks.students import protocol_at
from lighthouse.couplings import joint
from lighthouse.runtime.job import device
from lighthouse.runtime.launching import COMPILED, GRAPHS, PLAIN
from lighthouse.runtime.precision import full_float32
from lighthouse.students.stacked import StackedTraining, train_together
from lighthouse.students.trainer import Images, Training, train_student

CHECKS = ("name", "outcome", "detail", "seconds")
#: Trained at once.
STUDENTS = 3

#: Largest relative differences (of the largest number, or of the root mean square) that
#: count as rounding: of sums in another order through all steps; of 8 bits instead of 24.
ROUNDING, HALF_ROUNDING = 1e-3, 0.1
#: The same for the loss of a training.
LOSS_ROUNDING = 0.05


def trains(bench: Bench) -> tuple[bool, str]:
    """A training of a prior lowers its loss below that of a prediction of nothing."""
    loss = bench.prior.loss
    return loss < 1, f"loss {loss:.4f} after {bench.steps} steps"


def trains_in_bf16(bench: Bench) -> tuple[bool, str]:
    """The same training in bf16 ends at the same loss, but for rounding."""
    full, half = bench.prior.loss, bench.trained("bf16", bench.batch).loss
    return abs(half / full - 1) < LOSS_ROUNDING, f"loss {half:.4f} beside {full:.4f}"


def repeats(bench: Bench) -> tuple[bool, str]:
    """The same samples come twice, to the byte."""
    return _equal(bench.samples(), bench.samples())


def shards(bench: Bench) -> tuple[bool, str]:
    """Classes divided among jobs give the samples of one job, to the byte."""
    parts = [bench.samples(classes=part) for part in ((0,), (1, 2), (3,))]
    return _equal(torch.cat(parts), bench.samples())


def micro_batches(bench: Bench) -> tuple[bool, str]:
    """Another micro-batch changes samples by rounding alone."""
    return _near(bench.samples(micro_batch=1), bench.samples(micro_batch=12))


def joint_is_iid(bench: Bench) -> tuple[bool, str]:
    """Joint sampling at weight 0 gives the independent samples, to the byte."""
    with guides("dpp+mean", CLASSES) as terms:
        still = tuple(replace(guide, weight=0.0) for guide in terms)
        return _equal(bench.samples(coupling=joint, guided_by=still), bench.samples())


def guided(bench: Bench, terms: str) -> tuple[bool, str]:
    """Guided samples are finite and differ from unguided ones. terms: of ``GUIDED_BY``."""
    with guides(terms, CLASSES) as found:
        moved, plain = bench.samples(coupling=joint, guided_by=tuple(found)), bench.samples()
    by = _rms(moved - plain) / _rms(plain)
    return bool(moved.isfinite().all()) and by > ROUNDING, f"moved by {by:.2g} of their size"


def samples_in_bf16(bench: Bench) -> tuple[bool, str]:
    """Samples in bf16 are those in float32, but for rounding."""
    full = bench.samples()
    off = _rms(bench.samples(precision="bf16") - full) / _rms(full)
    return off < HALF_ROUNDING, f"root mean square of the difference {off:.2g} of theirs"


def launched_so(bench: Bench, launch: str) -> tuple[bool, str]:
    """Calls as graphs, or compiled, give the samples of plain ones, but for rounding."""
    return _near(bench.samples(launch=launch), bench.samples())


def trains_by_graphs(bench: Bench) -> tuple[bool, str]:
    """A training whose steps are replayed ends at the loss of one launched plainly."""
    level = {"kind": "constant"}
    plain, graphs = (
        bench.trained("fp32", bench.batch, schedule=level, launch=launch)
        for launch in (PLAIN, GRAPHS)
    )
    detail = f"loss {graphs.loss:.4f}, launched as {graphs.launch}, beside {plain.loss:.4f}"
    return graphs.launch == GRAPHS and abs(graphs.loss / plain.loss - 1) < ROUNDING, detail


def like_the_cpu(bench: Bench) -> tuple[bool, str]:
    """The accelerator's samples are the CPU's, but for rounding."""
    return _near(bench.samples(), bench.samples(where="cpu"))


def student_repeats(bench: Bench) -> tuple[bool, str]:
    """A student's training, twice, gives the same weights."""
    first, second = (
        torch.cat([w.flatten() for w in student_of(bench, *bench.students).parameters()])
        for _ in range(2)
    )
    return _equal(first.detach(), second.detach())


def students_at_once(bench: Bench) -> tuple[bool, str]:
    """Three students trained as one batch of models have the weights of those trained alone."""
    count, size = bench.students
    work = student_work(count, size)
    together = train_together([work[0]] * STUDENTS, *work[1:], [(0, k) for k in range(STUDENTS)])
    made, wanted = [], []
    for number, (student, _) in enumerate(together):
        alone, _ = train_student(*work, 0, student_seed=number)
        made.append(student.head.weight.flatten())
        wanted.append(alone.head.weight.flatten())
    return _near(torch.cat(made).detach(), torch.cat(wanted).detach())


def student_waits_for_nothing(bench: Bench) -> tuple[bool, str]:
    """A step of one student, and of several at once, reads nothing off the accelerator."""
    train, _, options, protocol, _ = student_work(*bench.students)
    alone = Training(train, options, protocol, 64, 2, 0, None)
    several = StackedTraining([train] * STUDENTS, options, protocol, 64, 2, range(STUDENTS), None)
    for training in (alone, several):
        training.run_epoch(1)  # what is made at the first step alone may be waited for
        torch.cuda.set_sync_debug_mode("error")
        try:
            training.run_epoch(2)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return True, "one epoch each"


def student_work(count: int, size: int, batch: int = 64) -> tuple:
    """What ``train_student`` takes before its seeds: an epoch on ``count`` images of noise."""
    rng = torch.Generator().manual_seed(0)
    images = torch.randint(256, (count, 3, size, size), dtype=torch.uint8, generator=rng)
    train = Images(images, torch.arange(count) % len(CLASSES)).to(device())
    protocol = {
        **protocol_at(size),
        "epochs": [[count, 1]],
        "batch_size": [[count, batch]],
        "evaluations": 1,
    }
    seen = Images(train.images[:4], train.labels[:4])
    return train, seen, shipped()["students"]["convnet2"], protocol, count // len(CLASSES)


def student_of(bench: Bench, count: int, size: int, batch: int = 64) -> nn.Module:
    """A ConvNet-2 after an epoch on ``count`` images of noise."""
    return train_student(*student_work(count, size, batch), 0)[0]


def memory_of_sampler(bench: Bench) -> tuple[bool, str]:
    """A micro-batch that does not fit is told with one that does."""
    return _told(bench, 1, 512, lambda size: bench.samples(size, classes=(0,), ipc=512))


def memory_of_prior(bench: Bench) -> tuple[bool, str]:
    """A training's batch that does not fit is told with one that does."""
    return _told(bench, 3, 4096, lambda size: bench.trained("fp32", size, steps=1))


def memory_of_student(bench: Bench) -> tuple[bool, str]:
    """A student's batch that does not fit is told with one that does."""
    return _told(bench, 3, 2048, lambda size: student_of(bench, 2048, 224, size))


def memory_of_students(bench: Bench) -> tuple[bool, str]:
    """Students of whom too many are trained at once are told how many fit."""
    work = student_work(256, 64)

    def run(k: int) -> object:
        return train_together([work[0]] * k, *work[1:], [(0, number) for number in range(k)])

    return _told(bench, 3, 64, run)


def _told(bench: Bench, gib: float, size: int, run: Callable[[int], object]) -> tuple[bool, str]:
    """Whether in so little memory ``run(size)`` fails, and names a size which then runs."""
    bench.prior  # noqa: B018  is trained before there is little room
    with room(gib):
        said = _message(run, size)
        fits = re.search(r"(?<!not even )\b(\d+) fits?\b", said)
        if not fits:
            return False, said or f"{size} fits into {gib} GiB"
        again = _message(run, int(fits[1]))
    return not again, f"{said} [{fits[1]}: {again or 'runs'}]"


def _message(run: Callable[[int], object], size: int) -> str:
    """What ``run`` says where it lacks memory; nothing where it runs."""
    try:
        run(size)
    except MemoryError as error:
        return str(error)
    return ""


@contextmanager
def room(gib: float) -> Iterator[None]:
    """Leave this process so much of the accelerator's memory beyond what it holds."""
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    most = torch.cuda.memory_reserved() + gib * 2**30
    torch.cuda.set_per_process_memory_fraction(min(1.0, most / total))
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
        torch.cuda.empty_cache()


def _rms(x: Tensor) -> float:
    return x.square().mean().sqrt().item()


def _equal(a: Tensor, b: Tensor) -> tuple[bool, str]:
    same = torch.equal(a, b)
    return same, "equal" if same else f"differ by up to {(a - b).abs().max().item():.2g}"


def _near(a: Tensor, b: Tensor) -> tuple[bool, str]:
    off = ((a - b).abs().max() / b.abs().max()).item()
    return off < ROUNDING, f"differ by up to {off:.2g} of the largest"


@dataclass(frozen=True)
class Check:
    """A check, and whether it can be made without an accelerator."""

    run: Callable[[Bench], tuple[bool, str]]
    needs_gpu: bool = False


#: By name, in the order in which they are made.
ALL: Mapping[str, Check] = {
    "prior: a training lowers the loss": Check(trains),
    "prior: bf16 beside float32": Check(trains_in_bf16),
    "samples: the same twice": Check(repeats),
    "samples: shards": Check(shards),
    "samples: micro-batches": Check(micro_batches),
    "samples: joint at weight 0 is iid": Check(joint_is_iid),
    "samples: CGS": Check(partial(guided, terms="dpp+mean")),
    "samples: support points": Check(partial(guided, terms="support")),
    "samples: bf16 beside float32": Check(samples_in_bf16),
    "samples: graphs beside plain calls": Check(
        partial(launched_so, launch=GRAPHS), needs_gpu=True
    ),
    "samples: compiled beside plain calls": Check(
        partial(launched_so, launch=COMPILED), needs_gpu=True
    ),
    "prior: steps as graphs beside plain ones": Check(trains_by_graphs, needs_gpu=True),
    "samples: accelerator beside CPU": Check(like_the_cpu, needs_gpu=True),
    "student: the same twice": Check(student_repeats),
    "student: three at once beside alone": Check(students_at_once),
    "student: waits for nothing": Check(student_waits_for_nothing, needs_gpu=True),
    "memory: sampler": Check(memory_of_sampler, needs_gpu=True),
    "memory: prior": Check(memory_of_prior, needs_gpu=True),
    "memory: student": Check(memory_of_student, needs_gpu=True),
    "memory: students at once": Check(memory_of_students, needs_gpu=True),
}


def outcome_of(check: Check, bench: Bench) -> tuple[str, str]:
    """A check's outcome and what was seen. An error is a failure, its trace in the log."""
    if check.needs_gpu and not torch.cuda.is_available():
        return "skipped", "needs a GPU"
    try:
        held, detail = check.run(bench)
    except Exception as error:
        traceback.print_exc()
        return "failed", f"{type(error).__name__}: {error}"
    return "passed" if held else "failed", detail


def main() -> None:
    """Make all checks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--toy", action="store_true", help="at a size for two cores")
    parser.add_argument("--model", choices=MODELS, help="another denoiser's size")
    parser.add_argument("--out", type=Path, help="a folder for the table as CSV")
    given = parser.parse_args()
    full_float32()
    if given.toy:
        torch.set_num_threads(1)
    bench = TOY if given.toy else REAL
    bench = replace(bench, model=given.model or bench.model)
    table, outcomes = Table(given.out, "checks", CHECKS), []
    for name, check in ALL.items():
        started = time.perf_counter()
        outcome, detail = outcome_of(check, bench)
        seconds = time.perf_counter() - started
        table.add(name=name, outcome=outcome, detail=detail, seconds=seconds)
        outcomes.append(outcome)
    sys.exit("failed" in outcomes)


if __name__ == "__main__":
    main()
