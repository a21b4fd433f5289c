"""Lighthouse: diffusion-based dataset distillation, and its benchmark.

Rooms, each of which depends only on those before it: ``runtime`` (files, random
generators, jobs), ``datasets``, ``config`` (what a user may say), ``students`` and
``metrics``, which know images only, ``couplings``, ``guidance`` (of which influence
reads a surrogate, a student's checkpoints), ``diffusion`` (autoencoder, denoiser,
sampler), ``priors``, ``coresets``; ``report``.
"""

__version__ = "0.1.0"
