"""Short runs of the sampler on toy models, for several test files."""

import torch

from lighthouse.couplings import iid
from lighthouse.diffusion.sampler import (
    sample,
)
from lighthouse.guidance import weighted_terms
from toy import DIM, toy_sets

OPTIONS = {
    "semantics": "diffusers",
    "steps": 5,
    "guidance_scale": 2.0,
    "micro_batch": 8,
    "precision": "fp32",
}
DIT = {**OPTIONS, "semantics": "dit"}
SHARED = {"epsilon": 1e-3}


def terms(eta_dpp=0.0, mu_dm=0.0):
    weights = {"eta_dpp": eta_dpp, "mu_dm": mu_dm}
    return weighted_terms(("dpp", "mean"), weights, SHARED, DIM)


GUIDED = terms(eta_dpp=100.0, mu_dm=1000.0)


def run(model, ipc, coupling=iid, guidance=(), options=OPTIONS, guided=(0, 1000), **which):
    return sample(model, toy_sets(ipc, **which), coupling(ipc), guidance, options, guided)


def relative(a, b):
    return ((a - b).abs().max() / b.abs().max()).item()


def alphas_bar():
    """ᾱ of DiT's linear schedule in float64, (1000,)."""
    return torch.cumprod(1 - torch.linspace(1e-4, 2e-2, 1000, dtype=torch.float64), 0)
