"""Methods whose weights are tuned: cells and candidates, jobs, stamps, and what is refused."""

import copy

import pytest

from lighthouse.config import jobs, paths, rows, stamps
from lighthouse.config.batches import batches, measured_by, sampled_by, tried_by, tuned_by
from lighthouse.config.expectations import expectations
from lighthouse.config.grid import Cell
from lighthouse.config.load import load_study
from repository import ROOT
from shipped import SHIPPED, changed, one_problem, table

BOTH = ("cgs-tuned", "rsm-cgs-tuned")
CELL = Cell("digits", "cgs-tuned", 5)


def untuned(config):
    """The methods of a config whose weights are not tuned."""
    return [name for name in config["run"]["methods"] if not name.endswith("-tuned")]


def config(**run):
    """The shipped config with both shipped rows whose weights are tuned, at one IPC."""
    found = copy.deepcopy(SHIPPED)
    found["run"]["methods"] = [*untuned(found), *BOTH]
    found["run"]["only"] = [{"methods": ["rsm-greedy", *BOTH], "ipc": [5]}]
    found["run"]["tuning"]["factors"] = [0.25, 0.5, 1, 2, 4]
    found["run"]["comparisons"]["pairs"] = []
    found["run"]["strategies"]["beside"] = []
    ablation = found["run"]["ablation"]
    ablation["methods"] = [name for name in ablation["methods"] if not name.endswith("-tuned")]
    found["run"].update(run)
    return found


def tuning(**changes):
    return {**SHIPPED["run"]["tuning"], **changes}


@pytest.fixture(scope="module")
def study():
    return load_study(config(), ROOT)


def code(script, makers):
    """A digest that can be read."""
    return f"{script} {' '.join(makers)}"


def batch_of(study, cell):
    return next(batch for batch in batches(study) if cell in batch.sources)


# Cells.


def test_a_tuned_method_has_cells_as_any_other_and_candidates_beside_them(study):
    assert CELL in study.main_cells
    assert study.tuned_cells == [Cell("digits", method, 5) for method in BOTH]
    assert [cell.variant for cell in study.candidates(CELL)] == [f"tuning~{i}" for i in range(5)]
    assert len(study.candidate_cells) == 2 * 5
    assert not set(study.candidate_cells) & set(study.cells)


def test_a_candidate_moves_no_number_of_the_tables():
    candidate = Cell("digits", "cgs-tuned", 5, "tuning~3")
    assert (candidate.candidate, candidate.moved) == (3, {})
    assert (CELL.candidate, Cell("digits", "cgs", 5, "eta_dpp~3").candidate) == (None, None)


def test_only_the_tuning_knows_the_weights_of_a_tuned_cell(study):
    assert study.term_weights(CELL) == {"eta_dpp": None, "mu_dm": None}
    tried = list(study.candidates(CELL))
    assert study.term_weights(tried[2]) == pytest.approx({"eta_dpp": 40.96, "mu_dm": 1024})
    weights = {tuple(study.term_weights(cell).values()) for cell in tried}
    assert len(weights) == 5


def test_candidates_are_judged_by_other_seeds_than_are_reported(study):
    candidate = next(iter(study.candidates(CELL)))
    assert study.seeds(candidate) == [1000]
    assert study.seeds(CELL) == SHIPPED["run"]["seeds"]
    assert rows.student_seeds(study, candidate) == [0]


def test_a_candidate_is_in_no_table_but_that_of_the_tuning(study):
    variants = {row["variant"] for row in expectations(study)["all"]}
    variants |= {record.row["variant"] for record in rows.student_records(study)}
    assert not any(variant.startswith("tuning") for variant in variants)
    assert [row["variant"] for row in rows.candidates(study)][:2] == ["tuning~0", "tuning~1"]


def test_weights_that_are_tuned_are_not_swept_and_all_else_can_be(study):
    assert {"eta_dpp", "mu_dm"} & study.sweepable("cgs-tuned").keys() == set()
    assert {"dpp.epsilon", "sampler.steps"} <= study.sweepable("cgs-tuned").keys()


def test_a_sweep_of_another_number_keeps_the_weights_that_were_chosen_at_the_tables_own():
    sweep = {**SHIPPED["run"]["sweep"], "method": "rsm-cgs-tuned", "values": {"lambda": [0]}}
    study = load_study(config(sweep=sweep), ROOT)
    (swept,) = study.swept_cells[:1]
    assert swept.moved == {"lambda": 0}
    assert study.tuned_at(swept) == Cell("digits", "rsm-cgs-tuned", 5)
    (cell,) = [c for c in told(study, swept) if c["record"].startswith(paths.samples(swept))]
    assert cell["tuning"] == paths.tuning(Cell("digits", "rsm-cgs-tuned", 5))


# Jobs.


def told(study, cell, shard=None):
    return jobs.sampled_cells(study, batch_of(study, cell), code, shard)


