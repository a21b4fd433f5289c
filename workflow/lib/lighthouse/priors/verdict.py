"""Whether a base prior is worth distilling with, and what to change where it is not.

Students are trained on a few images of the prior, on as many random real ones and on these as the
autoencoder gives them back. What the prior teaches is told as a share of what real images teach,
both above chance: the share is 1 where its images are as good, 0 where they teach nothing.
"""

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence

#: What sets are of.
SAMPLED, REAL, RECONSTRUCTED = KINDS = ("sampled", "real", "reconstructed")
#: How a prior can be. Of the last nothing is known: real images taught nothing either.
GOOD, WEAK, USELESS, UNDECIDED = VERDICTS = ("good", "weak", "useless", "undecided")
#: What can limit one that is weak or useless.
AUTOENCODER, DENOISER = PARTS = ("autoencoder", "denoiser")
#: Standard errors by which real images must teach above chance.
ABOVE_CHANCE = 2
#: How many times as long a training is to be, by the verdict.
LONGER = {WEAK: 2, USELESS: 4}
#: Guidance scales to choose among, where one was given and more training does not help.
SCALES = [1.0, 1.5, 2.5, 4.0]
#: Least side of an image, in pixels, of what sides are multiples.
LEAST_SIDE, SIDE_STEP = 16, 8


def judged(
    accuracies: Mapping[str, Sequence[float]],
    n_classes: int,
    n_judged: int,
    weak: float,
    useless: float,
) -> dict:
    """The verdict on a prior.

    accuracies: fractions, one a set, of each of ``KINDS``. n_judged: real images by which each
    student is judged. weak, useless: shares below which a prior is so.
    ``accuracy``: of each kind ``mean`` and ``std``, the sample standard deviation over sets, None
    of one set. ``chance``: accuracy of guessing, a fraction. ``share``, ``reconstructed_share``: of
    what real images teach above chance; None where that is less than ``ABOVE_CHANCE`` standard
    errors. ``verdict``: of ``VERDICTS``. ``limit``: of ``PARTS``, None of a good prior: the
    autoencoder where its reconstructions are below ``weak`` and lose half of what is lost, or more.
    """
    found = {kind: _summary(accuracies[kind]) for kind in KINDS}
    chance = 1 / n_classes
    above = {kind: found[kind]["mean"] - chance for kind in KINDS}
    error = math.sqrt(chance * (1 - chance) / n_judged)
    told = {"accuracy": found, "chance": chance, "share": None, "reconstructed_share": None}
    told |= {"verdict": UNDECIDED, "limit": None}
    if above[REAL] <= ABOVE_CHANCE * error:
        return told
    share, back = (above[kind] / above[REAL] for kind in (SAMPLED, RECONSTRUCTED))
    told |= {"share": share, "reconstructed_share": back}
    told["verdict"] = GOOD if share >= weak else USELESS if share < useless else WEAK
    if told["verdict"] != GOOD:
        by_autoencoder = back < weak and 1 - back >= (1 - share) / 2
        told["limit"] = AUTOENCODER if by_autoencoder else DENOISER
    return told


def _summary(values: Sequence[float]) -> dict:
    std = statistics.stdev(values) if len(values) > 1 else None
    return {"mean": statistics.fmean(values), "std": std}


def advice(
    verdict: str, limit: str | None, dataset: str, options: Mapping, ended_by: str | None
) -> list[dict]:
    """What to change in a study's file, the first of them first; nothing of a good prior.

    options: of the dataset's those of ``config.prior_check.changeable``. ended_by: what ended the
    base prior's training (``priors.length``).
    Each entry: ``key`` as the file has it, ``now`` and ``to`` its value and the one to try. One
    of the length of a training has ``of``, the part of ``PARTS`` that is trained longer, and
    ``times``, how many times as long.
    """
    if limit is None:
        return []
    changes = _of_autoencoder if limit == AUTOENCODER else _of_denoiser
    place = f"datasets.{dataset}"
    return list(changes(place, options, LONGER[verdict], ended_by))


def _of_autoencoder(
    place: str, options: Mapping, times: int, ended_by: str | None
) -> Iterator[dict]:
    own = options["autoencoder"]
    if "pretrained" in own:  # it sees finer detail of larger images
        yield _change(f"{place}.image_size", options["image_size"], 2 * options["image_size"])
        return
    longer = _change(f"{place}.autoencoder.steps", own["steps"], times * own["steps"])
    yield {**longer, "of": AUTOENCODER, "times": times}
    channels = own["latent_channels"]
    yield _change(f"{place}.autoencoder.latent_channels", channels, 2 * channels)


def _of_denoiser(place: str, options: Mapping, times: int, ended_by: str | None) -> Iterator[dict]:
    base = options["base"]
    if base is None:
        yield _change(f"{place}.base", None, "a training (config/README.md)")
        return
    budgets = {"step budget": "steps", "minute budget": "minutes"}
    if "stop" not in base:
        key = "steps" if "steps" in base else "epochs"
        now, place_of = base[key], f"{place}.base.{key}"
    elif ended_by in budgets:
        key = budgets[ended_by]
        now, place_of = base["stop"][key], f"{place}.base.stop.{key}"
    else:
        yield from _of_flat_loss(place, options)
        return
    yield {**_change(place_of, now, times * now), "of": DENOISER, "times": times}


def _of_flat_loss(place: str, options: Mapping) -> Iterator[dict]:
    """What is left to change where a longer training lowers the loss no more."""
    scale = options["sampler"]["guidance_scale"]
    if not isinstance(scale, list):
        yield _change(f"{place}.sampler.guidance_scale", scale, SCALES)
    side = options["image_size"]
    if side >= 2 * LEAST_SIDE and side % (2 * SIDE_STEP) == 0:
        yield _change(f"{place}.image_size", side, side // 2)
    if "heads" in options["denoiser"]:
        heads = options["denoiser"]["heads"]
        yield _change(f"{place}.denoiser.heads", heads, 2 * heads)


def _change(key: str, now: object, to: object) -> dict:
    return {"key": key, "now": now, "to": to}
