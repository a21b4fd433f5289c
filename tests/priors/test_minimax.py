"""MiniMax's objective: its two terms by hand, its memories against plain queues."""

import math
from collections import defaultdict, deque

import pytest
import torch
from torch.nn.functional import cosine_similarity

from lighthouse.diffusion.schedule import ancestral
from lighthouse.priors.batch import Batch
from lighthouse.priors.minimax import MiniMax

NULL = 3


def at(*degrees, length=1.0):
    """Latents of two numbers at angles, (n, 1, 1, 2)."""
    angles = torch.tensor(degrees).deg2rad()
    return length * torch.stack([angles.cos(), angles.sin()], dim=1)[:, None, None]


def step(real, generated, classes, alpha_bar=0.5, labels=None):
    """A prediction and a batch with these z₀ and ẑ₀, (n, c, h, w), and classes."""
    classes = torch.tensor(classes)
    alpha_bar = torch.full((len(real),), alpha_bar)
    spread = alpha_bar[:, None, None, None]
    noise = torch.linspace(-1, 1, real.numel()).reshape(real.shape)
    z_t = spread.sqrt() * real + (1 - spread).sqrt() * noise
    prediction = (z_t - spread.sqrt() * generated) / (1 - spread).sqrt()
    labels = classes if labels is None else torch.tensor(labels)
    some = torch.arange(len(real))
    return prediction, Batch(real, z_t, noise, some, alpha_bar, labels, classes, some)


def minimax(memory=4, dim=2, positive=0.1, negative=0.3):
    return MiniMax(positive, negative, memory, n_classes=3, dim=dim)


def terms(objective, *arguments, **options):
    """representative and diverse of one step, as numbers."""
    _, parts = objective(*step(*arguments, **options))
    return parts["representative"].item(), parts["diverse"].item()


def cos(degrees):
    return math.cos(math.radians(degrees))


def test_the_terms_are_those_by_hand():
    objective = minimax()
    objective(*step(at(0, 90, 45), at(30, 200, 45), [0, 0, 1]))
    # Class 0: angles 60 and 100 to real 0 and 90: at most 100 apart; to the generated 30
    # and 200: at least 30 apart. The two extremes are another image's each. Class 1: 120.
    prediction, batch = step(at(7, 7, 7), at(60, 100, 165), [0, 0, 1])
    loss, parts = objective(prediction, batch)
    representative = ((1 - cos(100)) + (1 - cos(120))) / 2
    diverse = (cos(30) + cos(120)) / 2
    assert parts["representative"].item() == pytest.approx(representative, abs=1e-6)
    assert parts["diverse"].item() == pytest.approx(diverse, abs=1e-6)
    noise = (prediction - batch.noise).square().mean()
    torch.testing.assert_close(parts["noise"], noise)
    torch.testing.assert_close(loss, noise + 0.1 * representative + 0.3 * diverse)


def test_without_memories_there_is_the_noise_alone():
    prediction, batch = step(at(0, 90), at(30, 200), [0, 2])
    loss, parts = minimax()(prediction, batch)
    assert torch.equal(loss, (prediction - batch.noise).square().mean())
    assert (parts["representative"], parts["diverse"]) == (0, 0)


def test_a_class_met_first_counts_in_the_division_and_adds_nothing():
    objective = minimax()
    objective(*step(at(0), at(0), [0]))
    found = terms(objective, at(5, 5, 5), at(60, 10, 20), [0, 2, 1])
    assert found == pytest.approx(((1 - cos(60)) / 3, cos(60) / 3), abs=1e-6)


def test_the_division_is_by_classes_and_not_by_images():
    objective = minimax()
    objective(*step(at(0), at(0), [1]))
    found = terms(objective, at(5, 5, 5), at(20, 60, 40), [1, 1, 1])
    assert found == pytest.approx((1 - cos(60), cos(20)), abs=1e-6)


def test_a_batch_is_not_compared_with_itself_but_is_with_the_next():
    objective = minimax()
    objective(*step(at(0), at(0), [0]))
    assert terms(objective, at(180), at(90), [0]) == pytest.approx((1, 0), abs=1e-6)
    assert terms(objective, at(0), at(90), [0]) == pytest.approx((1 - cos(90), 1), abs=1e-6)
    # Real 180 went in with the second step: 150 apart from 30.
    assert terms(objective, at(0), at(30), [0]) == pytest.approx((1 - cos(150), cos(30)), abs=1e-6)


def test_the_oldest_leave_a_full_memory_first():
    objective = minimax(memory=2)
    for degrees in (180, 60, 90):
        objective(*step(at(degrees), at(degrees), [0]))
    # Of 180, 60 and 90 the first is gone: the farthest of 0 is 90, the nearest 60.
    assert terms(objective, at(0), at(0), [0]) == pytest.approx((1 - cos(90), cos(60)), abs=1e-6)


def test_of_a_batch_larger_than_a_memory_the_last_stay():
    objective = minimax(memory=2)
    objective(*step(at(180, 60, 45, 90), at(180, 60, 45, 90), [0, 0, 1, 0]))
    assert terms(objective, at(0), at(0), [0]) == pytest.approx((1 - cos(90), cos(60)), abs=1e-6)
    assert objective.seen.tolist() == [4, 1, 0]


