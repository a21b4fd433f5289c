"""Files, seeds, code digests, logs: what every stage leans on."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from snakemake.iocontainers import InputFiles, Params

from lighthouse.runtime.bytecode import keep_bytecode
from lighthouse.runtime.files import (
    read_about,
    read_arrays,
    read_json,
    read_tensors,
    whole,
    write_json,
    write_tensors,
)
from lighthouse.runtime.job import Job, progress
from lighthouse.runtime.provenance import provenance
from lighthouse.runtime.rng import derive_seed, generator, image_generators
from repository import LIBRARY

# Whole or not at all.


def test_a_file_appears_under_its_name(tmp_path):
    with whole(tmp_path / "new" / "a.txt") as beside:
        beside.write_text("x")
        assert not (tmp_path / "new" / "a.txt").exists()
    assert (tmp_path / "new" / "a.txt").read_text() == "x"
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a.txt"]


def test_after_an_exception_the_old_file_stays_and_nothing_else(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(KeyError), whole(tmp_path / "a.txt") as beside:
        beside.write_text("half")
        raise KeyError
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "old")]


def test_after_an_exception_the_old_folder_stays_and_nothing_else(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "old").touch()
    with pytest.raises(KeyError), whole(tmp_path / "a") as beside:
        beside.mkdir()
        (beside / "half").touch()
        raise KeyError
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")) == ["a", "a/old"]


def test_a_folder_replaces_an_older_one(tmp_path):
    for name in ("old", "new"):
        with whole(tmp_path / "a") as beside:
            beside.mkdir()
            (beside / name).touch()
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")) == ["a", "a/new"]


def test_a_suffix_is_kept_while_writing(tmp_path):
    with whole(tmp_path / "figure.png") as beside:
        assert beside.suffix == ".png"
        beside.touch()


def test_json_comes_back_and_refuses_nan(tmp_path):
    write_json(tmp_path / "a.json", {"λ": [1, 2.5]})
    assert read_json(tmp_path / "a.json") == {"λ": [1, 2.5]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "b.json", {"x": float("nan")})
    assert not (tmp_path / "b.json").exists()


@pytest.mark.parametrize("make", [torch.arange, np.arange], ids=["torch", "numpy"])
def test_tensors_come_back_with_their_record(tmp_path, make):
    write_tensors(tmp_path / "a.safetensors", {"x": make(6).reshape(2, 3)}, {"classes": ["é"]})
    assert read_arrays(tmp_path / "a.safetensors")["x"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert read_tensors(tmp_path / "a.safetensors")["x"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert read_about(tmp_path / "a.safetensors") == {"classes": ["é"]}


def test_a_tensor_that_lies_across_memory_is_written_as_it_reads(tmp_path):
    write_tensors(tmp_path / "a.safetensors", {"x": torch.arange(6).reshape(2, 3).T}, {})
    assert read_arrays(tmp_path / "a.safetensors")["x"].tolist() == [[0, 3], [1, 4], [2, 5]]


def test_an_array_that_lies_across_memory_is_written_as_it_reads(tmp_path):
    write_tensors(tmp_path / "a.safetensors", {"x": np.arange(6).reshape(2, 3).T}, {})
    assert read_arrays(tmp_path / "a.safetensors")["x"].tolist() == [[0, 3], [1, 4], [2, 5]]


# Seeds.


@pytest.mark.parametrize(
    ("names", "seed"),
    [
        (("image", 0, "digits", "3", 7), 6674804008976842253),
        (("student", 0), 3687042194240982621),
        ((), 8238016292129134938),
    ],
)
def test_derived_seeds_are_frozen(names, seed):
    assert derive_seed(*names) == seed


def test_a_derived_seed_fits_in_63_bits():
    assert all(0 <= derive_seed("x", i) < 2**63 for i in range(1000))


def test_names_do_not_run_into_each_other():
    assert derive_seed("a", 11) != derive_seed("a", 1, 1)
    assert derive_seed("ab") != derive_seed("a", "b")


def test_a_generator_gives_the_frozen_draws():
    found = torch.randint(1000, (4,), generator=generator("student", 0)).tolist()
    assert found == FROZEN_DRAWS


FROZEN_DRAWS = [917, 299, 651, 896]


def test_an_images_generator_does_not_depend_on_its_neighbours():
    (alone,) = image_generators(0, "digits", "3", [7])
    among = image_generators(0, "digits", "3", range(10))[7]
    assert torch.equal(alone.get_state(), among.get_state())


# Bytecode.


def test_bytecode_goes_to_its_own_folder_where_python_may_write_none(tmp_path):
    environment = {"PYTHONDONTWRITEBYTECODE": "1"}
    keep_bytecode(environment, tmp_path)
    assert environment == {"PYTHONPYCACHEPREFIX": str(tmp_path.resolve())}


def test_bytecode_stays_beside_the_sources_by_default(tmp_path):
    environment = {}
    keep_bytecode(environment, tmp_path)
    assert environment == {}


# Jobs.

SCRIPT = '''"""Rule `toy`: a script."""
from lighthouse.runtime.job import start
job = start(globals().get("snakemake"))
{body}
'''


def by_hand(tmp_path, body, *arguments, **environment):
    path = tmp_path / "toy.py"
    path.write_text(SCRIPT.format(body=body))
    return subprocess.run(
        [sys.executable, path, *arguments],
        env={**os.environ, "PYTHONPATH": str(LIBRARY), **environment},
        capture_output=True,
        text=True,
    )


def test_a_number_that_is_not_finite_is_logged_in_one_line(tmp_path):
    result = by_hand(tmp_path, "raise FloatingPointError('step 3: the loss is nan')")
    (line,) = result.stderr.splitlines()
    assert line.endswith(" step 3: the loss is nan")
    assert result.returncode == 1


def test_what_does_not_fit_into_memory_is_logged_in_one_line_if_that_says_it(tmp_path):
    result = by_hand(tmp_path, "raise MemoryError('16 images fit')")
    (line,) = result.stderr.splitlines()
    assert line.endswith(" 16 images fit")
    assert "Traceback" in by_hand(tmp_path, "raise MemoryError").stderr


def test_another_exception_is_logged_with_its_traceback(tmp_path):
    result = by_hand(tmp_path, "1 / 0")
    assert "Traceback" in result.stderr
    assert "ZeroDivisionError" in result.stderr
    assert result.returncode == 1


def test_a_job_that_ends_looks_through_nothing_for_cycles(tmp_path):
    # What is registered first is called last.
    (tmp_path / "sitecustomize.py").write_text(
        "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count() > 1000))"
    )
    result = by_hand(tmp_path, "job.done('it')", PYTHONPATH=f"{tmp_path}:{LIBRARY}")
    assert (result.returncode, result.stdout) == (0, "True\n")


def test_a_log_that_the_disk_takes_no_more_of_is_told_once_and_stops_nothing(tmp_path):
    body = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (50, 50)); "
        "[job.done(what + 40 * '-') for what in ('one', 'two', 'three')]"
    )
    result = by_hand(tmp_path, body, "--log", str(tmp_path / "log"))
    assert result.returncode == 0
    told = [line for line in result.stderr.splitlines() if "---" not in line]
    assert told == [
        f"{tmp_path / 'log'}: larger than a file may be here; raise the limit (ulimit -f), and the "
        "same command goes on"
    ]
    assert [word in result.stderr for word in (" one-", " two-", " three-")] == [True] * 3


def test_a_log_that_cannot_be_opened_is_told_in_one_line(tmp_path):
    (tmp_path / "log").mkdir()
    result = by_hand(tmp_path, "", "--log", str(tmp_path / "log"))
    assert result.stderr.splitlines() == [
        f"{tmp_path / 'log'}: a folder stands where a file is needed; move it away, and the same "
        "command goes on"
    ]


def test_a_place_that_may_not_be_read_is_told_in_one_line(tmp_path):
    """Root may read everything; a folder in the place of a file nobody may."""
    (tmp_path / "record").mkdir()
    result = by_hand(tmp_path, f"open({str(tmp_path / 'record')!r})")
    (line,) = result.stderr.splitlines()
    assert line.endswith(
        f"{tmp_path / 'record'}: a folder stands where a file is needed; move it "
        "away, and the same command goes on"
    )


def test_a_script_runs_by_hand_with_plain_arguments(tmp_path):
    body = "print(job.input.x, job.params.steps + 1, job.params.parts['val'], job.threads)"
    arguments = ["--input", "x=a=b.txt", "--param", "steps=3", "--param", 'parts={"val": 2}']
    result = by_hand(tmp_path, body, *arguments, "--threads", "3")
    assert result.stdout.split() == ["a=b.txt", "4", "2", "3"], result.stderr


#: Values that a shell, JSON or a reader of numbers could take for others.
VALUES = {
    "word": "1e3",
    "digest": "0123456789012345",
    "path": "a=b c'\"é.txt",
    "rate": 1e-3,
    "third": 1 / 3,
    "steps": 3,
    "none": None,
    "flag": False,
    "pairs": [[1, 60], [5, 45]],
    "nested": {"a": {"b": []}},
}


def test_a_job_is_the_same_after_it_was_put_into_arguments(tmp_path):
    inputs, params = SimpleNamespace(x="x", many=["y", "z"], none=[]), SimpleNamespace(**VALUES)
    wildcards = SimpleNamespace(lr="1e-3")
    job = Job(inputs, SimpleNamespace(), params, wildcards, 3, str(tmp_path / "log"))
    body = (
        "import json; print(json.dumps([vars(job.input), vars(job.output), vars(job.params), "
        "vars(job.wildcards), job.threads, job.log]))"
    )
    found = json.loads(by_hand(tmp_path, body, *job.arguments()).stdout)
    expected = [vars(inputs), {}, VALUES, vars(wildcards), 3, str(tmp_path / "log")]
    assert found == expected


def test_what_snakemake_named_goes_into_the_arguments():
    inputs = InputFiles(fromdict={"latents": "l", "pretrained": []})
    params = Params(fromdict={"training": {"steps": 3}, "gpus": 2})
    job = Job(inputs, SimpleNamespace(), params, SimpleNamespace(), 1)
    assert job.arguments() == [
        *("--input", 'latents="l"', "--input", "pretrained=[]"),
        *("--param", 'training={"steps": 3}', "--param", "gpus=2"),
        *("--threads", "1"),
    ]


def test_a_log_by_hand_goes_on_behind_what_it_holds(tmp_path):
    (tmp_path / "log").write_text("before\n")
    by_hand(tmp_path, "job.done('ten sets')", "--log", str(tmp_path / "log"))
    before, after = (tmp_path / "log").read_text().splitlines()
    assert before == "before"
    assert " ten sets (" in after


def test_of_several_processes_the_first_speaks_and_the_others_of_errors_alone(tmp_path):
    body = "from lighthouse.runtime.job import is_main; print(is_main()); job.done('sets'); 1 / 0"
    first, second = (by_hand(tmp_path, body, RANK=rank) for rank in "01")
    assert (first.stdout, second.stdout) == ("True\n", "False\n")
    assert " sets (" in first.stderr
    assert " sets (" not in second.stderr
    assert "ZeroDivisionError" in second.stderr


def test_a_jobs_threads_reach_the_libraries(tmp_path):
    body = "import os; print(os.environ['OMP_NUM_THREADS'], os.environ['MKL_NUM_THREADS'])"
    assert by_hand(tmp_path, body, "--threads", "3").stdout.split() == ["3", "3"]


def test_a_fixed_number_of_threads_holds_whatever_was_granted(tmp_path):
    body = "print(job.threads)"
    arguments = ["--threads", "3", "--param", "torch_threads=2"]
    assert by_hand(tmp_path, body, *arguments).stdout.split() == ["2"]


def test_the_last_word_says_what_was_made(tmp_path):
    (line,) = by_hand(tmp_path, "job.done('ten sets')").stderr.splitlines()
    assert " ten sets (" in line
    assert line.endswith(" GiB)")


def test_progress_gives_the_items_and_ends_in_a_line_of_the_log(caplog):
    caplog.set_level("INFO", logger="lighthouse")
    assert list(progress(range(3), "toy")) == [0, 1, 2]
    last = caplog.messages[-1]
    assert last.startswith("toy: 100%")
    assert "3/3" in last
    assert not {"\r", "\n"} & set("".join(caplog.messages))


def test_the_record_of_a_result_holds_its_options_and_the_versions():
    record = provenance(steps=3)
    assert record["options"] == {"steps": 3}
    assert record["versions"]["torch"] == torch.__version__
    json.dumps(record)
