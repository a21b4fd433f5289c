"""Bounds that numbers cannot leave: shares, correlations, accuracies, deviations, volumes."""

import math
from collections.abc import Iterator, Mapping

from lighthouse.report.audit.claims import Claim, Results, Within, known, measured, named, slack
from lighthouse.report.audit.rows import names
from lighthouse.tables import CELL, MEASURED, MISSING, NOT_RUN

SHARE, ACCURACY, CORRELATION = Within(0, 1), Within(0, 100), Within(-1, 1)
NO_LESS_THAN_0, NO_LESS_THAN_1 = Within(0, math.inf), Within(1, math.inf)
#: Bounds by column, in whatever table it is.
BOUNDS = {
    **dict.fromkeys(("coverage", "precision", "recall", "coverage_mean"), SHARE),
    "recognised": SHARE,
    **dict.fromkeys(("p", "p_holm", "level", "energy_left_10", "energy_left_30"), SHARE),
    **dict.fromkeys(("normalised", "share", "eta_share"), NO_LESS_THAN_0),
    "ssim": CORRELATION,
    **dict.fromkeys(("top1_last", "top1_best", "top1_mean", "top1_best_mean"), ACCURACY),
    **dict.fromkeys(("top1_last_mean", "published", "top1_val", "top1_test"), ACCURACY),
    **dict.fromkeys(("top1_sampled", "top1_real", "top1_reconstructed", "chance"), ACCURACY),
    **dict.fromkeys(("top1_sampled_std", "top1_real_std"), NO_LESS_THAN_0),
    **dict.fromkeys(("top1_reconstructed_std", "n_judged"), NO_LESS_THAN_0),
    "coverage_real": SHARE,
    **dict.fromkeys(("top1_std", "top1_last_std", "std_sets", "std_students"), NO_LESS_THAN_0),
    "std_replicates": NO_LESS_THAN_0,
    **dict.fromkeys(("std", "std_difference", "published_std"), NO_LESS_THAN_0),
    **dict.fromkeys(("fid_std", "kid_std", "coverage_std"), NO_LESS_THAN_0),
    **dict.fromkeys(("lrs", "full_hard"), ACCURACY),
    **dict.fromkeys(("hlr", "ior"), Within(-100, 100)),
    "lrs_std": NO_LESS_THAN_0,
    **dict.fromkeys(("density", "singular_value", "mean_pull"), NO_LESS_THAN_0),
    **dict.fromkeys(("nearest_latent", "nearest_feature", "mean_magnitude"), NO_LESS_THAN_0),
    **dict.fromkeys(("training_loss", "held_out_loss"), NO_LESS_THAN_0),
    **dict.fromkeys(("training_squared", "training_absolute"), NO_LESS_THAN_0),
    **dict.fromkeys(("training_perceptual", "training_kl"), NO_LESS_THAN_0),
    **dict.fromkeys(("squared_error_train", "squared_error_val"), Within(0, 4)),
    # The square root of a matrix of many numbers is taken in floating point.
    **dict.fromkeys(("fid", "fid_pooled"), Within(-1e-3, math.inf)),
    **dict.fromkeys(("base_seconds", "preparation_seconds", "tuning_seconds"), NO_LESS_THAN_0),
    **dict.fromkeys(("seconds", "seconds_per_image", "seconds_in_all"), NO_LESS_THAN_0),
    **dict.fromkeys(("peak_host_gib", "peak_device_gib"), NO_LESS_THAN_0),
    "trainable_parameters": NO_LESS_THAN_0,
    **dict.fromkeys(("n_real", "feature_dim", "kid_subset_size"), NO_LESS_THAN_1),
    **dict.fromkeys(("latent_dim", "effective_rank", "stable_rank"), NO_LESS_THAN_1),
    **dict.fromkeys(("threads", "images", "n_seeds", "n_students", "steps"), NO_LESS_THAN_1),
    "n_replicates": NO_LESS_THAN_1,
}
#: How far from its copy an image may be: one that stands twice among the real ones, encoded in
#: two batches, differs from itself by rounding.
ROUNDING = 1e-6
#: Bounds of columns whose name says too little.
OF_TABLE = {
    ("tables/prior_verdict.csv", "steps"): NO_LESS_THAN_0,
    ("tables/autoencoders.csv", "steps"): NO_LESS_THAN_0,  # none of a pretrained one
    ("figures/spectrum.csv", "mean"): SHARE,
    ("figures/ssim_vs_eta_dpp.csv", "mean"): CORRELATION,
}


