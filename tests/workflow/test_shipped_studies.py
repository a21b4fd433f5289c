"""Studies: a name and a folder each, and the paper's as they are shipped."""

import copy
import re

import pytest
import yaml
from snakemake.utils import update_config

from lighthouse.config import stamps
from lighthouse.config.disk import missing
from lighthouse.config.grid import Cell
from lighthouse.config.load import check_name, load_study
from lighthouse.config.schema import ConfigError
from repository import ROOT
from shipped import DEFAULT, SHIPPED, changed

# A study has a name, and so a folder, of its own.


def test_the_shipped_study_stays_where_it_is():
    study = load_study(DEFAULT, ROOT)
    check_name(study)
    assert study.folder is None


def test_a_changed_study_must_have_a_name_of_its_own():
    with pytest.raises(ConfigError, match="differs in run; name it"):
        check_name(load_study(changed("run.seeds", [7]), ROOT))


def test_a_named_study_has_a_folder_of_its_own():
    study = load_study(changed("study", "mine"), ROOT)
    check_name(study)
    assert study.folder == ROOT / "runs" / "mine"


# The studies that are shipped beside the default.

STUDIES = {
    "paper": ["paper"],
    "paper-fastai": ["paper", "fastai"],
    "imagenet1k": ["paper", "imagenet1k"],
    "rivals": ["rivals"],
    "evidence": ["evidence"],
    "rsm": ["rsm"],
    "cifar10": ["cifar10"],
    "soft-labels": ["soft_labels"],
}
#: Those on a folder of images, which are valid where it is: files, dataset, classes.
FOLDERS = {
    "textures": (["folder"], "textures", 2),
    "rehearsal": (["../docs/rehearsal/study"], "nette3", 3),
    "nette32": (["nette32"], "nette32", 10),
    "nette64": (["nette64"], "nette64", 10),
    "nette64-one-prior": (["nette64", "one_prior"], "nette64", 10),
    "nette96": (["nette64", "nette96"], "nette96", 10),
    "woof96": (["nette64", "nette96", "woof96"], "woof96", 10),
}
#: Those of them whose images are photographs.
PHOTOGRAPHS = ("nette64", "nette96", "woof96")
#: What is laid over these and CIFAR's, and works in the folder of each.
FURTHER = {"ipc50"}


def merged(names):
    """Config files laid over the default's, as Snakemake does it."""
    config = copy.deepcopy(DEFAULT)
    for name in names:
        update_config(config, yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text()))
    return config


@pytest.mark.parametrize("name", STUDIES)
def test_a_shipped_study_is_valid_without_its_data(name):
    study = load_study(merged(STUDIES[name]), ROOT)
    assert study.folder == ROOT / "runs" / name


@pytest.fixture
def on_a_folder(tmp_path):
    """A function that makes a folder of images, and the study of some config files on it."""

    def made(files, dataset, n_classes, images=50):
        for part in ("train", "val"):
            for label in range(n_classes):
                (tmp_path / part / f"class{label}").mkdir(parents=True)
                for number in range(images):
                    (tmp_path / part / f"class{label}" / f"{number}.png").touch()
        config = merged(files)
        config["datasets"][dataset]["root"] = str(tmp_path)
        return load_study(config, ROOT)

    return made


@pytest.mark.parametrize("name", FOLDERS)
def test_a_shipped_study_on_a_folder_is_valid_with_it(on_a_folder, name):
    study = on_a_folder(*FOLDERS[name])
    assert study.folder == ROOT / "runs" / name
    assert missing(study) == []


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_ipc_50_is_laid_over_the_studies_of_photographs_and_adds_to_their_folder(on_a_folder, name):
    files, dataset, n_classes = FOLDERS[name]
    # RDED takes pieces of 200 images a class.
    study = on_a_folder([*files, "ipc50"], dataset, n_classes, images=230)
    without = load_study({**study.config, "run": {**study.run, "ipc": [1, 10]}}, ROOT)
    assert study.folder == without.folder == ROOT / "runs" / name
    assert missing(study) == []
    added = set(study.cells) - set(without.cells)
    assert {cell.ipc for cell in added} == {50}
    # All but IGD's and those that the ablation's IPC alone has.
    limited = {method for entry in study.run["only"] for method in entry["methods"]}
    everywhere = set(study.run["methods"]) - limited
    assert len(added) == len(everywhere) and {cell.method for cell in added} == everywhere
    for cell in set(without.cells) & set(study.cells):
        if study.source(cell) == cell:
            assert stamps.samples(study, cell) == stamps.samples(without, cell)


