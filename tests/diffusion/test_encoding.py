"""Latents: those of the autoencoder, means by hand, and the same after a kill."""

import numpy as np
import pytest
import torch

from lighthouse.datasets.index import ImageIndex
from lighthouse.datasets.latents import (
    HELD_OUT,
    LATENTS,
    MEANS,
    Latents,
    read_held_out,
    read_means,
)
from lighthouse.diffusion.autoencoder import encode, load_autoencoder, new_autoencoder
from lighthouse.diffusion.encoding import class_means, encode_part
from lighthouse.diffusion.loading import save_model
from pictures import noise

SIZE, COUNT = 16, 11
TINY = {
    "block_out_channels": [8, 8],
    "latent_channels": 2,
    "layers_per_block": 1,
    "norm_num_groups": 4,
}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """An untrained autoencoder's folder."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models") / "autoencoder"
    save_model(new_autoencoder(TINY, SIZE), folder, {})
    return folder


@pytest.fixture
def index(tmp_path):
    """Eleven training images of two classes in turns, and one for testing."""
    paths = [noise(tmp_path / f"{k}.png", SIZE, k) for k in range(COUNT + 1)]
    rows = [("train", k % 2, "ab"[k % 2], str(path)) for k, path in enumerate(paths)]
    ImageIndex.write(tmp_path / "index.tsv", [*rows[:-1], ("test", *rows[-1][1:])])
    return ImageIndex.read(tmp_path / "index.tsv")


def encoded(weights, index, folder, flips=True, batch=4):
    encode_part(load_autoencoder(weights), weights, index, folder, SIZE, flips, batch, threads=2)
    return Latents(folder)


def test_latents_are_the_autoencoders(weights, index, tmp_path):
    made = encoded(weights, index, tmp_path / "made")
    images = torch.from_numpy(index.images("train", SIZE))
    model = load_autoencoder(weights)
    assert made.latents.shape == (COUNT, 2, 2, 8, 8)
    assert made.latents.dtype == np.float32
    assert isinstance(made.latents, np.memmap)
    assert np.array_equal(made.latents[:, 0], encode(model, images, 4))
    mirrored = torch.from_numpy(index.images("train", SIZE)[..., ::-1].copy())
    assert np.array_equal(made.latents[:, 1], encode(model, mirrored, 4))
    assert np.array_equal(made.labels, index.labels("train"))
    assert made.classes == ["a", "b"]


def test_of_the_validation_part_some_images_are_encoded_as_they_are(
    weights, index, tmp_path, monkeypatch
):
    rows = [("val" if k % 3 == 1 else part, *row) for k, (part, *row) in enumerate(index.rows)]
    held_out = ImageIndex(index.root, tuple(rows))
    monkeypatch.setattr("lighthouse.diffusion.encoding.MOST_HELD_OUT", 2)
    encoded(weights, held_out, tmp_path / "made")
    latents, labels = read_held_out(tmp_path / "made")
    images = torch.from_numpy(held_out.images("val", SIZE))[[0, 2]]
    assert np.array_equal(latents, encode(load_autoencoder(weights), images, 4))
    assert np.array_equal(labels, held_out.labels("val")[[0, 2]])


def test_without_a_validation_part_no_image_is_held_out(weights, index, tmp_path):
    encoded(weights, index, tmp_path / "made")
    latents, labels = read_held_out(tmp_path / "made")
    assert (latents.shape, labels.shape) == ((0, 2, 8, 8), (0,))


def test_class_means_are_of_the_images_as_they_are(weights, index, tmp_path):
    made = encoded(weights, index, tmp_path / "made")
    by_hand = [made.latents[k::2, 0].astype(np.float64).mean(0) for k in range(2)]
    assert np.array_equal(made.class_means, np.float32(by_hand))
    assert np.array_equal(read_means(tmp_path / "made").class_means, made.class_means)


def test_class_means_do_not_lose_small_differences():
    """Where float32 sums would: many equal numbers with many digits."""
    latents = np.full((60000, 1, 1, 1, 1), 1.0000001, np.float32)
    found = class_means(latents, np.zeros(60000, np.int64), 1)
    assert found.item() == np.float32(1.0000001)


def test_without_flips_there_is_one_view(weights, index, tmp_path):
    one = encoded(weights, index, tmp_path / "one", flips=False)
    two = encoded(weights, index, tmp_path / "two")
    assert one.latents.shape == (COUNT, 1, 2, 8, 8)
    assert np.array_equal(one.latents[:, 0], two.latents[:, 0])


def test_the_batch_hardly_matters(weights, index, tmp_path):
    one = encoded(weights, index, tmp_path / "one", batch=1)
    all_at_once = encoded(weights, index, tmp_path / "all", batch=100)
    assert np.allclose(one.latents, all_at_once.latents, atol=1e-5)


class Killed(BaseException):
    """As a signal would end the job."""


def interrupt(monkeypatch, after):
    """Make the encoder stop at its ``after``-th call; returns the list of its calls' sizes."""
    calls = []

    def counted(model, images, batch):
        calls.append(len(images))
        if len(calls) > after:
            raise Killed
        return encode(model, images, batch)

    monkeypatch.setattr("lighthouse.diffusion.encoding.encode", counted)
    return calls


