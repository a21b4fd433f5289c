"""The encoder: latents of all training images, written once, a batch at a time.

And those of some images that nothing is trained on, by which priors are compared.

``datasets.latents`` reads them.
"""

import hashlib
import io
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from lighthouse.datasets.index import ImageIndex
from lighthouse.datasets.latents import HELD_OUT, LATENTS, MEANS
from lighthouse.diffusion.autoencoder import encode
from lighthouse.runtime.cells import recorded
from lighthouse.runtime.contents import sum_of
from lighthouse.runtime.faults import writing
from lighthouse.runtime.files import whole, write_arrays, write_json
from lighthouse.runtime.job import log, progress
from lighthouse.runtime.provenance import provenance

#: In an unfinished folder: what its latents follow from.
PROGRESS = "progress.json"
#: Most images of the part val that are encoded.
MOST_HELD_OUT = 1000


def encode_part(
    model: object,
    weights: Path,
    index: ImageIndex,
    folder: Path,
    image_size: int,
    flips: bool,
    batch: int,
    threads: int,
) -> None:
    """Write the latents of a dataset's part train and its class means to ``folder``.

    Beside them those of at most ``MOST_HELD_OUT`` images of the part val, evenly spaced, as they
    are. Latents are scaled posterior means in index order, float32. model: an
    ``AutoencoderKL``; weights: the folder that it was loaded from, for its digest.
    flips: a second view, of mirrored images. batch: images in one call of the encoder;
    ``threads`` threads decode the next ones meanwhile.

    The folder appears whole or not at all. A run that was killed is continued from
    ``.<folder>.partial`` beside it, at its last whole batch, if data, autoencoder and
    options are the same; the result is then that of an unbroken run. Raises
    ``FloatingPointError`` with the image whose latent is not finite.
    """
    labels = index.labels("train")
    options = {"image_size": image_size, "flips": flips, "batch": batch}
    key = _digest(index, weights, options)
    partial = folder.with_name(f".{folder.name}.partial")
    if recorded(partial / PROGRESS) != {"key": key}:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        write_json(partial / PROGRESS, {"key": key})
    _write_latents(model, index, partial / LATENTS, len(labels), threads, **options)
    latents = np.load(partial / LATENTS, mmap_mode="r")
    write_arrays(
        partial / MEANS,
        {"labels": labels, "class_means": class_means(latents, labels, len(index.classes))},
        {"classes": index.classes, **provenance(threads=threads, **options)},
    )
    found = _held_out(model, index, latents.shape[2:], image_size, batch, threads)
    write_arrays(partial / HELD_OUT, found, {})
    (partial / PROGRESS).unlink()
    with whole(folder) as beside:
        partial.replace(beside)


def _held_out(
    model: object,
    index: ImageIndex,
    shape: Sequence[int],
    image_size: int,
    batch: int,
    threads: int,
) -> dict[str, np.ndarray]:
    """Latents of some images of the part val, (n, *shape), and their labels."""
    rows = index.spaced("val", MOST_HELD_OUT)
    latents = np.empty((len(rows), *shape), np.float32)
    if len(rows):  # attention cannot be asked of no image
        images = torch.from_numpy(index.images("val", image_size, threads, rows))
        latents[:] = encode(model, images.to(model.device), batch).cpu().numpy()
    return {"latents": latents, "labels": index.labels("val")[rows]}


def class_means(latents: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Mean of each class's first views, (C, c, h, w) float32, summed in float64.

    latents: (n, views, c, h, w), read in one pass of bounded memory.
    """
    sums = np.zeros((classes, *latents.shape[2:]))
    for start in range(0, len(labels), 4096):
        block, theirs = latents[start : start + 4096, 0], labels[start : start + 4096]
        for label in np.unique(theirs):
            sums[label] += block[theirs == label].sum(0, dtype=np.float64)
    counts = np.bincount(labels, minlength=classes)
    return (sums / counts[:, None, None, None]).astype(np.float32)


def _write_latents(
    model: object,
    index: ImageIndex,
    path: Path,
    count: int,
    threads: int,
    image_size: int,
    flips: bool,
    batch: int,
) -> None:
    """Append to ``path`` (.npy) what it does not hold yet.

    Written as a file grows, not through a memory map: on a full disk that ends in an
    error with a text, and not in a bus error. Each batch reaches the disk before the next one is
    encoded, so that what is there after a power cut was written. A file with another beginning
    than ours is begun anew.
    """
    device = next(model.parameters()).device

    def views(images: np.ndarray) -> np.ndarray:
        pixels = torch.from_numpy(images).to(device)
        kept = [pixels, pixels.flip(-1)] if flips else [pixels]
        return torch.stack([encode(model, some, batch) for some in kept], dim=1).cpu().numpy()

    shape = views(np.zeros((1, 3, image_size, image_size), np.uint8)).shape[1:]
    row = 4 * int(np.prod(shape))
    begins = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": (count, *shape)}
    np.lib.format.write_array_header_1_0(begins, header)
    start = len(begins.getvalue())
    with writing(path), path.open("a+b") as file:
        file.seek(0)
        if file.read(start) != begins.getvalue():
            file.truncate(0)
            file.write(begins.getvalue())
            file.flush()
        done = min((path.stat().st_size - start) // row, count) // batch * batch
        file.truncate(start + done * row)
        if done:
            log.info("continued at image %d of %d", done, count)
        rest = range(done, count)
        batches = index.batches("train", image_size, batch, threads, rest)
        total = -(-count // batch)
        for images in progress(batches, "latents", total, "batch", initial=done // batch):
            found = views(images).astype("<f4")
            finite = np.isfinite(found).reshape(len(found), -1).all(1)
            if not finite.all():
                number = done + int(finite.argmin())
                raise FloatingPointError(f"latents: that of training image {number} is not finite")
            file.write(found.tobytes())
            file.flush()
            os.fsync(file.fileno())
            done += len(found)


def _digest(index: ImageIndex, weights: Path, options: Mapping) -> str:
    """What the latents follow from: the images' names and labels, the autoencoder, options."""
    sha = hashlib.sha256(repr(sorted(options.items())).encode())
    for row in index.rows:
        if row[0] in ("train", "val"):
            sha.update((repr(row) + index.readings.get(row[3], "")).encode())
    for file in sorted([*weights.glob("config.json"), *weights.glob("*.safetensors")]):
        sha.update(bytes.fromhex(sum_of(file)))
    return sha.hexdigest()
