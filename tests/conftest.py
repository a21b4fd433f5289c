"""One thread for torch, for small tensors gain nothing from more; a model that files share."""

import os

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def model():
    """The toy denoiser."""
    from toy import toy_denoiser  # not where no test asks for it: it imports diffusers

    return toy_denoiser()
