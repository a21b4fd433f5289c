"""Two runs of a study beside each other, and a run beside digests that were kept."""

import subprocess
import sys

import numpy as np
import pytest

from lighthouse import digests
from lighthouse.compare import main, same_study
from lighthouse.results import is_clock, read_results
from lighthouse.runtime.files import read_json, write_json, write_tensors
from lighthouse.tables import write_rows
from repository import ROOT

MACHINE = {
    "processor": "Xeon",
    "vectors": ["avx2"],
    "torch_vectors": "AVX2",
    "portable": True,
    "gpu": None,
    "driver": None,
}


def write_run(folder, top1=(80.0, 90.0), verdict="better", claim="holds", weight=1.0, **more):
    """A run of an invented study, in which some things may be other."""
    cell = {"dataset": "digits", "ipc": 1, "student": "convnet2", "protocol": "digits"}
    runs = [
        {**cell, "method": method, "seed": 0, "top1_last": value, "status": "measured"}
        for method, value in zip(("dit", "cgs"), top1, strict=True)
    ]
    tables = folder / "tables"
    write_rows(tables / "runs.csv", runs)
    compared = {**cell, "method": "cgs", "against": "dit", "p": 0.01, "verdict": verdict}
    write_rows(tables / "significance.csv", [compared])
    write_rows(tables / "claims.csv", [{"name": "cgs-helps", "difference": 10.0, "verdict": claim}])
    seconds = more.get("seconds", 1.5)
    write_rows(tables / "cost.csv", [{**cell, "method": "cgs", "seconds_per_image": seconds}])
    machine = {**MACHINE, "processor": more.get("processor", "Xeon")}
    study = {
        "config": {"run": {"seeds": more.get("seeds", [0])}, "study": more.get("study", "default")},
        "methods": [{"method": "cgs", "prior": more.get("prior", "base")}],
        "versions": {"torch": "2.15.0"},
        "machine": machine,
    }
    write_json(folder / "study.json", study)
    for stage in ("samples", "priors"):
        path = folder / stage / "x.safetensors"
        write_tensors(path, {"x": np.full(3, weight)}, {"machine": machine})
    return folder


@pytest.fixture
def compare(tmp_path, capsys):
    """A function that compares a run with one that is other: the exit status, and the lines."""

    def run(**other):
        one, two = write_run(tmp_path / "a"), write_run(tmp_path / "b", **other)
        status = main([str(one), str(two)])
        return status, [line.strip() for line in capsys.readouterr().out.splitlines()]

    return run


def test_two_equal_runs_agree_in_all(compare):
    status, lines = compare()
    assert status == 0
    assert {"the same options", "runs: equal, 2 rows", "all agree"} <= set(lines)
    assert {"samples: 1 of 1 files equal to the byte", "priors: 1 of 1 files equal to the byte"} < {
        *lines
    }
    assert lines.count("Xeon (torch with AVX2, portable)") == 2


def test_numbers_that_differ_are_counted_and_measured(compare):
    status, lines = compare(top1=(80.0, 94.0))
    assert status == 0
    assert "top1_last: 1 of 2 differ, by 4 on average, 4 at most" in lines
    assert not any(line.startswith("status:") for line in lines)


def test_a_number_beside_none_differs_without_a_size(compare):
    assert "top1_last: 1 of 2 differ" in compare(top1=(80.0, float("nan")))[1]


def test_what_the_clock_said_stands_apart(compare):
    status, lines = compare(seconds=2.0)
    assert status == 0
    assert "cost: equal but for the clock, 1 rows" in lines
    assert "clock, seconds_per_image: 1 of 1 differ, by 0.5 on average, 0.5 at most" in lines


@pytest.mark.parametrize(
    ("other", "line"),
    [
        (
            {"verdict": "worse"},
            "significance: digits cgs 1 convnet2 digits dit: better | worse",
        ),
        ({"claim": "undecided"}, "claims: cgs-helps: holds | undecided"),
    ],
)
def test_a_verdict_that_flips_is_named_and_is_the_exit_status(compare, other, line):
    status, lines = compare(**other)
    assert status == 1
    assert line in lines
    assert "Verdicts: 1 of 2 flip (A | B)" in lines


def test_tensors_are_compared_by_their_bytes_on_whatever_machine(compare):
    assert "samples: 1 of 1 files equal to the byte" in compare(processor="EPYC")[1]
    assert "samples: 0 of 1 files equal to the byte" in compare(weight=1.0 + 1e-12)[1]


