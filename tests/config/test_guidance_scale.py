"""A guidance scale that is chosen among several: cells, jobs, stamps, and what is refused."""

import copy

import pytest

from lighthouse.config import jobs, paths, rows, stamps
from lighthouse.config.batches import batches, tried_by, tuned_by
from lighthouse.config.expectations import expectations
from lighthouse.config.grid import Cell
from lighthouse.config.load import load_study
from repository import ROOT
from shipped import SHIPPED, changed, one_problem, table

SCALES = [1.0, 1.5, 4.0]
#: Where the choice is made: at the first method of the table that is the base prior's images.
CHOICE = Cell("digits", "dit", 20)
CGS, TUNED = Cell("digits", "cgs", 5), Cell("digits", "cgs-tuned", 5)
CHOSEN_BY = "results/batches/tuning/digits/scale.json"


def config(scales=SCALES, **tuning):
    """The shipped config with several guidance scales."""
    found = copy.deepcopy(SHIPPED)
    found["datasets"]["digits"]["sampler"]["guidance_scale"] = scales
    found["run"]["tuning"] |= {"guidance_scale_ipc": 20, **tuning}
    return found


@pytest.fixture(scope="module")
def study():
    return load_study(config(), ROOT)


def code(script, makers):
    return script


def batch_of(study, cell):
    return next(batch for batch in batches(study) if cell in batch.sources)


def told(study, cell):
    """What the job of a cell is told of it."""
    cells = jobs.sampled_cells(study, batch_of(study, cell), code)
    return next(c for c in cells if c["record"].startswith(f"{paths.samples(cell)}/"))


# Cells.


def test_a_dataset_has_one_choice_of_its_scale_for_all_methods_and_ipcs(study):
    assert study.scaled_cells == [CHOICE]
    assert study.choices == [CHOICE, *study.tuned_cells]
    sampled = [c for c in (*study.cells, *candidates_of(study, TUNED)) if denoises(study, c)]
    assert {study.scaled_at(cell) for cell in sampled} == {CHOICE}


def candidates_of(study, cell):
    return list(study.candidates(cell))


def denoises(study, cell):
    return study.methods[cell.method].denoises


def test_what_asks_no_denoiser_has_no_scale(study):
    assert study.scaled_at(Cell("digits", "random", 5)) is None
    assert study.scaled_at(Cell("digits", "support-none", 5)) is None


def test_each_scale_is_a_candidate_and_the_least_is_the_unit(study):
    tried = study.candidates(CHOICE)
    assert [cell.variant for cell in tried] == ["tuning~0", "tuning~1", "tuning~2"]
    assert [study.sampler(cell)["guidance_scale"] for cell in tried] == SCALES
    assert [one.factors["guidance_scale"] for one in tried.values()] == [1, 1.5, 4]
    assert [study.term_weights(cell) for cell in tried] == [{}] * 3


def test_only_the_choice_knows_the_scale_of_all_others(study):
    for cell in (Cell("digits", "dit", 10), CGS, TUNED, *candidates_of(study, TUNED)):
        assert study.sampler(cell)["guidance_scale"] is None


def test_candidates_are_no_part_of_a_larger_set_and_have_seeds_of_their_own(study):
    """Unguided images of fewer a class are else the first of more; those have other seeds."""
    for cell in study.candidates(CHOICE):
        assert study.source(cell) == cell
        assert study.replicates_of(cell) == {SHIPPED["run"]["seeds"][0]: [1000]}
        assert cell not in study.cells


def test_the_table_of_the_tuning_has_the_scales_first(study):
    variants = [(row["method"], row["variant"]) for row in rows.candidates(study)]
    assert variants[:4] == [
        *(("dit", f"tuning~{i}") for i in range(3)),
        ("cgs-tuned", "tuning~0"),
    ]


