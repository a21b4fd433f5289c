"""What a study of a folder of images should be, but for the lengths of its trainings.

A function of what was asked, of what the folder holds, and of the machine. Every number that
decides stands at the top, with why it is so.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lighthouse.config.presets import PRESETS
from lighthouse.datasets.splitting import held_out
from lighthouse.datasets.survey import Survey
from lighthouse.runtime.counting import many
from lighthouse.runtime.errors import DataError
from lighthouse.students.limits import MOST_IMAGES

#: What each preset is made for, in pixels a side.
SIZES = {"small": (32, 48, 64), "medium": (64, 80, 96), "large": (96, 128), "pretrained": (256,)}
#: Those whose models a CPU does not train within a day.
NEED_GPU = ("large", "pretrained")
#: From so many minutes on two cores train ``medium``, and ``small`` at its largest size: a step
#: at 64 px takes about twice as long as one at 48.
MINUTES_OF_MEDIUM, MINUTES_OF_LARGEST = 180, 60
#: Shares of each class's images that judge and that choose, the second of what the first leaves. Of
#: 100 images these are 20 and 12, which tell 10 points apart in ten classes; the rest teaches.
TEST_SHARE, VAL_SHARE = 0.2, 0.15
#: Images a class: one each to learn from, to choose by and to judge by.
LEAST_A_CLASS = 3
#: Images per class that are proposed: one, few, and as many as make students a third as good as all
#: images do (docs/photographs). A set of more than half of a class distils nothing.
IPCS, LARGEST_OF_CLASS = (1, 5, 10), 0.5
#: Students that a preset trains on each set: of two their spread is seen apart from that of sets.
STUDENTS = 2
#: Judged by fewer images than these an accuracy is uncertain by 5 points (a standard deviation).
FEW_TEST_IMAGES = 100
#: Threads of a training beyond which a small network is no faster. Without a GPU it has half of the
#: cores: jobs of one thread fill the others, and one that asks for all waits until none is left.
MOST_THREADS, MOST_THREADS_GPU = 4, 8
#: A side is a multiple of this: two halvings, patches of 2.
UNIT, LEAST_SIZE = 8, 16


@dataclass(frozen=True)
class Asked:
    """What was asked for: the study's name, its folder of images, and, unless None, the rest."""

    name: str
    images: Path
    minutes: float = 30
    size: int | None = None
    preset: str | None = None
    ipc: Sequence[int] | None = None


