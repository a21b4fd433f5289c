"""Studies through Snakemake itself: dry runs, folders of their own, their data, more replicates."""

import re
import shutil
import subprocess
import sys

import pytest
import yaml

from repository import ROOT
from running import snakemake
from shipped import LEFT_OUT

DOCS = (ROOT / "docs" / "paper.md").read_text(encoding="utf-8")
#: Config files of a study, its number of jobs and which of them go to a GPU, from the table in
#: docs/paper.md.
ROWS = re.findall(r"^\| .* \| `(config/[^`]*)` \| (\d+) \| (.*) \|", DOCS, flags=re.M)
#: Rules behind the words of that table.
COUNTED = {
    "trainings": ("rsm_prior", "tuned_prior"),
    "surrogates": ("surrogate",),
    "of sampling": ("shard",),
    "of students": ("student",),
    "ceilings": ("ceiling",),
}
RUNNING = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
#: Numbers of jobs by the columns of that page's table of studies.
JOBS = dict(
    zip(
        *(
            [field.strip() for field in re.search(row, RUNNING, flags=re.M)[1].split("|")]
            for row in (r"^\| +\| (default.*) \|$", r"^\| jobs \| (.*) \|$")
        ),
        strict=True,
    )
)

pytestmark = pytest.mark.workflow


