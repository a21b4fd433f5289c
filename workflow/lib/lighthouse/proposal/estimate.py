"""How long a study takes on this machine, stage by stage: its own grid, times measured speeds."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from lighthouse.config.batches import batches
from lighthouse.config.prior_check import checked, student_of
from lighthouse.config.study import Study
from lighthouse.priors.verdict import KINDS
from lighthouse.report.items import items

#: How often an image of each part is read: all once for the index; those of train for autoencoder,
#: latents, extractor, its features and students of all; the others for what judges students.
READ = {"train": 6, "val": 4, "test": 2}
#: Of a base prior's time, beside its steps: the looks at its held-out loss.
LOOKS = 1.05
#: Of a sampled step, beside the denoiser's time: with the terms that guide it, and without one.
GUIDED, UNDENOISED = 1.15, 0.1
#: Seconds of one thread in which a set is measured.
MEASURED = 0.4
#: Of a process's start, a table or figure: most load no torch.
ITEM = 0.5
#: Of an image that a student learns: one that it only looks at, and one that the extractor learns,
#: which is not augmented.
LOOKED_AT, EXTRACTED = 0.35, 0.6
#: Jobs of a dataset that are of no batch and no table: index, pixels, extractor, features, latents
#: of two parts, autoencoder, prior, choices, distilled sets, audit.
FURTHER_JOBS = 12
#: So much of the cores works side by side, where trainings of one thread are: the last ones wait.
BUSY = 0.8
#: No more jobs of a study of one replicate than these run side by side.
LANES = 4
#: Of the time of all students: those of sets that wait for the prior.
BEHIND = 0.7
#: The stages whose lengths are steps, which a plan decides; and what is left of a machine whose
#: other work is done before the prior is.
AUTOENCODER, PRIOR, WAITING = "autoencoder", "base prior", "cores that wait for the prior"


@dataclass(frozen=True)
class Speeds:
    """Seconds by the clock of one machine.

    start: of a process until it works. read: an image, by one thread. autoencoder_step,
    prior_step: of trainings, by ``compute.training_threads``; encode: an image, likewise.
    sampler_step: a latent's step under classifier-free guidance, and decode: an image, by one
    thread. student_step: of a student, and student_image: each image in it, likewise.
    """

    start: float
    read: float
    autoencoder_step: float
    encode: float
    prior_step: float
    sampler_step: float
    decode: float
    student_step: float
    student_image: float


def estimate(
    study: Study, images: Mapping[str, int], speeds: Speeds, cores: int, gpu: bool
) -> dict[str, float]:
    """Seconds by the clock of each stage of a study of one dataset, as if one followed the other.

    What runs beside other work counts by its share of the machine. images: of each of the dataset's
    parts (train, val, test). cores: that jobs may use; on a GPU they share that one.
    """
    (dataset,) = study.run["datasets"]
    options, classes = study.dataset(dataset), study.n_classes(dataset)
    lanes = lanes_of(cores, gpu)
    share = share_of(study.config["compute"]["training_threads"], cores, gpu)
    views = 2 if options["flips"] else 1
    encoded = speeds.encode * views * (images["train"] + images["val"])
    read = speeds.read * sum(READ[part] * count for part, count in images.items())
    jobs = 3 * len(batches(study)) + len(study.ceilings) + FURTHER_JOBS
    jobs += ITEM * len(items(study))
    extractor = options["extractor"].get("epochs", 0) * images["train"]
    extractor *= EXTRACTED * speeds.student_image
    measured = MEASURED * sum(len(study.seeds(cell)) for cell in study.cells)
    step = LOOKS * speeds.prior_step * len(study.replicates)
    stages = {
        "reading images": read / min(cores, LANES) + encoded,
        AUTOENCODER: share * options["autoencoder"].get("steps", 0) * speeds.autoencoder_step,
        PRIOR: share * options["base"]["stop"]["steps"] * step,
        "sampling": _sampling(study, speeds, classes) / lanes,
        "students": _students(study, images, speeds, classes) / lanes,
        "students of all images": _ceilings(study, images, speeds, classes) / lanes,
        "metrics, tables, starts of jobs": ((measured + extractor + jobs * speeds.start) / lanes),
    }
    longest = (stages[AUTOENCODER] + stages[PRIOR]) / share + behind(stages)
    waiting = longest - sum(stages.values())
    return stages | ({WAITING: waiting} if waiting > 0 else {})


def lanes_of(cores: int, gpu: bool) -> float:
    """How many jobs of one thread a machine does side by side."""
    return 1.0 if gpu else max(1.0, BUSY * min(cores, LANES))


def share_of(threads: int, cores: int, gpu: bool) -> float:
    """The share of a machine that a training of some threads takes; other jobs have the rest."""
    return 1.0 if gpu else min(1.0, threads / lanes_of(cores, gpu))


def behind(stages: Mapping[str, float]) -> float:
    """Seconds of what can only begin when the prior is there."""
    return stages.get("sampling", 0.0) + BEHIND * stages.get("students", 0.0)


def _sampling(study: Study, speeds: Speeds, classes: int) -> float:
    """Seconds of one thread: each set that is sampled, those of candidates too, decoded."""
    seconds = 0.0
    for cell in dict.fromkeys(map(study.source, [*study.cells, *study.candidate_cells])):
        method = study.methods[cell.method]
        if not method.prior:
            continue
        step = speeds.sampler_step * (GUIDED if method.guidance else 1)
        step *= 1 if method.denoises else UNDENOISED
        latents = len(study.seeds(cell)) * classes * cell.ipc * study.sampled_for_each(cell)
        seconds += latents * (
            study.dataset(cell.dataset)["sampler"]["steps"] * step + speeds.decode
        )
    return seconds


def _students(study: Study, images: Mapping[str, int], speeds: Speeds, classes: int) -> float:
    """Seconds of one thread: students of each set, those that judge candidates too."""
    tuning = study.run["tuning"]
    judges = len(tuning["student_seeds"]) if tuning else 0
    asked = [(study.evaluations, len(study.run["student_seeds"]))]
    asked += [(study.tuning_evaluations, judges)] if tuning else []
    return _judging(study, images, speeds, classes) + sum(
        count
        * len(study.seeds(cell))
        * _course(study.protocol(protocol), cell.ipc, cell.ipc * classes, images, speeds)
        for evaluations, count in asked
        for cell, _, protocol in evaluations
    )


def _judging(study: Study, images: Mapping[str, int], speeds: Speeds, classes: int) -> float:
    """Seconds of one thread: students that judge the prior, of its images and of real ones."""
    if not checked(study):
        return 0.0
    check, protocol = study.run["prior_check"], study.protocol(student_of(study)[1])
    one = _course(protocol, check["ipc"], check["ipc"] * classes, images, speeds)
    return len(KINDS) * check["sets"] * one


def _ceilings(study: Study, images: Mapping[str, int], speeds: Speeds, classes: int) -> float:
    """Seconds of one thread: students of all training images."""
    largest = math.ceil(images["train"] / classes)
    return sum(
        len(study.set_seeds)
        * _course(study.protocol(protocol), largest, images["train"], images, speeds)
        for *_, protocol in study.ceilings
    )


def _course(
    protocol: Mapping, ipc: int, n: int, images: Mapping[str, int], speeds: Speeds
) -> float:
    """Seconds of one student of ``n`` images."""
    from lighthouse.students.trainer import at_ipc

    epochs, batch = at_ipc(protocol, "epochs", ipc), min(n, at_ipc(protocol, "batch_size", ipc))
    learned = epochs * (math.ceil(n / batch) * speeds.student_step + n * speeds.student_image)
    looks = (protocol["evaluations"] + 1) * images["val"] + 2 * images["test"]
    return learned + looks * LOOKED_AT * speeds.student_image
