"""Each wrong number that is planted in a table is found, with its row and both values."""

import math

import pytest

from plants import (
    ASIDE,
    BASE,
    CONTROL,
    DIGITS,
    DIT,
    JOINT,
    RSM,
    SCALE,
    TABLES,
    TEST,
    TEST_ASIDE,
    THEIRS,
    TUNED,
    altered,
    findings,
)

# One wrong number after the other: the check that sees it, the table, the row, the column, and
# what is put there. Then, where the finding is not the planted field with its old value: the
# column, and words of what was expected.

#: Of sets, as leaderboard and ablation show them.
MEASURES = ("coverage", "precision", "recall", "density", "nearest_latent", "nearest_feature")
MEASURES = (*MEASURES, "recognised", "log_det", "ssim")
#: What a base prior and its autoencoder teach, of what real images do.
SHARES = ("share_taught", "share_reconstructed")

WRONG_FIELDS = [
    ("what_is_run", "leaderboard", RSM, "label", "RSM"),
    *(
        ("accuracy_of_runs", "accuracy", RSM, column, by)
        for column, by in {
            "top1_last_mean": 0.001,
            "top1_last_std": 0.001,
            "std_replicates": 0.5,
            "std_sets": 0.5,
            "std_students": 0.001,
            "top1_best_mean": 0.001,
            "n_replicates": 1,
            "n_seeds": 1,
            "n_students": 1,
            "status": "missing",
        }.items()
    ),
    *(
        ("leaderboard_of_runs", "leaderboard", DIT, column, by)
        for column, by in {
            "top1_mean": 0.001,
            "top1_std": 0.001,
            "std_replicates": 0.5,
            "std_sets": 0.5,
            "std_students": 0.001,
            "top1_best_mean": 0.001,
            "n_replicates": 1,
            "n_seeds": 1,
            "n_students": 1,
            "status": "missing",
        }.items()
    ),
    *(
        ("replicates_of_sets", table, where, "replicate", 1)
        for table, where in {
            "runs": {**RSM, "seed": 10},
            "diversity": {**RSM, "seed": 10},
            "spectrum": {"source": "RSM", "seed": 10, "index": 3},
            "spectrum_ranks": {"source": "RSM", "seed": 10},
            "strategies_classes": JOINT,
        }.items()
    ),
    *(
        ("ablation_of_runs", "ablation", RSM, column, by)
        for column, by in {
            "n_seeds": 1,
            "n_students": 1,
            "top1_mean": 0.001,
            "top1_std": 0.001,
            "status": "missing",
        }.items()
    ),
    ("numbers_of_images", "fid", RSM, "n_synthetic_per_set", 1),
    ("distances_of_sets", "fid", RSM, "n_real", 1),
    ("distinct_images", "fid", {"method": "herding"}, "n_sets", 1),
    ("distinct_images", "fid", THEIRS, "n_synthetic", 1),
    ("cost_of_sets", "cost", RSM, "classes", 1),
    ("cost_of_sets", "cost", RSM, "base_seconds", 0.01),
    ("cost_of_replicates", "cost", RSM, "seconds_per_image", 0.01),
    *(
        ("cost_of_replicates", "cost_replicates", {**RSM, "replicate": 1}, column, by)
        for column, by in {
            "evaluations_per_image": 1,
            "gradients_per_image": 1,
            "status": "missing",
        }.items()
    ),
    ("latents_of_autoencoders", "autoencoders", DIGITS, "latent_dim", 1),
    ("latents_of_autoencoders", "autoencoders", DIGITS, "compression", 0.01),
    ("noise_of_autoencoders", "autoencoders", DIGITS, "psnr_val", 0.01),
    *(("shares_of_verdicts", "prior_verdict", DIGITS, c, 0.01) for c in SHARES),
    ("shares_of_verdicts", "prior_verdict", DIGITS, "chance", 0.01),
    ("words_of_verdicts", "prior_verdict", DIGITS, "verdict", "weak"),
    ("words_of_verdicts", "prior_verdict", DIGITS, "limit", "denoiser"),
    ("words_of_verdicts", "prior_verdict", DIGITS, "n_sets", 1),
    ("joins_of_verdicts", "prior_verdict", DIGITS, "steps", 1),
    ("joins_of_verdicts", "prior_verdict", DIGITS, "held_out_loss", 0.01),
    ("joins_of_verdicts", "prior_verdict", DIGITS, "psnr", 0.01),
    ("joins_of_verdicts", "prior_verdict", DIGITS, "judged_on", "test"),
    ("joins_of_verdicts", "prior_verdict", DIGITS, "psnr_on", "train"),
    ("joins_of_verdicts", "prior_verdict", DIGITS, "ended_by", "steps"),
    ("priors_of_cost", "priors", BASE, "seconds", 0.01),
    ("priors_of_cost", "priors", CONTROL, "seconds", 0.01),
    ("priors_of_cost", "priors", CONTROL, "trainable_parameters", 1),
    ("losses_of_priors", "priors", BASE, "steps", 1),
    (
        *("losses_of_priors", "figures/prior_loss.csv", {**BASE, "step": 30}),
        *("held_out_loss", 0.01),
    ),
    ("priors_of_sets", "priors", BASE, "coverage", 0.01),
    ("priors_of_sets", "priors", CONTROL, "precision", 0.01),
    ("recognised_images", "diversity", RSM, "recognised", 0.01),
    ("work_of_images", "cost", {"method": "random"}, "evaluations_per_image", 1),
    ("work_of_images", "cost", {"method": "random"}, "gradients_per_image", 1),
    ("work_of_images", "cost", {"method": "random"}, "computed_per_image", 1),
    *(
        ("paired_tests", "significance", {**RSM, "against": "dit"}, column, 0.01)
        for column in ("n_pairs", "difference", "std_difference", "ci_low", "ci_high", "p")
    ),
    ("corrected_verdicts", "significance", {**RSM, "against": "dit"}, "p_holm", -0.01),
    ("corrected_verdicts", "significance", {**RSM, "against": "dit"}, "verdict", "tie"),
    ("leaderboard_verdicts", "leaderboard", RSM, "difference", 0.01),
    ("leaderboard_verdicts", "leaderboard", RSM, "p_holm", 0.01),
    ("leaderboard_verdicts", "leaderboard", RSM, "verdict", "tie"),
    ("leaderboard_verdicts", "leaderboard", DIT, "verdict", "tie"),
    *(
        ("scores_of_labels", "leaderboard", RSM, column, by)
        for column, by in {
            **dict.fromkeys(("hlr", "ior", "lrs", "lrs_std", "full_hard"), 0.01),
            "hard_protocol": "another",
            "full_hard_from": "config",
        }.items()
    ),
    ("ablation_verdicts", "ablation", RSM, "difference", 0.01),
    ("ablation_verdicts", "ablation", RSM, "p_holm", -0.01),
    ("ablation_verdicts", "ablation", RSM, "verdict", "tie"),
    ("ablation_verdicts", "ablation", RSM, "dpp", "no"),
    ("ablation_verdicts", "ablation", DIT, "verdict", "base"),
    *(
        ("measures_of_sets", table, RSM, column, 0.001)
        for table in ("leaderboard", "ablation")
        for column in MEASURES
    ),
    ("distances_and_cost", "leaderboard", RSM, "fid", 0.01),
    ("distances_and_cost", "leaderboard", RSM, "kid", 0.01),
    ("distances_and_cost", "leaderboard", RSM, "extractor", "another"),
    ("distances_and_cost", "leaderboard", RSM, "seconds_per_image", 0.01),
    ("distances_and_cost", "leaderboard", TUNED, "tuning_seconds", 0.01),
    ("seconds_of_tuning", "cost", TUNED, "tuning_seconds", 0.01),
    ("seconds_of_tuning", "cost", RSM, "tuning_seconds", 0.01),
    ("published_figures", "leaderboard", {"method": "rsm", "ipc": 1}, "published", 1.0),
    ("published_figures", "leaderboard", {"method": "rsm", "ipc": 1}, "published_std", 1.0),
    ("published_figures", "leaderboard", {"method": "rsm", "ipc": 1}, "published_source", "B"),
    ("published_figures", "leaderboard", {"method": "rsm", "ipc": 1}, "published_protocol", "B"),
    ("given_weights", "guidance", {"method": "dit-igd"}, "k_influence", 1.0),
    ("given_weights", "guidance", {"method": "dit-igd"}, "gamma_deviation", 1.0),
    ("given_weights", "guidance", {"method": "mgd3"}, "mode_scale", 1.0),
    ("given_weights", "guidance", TUNED, "eta_dpp", 1.0),
    ("given_weights", "guidance", TUNED, "mu_dm", 1.0),
    ("weights_tried", "tuning", {**TUNED, "variant": "tuning~0"}, "eta_dpp", 1.0),
    ("weights_tried", "tuning", {**TUNED, "variant": "tuning~2"}, "mu_dm", 1.0),
    ("weights_tried", "tuning", {**SCALE, "variant": "tuning~1"}, "guidance_scale", 0.5),
    *(
        ("applied_weights", "guidance", RSM, column, 0.01)
        for column in ("eta_dpp_applied", "eta_share", "mu_dm_applied", "mean_pull")
    ),
    ("applied_weights", "guidance", {"method": "dit-igd"}, "gamma_deviation_applied", 0.1),
    ("singular_values", "spectrum", {"source": "RSM", "seed": 1, "index": 3}, "normalised", 0.01),
    *(
        ("ranks", "spectrum_ranks", {"source": "RSM", "seed": 1}, column, by)
        for column, by in {
            "n": 1,
            "effective_rank": 0.01,
            "stable_rank": 0.01,
            "energy_left_10": 0.01,
            "energy_left_30": 0.01,
        }.items()
    ),
    *(
        ("strategies_tests", "strategies", test, column, by)
        for test in (TEST, TEST_ASIDE)
        for column, by in {
            "n": 1,
            "difference": 0.01,
            "std": 0.01,
            "ci_low": 0.01,
            "ci_high": 0.01,
            "p": 0.01,
            "holds": "maybe",
        }.items()
    ),
    *(
        ("spectrum_figure", "figures/spectrum.csv", {"source": "RSM", "index": 2}, column, by)
        for column, by in {"mean": 0.001, "std": 0.001, "n_seeds": 1}.items()
    ),
    *(
        (check, "figures/strategies.csv", point, column, 0.001)
        for point in (JOINT, ASIDE)
        for check, column in (
            ("strategies_points", "log_det"),
            ("strategies_points", "coverage"),
            ("strategies_volumes", "log_det"),
        )
    ),
    *(
        ("cost_in_all", "figures/accuracy_vs_cost.csv", RSM, column, by)
        for column, by in {
            "seconds_in_all": 0.01,
            "seconds_per_image": 0.01,
            "top1_mean": 0.01,
            "top1_std": 0.01,
            "label": "RSM",
        }.items()
    ),
    *(
        ("accuracy_vs_ipc", "figures/accuracy_vs_ipc.csv", RSM, column, by)
        for column, by in {
            "top1_mean": 0.01,
            "top1_std": 0.01,
            "n_seeds": 1,
            "n_students": 1,
            "label": "RSM",
        }.items()
    ),
    *(
        ("sensitivity", "figures/sensitivity.csv", {"factor": "mu_dm", "value": 0}, column, by)
        for column, by in {
            "n_seeds": 1,
            "n_students": 1,
            "top1_last_mean": 0.01,
            "top1_last_std": 0.01,
            "coverage_mean": 0.001,
            "coverage_std": 0.001,
            "at_table": "True",
            "status": "missing",
        }.items()
    ),
    *(
        ("ssim_curve", "figures/ssim_vs_eta_dpp.csv", {"eta_dpp": 0}, column, by)
        for column, by in {"mean": 0.001, "std": 0.001, "n_seeds": 1}.items()
    ),
]


