"""A study: the validated config, its tables, and the grid of cells that they span."""

from dataclasses import replace
from functools import cached_property
from itertools import product
from pathlib import Path

import yaml

from lighthouse.config.checks import cross_checks, duplicates, published_names
from lighthouse.config.grid import SWEPT, Cell, Method, Prior, method_of
from lighthouse.config.schema import ConfigError, check, load_schema, read_table
from lighthouse.datasets.external import problems
from lighthouse.datasets.sources import SOURCES
from lighthouse.parts.sweeps import Swept, sweepable
from lighthouse.parts.terms import named, with_defaults
from lighthouse.runtime.errors import DataError


class Study:
    """A validated config with its tables.

    Raises ``ConfigError`` with every mistake found, each with its place.
    """

    def __init__(self, config: dict, base: Path):
        config = _completed(config)
        self.config = config
        self.base = base
        schemas = base / "workflow" / "schemas"
        schema = load_schema(schemas / "config.schema.yaml")
        problems = check(config, schema, "config")
        if check(config.get("tables"), schema["properties"]["tables"], "config"):
            raise ConfigError(problems)
        rows = {}
        for name in ("methods", "hyperparameters", "published"):
            columns = load_schema(schemas / f"{name}.schema.yaml")
            rows[name], found = read_table(self.table_path(name), columns)
            problems += found
        if problems:
            raise ConfigError(problems)
        self.run = config["run"]
        self.methods = {row["method"]: method_of(row) for row in rows["methods"]}
        self.hyperparameters = rows["hyperparameters"]
        problems += [*duplicates(rows, self), *published_names(rows["published"], self)]
        for name, given in config["external"].items():
            self.methods.setdefault(name, Method(name, given["label"], external=True))
        problems += cross_checks(self)
        if problems:
            raise ConfigError(dict.fromkeys(problems))

    @property
    def own_methods(self) -> list[str]:
        """The rows of the method table."""
        return [name for name, method in self.methods.items() if not method.external]

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
        path = self.base / "config" / "config.yaml"
        shipped = _completed(yaml.safe_load(path.read_text("utf-8")))
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

    def n_classes(self, dataset: str) -> int:
        """How many classes a dataset has. No image is read for it."""
        source = SOURCES[self.dataset(dataset)["source"]]
        return source.n_classes(self.source_options(dataset))

    def shards(self, dataset: str) -> list[list[int]]:
        """Labels by sampling job: groups of ``sampler.classes_per_job`` classes."""
        size = self.dataset(dataset)["sampler"]["classes_per_job"]
        labels = list(range(self.n_classes(dataset)))
        return [labels[first : first + size] for first in range(0, len(labels), size)]

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
        picks = [c.ipc for c in self.cells if self.methods[c.method].picks_real_images]
        least = max(picks, default=1)
        for name in self.run["datasets"]:
            options = self.dataset(name)
            found = SOURCES[options["source"]].missing(self.source_options(name), least)
            lines += [f"datasets.{name}: {line}" for line in found]
            for part in ("autoencoder", "denoiser"):
                if options[part].get("revision") is None:
                    lines += self._absent(f"datasets.{name}.{part}.pretrained", options[part])
            lines += self._absent(f"datasets.{name}.extractor.weights", options["extractor"])
            lines += self._missing_external(name)
        for name in self.run["protocols"]:
            teacher = self.protocol(name).get("teacher", {})
            if teacher.get("weights") != "torchvision":
                lines += self._absent(f"protocols.{name}.teacher.weights", teacher)
        return lines

    def _missing_external(self, dataset: str) -> list[str]:
        """What is wrong with the external sets of a dataset whose classes are known."""
        given = self.config["external"]
        names = [name for name in given if given[name]["dataset"] == dataset]
        if not names:
            return []
        try:
            classes = SOURCES[self.dataset(dataset)["source"]].classes(self.source_options(dataset))
        except DataError:
            return []  # said already, of the dataset itself
        return [
            f"external.{name}: {line}"
            for name in names
            for line in problems(
                self.external_root(name), given[name]["ipc"], classes, self.run["seeds"]
            )
        ]

    def _absent(self, key: str, options: dict) -> list[str]:
        given = options.get(key.rsplit(".", 1)[1])
        if given is None or self.place(given).exists():
            return []
        return [f"{key}: {self.place(given)} does not exist"]

    def published_as(self, dataset: str) -> str | None:
        """The name under which papers publish figures of a dataset; None where none would compare.

        fastai's editions are a re-split of the same images: not the papers' datasets.
        """
        options = self.dataset(dataset)
        return options["classes"] if options["source"] == "imagenet" else None

    def external_root(self, name: str) -> Path:
        """The folder of a finished set that was made elsewhere."""
        return self.place(self.config["external"][name]["root"])

    def protocol(self, name: str) -> dict:
        """Options of a student protocol."""
        return self.config["protocols"][name]

    def weights(self, dataset: str, method: str, ipc: int) -> dict:
        """The hyperparameters of a method: the row of all, and over it the method's own.

        Empty where the table has no row for the dataset and IPC.
        """
        rows = [
            row
            for row in self.hyperparameters
            if (row["dataset"], row["ipc"]) == (dataset, ipc)
            and row.get("method") in (None, method)
        ]
        rows.sort(key=lambda row: "method" in row)
        return {key: value for row in rows for key, value in row.items()}

    def cell(self, dataset: str, method: str, ipc: int, **other: float) -> Cell:
        """The cell of a method at the table's weights, or with ``other`` ones.

        ``other``: ``lam``, ``eta_dpp`` or ``mu_dm``.
        """
        row, terms = self.weights(dataset, method, ipc), self.methods[method].guidance
        own = {
            column: row[column] if term in terms else 0.0
            for term, column in (("dpp", "eta_dpp"), ("mean", "mu_dm"))
        }
        own["lam"] = self._lambda(method, row) or 0.0
        return Cell(dataset, method, ipc, **{**own, **{k: float(v) for k, v in other.items()}})

    def _lambda(self, method: str, row: dict) -> float | None:
        """λ of a method's prior; None where it is not RSM's."""
        spec = self.config["priors"].get(self.methods[method].prior, {})
        if spec.get("objective") != "rsm":
            return None
        return float(row["lambda"] if spec["lambda"] == "table" else spec["lambda"])

    def term_weights(self, cell: Cell) -> dict[str, float]:
        """The weight of each term of a cell's method, by column, in the papers' unit."""
        row = self.weights(cell.dataset, cell.method, cell.ipc) | cell.row
        return {term.column: row[term.column] for term in named(self.methods[cell.method].guidance)}

    def terms(self, cell: Cell) -> list[dict]:
        """The terms of a cell's method with their weights and options, as its job takes them."""
        weights, options = self.term_weights(cell), self.config["guidance"]
        return [
            term.at_work(weights[term.column], options[term.name])
            for term in named(self.methods[cell.method].guidance)
        ]

    def sweepable(self, method: str) -> dict[str, Swept]:
        """The numbers of a method that a sweep can vary, by name."""
        about = self.methods[method]
        spec = self.config["priors"].get(about.prior, {})
        return sweepable(about.guidance, spec.get("objective"))

    def prior(self, cell: Cell) -> Prior:
        """The prior that a cell samples from."""
        name = self.methods[cell.method].prior
        spec = self.config["priors"][name]
        if name == "base":
            return Prior(name, spec["objective"], None, None)
        rate = self.weights(cell.dataset, cell.method, cell.ipc)["learning_rate"]
        return Prior(
            name, spec["objective"], cell.lam if spec["objective"] == "rsm" else None, rate
        )

    def ipcs(self, method: str) -> list[int]:
        """The IPCs at which the study computes a method of ``run.methods``."""
        limits = [entry["ipc"] for entry in self.run["only"] if method in entry["methods"]]
        return [ipc for ipc in self.run["ipc"] if all(ipc in limit for limit in limits)]

    def source(self, cell: Cell) -> Cell:
        """The cell whose samples hold this cell's, so that nothing is sampled twice."""
        method = self.methods[cell.method]
        if not method.ignores_ipc or cell.method not in self.run["methods"]:
            return cell
        larger = [
            self.cell(cell.dataset, cell.method, ipc)
            for ipc in self.ipcs(cell.method)
            if ipc >= cell.ipc
        ]
        same = [c for c in larger if method.coreset or self.prior(c) == self.prior(cell)]
        return max(same, key=lambda c: c.ipc, default=cell)

    @cached_property
    def main_cells(self) -> list[Cell]:
        """Every dataset × method × IPC at the table's weights, and the external sets."""
        return [
            self.cell(dataset, method, ipc)
            for dataset in self.run["datasets"]
            for method in self.run["methods"]
            for ipc in self.ipcs(method)
        ] + [
            self.cell(given["dataset"], name, given["ipc"])
            for name, given in self.config["external"].items()
            if given["dataset"] in self.run["datasets"]
        ]

    @cached_property
    def ablation_cells(self) -> list[Cell]:
        """The rows of the ablation table."""
        ablation = self.run["ablation"]
        if ablation is None:
            return []
        return [
            self.cell(dataset, method, ablation["ipc"])
            for dataset in self.run["datasets"]
            for method in ablation["methods"]
        ]

    def sweep_cells(self, dataset: str, factor: str = "eta_dpp") -> list[Cell]:
        """The cells of a sweep over ``lambda``, ``eta_dpp`` or ``mu_dm``, by rising value.

        The table's own value is among them. None where there is no such sweep.
        """
        sweep = self.run["sweep"]
        if sweep is None or not sweep[factor]:
            return []
        name = SWEPT[factor]
        table = self.cell(dataset, sweep["method"], sweep["ipc"])
        values = {getattr(table, name), *map(float, sweep[factor])}
        return [replace(table, **{name: value}) for value in sorted(values)]

    @cached_property
    def cells(self) -> list[Cell]:
        """All cells of the study, each once."""
        sweeps = [c for d in self.run["datasets"] for f in SWEPT for c in self.sweep_cells(d, f)]
        return list(dict.fromkeys(self.main_cells + self.ablation_cells + sweeps))

    @cached_property
    def table_cells(self) -> list[Cell]:
        """The cells at the table's own weights: all but those of sweeps, each once."""
        return list(dict.fromkeys(self.main_cells + self.ablation_cells))

    @property
    def ceilings(self) -> list[tuple[str, str, str]]:
        """Every (dataset, student, protocol) that is trained on all real images."""
        if not self.run["ceiling"]:
            return []
        return list(product(self.run["datasets"], self.run["students"], self.run["protocols"]))

    @cached_property
    def evaluations(self) -> list[tuple[Cell, str, str]]:
        """Every (cell, student, protocol) that is trained, each once."""
        run = self.run
        asked = [(set(self.main_cells), run["students"])]
        if run["ablation"]:
            asked.append((set(self.ablation_cells), run["ablation"]["students"]))
        if run["sweep"]:
            swept = {c for d in run["datasets"] for f in SWEPT for c in self.sweep_cells(d, f)}
            asked.append((swept, run["sweep"]["students"]))
        students = dict.fromkeys(student for _, names in asked for student in names)
        return [
            (cell, student, protocol)
            for protocol in run["protocols"]
            for student in students
            for cell in self.cells
            if any(cell in cells and student in names for cells, names in asked)
        ]

    def cells_of(self, dataset: str, method: str | None = None) -> list[Cell]:
        """The cells of one dataset, or of one method on it."""
        return [c for c in self.cells if c.dataset == dataset and method in (None, c.method)]

    def methods_of(self, dataset: str) -> list[str]:
        """The methods that have cells on a dataset."""
        return list(dict.fromkeys(cell.method for cell in self.cells_of(dataset)))

    @property
    def spectrum_sources(self) -> dict[str, str]:
        """The name of each method's curve of the spectrum, in the curves' order."""
        return {curve["method"]: curve["source"] for curve in self.run["spectrum"]["curves"]}


def _completed(config: dict) -> dict:
    """A config with the declared options of the guidance terms that it leaves out."""
    guidance = config.get("guidance")
    if not isinstance(guidance, dict):
        return config
    return {**config, "guidance": with_defaults(guidance)}


def load_study(config: dict, base: str | Path) -> Study:
    """Validate ``config`` (as Snakemake merged it) and read its tables."""
    return Study(config, Path(base))