def test_a_single_number_has_no_choice_no_job_and_the_stamps_of_before():
    study = load_study(config(2.0), ROOT)
    plain = load_study(copy.deepcopy(SHIPPED), ROOT)
    assert study.scaled_cells == []
    assert not any("scales" in batch.name for batch in batches(study))
    for cell in plain.cells:
        assert stamps.samples(study, cell) == stamps.samples(plain, cell)
    assert "scale" not in told(study, CGS)
    assert told(study, CGS)["sampler"]["guidance_scale"] == 2.0


# Jobs.


def test_scales_are_tried_before_the_weights_and_apart_from_them(study):
    first = candidates_of(study, CHOICE)[0]
    assert batch_of(study, first).name == "base/scales/0"
    assert batch_of(study, candidates_of(study, TUNED)[0]).name == "base/candidates/0"
    assert tuned_by(study, batch_of(study, first).sources) == []
    assert tuned_by(study, [CGS, *candidates_of(study, TUNED)]) == [CHOSEN_BY]
    assert tuned_by(study, [TUNED]) == [CHOSEN_BY, "results/batches/tuning/digits/all.json"]
    assert tried_by(study, [CHOICE]) == [
        "results/batches/students/convnet2/digits/digits/base/scales/0.json"
    ]


def test_a_set_is_made_from_the_record_of_the_choice(study):
    record = paths.tuning(CHOICE)
    assert (told(study, CGS)["scale"], told(study, CGS)["sources"]) == (record, [record])
    tuned = told(study, TUNED)
    assert tuned["sources"] == [paths.tuning(TUNED), record]
    candidate = told(study, candidates_of(study, TUNED)[0])
    assert (candidate["scale"], "tuning" in candidate) == (record, False)
    tried = told(study, candidates_of(study, CHOICE)[1])
    assert not tried.keys() & {"scale", "sources"}
    assert tried["sampler"]["guidance_scale"] == 1.5


def test_the_choice_reads_the_students_of_every_scale(study):
    (cell,) = jobs.tuning_cells(study, study.scaled_cells)
    assert cell["record"] == paths.tuning(CHOICE)
    assert [one["weights"] for one in cell["candidates"]] == [{"guidance_scale": s} for s in SCALES]
    batch = batch_of(study, candidates_of(study, CHOICE)[0])
    trained = jobs.student_cells(study, batch, "convnet2", "digits")
    assert [one["record"] for one in trained] == cell["sources"]
    assert {one["ipc"] for one in trained} == {20}


def test_every_sampled_row_has_what_the_choice_cost(study):
    costs = {(row["method"], row["ipc"]): row["tuning"] for row in rows.cost_rows(study)}
    assert costs["dit", 1] == costs["cgs", 5] == [paths.tuning(CHOICE)]
    assert costs["cgs-tuned", 5] == [paths.tuning(CHOICE), paths.tuning(TUNED)]
    assert costs["random", 1] == costs["support-none", 5] == []


def test_the_audit_is_told_the_steps_and_that_the_scale_is_chosen(study):
    found = {(c["method"], c["ipc"]): c for c in expectations(study)["sampled"]}
    assert (found["cgs", 5]["steps"], found["cgs", 5]["scale"]) == (25, None)


# Stamps.


CHANGES = {
    "datasets.digits.sampler.guidance_scale": ([1.0, 1.5], True),
    "run.tuning.guidance_scale_ipc": (10, True),
    "run.tuning.seeds": ([7], True),
    "protocols.digits.learning_rate": (0.1, True),
    "run.tuning.factors": ([0.25, 1, 2], False),
}


@pytest.mark.parametrize("path", CHANGES)
def test_what_the_choice_depends_on_samples_anew_what_is_made_at_it(study, path):
    value, anew = CHANGES[path]
    other = load_study(changed(path, value, config()), ROOT)
    random = Cell("digits", "random", 5)
    moved = [stamps.samples(study, c) != stamps.samples(other, c) for c in (CGS, random)]
    assert moved == [anew, False]


# What is refused.

