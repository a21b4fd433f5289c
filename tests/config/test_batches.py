"""The grid's division into jobs, and the stamps by which tables know their own records."""

import copy

import pytest

from lighthouse.config import stamps
from lighthouse.config.batches import COMPOSED, EXTERNAL, REAL, SAMPLED, batches
from lighthouse.config.grid import CEILINGS, Cell
from lighthouse.config.load import load_study
from repository import ROOT
from shipped import SHIPPED, changed, hyperparameters, table, without

#: Those that keep some of what they sample, and those that ask the dataset's classifier.
CHOSEN = ("base-subgroup", "base-confident", "base-support-chosen")
ASKING = {"rded", "base-confident"}


@pytest.fixture
def study():
    return load_study(SHIPPED, ROOT)


@pytest.mark.parametrize("size", [1, 3, 10, 1000])
def test_every_cell_is_in_one_batch_with_its_source(size):
    study = load_study(changed("compute.cells_per_job", size), ROOT)
    divided = batches(study)
    everyone = [*study.cells, *study.candidate_cells]
    assert sorted(cell for batch in divided for cell in batch.cells) == sorted(everyone)
    for batch in divided:
        assert {study.source(cell) for cell in batch.cells} == set(batch.sources)
        assert 1 <= len(batch.sources) <= size
    assert len({(batch.dataset, batch.name) for batch in divided}) == len(divided)


def test_a_batch_shares_a_prior_or_is_of_real_images(study):
    for batch in batches(study):
        methods = [study.methods[cell.method] for cell in batch.sources]
        of_real = batch.kind in (REAL, COMPOSED)
        assert {method.coreset is not None for method in methods} == {of_real}
        if batch.kind == SAMPLED:
            (prior,) = {study.prior(cell).path for cell in batch.sources}
            assert batch.name.startswith(f"{prior}/")


def test_an_external_set_is_a_batch_of_its_own_and_changes_no_other(study, tmp_path):
    given = {"dataset": "digits", "root": str(tmp_path), "ipc": 3, "label": "Mine"}
    other = {**given, "label": "Yours"}
    more = batches(load_study(changed("external", {"mine": given, "yours": other}), ROOT))
    assert [batch for batch in more if batch.kind != EXTERNAL] == batches(study)
    names = [batch.name for batch in more if batch.kind == EXTERNAL]
    assert names == ["external/mine/0", "external/yours/0"]


def test_images_that_are_put_together_are_apart_from_real_ones_that_wait_for_nothing(study):
    (own,) = [batch for batch in batches(study) if batch.kind == COMPOSED]
    assert own.name == "composed/0"
    # No smaller set begins a larger one.
    assert [(cell.method, cell.ipc) for cell in own.sources] == [("rded", n) for n in (1, 5, 10)]
    others = batches(load_study(without("rded"), ROOT))
    assert [batch for batch in batches(study) if batch != own] == others


JUDGING = {
    "coresets.rded.crops": (4, {"rded"}),
    "datasets.digits.classifier.epochs": (3, ASKING),
    "students.convnet3.width": (8, ASKING),
    "protocols.igd.learning_rate": (0.5, ASKING),
}


@pytest.mark.parametrize("path", JUDGING)
def test_what_a_classifier_is_made_by_is_of_what_asks_it_and_of_no_student_of_all_images(path):
    value, expected = JUDGING[path]
    base = changed("datasets.digits.classifier.protocol", "igd")
    study, other = (load_study(c, ROOT) for c in (base, changed(path, value, base)))
    assert moved(study, other) == expected
    ceiling = CEILINGS["full"], "digits", "convnet2", "digits"
    assert stamps.ceiling(study, *ceiling) == stamps.ceiling(other, *ceiling)


def of_all(study):
    """The stamp of every cell's sets."""
    return {cell: stamps.samples(study, cell) for cell in study.cells}


def moved(study, other):
    """The methods of the cells whose stamps two studies have differently."""
    one, two = of_all(study), of_all(other)
    return {cell.method for cell in one if one[cell] != two[cell]}


def test_no_two_cells_share_a_stamp(study):
    assert len(set(of_all(study).values())) == len(study.cells)


def test_a_changed_weight_is_of_the_methods_that_have_it(tmp_path, study):
    def edit(lines):
        return [
            lines[0],
            *(hyperparameters(line, mode_scale=0.7) for line in lines[1:4]),
            *lines[4:],
        ]

    assert moved(study, load_study(table(tmp_path, "hyperparameters", edit), ROOT)) == {"mgd3"}


