"""The study file of a draft: short, and all that is not in its preset."""

import json
import shlex
from dataclasses import dataclass
from pathlib import Path

import yaml

from lighthouse.config.load import check_name, load_study
from lighthouse.config.paths import REPOSITORY
from lighthouse.config.presets import config_of
from lighthouse.config.study import Study
from lighthouse.proposal.draft import STUDENTS, Draft

#: The dataset's name in every preset.
DATASET = "images"
#: How a GPU is given small networks, which the presets for a CPU do not say.
ON_A_GPU = "launch: graphs, students_at_once: 3"
#: Jobs of few sets on a CPU: students of photographs take minutes, and those that wait for the
#: prior, or for a choice, would be one job on one core.
ON_CORES = "cells_per_job: 3"
#: Looks at the held-out loss in a training of a prior, and the share of it in which the rate rises.
LOOKS, WARMUP = 20, 0.05


@dataclass(frozen=True)
class Lengths:
    """Steps of the autoencoder, None where it is pretrained, and most steps of a base prior."""

    autoencoder: int | None
    prior: int


def text_of(draft: Draft, lengths: Lengths, about: str, file: str = "study.yaml") -> str:
    """The file's text, 15 lines or fewer.

    about: of what machine the lengths are, in a line. file: its name, as the command has it.
    """
    shown = min(draft.ipc, key=lambda n: abs(n - 5))
    run = [f"ipc: [{', '.join(map(str, draft.ipc))}]", f"spectrum: {{ipc: {shown}}}"]
    run.append(f"tuning: {{guidance_scale_ipc: {shown}}}")
    run += [] if draft.students == STUDENTS else [f"student_seeds: {[*range(draft.students)]}"]
    run += [] if draft.ceiling else ["ceiling: false"]
    run += [] if draft.reconstructed else ["reconstructed: false"]
    every = max(1, lengths.prior // LOOKS)
    stop = f"stop: {{every: {every}, steps: {lengths.prior}}}"
    rising = f"schedule: {{warmup_steps: {max(1, round(WARMUP * lengths.prior))}}}"
    compute = f"training_threads: {draft.threads}"
    if draft.gpu and draft.preset in ("small", "medium"):
        compute += f", {ON_A_GPU}"
    if not draft.gpu and draft.cores > 1:
        compute += f", {ON_CORES}"
    lines = [
        f"# The images of {json.dumps(str(draft.root), ensure_ascii=False)}, distilled: "
        f"{command_of(draft, file)}",
        f"# {about}",
        "# All else is the preset's, config/presets; what each key means is in config/README.md.",
        f"study: {_word(draft.name)}",
        f"preset: {draft.preset}",
        f"run: {{{', '.join(run)}}}",
        f"compute: {{{compute}}}",
        "datasets:",
        f"  {DATASET}:",
        f"    root: {json.dumps(str(draft.root), ensure_ascii=False)}",
        *(f"    {name}: {share:g}" for name, share in draft.shares.items()),
        f"    image_size: {draft.size}",
        *(
            [f"    autoencoder: {{steps: {lengths.autoencoder}}}"]
            if lengths.autoencoder is not None
            else []
        ),
        f"    base: {{{stop}, {rising}}}",
    ]
    return "\n".join(lines) + "\n"


def _word(name: str) -> str:
    """A name as YAML reads it as a word: ``no`` and ``null`` are none without quotes."""
    return name if isinstance(yaml.safe_load(name), str) else json.dumps(name)


def command_of(draft: Draft, file: str) -> str:
    """What runs the study of a file."""
    how = "--profile profiles/gpu --resources gpu=4" if draft.gpu else "--cores all"
    return f"uv run snakemake {how} --configfile {shlex.quote(file)}"


def study_of(text: str, folder: Path) -> Study:
    """The study of a file's text, checked. folder: where it is written for that.

    Raises ``ConfigError`` with what is wrong.
    """
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8")
    study = load_study(config_of([path], REPOSITORY), REPOSITORY)
    check_name(study)
    return study
