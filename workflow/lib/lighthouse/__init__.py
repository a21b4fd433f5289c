"""Lighthouse: diffusion-based dataset distillation, and its benchmark.

Rooms, none of which imports a later one; which of those before it each may is a table in
tests/workflow/test_rooms.py:

``runtime`` files, random generators, jobs, digests of code
``tables`` CSV files
``steps`` of the noise schedule, by number
``units`` of the guidance weights
``parts`` declarations of what methods are made of
``datasets`` real images and their latents on disk
``students`` networks, their training, surrogates
``couplings`` of the images of a set
``config`` what a user may say, the grid that it spans, and where its results lie
``metrics`` of sets and of real images
``coresets`` of real images
``mosaics`` of pieces of real images
``selection`` of sampled images
``guidance`` terms
``diffusion`` autoencoder, denoiser, sampler
``priors`` denoisers and their training
``report`` tables, figures, and the audit of both
``results`` of a run, read for those that follow
``digests`` of results, kept for another machine: a command
``compare`` two runs: a command
``manifest`` of a study's results, written when a run ends
``verify`` results by it: a command
``alike`` results of two runs, but for the clock
``check`` of study files, a command
``proposal`` of a study for a folder of images
``new`` a study file by it: a command
"""

__version__ = "0.1.0"
