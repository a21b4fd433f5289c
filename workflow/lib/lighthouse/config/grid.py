"""The grid's words: methods, the priors behind them, and cells. Each is a path and a row."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from lighthouse.parts.coresets import CORESETS
from lighthouse.parts.objectives import OBJECTIVES
from lighthouse.parts.selections import SELECTIONS
from lighthouse.parts.terms import named

#: Couplings under which image n of a class does not depend on how many follow.
PREFIX_COUPLINGS = frozenset({"iid"})

#: The IPC of students trained on all images of the training part.
ALL = "all"

#: The prior of methods that have no denoiser: a term's loss is minimised over latents alone.
NONE = "none"

#: The variant of a cell in which every number is the tables' own.
TABLE = "table"
#: The weights of a method that are chosen on the validation part, where others' are the tables'.
TUNED = "tuned"
#: The variants of the cells among which that choice is made: ``tuning~<number>``.
CANDIDATE = "tuning"


@dataclass(frozen=True)
class Ceiling:
    """A row of students trained on all images of the training part.

    name: in paths and tables; no method's. key: of ``run``, which asks for it. label: in tables and
    figures. real: whether the images are the real ones, or what the autoencoder makes of them.
    """

    name: str
    key: str
    label: str
    real: bool


CEILINGS = {
    ceiling.name: ceiling
    for ceiling in (
        Ceiling("full", "ceiling", "All real images", real=True),
        Ceiling("reconstructed", "reconstructed", "All images, reconstructed", real=False),
    )
}


def number(value: float) -> str:
    """The shortest text that reads back as the same number."""
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))


@dataclass(frozen=True)
class Prior:
    """A row of ``priors``, resolved for a cell.

    options: of its objective. moved: name and value of the option that a sweep moves, if
    it is none that the path names anyhow. tuning: what is its own of the dataset's options of
    fine-tuning. phase: which group of classes it is tuned on, where its tuning has
    ``classes_per_phase``: then each group has a prior, and the whole has none.
    """

    name: str
    objective: str
    options: Mapping[str, object] = field(default_factory=dict, hash=False)
    learning_rate: float | None = None
    moved: tuple[str, float] | None = None
    tuning: Mapping[str, object] = field(default_factory=dict, hash=False)
    phase: int | None = None

    @property
    def path(self) -> str:
        """Folder below ``results/priors/<dataset>/``."""
        if self.name in ("base", NONE):
            return self.name
        # What the hyperparameter table may give tells priors of one objective apart.
        given = OBJECTIVES[self.objective].from_table
        what = "/".join(
            [self.objective if given else self.name]
            + [f"{key}~{number(self.options[key])}" for key in given]
        )
        moved = f",{self.moved[0]}~{number(self.moved[1])}" if self.moved else ""
        own = "".join(f",{key}~{value}" for key, value in sorted(self.tuning.items()))
        phase = "" if self.phase is None else f"/phase~{self.phase}"
        return f"{what}/lr~{number(self.learning_rate)}{moved}{own}{phase}"


#: The prior that is trained from nothing, or taken; others are fine-tuned from it.
BASE = Prior("base", "plain")


@dataclass(frozen=True)
class Method:
    """A row of the method table: a coreset, or prior × coupling × guidance.

    Or a finished set that was made elsewhere, an entry of ``external``.
    start: the coreset whose images a set starts at; None is noise. weights: of its terms,
    ``TABLE`` or ``TUNED``. selection: how the images of a set are chosen of more that are
    sampled; None keeps all.
    """

    name: str
    label: str
    coreset: str | None = None
    prior: str | None = None
    coupling: str | None = None
    guidance: tuple[str, ...] = ()
    start: str | None = None
    external: bool = False
    weights: str = TABLE
    selection: str | None = None

    @property
    def is_tuned(self) -> bool:
        """Whether the weights of its terms are chosen on the validation part."""
        return self.weights == TUNED

    @property
    def denoises(self) -> bool:
        """Whether it samples from a diffusion model."""
        return self.prior not in (None, NONE)

    def images_behind(self, ipc: int) -> int:
        """How many different real images of a class its set at an IPC needs; 0 where none."""
        if self.coreset is not None:
            return ipc * CORESETS[self.coreset].behind
        picks = self.start is not None or any(t.needs_real_images for t in named(self.guidance))
        return ipc if picks else 0

    @property
    def composes(self) -> bool:
        """Whether its images are put together of real ones (``Coreset.composes``)."""
        return self.coreset is not None and CORESETS[self.coreset].composes

    @property
    def is_real(self) -> bool:
        """Whether its images are the dataset's own, as they are."""
        return self.coreset is not None and not self.composes

    @property
    def needs_surrogate(self) -> bool:
        """Whether one of its terms asks for the network of ``students.surrogate``."""
        return any(term.needs_surrogate for term in named(self.guidance))

    @property
    def selects_by_features(self) -> bool:
        """Whether its images are chosen by an extractor's features."""
        return self.selection is not None and SELECTIONS[self.selection].by_features

    @property
    def needs_classifier(self) -> bool:
        """Whether its images are chosen by the answers of the dataset's classifier."""
        chosen_by = CORESETS.get(self.coreset), SELECTIONS.get(self.selection)
        return any(part is not None and part.needs_classifier for part in chosen_by)

    @property
    def ignores_ipc(self) -> bool:
        """True where IPC n is the first n images of any larger IPC."""
        if self.coreset is not None:
            return CORESETS[self.coreset].nested
        if self.selection is not None:
            return False
        alone = self.coupling in PREFIX_COUPLINGS and not self.guidance
        return alone and (self.start is None or CORESETS[self.start].nested)


@dataclass(frozen=True, order=True)
class Cell:
    """One distilled set for each seed.

    variant: ``table``, or ``<name>~<value>``: one number of the method at another value than
    the tables', as a sweep asks for it. Or ``tuning~<number>``, a candidate of the weights of
    a method that is tuned, or of a dataset's guidance scale.
    """

    dataset: str
    method: str
    ipc: int
    variant: str = TABLE

    @property
    def path(self) -> str:
        """Folder below ``results/<stage>/``."""
        return f"{self.dataset}/{self.method}/ipc~{self.ipc}/{self.variant}"

    @property
    def row(self) -> dict:
        """The columns that name it in every table."""
        return asdict(self)

    @property
    def moved(self) -> dict[str, float]:
        """The number that is moved, with its value; empty at the tables' own values."""
        name, tilde, value = self.variant.partition("~")
        return {name: float(value)} if tilde and name != CANDIDATE else {}

    @property
    def candidate(self) -> int | None:
        """Which candidate of a tuning it is, counted from 0; None if it is none."""
        name, _, value = self.variant.partition("~")
        return int(value) if name == CANDIDATE else None


def method_of(row: dict) -> Method:
    """The method of a row of the method table."""
    terms = tuple(row["guidance"].split("+")) if row.get("guidance") else ()
    return Method(
        row["method"],
        row["label"],
        row.get("coreset"),
        row.get("prior"),
        row.get("coupling"),
        terms,
        row.get("start"),
        weights=row.get("weights", TABLE),
        selection=row.get("selection"),
    )
