"""Augmentation: each piece against a case computed by hand or by loops."""

from itertools import permutations

import numpy as np
import pytest
import torch

from lighthouse.students.augment import (
    augment,
    colour_jitter,
    cutmix,
    lighting,
    normalise,
    random_flip,
    random_resized_crop,
)

OFF = {"crop_scale": None, "flip": False, "jitter": 0, "lighting": 0, "cutmix": False}
HALF = {"mean": [0.5] * 3, "std": [0.5] * 3}
FACTORS = ("brightness", "contrast", "saturation")
IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def rngs(*seeds):
    """A generator for each of some students, or that of one."""
    return [rng(seed) for seed in seeds or (0,)]


def random_images(n=16, size=12):
    return torch.rand(n, 3, size, size, generator=rng())


def random_bytes(n=6, size=12):
    return torch.randint(0, 256, (n, 3, size, size), generator=rng()).to(torch.uint8)


# Normalisation.


def test_images_are_normalised_to_minus_one_and_one_by_default():
    found = normalise(torch.tensor([0, 255], dtype=torch.uint8).expand(1, 3, 1, 2))
    assert found.tolist() == [[[[-1, 1]]] * 3]


def test_each_colour_has_its_own_mean_and_standard_deviation():
    found = normalise(torch.full((1, 3, 1, 1), 51, dtype=torch.uint8), *IMAGENET.values())
    wanted = [(0.2 - 0.485) / 0.229, (0.2 - 0.456) / 0.224, (0.2 - 0.406) / 0.225]
    assert found.flatten().tolist() == pytest.approx(wanted, abs=1e-6)


# Crop.


def crop(images, scale=(0.5, 1.0), seed=0):
    return random_resized_crop(images, scale, rngs(seed))


def test_a_crop_keeps_shape_and_range():
    images = random_images()
    cropped = crop(images)
    assert cropped.shape == images.shape
    assert cropped.min() >= images.min() - 1e-6
    assert cropped.max() <= images.max() + 1e-6


def test_each_image_is_cropped_in_its_own_way():
    cropped = crop(random_images(1).repeat(8, 1, 1, 1))
    assert len({tuple(image.flatten().tolist()) for image in cropped}) == 8


def test_the_same_generator_crops_the_same_way():
    assert torch.equal(crop(random_images()), crop(random_images()))
    assert not torch.equal(crop(random_images()), crop(random_images(), seed=1))


def spans(scale, axis, n=400):
    """Share of the width (axis 3) or height (axis 2) that each crop keeps."""
    ramp = torch.linspace(-1, 1, 32)
    ramp = ramp.view(1, 1, 1, 32) if axis == 3 else ramp.view(1, 1, 32, 1)
    cropped = crop(ramp.expand(n, 3, 32, 32).contiguous(), scale)
    line = cropped[:, 0, 16] if axis == 3 else cropped[:, 0, :, 16]
    return (line[:, 20] - line[:, 11]) / (ramp.flatten()[20] - ramp.flatten()[11])


def test_a_crop_keeps_the_share_of_the_area_that_the_scale_says():
    area = spans((0.25, 0.5), 3) * spans((0.25, 0.5), 2)
    assert area.min() > 0.24
    assert area.max() < 0.51
    assert area.mean().item() == pytest.approx(0.375, abs=0.02)


def test_a_crop_has_aspects_of_three_quarters_to_four_thirds():
    aspect = spans((0.25, 0.5), 3) / spans((0.25, 0.5), 2)
    assert aspect.min() == pytest.approx(3 / 4, abs=0.03)
    assert aspect.max() == pytest.approx(4 / 3, abs=0.03)


# Flip.


def test_half_of_the_images_are_mirrored_left_to_right():
    images = random_images(400, 4)
    flipped = random_flip(images, rngs())
    mirrored = []
    for made, image in zip(flipped, images, strict=True):
        mirrored.append(torch.equal(made, image.flip(-1)))
        assert mirrored[-1] != torch.equal(made, image)
    assert 160 < sum(mirrored) < 240


# Colour.


def grey(image):
    """One image (3, H, W) in grey, as often."""
    red, green, blue = image
    return np.stack([0.299 * red + 0.587 * green + 0.114 * blue] * 3)


def by_loops(image, factors, order):
    """The peers' jitter of one image: three interpolations, one after the other."""
    for name in order:
        keep = factors[name]
        if name == "brightness":
            image = keep * image
        elif name == "contrast":
            image = keep * image + (1 - keep) * grey(image).mean()
        else:
            image = keep * image + (1 - keep) * grey(image)
    return image


@pytest.mark.parametrize("order", list(permutations(FACTORS)))
def test_jitter_is_that_of_the_peers_in_whatever_order(order):
    images = random_images(5, 7)
    drawn = (1 + 0.4 * (2 * torch.rand(3, 5, generator=rng(3)) - 1)).double().numpy()
    found = colour_jitter(images, 0.4, rngs(3))
    for number, image in enumerate(images.double().numpy()):
        factors = dict(zip(FACTORS, drawn[:, number], strict=True))
        wanted = by_loops(image, factors, order)
        assert np.abs(found[number].numpy() - wanted).max() < 1e-6


