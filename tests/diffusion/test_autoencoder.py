"""The autoencoder: ranges, scaling, its loss, and what comes back from a file."""

from types import SimpleNamespace

import pytest
import torch
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from PIL import Image

from lighthouse.datasets.index import ImageIndex
from lighthouse.datasets.real import RealImages
from lighthouse.diffusion import autoencoder
from lighthouse.diffusion.autoencoder import (
    decode,
    encode,
    load_autoencoder,
    reconstructed,
    reconstruction_quality,
    to_bytes,
    to_signed,
    train_autoencoder,
)
from lighthouse.diffusion.encoding import encode_part
from lighthouse.diffusion.loading import RECORD, save_model
from lighthouse.diffusion.reconstruction import ReconstructionLoss
from lighthouse.metrics.features import make_extractor
from lighthouse.metrics.perceptual import PerceptualDistance, load_distance
from lighthouse.runtime.files import read_json, read_tensors
from lighthouse.runtime.rng import generator
from lighthouse.students.networks import ConvNet
from toy import AUTOENCODER

OPTIONS = {
    **AUTOENCODER,
    "schedule": {"kind": "one-cycle", "warmup": 0.3},
    "gradient_clip": 1.0,
}


def images(n=10):
    rng = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (n, 3, 16, 16), generator=rng, dtype=torch.uint8)


class StoppedError(Exception):
    """Stands for a job that was killed."""


def train(folder, options=OPTIONS, seconds=60.0, perceptual=None):
    return train_autoencoder(images(), options, 0, folder / "checkpoint", seconds, perceptual)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model and its record."""
    return train(tmp_path_factory.mktemp("autoencoder"))


@pytest.fixture(scope="module")
def model(trained):
    return trained[0]


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
    assert_same(model, train(tmp_path)[0])


def test_a_training_that_was_stopped_goes_on_to_the_same_weights(trained, tmp_path, monkeypatch):
    model, record = trained
    add, calls = autoencoder.LossWatch.add, []

    def stopping(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise StoppedError
        add(*arguments)

    monkeypatch.setattr(autoencoder.LossWatch, "add", stopping)
    with pytest.raises(StoppedError):
        train(tmp_path, seconds=0)
    assert (tmp_path / "checkpoint").exists()
    resumed, again = train(tmp_path, seconds=0)
    assert again == record
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


@pytest.mark.parametrize("seconds", [0, 60.0], ids=["before a checkpoint", "at the end"])
def test_a_loss_that_is_not_finite_stops_the_training(tmp_path, seconds):
    with pytest.raises(FloatingPointError, match=r"autoencoder, step 0: the loss is (nan|inf)"):
        train(tmp_path, {**OPTIONS, "kl_weight": float("inf")}, seconds)
    assert list(tmp_path.iterdir()) == []


# The loss.

WEIGHTED = {**OPTIONS, "losses": {"squared": 0.5, "absolute": 2, "perceptual": 3}}


class Judge(torch.nn.Module):
    """A distance that can be reckoned: the mean difference of the first colour, squared."""

    def forward(self, one, other):
        return (one[:, 0] - other[:, 0]).mean().square()


def by_hand(model, batch):
    """Terms of a loss from first principles, with the posterior's noise that a training draws."""
    posterior = model.encode(batch).latent_dist
    noise = torch.randn(posterior.mean.shape, generator=generator("loss"))
    off = model.decode(posterior.mean + posterior.std * noise).sample - batch
    mean, log_var = posterior.mean, posterior.logvar
    return {
        "squared": (off**2).mean(),
        "absolute": off.abs().mean(),
        "perceptual": off[:, 0].mean() ** 2,
        "kl": (mean**2 + log_var.exp() - 1 - log_var).mean() / 2,
    }


@pytest.mark.parametrize("options", [OPTIONS, WEIGHTED], ids=["plain", "weighted"])
def test_the_loss_is_the_weighted_sum_of_its_terms_and_of_the_kl_term(model, options):
    batch = to_signed(images())
    loss, terms, decoded = ReconstructionLoss(options, Judge())(model, batch, generator("loss"))
    weights = {**options.get("losses", {"squared": 1}), "kl": options["kl_weight"]}
    expected = {name: term for name, term in by_hand(model, batch).items() if name in weights}
    assert terms.keys() == expected.keys()
    for name, term in expected.items():
        torch.testing.assert_close(terms[name], term)
    torch.testing.assert_close(loss, sum(weights[name] * term for name, term in expected.items()))
    assert decoded.shape == batch.shape