@pytest.mark.parametrize("torn", [0, 7])
def test_a_killed_job_is_continued_to_the_same_latents(weights, index, tmp_path, monkeypatch, torn):
    whole = encoded(weights, index, tmp_path / "whole")
    folder = tmp_path / "made"
    interrupt(monkeypatch, after=6)  # two views of the trial, and of two batches of four
    with pytest.raises(Killed):
        encoded(weights, index, folder)
    assert not folder.exists()
    with (tmp_path / ".made.partial" / LATENTS).open("ab") as file:
        file.write(bytes(torn))  # half a row, as a kill in mid-write leaves it
    calls = interrupt(monkeypatch, after=100)
    continued = encoded(weights, index, folder)
    assert calls == [1, 1, 3, 3]  # the trial, and the last batch
    assert np.array_equal(continued.latents, whole.latents)
    assert np.array_equal(continued.class_means, whole.class_means)
    assert {path.name for path in folder.iterdir()} == {LATENTS, MEANS, HELD_OUT}
    assert not (tmp_path / ".made.partial").exists()


@pytest.mark.parametrize("change", ["flips", "index", "weights"])
def test_a_killed_job_of_other_data_or_options_starts_anew(
    weights, index, tmp_path, monkeypatch, change
):
    interrupt(monkeypatch, after=6)
    with pytest.raises(Killed):
        encoded(weights, index, tmp_path / "made")
    if change == "index":
        index = ImageIndex(index.root, index.rows[::-1])
    if change == "weights":
        torch.manual_seed(1)
        weights = tmp_path / "other"
        save_model(new_autoencoder(TINY, SIZE), weights, {})
    calls = interrupt(monkeypatch, after=100)
    encoded(weights, index, tmp_path / "made", flips=change != "flips")
    assert sum(calls) == (COUNT + 1) * (1 if change == "flips" else 2)


def test_new_latents_replace_older_ones(weights, index, tmp_path):
    first = encoded(weights, index, tmp_path / "made", flips=False).latents.shape
    second = encoded(weights, index, tmp_path / "made", flips=True).latents.shape
    assert (first[1], second[1]) == (1, 2)


@pytest.mark.parametrize("left", [b"", b"\x93NUMPY\x01\x00v", bytes(5000)])
@pytest.mark.parametrize("name", [LATENTS, "progress.json"])
def test_what_cannot_be_read_of_a_killed_job_is_made_anew(
    weights, index, tmp_path, monkeypatch, name, left
):
    whole = encoded(weights, index, tmp_path / "whole")
    interrupt(monkeypatch, after=6)
    with pytest.raises(Killed):
        encoded(weights, index, tmp_path / "made")
    (tmp_path / ".made.partial" / name).write_bytes(left)
    interrupt(monkeypatch, after=100)
    assert np.array_equal(encoded(weights, index, tmp_path / "made").latents, whole.latents)
