"""Which rows a study's tables have, and which files stand behind them: from the grid alone."""

import copy
from dataclasses import replace

from lighthouse.config import rows
from lighthouse.config.grid import BASE, Cell
from lighthouse.config.load import load_study
from lighthouse.config.origins import method_looks
from lighthouse.report.cost import paths_of
from lighthouse.report.looks import family
from repository import ROOT
from shipped import SHIPPED, changed


def study(path=None, value=None):
    """The shipped study, or with the entry at a dotted path changed."""
    return load_study(changed(path, value) if path else copy.deepcopy(SHIPPED), ROOT)


MINE = {"mine": {"dataset": "digits", "root": "x", "ipc": 3, "label": "Mine"}}


def test_the_leaderboard_has_every_method_at_every_ipc_and_the_ceiling():
    shipped = study()
    specs = rows.leaderboard_specs(shipped)
    named = [(spec["method"], spec["ipc"]) for spec in specs]
    run = shipped.run
    assert named == [(m, n) for m in run["methods"] for n in run["ipc"]] + [("full", "all")]
    left_out = [(spec["method"], spec["ipc"]) for spec in specs if not spec["run"]]
    assert left_out[:2] == [("dit-igd", 5), ("dit-igd", 10)]
    at_5 = [m for m in run["methods"] if shipped.ipcs(m) == [5]]
    assert left_out[2:] == [(m, n) for m in at_5 for n in (1, 10)]
    assert {"ot", "base-subgroup", "rsm-greedy"} < {*at_5}


def test_real_images_are_told_from_synthetic_ones():
    specs = rows.leaderboard_specs(study())
    real = {spec["method"] for spec in specs if spec["real"]}
    assert real == {"random", "herding", "support-real", "full"}


def test_without_a_ceiling_there_is_no_row_of_it():
    lower = study("run.ceiling", False)
    assert "full" not in [spec["method"] for spec in rows.leaderboard_specs(lower)]
    assert not [r.path for r in rows.student_records(lower) if r.path.endswith("full.json")]


def test_reconstructed_images_are_a_second_ceiling_with_rows_and_records_of_its_own():
    both = study("run.reconstructed", True)
    *_, full, reconstructed = rows.leaderboard_specs(both)
    assert [spec["method"] for spec in (full, reconstructed)] == ["full", "reconstructed"]
    assert {**full, **{k: reconstructed[k] for k in ("method", "label", "real")}} == reconstructed
    assert (full["real"], reconstructed["real"]) == (True, False)
    one, other = rows.student_records(both)[-2:]
    assert other.path == one.path.replace("/full.json", "/reconstructed.json") != one.path
    assert other.row == {**one.row, "method": "reconstructed"}
    assert other.stamp != one.stamp
    assert rows.trainings(both)[-1]["student_seeds"] == both.set_seeds


def test_a_set_made_elsewhere_has_its_one_row_its_student_and_no_cost():
    own = study("external", MINE)
    (spec,) = [spec for spec in rows.leaderboard_specs(own) if spec["method"] == "mine"]
    assert (spec["ipc"], spec["label"], spec["run"], spec["real"]) == (3, "Mine", True, False)
    paths = [record.path for record in rows.student_records(own)]
    assert f"results/students/convnet2/digits/{Cell('digits', 'mine', 3).path}.json" in paths
    (cost,) = [row for row in rows.cost_rows(own) if row["method"] == "mine"]
    assert (paths_of(cost), cost["classes"]) == ([], 10)


def test_every_student_record_stands_for_one_row():
    records = rows.student_records(study())
    assert len({record.path for record in records}) == len(records)
    assert len({record.stamp for record in records}) == len(records)
    keys = [tuple(record.row.values()) for record in records]
    assert len(set(keys)) == len(records)
    assert all(r.row["student"] in r.path and r.row["protocol"] in r.path for r in records)


