"""The commands of ``benchmarks/``: what keeps them in time, and what they leave behind."""

import csv
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from contextlib import nullcontext
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from packaging.requirements import Requirement

from benchmarks import checks, gpu, limits, measure, sampling, students, study, wheels
from lighthouse.config import rows as config_rows
from lighthouse.config.batches import SCALED, TRIED, batches
from lighthouse.config.load import load_study
from lighthouse.diffusion.guided import GuidedDenoiser
from lighthouse.runtime.files import write_json
from repository import ROOT


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# Tables that grow.


def test_a_row_is_on_disk_as_soon_as_it_is_measured(tmp_path):
    table = measure.Table(tmp_path, "found", ("name", "seconds", "peak"))
    table.add(name="a", seconds=1 / 3, peak=None)
    assert rows(tmp_path / "found.csv") == [{"name": "a", "seconds": "0.3333", "peak": ""}]
    table.add(peak=2, name="b, c", seconds=12345.6)
    assert rows(tmp_path / "found.csv")[1] == {"name": "b, c", "seconds": "1.235e+04", "peak": "2"}
    with pytest.raises(ValueError, match="columns"):
        table.add(name="d")


# Commands that must end in time.


@pytest.fixture(autouse=True)
def hears():
    """Ctrl-C is heard: by tests in a shell's background it is not, nor by their children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def python(tmp_path, seconds, program, **options):
    command = [sys.executable, "-c", program, str(tmp_path)]
    return limits.run_for(seconds, command, tmp_path / "log", **options)


def test_a_command_says_how_it_ended(tmp_path):
    assert python(tmp_path, 60, "print('one')") == "done"
    assert python(tmp_path, 60, "print('two'); raise SystemExit(3)") == "failed (exit 3)"
    assert (tmp_path / "log").read_text().split() == ["one", "two"]


#: A command with a child that hears nothing, both of which write their ids.
DEAF = """
import os, signal, subprocess, sys, time
from pathlib import Path
folder = Path(sys.argv[1])
child = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(600)"
process = subprocess.Popen([sys.executable, "-c", child])
(folder / "ids.part").write_text(f"{os.getpid()} {process.pid}")
(folder / "ids.part").rename(folder / "ids")
try:
    time.sleep(600)
finally:
    (folder / "told").touch()
