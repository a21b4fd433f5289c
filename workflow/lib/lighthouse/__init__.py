"""Lighthouse: diffusion-based dataset distillation, and its benchmark.

Rooms, each of which depends only on those before it: ``runtime`` (files, random
generators, jobs), ``config`` (what a user may say), ``datasets``, ``diffusion``
(autoencoder, denoiser, sampler), ``priors``, ``guidance``, ``couplings``,
``coresets``; ``students`` and ``metrics`` know images only; ``report``.
"""

__version__ = "0.1.0"