def is_close(found, value):
    if isinstance(value, str) or value is None:
        return found == value
    return found == pytest.approx(value, rel=1e-4)


def id_of(plant):
    check, table, _, column, *_ = plant
    return f"{check}-{table.removeprefix('figures/').removesuffix('.csv')}-{column}"


@pytest.mark.parametrize("plant", WRONG_FIELDS, ids=id_of)
def test_a_wrong_field_is_found_with_its_row_and_both_values(plant, results, invented):
    check, name, where, column, change = plant
    table = TABLES.get(name, name)
    changed, before, now = altered(results, table, where, column, change)
    (found, *_) = [
        one
        for one in findings(check, changed, invented.grid)
        if (one["table"], one["column"]) == (table, column) and is_close(one["found"], now)
    ]
    assert is_close(found["expected"], before)
    for key, value in where.items():
        assert f"{key} {value}" in found["row"]
    assert found["words"].startswith(f"{table}, {found['row']}: {column} is ")


OTHERS = [
    ("what_is_run", "leaderboard", RSM, "status", "not run", "measured or missing"),
    ("what_is_run", "leaderboard", {"method": "dit-igd", "ipc": 2}, "status", "missing", "not run"),
    ("known_words", "runs", RSM, "status", "done", "measured or missing or not run"),
    ("known_words", "accuracy", RSM, "best_chosen_on", "test", "val"),
    (
        *("losses_of_priors", "priors", BASE, "ended_by", "steps"),
        "flat or step budget or minute budget",
    ),
    ("losses_of_priors", "priors", CONTROL, "ended_by", "flat", "steps"),
    (
        "volumes",
        "diversity",
        RSM,
        "log_det",
        9.0,
        f"{math.log(1e-3) + math.log(2.001):g} to 0.001999",
    ),
    ("pairs_of_images", "diversity", RSM, "n_pairs", 1, 1),
    ("nearest_images", "diversity", {"method": "herding"}, "nearest_latent", 0.1, "0 to 0"),
    ("nearest_images", "diversity", RSM, "nearest_latent_min", -9.0, None),
    ("nearest_images", "diversity", RSM, "nearest_feature_min", 9.0, None),
    ("numbers_of_images", "fid", RSM, "n_sets", 1, "1 to 4"),
    ("numbers_of_images", "fid", RSM, "n_synthetic", 1, "1 to 80"),
    ("distances_of_sets", "fid", {"method": "herding"}, "fid_pooled", 0.1, None),
    ("distances_of_sets", "fid", RSM, "kid_subset_size", 99, "1 to 20"),
    ("cost_of_sets", "cost", RSM, "images", 3, 0),
    ("work_of_images", "cost", RSM, "evaluations_per_image", -99.0, 6),
    ("work_of_images", "cost", RSM, "gradients_per_image", -99.0, 0),
    ("singular_values", "spectrum", {"source": "RSM", "index": 2}, "singular_value", 99.0, None),
]


