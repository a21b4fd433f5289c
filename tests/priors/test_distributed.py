"""A prior trained in two processes: for real, through the rule's script, on the CPU."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from lighthouse.parts.objectives import OBJECTIVES
from lighthouse.priors import processes
from lighthouse.priors.training import _share
from lighthouse.runtime.files import read_json, write_arrays
from lighthouse.runtime.job import Job
from repository import LIBRARY, ROOT

SCRIPT = ROOT / "workflow" / "scripts" / "prior.py"
TRAINING = {
    "steps": 40,
    "batch_size": 6,
    "learning_rate": 1e-2,
    "schedule": {"kind": "one-cycle", "warmup": 0.1},
    "gradient_clip": 1.0,
    "class_dropout": 0.3,
    "ema": 0.5,
    "tune": "full",
    "precision": "fp32",
    "gradient_checkpointing": False,
}


def arguments(folder, name, gpus, broken=()):
    """Arguments of the script for a toy prior; writes its data first, NaN for ``broken`` images."""
    rng = np.random.default_rng(0)
    latents = folder / "latents"
    latents.mkdir(exist_ok=True)
    images = rng.standard_normal((12, 2, 4, 4, 4), dtype=np.float32)
    images[list(broken)] = np.nan
    np.save(latents / "latents.npy", images)
    means = np.zeros((3, 4, 4, 4), np.float32)
    arrays = {"labels": np.arange(12) % 3, "class_means": means}
    write_arrays(latents / "means.safetensors", arrays, {"classes": ["ant", "bee", "cat"]})
    held_out = {"latents": rng.standard_normal((5, 4, 4, 4), dtype=np.float32)}
    write_arrays(latents / "held-out.safetensors", {**held_out, "labels": np.arange(5) % 3}, {})
    denoiser = {"layers": 2, "heads": 2, "head_dim": 8, "patch_size": 2, "learned_variance": True}
    job = Job(
        SimpleNamespace(latents=str(latents), pretrained=[]),
        SimpleNamespace(model=str(folder / name)),
        SimpleNamespace(
            objective="plain",
            make=OBJECTIVES["plain"].make,
            objective_options={},
            seed=0,
            denoiser=denoiser,
            training=TRAINING,
            classes=None,
            gpus=gpus,
            checkpoint_seconds=0,
            launch="plain",
            torch_threads=1,
        ),
        SimpleNamespace(),
        threads=1,
        log=str(folder / f"{name}.log"),
    )
    return job.arguments()


def start(folder, name, gpus, broken=()):
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    return subprocess.Popen(
        [sys.executable, SCRIPT, *arguments(folder, name, gpus, broken)],
        env={key: value for key, value in environment.items() if key != "RANK"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a group, as the terminal's is
    )


def finish(run):
    _, error = run.communicate(timeout=240)
    assert run.returncode == 0, error


def children(pid):
    """Ids of a process's children."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


#: What ends a job of two processes on its way, by whom it meets.
ENDINGS = {
    "the launcher": lambda run: run.kill(),
    "a process": lambda run: os.kill(children(run.pid)[1], signal.SIGKILL),
    "both": lambda run: [os.kill(worker, signal.SIGKILL) for worker in children(run.pid)],
    "the terminal": lambda run: os.killpg(run.pid, signal.SIGINT),
}


