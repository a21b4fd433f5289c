"""The autoencoder and saved models: ranges, scaling, and what comes back from a file."""

import pytest
import torch

from lighthouse.diffusion.autoencoder import (
    RECORD,
    decode,
    encode,
    load_autoencoder,
    save,
    to_bytes,
    to_signed,
    train_autoencoder,
)
from lighthouse.diffusion.denoiser import load_denoiser, new_denoiser
from lighthouse.runtime.files import read_json
from toy import toy_denoiser

OPTIONS = {
    "block_out_channels": [4, 8],
    "latent_channels": 2,
    "layers_per_block": 1,
    "norm_num_groups": 2,
    "kl_weight": 1e-4,
    "steps": 3,
    "batch_size": 4,
    "learning_rate": 1e-3,
}


def images(n=10):
    rng = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (n, 3, 16, 16), generator=rng, dtype=torch.uint8)


@pytest.fixture(scope="module")
def model():
    return train_autoencoder(images(), OPTIONS, seed=0)


def test_bytes_come_back_from_signed_numbers():
    every = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_bytes(to_signed(every)), every)
    assert to_signed(every).min() == -1
    assert to_signed(every).max() == 1


def test_numbers_beyond_the_range_are_clamped():
    assert to_bytes(torch.tensor([-3.0, 3.0])).tolist() == [0, 255]


def test_scaled_latents_have_a_standard_deviation_of_one(model):
    latents = encode(model, images())
    assert latents.shape == (10, 2, 8, 8)
    assert latents.std().item() == pytest.approx(1, rel=1e-4)


def test_decoding_undoes_the_scaling(model):
    scaled = encode(model, images())
    unscaled = encode(model, images(), scaled=False)
    with torch.no_grad():
        expected = to_bytes(model.decode(unscaled).sample)
    off = (decode(model, scaled).int() - expected.int()).abs()
    assert off.max() <= 1  # rounding of the division


def test_training_repeats_bit_for_bit(model):
    again = train_autoencoder(images(), OPTIONS, seed=0)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name


def test_a_saved_autoencoder_comes_back_with_its_scaling(model, tmp_path):
    save(model, tmp_path / "m", {"steps": 3})
    loaded = load_autoencoder(tmp_path / "m")
    assert torch.equal(encode(loaded, images()), encode(model, images()))
    assert read_json(tmp_path / "m" / RECORD) == {"steps": 3}
    assert not list((tmp_path / "m").glob("*.bin"))


def test_a_saved_denoiser_comes_back_bit_for_bit(tmp_path):
    model = toy_denoiser()
    save(model, tmp_path / "m", {})
    loaded = load_denoiser(tmp_path / "m")
    assert not loaded.training
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, loaded.state_dict()[name]), name


def test_a_denoiser_predicts_noise_alone_and_no_variance():
    model = new_denoiser({"layers": 1, "heads": 2, "head_dim": 8, "patch_size": 2}, 4, 4, 3)
    z = torch.randn(2, 4, 4, 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        found = model(z, timestep=torch.tensor([0, 999]), class_labels=torch.tensor([0, 3])).sample
    assert found.shape == z.shape


def test_a_loss_that_is_not_finite_stops_the_training():
    with pytest.raises(FloatingPointError, match=r"autoencoder, step \d+: the loss is (nan|inf)"):
        train_autoencoder(images(), {**OPTIONS, "kl_weight": float("inf")}, seed=0)
