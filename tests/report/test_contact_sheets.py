"""Sheets of images: every image in its row, every heading in its place."""

from itertools import pairwise

import numpy as np
import pytest

from lighthouse.report.contact_sheets import (
    contact_sheet,
    first_images,
    images_figure,
    spaced,
)
from lighthouse.report.figures import plt


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_a_grid_shows_all_classes_or_ten_of_them_evenly_spaced():
    assert spaced(3) == [0, 1, 2]
    assert spaced(1000) == list(range(0, 1000, 100))


def test_a_set_with_fewer_images_than_columns_leaves_white_ones():
    images = np.arange(2 * 3 * 4 * 4, dtype=np.uint8).reshape(2, 3, 4, 4)
    np.testing.assert_array_equal(first_images(images, 1), images[:1])
    np.testing.assert_array_equal(first_images(images, 3)[:2], images)
    assert (first_images(images, 3)[2] == 255).all()


def test_a_grid_of_large_images_shows_thumbnails():
    images = np.zeros((2, 3, 256, 256), np.uint8)
    canvas = images_figure([images], ["a"]).axes[0].images[0].get_array()
    assert canvas.shape[0] == 96


def rows_of_images(rows, n, size=8):
    rng = np.random.default_rng(0)
    return [rng.integers(0, 200, (n, 3, size, size), np.uint8) for _ in range(rows)]


def canvas_of(figure):
    return np.asarray(figure.axes[0].images[0].get_array())


def test_the_grid_has_one_labelled_row_each():
    axes = images_figure(rows_of_images(3, 4), ["a", "b", "c"]).axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["a", "b", "c"]
    assert len(axes.get_yticks()) == 3


@pytest.mark.parametrize("groups", [None, ["x", "y"]])
def test_the_grid_holds_every_image_in_its_row(groups):
    rows = rows_of_images(3, 4)
    canvas = canvas_of(images_figure(rows, ["a", "b", "c"], groups))
    windows = np.lib.stride_tricks.sliding_window_view(canvas, (8, 8, 3))[:, :, 0]
    for row, images in enumerate(rows):
        for image in images:
            hits = np.argwhere((windows == image.transpose(1, 2, 0)).all((2, 3, 4)))
            assert len(hits) == 1
            assert hits[0][0] == row * 9


class Sets:
    """A file of images: a set a seed, (3 classes, 2 images, 3, 8, 8), each of one shade."""

    def __init__(self, shade):
        self.about, self.shade = {"classes": ["a", "b", "c"]}, shade

    def arrays(self):
        return {f"seed~{k}": np.full((3, 2, 3, 8, 8), self.shade + k, np.uint8) for k in (0, 1)}


def test_a_sheet_has_a_row_a_file_and_a_white_one_for_what_is_missing():
    sheet = contact_sheet([Sets(10), None], ["first", "second"], [0], [], 2)["figure"]
    axes, canvas = sheet.axes[0], canvas_of(sheet)
    assert [text.get_text() for text in axes.get_yticklabels()] == ["first", "second (missing)"]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["class a", "class b", "class c"]
    assert (canvas[:8, :8] == 10).all() and (canvas[9:] == 255).all()


def test_a_sheet_of_one_class_has_its_seeds_side_by_side():
    sheet = contact_sheet([Sets(10)], ["first"], [0, 1], [2], 2)["figure"]
    axes, canvas = sheet.axes[0], canvas_of(sheet)
    assert [text.get_text() for text in axes.get_xticklabels()] == ["seed 0", "seed 1"]
    assert set(np.unique(canvas)) == {10, 11, 255}


def test_headings_stand_over_equal_shares_of_the_columns():
    axes = images_figure(rows_of_images(1, 4), ["a"], ["x", "y"]).axes[0]
    left, right = axes.get_xticks()
    width = canvas_of(axes.figure).shape[1]
    assert left + right == pytest.approx(width, abs=1)
    assert [text.get_text() for text in axes.get_xticklabels()] == ["x", "y"]


def test_a_row_with_another_number_of_images_is_refused():
    with pytest.raises(ValueError, match="shorter"):
        images_figure([*rows_of_images(1, 4), *rows_of_images(1, 3)], ["a", "b"])


@pytest.mark.parametrize("name", ["n02102040", "a class of many words", "aluminium_foil"])
def test_headings_of_ten_classes_stand_apart(name):
    classes = Sets(10)
    classes.about = {"classes": [name] * 10}
    classes.arrays = lambda: {"seed~0": np.zeros((10, 2, 3, 8, 8), np.uint8)}
    figure = contact_sheet([classes], ["first"], [0], [], 2)["figure"]
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].get_xticklabels()]
    assert all(one.x1 < next_.x0 for one, next_ in pairwise(boxes))


def test_a_wnid_is_spoken_by_its_name():
    classes = Sets(10)
    classes.about = {"classes": ["n02102040", "a", "7"]}
    axes = contact_sheet([classes], ["first"], [0], [], 2)["figure"].axes[0]
    shown = [text.get_text() for text in axes.get_xticklabels()]
    assert shown == ["English springer", "class a", "class 7"]