def test_candidates_are_sampled_apart_and_so_is_what_waits_for_them(study):
    names = {batch_of(study, cell).name for cell in (CELL, next(iter(study.candidates(CELL))))}
    assert names == {"base/tuned/0", "base/candidates/0"}
    assert batch_of(study, Cell("digits", "cgs", 5)).name == "base/0"
    for batch in batches(study):
        assert len({tuple(study.seeds(cell)) for cell in batch.sources}) == 1
        assert len({bool(study.tuned_at(cell)) for cell in batch.sources}) == 1


@pytest.mark.parametrize("shard", [None, "1"])
def test_a_tuned_set_is_made_from_the_record_of_its_tuning(study, shard):
    (cell,) = told(study, CELL, shard)
    assert cell["tuning"] == "results/metrics/tuning/digits/cgs-tuned/ipc~5/table.json"
    assert cell["sources"] == [cell["tuning"]]
    assert [term["weight"] for term in cell["terms"]] == [None, None]


def test_a_candidate_is_made_from_nothing_but_its_weights(study):
    cells = told(study, next(iter(study.candidates(CELL))))
    assert len(cells) == 5
    assert not any("tuning" in cell or "sources" in cell for cell in cells)
    assert all(term["weight"] > 0 for cell in cells for term in cell["terms"])


def test_the_tuning_reads_the_students_of_every_candidate(study):
    cells = jobs.tuning_cells(study, study.tuned_cells)
    assert [cell["row"]["method"] for cell in cells] == list(BOTH)
    for cell in cells:
        assert len(cell["candidates"]) == len(set(cell["sources"])) == 5
        assert [c["students"] for c in cell["candidates"]] == cell["sources"]
    batch = batch_of(study, next(iter(study.candidates(CELL))))
    trained = jobs.student_cells(study, batch, "convnet2", "digits")
    assert {cell["record"] for cell in trained} == set(cells[0]["sources"])
    assert {tuple(cell["student_seeds"]) for cell in trained} == {(0,)}


def test_no_table_waits_for_candidates_but_the_tunings_own(study):
    tried = tried_by(study, study.tuned_cells)
    assert len(tried) == 2
    assert all("/candidates/" in path for path in tried)
    assert tuned_by(study, [CELL]) == ["results/batches/tuning/digits/all.json"]
    assert tuned_by(study, [Cell("digits", "cgs", 5)]) == []
    others = [*sampled_by(study, study.cells), *measured_by(study, study.cells)]
    assert not any("/candidates/" in path for path in others)


def test_the_cost_of_a_tuned_set_has_its_tuning(study):
    costs = {row["method"]: row["tuning"] for row in rows.cost_rows(study) if row["ipc"] == 5}
    assert costs["cgs-tuned"] == [paths.tuning(CELL)]
    assert costs["cgs"] == []


# Stamps.


def both_stamps(study):
    return stamps.samples(study, CELL), stamps.weights(study, CELL)


CHANGES = {
    "run.tuning.factors": ([0.5, 1, 2], True),
    "run.tuning.seeds": ([7], True),
    "run.tuning.student_seeds": ([1], True),
    "run.tuning.student": ("convnet3", True),
    "protocols.digits.learning_rate": (0.1, True),
    "guidance.dpp.epsilon": (1e-2, True),
    "metrics.ssim_pairs": (7, False),
    "run.student_seeds": ([5], False),
}


@pytest.mark.parametrize("path", CHANGES)
def test_what_a_tuning_depends_on_tunes_anew_and_samples_anew(study, path):
    value, tunes = CHANGES[path]
    other = load_study(changed(path, value, config()), ROOT)
    moved = [a != b for a, b in zip(both_stamps(study), both_stamps(other), strict=True)]
    assert moved == [tunes, tunes]
    cgs = Cell("digits", "cgs", 5)
    of_table = stamps.samples(study, cgs) != stamps.samples(other, cgs)
    assert of_table == (path == "guidance.dpp.epsilon")


def test_weights_are_chosen_with_the_priors_of_the_first_replicate(study):
    first, *_others = SHIPPED["run"]["seeds"]
    assert study.replicates_of(next(iter(study.candidates(CELL)))) == {first: [1000]}
    # Other replicates, or further sets of the first, tune nothing anew.
    other = load_study(config(seeds=[[first, 30], [7, 31]]), ROOT)
    samples, weights = both_stamps(other)
    assert samples != both_stamps(study)[0]
    assert weights == both_stamps(study)[1]
    assert both_stamps(load_study(config(seeds=[7, first]), ROOT))[1] != weights


# What is refused.


def test_a_study_without_tuning_has_no_tuned_method():
    one_problem(
        config(tuning=None),
        "config: run.tuning: null, and the weights of cgs-tuned, rsm-cgs-tuned are tuned",
        "config/README.md",
    )