"""


def lives(number):
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_command_is_told_to_stop_and_none_of_its_children_is_left(tmp_path):
    ended = python(tmp_path, 5, DEAF, grace=5)
    assert ended == "stopped at its limit"
    assert (tmp_path / "told").exists()
    assert not [number for number in (tmp_path / "ids").read_text().split() if lives(number)]


#: A command that runs one in a group of its own, as part 4 does Snakemake.
NESTED = f"""
import sys
from pathlib import Path
from benchmarks import limits
limits.stop_when_told()
command = [sys.executable, "-c", {DEAF!r}, sys.argv[1]]
limits.run_for(600, command, Path(sys.argv[1]) / "inner", grace=1)
"""


def test_a_command_that_is_told_to_stop_stops_its_own_commands(tmp_path):
    assert python(tmp_path, 6, NESTED) == "stopped at its limit"
    assert not [number for number in (tmp_path / "ids").read_text().split() if lives(number)]


def test_a_command_goes_with_whoever_waits_for_it(tmp_path):
    def stop():
        if (tmp_path / "ids").exists():
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(limits, "MEANWHILE_SECONDS", 0.1)
        python(tmp_path, 60, DEAF, meanwhile=stop)
    assert not [number for number in (tmp_path / "ids").read_text().split() if lives(number)]


# The parts.


def test_operations_of_a_denoiser_are_those_that_are_published():
    """Peebles and Xie 2023, Tab. 1 and 4: 118.64 and 6.06 GFLOP, a multiply-add counted once."""
    assert sampling.gflop("dit-xl-2") / 2 == pytest.approx(118.64, rel=1e-3)
    assert sampling.gflop("dit-s-2") / 2 == pytest.approx(6.06, rel=1e-3)


def test_the_samplers_clock_starts_behind_the_steps_that_are_recorded(monkeypatch):
    asked, own = [], GuidedDenoiser.__call__

    def slow_at_first(denoiser, z, t, labels):
        asked.append(t)
        if t > 300:  # of six steps the first four, which are not timed
            time.sleep(0.2)
        return own(denoiser, z, t, labels)

    monkeypatch.setattr(GuidedDenoiser, "__call__", slow_at_first)
    model = sampling.model_of("dit-tiny", 10, "cpu")
    step = sampling.sampler_seconds(model, 2, "fp32", "graphs", 2, 1)
    assert len(asked) == 2 * (3 + 1 + 2)
    assert 0 < step < 0.05


def test_a_check_that_raises_is_a_failed_one_and_one_without_its_device_is_skipped():
    def broken(bench):
        raise RuntimeError("no")

    assert checks.outcome_of(checks.Check(broken), checks.TOY) == ("failed", "RuntimeError: no")
    assert checks.outcome_of(checks.Check(lambda _: (False, "far")), checks.TOY)[0] == "failed"
    if not torch.cuda.is_available():
        needy = checks.Check(broken, needs_gpu=True)
        assert checks.outcome_of(needy, checks.TOY) == ("skipped", "needs a GPU")


@pytest.mark.parametrize(
    ("fits", "says", "passes"),
    [
        (16, "micro_batch 64 does not fit in 3.0 GiB; 16 fits: set it", True),
        (16, "64 images do not fit; 16 fit: lower it", True),
        (8, "64 images do not fit; 16 fit: lower it", False),
        (0, "64 images do not fit; not even 1 fits", False),
        (64, "", False),
    ],
)
def test_a_lack_of_memory_must_be_told_with_a_size_that_runs(monkeypatch, fits, says, passes):
    monkeypatch.setattr(checks, "room", lambda gib: nullcontext())

    def run(size):
        if size > fits:
            raise MemoryError(says)

    assert checks._told(SimpleNamespace(prior=None), 1, 64, run)[0] == passes


def test_all_real_images_and_few_are_unpacked_from_an_archive(tmp_path):
    students.write_folder(tmp_path / "top" / "train", students.pictures(40, 8), ".jpg")
    students.write_folder(tmp_path / "top" / "val", students.pictures(20, 8), ".jpg")
    (tmp_path / "top" / "SOURCE.json").write_text("{}")
    with tarfile.open(tmp_path / "set.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "top", "top")
    root = study.unpack(tmp_path / "set.tar.gz", tmp_path / "all", None)
    assert root == tmp_path / "all" / "top"
    assert len(list(root.glob("train/*/*.jpg"))) == 40
    assert len(list(root.glob("val/*/*.jpg"))) == 20
    few = study.unpack(tmp_path / "set.tar.gz", tmp_path / "few", 3)
    assert len(list(few.glob("train/*/*.jpg"))) == 30
    assert len(list(few.glob("val/*/*.jpg"))) == 20


@pytest.mark.parametrize("toy", [False, True])
def test_the_study_is_valid_whole_and_with_its_first_methods_alone(tmp_path, toy):
    study.write_folder(tmp_path / "train", students.pictures(10, 8), ".jpg")
    config = study.config_of(tmp_path, None, toy)
    whole = load_study(config, ROOT)
    assert whole.run["methods"][0] == whole.run["comparisons"]["base"] == "dit"
    for count in range(1, len(whole.run["methods"]) + 1):
        some = load_study(study.limited_to(config, whole.run["methods"][:count]), ROOT)
        assert len(some.run["methods"]) == count
        # What a method's first sets carry they carry in every later call.
        assert records(some) <= records(whole)
    by_network = [f"students/{name}/igd-short" for name in some.run["students"]]
    assert sorted(study.targets_of(some)) == sorted(
        [
            *(
                f"results/{stage}/nette64/{ceiling}.json"
                for stage in by_network
                for ceiling in ("full", "reconstructed")
            ),
            *(
                f"results/batches/{stage}/nette64/{batch.name}.json"
                for stage in (*by_network, "metrics")
                for batch in batches(some)
                if batch.kind not in (TRIED, SCALED)
            ),
        ]
    )
    assert set(study.targets_of(some)) <= set(study.targets_of(whole))
    assert set(some.cells) < set(whole.cells)


def records(study):
    """The records of students and sets that a study's tables have, with their stamps."""
    found = [*config_rows.student_records(study), *config_rows.set_records(study, study.cells)]
    return {(record.path, record.stamp) for record in found}


