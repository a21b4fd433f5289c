"""How many images stand behind a number of a set: counted again where images or rows tell."""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from lighthouse.metrics.sets import class_sets
from lighthouse.report.audit.claims import (
    NAN,
    Claim,
    Results,
    Within,
    grouped,
    key,
    known,
    measured,
    named,
    same,
    slack,
)
from lighthouse.report.audit.numbers import deviation, mean
from lighthouse.report.audit.rows import SET
from lighthouse.runtime.files import read_about
from lighthouse.tables import CELL

TABLE, SINGLE, DIVERSITY = "tables/fid.csv", "tables/fid_sets.csv", "tables/diversity.csv"
#: Largest file, in bytes, whose images are hashed: about a second. It is that of 10 images a class
#: of 10 classes at 256 pixels and a dozen seeds; of larger sets the bounds alone are held.
MOST = 256 * 2**20


def numbers_of_images(results: Results, grid: Mapping) -> Iterator[Claim]:
    """A set has ipc × classes images; a cell no more sets than seeds, no more images than sets."""
    for row in measured(results.rows(TABLE)):
        place = (TABLE, named(row, SET))
        of_one = row["ipc"] * grid["classes"][row["dataset"]]
        yield from same(TABLE, row, SET, {"n_synthetic_per_set": of_one})
        yield Claim(*place, "n_sets", row["n_sets"], Within(1, len(grid["seeds"])))
        yield Claim(*place, "n_synthetic", row["n_synthetic"], Within(1, row["n_sets"] * of_one))


def recognised_images(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Of a set's ipc × classes images a whole number is recognised; of a dataset all sets or none.

    An extractor knows the classes of all its sets, or of none of them.
    """
    for rows in grouped(measured(results.rows(DIVERSITY)), ("dataset",)).values():
        told = bool(known(row["recognised"] for row in rows))
        for row in rows:
            share, images = row["recognised"], row["ipc"] * grid["classes"][row["dataset"]]
            if known([share]):
                expected = round(share * images) / images
            else:
                expected = Within(0, 1) if told else NAN
            place = (DIVERSITY, named(row, (*CELL, "seed")), "recognised")
            yield Claim(*place, share, expected, slack(share))


def distances_of_sets(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Distances have a deviation where there are several sets, and one real side for all rows.

    One set without an image twice is all images together: its distance is the pooled one.
    """
    for rows in grouped(measured(results.rows(TABLE)), ("dataset",)).values():
        real = {name: rows[0][name] for name in ("extractor", "feature_dim", "n_real")}
        for row in rows:
            place = (TABLE, named(row, SET))
            yield from same(TABLE, row, SET, real)
            for name in ("fid", "kid"):
                several = known([row[name]]) and row["n_sets"] > 1
                expected = Within(0, math.inf) if several else NAN
                yield Claim(*place, f"{name}_std", row[f"{name}_std"], expected)
            if row["n_synthetic"] == row["n_synthetic_per_set"] and row["n_sets"] == 1:
                yield from same(TABLE, row, SET, {"fid_pooled": row["fid"]})
            most = min(row["n_real"], row["n_synthetic_per_set"])
            yield Claim(*place, "kid_subset_size", row["kid_subset_size"], Within(1, most))


def single_distances(results: Results, grid: Mapping) -> Iterator[Claim]:
    """The distance in fid.csv is the mean of fid_sets.csv's, of sets all alike any one's."""
    single = grouped(measured(results.rows(SINGLE)), SET)
    for row in measured(results.rows(TABLE)):
        values = [one["fid"] for one in single.get(key(row, SET), ())]
        if row["n_sets"] == 1:
            values = values[:1]
        if row["n_sets"] == len(values):
            expected = {"fid": mean(values), "fid_std": deviation(values)}
            yield from same(TABLE, row, SET, expected, behind=known(values))


def distinct_images(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Distinct sets and distinct images are as many as the files of images hold."""
    rows = {key(row, SET): row for row in measured(results.rows(TABLE))}
    for cell, path in results.samples:
        row = rows.get(key(cell, SET))
        if row is None:
            continue
        expected = {"classes of the images": len(read_about(path)["classes"])}
        found = {**row, "classes of the images": grid["classes"][row["dataset"]]}
        if is_recounted(path):
            expected |= distinct(path, grid["seeds"], row["ipc"])
        for column, value in expected.items():
            yield Claim(TABLE, named(row, SET), column, found[column], value)


def is_recounted(path: str | Path) -> bool:
    """Whether a file is there, and small enough for its images to be hashed."""
    return Path(path).is_file() and Path(path).stat().st_size <= MOST


def distinct(path: str | Path, seeds: Sequence[int], ipc: int) -> dict[str, int]:
    """Distinct sets (``n_sets``) and images (``n_synthetic``) of a cell's sets of all seeds.

    Images are equal where all their bytes are; sets where they hold equal images of each
    class, in whatever order. One class at a time is in memory.
    """
    images: set[bytes] = set()
    sets = set()
    for seed in seeds:
        classes = []
        for pictures in class_sets(path, seed, ipc):
            hashes = [_digest(picture) for picture in pictures]
            images.update(hashes)
            classes.append(tuple(sorted(hashes)))
        sets.add(tuple(classes))
    return {"n_sets": len(sets), "n_synthetic": len(images)}


def _digest(picture: np.ndarray) -> bytes:
    return hashlib.blake2b(picture.tobytes(), digest_size=16).digest()