def test_a_tuned_method_costs_its_tuning_and_a_guided_one_its_surrogate():
    costs = {(row["method"], row["ipc"]): row for row in rows.cost_rows(study())}

    def of_each(what):
        return [f"results/costs/{what.format(seed)}.json" for seed in (0, 1, 2)]

    base = of_each("priors/digits/replicate~{}/base")
    assert (costs["dit", 1]["base"], costs["dit", 1]["preparation"]) == (base, [])
    minimax = of_each("priors/digits/replicate~{}/minimax/lr~0.001")
    assert costs["minimax", 1]["preparation"] == minimax
    assert costs["dit-igd", 1]["preparation"] == of_each("surrogates/digits/replicate~{}")
    rsm = of_each("priors/digits/replicate~{}/rsm/lambda~0.005/lr~0.001")
    assert costs["rsm", 5]["preparation"] == rsm
    assert (costs["random", 1]["base"], costs["random", 1]["preparation"]) == ([], [])
    sampled = {row["method"]: row["sampled"] for row in costs.values()}
    assert (sampled["dit"], sampled["support-none"], sampled["random"]) == (True, True, False)


def test_what_is_put_together_costs_the_classifier_in_each_replicate_and_is_not_real():
    own = study()
    (cost, *_) = [row for row in rows.cost_rows(own) if row["method"] == "rded"]
    assert cost["preparation"] == ["results/costs/classifiers/digits.json"] * 3
    assert (cost["base"], cost["sampled"]) == ([], False)
    real = {spec["method"]: spec["real"] for spec in rows.leaderboard_specs(own)}
    assert (real["herding"], real["rded"], real["dit"]) == (True, False, False)
    picked = {record.row["method"]: record.row["coreset"] for record in rows.board_records(own)}
    assert (picked["herding"], picked["rded"]) == ("herding", None)
    (look,) = [look for look in method_looks(own) if look["name"] == "rded"]
    assert family(look) == "methods of others"
    # Figures that show no image of the dataset show no pieces of one either.
    hidden = load_study(changed("run.pictures.real", False, own.config), ROOT)
    shown = {cell.method for cell in rows.shown_cells(hidden, "digits")}
    assert not shown & {"rded", "random"} and "dit" in shown


def test_every_cost_has_the_datasets_number_of_classes():
    assert {row["classes"] for row in rows.cost_rows(study())} == {10}
    one_by_one = study("datasets.digits.sampler.classes_per_job", 3)
    assert one_by_one.shards("digits") == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]]
    assert {row["classes"] for row in rows.cost_rows(one_by_one)} == {10}


def test_methods_that_share_samples_over_ipc_share_their_cost():
    costs = {(row["method"], row["ipc"]): row["sample"] for row in rows.cost_rows(study())}
    assert costs["dit", 1] == costs["dit", 10]
    assert costs["cgs", 1] != costs["cgs", 10]


def test_every_prior_that_is_trained_is_shown_by_the_images_it_draws_unguided():
    found = {row["prior"]: row for row in rows.prior_rows(study())}
    shown = {prior: row["sampled"] and row["sampled"]["method"] for prior, row in found.items()}
    assert list(shown) == ["base", *study().priors("digits")]
    assert shown["base"] == "dit"
    assert shown["minimax/lr~0.001"] == "minimax"
    assert shown["rsm/lambda~0/lr~0.001"] == "control"
    assert found["base"]["sampled"]["ipc"] == 10
    assert found["base"]["cost"] == "results/costs/priors/digits/replicate~2/base.json"
    seeds = [row["replicate"] for row in rows.prior_rows(study()) if row["prior"] == "base"]
    assert seeds == [0, 1, 2]


def test_a_prior_in_phases_has_a_row_and_a_cost_for_each():
    phased = study("priors.minimax.tuning", {"classes_per_phase": 4})
    of = "minimax/lr~0.001,classes_per_phase~4"
    own = [path for path in phased.priors("digits") if path.startswith("minimax")]
    assert own == [f"{of}/phase~{phase}" for phase in range(3)]
    prior = phased.prior(Cell("digits", "minimax", 10))
    assert prior.path == of
    assert phased.phases("digits", prior) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert phased.phases("digits", BASE) == [list(range(10))]
    found = {row["prior"]: row for row in rows.prior_rows(phased)}
    assert [found[path]["sampled"] for path in own] == [None] * 3
    (cost,) = [r for r in rows.cost_rows(phased) if (r["method"], r["ipc"]) == ("minimax", 10)]
    assert cost["preparation"] == [
        f"results/costs/priors/digits/replicate~{seed}/{path}.json"
        for seed in phased.replicates
        for path in own
    ]
    others = [row for row in rows.cost_rows(phased) if row["method"] != "minimax"]
    assert [row for row in rows.cost_rows(study()) if row["method"] != "minimax"] == others