def test_options_that_differ_are_named_and_the_studys_name_is_none(compare):
    lines = compare(seeds=[0, 1], prior="rsm", study="other", processor="EPYC")[1]
    assert "config.run.seeds: [0] | [0, 1]" in lines
    assert "methods.cgs.prior: base | rsm" in lines
    assert not any("other" in line for line in lines)


def test_a_row_of_one_run_alone_is_counted(compare, tmp_path):
    compare()
    write_rows(tmp_path / "b" / "tables" / "runs.csv", [{"dataset": "digits", "method": "dit"}])
    one, two = (read_results(tmp_path / name) for name in "ab")
    del two.tables["claims"]
    assert same_study(one, two) == []
    lines = [*digests.agreement(digests.kept(one), digests.kept(two))]
    assert "  another: tables/runs" in lines
    assert "1 in one of the two alone" in lines
    assert main([str(tmp_path / "a"), str(tmp_path / "b")]) == 0


def test_tables_alone_are_a_run_too_whose_study_is_not_told(tmp_path, capsys):
    run = write_run(tmp_path / "a")
    assert main([str(run), str(run / "tables")]) == 0
    said = capsys.readouterr().out
    assert "not told: study.json is not in both" in said
    assert "runs: equal, 2 rows" in said
    assert "none in both" in said


def test_a_machine_of_which_some_jobs_say_less_is_named_once(tmp_path):
    run = write_run(tmp_path / "a")
    for name, machine in (
        ("y", {**MACHINE, "torch_vectors": None}),
        ("z", {**MACHINE, "gpu": "H100", "driver": "595.10"}),
        ("w", {**MACHINE, "processor": "EPYC", "torch_vectors": None}),
    ):
        write_tensors(run / f"{name}.safetensors", {"x": np.zeros(1)}, {"machine": machine})
    said = [digests.machine_in_words(one) for one in read_results(run).machines]
    assert said == ["EPYC (portable)", "Xeon (torch with AVX2, portable, H100, driver 595.10)"]


def test_a_folder_without_tables_is_told_in_one_line(tmp_path, capsys):
    assert main([str(write_run(tmp_path / "a")), str(tmp_path / "none")]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert f"{tmp_path / 'none'}: no folder of results" in told


def test_both_commands_run_from_the_repository_without_torch():
    program = (
        "import lighthouse, lighthouse.compare, lighthouse.digests, sys\n"
        "assert lighthouse.__version__\n"
        "print(sorted({'torch', 'numpy', 'pandas'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, env={}
    )
    assert done.stdout == "[]\n", done.stderr


def test_columns_of_the_clock_are_known_by_their_names():
    columns = ("seconds_per_image", "tuning_seconds", "seconds", "peak_host_gib", "device")
    assert all(map(is_clock, columns))
    assert not any(map(is_clock, ("seed", "top1_last", "evaluations_per_image", "threads")))


# Digests that were kept.


@pytest.fixture
def beside(tmp_path, capsys):
    """A function that sets a run, which is other, beside the digests of one: its lines."""

    def run(**other):
        file = tmp_path / "kept.json"
        digests.main([str(write_run(tmp_path / "a")), "--write", str(file)])
        digests.main([str(write_run(tmp_path / "b", **other)), "--against", str(file)])
        return capsys.readouterr().out.splitlines()

    return run


def test_a_run_with_the_same_bytes_agrees_on_another_machine_and_at_another_speed(beside):
    lines = beside(processor="EPYC", seconds=3.0)
    assert lines[:2] == [
        "kept: Xeon (torch with AVX2, portable); torch 2.15.0",
        "here: EPYC (torch with AVX2, portable); torch 2.15.0",
    ]
    assert lines[-1] == "The two agree to the byte."


@pytest.mark.parametrize(
    ("other", "line"),
    [({"top1": (80.0, 90.1)}, "tables: 3 of 4 equal"), ({"weight": 2.0}, "samples: 0 of 1 equal")],
)
def test_a_run_with_other_bytes_is_told_and_is_no_failure(beside, other, line):
    lines = beside(**other)
    assert line in lines
    assert lines[-1] == "The two differ."


def test_the_kept_file_names_what_made_it():
    made = read_json(ROOT / "tests" / "digests" / "tiny.json")["made"]
    assert all(machine["processor"] and machine["portable"] for machine in made["machines"])
    assert made["versions"]["torch"]