def test_ipc_50_is_laid_over_cifar():
    study = load_study(merged(["cifar10", "ipc50"]), ROOT)
    assert study.folder == ROOT / "runs" / "cifar10"
    assert study.run["ipc"] == [1, 10, 50]


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_the_weights_of_photographs_are_those_of_the_papers_study(on_a_folder, name):
    files, dataset, n_classes = FOLDERS[name]
    study = on_a_folder([*files, "ipc50"], dataset, n_classes)
    paper = load_study(merged(["paper"]), ROOT)
    theirs = "imagewoof-ilsvrc" if dataset.startswith("woof") else "imagenette-ilsvrc"
    for ipc in (10, 50):
        row = {**paper.weights(theirs, "rsm-cgs", ipc), "dataset": dataset}
        assert row.items() <= study.weights(dataset, "rsm-cgs", ipc).items()


def test_every_config_file_that_is_shipped_belongs_to_a_study_that_is_tested():
    files = {path.stem for path in (ROOT / "config").glob("*.yaml")} - {"config"}
    tested = [*STUDIES.values(), *(names for names, *_ in FOLDERS.values())]
    assert files - FURTHER == {name for names in tested for name in names if "/" not in name}


def test_the_study_of_the_tests_is_valid():
    config = copy.deepcopy(SHIPPED)
    update_config(config, yaml.safe_load((ROOT / "tests" / "configs" / "tiny.yaml").read_text()))
    load_study(config, ROOT)


def test_the_studies_run_every_rival():
    real = ["random", "herding"]
    rivals = ["dit", "minimax", "dit-igd", "minimax-igd", "mgd3"]
    later = ["ot", "dap", "base-subgroup", "base-confident", "base-support-chosen"]
    ours = ["control", "rsm", "cgs", "rsm-cgs", "rsm-greedy"]
    points = ["cgs-tuned", "support-real", "support-none", "support-tuned"]
    beyond = ["support-greedy-tuned", "rsm-support-tuned"]
    # IGD on MiniMax is the study of rivals', for the default's time.
    quick = [name for name in rivals if name != "minimax-igd"]
    for config, methods in (
        (SHIPPED, [*real, "rded", *quick, *later, *ours, *points, *beyond]),
        (merged(["rivals"]), [*real, *rivals, *ours, *points]),
        (merged(["paper"]), [*real, *rivals, *ours]),
    ):
        study = load_study(config, ROOT)
        assert study.run["methods"] == methods
        assert study.ceilings


def test_the_papers_study_runs_every_method_at_every_ipc():
    study = load_study(merged(["paper"]), ROOT)
    names = {(cell.dataset, cell.method, cell.ipc) for cell in study.main_cells}
    assert len(names) == len(study.main_cells) == 2 * 12 * 3


def test_the_study_of_rivals_has_igd_at_every_ipc_and_samples_as_the_default_does():
    study, default = load_study(merged(["rivals"]), ROOT), load_study(SHIPPED, ROOT)
    igd = {Cell("digits", m, ipc) for m in ("dit-igd", "minimax-igd") for ipc in (1, 5, 10)}
    assert igd <= set(study.cells)
    both = set(study.cells) & set(default.cells)
    assert len(both) > 30
    assert all(stamps.samples(study, cell) == stamps.samples(default, cell) for cell in both)


def test_the_study_of_rsm_has_each_reading_beside_a_control_tuned_alike_and_a_spectrum_of_each():
    study = load_study(merged(["rsm"]), ROOT)
    assert set(study.spectrum_sources) == set(study.run["methods"])
    priors = [study.prior(cell) for cell in study.main_cells if study.methods[cell.method].denoises]
    tuned = [prior for prior in priors if prior.name != "base"]
    assert len({prior.path for prior in tuned}) == len(tuned)
    found = {
        (*(study.tuning("digits", prior)[key] for key in READING), prior.options["lambda"])
        for prior in tuned
        if prior.options["lambda"]
    }
    decades = (0.0005, 0.0016, 0.005, 0.016, 0.05)
    curves = {
        (weighting, "none", "full", lam)
        for weighting in ("none", "sqrt-alpha-bar", "snr")
        for lam in decades
    }
    others = {
        ("none", *reading, lam)
        for reading in (("class-mean", "full"), ("none", "difffit"))
        for lam in (0.005, 0.05)
    }
    assert found == curves | others
    of_controls = [p.tuning.get("tune", "full") for p in tuned if not p.options["lambda"]]
    assert of_controls == ["full", "difffit"]