def test_jitter_has_factors_within_the_strength_on_either_side():
    # On white all but brightness do nothing.
    factors = colour_jitter(torch.ones(500, 3, 2, 2), 0.4, rngs())[:, 0, 0, 0]
    assert factors.min().item() == pytest.approx(0.6, abs=0.01)
    assert factors.max().item() == pytest.approx(1.4, abs=0.01)


def test_lighting_adds_one_colour_along_the_principal_ones():
    images = random_images(4, 5)
    added = (lighting(images, 0.1, rngs(2)) - images).double()
    alpha = 0.1 * torch.randn(4, 3, generator=rng(2)).double()
    values = [0.2175, 0.0188, 0.0045]
    vectors = [[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]]
    for number in range(4):
        for colour in range(3):
            wanted = sum(alpha[number, k] * values[k] * vectors[colour][k] for k in range(3))
            assert (added[number, colour] - wanted).abs().max() < 1e-6


# CutMix.


def test_cutmix_pastes_the_same_box_of_each_ones_partner():
    # Image k is k everywhere.
    images = torch.arange(5.0).view(5, 1, 1, 1).expand(5, 3, 8, 12).contiguous()
    for seed in range(30):
        mixed, partners, shares = cutmix(images, rngs(seed))
        assert sorted(partners.tolist()) == [0, 1, 2, 3, 4]
        foreign = (mixed != images).any(1)
        for number, partner in enumerate(partners.tolist()):
            if partner != number:
                box = foreign[number]
                assert (mixed[number][:, box] == partner).all()
                # A full rectangle, and the share is what it leaves, exactly.
                assert box.sum() == box.any(0).sum() * box.any(1).sum()
                kept = 1 - box.sum().item() / 96
                assert shares.tolist() == [pytest.approx([kept, 1 - kept], abs=1e-7)]


def test_cutmix_leaves_its_input_alone():
    images = random_images()
    before = images.clone()
    cutmix(images, rngs())
    assert torch.equal(images, before)


def test_cutmix_boxes_have_the_area_of_a_beta_one_one_less_what_the_border_cuts():
    # E[1 − λ] = 1/2 for an unclipped box; sides √u of the image around a uniform centre
    # lie inside with E[(1 − √u/4)² u] = 1/2 − 1/5 + 1/48 of the area.
    pasted = [cutmix(torch.zeros(2, 1, 64, 64), rngs(seed))[2][0, 1].item() for seed in range(2000)]
    assert np.mean(pasted) == pytest.approx(1 / 2 - 1 / 5 + 1 / 48, abs=0.025)
    assert max(pasted) > 0.9
    assert min(pasted) < 0.005


# All of it.


@pytest.mark.parametrize("colours", [HALF, IMAGENET])
def test_all_switched_off_is_the_normalisation_and_draws_nothing(colours):
    images, used = random_bytes(), rngs()
    found = augment(images, {"augment": OFF, **colours}, used)
    assert torch.equal(found, normalise(images, colours["mean"], colours["std"]))
    assert torch.equal(used[0].get_state(), rng().get_state())


def test_a_crop_alone_is_that_of_the_normalised_image():
    images = random_bytes()
    found = augment(images, {"augment": {**OFF, "crop_scale": [0.6, 1.0]}, **HALF}, rngs(1))
    assert torch.equal(found, random_resized_crop(images.float() / 127.5 - 1, (0.6, 1.0), rngs(1)))


def test_the_order_is_crop_flip_jitter_lighting_normalisation():
    images, used = random_bytes(), rngs(4)
    wanted = images.float() / 255
    wanted = random_flip(random_resized_crop(wanted, (0.5, 1.0), used), used)
    wanted = lighting(colour_jitter(wanted, 0.4, used), 0.1, used)
    mean, std = (torch.tensor(IMAGENET[key]).view(3, 1, 1) for key in ("mean", "std"))
    options = {"crop_scale": [0.5, 1.0], "flip": True, "jitter": 0.4, "lighting": 0.1}
    found = augment(images, {"augment": {**OFF, **options}, **IMAGENET}, rngs(4))
    assert torch.allclose(found, (wanted - mean) / std, atol=1e-5)


def test_students_side_by_side_draw_what_each_would_draw_alone():
    images, seeds = random_bytes(15), (3, 8, 5)
    options = {"crop_scale": [0.5, 1.0], "flip": True, "jitter": 0.4, "lighting": 0.1}
    protocol, together = {"augment": {**OFF, **options}, **IMAGENET}, rngs(*seeds)
    made = augment(images, protocol, together)
    mixed, partners, shares = cutmix(made, together)
    for number, seed in enumerate(seeds):
        mine, alone = slice(5 * number, 5 * number + 5), rngs(seed)
        augmented = augment(images[mine], protocol, alone)
        assert torch.allclose(made[mine], augmented, atol=1e-6)
        found, partner, share = cutmix(made[mine], alone)
        assert torch.equal(mixed[mine], found)
        assert torch.equal(partners[mine], partner + 5 * number)
        assert torch.equal(shares[number], share[0])
    assert len(set(shares[:, 0].tolist())) == 3