def test_a_prior_that_is_guided_wherever_it_is_sampled_is_shown_by_nothing():
    rows_of = rows.prior_rows(study("run.sweep.values.lambda", [0.1]))
    swept = [row for row in rows_of if row["prior"] == "rsm/lambda~0.1/lr~0.001"]
    assert [row["sampled"] for row in swept] == [None] * 3


def test_the_ablation_names_the_factors_of_each_row():
    specs = {spec["method"]: spec for spec in rows.ablation_specs(study())}
    factors = {name: (*spec["factors"].values(), spec["coupling"]) for name, spec in specs.items()}
    assert list(specs["dit"]["factors"]) == ["rsm", "dpp", "mean", "support"]
    assert factors["dit"] == ("no", "no", "no", "no", "iid")
    assert factors["control"] == ("no", "no", "no", "no", "iid")
    assert factors["rsm-cgs"] == ("yes", "yes", "yes", "no", "joint")
    assert factors["base-mean-greedy"] == ("no", "no", "yes", "no", "sequential")
    assert factors["support-none"] == factors["support-tuned"] == ("no", "no", "no", "yes", "joint")
    # The whole of DPP × mean × coupling, where a coupling has something to couple, and RSM with
    # neither term and with both.
    combinations = {found for found in factors.values() if found[3] == "no"}
    assert len([found for found in combinations if found[0] == "no"]) == 8
    assert {found[1:] for found in combinations if found[0] == "yes"} == {
        ("no", "no", "no", "iid"),
        ("yes", "yes", "no", "sequential"),
        ("yes", "yes", "no", "joint"),
    }
    assert len(factors) == 12 + 4
    assert [name for name, spec in specs.items() if spec["plain"]] == ["dit", "control"]


def test_a_pretrained_prior_that_is_taken_as_it_is_costs_nothing_here():
    config = changed("datasets.digits.base", "null")
    config["datasets"]["digits"]["denoiser"] = {
        "pretrained": "a/model",
        "revision": "0123456789" * 4,
        "class_embeddings": "new",
    }
    shipped = load_study(SHIPPED, ROOT)
    taken = replace(shipped, config=config)  # which a study of digits is not allowed to be
    assert {tuple(row["base"]) for row in rows.cost_rows(taken)} == {()}


def test_the_record_of_a_study_has_every_composition():
    records = {record["name"] for record in rows.method_records(study())}
    assert records == {cell.method for cell in study().cells}
    assert "base-dpp-greedy" in records


def test_published_figures_stand_beside_imagenets_own_folders_alone():
    digits = study()
    assert digits.published_as("digits") is None
    digits.config["datasets"]["ilsvrc"] = {"source": "imagenet", "classes": "imagewoof"}
    digits.config["datasets"]["fastai"] = {"source": "fastai", "edition": "imagewoof2"}
    assert digits.published_as("ilsvrc") == "imagewoof"
    assert digits.published_as("fastai") is None


def test_the_grid_of_samples_shows_each_method_once_at_its_largest_ipc():
    cells = rows.shown_cells(study(), "digits")
    shown = {cell.method: cell.ipc for cell in cells}
    assert [cell.method for cell in cells] == study().run["methods"]
    assert (shown["rsm-cgs"], shown["dit-igd"]) == (10, 1)


def test_the_grid_of_samples_shows_no_image_of_the_dataset_where_it_must_not():
    shipped = study()
    shipped.run["pictures"]["real"] = False
    shown = {cell.method for cell in rows.shown_cells(shipped, "digits")}
    assert {*shipped.run["methods"]} - shown == {"random", "herding", "rded", "support-real"}


def test_the_points_of_a_sweep_are_those_that_the_config_names_and_the_tables_own():
    shipped = study()
    own = {"lambda": 0.005, "eta_dpp": 100.0, "mu_dm": 1000.0}
    points = rows.sweep_points(shipped)
    found = {factor: [p["value"] for p in points if p["factor"] == factor] for factor in own}
    named = shipped.run["sweep"]["values"]
    assert found == {f: sorted({own[f], *map(float, named[f])}) for f in own}
    assert {p["factor"]: p["value"] for p in points if p["at_table"]} == own
    assert {p["variant"] for p in points if p["at_table"]} == {"table"}
    assert {p["variant"] for p in points if p["factor"] == "lambda"} >= {"lambda~0", "table"}