#: What a prior's tuning may say of how RSM is read.
READING = ("l1_weighting", "l1_centre", "tune")


def test_the_weights_of_igd_are_the_papers():
    study = load_study(merged(["paper"]), ROOT)
    found = {
        (dataset.split("-")[0], method, ipc): tuple(
            study.term_weights(Cell(dataset, method, ipc)).values()
        )
        for dataset in study.run["datasets"]
        for method in ("dit-igd", "minimax-igd")
        for ipc in study.run["ipc"]
    }
    assert found == {
        **{(d, "dit-igd", 10): (5, 50) for d in ("imagenette", "imagewoof")},
        **{(d, "dit-igd", n): (5, 120) for d in ("imagenette", "imagewoof") for n in (50, 100)},
        **{("imagenette", "minimax-igd", n): (15, 10) for n in (10, 50, 100)},
        ("imagewoof", "minimax-igd", 10): (10, 50),
        **{("imagewoof", "minimax-igd", n): (10, 100) for n in (50, 100)},
    }


def test_table_1_of_the_supplement():
    study = load_study(merged(["paper"]), ROOT)
    names = ("lambda", "learning_rate", "eta_dpp", "mu_dm")
    table = {
        (dataset, ipc): tuple(study.weights(dataset, "rsm-cgs", ipc)[name] for name in names)
        for dataset in study.run["datasets"]
        for ipc in study.run["ipc"]
    }
    assert table == {
        ("imagenette-ilsvrc", 10): (3e-3, 1e-3, 100, 1000),
        ("imagenette-ilsvrc", 50): (5e-3, 1e-3, 100, 10000),
        ("imagenette-ilsvrc", 100): (5e-3, 1e-3, 100, 3000),
        ("imagewoof-ilsvrc", 10): (1e-2, 1e-3, 300, 3000),
        ("imagewoof-ilsvrc", 50): (1e-2, 1e-3, 100, 1000),
        ("imagewoof-ilsvrc", 100): (1e-2, 1e-3, 100, 1000),
    }


def sampled(study, term=""):
    """Images that a study samples, or those of the methods that have a guidance term."""
    cells = {study.source(cell) for cell in study.cells if study.methods[cell.method].prior}
    return sum(
        len(study.set_seeds) * cell.ipc * sum(map(len, study.shards(cell.dataset)))
        for cell in cells
        if not term or term in study.methods[cell.method].guidance
    )


def test_the_docs_count_the_images_that_the_papers_studies_sample():
    docs = (ROOT / "docs" / "paper.md").read_text(encoding="utf-8")
    counts = re.search(
        r"samples about ([\d,]+) images, ([\d,]+) of them under IGD.*leaves it ([\d,]+) images",
        docs,
        flags=re.S,
    )
    about, igd, igd_at_10 = (int(count.replace(",", "")) for count in counts.groups())
    config = merged(["paper"])
    study = load_study(config, ROOT)
    assert abs(sampled(study) - about) < 1000
    assert sampled(study, "influence") == igd
    config["run"]["only"] = [{"methods": ["dit-igd", "minimax-igd"], "ipc": [10]}]
    assert sampled(load_study(config, ROOT), "influence") == igd_at_10
    assert "`imagenet1k.yaml` samples a million" in docs
    assert round(sampled(load_study(merged(["paper", "imagenet1k"]), ROOT)), -5) == 1_000_000


def test_missing_data_is_told_with_its_place():
    lines = missing(load_study(merged(["paper"]), ROOT))
    assert [line for line in lines if "data/imagenet" in line and "imagenette-ilsvrc" in line]


def test_a_pretrained_model_is_kept_by_its_revision_or_is_a_local_folder(tmp_path):
    config = merged(["paper"])
    vae = load_study(config, ROOT).pretrained("imagenette-ilsvrc", "autoencoder")
    hub = ROOT / "downloads" / "hub" / "stabilityai" / "sd-vae-ft-mse"
    assert vae == hub / "31f26fdeee1355a5c34592e401dd41e45d25a493"
    config["datasets"]["imagenette-ilsvrc"]["denoiser"].update(
        pretrained=str(tmp_path / "dit"), revision=None
    )
    study = load_study(config, ROOT)
    assert study.pretrained("imagenette-ilsvrc", "denoiser") == tmp_path / "dit"
    assert any(str(tmp_path / "dit") in line for line in missing(study))
    assert study.pretrained("digits", "denoiser") is None
