"""No photograph is on two sides: which images are one, and where groups of them go."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from lighthouse.datasets import duplicates
from lighthouse.datasets.duplicates import SIDE, groups
from lighthouse.datasets.scanning import _thumbnail
from lighthouse.datasets.splitting import held_for_test, hold_out, rank, split
from lighthouse.runtime.errors import DataError
from odd_images import picture

# Groups.


def thumbnails(images):
    return [_thumbnail(image) for image in images]


def photograph(seed):
    return Image.fromarray(picture(seed, 96, 72))


def test_different_pictures_are_no_group():
    found = groups(thumbnails(photograph(seed) for seed in range(60)))
    assert found.tolist() == list(range(60))


@pytest.mark.parametrize("all_pairs", [0, 1000])
def test_the_same_picture_scaled_saved_or_lit_anew_is_one_group(tmp_path, monkeypatch, all_pairs):
    monkeypatch.setattr(duplicates, "ALL_PAIRS", all_pairs)
    images = [photograph(seed) for seed in range(40)]
    images[30] = images[3].resize((48, 36), Image.BICUBIC)
    images[7].save(tmp_path / "a.jpg", quality=30)
    images[31] = Image.open(tmp_path / "a.jpg").convert("RGB")
    images[32] = ImageEnhance.Brightness(images[3]).enhance(0.8)
    images[33] = images[9].copy()
    expected = list(range(40))
    expected[30] = expected[32] = 3
    expected[31], expected[33] = 7, 9
    assert groups(thumbnails(images)).tolist() == expected


def test_many_are_compared_as_few_are(monkeypatch):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (200, SIDE, SIDE, 3))
    pixels[100:] = np.clip(pixels[:100] + rng.normal(0, 15, (100, SIDE, SIDE, 3)), 0, 255)
    held = [image.astype(np.uint8).tobytes() for image in pixels]
    few = groups(held)
    monkeypatch.setattr(duplicates, "ALL_PAIRS", 0)
    assert np.array_equal(groups(held), few)
    assert (few[100:] < 100).sum() > 0


def test_flat_images_are_one_group_where_they_are_equal():
    flat = [Image.new("RGB", (32, 32), colour) for colour in ("white", "black", "white", "#fefefe")]
    assert groups(thumbnails(flat)).tolist() == [0, 1, 0, 3]


def test_a_chain_is_one_group():
    near = np.random.default_rng(0).integers(60, 190, (SIDE, SIDE, 3)).astype(float)
    step = np.random.default_rng(1).normal(0, 6, near.shape)
    chain = [np.clip(near + k * step, 0, 255).astype(np.uint8).tobytes() for k in range(5)]
    assert len(set(groups([chain[0], chain[-1]]))) == 2
    assert len(set(groups(chain))) == 1


def test_nothing_and_one_have_groups_of_their_own():
    assert groups([]).tolist() == []
    assert groups(thumbnails([photograph(0)])).tolist() == [0]


# The split.

CASES = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 9)), min_size=1, max_size=60
)  # label, group


@given(CASES, st.sampled_from([0.05, 0.2, 0.5]), st.sampled_from([0.0, 0.1, 0.5]), st.randoms())
def test_no_group_is_on_two_sides_and_the_order_changes_nothing(cases, test, val, random):
    names = [f"class{label}/{k}.jpg" for k, (label, _) in enumerate(cases)]
    classes = ["0", "1", "2"]
    labels = [label for label, _ in cases]
    for missing in {0, 1, 2} - set(labels):  # a class has one image at least
        cases = [*cases, (missing, 100 + missing)]
        names.append(f"class{missing}/x.jpg")
    order = list(range(len(cases)))

    def parts_of(order):
        rows = [cases[k] for k in order]
        ranks = [rank(names[k]) for k in order]
        found = split([r[0] for r in rows], ranks, [r[1] for r in rows], test, val, classes)
        return {names[k]: part for k, part in zip(order, found, strict=True)}

    try:
        found = parts_of(order)
    except DataError as error:
        assert "are the same photograph or nearly" in str(error)
        return
    by_group = {}
    for (_, group), name in zip(cases, names, strict=True):
        by_group.setdefault(group, set()).add(found[name])
    assert all(len(parts) == 1 for parts in by_group.values())
    for label in range(3):
        own = [found[name] for (c, _), name in zip(cases, names, strict=True) if c == label]
        assert {"train", "test"} <= set(own)
    random.shuffle(order)
    assert parts_of(order) == found


def test_single_images_are_held_out_by_the_lowest_digests():
    names = [f"a/{k}.jpg" for k in range(20)]
    ranks = [rank(name) for name in names]
    held = hold_out([0] * 20, ranks, range(20), {0: 5})
    assert {names[k] for k in np.flatnonzero(held)} == set(sorted(names, key=rank)[:5])


def test_a_class_of_bursts_has_a_test_image_and_a_training_image():
    cases = [0] * 30 + [1] * 30
    found = split([0] * 60, [rank(str(k)) for k in range(60)], cases, 0.05, 0.0, ["a"])
    assert sorted(np.unique(found, return_counts=True)[1].tolist()) == [30, 30]


def test_a_class_of_one_photograph_cannot_be_split():
    with pytest.raises(DataError, match=r"class a: its 3 images are the same photograph"):
        split([0, 0, 0], [rank(str(k)) for k in range(3)], [0, 0, 0], 0.2, 0.0, ["a"])


@pytest.mark.parametrize(("count", "share", "wanted"), [(2, 0.2, 1), (1, 0.2, 0), (100, 0.2, 20)])
def test_a_class_has_one_test_image_at_least(count, share, wanted):
    assert held_for_test(count, share) == wanted


def test_accents_kept_or_apart_are_one_rank():
    assert rank("\u00e9mu/a.jpg") == rank("e\u0301mu/a.jpg") != rank("emu/a.jpg")