@pytest.mark.parametrize("plant", OTHERS, ids=lambda plant: f"{plant[0]}-{plant[3]}")
def test_a_number_that_others_rule_out_is_found(plant, results, invented):
    check, name, where, column, change, expected = plant
    table = TABLES.get(name, name)
    changed, _, now = altered(results, table, where, column, change)
    found = findings(check, changed, invented.grid)[0]
    assert (found["table"], found["column"]) == (table, column)
    if column != "images":  # of which the rest by the number of classes is told
        assert is_close(found["found"], now)
    if expected is not None:
        assert found["expected"] == expected
    assert f"method {where['method']}" in found["row"] if "method" in where else True


def test_a_kernel_deviation_of_one_set_is_found(results, invented):
    changed, *_ = altered(results, TABLES["fid"], {"method": "herding"}, "kid_std", "0.1")
    (found,) = findings("distances_of_sets", changed, invented.grid)
    assert (found["column"], found["found"], found["expected"]) == ("kid_std", "0.1", None)


def test_seconds_of_a_replicate_that_make_another_mean_are_found(results, invented):
    one = {**RSM, "replicate": 1}
    changed, *_ = altered(results, TABLES["cost_replicates"], one, "seconds_per_image", 0.1)
    (found,) = findings("cost_of_replicates", changed, invented.grid)
    assert (found["table"], found["column"]) == (TABLES["cost"], "seconds_per_image")
    assert found["expected"] == pytest.approx(found["found"] + 0.05, rel=1e-4)


def test_a_cell_of_other_classes_is_found(results, invented):
    grid = {**invented.grid, "classes": {"digits": 9}}
    found = findings("distinct_images", results, grid)
    assert (found[0]["found"], found[0]["expected"]) == (9, 10)
