"""How long a draft's trainings are: what is left of the minutes, divided."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from lighthouse.config.paths import REPOSITORY
from lighthouse.config.presets import preset_files
from lighthouse.config.reader import read_studies
from lighthouse.proposal.draft import SIZES, Asked, Draft
from lighthouse.proposal.estimate import AUTOENCODER, PRIOR, WAITING, behind, share_of
from lighthouse.proposal.study_file import DATASET, Lengths

#: The autoencoder's share of the time for both trainings, and its steps: below 300 images come
#: back as blurs (docs/photographs), and beyond thrice a preset's there is little more to gain.
AUTOENCODER_SHARE, LEAST_AUTOENCODER, MOST_AUTOENCODER = 0.25, 300, 3
#: Steps of a prior: fewer show noise, and beyond four times the preset's a small denoiser gains
#: nothing. Nor do more passes than 1,000 teach it of few images anything but these themselves. (A
#: held-out loss that no longer falls ends it before.)
LEAST_PRIOR, MOST_PRIOR, MOST_PASSES = 500, 4, 1000
#: What makes a prior that is worth distilling with: so many steps, and passes over the images.
#: On digits 2,000 steps are 128 passes, of photographs 6,000 are 45 (docs/prior, docs/photographs).
USEFUL_STEPS, USEFUL_PASSES = 2000, 40
#: Some of the students and the largest IPC are left out where all that is no training of a
#: diffusion model would take more than this share of the minutes.
MOST_FIXED = 0.6
#: How many times the minutes a study may take before that is told.
LONGER = 1.2


@dataclass(frozen=True)
class Plan:
    """A draft with the lengths of its trainings. stages: seconds of each. notes: a line each."""

    draft: Draft
    lengths: Lengths
    stages: dict[str, float]
    notes: tuple[str, ...]


def plan(
    draft: Draft, asked: Asked, stages_of: Callable[[Draft, Lengths], dict[str, float]]
) -> Plan:
    """Divide the minutes. stages_of: seconds by stage of a draft with some lengths."""
    preset, first = _preset(draft.preset), lengths_of(draft.preset)
    trains = first.autoencoder is not None
    given, notes = 60 * asked.minutes, []
    stages = stages_of(draft, first)
    for smaller in _cuts(asked):
        if _fixed(stages) <= MOST_FIXED * given:
            break
        cut, note = smaller(draft)
        if note:
            draft, stages = cut, stages_of(cut, first)
            notes.append(f"{note}: it would not fit into {asked.minutes:g} minutes")
    fixed, late = _fixed(stages), behind(stages)
    # Two bounds: what is left of the machine, and of the clock while one thing follows another.
    share = share_of(draft.threads, draft.cores, draft.gpu)
    left = min(given - fixed, share * (given - late))
    step = stages[PRIOR] / first.prior
    own = stages[AUTOENCODER] / first.autoencoder if trains else 0.0
    autoencoder = None
    if trains:
        most = MOST_AUTOENCODER * first.autoencoder
        autoencoder = _held(AUTOENCODER_SHARE * left / own, LEAST_AUTOENCODER, most)
        left -= autoencoder * own
    # Steps in which the prior sees each image once.
    once = draft.images["train"] / preset["base"]["batch_size"]
    most = min(MOST_PRIOR * first.prior, max(USEFUL_STEPS, round(MOST_PASSES * once)))
    useful = min(most, max(USEFUL_STEPS, round(USEFUL_PASSES * once)))
    prior = _held(left / step, LEAST_PRIOR, most)
    lengths, passes = Lengths(autoencoder, prior), prior / once
    notes.append(f"the prior sees each image about {passes:,.0f} times in at most {prior:,} steps")
    if prior < _held(useful, LEAST_PRIOR, most):
        share = 1 - AUTOENCODER_SHARE if trains else 1.0
        needed = useful * step / share
        # With more minutes less is left out, up to the share that this may take.
        minutes = max(fixed + needed, late + needed / share, needed / (1 - MOST_FIXED)) / 60
        notes.append(
            f"too few minutes for a useful prior, which wants {useful:,} steps: "
            f"--minutes {_rounded(minutes)}{_smaller(draft)}"
        )
    stages = stages_of(draft, lengths)
    if sum(stages.values()) > LONGER * given:
        notes.append(
            f"{asked.minutes:g} minutes are below the least of such a study; a smaller --size or "
            "--ipc takes less"
        )
    return Plan(draft, lengths, stages, tuple(notes))


def lengths_of(preset: str) -> Lengths:
    """The lengths that a preset has of its own."""
    options = _preset(preset)
    return Lengths(options["autoencoder"].get("steps"), options["base"]["stop"]["steps"])


def _preset(name: str) -> dict:
    """The options of a preset's dataset."""
    return read_studies(preset_files({"preset": name}, REPOSITORY))["datasets"][DATASET]


def _fixed(stages: dict[str, float]) -> float:
    """Seconds of all that is no training whose length is decided here."""
    decided = (AUTOENCODER, PRIOR, WAITING)
    return sum(seconds for name, seconds in stages.items() if name not in decided)


def _cuts(asked: Asked) -> list[Callable[[Draft], tuple[Draft, str | None]]]:
    """What may be left out of a draft, in this order, with a note where there was any of it."""

    def without_reconstructed(draft: Draft) -> tuple[Draft, str | None]:
        note = "no students of all images as the autoencoder gives them back"
        return replace(draft, reconstructed=False), note if draft.reconstructed else None

    def without_second(draft: Draft) -> tuple[Draft, str | None]:
        note = "one student on each set in place of two"
        return replace(draft, students=1), note if draft.students > 1 else None

    def without_largest(draft: Draft) -> tuple[Draft, str | None]:
        if asked.ipc is not None or len(draft.ipc) < 3:
            return draft, None
        return replace(draft, ipc=draft.ipc[:-1]), f"no IPC {draft.ipc[-1]}"

    def without_ceiling(draft: Draft) -> tuple[Draft, str | None]:
        note = "no students of all real images"
        return replace(draft, ceiling=False), note if draft.ceiling else None

    return [without_reconstructed, without_second, without_largest, without_ceiling]


def _held(steps: float, least: int, most: int) -> int:
    """A number of steps within bounds, two digits of it."""
    steps = max(least, min(most, int(steps)))
    unit = 10 ** max(0, len(str(steps)) - 2)
    return max(least, steps // unit * unit)


def _rounded(minutes: float) -> int:
    return 5 * -int(-minutes // 5)


def _smaller(draft: Draft) -> str:
    """The size below a draft's, which does it sooner, where its preset has one."""
    fit = [side for side in SIZES[draft.preset] if side < draft.size]
    return f", or --size {fit[-1]}" if fit else ""
