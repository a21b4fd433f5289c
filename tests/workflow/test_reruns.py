"""What an edit of a finished study runs again: all that it must, in one call, and nothing else."""

import re
import shutil

import pytest
import yaml

from lighthouse.runtime.files import read_json
from running import snakemake

RSM = "results/batches/samples/digits/rsm/lambda~0/lr~0.001/0.json"


@pytest.fixture
def run(reference, tmp_path):
    """A function that runs the small study with an edit, and gives what Snakemake says."""

    def run(edit, *arguments, folder=reference):
        path = tmp_path / "edit.yaml"
        path.write_text(yaml.safe_dump(edit))
        files = "--configfile", "tests/configs/tiny.yaml", path
        done = snakemake("--cores", "2", *files, "--directory", folder, *arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout

    return run


@pytest.fixture
def copy(reference, tmp_path):
    """The finished study, to be changed."""
    return shutil.copytree(reference, tmp_path / "study", symlinks=True)


def jobs(said):
    """Jobs by rule of a dry run."""
    return {name: int(n) for name, n in re.findall(r"^(\w+) +(\d+)$", said, re.MULTILINE)}


def of(**options):
    return {"datasets": {"digits": options}}


STEPS = of(sampler={"steps": 4})


@pytest.mark.parametrize(
    ("edit", "some", "none"),
    [
        (STEPS, {"prior_verdict", "sample", "student"}, {"tuned_prior", "base_prior", "ceiling"}),
        # Behind a verdict that is due as well.
        ({**of(tuning={"steps": 3}), "run": {"prior_check": {"weak": 0.8}}},
         {"prior_verdict", "tuned_prior", "sample"}, {"base_prior", "ceiling"}),
        ({"run": {"prior_check": {"weak": 0.8}}}, {"prior_verdict"}, {"tuned_prior", "ceiling"}),
        (of(classifier={"epochs": 2}), {"classifier", "sample"}, {"prior_verdict", "ceiling"}),
        (of(sampler={"micro_batch": 40}, surrogate={"threshold": 0.6}),
         {"surrogate", "sample"}, {"ceiling", "tuned_prior"}),
    ],
)  # fmt: skip
def test_an_edit_is_followed_in_one_call_behind_a_verdict_too(run, edit, some, none):
    found = jobs(run(edit, "-n", "--quiet", "rules"))
    assert (some - found.keys(), none & found.keys()) == (set(), set())


def test_all_samples_are_asked_for_where_only_some_were_before(run):
    edited = {**STEPS, "run": {"prior_check": {"weak": 0.8}}}
    assert jobs(run(edited, "-n", "--quiet", "rules")) == jobs(run(STEPS, "-n", "--quiet", "rules"))


def test_a_prior_is_tuned_anew_where_its_base_was_and_the_run_then_ended(run, copy):
    run(of(base={"steps": 4}), "results/priors/digits/replicate~0/base", folder=copy)
    edit = of(base={"steps": 4}) | {"run": {"prior_check": {"weak": 0.8}}}
    said = run(edit, "-n", "--quiet", "rules", "--", RSM, folder=copy)
    assert jobs(said)["tuned_prior"] == jobs(said)["further_prior"] + 1 == 2


def test_another_verdict_on_the_same_prior_makes_nothing_anew(run, copy):
    kept = sorted(copy.glob("results/priors/**/*.safetensors"))
    kept += sorted(copy.glob("results/samples/**/*.*"))
    before = [path.stat().st_mtime_ns for path in kept]
    edit = {"run": {"prior_check": {"weak": 0.8}}}
    said = run(edit, RSM, folder=copy)
    assert "rule prior_verdict" in said and "0 done" in said
    assert [path.stat().st_mtime_ns for path in kept] == before
    assert "Nothing to be done" in run(edit, "-n", RSM, folder=copy)


def test_a_gathered_file_that_is_lost_is_sampled_anew_by_one_run(run, copy):
    edit = of(sampler={"classes_per_job": 5})
    run(edit, RSM, folder=copy)
    record = read_json(copy / RSM)
    lost, *others = [path.replace("record.json", "images.safetensors") for path in record["made"]]
    before, times = (copy / lost).read_bytes(), [(copy / p).stat().st_mtime_ns for p in others]
    assert others
    (copy / lost).unlink()
    run(edit, RSM, folder=copy)
    assert (copy / lost).read_bytes() == before
    assert read_json(copy / RSM) == record
    assert [(copy / path).stat().st_mtime_ns for path in others] == times
