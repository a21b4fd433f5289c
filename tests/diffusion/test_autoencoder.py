"""The autoencoder: ranges, scaling, and what comes back from a file."""

from types import SimpleNamespace

import pytest
import torch

from lighthouse.diffusion import autoencoder
from lighthouse.diffusion.autoencoder import (
    decode,
    encode,
    load_autoencoder,
    to_bytes,
    to_signed,
    train_autoencoder,
)
from lighthouse.diffusion.loading import RECORD, save_model
from lighthouse.runtime.files import read_json

OPTIONS = {
    "block_out_channels": [4, 8],
    "latent_channels": 2,
    "layers_per_block": 1,
    "norm_num_groups": 2,
    "kl_weight": 1e-4,
    "steps": 3,
    "batch_size": 4,
    "learning_rate": 1e-3,
    "schedule": {"kind": "one-cycle", "warmup": 0.3},
    "gradient_clip": 1.0,
}


def images(n=10):
    rng = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (n, 3, 16, 16), generator=rng, dtype=torch.uint8)


class StoppedError(Exception):
    """Stands for a job that was killed."""


def train(folder, options=OPTIONS, seconds=60.0):
    return train_autoencoder(images(), options, 0, folder / "checkpoint", seconds)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return train(tmp_path_factory.mktemp("autoencoder"))


def assert_same(one, other):
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name


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


@pytest.mark.parametrize("batch", [1, 3, 64])
def test_images_come_in_the_order_of_their_latents_whatever_the_batch(model, batch):
    latents = encode(model, images())
    off = (decode(model, latents, batch).int() - decode(model, latents).int()).abs()
    assert off.max() <= 1  # rounding
    torch.testing.assert_close(encode(model, images(), batch), latents, rtol=1e-4, atol=1e-5)


def test_an_image_is_the_same_bytes_whatever_is_decoded_beside_it(model):
    latents = encode(model, images())
    whole = decode(model, latents, 4)
    assert torch.equal(decode(model, latents[7:], 4), whole[7:])


def test_large_images_are_decoded_few_at_a_time(model, monkeypatch):
    seen = []
    monkeypatch.setattr(autoencoder, "PIXELS_AT_ONCE", 1024)  # four of 16 px
    monkeypatch.setattr(model, "decode", lambda z: seen.append(len(z)) or SimpleNamespace(sample=z))
    decode(model, torch.zeros(10, 2, 8, 8))
    decode(model, torch.zeros(2, 2, 64, 64))
    assert seen == [4, 4, 4, 1, 1]


def test_training_repeats_bit_for_bit(model, tmp_path):
    assert_same(model, train(tmp_path))


def test_a_training_that_was_stopped_goes_on_to_the_same_weights(model, tmp_path, monkeypatch):
    check, calls = autoencoder.check_loss, []

    def stopping(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise StoppedError
        check(*arguments)

    monkeypatch.setattr(autoencoder, "check_loss", stopping)
    with pytest.raises(StoppedError):
        train(tmp_path, seconds=0)
    assert (tmp_path / "checkpoint").exists()
    resumed = train(tmp_path, seconds=0)
    assert len(calls) == 4  # the third of three steps, twice
    assert_same(model, resumed)
    assert resumed.config.scaling_factor == model.config.scaling_factor
    assert list(tmp_path.iterdir()) == []


def test_a_saved_autoencoder_comes_back_with_its_scaling(model, tmp_path):
    save_model(model, tmp_path / "m", {"steps": 3})
    loaded = load_autoencoder(tmp_path / "m")
    assert torch.equal(encode(loaded, images()), encode(model, images()))
    assert read_json(tmp_path / "m" / RECORD) == {"steps": 3}
    assert not list((tmp_path / "m").glob("*.bin"))


def test_a_loss_that_is_not_finite_stops_the_training(tmp_path):
    with pytest.raises(FloatingPointError, match=r"autoencoder, step \d+: the loss is (nan|inf)"):
        train(tmp_path, {**OPTIONS, "kl_weight": float("inf")})