def end_at_work(folder, end, steps):
    """Start a job, end it when it has done so many steps, and return its status and words."""
    run, checkpoint, seen = start(folder, "two", 2), folder / "two.checkpoint", set()
    while len(seen) <= steps:  # each leaves a checkpoint, the first maybe that of another job
        assert run.poll() is None, run.communicate()
        if checkpoint.exists():
            seen.add(checkpoint.stat().st_mtime_ns)
        time.sleep(0.001)
    workers = children(run.pid)
    assert len(workers) == 2
    end(run)
    # Until none of them holds stderr open: none waits for ever for one that is gone.
    _, words = run.communicate(timeout=60)
    assert not any(Path(f"/proc/{worker}/exe").exists() for worker in workers)
    return run.returncode, words


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """The folder of a prior of two processes that was ended in each way, and how that went."""
    folder, steps = tmp_path_factory.mktemp("ended"), random.Random(0)
    found = {name: end_at_work(folder, end, steps.randrange(1, 8)) for name, end in ENDINGS.items()}
    finish(start(folder, "two", 2))
    return folder, found


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The prior of one process and that of two, neither of which was disturbed."""
    folder = tmp_path_factory.mktemp("priors")
    finish(start(folder, "one", 1))
    finish(start(folder, "two", 2))
    return folder


def test_two_processes_train_the_weights_of_one(trained):
    one, two = (
        load_file(trained / name / "diffusion_pytorch_model.safetensors") for name in ("one", "two")
    )
    # A bias of the keys shifts every logit of a softmax alike: its gradient is zero, and
    # what Adam makes of the rounding in its place means nothing.
    for name in [name for name in one if not name.endswith("to_k.bias")]:
        torch.testing.assert_close(two[name], one[name], atol=1e-5, rtol=0, msg=name)


def test_whichever_process_is_killed_the_next_job_goes_on_to_the_same_bytes(trained, ended):
    folder, _ = ended
    assert len(re.findall("going on from step", (folder / "two.log").read_text())) == len(ENDINGS)
    names = ("diffusion_pytorch_model.safetensors", "lighthouse.json")
    for name in names:
        assert (folder / "two" / name).read_bytes() == (trained / "two" / name).read_bytes()


@pytest.mark.parametrize("name", ENDINGS)
def test_a_job_of_two_processes_that_loses_one_ends(ended, name):
    status, _ = ended[1][name]
    assert status not in (0, None)


def test_two_processes_that_are_stopped_leave_no_trace_of_it(ended):
    status, words = ended[1]["the terminal"]
    assert status == 130
    assert "Traceback" not in words
    assert " stopped by SIGINT\n" in (ended[0] / "two.log").read_text()


def test_two_processes_record_the_losses_of_one(trained):
    one, two = (read_json(trained / name / "lighthouse.json") for name in ("one", "two"))
    assert two["losses"] == pytest.approx(one["losses"], abs=1e-5)
    assert (one["processes"], two["processes"]) == (1, 2)
    assert two["options"] == one["options"]


def test_one_of_two_processes_writes_and_logs(trained):
    left = {path.name for path in trained.iterdir()}
    assert left == {"latents", "one", "one.log", "two", "two.log"}
    (last,) = re.findall(
        r"plain prior, [\d,]+ of [\d,]+ parameters", (trained / "two.log").read_text()
    )
    assert last in (trained / "one.log").read_text()


def test_a_failure_in_one_process_ends_the_job_and_says_why_once(tmp_path):
    run = start(tmp_path, "two", 2, broken=[3])
    _, error = run.communicate(timeout=240)
    assert run.returncode != 0
    log = (tmp_path / "two.log").read_text()
    message = r"prior, step \d+: the loss is nan; worst output: that of training image 3\n"
    assert len(re.findall(message, log)) == 1
    assert not (tmp_path / "two").exists(), error


def test_a_batch_that_processes_cannot_share_is_refused():
    with pytest.raises(ValueError, match="batch_size 8 is not a multiple of the 3 processes"):
        _share(8, SimpleNamespace(num_processes=3, process_index=0))


def test_shares_are_a_batch_cut_in_order():
    parts = [_share(6, SimpleNamespace(num_processes=3, process_index=i)) for i in range(3)]
    assert [list(range(6))[part] for part in parts] == [[0, 1], [2, 3], [4, 5]]


def test_fewer_accelerators_than_asked_for_are_an_error(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(os, "execve", lambda *_: pytest.fail("started"))
    job = SimpleNamespace(params=SimpleNamespace(gpus=4))
    with pytest.raises(ValueError, match="4 accelerators are wanted, 1 can be seen"):
        processes.start_processes(job, "prior.py")


@pytest.mark.parametrize(
    ("gpus", "environment"), [(1, {}), (2, dict.fromkeys(("RANK", *processes.SIBLINGS), "0"))]
)
def test_a_job_of_one_process_and_one_that_was_spread_stay(monkeypatch, gpus, environment):
    monkeypatch.setattr(os, "execve", lambda *_: pytest.fail("started"))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    processes.start_processes(SimpleNamespace(params=SimpleNamespace(gpus=gpus)), "prior.py")
