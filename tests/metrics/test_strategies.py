"""The lighthouse claim: rows, its test by hand, and maps drawn by real images only."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel

from lighthouse.metrics.projection import map_rows, plane
from lighthouse.metrics.sets import evenly
from lighthouse.metrics.setutility import log_det, manifold
from lighthouse.metrics.strategies import (
    Coast,
    Points,
    claim,
    claims,
    class_points,
    comparisons,
    joined,
    replicate_means,
)
from lighthouse.runtime.files import write_tensors
from toy_strategies import EPSILON, coast, points, rng, sets_of_two_seeds, toy_rows

#: Two replicates of one set.
EACH = {0: 0, 1: 1}

# Rows.


def test_what_the_coast_lights_is_the_coverage_of_the_other_tables():
    shore, synthetic = coast(), rng(1).normal(size=(7, 3))
    # Real images lie on their neighbours' radii.
    for images in (synthetic, shore.features[:5].astype(np.float32)):
        measures = manifold(shore.features, shore.radius, images, 2)
        assert shore.lit(images).any(1).mean() == measures.coverage


def test_a_row_for_every_sampled_set_and_for_every_pick():
    rows = toy_rows()
    assert [(r["strategy"], r["chosen_by"], r["seed"]) for r in rows] == [
        ("iid", "", 0),
        ("iid", "", 1),
        ("sequential", "", 0),
        ("sequential", "", 1),
        ("joint", "", 0),
        ("joint", "", 1),
        ("best of random", "log_det", ""),
        ("best of random", "coverage", ""),
        ("greedy subset", "log_det", ""),
        ("greedy subset", "coverage", ""),
        ("greedy and swaps", "log_det", ""),
        ("greedy and swaps", "coverage", ""),
    ]
    joint = sets_of_two_seeds()["joint"][1]
    assert rows[5]["log_det"] == pytest.approx(log_det(joint.latents, EPSILON))
    assert rows[5]["coverage"] == coast().lit(joint.features).any(1).mean()


def test_the_best_of_all_subsets_is_the_bound_of_every_pick():
    by = {(r["strategy"], r["chosen_by"]): r for r in toy_rows()}
    for kind in ("greedy subset", "greedy and swaps"):
        for measure in ("log_det", "coverage"):
            best = by["best of random", measure][measure]
            assert by[kind, measure][measure] <= best + 1e-9


def test_the_pool_holds_the_sets_of_all_seeds():
    sets = {0: points(0, n=3), 4: points(1, n=3)}
    pool = joined(sets)
    assert len(pool) == 6
    assert np.array_equal(pool.latents[3:], sets[4].latents)
    assert np.array_equal(pool.features[:3], sets[0].features)


def test_sets_are_read_class_by_class_with_their_own_images(tmp_path):
    images = {f"seed~{s}": rng(s).integers(0, 9, (2, 3, 3, 2, 2), np.uint8) for s in (0, 1)}
    latents = {f"seed~{s}": rng(s).normal(size=(2, 3, 1, 2, 2)) for s in (0, 1)}
    write_tensors(tmp_path / "i.safetensors", images, {})
    write_tensors(tmp_path / "l.safetensors", latents, {})

    def extract(pictures):
        return pictures.reshape(len(pictures), -1)

    paths = tmp_path / "i.safetensors", tmp_path / "l.safetensors"
    classes = list(class_points(*paths, (0, 1), 2, extract))
    assert len(classes) == 2
    for label, sets in enumerate(classes):
        for seed, found in sets.items():
            assert np.array_equal(found.features, extract(images[f"seed~{seed}"][label, :2]))
            assert np.array_equal(found.latents, latents[f"seed~{seed}"][label, :2])


# The test of the claim.


def test_a_replicates_mean_is_over_classes_and_a_picks_is_of_those_chosen_by_the_measure():
    rows = [*toy_rows("a"), *toy_rows("b")]
    for row in rows:
        row["log_det"] = {"a": 1.0, "b": 2.0}[row["class"]] + 10 * (row["seed"] == 1)
        row["log_det"] += 100 * (row["chosen_by"] == "coverage")
        row["coverage"] = 0.5 if row["chosen_by"] == "coverage" else 0.1
    assert replicate_means(rows, "joint", "log_det", EACH).tolist() == [1.5, 11.5]
    assert replicate_means(rows, "greedy subset", "log_det", EACH).tolist() == [1.5]
    assert replicate_means(rows, "greedy subset", "coverage", EACH).tolist() == [0.5]
    # Two sets of one replicate are one value.
    assert replicate_means(rows, "joint", "log_det", {0: 0, 1: 0}).tolist() == [6.5]


def test_the_claim_is_the_paired_t_test():
    joint, sequential = rng(0).normal(1, 1, 5), rng(1).normal(0, 1, 5)
    made = claim(joint - sequential)
    test = ttest_rel(joint, sequential)
    interval = test.confidence_interval(0.95)
    assert made["p"] == pytest.approx(test.pvalue)
    assert (made["ci_low"], made["ci_high"]) == pytest.approx((interval.low, interval.high))
    assert made["n"] == 5
    assert made["difference"] == pytest.approx((joint - sequential).mean())


@pytest.mark.parametrize(
    ("differences", "holds"),
    [
        ([1.0, 1.1, 0.9], "yes"),
        ([-1.0, -1.1, -0.9], "no"),
        ([1.0, -1.1, 0.3], "not distinguishable"),
        ([0.0, 0.0, 0.0], "not distinguishable"),
        ([5.0], "not tested"),
        ([5.0, 5.0, 5.0], "not tested"),
        ([0.1, 0.1, 0.1], "not tested"),
    ],
)
def test_a_claim_holds_where_the_interval_is_above_zero(differences, holds):
    assert claim(np.array(differences))["holds"] == holds


def test_differences_of_nothing_at_all_have_p_one():
    assert claim(np.zeros(3))["p"] == 1
    assert np.isnan(claim(np.ones(3))["p"])


def test_every_comparison_is_tested_on_both_measures():
    rows = claims("toy", toy_rows(), EACH)
    assert len(rows) == 2 * 9
    assert rows[0]["comparison"] == "joint - sequential"
    by = {(r["measure"], r["comparison"]): r for r in rows}
    parts = toy_rows()
    joint = replicate_means(parts, "joint", "coverage", EACH)
    greedy = replicate_means(parts, "greedy subset", "coverage", EACH)
    test = by["coverage", "joint - greedy subset"]
    assert test["difference"] == pytest.approx((joint - greedy).mean())
    assert test["n"] == 2


def test_a_method_beside_the_strategies_is_compared_with_joint_and_sequential():
    names = ("sequential", "beside", "iid", "joint", "greedy subset")
    own = comparisons([name for name in names if name != "beside"])
    assert comparisons(names) == [*own, ("beside", "joint"), ("beside", "sequential")]
    parts = toy_rows(beside=("beside",))
    by = {(r["measure"], r["comparison"]): r for r in claims("toy", parts, EACH)}
    assert len(by) == 2 * 11
    beside, sequential = (
        replicate_means(parts, of, "log_det", EACH) for of in ("beside", "sequential")
    )
    expected = (beside - sequential).mean()
    assert by["log_det", "beside - sequential"]["difference"] == pytest.approx(expected)


# The map.


def test_the_plane_is_that_of_most_variance():
    features = rng().normal(size=(500, 4)) * [0.1, 5, 0.1, 2]
    fitted = plane(features)
    assert np.abs(fitted.axes.T).round(1).tolist() == [[0, 1, 0, 0], [0, 0, 0, 1]]
    assert fitted.axes.max(0).tolist() == pytest.approx([1, 1], abs=0.01)  # pointing up
    assert fitted.share == pytest.approx(29 / 29.02, abs=1e-3)
    assert fitted(features).mean(0) == pytest.approx([0, 0], abs=1e-9)


def test_the_map_is_drawn_by_real_images_only():
    shore = coast()
    near, far = points(1), Points(points(1).latents, points(1).features + 1000)

    def real(points):
        rows = map_rows("toy", "a", shore, {"joint": points}, 0)
        return [(r["x"], r["y"], r["share"]) for r in rows if r["kind"] == "real"]

    assert real(near) == real(far)
    expected = plane(shore.features)(shore.features)
    assert np.array([xy[:2] for xy in real(near)]) == pytest.approx(expected)


def test_the_map_says_which_set_lights_a_real_image():
    shore = Coast(np.array([[0.0, 0], [1, 0], [5, 0], [9, 1]]), np.full(4, 0.5))
    sets = {
        "sequential": Points(np.zeros((1, 2)), np.array([[0.2, 0.0]])),
        "joint": Points(np.zeros((2, 2)), np.array([[0.0, 0.0], [5.1, 0]])),
    }
    rows = map_rows("toy", "a", shore, sets, 3)
    assert [r["lit_by"] for r in rows[:4]] == ["sequential+joint", "", "joint", ""]
    assert [(r["kind"], r["seed"], r["index"]) for r in rows[4:]] == [
        ("sequential", 3, 0),
        ("joint", 3, 0),
        ("joint", 3, 1),
    ]


def test_a_large_map_shows_evenly_spaced_real_images(monkeypatch):
    monkeypatch.setattr("lighthouse.metrics.projection.REAL", 7)
    rows = pd.DataFrame(map_rows("toy", "a", coast(8, n=60), {"joint": points(1)}, 0))
    assert rows[rows.kind == "real"]["index"].tolist() == [0, 8, 17, 25, 34, 42, 51]
    assert evenly(3, 7).tolist() == [0, 1, 2]
