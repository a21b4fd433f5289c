"""Short runs of the sampler on toy models, for several test files."""

from types import SimpleNamespace

import torch

from lighthouse.couplings import iid
from lighthouse.diffusion.sampler import (
    sample,
)
from lighthouse.guidance import Context, State, guides_of
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


def state(free, dim, finished=0, groups=2, dtype=torch.float64, ipc=None):
    """A state of random latents, (groups, free, dim), some finished before them."""
    rng = torch.Generator().manual_seed(free + dim + finished)

    def draw(*shape):
        return torch.randn(shape, generator=rng, dtype=torch.float64).to(dtype)

    return State(
        z=draw(groups, free, dim),
        finished=draw(groups, finished, dim),
        class_mean=draw(groups, dim),
        alpha_bar=0.3,
        ipc=ipc or free + finished,
        noise=draw(groups, free, dim),
        alpha_bar_before=0.4,
        seed=0,
        label=0,
        images=torch.arange(groups * free).view(groups, free),
        shape=(1, 1, dim),
    )


def at_work(steps=(0, 1000), **weights):
    """Terms as a job takes them, by the columns of their weights, at the declared options."""
    terms = [term for term in TERMS.values() if term.column in weights]
    return [t.at_work(weights[t.column], {**t.defaults, "steps": steps}) for t in terms]


def guides(eta_dpp=0.0, mu_dm=0.0, steps=(0, 1000), latent_dim=DIM):
    return guides_of(at_work(steps, eta_dpp=eta_dpp, mu_dm=mu_dm), context(latent_dim=latent_dim))


class Poisoned:
    """A denoiser whose noise is ``bad`` in one number of those where ``where(t, labels)`` is."""

    def __init__(self, model, where, bad=torch.nan):
        self.model, self.where, self.bad, self.config = model, where, bad, model.config

    def __call__(self, z, timestep, class_labels):
        prediction = self.model(z, timestep=timestep, class_labels=class_labels).sample.clone()
        prediction[self.where(timestep, class_labels), 0, 1, 2] = self.bad
        return SimpleNamespace(sample=prediction)


def at(step, row):
    """Where a denoiser is poisoned: the ``row``-th latent of a call, at a step."""
    return lambda t, labels: (t == step) & (torch.arange(len(t)) == row)


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


def space_timesteps(steps):
    """Respacing of IDDPM, as DiT calls it: fractional strides, rounded one by one."""
    position, taken = 0.0, []
    for _ in range(steps):
        taken.append(round(position))
        position += 999 / (steps - 1)
    return taken