MISTAKES = {
    "factors without 1": ({"factors": [0.5, 2]}, ["[0.5, 2]; allowed: rising numbers with 1"]),
    "factors that fall": ({"factors": [2, 1, 0.5]}, ["run.tuning.factors: [2, 1, 0.5]; allowed"]),
    "more terms than orders": (
        {"factors": [0.5, 1]},
        ["2 factors keep at most 1 term apart", "'cgs-tuned' has 2; allowed: a prime number"],
    ),
    "seeds that are reported": (
        {"seeds": [1000, 2]},
        ["config: run.tuning.seeds: 2 of run.seeds, whose sets are reported; allowed: others"],
    ),
    "an unknown student": (
        {"student": "convnet4"},
        ["config: run.tuning.student: 'convnet4' is not known", "or `run.tuning: null`"],
    ),
    "an unknown protocol": (
        {"protocol": "digit"},
        ["config: run.tuning.protocol: 'digit' is not known; allowed: digits"],
    ),
    "a student deeper than the images": (
        {"student": "convnet6"},
        ["config: students.convnet6 at 16 px (digits, digits)"],
    ),
    "a weight that overshoots": (
        {"factors": [0.1, 1, 11]},
        ["config: run.tuning.factors: 11 at IPC 5: mu_dm 11264 overshoots", "at most 10240"],
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_tuning_that_cannot_be_is_refused_in_one_line(mistake):
    change, words = MISTAKES[mistake]
    methods = [m for m in config()["run"]["methods"] if m != "rsm-cgs-tuned"]
    only = [{"methods": ["rsm-greedy", "cgs-tuned"], "ipc": [5]}]
    one_problem(config(tuning=tuning(**change), methods=methods, only=only), *words)


def test_a_protocol_that_ends_below_the_ipc_is_refused():
    short = copy.deepcopy(SHIPPED["protocols"]["digits"])
    short["epochs"] = [[1, 5]]
    given = config(tuning=tuning(protocol="short"))
    given["protocols"]["short"] = short
    one_problem(given, "config: run.tuning.protocol: 'short' has no epochs for IPC 5", "IPC 1")


def test_seeds_may_be_the_same_where_no_method_is_tuned():
    given = config(tuning=tuning(seeds=[0]))
    given["run"].update(methods=untuned(given), only=[])
    assert load_study(given, ROOT).tuned_cells == []


def folder(tmp_path, **options):
    """A study of a folder of images with both tuned rows."""
    for part in ("train", "val"):
        (tmp_path / part / "a").mkdir(parents=True)
    given = config()
    kept = {
        k: v for k, v in given["datasets"]["digits"].items() if k not in ("parts", "split_seed")
    }
    given["datasets"]["digits"] = {**kept, "source": "folder", "root": str(tmp_path), **options}
    given["run"]["sweep"]["shown_class"] = given["run"]["strategies"]["shown_class"] = 0
    return given


def test_without_a_validation_part_nothing_is_tuned(tmp_path):
    one_problem(
        folder(tmp_path, val_share=0),
        "config: datasets.digits: has no validation part, on which the weights of cgs-tuned, "
        "rsm-cgs-tuned are to be chosen",
        "allowed: datasets.digits.val_share above 0, or methods whose weights are the table's",
    )


def test_with_a_share_held_out_it_is(tmp_path):
    assert len(load_study(folder(tmp_path, val_share=0.1), ROOT).tuned_cells) == 2


def test_a_row_without_a_term_has_no_weights_to_tune(tmp_path):
    row = "dit-tuned\t\tbase\tiid\t\tDiT, tuned\t\ttuned"
    one_problem(
        table(tmp_path, "methods", lambda lines: [*lines, row]),
        "'guidance' is missing (a row with 'weights' needs it)",
    )


def test_a_term_that_is_minimised_has_no_weight_to_tune(tmp_path):
    row = "still\t\tnone\tjoint\tsupport\tNo prior, tuned\t\ttuned"
    one_problem(
        table(tmp_path, "methods", lambda lines: [*lines, row]),
        "methods.tsv: still: prior 'none' minimises its term, whatever its weight",
    )


def test_a_tuned_row_needs_no_weights_in_the_hyperparameter_table(tmp_path):
    lines = [f"digits\t{ipc}\t0.005\t0.001" for ipc in (1, 5, 10)]
    head = "dataset\tipc\tlambda\tlearning_rate"
    given = table(tmp_path, "hyperparameters", lambda _: [head, *lines], config())
    given["run"] |= {"methods": ["dit", "rsm", *BOTH], "only": [], "ablation": None}
    given["run"] |= {"sweep": None, "strategies": None}
    given["run"]["comparisons"]["pairs"] = []
    given["run"]["spectrum"]["curves"] = [{"source": "RSM", "method": "rsm"}]
    assert len(load_study(given, ROOT).tuned_cells) == 2 * 3


def test_strategies_whose_weights_come_from_two_rules_are_refused():
    strategies = {**SHIPPED["run"]["strategies"], "joint": "rsm-cgs-tuned", "beside": []}
    one_problem(config(strategies=strategies), "differ in more than their coupling", "one rule")