def test_a_method_is_finished_when_its_students_and_its_metrics_have_the_studys_stamps(tmp_path):
    study.write_folder(tmp_path / "train", students.pictures(10, 8), ".jpg")
    config = study.config_of(tmp_path, None, toy=True)
    whole = load_study(study.limited_to(config, config["run"]["methods"]), ROOT)
    expected = [*config_rows.student_records(whole), *config_rows.set_records(whole, whole.cells)]
    own = [record for record in expected if record.row["method"] == "cgs"]
    assert len(own) == 2 * len(whole.run["ipc"])
    for record in own:
        assert not study.is_finished(whole, "cgs", tmp_path)
        write_json(tmp_path / record.path, {"stamp": record.stamp})
    assert study.is_finished(whole, "cgs", tmp_path)
    assert not study.is_finished(whole, "dit", tmp_path)
    write_json(tmp_path / own[0].path, {"stamp": "of another study"})
    assert not study.is_finished(whole, "cgs", tmp_path)


def test_the_studys_extractor_may_be_one_with_given_weights(tmp_path):
    study.write_folder(tmp_path / "train", students.pictures(10, 8), ".jpg")
    config = study.config_of(tmp_path, tmp_path / "weights.safetensors", toy=True)
    extractor = load_study(config, ROOT).dataset("nette64")["extractor"]
    assert extractor["weights"] == str(tmp_path / "weights.safetensors")


def test_the_studys_minutes_may_go_to_the_rows_of_one_prior(tmp_path):
    study.write_folder(tmp_path / "train", students.pictures(10, 8), ".jpg")
    over = [ROOT / "config" / "one_prior.yaml"]
    whole = load_study(study.config_of(tmp_path, None, toy=False, over=over), ROOT)
    assert whole.replicates == {0: [0, 1, 2]}
    assert whole.run["students"] == ["convnet4"]
    assert (
        whole.run["methods"]
        == load_study(study.config_of(tmp_path, None, False), ROOT).run["methods"]
    )


# Wheels.


def test_what_a_box_lacks_is_what_it_takes_without_what_the_box_has(monkeypatch):
    asked = {
        "a": ["b>=1", "c[fast]; python_version >= '3.12'", "old; python_version < '3.12'"],
        "b": ["Has", "d"],
        "c": ["e; extra == 'fast'", "f; extra == 'slow'"],
        "d": ["a"],
        "e": None,
        "has": ["g"],
    }

    def requires(name):
        if name not in asked:
            raise PackageNotFoundError(name)
        return asked[name]

    monkeypatch.setattr(wheels, "requires", requires)
    found = wheels.needs([Requirement("a==1")], {"has"}, "3.12")
    assert sorted(found) == ["a", "b", "c", "d", "e"]
    with pytest.raises(SystemExit, match="g is not installed"):
        wheels.needs([Requirement("a==1")], set(), "3.12")


def test_wheels_bring_what_the_workflow_needs_beside_torch():
    found = wheels.needs(wheels.project(), set(wheels.IMAGE.split()), "3.12")
    assert {"snakemake", "diffusers", "jsonschema"} <= set(found)
    assert not {"torch", "numpy", "huggingface-hub"} & set(found)


# All of it, at toy size.