CHANGES = {
    "priors.minimax.memory": (32, {"minimax"}),
    "guidance.influence.scale": (1e-3, {"dit-igd"}),
    "datasets.digits.tuning.steps": (3, "tuned"),
    "priors.minimax.tuning": ({"tune": "difffit"}, {"minimax"}),
    "datasets.digits.extractor.epochs": (3, {"herding", "base-subgroup", "base-support-chosen"}),
    "metrics.ssim_pairs": (7, set()),
    "protocols.digits.learning_rate": (0.1, "judged"),
    "datasets.digits.sampler.classes_per_job": (5, set()),
    "datasets.digits.base.steps": (3, "sampled"),
    "datasets.digits.autoencoder.steps": (3, "all"),
    "run.seeds": ([0, 1], "all"),
}


@pytest.mark.parametrize("path", CHANGES)
def test_a_stamp_is_of_all_that_a_cells_samples_depend_on_and_of_no_more(study, path):
    value, expected = CHANGES[path]
    everyone = set(study.methods_of("digits"))
    sampled = {m for m in everyone if study.methods[m].denoises}
    tuned = {m for m in sampled if study.methods[m].prior != "base"}
    judged = {m for m in everyone if study.methods[m].is_tuned} | ASKING
    named = {"all": everyone, "sampled": sampled, "tuned": tuned, "judged": judged}
    wanted = named[expected] if isinstance(expected, str) else expected
    assert moved(study, load_study(changed(path, value), ROOT)) == wanted


def test_students_and_metrics_depend_on_their_samples_and_on_their_own_options(study):
    cell = Cell("digits", "rsm", 5)

    def both(study):
        return (
            stamps.students(study, cell, "convnet2", "digits", [0, 1]),
            stamps.sets(study, cell),
        )

    one = both(study)
    change = {
        "protocols.digits.learning_rate": (0.1, (True, False)),
        "students.convnet2.width": (8, (True, False)),
        "metrics.ssim_pairs": (7, (False, True)),
        "datasets.digits.base.steps": (3, (True, True)),
        "run.sweep.students": ([], (False, False)),
    }
    for path, (value, expected) in change.items():
        other = both(load_study(changed(path, value), ROOT))
        assert tuple(a != b for a, b in zip(one, other, strict=True)) == expected, path
    assert stamps.students(study, cell, "convnet2", "digits", [0]) != one[0]


def test_what_is_measured_of_a_set_is_in_its_stamp(study):
    curves = [{"source": "DiT", "method": "dit"}, {"source": "RSM", "method": "rsm"}]
    other = load_study(changed("run.spectrum.curves", curves), ROOT)
    of_one, of_other = ({c: stamps.sets(s, c) for c in s.cells} for s in (study, other))
    moved = {(cell.method, cell.ipc) for cell in study.cells if of_one[cell] != of_other[cell]}
    assert moved == {("random", 10), ("control", 10), ("dit", 10)}
    cells = [Cell("digits", method, 5) for method in ("rsm", "rsm-cgs", "rsm-greedy")]
    assert stamps.strategies(study, cells) == stamps.strategies(other, cells)


def test_distances_are_of_the_tables_cells_alone(study):
    assert study.measures(Cell("digits", "rsm-cgs", 5))["distances"]
    swept = next(cell for cell in study.cells if cell.moved)
    assert study.measures(swept) == {"distances": False, "spectrum": None}


def test_the_ceiling_depends_on_the_images_and_the_recipe(study):
    names = "digits", "convnet2", "digits"
    for ceiling in CEILINGS.values():
        one = stamps.ceiling(study, ceiling, *names)
        for path, value in (
            ("protocols.digits.std", [1, 1, 1]),
            ("datasets.digits.image_size", 64),
        ):
            other = load_study(changed(path, value), ROOT)
            assert stamps.ceiling(other, ceiling, *names) != one


UNSEEN = {
    "sampler.micro_batch": 40,
    "surrogate.threshold": 0.6,
    "classifier.epochs": 3,
    "base.steps": 7,
    "denoiser.layers": 2,
    "extractor.epochs": 3,
    "flips": True,
}


