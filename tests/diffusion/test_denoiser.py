"""The denoiser: what it predicts, and what comes back from a file."""

import pytest
import torch

from lighthouse.diffusion.denoiser import (
    has_learned_variance,
    load_denoiser,
    new_denoiser,
    null_label,
    predict,
    save_denoiser,
)
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.files import read_json, write_json
from toy import toy_denoiser

OPTIONS = {"layers": 1, "heads": 2, "head_dim": 8, "patch_size": 2}


def asked(model, call=predict):
    z = torch.randn(2, 4, 4, 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return call(model, z, torch.tensor([0, 999]), torch.tensor([0, null_label(model)]))


@pytest.mark.parametrize("options", [OPTIONS, {**OPTIONS, "learned_variance": False}])
def test_a_denoiser_predicts_noise_alone_unless_told_otherwise(options):
    model = new_denoiser(options, 4, 4, 3)
    assert not has_learned_variance(model)
    assert asked(model).shape == (2, 4, 4, 4)
    assert null_label(model) == 3


def test_a_learned_variance_takes_as_many_channels_again_behind_the_noise():
    model = toy_denoiser(learned_variance=True)
    assert has_learned_variance(model)
    assert asked(model).shape == (2, 8, 4, 4)


def test_a_new_denoiser_says_zero():
    assert not asked(new_denoiser({**OPTIONS, "learned_variance": True}, 4, 4, 3)).any()


@pytest.mark.parametrize("learned_variance", [False, True])
def test_a_saved_denoiser_comes_back_bit_for_bit(tmp_path, learned_variance):
    model = toy_denoiser(learned_variance=learned_variance)
    save_denoiser(model, tmp_path / "m", {})
    loaded = load_denoiser(tmp_path / "m")
    assert not loaded.training
    assert has_learned_variance(loaded) == learned_variance
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, loaded.state_dict()[name]), name


def test_a_denoiser_with_weights_that_its_config_does_not_know_is_refused(tmp_path):
    save_denoiser(new_denoiser(OPTIONS, 4, 4, 3), tmp_path / "m", {})
    config = read_json(tmp_path / "m" / "config.json")
    write_json(tmp_path / "m" / "config.json", {**config, "num_layers": 2})
    with pytest.raises(DataError, match=r"does not fit .*config\.json: .*missing_keys"):
        load_denoiser(tmp_path / "m")
