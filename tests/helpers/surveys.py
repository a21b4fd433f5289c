"""Surveys of invented folders, and speeds of an invented machine."""

from pathlib import Path

from lighthouse.datasets.survey import Survey
from lighthouse.proposal.draft import Asked, Machine
from lighthouse.proposal.estimate import Speeds

#: Of a machine on which everything takes a tenth of a second, an image a millisecond.
SPEEDS = Speeds(
    start=1.0,
    read=0.001,
    autoencoder_step=0.1,
    encode=0.001,
    prior_step=0.1,
    sampler_step=0.001,
    decode=0.001,
    student_step=0.001,
    student_image=0.0001,
)
CPU, GPU = Machine(2, False), Machine(16, True)


def survey(*counts, shorter=(48, 80, 200), layout="classes", parts=("train", "test"), faults=()):
    """A survey of classes with so many images; in the layout ``parts`` so many in each part."""
    classes = tuple(f"class{number}" for number in range(len(counts)))
    names = parts if layout == "parts" else ("all",)
    placed = [(label, name) for label, n in enumerate(counts) for name in names for _ in range(n)]
    return Survey(
        layout,
        {name: Path("root", name) for name in names},
        classes,
        {name: dict.fromkeys(names, n) for name, n in zip(classes, counts, strict=True)},
        shorter,
        [],
        list(faults),
        # All unlike: each is a group by itself.
        tuple((label, b"%06d" % k, k, part) for k, (label, part) in enumerate(placed)),
    )


def asked(**given):
    """What was asked for, half an hour of a study ``mine`` unless given."""
    return Asked(**{"name": "mine", "images": Path("/root"), **given})