def test_a_term_without_weight_needs_nothing_and_changes_no_weight(model, tmp_path):
    losses = {"squared": 1, "absolute": 0, "perceptual": 0}
    other, record = train(tmp_path, {**OPTIONS, "losses": losses, "precision": "fp32"})
    assert_same(model, other)
    assert record["losses"].keys() == {"squared", "kl"}


def test_the_networks_compute_in_bf16_and_the_loss_in_float32(model, monkeypatch):
    seen = []
    kl = DiagonalGaussianDistribution.kl
    monkeypatch.setattr(
        DiagonalGaussianDistribution, "kl", lambda self: seen.append(self.mean.dtype) or kl(self)
    )
    layers = (model.encoder.conv_out, model.decoder.conv_out)
    hooks = [
        layer.register_forward_hook(lambda *given: seen.append(given[-1].dtype)) for layer in layers
    ]
    found = {
        precision: ReconstructionLoss({**OPTIONS, "precision": precision})(
            model, to_signed(images()), generator("loss")
        )
        for precision in ("fp32", "bf16")
    }
    for hook in hooks:
        hook.remove()
    assert seen == [torch.float32] * 3 + [torch.bfloat16] * 2 + [torch.float32]
    one, other = found["fp32"][0], found["bf16"][0]
    assert (other.dtype, found["bf16"][2].dtype) == (torch.float32, torch.float32)
    assert one != other
    torch.testing.assert_close(one, other, rtol=0.05, atol=0)


def test_another_distance_begins_a_training_anew(tmp_path, monkeypatch):
    def judge(seed):
        torch.manual_seed(seed)
        network = ConvNet(1, 4, 16, 3)
        network.layers, network.normalised = network.features, lambda images: images
        return PerceptualDistance(network)

    def stopping(*arguments, **options):
        raise StoppedError

    starts = []
    resume = autoencoder.checkpoints.resume
    monkeypatch.setattr(
        autoencoder.checkpoints,
        "resume",
        lambda *given: starts.append(resume(*given)[0]) or (starts[-1], None),
    )
    monkeypatch.setattr(autoencoder, "encode", stopping)  # what comes behind the steps
    for seed in (0, 1, 1):
        with pytest.raises(StoppedError):
            train(tmp_path, WEIGHTED, 0, judge(seed))
    assert starts == [0, 0, 3]


def test_the_record_has_the_terms_of_the_last_step(trained, model):
    record = trained[1]
    assert record["losses"].keys() == {"squared", "kl"}
    assert 0 < record["losses"]["squared"] < 4
    assert record["steps"] == 3
    assert record["trainable_parameters"] == sum(p.numel() for p in model.parameters())


# What comes back.


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """Ten images in train, seven in val and none in test."""
    folder, rows = tmp_path_factory.mktemp("images"), []
    for number, image in enumerate(images(17)):
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(folder / f"{number}.png")
        part, label = "train" if number < 10 else "val", number % 2
        rows.append((part, label, "ab"[label], f"{number}.png"))
    ImageIndex.write(folder / "index.tsv", rows)
    return ImageIndex.read(folder / "index.tsv")


def test_the_quality_is_the_error_of_bytes_over_a_range_of_two(model, index):
    found = reconstruction_quality(model, index, 16, 1)
    every = images(17)
    off = (to_signed(decode(model, encode(model, every))) - to_signed(every)).double() ** 2
    wanted = {"train": off[:10].mean().item(), "val": off[10:].mean().item()}
    latents = encode(model, every) / model.config.scaling_factor
    raw = model.decode(latents).sample
    clipped = {"held": int((raw.abs() > 1 + 1 / 255).sum()), "of": every.numel()}
    assert 0 < clipped["held"] < clipped["of"]
    assert found == {
        "squared_error": pytest.approx(wanted, rel=1e-5),
        "latent_dim": 2 * 8 * 8,
        "held": {"pixels_clipped": clipped},
    }


