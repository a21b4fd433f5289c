"""RDED's mosaics: which pieces are kept, where they stand, and what they depend on."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lighthouse.mosaics import (
    SCALE,
    Box,
    Sources,
    boxes,
    framed,
    mosaics,
    piece,
    rded,
    realistic,
)
from lighthouse.runtime.errors import DataError
from lighthouse.students import classifier as room
from lighthouse.students.classifier import Classifier

HALF = (0.5, 0.5, 0.5)
NAMES = ["bright", "dark"]
#: What was drawn when these draws were first written.
FROZEN = [(8, 1, 5), (4, 0, 5), (2, 1, 14)]


class Brightness(torch.nn.Module):
    """Takes what is brighter than grey for the first class, what is darker for the second."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor([1.0, -1.0]))

    def forward(self, images):
        return images.mean((1, 2, 3))[:, None] * self.weight


JUDGE = Classifier(Brightness(), HALF, HALF)


def plain(*greys, size=16):
    """Images of one grey each, (n, 3, size, size) uint8."""
    return np.array(greys, np.uint8)[:, None, None, None] * np.ones((3, size, size), np.uint8)


def sources(data, labels, **options):
    return Sources(
        "toy",
        NAMES[: max(labels) + 1],
        np.array(labels),
        lambda rows: data[rows],
        JUDGE,
        {"images": 300, "crops": 2, **options},
    )


def noise(n, size=16, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (n, 3, size, size), dtype=np.uint8)


# Pieces and mosaics.


def test_pieces_fill_the_quadrants_by_rank_row_by_row():
    ranked = torch.arange(8.0).view(8, 1, 1, 1).expand(8, 3, 2, 2) * 10
    found = mosaics(ranked)
    assert (found.dtype, found.shape) == (torch.uint8, (2, 3, 4, 4))
    rows = [[0, 0, 20, 20], [0, 0, 20, 20], [40, 40, 60, 60], [40, 40, 60, 60]]
    assert found[0, 0].tolist() == rows
    assert found[1, 2].tolist() == [[value + 10 for value in row] for row in rows]


def test_colours_are_rounded_and_stay_in_a_byte():
    values = torch.tensor([1.4, 1.6, 255.3, -0.2]).view(4, 1, 1, 1).expand(4, 3, 1, 1)
    assert mosaics(values)[0, 0].tolist() == [[1, 2], [255, 0]]


def test_a_piece_stands_in_the_middle_of_the_mean_colour():
    found = framed(torch.ones(1, 3, 4, 4))[0, 0]
    assert found.shape == (8, 8)
    assert found[2:6, 2:6].eq(1).all() and found.sum() == 16


def test_a_piece_is_cut_out_and_scaled_by_hand():
    image = torch.zeros(3, 4, 4)
    image[:, 1:3, 2:4] = torch.tensor([[10.0, 20.0], [30.0, 40.0]])
    assert piece(image, Box(1, 2, 2))[0].tolist() == [[10, 20], [30, 40]]
    ramp = torch.arange(4.0).expand(3, 4, 4)  # halved: weights 3, 3 and 1 of the pixels there
    assert torch.allclose(piece(ramp, Box(0, 0, 4))[0, 0], torch.tensor([5 / 7, 16 / 7]))


@pytest.mark.parametrize("box", [Box(0, 0, 16), Box(3, 1, 5), Box(2, 6, 9)])
def test_a_piece_is_what_torchvision_crops(box):
    functional = pytest.importorskip("torchvision.transforms.functional")
    image = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(0))
    expected = functional.resized_crop(image, *box, box.side, [8, 8], antialias=True)
    assert torch.allclose(piece(image, box), expected, atol=1e-6)


def test_boxes_lie_in_the_image_and_are_uniform_in_area_and_place():
    found = boxes(torch.Generator().manual_seed(0), 4000, 64)
    areas = np.array([box.side**2 / 64**2 for box in found])
    assert areas.min() >= SCALE[0] - 0.01 and areas.max() <= 1
    assert areas.mean() == pytest.approx(np.mean(SCALE), abs=0.02)
    assert (areas < 0.31).mean() == pytest.approx(0.25, abs=0.03)
    room_left = np.array([[box.top, box.left, 64 - box.side] for box in found])
    assert (room_left[:, :2] >= 0).all() and (room_left[:, :2] <= room_left[:, 2:]).all()
    wide = room_left[room_left[:, 2] > 20]
    assert (wide[:, :2] / wide[:, 2:]).mean(0) == pytest.approx([0.5, 0.5], abs=0.03)


