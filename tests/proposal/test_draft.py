"""What a study of a folder is proposed to be: by the folder, the machine and the wish."""

from dataclasses import replace

import pytest

from lighthouse.datasets.folders import held_out
from lighthouse.proposal.draft import SIZES, draft, split
from lighthouse.runtime.errors import DataError
from surveys import CPU, GPU, asked, survey


def refused(*arguments):
    with pytest.raises(DataError) as error:
        draft(*arguments)
    return str(error.value).splitlines()


@pytest.mark.parametrize(
    ("given", "side", "machine", "preset", "size"),
    [
        ({}, 80, CPU, "small", 48),
        ({}, 40, CPU, "small", 32),
        ({}, 28, CPU, "small", 24),
        ({}, 9, CPU, "small", 16),
        ({"minutes": 90}, 80, CPU, "small", 64),
        ({"minutes": 240}, 80, CPU, "medium", 80),
        ({"minutes": 240}, 60, CPU, "small", 48),
        ({}, 500, GPU, "large", 128),
        ({}, 100, GPU, "large", 96),
        ({}, 70, GPU, "medium", 64),
        ({}, 50, GPU, "small", 48),
        ({"preset": "pretrained"}, 100, GPU, "pretrained", 256),
        ({"preset": "medium"}, 500, CPU, "medium", 96),
        ({"size": 40}, 500, CPU, "small", 40),
        ({"size": 64}, 500, GPU, "medium", 64),
    ],
)
def test_preset_and_size_go_by_images_machine_and_minutes(given, side, machine, preset, size):
    found = draft(asked(**given), survey(100, 100, shorter=(side, side, side)), machine)
    assert (found.preset, found.size) == (preset, size)
    assert found.size % 8 == 0


@pytest.mark.parametrize("preset", ["large", "pretrained"])
def test_what_needs_a_gpu_is_refused_without_one(preset):
    (line,) = refused(asked(preset=preset), survey(100, 100), CPU)
    assert line == f"--preset: '{preset}' needs a GPU, and none is seen; allowed: small, medium"


def test_the_pretrained_models_have_one_size():
    (line,) = refused(asked(preset="pretrained", size=128), survey(100, 100), GPU)
    assert line == "--size: 128; allowed: 256, that of the pretrained models"


def test_every_preset_has_sizes_that_its_models_take():
    assert all(side % 8 == 0 for sides in SIZES.values() for side in sides)


@pytest.mark.parametrize("counts", [(3, 3), (4, 9), (5, 200), (7, 8, 9), (40, 40), (1000, 12)])
def test_each_part_has_an_image_of_each_class(counts):
    shares, parts, least = split(survey(*counts))
    for count in counts:
        test = held_out(count, shares["test_share"])
        val = held_out(count - test, shares["val_share"])
        assert min(test, val, count - test - val) >= 1
        assert count - test - val >= least
    assert sum(parts.values()) == sum(counts)
    assert max(shares.values()) <= 0.5


def test_large_classes_are_split_by_the_usual_shares():
    assert split(survey(100, 1000)) == (
        {"test_share": 0.2, "val_share": 0.15},
        {"train": 68 + 680, "val": 12 + 120, "test": 20 + 200},
        68,
    )


def test_given_parts_are_kept():
    shares, parts, _ = split(survey(40, 40, layout="parts"))
    assert shares == {"val_share": 0.15}
    assert parts == {"train": 68, "val": 12, "test": 80}
    shares, parts, _ = split(survey(40, 40, layout="parts", parts=("train", "val", "test")))
    assert shares == {"val_share": 0.0}
    assert parts == {"train": 80, "val": 80, "test": 80}


@pytest.mark.parametrize(("count", "ipc"), [(200, (1, 5, 10)), (25, (1, 5)), (8, (1,)), (3, (1,))])
def test_the_smallest_class_decides_on_the_ipcs(count, ipc):
    found = draft(asked(), survey(count, 500), CPU)
    assert found.ipc == ipc
    assert found.ipc[-1] <= found.least


def test_ipcs_that_are_asked_for_are_taken_or_refused():
    assert draft(asked(ipc=[20, 2, 20]), survey(100, 100), CPU).ipc == (2, 20)
    (line,) = refused(asked(ipc=[50]), survey(40, 100), CPU)
    assert line == (
        "--ipc: 50 is above the 27 training images of the smallest class; allowed: 1 to 27"
    )


def test_a_class_too_small_to_be_split_is_told():
    lines = refused(asked(), survey(2, 1, 50), CPU)
    assert lines == [
        "class 'class0' has 2 images to learn from; allowed: at least 3; add images, or move its "
        "folder away",
        "class 'class1' has 1 image to learn from; allowed: at least 3; add images, or move its "
        "folder away",
    ]


def test_what_the_survey_says_is_wrong_is_told():
    assert refused(asked(), survey(50, faults=["one class alone"]), CPU) == ["one class alone"]


def test_few_images_to_judge_by_are_told():
    reasons = draft(asked(), survey(20, 20), CPU).reasons
    assert any("judged by 8 images" in line and "18 points" in line for line in reasons)
    assert not any("judged by" in line for line in draft(asked(), survey(500, 500), CPU).reasons)


def test_more_images_than_a_student_is_given_leave_the_ceiling_out():
    found = draft(asked(), survey(*[2000] * 100), CPU)
    assert not found.ceiling
    assert not found.reconstructed


def like(found, size):
    """The same survey, each class's images in groups of so many that are nearly the same."""
    known = enumerate(found.placed)
    placed = tuple((label, rank, k // size, part) for k, (label, rank, _, part) in known)
    return replace(found, placed=placed)


def test_the_parts_are_those_of_a_study_that_keeps_like_images_together():
    found = draft(asked(), like(survey(30, 30), 10), CPU)
    # Of three bursts a class one is judged by, one chosen by, one learned from.
    assert found.images == {"train": 20, "val": 20, "test": 20}
    assert found.least == 10
    assert refused(asked(ipc=[20]), like(survey(30, 30), 10), CPU) == [
        "--ipc: 20 is above the 10 training images of the smallest class; allowed: 1 to 10"
    ]


def test_a_folder_without_an_image_to_choose_by_is_refused():
    (line,) = refused(asked(), like(survey(20, 20), 10), CPU)
    assert line.startswith("no image would be left to choose by")


def test_a_tiny_class_is_named_that_sets_the_shares():
    reasons = draft(asked(), survey(200, 3), CPU).reasons
    assert any("class 'class1' with 3 images sets these shares" in reason for reason in reasons)
    reasons = draft(asked(), survey(200, 200), CPU).reasons
    assert not any("sets these" in reason for reason in reasons)
