"""Lighthouse: diffusion-based dataset distillation, and its benchmark.

Rooms, each of which depends only on those before it: ``runtime`` (files, random
generators, jobs), ``units`` (of the guidance weights), ``parts`` (declarations of what
methods are made of), ``datasets``, ``students``,
``config`` (what a user may say, of a network too), ``metrics``, ``couplings``,
``guidance``, ``diffusion`` (autoencoder, denoiser, sampler), ``priors``, ``coresets``;
``report``. Students and metrics know no diffusion model. One import goes forward:
``guidance`` reads latents by ``diffusion``.
"""

__version__ = "0.1.0"