# The choice.


def test_the_best_piece_of_each_image_and_then_the_best_images_are_kept():
    greys = torch.tensor([[10.0, 60.0], [90.0, 20.0], [70.0, 30.0], [80.0, 80.0]])
    pieces = greys[..., None, None, None].expand(4, 2, 3, 8, 8)
    rows, kept = realistic(JUDGE, pieces, 0, 3)
    assert rows.tolist() == [1, 3, 2]
    assert kept[:, 0, 0, 0].tolist() == [90, 80, 70]
    rows, kept = realistic(JUDGE, pieces, 1, 4)  # the darker the better
    assert rows.tolist() == [0, 1, 2, 3]
    assert kept[:, 0, 0, 0].tolist() == [10, 20, 30, 80]


def test_of_equal_pieces_the_first_comes_first():
    rows, _ = realistic(JUDGE, torch.full((40, 2, 3, 8, 8), 7.0), 0, 40)
    assert rows.tolist() == list(range(40))


def test_mosaics_hold_the_best_of_each_class_and_tell_which_images_these_were():
    greys = [5, 200, 15, 210, 25, 220, 35, 230, 45, 240, 55, 250, 65, 245, 75, 235, 85, 225, 95]
    labels = [n % 2 for n in range(len(greys))]  # dark ones are of class 0, bright ones of 1
    made = rded(sources(plain(*greys), labels, crops=3), 2, [4])
    assert made.images.shape == (1, 2, 2, 3, 16, 16)
    corners = made.images[0, :, :, 0][..., ::8, ::8].reshape(2, 2, 4)
    # Of class 0 the brightest eight of ten, of class 1 the darkest eight of nine: none twice.
    assert corners[0].tolist() == [[95, 75, 55, 35], [85, 65, 45, 25]]
    assert corners[1].tolist() == [[200, 220, 230, 240], [210, 225, 235, 245]]
    assert [[greys[n] for n in rows] for rows in made.sources[0].reshape(4, 4)] == [
        *corners.reshape(4, 4).tolist()
    ]
    assert made.scored == 3 * len(greys)


def test_only_so_many_images_as_are_drawn_are_looked_at():
    images, asked = noise(30), []
    own = sources(images, [0] * 30, images=8)
    own = replace(own, read=lambda rows: asked.append(rows) or images[rows])
    made = rded(own, 2, [0, 1])
    assert [len(rows) for rows in asked] == [8, 8]
    assert sorted(made.sources[0].ravel()) == sorted(asked[0])
    assert sorted(asked[0]) != sorted(asked[1])
    assert made.scored == 2 * 2 * 8


# What a set depends on.


def test_a_class_is_the_same_whichever_others_there_are_and_another_under_each_seed():
    images, labels = noise(40), [0, 1] * 20
    both = rded(sources(images, labels), 3, [0, 1])
    alone = rded(sources(images[::2], labels[::2]), 3, [0])
    assert np.array_equal(both.images[0, :1], alone.images[0])
    assert np.array_equal(both.sources[0, 0], 2 * alone.sources[0, 0])
    assert np.array_equal(both.images[1], rded(sources(images, labels), 3, [1]).images[0])
    assert not np.array_equal(both.images[0], both.images[1])


def test_the_choice_does_not_depend_on_how_many_pieces_are_looked_at_at_once(monkeypatch):
    own = sources(noise(20), [0] * 20)
    whole = rded(own, 2, [0])
    monkeypatch.setattr(room, "EVALUATED_PIXELS", 3 * 16**2)
    assert np.array_equal(rded(own, 2, [0]).images, whole.images)


def test_draws_are_frozen():
    found = boxes(torch.Generator().manual_seed(3), 3, 16)
    assert [tuple(box) for box in found] == FROZEN


@pytest.mark.parametrize(("count", "options"), [(11, {}), (40, {"images": 11})])
def test_a_class_of_too_few_images_is_named(count, options):
    most = options.get("images", 300)
    words = rf"'bright' has {count} images, of which {most} at most .* IPC 3 takes pieces of 12"
    with pytest.raises(DataError, match=words):
        rded(sources(noise(count), [0] * count, **options), 3, [0])
