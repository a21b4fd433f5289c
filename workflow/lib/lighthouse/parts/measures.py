"""What a claim can be about: measures, each with the table and the column that has it."""

from dataclasses import dataclass
from enum import Enum


class Reach(Enum):
    """Which of a study's cells a table has rows of."""

    EVERY = "every cell"
    TABLES = "the cells at the tables' own numbers"
    SAMPLED = "the sampled ones of them"
    DENOISED = "those of them that a diffusion model samples"
    CURVES = "the curves of run.spectrum"


@dataclass(frozen=True)
class Measure:
    """A number that sets, or the students trained on them, have in every replicate.

    table: below ``results/tables``; column: of it. unit: of differences; empty for a pure number.
    label: its name in words. reach: which cells have it. least_ipc: below that it says nothing.
    of_students: whether it is a student's, so that student and protocol belong to it. counted:
    whether it is the method's own number, the same in each replicate, and so nothing to test.
    """

    name: str
    table: str
    column: str
    unit: str
    label: str
    reach: Reach = Reach.EVERY
    least_ipc: int = 1
    of_students: bool = False
    counted: bool = False


MEASURES = {
    measure.name: measure
    for measure in (
        Measure("accuracy", "runs", "top1_last", "points", "top-1", of_students=True),
        Measure("log_det", "diversity", "log_det", "", "log det K", least_ipc=2),
        Measure("coverage", "diversity", "coverage", "", "coverage"),
        Measure("precision", "diversity", "precision", "", "precision"),
        Measure("recognised", "diversity", "recognised", "", "share of images recognised"),
        Measure("ssim", "diversity", "ssim", "", "SSIM", least_ipc=2),
        Measure("frechet", "fid_sets", "fid", "", "Fréchet distance", Reach.TABLES),
        Measure(
            "effective_rank", "spectrum_ranks", "effective_rank", "", "effective rank", Reach.CURVES
        ),
        Measure(
            "tail",
            "spectrum_ranks",
            "energy_left_10",
            "",
            "energy behind the first 10 singular values",
            Reach.CURVES,
        ),
        Measure(
            "seconds",
            "cost_replicates",
            "seconds_per_image",
            "s",
            "seconds an image",
            Reach.SAMPLED,
        ),
        Measure(
            "passes",
            "cost_replicates",
            "evaluations_per_image",
            "passes",
            "passes of the denoiser an image",
            Reach.DENOISED,
            counted=True,
        ),
        Measure(
            "gradients",
            "cost_replicates",
            "gradients_per_image",
            "gradients",
            "gradients through the denoiser an image",
            Reach.DENOISED,
            counted=True,
        ),
    )
}