def within_bounds(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Shares are in [0, 1], accuracies in 0…100, SSIM in [-1, 1], deviations at least 0."""
    for table, rows in results.tables.items():
        for row in rows:
            for column in row:
                bounds = OF_TABLE.get((table, column), BOUNDS.get(column))
                if bounds is None:
                    continue
                for found in known([row[column]]):
                    place = (table, named(row, names(table)))
                    yield Claim(*place, column, found, bounds, slack(found))


def known_words(results: Results, grid: Mapping) -> Iterator[Claim]:
    """A status is measured, missing or not run; a protocol's best epochs are chosen on one part."""
    statuses = (MEASURED, MISSING, NOT_RUN)
    parts: dict[tuple[str, str], str] = {}
    for table, rows in results.tables.items():
        for row in rows:
            place = (table, named(row, names(table)))
            if "status" in row:
                known_one = row["status"] if row["status"] in statuses else " or ".join(statuses)
                yield Claim(*place, "status", row["status"], known_one)
            if row.get("status") == MEASURED and "best_chosen_on" in row:
                part = parts.setdefault((row["dataset"], row["protocol"]), row["best_chosen_on"])
                yield Claim(*place, "best_chosen_on", row["best_chosen_on"], part)


def volumes(results: Results, grid: Mapping) -> Iterator[Claim]:
    """log det(K + εI) of N images is between (N-1) log ε + log(N + ε) and N log(1 + ε).

    K has eigenvalues ≥ 0 of sum N, for its diagonal is 1. The logarithm is concave: the most
    is where all are 1 (Hadamard), the least where one is N. Means over classes are between, too.
    """
    for table, rows in results.tables.items():
        for row in rows:
            for found in known([row.get("log_det")]):
                bounds = log_det_bounds(row["ipc"], grid["epsilon"])
                yield Claim(table, named(row, names(table)), "log_det", found, bounds, slack(found))


def log_det_bounds(n: int, epsilon: float) -> Within:
    """The least and the most that log det(K + εI) can be, K the cosines of n latents."""
    least = (n - 1) * math.log(epsilon) + math.log(n + epsilon)
    return Within(least, n * math.log1p(epsilon))


def nearest_images(results: Results, grid: Mapping) -> Iterator[Claim]:
    """No set's nearest image lies farther from real ones than its mean; coresets' latents at 0."""
    table = "tables/diversity.csv"
    real = {spec["method"] for spec in grid["leaderboard"] if spec["real"]}
    for row in measured(results.rows(table)):
        place = (table, named(row, (*CELL, "seed")))
        for mean in ("nearest_latent", "nearest_feature"):
            copies = mean == "nearest_latent" and row["method"] in real
            for found in known([row[mean]]):
                bounds = Within(0, 0) if copies else NO_LESS_THAN_0
                yield Claim(*place, mean, found, bounds, ROUNDING)
                least, most = row[f"{mean}_min"], Within(0, found)
                yield Claim(*place, f"{mean}_min", least, most, ROUNDING + slack(found))


def pairs_of_images(results: Results, grid: Mapping) -> Iterator[Claim]:
    """SSIM is over all pairs of a class, or over as many as the config takes."""
    table = "tables/diversity.csv"
    for row in measured(results.rows(table)):
        n = row["ipc"]
        expected = min(grid["ssim_pairs"], n * (n - 1) // 2)
        yield Claim(table, named(row, (*CELL, "seed")), "n_pairs", row["n_pairs"], expected)