@pytest.fixture
def clone(tmp_path):
    """The workflow in a folder of its own, without results or data."""
    for name in ("workflow", "config", "envs", "profiles", "tests/configs", "docs/own-folder"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def test_the_table_of_studies_is_found():
    assert len(ROWS) == 3


def counted(*arguments, cwd):
    """Jobs by rule of a dry run, and their total."""
    done = snakemake("-n", "--quiet", "rules", *arguments, cwd=cwd)
    assert done.returncode == 0, done.stdout
    found = dict(re.findall(r"^(\w+) +(\d+)$", done.stdout, flags=re.M))
    return {rule: int(count) for rule, count in found.items()}


def on_a_gpu(words):
    """The counts in a row's words; those of the row above it where it says so."""
    if words == "the same":
        words = ROWS[0][2]
    pairs = re.findall(r"(\d+) (" + "|".join(COUNTED) + ")", words)
    return {word: int(count) for count, word in pairs}


@pytest.mark.parametrize(("files", "jobs", "words"), ROWS)
def test_a_dry_run_needs_no_data_and_has_the_jobs_that_the_docs_count(clone, files, jobs, words):
    found = counted("--configfile", *files.split(), cwd=clone)
    assert found["total"] == int(jobs)
    expected = on_a_gpu(words)
    assert {"trainings", "of sampling", "of students"} <= expected.keys()
    by_words = {w: sum(found.get(rule, 0) for rule in rules) for w, rules in COUNTED.items()}
    assert expected == {word: count for word, count in by_words.items() if count}


def test_the_page_counts_the_jobs_that_the_studies_have(clone):
    rows = {files: jobs for files, jobs, _ in ROWS}
    assert JOBS["paper"] == rows["config/paper.yaml"]
    assert JOBS["imagenet1k"] == rows["config/paper.yaml config/imagenet1k.yaml"]
    assert counted(cwd=clone)["total"] == int(JOBS["default"])
    made = [sys.executable, "docs/own-folder/textures.py", "data/textures"]
    subprocess.run(made, cwd=clone, check=True)
    folder = counted("--configfile", "config/folder.yaml", cwd=clone)
    assert folder["total"] == int(JOBS["folder"])


#: Studies of photographs: config files, and the folders of images that they read.
PHOTOGRAPHS = {
    "cifar10": (["cifar10"], []),
    "nette64": (["nette64", "ipc50"], ["nette64"]),
    "nette96": (["nette64", "nette96"], ["nette96"]),
    "woof96": (["nette64", "nette96", "woof96"], ["woof96"]),
}


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_a_dry_run_of_a_study_of_photographs_needs_the_names_of_its_classes_alone(clone, name):
    files, folders = PHOTOGRAPHS[name]
    for folder in folders:
        for label in range(10):
            (clone / "data" / folder / "train" / f"n{label}").mkdir(parents=True)
    found = counted("--configfile", *(f"config/{file}.yaml" for file in files), cwd=clone)
    assert (found["base_prior"], found["further_prior"]) == (1, 2)  # one of each replicate
    assert (found["prior_verdict"], found["prior_gate"]) == (1, 1)
    assert found["tuning"] == 1
    assert found.get("download", 0) == (not folders)
    assert found["weights"] == 1  # the extractor's


def test_a_run_without_its_data_stops_before_any_job_and_says_what_belongs_where(clone):
    done = snakemake("--cores", 1, "--configfile", "config/paper.yaml", cwd=clone)
    assert done.returncode != 0
    assert f"{clone}/data/imagenet: no such folder" in done.stdout
    assert "train/<wnid>/" in done.stdout
    assert "rule " not in done.stdout
    assert not (clone / "runs" / "paper" / "results").exists()


def test_a_changed_study_that_goes_by_the_defaults_name_is_refused(clone):
    (clone / "my.yaml").write_text("run: {seeds: [7]}\n", encoding="utf-8")
    done = snakemake("-n", "--configfile", "my.yaml", cwd=clone)
    assert done.returncode != 0
    assert "differs in run; name it" in done.stdout
    done = snakemake("-n", "--quiet", "--configfile", "my.yaml", "--directory", "other", cwd=clone)
    assert done.returncode == 0, done.stdout


def test_a_named_study_works_in_its_own_folder(clone):
    (clone / "my.yaml").write_text("study: mine\nrun: {seeds: [7]}\n", encoding="utf-8")
    done = snakemake("--cores", 1, "--configfile", "my.yaml", "--", "results/study.json", cwd=clone)
    assert done.returncode == 0, done.stdout
    assert (clone / "runs" / "mine" / "results" / "study.json").is_file()
    assert not (clone / "results").exists()


def test_a_preset_lies_between_the_default_and_a_study(clone):
    for part in ("train", "val"):
        for name in ("a", "b"):
            folder = clone / "images" / part / name
            folder.mkdir(parents=True)
            for number in range(20):
                (folder / f"{number}.png").touch()
    text = "study: mine\npreset: small\nrun: {ipc: [1, 5]}\ndatasets: {images: {root: images}}\n"
    (clone / "my.yaml").write_text(text, encoding="utf-8")
    found = counted("--configfile", "my.yaml", cwd=clone)
    assert (found["base_prior"], found["autoencoder"], found["ceiling"]) == (1, 1, 2)
    (clone / "my.yaml").write_text("study: mine\npreset: tiny\n", encoding="utf-8")
    done = snakemake("-n", "--configfile", "my.yaml", cwd=clone)
    assert done.returncode != 0
    assert "preset: 'tiny' is not known; allowed: small, medium, large, pretrained" in done.stdout


# A study that is extended.

#: One method on a tuned prior, at the sizes of the study of the tests.
SMALL = {
    "methods": ["dit", "rsm"],
    "ipc": [2],
    **LEFT_OUT,
    "seeds": [[0, 10], [1, 11]],
    "spectrum": {"ipc": 2, "curves": [{"source": "DiT", "method": "dit"}]},
}


#: A prior of three steps is useless.
GOES_ON = {"ipc": 2, "on_useless": "go-on"}


def laid_over(folder, **run):
    """The options of a study with other entries of ``run``."""
    config = yaml.safe_load((ROOT / "tests" / "configs" / "tiny.yaml").read_text("utf-8"))
    config["run"] = {**SMALL, "prior_check": GOES_ON, **run}
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return "--directory", folder, "--configfile", path


def test_further_replicates_and_sets_train_no_prior_anew(tmp_path):
    rsm = "rsm/lambda~0.005/lr~0.001"
    priors = [f"results/priors/digits/replicate~{seed}/{rsm}" for seed in (0, 1)]
    done = snakemake("--cores", 1, *laid_over(tmp_path), "--", *priors)
    assert done.returncode == 0, done.stdout
    third = counted(*laid_over(tmp_path, seeds=[[0, 10], [1, 11], [2, 12]]), cwd=ROOT)
    assert (third["further_prior"], third["tuned_prior"]) == (1, 1)
    for seeds in ([[0, 10, 20], [1, 11, 21]], [1]):
        found = counted(*laid_over(tmp_path, seeds=seeds), cwd=ROOT)
        assert found["sample"] > 0
        assert not {"base_prior", "further_prior", "tuned_prior", "autoencoder"} & found.keys()


# The verdict on the base prior.

BASE_SETS = "results/batches/samples/digits/base/0.json"
CORESETS = "results/batches/samples/digits/real/0.json"
RSM = "results/priors/digits/replicate~0/rsm/lambda~0.005/lr~0.001"
JUDGED = {"prior_images", "prior_verdict", "prior_gate"}


def rules_behind(folder, target, **run):
    """The rules whose jobs a target waits for, itself among them."""
    return counted(*laid_over(folder, **run), "--", target, cwd=ROOT).keys()


@pytest.mark.parametrize("target", [BASE_SETS, RSM])
def test_what_samples_from_the_base_prior_or_tunes_it_waits_for_the_verdict(tmp_path, target):
    assert rules_behind(tmp_path, target) >= JUDGED
    without = rules_behind(tmp_path, target, prior_check=None)
    assert not JUDGED & without
    assert "base_prior" in without


def test_the_verdict_waits_for_the_first_base_prior_and_coresets_for_no_verdict(tmp_path):
    behind = counted(*laid_over(tmp_path), "--", "results/metrics/prior/digits.json", cwd=ROOT)
    assert behind["base_prior"] == 1
    assert not {"further_prior", "sample", "tuned_prior"} & behind.keys()
    methods = ["dit", "rsm", "random"]
    assert not JUDGED & rules_behind(tmp_path, CORESETS, methods=methods)


def test_at_a_useless_prior_a_run_stops_says_why_and_samples_coresets_all_the_same(tmp_path):
    check = {"ipc": 2, "sets": 1, "weak": 0.9, "useless": 0.3, "on_useless": "stop"}
    study = laid_over(tmp_path, methods=["dit", "rsm", "random"], prior_check=check)
    done = snakemake("--cores", 1, *study)
    assert done.returncode != 0
    # What to take is told all the same.
    assert re.search(r"At IPC 2 take Random real images: [\d.]+ %", done.stdout)
    assert "digits: the base prior is useless to distil with" in done.stdout
    assert "Change datasets.digits.autoencoder.steps from 3 to 12" in done.stdout
    assert "run: {prior_check: {on_useless: go-on}}" in done.stdout
    assert "Traceback" not in done.stdout
    assert (tmp_path / "results/metrics/prior/digits.json").is_file()
    assert (tmp_path / CORESETS).is_file()
    assert not (tmp_path / BASE_SETS).exists()
