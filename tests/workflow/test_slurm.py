"""The SLURM profile on a real SLURM: this machine as a node with two pretended GPUs."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from string import Template

import psutil
import pytest

from lighthouse.alike import unlike
from lighthouse.manifest import find_results
from repository import ROOT

TEMPLATES = ROOT / "tests" / "slurm"
# The one place: $SLURM_CONF does not reach the srun inside a job.
CONF = Path("/etc/slurm")
MARK = "# Written by Lighthouse's tests"
SECONDS = 900  # of a machine that is busy; 150 otherwise

pytestmark = [pytest.mark.slurm, pytest.mark.workflow]

# What differs from a cluster with accounting, a network file system and many cores.
OVERRIDES = [
    *("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "5"),
    *("--latency-wait", "10", "--max-threads", "2"),
]
CONFIGS = ["tests/configs/tiny.yaml", "tests/slurm/study.yaml"]
TARGET = "table_accuracy"
NO_GPU = {"dataset", "pixels", "coreset", "prior_gate", TARGET}
WITH_GPU = {"autoencoder", "latents", "base_prior", "sample", "student"}
WITH_GPU |= {"extractor", "features", "prior_images", "prior_verdict"}


@dataclass
class Submitted:
    """A job as SLURM remembers it."""

    id: str
    comment: str
    state: str
    gpus: str
    memory: str

    @property
    def rule(self) -> str:
        return self.comment.removeprefix("rule_").split("_wildcards_")[0]


def submitted() -> list[Submitted]:
    """All jobs, in the order of their submission."""
    fields = "JobID:10,Comment:150,State:20,tres-per-job:20,MinMemory:20"
    lines = output("squeue", "--states=all", "--noheader", "--sort=i", "-O", fields)
    return [Submitted(*line.split()) for line in lines.splitlines()]


def output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True).stdout


def obstacle() -> str | None:
    """Why no SLURM can be started here, if none can."""
    programs = ("slurmctld", "slurmd", "sbatch", "srun", "squeue")
    if missing := [name for name in programs if not shutil.which(name)]:
        return f"no {', '.join(missing)} here: apt-get install slurmctld slurmd slurm-client"
    if os.geteuid() != 0:
        return "SLURM's daemons want root"
    for path in (CONF / "slurm.conf", CONF / "gres.conf"):
        if path.exists() and not path.read_text().startswith(MARK):
            return f"{path} is there: this machine has a SLURM of its own"
    if "is UP" in output("scontrol", "ping"):
        return "another run of this test has its SLURM up"
    return None


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A SLURM that is up; its jobs, its daemons and its configuration go at the end."""
    if reason := obstacle():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("cluster")
    for name in ("state", "spool"):
        (folder / name).mkdir()
    CONF.mkdir(exist_ok=True)
    written, daemons = [], []
    try:
        for name in ("slurm.conf", "gres.conf"):
            text = Template((TEMPLATES / name).read_text())
            host = socket.gethostname().split(".")[0]
            (CONF / name).write_text(text.substitute(host=host, folder=folder))
            written.append(CONF / name)
        for daemon in ("slurmctld", "slurmd"):
            # Whatever ends this process ends the daemons too.
            command = ["setpriv", "--pdeathsig", "TERM", daemon, "-D"]
            daemons.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))
        wait(lambda: "idle" in output("sinfo", "--noheader", "-o", "%T"), 30, "an idle node")
        yield folder
        subprocess.run(["scancel", "--user", "root"])
        wait(lambda: not output("squeue", "--noheader"), 30, "the jobs' end")
    finally:
        for process in reversed(daemons):
            process.terminate()
            process.wait(timeout=30)
        for path in written:
            path.unlink()


def wait(done, seconds, what):
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until, f"waited {seconds} s in vain for {what}"
        time.sleep(0.5)


@dataclass
class Run:
    """A run under SLURM, in which a job was cancelled and one killed, and one without."""

    returncode: int
    log: str
    jobs: list[Submitted]
    cancelled: str | None
    killed: str | None
    results: Path
    local_results: Path