@dataclass(frozen=True)
class Machine:
    """Cores that this process may use, and whether there is an accelerator."""

    cores: int
    gpu: bool

    @property
    def threads(self) -> int:
        """Threads of a training."""
        if self.gpu:
            return min(self.cores, MOST_THREADS_GPU)
        return min(max(1, self.cores // 2), MOST_THREADS)


@dataclass(frozen=True)
class Draft:
    """A study but for the lengths of its trainings. images: of each part, by the split.

    students: trained on each set. ceiling, reconstructed: whether students of all images are.
    least: training images of the smallest class. reasons: why each is so, a line each.
    """

    name: str
    preset: str
    size: int
    root: Path
    shares: dict[str, float]
    ipc: tuple[int, ...]
    ceiling: bool
    reconstructed: bool
    students: int
    images: dict[str, int]
    least: int
    cores: int
    threads: int
    gpu: bool
    reasons: tuple[str, ...]


def draft(asked: Asked, survey: Survey, machine: Machine) -> Draft:
    """Propose a study. Raises ``DataError`` with what keeps it from being one, a line each."""
    wrong = list(survey.faults) or [*_too_small(survey)]
    wrong += _cannot_be(asked, machine)
    if wrong:
        raise DataError("\n".join(wrong))
    preset, why_preset = _preset(asked, survey, machine)
    size, why_size = _size(asked, survey, preset)
    shares, parts, least = split(survey)
    if not parts["val"]:
        raise DataError(
            "no image would be left to choose by: the images of each class are nearly the same; "
            "add others"
        )
    ipc, why_ipc = _ipc(asked, least)
    ceiling = parts["train"] <= MOST_IMAGES
    reasons = [why_preset, why_size, *_of_split(survey, shares, parts, least), why_ipc]
    if not ceiling:
        reasons.append(f"no students of all real images, which are more than {MOST_IMAGES:,}")
    return Draft(
        asked.name,
        preset,
        size,
        asked.images,
        shares,
        ipc,
        ceiling,
        ceiling,
        STUDENTS,
        parts,
        least,
        machine.cores,
        machine.threads,
        machine.gpu,
        tuple(reasons),
    )


def _too_small(survey: Survey) -> list[str]:
    """Classes of too few images to be split."""
    least = LEAST_A_CLASS if survey.layout == "classes" else LEAST_A_CLASS - 1
    given = "val" in survey.folders  # choices have images of their own
    least -= survey.layout == "parts" and given
    counts = {name: _learned_from(survey, name) for name in survey.classes}
    return [
        f"class {name!r} has {many(count, 'image')} to learn from; allowed: at least "
        f"{least}; add images, or move its folder away"
        for name, count in counts.items()
        if count < least
    ]


def _learned_from(survey: Survey, name: str) -> int:
    """Images of a class before any is held out."""
    counts = survey.counts[name]
    return counts.get("train", counts.get("all", 0))


def _cannot_be(asked: Asked, machine: Machine) -> list[str]:
    """What of the options is not for this machine, or not for the preset."""
    lines = []
    if asked.preset in NEED_GPU and not machine.gpu:
        able = ", ".join(name for name in PRESETS if name not in NEED_GPU)
        lines.append(f"--preset: {asked.preset!r} needs a GPU, and none is seen; allowed: {able}")
    if asked.size is not None and asked.preset == "pretrained" and asked.size != 256:
        lines.append(f"--size: {asked.size}; allowed: 256, that of the pretrained models")
    return lines


def _preset(asked: Asked, survey: Survey, machine: Machine) -> tuple[str, str]:
    """The preset, and why."""
    where = "a GPU" if machine.gpu else f"{many(machine.cores, 'core')}, no GPU"
    if asked.preset:
        return asked.preset, f"preset {asked.preset}: as asked for ({where})"
    side = asked.size or survey.shorter[1]
    if machine.gpu:
        fit = [name for name in ("small", "medium", "large") if SIZES[name][0] <= side]
        name = fit[-1] if fit else "small"
    else:
        enough = asked.minutes >= MINUTES_OF_MEDIUM and side >= SIZES["medium"][0]
        name = "medium" if enough else "small"
    return name, f"preset {name}: {where}, {asked.minutes:g} minutes"


def _size(asked: Asked, survey: Survey, preset: str) -> tuple[int, str]:
    """The side in pixels, and why."""
    least, median, _ = survey.shorter
    if asked.size is not None:
        size, why = asked.size, "as asked for"
    else:
        sizes = SIZES[preset]
        if preset == "small" and asked.minutes < MINUTES_OF_LARGEST:
            sizes = sizes[:-1]
        fit = [side for side in sizes if side <= median]
        if fit or preset == "pretrained":
            size = fit[-1] if fit else sizes[0]
        else:
            size = max(LEAST_SIZE, median // UNIT * UNIT)
        why = f"the median of the shorter sides is {median} px"
        if len(fit) > 0 and size == sizes[-1]:
            why += f", and {size} px is what {preset} has time for"
    if size > least:
        why += f"; smaller images, from {least} px on, are scaled up"
    return size, f"{size} px a side: {why}"


def split(survey: Survey) -> tuple[dict[str, float], dict[str, int], int]:
    """The shares that are held out, the images of each part, and of the smallest class's training.

    A share is raised until it is one image of the smallest class. Parts are those of the study:
    like images are in one. Raises ``DataError`` where a class would have none to be judged by.
    """
    smallest = min(_learned_from(survey, name) for name in survey.classes)
    shares: dict[str, float] = {}
    left = smallest
    if survey.layout == "classes":
        shares["test_share"] = _share(TEST_SHARE, left)
        left -= held_out(left, shares["test_share"])
    shares["val_share"] = 0.0 if "val" in survey.folders else _share(VAL_SHARE, left)
    found = survey.split(shares.get("test_share"), shares["val_share"])
    parts = {part: sum(count[part] for count in found.values()) for part in _USES}
    return shares, parts, min(count["train"] for count in found.values())


def _share(wanted: float, count: int) -> float:
    return max(wanted, math.ceil(100 / count) / 100)


def _of_split(survey: Survey, shares: dict, parts: dict, least: int) -> list[str]:
    words = [f"{parts[part]:,} images to {what}" for part, what in _USES.items()]
    by = ", ".join(f"{name} {share:g}" for name, share in shares.items() if share)
    by = by or "as the folders have it"
    lines = [f"{', '.join(words)} ({by}); the smallest class learns from {least}"]
    if shares.get("test_share", TEST_SHARE) > TEST_SHARE or shares["val_share"] > VAL_SHARE:
        name = min(survey.classes, key=lambda name: _learned_from(survey, name))
        count = _learned_from(survey, name)
        lines.append(
            f"class {name!r} with {count} images sets these shares; without it they could be "
            "smaller, and more be learned from"
        )
    if parts["test"] < FEW_TEST_IMAGES:
        points = 50 / math.sqrt(max(parts["test"], 1))
        lines.append(
            f"judged by {parts['test']} images, an accuracy is uncertain by about {points:.0f} "
            "points: more images would tell methods apart"
        )
    return lines


#: What the images of each part are for.
_USES = {"train": "learn from", "val": "choose by", "test": "judge by"}


def _ipc(asked: Asked, least: int) -> tuple[tuple[int, ...], str]:
    """Images per class, and why. Raises ``DataError`` where a class has too few for those asked."""
    if asked.ipc is not None:
        ipc = tuple(sorted(set(asked.ipc)))
        if ipc[-1] > least:
            raise DataError(
                f"--ipc: {ipc[-1]} is above the {least} training images of the smallest class; "
                f"allowed: 1 to {least}"
            )
        return ipc, f"IPC (images per class) {_listed(ipc)}: as asked for"
    most = max(1, int(LARGEST_OF_CLASS * least))
    ipc = tuple(n for n in IPCS if n <= most)
    why = "one, few and ten"
    if ipc != IPCS:
        why = (
            f"a set has at most half of a class, and the smallest learns from {least}; --ipc asks "
            "for more"
        )
    return ipc, f"IPC (images per class) {_listed(ipc)}: {why}"


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
