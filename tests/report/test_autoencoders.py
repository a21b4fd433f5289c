"""The table of autoencoders: each training by its record."""

import math

import pytest

from lighthouse.report.autoencoders import COLUMNS, autoencoders_table

ROWS = [{"dataset": name, "image_size": 32, "cost": f"{name}.json"} for name in ("a", "b")]
RECORD = {
    "trainable_parameters": 7,
    "steps": 3,
    "seconds": 1.5,
    "losses": {"squared": 0.5, "perceptual": 0.25, "kl": 2.0},
    "squared_error": {"train": 0.03, "val": 0.04},
    "latent_dim": 192,
}


def made(*records):
    table = autoencoders_table(records, ROWS)["table"]
    assert tuple(table.columns) == COLUMNS
    return table.rows


def test_an_autoencoder_has_its_losses_its_errors_and_what_follows_from_them():
    one, _ = made(RECORD, RECORD)
    assert (one["dataset"], one["status"], one["seconds"]) == ("a", "measured", 1.5)
    assert (one["training_squared"], one["training_perceptual"], one["training_kl"]) == (
        *(0.5, 0.25, 2.0),
    )
    assert math.isnan(one["training_absolute"])
    assert (one["squared_error_train"], one["squared_error_val"]) == (0.03, 0.04)
    assert one["psnr_val"] == pytest.approx(20)  # an error of a hundredth of 2²
    assert one["compression"] == 16


def test_without_a_validation_part_there_is_no_psnr():
    one, _ = made({**RECORD, "squared_error": {"train": 0.03, "val": None}}, RECORD)
    assert math.isnan(one["squared_error_val"]) and math.isnan(one["psnr_val"])


def test_images_that_come_back_as_they_were_have_no_noise():
    one, _ = made({**RECORD, "squared_error": {"train": 0.0, "val": 0.0}}, RECORD)
    assert one["psnr_val"] == math.inf


def test_an_autoencoder_that_failed_is_missing():
    one, other = made(None, RECORD)
    assert (one["dataset"], one["status"], other["status"]) == ("a", "missing", "measured")
    assert math.isnan(one["steps"])