MISTAKES = {
    "one scale alone": ([2.0], {}, ["guidance_scale: [2.0] has 1 entries; allowed: at least 2"]),
    "a scale twice": (
        [1.0, 2.0, 2.0],
        {},
        ["guidance_scale: [1.0, 2.0, 2.0]; allowed: one number, or rising ones"],
    ),
    "scales that fall": ([4.0, 1.0], {}, ["guidance_scale: [4.0, 1.0]; allowed: one number"]),
    "a scale below 1": ([0.5, 2.0], {}, ["guidance_scale.0: 0.5 is less than the minimum of 1"]),
    "a number below 1": (0.5, {}, ["guidance_scale: 0.5 is less than the minimum of 1"]),
    "seeds that are reported": (
        SCALES,
        {"seeds": [0]},
        ["config: run.tuning.seeds: 0 of run.seeds, whose sets are reported; allowed: others"],
    ),
    "an ipc beyond the protocol": (
        SCALES,
        {"guidance_scale_ipc": 201},
        ["'digits' has no epochs for IPC 201; its last pair holds up to IPC 200"],
    ),
}


def without_tuned(found):
    """A config without methods whose weights are tuned."""
    run = found["run"]
    run["methods"] = [name for name in run["methods"] if not name.endswith("-tuned")]
    run["only"] = run["only"][:1]
    run["ablation"] = run["claims"] = None
    run["comparisons"]["pairs"] = []
    run["strategies"]["beside"] = []
    return found


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_choice_that_cannot_be_is_refused(mistake):
    scales, tuning, words = MISTAKES[mistake]
    with pytest.raises(Exception, match="wrong configuration") as error:
        load_study(without_tuned(config(scales, **tuning)), ROOT)
    assert all(word in str(error.value) for word in words)


def test_without_an_ipc_nothing_is_chosen():
    found = config()
    del found["run"]["tuning"]["guidance_scale_ipc"]
    one_problem(found, "config: run.tuning: 'guidance_scale_ipc' is missing")


def test_without_run_tuning_nothing_is_chosen():
    found = without_tuned(config())
    found["run"]["tuning"] = None
    one_problem(
        found, "run.tuning: null, and datasets.digits.sampler.guidance_scale is to be chosen"
    )


def test_without_a_validation_part_nothing_is_chosen(tmp_path):
    for part in ("train", "val"):
        (tmp_path / part / "a").mkdir(parents=True)
    found = without_tuned(config())
    options = found["datasets"]["digits"]
    del options["parts"], options["split_seed"]
    options |= {"source": "folder", "root": str(tmp_path), "val_share": 0}
    found["run"]["sweep"]["shown_class"] = found["run"]["strategies"]["shown_class"] = 0
    one_problem(
        found,
        "config: datasets.digits: has no validation part, on which "
        "datasets.digits.sampler.guidance_scale is to be chosen",
        "val_share above 0, or one number there",
    )


def test_without_a_row_of_unguided_images_nothing_is_chosen(tmp_path):
    found = table(
        tmp_path,
        "methods",
        lambda lines: [line for line in lines if "\tbase\tiid\t\t" not in line],
        without_tuned(config()),
    )
    run = found["run"]
    run |= {"methods": ["rsm", "rsm-cgs"], "only": [], "sweep": None, "strategies": None}
    run["comparisons"]["base"] = "rsm"
    run["spectrum"]["curves"] = [{"source": "RSM", "method": "rsm"}]
    one_problem(found, "is chosen by images that the base prior draws with no guidance term")


def test_to_sweep_a_scale_that_is_chosen_is_refused():
    found = config()
    found["run"]["sweep"]["values"]["sampler.guidance_scale"] = [2]
    # The check of this one asks for all that is trained.
    claim = {"name": "above", "says": "It is.", "place": "ours", "measure": "accuracy", "of": "cgs"}
    found["run"]["claims"] = [{**claim, "against": "dit", "direction": "above", "ipc": 10}]
    one_problem(found, "has no sampler.guidance_scale to sweep")


def test_a_scale_that_is_chosen_is_not_swept(study):
    assert "sampler.guidance_scale" not in study.sweepable("cgs")
    assert "sampler.steps" in study.sweepable("cgs")
    plain = load_study(config(2.0), ROOT)
    assert "sampler.guidance_scale" in plain.sweepable("cgs")
