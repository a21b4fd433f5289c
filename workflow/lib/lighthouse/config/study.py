"""A study: the validated config, its tables, and the grid of cells that they span."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from lighthouse.config.checks import cross_checks, duplicates
from lighthouse.config.schema import ConfigError, check, load_schema, read_table
from lighthouse.datasets.sources import SOURCES
from lighthouse.units import TERM_WEIGHTS

#: Couplings under which image n of a class does not depend on how many follow.
PREFIX_COUPLINGS = frozenset({"iid"})


def _number(value: float) -> str:
    """Shortest text that reads back as the same number."""
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))


@dataclass(frozen=True)
class Prior:
    """A row of ``priors``, resolved for a dataset and IPC."""

    name: str
    objective: str
    lam: float | None
    learning_rate: float | None

    @property
    def path(self) -> str:
        """Folder below ``results/priors/<dataset>/``."""
        if self.name == "base":
            return "base"
        return f"{self.objective}/lambda~{_number(self.lam)}/lr~{_number(self.learning_rate)}"


@dataclass(frozen=True)
class Method:
    """A row of the method table: a coreset, or prior × coupling × guidance."""

    name: str
    label: str
    coreset: str | None = None
    prior: str | None = None
    coupling: str | None = None
    guidance: tuple[str, ...] = ()

    @property
    def ignores_ipc(self) -> bool:
        """True where IPC n is the first n images of any larger IPC."""
        return self.coreset is not None or (self.coupling in PREFIX_COUPLINGS and not self.guidance)


@dataclass(frozen=True, order=True)
class Cell:
    """One distilled set for each seed. Weights are in the paper's unit."""

    dataset: str
    method: str
    ipc: int
    eta_dpp: float
    mu_dm: float

    @property
    def path(self) -> str:
        """Folder below ``results/<stage>/``."""
        return (
            f"{self.dataset}/{self.method}/ipc~{self.ipc}"
            f"/eta_dpp~{_number(self.eta_dpp)}/mu_dm~{_number(self.mu_dm)}"
        )