@pytest.mark.parametrize(("memory", "size"), [(1, 4), (3, 5), (5, 2), (64, 6)])
def test_thirty_steps_are_those_of_queues(memory, size):
    rng = torch.Generator().manual_seed(memory)
    objective = minimax(memory, dim=12)
    real, pseudo = (defaultdict(lambda: deque(maxlen=memory)) for _ in range(2))
    for _ in range(30):
        z0, generated = torch.randn(2, size, 3, 2, 2, generator=rng)
        classes = torch.randint(3, (size,), generator=rng).tolist()
        representative = diverse = 0
        for c in set(classes):
            own = generated[torch.tensor(classes) == c].flatten(1)[:, None]
            if real[c]:
                representative += 1 - cosine_similarity(own, torch.stack([*real[c]]), -1).min()
                diverse += cosine_similarity(own, torch.stack([*pseudo[c]]), -1).max()
        k = len(set(classes))
        expected = (float(representative / k), float(diverse / k))
        assert terms(objective, z0, generated, classes) == pytest.approx(expected, abs=2e-5)
        for row, c in enumerate(classes):
            real[c].append(z0[row].flatten())
            pseudo[c].append(generated[row].flatten())


def test_a_dropped_label_counts_for_its_true_class():
    told, dropped = minimax(), minimax()
    for degrees in ((0, 90), (60, 10)):
        arguments = at(*degrees), at(*degrees), [0, 2]
        expected = terms(told, *arguments)
        assert terms(dropped, *arguments, labels=[NULL, NULL]) == expected
    assert expected[0] > 0
    assert torch.equal(dropped.pseudo, told.pseudo)


@pytest.mark.parametrize(("positive", "negative"), [(1.0, 0.0), (0.0, 1.0)])
def test_a_step_down_goes_to_the_real_and_from_the_generated(positive, negative):
    # The memories: real at 0, generated at 10. The image is at 45, and the noise right.
    objective = minimax(positive=positive, negative=negative)
    objective(*step(at(0), at(10), [0]))
    prediction, batch = step(at(45), at(45), [0])
    loss, parts = objective(prediction.requires_grad_(), batch)
    (loss - parts["noise"]).backward()
    # At ᾱ = 0.5 ẑ₀ moves by as much as ε̂; a cosine by the sine of the angle.
    slope = positive * cos(90 - 45) + negative * cos(90 - 35)
    assert prediction.grad.norm().item() == pytest.approx(slope, abs=1e-5)
    x, y = batch.predicted_z0(prediction - 0.1 * prediction.grad).flatten().tolist()
    assert (math.degrees(math.atan2(y, x)) < 45) == (positive > 0)


@pytest.mark.parametrize(
    ("part", "image"), [("representative", [False, True, False]), ("diverse", [True, False, False])]
)
def test_of_a_class_the_image_of_the_extreme_pair_alone_is_moved(part, image):
    objective = minimax()
    objective(*step(at(0), at(0), [0]))
    prediction, batch = step(at(20, 60, 40), at(20, 60, 40), [0, 0, 0])
    objective(prediction.requires_grad_(), batch)[1][part].backward()
    assert prediction.grad.flatten(1).any(1).tolist() == image


def test_what_is_remembered_holds_no_graph():
    objective = minimax()
    for _ in range(3):
        prediction, batch = step(at(0, 90), at(30, 200), [0, 1])
        objective(prediction.requires_grad_(), batch)[0].backward()
        assert torch.isfinite(prediction.grad).all()
    assert not objective.pseudo.requires_grad


def test_the_size_of_an_image_counts_for_nothing():
    one, other = minimax(), minimax()
    for degrees in ((0, 90), (60, 10)):
        expected = terms(one, at(*degrees), at(*degrees), [0, 0])
        large = at(*degrees, length=1000.0)
        assert terms(other, large, large, [0, 0]) == pytest.approx(expected, abs=1e-4)


def test_at_the_highest_noise_the_terms_of_a_poor_prediction_are_bounded():
    rng = torch.Generator().manual_seed(0)
    alpha_bar = ancestral(1000).alphas_cumprod[999].item()
    objective = minimax(dim=48, positive=1.0, negative=1.0)
    for _ in range(2):
        z0 = torch.randn(6, 3, 4, 4, generator=rng)
        _, batch = step(z0, z0, [0, 0, 1, 1, 2, 2], alpha_bar)
        prediction = torch.randn(z0.shape, generator=rng).requires_grad_()
        loss, parts = objective(prediction, batch)
    (loss - parts["noise"]).backward()
    # ẑ₀ itself is some 160 times as large as z₀ there.
    assert batch.predicted_z0(prediction).std() > 100
    assert 0 < prediction.grad.norm() < 1


def test_a_latent_of_zeros_has_no_direction_and_does_no_harm():
    objective = minimax()
    for _ in range(2):
        prediction, batch = step(0 * at(0), 0 * at(0), [0])
        loss, parts = objective(prediction.requires_grad_(), batch)
        loss.backward()
    assert (parts["representative"].item(), parts["diverse"].item()) == (1, 0)
    assert torch.isfinite(prediction.grad).all()


def test_memories_take_the_bytes_that_are_documented():
    with torch.device("meta"):
        state = MiniMax(0.002, 0.008, 64, n_classes=1000, dim=4096).state_dict()
    sizes = {name: tensor.nbytes for name, tensor in state.items()}
    assert sizes == {"real": 2**20 * 1000, "pseudo": 2**20 * 1000, "seen": 8000}
