"""The grid's words: methods, the priors behind them, and cells. Each is a path and a row."""

from dataclasses import asdict, dataclass

from lighthouse.parts.terms import named

#: Couplings under which image n of a class does not depend on how many follow.
PREFIX_COUPLINGS = frozenset({"iid"})

#: The row of students trained on all real images, and its IPC.
CEILING, ALL = "full", "all"

#: What a sweep varies, by the name in the config, and the field of a cell that holds it.
SWEPT = {"lambda": "lam", "eta_dpp": "eta_dpp", "mu_dm": "mu_dm"}


def number(value: float) -> str:
    """The shortest text that reads back as the same number."""
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))


@dataclass(frozen=True)
class Prior:
    """A row of ``priors``, resolved for a dataset and IPC.

    lam: λ of RSM; None for other objectives.
    """

    name: str
    objective: str
    lam: float | None
    learning_rate: float | None

    @property
    def path(self) -> str:
        """Folder below ``results/priors/<dataset>/``."""
        if self.name == "base":
            return "base"
        what = self.name if self.lam is None else f"{self.objective}/lambda~{number(self.lam)}"
        return f"{what}/lr~{number(self.learning_rate)}"


@dataclass(frozen=True)
class Method:
    """A row of the method table: a coreset, or prior × coupling × guidance.

    Or a finished set that was made elsewhere, an entry of ``external``.
    """

    name: str
    label: str
    coreset: str | None = None
    prior: str | None = None
    coupling: str | None = None
    guidance: tuple[str, ...] = ()
    external: bool = False

    @property
    def picks_real_images(self) -> bool:
        """True where a class needs at least as many real images as the IPC."""
        return self.coreset is not None or any(t.needs_real_images for t in named(self.guidance))

    @property
    def needs_surrogate(self) -> bool:
        """Whether one of its terms asks for the network of ``students.surrogate``."""
        return any(term.needs_surrogate for term in named(self.guidance))

    @property
    def ignores_ipc(self) -> bool:
        """True where IPC n is the first n images of any larger IPC."""
        return self.coreset is not None or (self.coupling in PREFIX_COUPLINGS and not self.guidance)


@dataclass(frozen=True, order=True)
class Cell:
    """One distilled set for each seed. Guidance weights are in the paper's unit.

    lam: λ of RSM's L1 term; 0 where the prior has none.
    """

    dataset: str
    method: str
    ipc: int
    lam: float
    eta_dpp: float
    mu_dm: float

    @property
    def path(self) -> str:
        """Folder below ``results/<stage>/``."""
        return (
            f"{self.dataset}/{self.method}/ipc~{self.ipc}/lambda~{number(self.lam)}"
            f"/eta_dpp~{number(self.eta_dpp)}/mu_dm~{number(self.mu_dm)}"
        )

    @property
    def row(self) -> dict:
        """The columns that name it in every table."""
        row = asdict(self)
        return {"lambda" if key == "lam" else key: value for key, value in row.items()}


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
    )
