"""Training a prior that predicts the variance of a step beside the noise."""

import torch

from lighthouse.diffusion.denoiser import new_denoiser
from lighthouse.priors.objectives import plain
from lighthouse.priors.variance import Bounded, VariationalBound
from toy import redrawn
from trainings import OPTIONS, train


def learned_variance():
    options = {"layers": 2, "heads": 2, "head_dim": 8, "patch_size": 2, "learned_variance": True}
    return redrawn(new_denoiser(options, 4, 4, 3), 0.2)


def test_the_objective_of_a_model_with_learned_variance_sees_the_noise_alone(tmp_path):
    shapes = []

    def spy(prediction, batch):
        shapes.append(prediction.shape)
        return plain(prediction, batch)

    _, record = train(tmp_path, spy, model=learned_variance())
    assert set(shapes) == {(6, 4, 4, 4)}
    assert record["losses"].keys() == {"noise", "variance"}


def test_the_bound_is_added_unscaled_and_trains_the_variance(tmp_path):
    # Without an objective the bound is all that is left, and it spares the noise's weights.
    def nothing(prediction, batch):
        return 0 * prediction.sum(), {}

    model, before = learned_variance(), learned_variance()
    train(tmp_path, nothing, {**OPTIONS, "steps": 1, "ema": 0.0}, model=model)
    # proj_out_2 gives (patch, patch, channel): of the 8 channels the first 4 are noise.
    moved = (model.proj_out_2.bias != before.proj_out_2.bias).reshape(2, 2, 8)
    assert not moved[..., :4].any()
    assert moved[..., 4:].all()


def test_a_model_that_learns_no_variance_has_no_bound(tmp_path, monkeypatch):
    monkeypatch.setattr(VariationalBound, "__call__", lambda *_: 1 / 0)
    _, record = train(tmp_path)
    assert record["losses"].keys() == {"noise"}


def test_the_likelihoods_that_were_held_are_recorded(tmp_path, monkeypatch):
    # Of a thousand steps one has any: each of these two says that it had.
    told = Bounded(torch.tensor(0.5), torch.tensor(3), torch.tensor(64))
    monkeypatch.setattr(VariationalBound, "__call__", lambda *_: told)
    _, record = train(tmp_path, options={**OPTIONS, "steps": 2}, model=learned_variance())
    assert record["held"]["likelihoods_floored"] == {"held": 6, "of": 128}