@pytest.mark.parametrize("key", UNSEEN)
def test_the_ceiling_depends_on_no_option_that_its_images_do_not(study, key):
    other = load_study(changed(f"datasets.digits.{key}", UNSEEN[key]), ROOT)
    for ceiling in CEILINGS.values():
        names = ceiling, "digits", "convnet2", "digits"
        assert stamps.ceiling(other, *names) == stamps.ceiling(study, *names)


def test_of_the_ceilings_that_of_reconstructed_images_alone_depends_on_the_autoencoder(study):
    other = load_study(changed("datasets.digits.autoencoder.steps", 7), ROOT)
    for ceiling in CEILINGS.values():
        names = ceiling, "digits", "convnet2", "digits"
        same = stamps.ceiling(other, *names) == stamps.ceiling(study, *names)
        assert same == ceiling.real


def test_what_an_extractor_learns_from_is_in_a_stamp_where_an_autoencoder_is_judged_by_it(study):
    def stamped(losses):
        config = changed("datasets.digits.autoencoder.losses", losses)
        found = []
        for most in (100, 200):
            config["metrics"]["real_images_per_class"] = most
            found.append(stamps.samples(load_study(config, ROOT), Cell("digits", "rsm", 5)))
        return found

    one, other = stamped({"squared": 1})
    assert one == other
    one, other = stamped({"squared": 1, "perceptual": 0.1})
    assert one != other


def test_an_external_set_is_stamped_by_its_files(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "0.png").write_text("x")
    given = {"dataset": "digits", "root": str(tmp_path), "ipc": 3, "label": "Mine"}
    study = load_study(copy.deepcopy(changed("external", {"mine": given})), ROOT)
    cell = Cell("digits", "mine", 3)
    before = stamps.samples(study, cell)
    (tmp_path / "a" / "0.png").write_text("other")
    assert stamps.samples(study, cell) != before


def test_methods_that_select_are_in_a_batch_of_their_own(study):
    names = {batch.name: {c.method for c in batch.sources} for batch in batches(study)}
    assert names["base/selected/0"] == {"base-confident", "base-subgroup", "base-support-chosen"}
    others = load_study(without(*CHOSEN), ROOT)
    assert {batch.name for batch in batches(others)} == names.keys() - {"base/selected/0"}


def test_candidates_of_a_method_that_selects_are_selected_and_apart(tmp_path):
    row = "chosen\t\tbase\tjoint\tsupport\tChosen\t\ttuned\tsubgroup"
    config = table(tmp_path, "methods", lambda lines: [*lines, row])
    config["run"]["methods"] += ["chosen"]
    study = load_study(config, ROOT)
    names = {b.name for b in batches(study) if {c.method for c in b.sources} == {"chosen"}}
    assert {name.rsplit("/", 1)[0] for name in names} == {
        "base/candidates/selected",
        "base/tuned/selected",
    }


SELECTED = {
    "selections.subgroup.groups": (4, "base-subgroup"),
    "selections.support.factor": (2, "base-support-chosen"),
    "selections.confident.factor": (3, "base-confident"),
}


@pytest.mark.parametrize("path", SELECTED)
def test_a_stamp_has_the_options_of_its_own_selection(study, path):
    value, expected = SELECTED[path]
    assert moved(study, load_study(changed(path, value), ROOT)) == {expected}


def test_a_method_without_a_selection_has_the_stamp_that_it_had(study):
    assert of_all(load_study(without(*CHOSEN), ROOT)).items() <= of_all(study).items()


def test_an_external_set_is_stamped_by_how_it_is_taken(tmp_path):
    (tmp_path / "names.txt").write_text("0\n1\n")
    given = {"dataset": "digits", "root": str(tmp_path), "ipc": 3, "label": "Mine"}
    ways = [
        {},
        {"take": "first"},
        {"labels": "logits"},
        {"labels": "probabilities"},
        {"order": "imagenet"},
        {"order": str(tmp_path / "names.txt")},
    ]

    def stamped(way):
        study = load_study(copy.deepcopy(changed("external", {"mine": {**given, **way}})), ROOT)
        return stamps.samples(study, Cell("digits", "mine", 3))

    assert len({stamped(way) for way in ways}) == len(ways)
    assert stamped({"order": "dataset", "take": "all"}) == stamped({})
    before = stamped(ways[-1])
    (tmp_path / "names.txt").write_text("1\n0\n\n")
    assert stamped(ways[-1]) != before
