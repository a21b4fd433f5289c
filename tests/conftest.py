"""One thread for torch, for small tensors gain nothing from more; what several files share."""

import os
import signal
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
# A shell has what it starts in the background ignore Ctrl-C, and so would all that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def model():
    """The toy denoiser."""
    from toy import toy_denoiser  # not where no test asks for it: it imports diffusers

    return toy_denoiser()


@pytest.fixture(scope="module")
def run_script():
    """A function that runs a rule's script, as ``scripts.by_hand`` gives it."""
    from scripts import by_hand

    with by_hand() as run:
        yield run


@pytest.fixture(scope="session")
def invented(tmp_path_factory):
    """An invented study's results, in which an audit finds nothing."""
    from audits import Invented

    return Invented(tmp_path_factory.mktemp("audit"))


@pytest.fixture(scope="session")
def results(invented):
    """The same, read."""
    return invented.read()


@pytest.fixture(scope="session")
def reference(tmp_path_factory):
    """The small study as nobody disturbed it: the one that .ci/run has made, or one of its own."""
    if made := os.environ.get("LIGHTHOUSE_SMALL_RUN"):
        return Path(made)
    from running import snakemake

    folder = tmp_path_factory.mktemp("reference")
    words = "--configfile", "tests/configs/tiny.yaml", "--directory", folder
    done = snakemake("--cores", "all", *words)
    assert done.returncode == 0, done.stdout
    return folder
