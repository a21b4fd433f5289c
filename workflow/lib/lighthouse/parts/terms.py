"""Guidance terms: one entry of ``TERMS`` declares all that is known of one."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from lighthouse.parts.bounds import (
    beyond_length,
    beyond_mean,
    beyond_middle,
    beyond_mode,
    beyond_noise,
)
from lighthouse.parts.option import COUNT, RATE, WEIGHT, Option
from lighthouse.steps import TRAIN_STEPS
from lighthouse.units import REFERENCE_LATENT_DIM, eta_share, mean_pull


def steps_option(first: int, last: int) -> Option:
    """The diffusion steps that every term is asked for."""
    step = {"type": "integer", "minimum": 0, "maximum": TRAIN_STEPS}
    return Option(
        {"type": "array", "minItems": 2, "maxItems": 2, "items": step},
        "Guided diffusion steps t, first ≤ t < last.",
        [first, last],
    )


@dataclass(frozen=True)
class Term:
    """A guidance term.

    name: in the method table. make: ``module:function``, which makes it of its options and a
    ``guidance.context.Context``. what: in a sentence. column: of the hyperparameter table,
    which holds its weight, described by ``weight``. unit: the weight's natural size at an IPC,
    in the papers' unit: what a tuning tries is around it. options: by key of ``guidance`` in the
    config; ``steps`` is one of them.
    grows: whether the weight that has the same effect on a latent of D numbers is
    proportional to D. couplings: under which the term has an effect. couples: whether an
    image's gradient depends on the others. through_denoiser: whether it goes back through
    the sampler's own pass of the denoiser. passes: how many of its own it takes at a guided step,
    by image and at most, of its options and of how many images of a class are denoised together
    (``State.features``); it may go back through one an image. needs_surrogate: whether it asks for
    the network of ``students.surrogate``. needs_real_images: whether a class needs as many real
    images as the IPC. of_others: whether it is other authors' than RSM and CGS. ours:
    whether no source guides a sampler by it.
    alone: ``module:function``, made as ``make`` is, which moves latents (N, D) of a class to where
    the term's loss is low, with no denoiser; empty where the term has none.
    derived: further columns of the guidance table, from weight and IPC. problem: what is
    wrong with a weight at an IPC and the term's options, in words that follow it; empty if nothing
    is.
    """

    name: str
    make: str
    what: str
    column: str
    weight: Option
    unit: Callable[[int], float]
    options: Mapping[str, Option]
    grows: bool = False
    couplings: tuple[str, ...] = ("iid", "sequential", "joint")
    couples: bool = False
    through_denoiser: bool = False
    passes: Callable[[Mapping, int], float] = lambda options, together: 0
    needs_surrogate: bool = False
    needs_real_images: bool = False
    of_others: bool = False
    ours: bool = False
    alone: str = ""
    derived: Mapping[str, Callable[[float, int], float]] = field(default_factory=dict)
    problem: Callable[[float, int, Mapping], str] = lambda weight, ipc, options: ""

    @property
    def defaults(self) -> dict[str, object]:
        """Its options where the config says nothing of them."""
        return {key: option.default for key, option in self.options.items()}

    def at_work(self, weight: float | None, options: Mapping) -> dict:
        """The term as a sampling job takes it, of plain values.

        weight: in the papers' unit; None where the job finds it in the record of a tuning.
        options: those of the config.
        """
        return {
            "name": self.name,
            "make": self.make,
            "alone": self.alone,
            "column": self.column,
            "weight": weight,
            "grows": self.grows,
            "through_denoiser": self.through_denoiser,
            "options": dict(options),
        }


#: By name, in the order in which tables show them.
TERMS: dict[str, Term] = {
    term.name: term
    for term in (
        Term(
            "dpp",
            "lighthouse.guidance.dpp:dpp",
            "The DPP loss: repulsion of a class's latents.",
            column="eta_dpp",
            weight=Option(
                WEIGHT, "DPP weight in the paper's unit.", symbol="η_DPP", label="DPP weight η_DPP"
            ),
            # A step moves a latent by 1 % of its length.
            unit=lambda ipc: 0.01 * REFERENCE_LATENT_DIM,
            options={
                "steps": steps_option(0, 1000),
                "epsilon": Option(
                    # Below, float32 rounds it away beside the kernel's ones.
                    {"type": "number", "minimum": 1e-6, "maximum": 1000},
                    "Added to the diagonal of the DPP kernel.",
                    1e-3,
                    "ε",
                ),
                "kernel": Option(
                    {"enum": ["z_t", "z0"]},
                    "What the kernel is of: the noisy latents, as the paper has it, or the clean "
                    "ones that are predicted (ours).",
                    "z_t",
                ),
            },
            grows=True,
            couplings=("sequential", "joint"),
            couples=True,
            derived={"eta_share": lambda weight, ipc: eta_share(weight)},
            problem=beyond_length,
        ),
        Term(
            "mean",
            "lighthouse.guidance.mean_matching:mean_matching",
            "Matching of the class mean.",
            column="mu_dm",
            weight=Option(
                WEIGHT,
                "Mean-matching weight in the paper's unit.",
                symbol="μ_DM",
                label="mean weight μ_DM",
            ),
            # A step removes a tenth of the set's drift from the class mean.
            unit=lambda ipc: 0.1 * ipc * REFERENCE_LATENT_DIM / 2,
            options={"steps": steps_option(0, 1000)},
            grows=True,
            couples=True,
            derived={"mean_pull": mean_pull},
            problem=beyond_mean,
        ),
        Term(
            "influence",
            "lighthouse.guidance.influence:influence",
            "IGD's influence guidance.",
            column="k_influence",
            weight=Option(
                WEIGHT,
                "IGD's k: weight of influence guidance.",
                symbol="k",
                label="influence weight k",
            ),
            # IGD's own.
            unit=lambda ipc: 5.0,
            options={
                "steps": steps_option(612, 918),
                "scale": Option(
                    RATE, "The factor of ρ_t, beside k of the hyperparameter table.", 1.5e-3
                ),
            },
            # ρ_t measures the gradient by the noise prediction: free of D.
            grows=False,
            through_denoiser=True,
            needs_surrogate=True,
            of_others=True,
            problem=beyond_noise,
        ),
        Term(
            "deviation",
            "lighthouse.guidance.deviation:deviation",
            "IGD's deviation guidance.",
            column="gamma_deviation",
            weight=Option(
                WEIGHT,
                "IGD's γ: weight of deviation guidance, in the paper's unit.",
                symbol="γ",
                label="deviation weight γ",
            ),
            # IGD's own.
            unit=lambda ipc: 50.0,
            options={
                "steps": steps_option(612, 918),
                "memory": Option(COUNT, "Finished latents of the class that are looked at.", 64),
            },
            # The gradient of a cosine has length 1/‖z‖, as that of DPP.
            grows=True,
            couplings=("sequential",),
            couples=True,
            of_others=True,
            problem=beyond_length,
        ),
        Term(
            "mode",
            "lighthouse.guidance.mode:mode",
            "MGD3's mode guidance.",
            column="mode_scale",
            weight=Option(
                WEIGHT,
                "MGD3's λ: share of the way to the mode.",
                symbol="λ_mode",
                label="mode weight λ_mode",
            ),
            # MGD³'s own.
            unit=lambda ipc: 0.1,
            options={"steps": steps_option(511, 1000)},
            # A share of the way from ẑ₀ to the mode.
            grows=False,
            needs_real_images=True,
            of_others=True,
            problem=beyond_mode,
        ),
        Term(
            "support",
            "lighthouse.guidance.support:support",
            "Support points: the energy distance from the class's real latents.",
            column="w_support",
            weight=Option(
                WEIGHT,
                "Weight of support points: 1 moves an image by the class's own spread at most "
                "twice a step.",
                symbol="w",
                label="weight of support points w",
            ),
            unit=lambda ipc: 1.0,
            options={"steps": steps_option(0, 1000)},
            # In the spread of the class's latents.
            grows=False,
            couples=True,
            ours=True,
            alone="lighthouse.guidance.support:alone",
            problem=beyond_middle,
        ),
        Term(
            "ot",
            "lighthouse.guidance.transport:transport",
            "DMGD's optimal transport between a set and the clusters of its class.",
            column="rho_ot",
            weight=Option(
                WEIGHT,
                "DMGD's ρ: weight of optimal transport, in the paper's unit.",
                symbol="ρ",
                label="transport weight ρ",
            ),
            # Of the order of what taught best on the default's digits (ours): the source's own,
            # 0.5, moves a latent by next to nothing.
            unit=lambda ipc: 0.1 * REFERENCE_LATENT_DIM,
            options={
                "steps": steps_option(612, 918),
                "clusters": Option(
                    COUNT,
                    "k-means clusters of a class's real latents; as many as it has images where "
                    "these are fewer.",
                    10,
                    "K",
                ),
                "epsilon": Option(
                    # Below, float32 rounds away what tells two plans apart.
                    {"type": "number", "minimum": 1e-4, "maximum": 1000},
                    "Weight of the plan's entropy, where distances on the unit sphere are at "
                    "most 2.",
                    0.1,
                    "ε",
                ),
                "iterations": Option(
                    {"type": "integer", "minimum": 1, "maximum": 10000},
                    "Sinkhorn's iterations.",
                    5,
                ),
            },
            # The gradient of a function of directions has length 1/‖z‖, as that of DPP.
            grows=True,
            couples=True,
            of_others=True,
            problem=beyond_length,
        ),
        Term(
            "dap",
            "lighthouse.guidance.dap:dap",
            "DAP's likeness to real images in the denoiser's features.",
            column="gamma_dap",
            weight=Option(
                WEIGHT,
                "DAP's γ: weight of likeness in the denoiser's features.",
                symbol="γ_DAP",
                label="feature weight γ_DAP",
            ),
            # The source's own.
            unit=lambda ipc: 1.0,
            options={
                "steps": steps_option(250, 1000),
                "depth": Option(
                    {"type": "number", "minimum": 0.01, "maximum": 1},
                    "The share of the denoiser's blocks that the features are behind, rounded up "
                    "to whole blocks: 0.5 is its middle.",
                    0.5,
                ),
                "images": Option(
                    {"type": "integer", "minimum": 2, "maximum": 100000},
                    "Real images of a class whose features are compared with; all of it where "
                    "they are fewer.",
                    50,
                    "M",
                ),
            },
            # A distance of features, whatever the size of a latent.
            grows=False,
            # One of the image, and its share of one of each of its class's real ones.
            passes=lambda options, together: 1 + options["images"] / together,
            of_others=True,
        ),
    )
}


def named(names: Iterable[str]) -> list[Term]:
    """The declarations of terms by name; names that are not known are left out."""
    return [TERMS[name] for name in names if name in TERMS]
