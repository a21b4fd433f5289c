"""A set as others publish theirs, from its folders to its rows, through Snakemake."""

import csv

import numpy as np
import pytest
from PIL import Image

from lighthouse.runtime.files import read_arrays, read_json
from running import bare_run, snakemake

STUDY = f"""
study: published
{bare_run(ipc=[1, 2], protocols=["digits", "own"])}external:
  theirs:
    dataset: digits
    root: ROOT/theirs
    ipc: [1, 2]
    label: Theirs
    order: ROOT/names.txt
    take: first
    labels: probabilities
protocols:
  own:
    optimizer: adamw
    learning_rate: 1.0e-2
    weight_decay: 0.01
    batch_size: [[200, 50]]
    epochs: [[200, 4]]
    schedule: {{kind: half-cosine}}
    size: null
    resize: 1.0
    mean: [0.5, 0.5, 0.5]
    std: [0.5, 0.5, 0.5]
    augment: {{crop_scale: null, flip: false, jitter: 0, lighting: 0, cutmix: true}}
    labels: own
    temperature: 2.0
    precision: fp32
    evaluations: 1
"""
CELLS = "results/samples/digits/theirs"


def tables(folder):
    done = snakemake(
        *("--cores", 2, "--quiet", "all", "--directory", folder),
        *("--configfile", "tests/configs/tiny.yaml", folder / "study.yaml", "--", "tables"),
    )
    assert done.returncode == 0, done.stdout


def boards(folder):
    """Accuracy by protocol, IPC and method, of rows that are measured."""
    with (folder / "results/tables/leaderboard.csv").open(encoding="utf-8", newline="") as file:
        return {
            (row["protocol"], row["ipc"], row["method"]): row["top1_mean"]
            for row in csv.DictReader(file)
            if row["status"] == "measured"
        }


def labels(seed):
    """A soft label for each of 10 × 3 images."""
    drawn = np.random.default_rng(seed).random((30, 10)) + 0.1
    return (drawn / drawn.sum(1, keepdims=True)).astype(np.float32)


@pytest.mark.workflow
def test_a_set_with_its_own_numbers_images_and_labels_has_rows_and_follows_its_files(tmp_path):
    order = [str(digit) for digit in reversed(range(10))]
    (tmp_path / "names.txt").write_text("\n".join(order), encoding="utf-8")
    for number, name in enumerate(order):
        folder = tmp_path / "theirs" / f"new{number:03d}"
        folder.mkdir(parents=True)
        for image in range(3):
            colour = (25 * int(name), 80 * image, 0)
            Image.new("RGB", (16, 16), colour).save(folder / f"{image}.png")
    np.save(tmp_path / "theirs" / "labels.npy", labels(0))
    (tmp_path / "study.yaml").write_text(STUDY.replace("ROOT", str(tmp_path)), encoding="utf-8")

    tables(tmp_path)
    first = boards(tmp_path)
    places = [(protocol, ipc) for protocol in ("digits", "own") for ipc in "12"]
    assert set(first) == {(*place, method) for place in places for method in ("random", "theirs")}
    cell = tmp_path / CELLS / "ipc~2" / "table"
    images = read_arrays(cell / "images.safetensors")["seed~1"]
    for digit in range(10):
        assert images[digit, :, :2, 3, 3].tolist() == [[25 * digit, 0], [25 * digit, 80]]
    found = read_arrays(cell / "labels.safetensors")["seed~1"]
    # new009 is 0: rows from 27 on, and columns from the last.
    np.testing.assert_allclose(np.exp(found[0]), labels(0)[27:29, ::-1], rtol=1e-5)
    log = (tmp_path / "results/logs/samples/digits/external/theirs/0.log").read_text("utf-8")
    assert (
        "new009 is 0, new008 is 1" in log and "own labels, likeliest is the folder's class" in log
    )

    students = tmp_path / "results/students/convnet2"
    record = next((students / "own").rglob("theirs/ipc~2/table.json"), None)
    record = record or next((students / "own").rglob("theirs/ipc~2/table/*.json"))
    before = read_json(record)["runs"]
    np.save(tmp_path / "theirs" / "labels.npy", np.ascontiguousarray(labels(0)[:, ::-1]))
    tables(tmp_path)
    assert read_json(record)["runs"] != before
    second = boards(tmp_path)
    same = [place for place in first if place[2] == "random" or place[0] == "digits"]
    assert {place: second[place] for place in same} == {place: first[place] for place in same}
