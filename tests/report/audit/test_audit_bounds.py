"""Each number that is planted out of its bounds is found, with its row and the bounds."""

import pytest

from plants import BASE, CONTROL, DIGITS, RSM, TABLES, TUNED, altered, findings

BOUNDS = [
    ("diversity", RSM, "coverage", 1.01, "0 to 1"),
    ("diversity", RSM, "precision", -0.01, "0 to 1"),
    ("diversity", RSM, "recall", 1.01, "0 to 1"),
    ("diversity", RSM, "density", -0.01, "at least 0"),
    ("diversity", RSM, "recognised", 1.01, "0 to 1"),
    ("diversity", RSM, "nearest_latent", -0.01, "at least 0"),
    ("diversity", RSM, "mean_magnitude", -0.01, "at least 0"),
    ("autoencoders", DIGITS, "training_squared", -0.01, "at least 0"),
    ("autoencoders", DIGITS, "training_absolute", -0.01, "at least 0"),
    ("autoencoders", DIGITS, "training_perceptual", -0.01, "at least 0"),
    ("autoencoders", DIGITS, "training_kl", -0.01, "at least 0"),
    ("autoencoders", DIGITS, "squared_error_train", 4.01, "0 to 4"),
    ("autoencoders", DIGITS, "squared_error_val", -0.01, "0 to 4"),
    ("autoencoders", DIGITS, "trainable_parameters", -1, "at least 0"),
    ("autoencoders", DIGITS, "steps", -1, "at least 0"),
    ("autoencoders", DIGITS, "seconds", -1, "at least 0"),
    ("priors", BASE, "training_loss", -0.01, "at least 0"),
    ("priors", CONTROL, "held_out_loss", -0.01, "at least 0"),
    ("priors", BASE, "steps", 0, "at least 1"),
    ("leaderboard", RSM, "nearest_feature", -0.01, "at least 0"),
    ("diversity", RSM, "ssim", 1.01, "-1 to 1"),
    ("runs", RSM, "top1_last", 100.5, "0 to 100"),
    ("runs", RSM, "top1_best", -1.0, "0 to 100"),
    ("leaderboard", RSM, "top1_std", -0.1, "at least 0"),
    ("ablation", RSM, "p_holm", 1.5, "0 to 1"),
    ("significance", RSM, "p", -0.5, "0 to 1"),
    ("significance", RSM, "std_difference", -0.5, "at least 0"),
    ("fid", RSM, "fid", -1.0, "at least -0.001"),
    ("fid", RSM, "kid_std", -1.0, "at least 0"),
    ("cost", RSM, "seconds_per_image", -1.0, "at least 0"),
    ("tuning", TUNED, "top1_val", 101.0, "0 to 100"),
    ("tuning", TUNED, "top1_test", -1.0, "0 to 100"),
    ("tuning", TUNED, "seconds", -1.0, "at least 0"),
    ("spectrum_ranks", {"source": "RSM"}, "effective_rank", 0.5, "at least 1"),
    ("figures/ssim_vs_eta_dpp.csv", {"eta_dpp": 0}, "mean", 1.5, "-1 to 1"),
    ("figures/spectrum.csv", {"source": "RSM"}, "mean", 1.5, "0 to 1"),
]


@pytest.mark.parametrize("plant", BOUNDS, ids=lambda plant: f"{plant[0]}-{plant[2]}")
def test_a_number_out_of_its_bounds_is_found(plant, results, invented):
    name, where, column, value, bounds = plant
    table = TABLES.get(name, name)
    before = next(r for r in results.tables[table] if where.items() <= r.items())[column]
    changed, *_ = altered(results, table, where, column, value - before)
    (found,) = findings("within_bounds", changed, invented.grid)
    assert (found["table"], found["column"], found["expected"]) == (table, column, bounds)
    assert found["found"] == pytest.approx(value)
    for key, given in where.items():
        assert f"{key} {given}" in found["row"]