def test_of_many_images_as_many_are_measured_as_are_evenly_spaced(model, index, monkeypatch):
    monkeypatch.setattr(autoencoder, "MOST_MEASURED", 5)
    assert index.spaced("train", 5).tolist() == [0, 2, 4, 6, 8]
    found = reconstruction_quality(model, index, 16, 1)["squared_error"]["train"]
    some = images()[::2]
    off = (to_signed(decode(model, encode(model, some))) - to_signed(some)).double() ** 2
    assert found == pytest.approx(off.mean().item(), rel=1e-5)


def test_of_a_part_without_images_no_error_is_told(model, index):
    train = ImageIndex(index.root, tuple(row for row in index.rows if row[0] == "train"))
    found = reconstruction_quality(model, train, 16, 1)
    assert found["squared_error"]["val"] is None
    assert found["squared_error"]["train"] > 0


def test_reconstructed_images_are_those_of_first_views_in_order(model, monkeypatch):
    monkeypatch.setattr(autoencoder, "READ_AT_ONCE", 4)
    views = [encode(model, some) for some in (images(), images().flip(-1))]
    latents = torch.stack(views, dim=1).numpy()
    found = reconstructed(model, latents)
    assert (found.dtype, found.shape) == (torch.uint8, (10, 3, 16, 16))
    assert (found.int() - decode(model, views[0]).int()).abs().max() <= 1  # rounding


# The rule's script.

EXTRACTOR = {"kind": "trained", "name": "toy", "epochs": 1}


def test_the_rule_trains_by_the_datasets_extractor_and_says_what_it_reached(
    model, index, tmp_path, run_script
):
    real = RealImages(index, "toy", 16, 10, 1)
    make_extractor(EXTRACTOR, real, None, tmp_path / "extractor", "cpu")
    options = {**OPTIONS, "losses": {"squared": 1, "perceptual": 0.5}}
    for name, chosen, extractor in (("plain", OPTIONS, []), ("judged", options, ["extractor"])):
        run_script(
            "autoencoder",
            {
                "index": index.root / "index.tsv",
                "pretrained": [],
                "extractor": [tmp_path / file for file in extractor],
            },
            {"model": tmp_path / name, "cost": tmp_path / f"{name}.json"},
            {
                "image_size": 16,
                "options": chosen,
                "distance": "lighthouse.metrics.perceptual:load_distance",
                "checkpoint_seconds": 60,
            },
        )
    assert_same(load_autoencoder(tmp_path / "plain"), model)
    expected, record = train(
        tmp_path, options, perceptual=load_distance(tmp_path / "extractor", "cpu")
    )
    judged = load_autoencoder(tmp_path / "judged")
    assert_same(judged, expected)
    assert not torch.equal(judged.decoder.conv_out.weight, model.decoder.conv_out.weight)
    quality = reconstruction_quality(expected, index, 16, 1)
    facts = record | quality | {"held": record["held"] | quality["held"]}
    assert facts["held"].keys() == {"gradients_clipped", "pixels_clipped"}
    for file in (tmp_path / "judged.json", tmp_path / "judged" / RECORD):
        found = read_json(file)
        assert {name: found[name] for name in facts} == facts
    assert read_json(tmp_path / "judged.json")["seconds"] > 0
    assert "seconds" not in read_json(tmp_path / "judged" / RECORD)


def test_the_rule_writes_all_reconstructed_images(model, index, tmp_path, run_script):
    save_model(model, tmp_path / "model", {})
    encode_part(model, tmp_path / "model", index, tmp_path / "latents", 16, True, 4, 1)
    run_script(
        "reconstructed",
        {"latents": tmp_path / "latents", "autoencoder": tmp_path / "model"},
        {"images": tmp_path / "images.safetensors"},
        {},
    )
    found = read_tensors(tmp_path / "images.safetensors")["images"]
    wanted = decode(model, encode(model, images(17)[:10]))
    assert (found.int() - wanted.int()).abs().max() <= 1  # rounding
