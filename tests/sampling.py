"""Short runs of the sampler on toy models, for several test files."""

import torch

from lighthouse.couplings import iid
from lighthouse.diffusion.sampler import (
    sample,
)
from lighthouse.guidance import Context, guides_of
from lighthouse.parts.terms import TERMS
from toy import CLASSES, DIM, toy_sets

OPTIONS = {
    "semantics": "diffusers",
    "steps": 5,
    "guidance_scale": 2.0,
    "micro_batch": 8,
    "precision": "fp32",
}
DIT = {**OPTIONS, "semantics": "dit"}


def context(ipc=1, latent_dim=DIM):
    """A job's data for terms that read none."""
    return Context(dataset="toy", classes=CLASSES, ipc=ipc, latent_dim=latent_dim)


def at_work(steps=(0, 1000), **weights):
    """Terms as a job takes them, by the columns of their weights, at the declared options."""
    terms = [term for term in TERMS.values() if term.column in weights]
    return [t.at_work(weights[t.column], {**t.defaults, "steps": steps}) for t in terms]


def guides(eta_dpp=0.0, mu_dm=0.0, steps=(0, 1000), latent_dim=DIM):
    return guides_of(at_work(steps, eta_dpp=eta_dpp, mu_dm=mu_dm), context(latent_dim=latent_dim))


GUIDED = guides(eta_dpp=100.0, mu_dm=1000.0)


def sampled(model, ipc, coupling=iid, guidance=(), options=OPTIONS, **which):
    """The latents of some toy sets, and what they took."""
    return sample(model, toy_sets(ipc, **which), coupling(ipc), guidance, options)


def run(model, ipc, coupling=iid, guidance=(), options=OPTIONS, **which):
    return sampled(model, ipc, coupling, guidance, options, **which).latents


def relative(a, b):
    return ((a - b).abs().max() / b.abs().max()).item()


def alphas_bar():
    """ᾱ of DiT's linear schedule in float64, (1000,)."""
    return torch.cumprod(1 - torch.linspace(1e-4, 2e-2, 1000, dtype=torch.float64), 0)