@pytest.fixture(scope="module")
def run(cluster, tmp_path_factory):
    """The study by both ways, from a copy of the repository: results go below it."""
    folder = tmp_path_factory.mktemp("slurm")
    repository = folder / "repository"
    unwanted = shutil.ignore_patterns("__pycache__")
    for name in ("config", "envs", "profiles", "workflow", "tests/configs", "tests/slurm"):
        shutil.copytree(ROOT / name, repository / name, ignore=unwanted)
    snakemake = [sys.executable, "-m", "snakemake", "--configfile", *CONFIGS]
    results = repository / "runs" / "slurm" / "results"

    with (folder / "slurm.log").open("w") as log:
        process = subprocess.Popen(
            [*snakemake, "--profile", "profiles/slurm", *OVERRIDES, "--", TARGET],
            cwd=repository,
            stdout=log,
            stderr=log,
        )
        try:
            cancelled = end_at_work("base_prior", results / "logs/priors", process, cancel)
            killed = end_at_work("sample", results / "logs/samples/digits/base", process, kill)
            process.wait(timeout=SECONDS)
        finally:
            process.kill()
            process.wait()
    jobs = submitted()

    local = [*snakemake, "--cores", "2", "--directory", str(folder / "local"), "--", TARGET]
    done = subprocess.run(local, cwd=repository, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = (folder / "slurm.log").read_text()
    local_results = folder / "local" / "results"
    yield Run(process.returncode, said, jobs, cancelled, killed, results, local_results)


def end_at_work(rule, logs, process, end):
    """End the rule's job once its script has begun its log: the job's number."""
    until = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < until:
        if any(logs.rglob("*.log")):
            (job,) = (job for job in submitted() if job.rule == rule)
            end(job.id)
            return job.id
        time.sleep(0.2)
    return None


def cancel(job):
    subprocess.run(["scancel", job], check=True)


def kill(job):
    """SIGKILL, as the kernel sends it where memory ends: to all that the job has started."""
    for process in psutil.process_iter(["environ"]):
        if (process.info["environ"] or {}).get("SLURM_JOB_ID") == job:
            process.kill()


def test_the_workflow_finishes_although_a_job_is_cancelled_and_one_killed_at_work(run):
    assert run.returncode == 0, run.log
    attempts = {
        rule: [(job.id, job.state, job.memory) for job in run.jobs if job.rule == rule]
        for rule in ("base_prior", "sample")
    }
    # Each attempt asks for more.
    (cancelled, priors), (killed, sets) = attempts["base_prior"], attempts["sample"]
    assert cancelled == (run.cancelled, "CANCELLED", "2000M")
    assert killed == (run.killed, "FAILED", "8000M")
    assert [priors[1:], sets[1:]] == [("COMPLETED", "4000M"), ("COMPLETED", "16000M")]
    others = [job for job in run.jobs if job.id not in (run.cancelled, run.killed)]
    assert {job.state for job in others} == {"COMPLETED"}


def test_a_job_has_a_gpu_where_its_rule_can_use_one(run):
    asked = {job.rule: job.gpus for job in run.jobs}
    assert asked == {
        **dict.fromkeys(NO_GPU, "N/A"),
        **dict.fromkeys(WITH_GPU, "gres:gpu:1"),
    }


def test_every_result_is_that_of_a_local_run_to_the_byte(run):
    timed, other = unlike(run.local_results, run.results)
    assert other == []
    found = find_results(run.local_results)
    assert {Path(name).suffix for name in found.keys() - {*timed}} >= {".csv", ".safetensors"}


def test_jobs_of_both_have_the_arithmetic_of_the_config(run):
    for results in (run.results, run.local_results):
        record = json.loads(
            (results / "priors/digits/replicate~0/base/lighthouse.json").read_text("utf-8")
        )
        assert record["machine"]["portable"]
        assert record["machine"]["torch_vectors"] == "AVX2"
