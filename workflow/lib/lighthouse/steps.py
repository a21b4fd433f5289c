"""Steps of the noise schedule by number: those of training, and those that a sampler takes.

Shared by config, diffusion and priors, and free of torch.
"""

#: Steps t that a denoiser is trained at, 0…999.
TRAIN_STEPS = 1000


def respaced(steps: int) -> list[int]:
    """The ``steps`` of 0…999 that a sampler takes, rising: at least 2, evenly spaced.

    As IDDPM's ``space_timesteps``, which DiT calls: a running sum, so that a half is rounded
    as the sum's own rounding has it.
    """
    position, taken = 0.0, []
    for _ in range(steps):
        taken.append(round(position))
        position += (TRAIN_STEPS - 1) / (steps - 1)
    return taken