@pytest.mark.workflow
def test_three_parts_at_toy_size_leave_their_tables(tmp_path):
    out = tmp_path / "out"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    words = ["--toy", "--parts", "1", "2", "3", "--limits", "600", "600", "600"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu", "--out", str(out), "--commit", "abc", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    names = ["checks.csv", "guidance.csv", "logs.tar.gz", "sampling.csv", "students.csv"]
    assert sorted(path.name for path in out.iterdir()) == [*names, "summary.json"]
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert (summary["commit"], summary["toy"]) == ("abc", True)
    assert summary["versions"]["torch"]
    assert [(part["name"], part["outcome"]) for part in summary["parts"]] == [
        ("checks", "done"),
        ("sampling", "done"),
        ("students", "done"),
    ]
    found = {row["name"]: row["outcome"] for row in rows(out / "checks.csv")}
    assert list(found) == list(checks.ALL)
    assert "failed" not in found.values()
    columns = {"sampling": sampling.SAMPLING, "guidance": sampling.GUIDANCE}
    for name, expected in {**columns, "students": students.STUDENTS}.items():
        assert tuple(rows(out / f"{name}.csv")[0]) == expected
    ways = [(row["way"], row["launch"], row["precision"]) for row in rows(out / "sampling.csv")]
    ours = [("lighthouse", "plain"), *([("lighthouse", "graphs")] * torch.cuda.is_available())]
    assert ways[:-1] == [
        (*way, precision)
        for way in (*ours, ("diffusers", "plain"))
        for precision in ("bf16", "fp32")
    ]
    assert ways[-1] == ("peers", "plain", "fp32")
    assert all(float(row["seconds_per_image"]) > 0 for row in rows(out / "sampling.csv"))
    ways = [(row["way"], row["processes"], row["at_once"]) for row in rows(out / "students.csv")]
    assert ways == [
        ("lighthouse", "1", "1"),
        ("plain", "1", "1"),
        ("lighthouse", "2", "1"),
        ("lighthouse", "1", "3"),
    ]
    assert all(float(row["images_per_s"]) > 0 for row in rows(out / "students.csv"))
    with tarfile.open(out / "logs.tar.gz") as tar:
        assert tar.getnames() == ["1-checks.log", "2-sampling.log", "3-students.log"]


def test_a_part_that_fails_or_hangs_keeps_no_other_from_its_turn(tmp_path, monkeypatch):
    programs = {1: "raise SystemExit(2)", 2: "import time; time.sleep(600)", 3: "print('here')"}

    def command(number, given, limit):
        return [sys.executable, "-c", programs[number]]

    monkeypatch.setattr(gpu, "command_of", command)
    monkeypatch.setattr(gpu, "stop_when_told", lambda: None)  # this process is pytest's
    monkeypatch.setattr(sys, "argv", ["gpu", "--out", str(tmp_path), "--parts", "1", "2", "3"])
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--limits", "60", "1", "60"])
    with pytest.raises(SystemExit) as ended:
        gpu.main()
    assert ended.value.code == 1
    parts = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))["parts"]
    outcomes = [part["outcome"] for part in parts]
    assert outcomes == ["failed (exit 2)", "stopped at its limit", "done"]


def test_part_four_is_told_its_data_and_when_to_end(tmp_path):
    given = SimpleNamespace(out=tmp_path, toy=False, data=Path("/data/set.tar.gz"))
    given.weights, given.over = None, [Path("/one.yaml"), Path("/two.yaml")]
    words = gpu.command_of(4, given, 480)
    assert words[words.index("--limit") + 1] == str(480 - gpu.STUDY_MARGIN)
    assert words[words.index("--data") + 1] == "/data/set.tar.gz"
    assert words[words.index("--over") + 1 :] == ["/one.yaml", "/two.yaml"]
    assert "--weights" not in words


def test_seconds_are_a_median_after_one_that_warms_up():
    pauses = iter([0.3, 0.0, 0.05, 0.0])
    assert measure.seconds(lambda: time.sleep(next(pauses)), 3) < 0.04