class Study:
    """A validated config with its tables.

    Raises ``ConfigError`` with every mistake found, each with its place.
    """

    def __init__(self, config: dict, base: Path):
        self.config = config
        self.base = base
        schemas = base / "workflow" / "schemas"
        schema = load_schema(schemas / "config.schema.yaml")
        problems = check(config, schema, "config")
        if check(config.get("tables"), schema["properties"]["tables"], "config"):
            raise ConfigError(problems)
        rows = {}
        for name in ("methods", "hyperparameters"):
            columns = load_schema(schemas / f"{name}.schema.yaml")
            rows[name], found = read_table(self.table_path(name), columns)
            problems += found
        if problems:
            raise ConfigError(problems)
        self.run = config["run"]
        self.methods = {row["method"]: _method(row) for row in rows["methods"]}
        self.hyperparameters = {
            (row["dataset"], row["ipc"]): row for row in rows["hyperparameters"]
        }
        problems += duplicates(rows, self)
        problems += cross_checks(self)
        if problems:
            raise ConfigError(dict.fromkeys(problems))

    def table_path(self, name: str) -> Path:
        """Path of a table: as given, or else relative to the repository."""
        given = Path(self.config["tables"][name])
        return given if given.is_absolute() or given.exists() else self.base / given

    def place(self, path: str) -> Path:
        """A path that the config names, relative to the repository unless absolute."""
        return (self.base / path).absolute()

    @property
    def folder(self) -> Path | None:
        """Working directory of the study; None for the default, which stays where it is."""
        name = self.config["study"]
        return None if name == "default" else self.place(f"runs/{name}")

    def check_name(self) -> None:
        """Raise ``ConfigError`` where another study goes by the shipped one's name.

        Its results would replace those of the default.
        """
        shipped = yaml.safe_load((self.base / "config" / "config.yaml").read_text("utf-8"))
        if self.folder is None and self.config != shipped:
            changed = [key for key in self.config if self.config[key] != shipped.get(key)]
            raise ConfigError(
                [
                    "config: study: 'default' is config/config.yaml as it is, and this one "
                    f"differs in {', '.join(changed)}; name it (`study: my`, results go to "
                    "runs/my), or give it a folder (`--directory runs/my`)"
                ]
            )

    def dataset(self, name: str) -> dict:
        """Options of a dataset."""
        return self.config["datasets"][name]

    def source_options(self, name: str) -> dict:
        """The options that a dataset's source reads, with absolute paths."""
        given = self.dataset(name)
        known = SOURCES[given["source"]].keys
        options = {key: value for key, value in given.items() if key in known}
        options["image_size"] = given["image_size"]
        options["downloads"] = str(self.place(self.config["downloads"]))
        if "root" in options:
            options["root"] = str(self.place(options["root"]))
        return options

    def shards(self, dataset: str) -> list[list[int]]:
        """Labels by sampling job: groups of ``sampler.classes_per_job`` classes."""
        options = self.dataset(dataset)
        total = SOURCES[options["source"]].n_classes(self.source_options(dataset))
        size = options["sampler"]["classes_per_job"]
        labels = list(range(total))
        return [labels[first : first + size] for first in range(0, total, size)]

    def pretrained(self, dataset: str, part: str) -> Path | None:
        """Folder of the pretrained ``autoencoder`` or ``denoiser``; None for a new one.

        With a ``revision`` it is a repository of the hub, kept below ``downloads``;
        without one, a local folder.
        """
        options = self.dataset(dataset)[part]
        if "pretrained" not in options:
            return None
        if options.get("revision") is None:
            return self.place(options["pretrained"])
        hub = self.place(self.config["downloads"]) / "hub"
        return hub / options["pretrained"] / options["revision"]

    def missing(self) -> list[str]:
        """What the study needs on disk and does not find, a line each.

        Looks at the data, so call it before jobs start, but not for a dry run.
        """
        lines = []
        coresets = any(self.methods[name].coreset for name in self.run["methods"])
        least = max(self.run["ipc"]) if coresets else 1
        for name in self.run["datasets"]:
            options = self.dataset(name)
            found = SOURCES[options["source"]].missing(self.source_options(name), least)
            lines += [f"datasets.{name}: {line}" for line in found]
            for part in ("autoencoder", "denoiser"):
                if options[part].get("revision") is None:
                    lines += self._absent(f"datasets.{name}.{part}.pretrained", options[part])
            lines += self._absent(f"datasets.{name}.extractor.weights", options["extractor"])
        for name in self.run["protocols"]:
            teacher = self.protocol(name).get("teacher", {})
            if teacher.get("weights") != "torchvision":
                lines += self._absent(f"protocols.{name}.teacher.weights", teacher)
        return lines

    def _absent(self, key: str, options: dict) -> list[str]:
        given = options.get(key.rsplit(".", 1)[1])
        if given is None or self.place(given).exists():
            return []
        return [f"{key}: {self.place(given)} does not exist"]

    def protocol(self, name: str) -> dict:
        """Options of a student protocol."""
        return self.config["protocols"][name]

    def cell(self, dataset: str, method: str, ipc: int, eta_dpp: float | None = None) -> Cell:
        """The cell of a method at the table's weights, or at another DPP weight."""
        row = self.hyperparameters.get((dataset, ipc), {})
        terms = self.methods[method].guidance
        weights = {
            column: row[column] if term in terms else 0.0 for term, column in TERM_WEIGHTS.items()
        }
        if eta_dpp is not None:
            weights["eta_dpp"] = float(eta_dpp)
        return Cell(dataset, method, ipc, **weights)

    def prior(self, dataset: str, method: str, ipc: int) -> Prior:
        """The prior that a cell samples from."""
        name = self.methods[method].prior
        spec = self.config["priors"][name]
        row = self.hyperparameters.get((dataset, ipc), {})
        if name == "base":
            return Prior(name, spec["objective"], None, None)
        lam = row["lambda"] if spec.get("lambda") == "table" else spec["lambda"]
        return Prior(name, spec["objective"], float(lam), row["learning_rate"])

    def source(self, cell: Cell) -> Cell:
        """The cell whose samples hold this cell's, so that nothing is sampled twice."""
        method = self.methods[cell.method]
        if not method.ignores_ipc:
            return cell
        larger = [
            ipc
            for ipc in self.run["ipc"]
            if ipc >= cell.ipc and (method.coreset or self._same_prior(cell, ipc))
        ]
        return self.cell(cell.dataset, cell.method, max(larger, default=cell.ipc))

    def _same_prior(self, cell: Cell, ipc: int) -> bool:
        own = self.prior(cell.dataset, cell.method, cell.ipc)
        return self.prior(cell.dataset, cell.method, ipc) == own

    @cached_property
    def main_cells(self) -> list[Cell]:
        """Every dataset × method × IPC at the table's weights."""
        return [
            self.cell(dataset, method, ipc)
            for dataset in self.run["datasets"]
            for method in self.run["methods"]
            for ipc in self.run["ipc"]
        ]

    def sweep_cells(self, dataset: str) -> list[Cell]:
        """The cells of the DPP sweep, by rising weight; none where there is no sweep."""
        sweep = self.run["sweep"]
        if sweep is None:
            return []
        return [
            self.cell(dataset, sweep["method"], sweep["ipc"], eta_dpp=eta)
            for eta in sorted(sweep["eta_dpp"])
        ]

    @cached_property
    def cells(self) -> list[Cell]:
        """All cells of the study, each once."""
        sweeps = [c for d in self.run["datasets"] for c in self.sweep_cells(d)]
        return list(dict.fromkeys(self.main_cells + sweeps))

    @cached_property
    def evaluations(self) -> list[tuple[Cell, str, str]]:
        """Every (cell, student, protocol) that is trained, each once."""
        swept = self.run["sweep"]["students"] if self.run["sweep"] else []
        main = set(self.main_cells)
        return [
            (cell, student, protocol)
            for protocol in self.run["protocols"]
            for student in dict.fromkeys([*self.run["students"], *swept])
            for cell in self.cells
            if (cell in main and student in self.run["students"])
            or (cell not in main and student in swept)
        ]

    def cells_of(self, dataset: str, method: str | None = None) -> list[Cell]:
        """The cells of one dataset, or of one method on it."""
        return [c for c in self.cells if c.dataset == dataset and method in (None, c.method)]

    def spectrum_cells(self, dataset: str) -> dict[str, Cell]:
        """The cell behind each curve of the spectrum."""
        spectrum = self.run["spectrum"]
        return {
            curve["source"]: self.cell(dataset, curve["method"], spectrum["ipc"])
            for curve in spectrum["curves"]
        }


def load_study(config: dict, base: str | Path) -> Study:
    """Validate ``config`` (as Snakemake merged it) and read its tables."""
    return Study(config, Path(base))


def _method(row: dict) -> Method:
    terms = tuple(row["guidance"].split("+")) if row.get("guidance") else ()
    return Method(
        row["method"],
        row["label"],
        row.get("coreset"),
        row.get("prior"),
        row.get("coupling"),
        terms,
    )
