"""One table or figure: what makes it, of what, and where it goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

#: What an item reads, by the name that its maker knows it by: a file, or several. Without a
#: file it cannot be made; of several it does with those that are there.
Inputs = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class Item:
    """One table or figure, with what belongs to it.

    place: its outputs' path below ``results/``, without a suffix; logs and benchmarks mirror
    it. maker: ``module:function``, a function of ``inputs``, as ``records.load``
    gives them, and of ``params``, by their names. It returns what it made by the names of
    ``outputs``, each of which is written to one or more files, by their suffixes. stamps: the
    digest of its parameters that a record must carry to be taken, by path; one without is
    taken as it is. jobs: the records of the jobs that write the inputs with a stamp, of which
    Snakemake does not know. priority: of the job, as Snakemake has it.

    In the report: ``labels`` that it is listed under, empty of what is not shown, the
    ``category`` that lists it, and the ``caption`` beside it, a file of ``workflow/report``.
    """

    place: str
    maker: str
    inputs: Inputs
    outputs: Mapping[str, Sequence[str]]
    params: Mapping
    labels: Mapping[str, str] = field(default_factory=dict)
    category: str = ""
    caption: str = ""
    stamps: Mapping[str, str] = field(default_factory=dict)
    jobs: Sequence[str] = ()
    priority: int = 0

    @property
    def name(self) -> str:
        """Name of the rule: ``table_accuracy``, ``figure_samples_digits``."""
        words = self.place.replace("-", "_").split("/")
        return "_".join([words[0].removesuffix("s"), *words[1:]])

    @property
    def reads(self) -> list[str]:
        """Paths of all inputs."""
        return [path for given in self.inputs.values() for path in several(given)]

    @property
    def waits_for(self) -> list[str]:
        """What Snakemake has to make before: files without a stamp, and ``jobs``."""
        return [*(path for path in self.reads if path not in self.stamps), *self.jobs]

    @property
    def paths(self) -> list[str]:
        """Paths of all outputs."""
        return [path for paths in self.outputs.values() for path in paths]

    @property
    def shown(self) -> str | None:
        """The output that the report shows: the page of a table, the picture of a figure."""
        return next((p for p in self.paths if p.endswith((".html", ".png"))), None)

    @property
    def work(self) -> dict:
        """What ``making.make`` needs to know, as JSON has it."""
        names = ("place", "maker", "inputs", "outputs", "params", "stamps")
        return {name: getattr(self, name) for name in names}


def several(given: str | Sequence[str]) -> list[str]:
    """One path or several, as a list."""
    return [given] if isinstance(given, str) else list(given)
