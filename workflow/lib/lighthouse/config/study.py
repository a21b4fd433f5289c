"""A study: the validated config, its tables, and the grid of cells that they span."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lighthouse.config.schema import ConfigError, check, load_schema, read_table
from lighthouse.datasets.sources import SOURCES
from lighthouse.units import REFERENCE_LATENT_DIM, TERM_WEIGHTS, mean_pull

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
        problems = check(config, load_schema(schemas / "config.schema.yaml"), "config")
        if any("tables" in error for error in problems):
            raise ConfigError(problems)
        rows = {}
        for name in ("methods", "hyperparameters"):
            schema = load_schema(schemas / f"{name}.schema.yaml")
            rows[name], found = read_table(self.table_path(name), schema)
            problems += found
        if problems:
            raise ConfigError(problems)
        self.run = config["run"]
        self.methods = {row["method"]: _method(row) for row in rows["methods"]}
        self.hyperparameters = {
            (row["dataset"], row["ipc"]): row for row in rows["hyperparameters"]
        }
        problems += _duplicates(rows, self)
        problems += list(_cross_checks(self))
        if problems:
            raise ConfigError(dict.fromkeys(problems))

    def table_path(self, name: str) -> Path:
        """Path of a table: as given, or else relative to the repository."""
        given = Path(self.config["tables"][name])
        return given if given.is_absolute() or given.exists() else self.base / given

    def dataset(self, name: str) -> dict:
        """Options of a dataset."""
        return self.config["datasets"][name]

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
        for ipc in sorted(self.run["ipc"], reverse=True):
            if method.coreset or self.prior(cell.dataset, cell.method, ipc) == self.prior(
                cell.dataset, cell.method, cell.ipc
            ):
                return self.cell(cell.dataset, cell.method, max(ipc, cell.ipc))
        return cell

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
        """The cells of the DPP sweep, by rising weight."""
        sweep = self.run["sweep"]
        return [
            self.cell(dataset, sweep["method"], sweep["ipc"], eta_dpp=eta)
            for eta in sorted(sweep["eta_dpp"])
        ]

    @cached_property
    def cells(self) -> list[Cell]:
        """All cells of the study, each once."""
        sweeps = [c for d in self.run["datasets"] for c in self.sweep_cells(d)]
        return list(dict.fromkeys(self.main_cells + sweeps))

    def cells_of(self, dataset: str, method: str | None = None) -> list[Cell]:
        """The cells of one dataset, or of one method on it."""
        return [c for c in self.cells if c.dataset == dataset and method in (None, c.method)]

    def spectrum_cells(self, dataset: str) -> dict[str, Cell]:
        """The cell behind each curve of the spectrum."""
        spectrum = self.run["spectrum"]
        return {
            source: self.cell(dataset, method, spectrum["ipc"])
            for source, method in spectrum["sources"].items()
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


def _duplicates(rows: dict, study: Study) -> Iterable[str]:
    for table, keys in (("methods", ["method"]), ("hyperparameters", ["dataset", "ipc"])):
        seen = set()
        for row in rows[table]:
            key = tuple(row[k] for k in keys)
            if key in seen:
                yield f"{study.table_path(table)}: {' '.join(map(str, key))} has two rows"
            seen.add(key)


def _cross_checks(study: Study) -> Iterable[str]:
    """What no schema can say: names that must exist, and combinations that make sense."""
    config, run = study.config, study.run
    known = {
        "datasets": config["datasets"],
        "methods": study.methods,
        "students": config["students"],
        "protocol": config["protocols"],
    }
    unknown = False
    for key, names in known.items():
        for name in [run[key]] if isinstance(run[key], str) else run[key]:
            if name not in names:
                unknown = True
                yield f"config: run.{key}: {name!r} is not known; allowed: {', '.join(names)}"
    yield from _check_methods(study)
    yield from _check_priors(config["priors"])
    for name, options in config["datasets"].items():
        yield from _check_dataset(name, options)
    for name, options in config["protocols"].items():
        ipcs = [pair[0] for pair in options["epochs"]]
        if ipcs != sorted(set(ipcs)):
            yield f"config: protocols.{name}.epochs: the IPCs must rise, got {ipcs}"
        elif max(run["ipc"]) > ipcs[-1]:
            yield (
                f"config: protocols.{name}.epochs: no epochs for IPC {max(run['ipc'])}; "
                f"the last pair holds up to IPC {ipcs[-1]}"
            )
    first, last = config["guidance"]["steps"]
    if first >= last:
        yield f"config: guidance.steps: the first step {first} is not below the last {last}"
    for key in ("sweep", "spectrum"):
        if run[key]["ipc"] not in run["ipc"]:
            yield (
                f"config: run.{key}.ipc: {run[key]['ipc']} is not one of run.ipc: "
                f"{', '.join(map(str, run['ipc']))}"
            )
    for key, names in (
        ("sweep.method", [run["sweep"]["method"]]),
        ("spectrum.sources", run["spectrum"]["sources"].values()),
    ):
        for name in names:
            if name not in run["methods"]:
                unknown = True
                yield (
                    f"config: run.{key}: {name!r} is not one of run.methods: "
                    f"{', '.join(run['methods'])}"
                )
    if not unknown:
        yield from _check_grid(study)


def _check_methods(study: Study) -> Iterable[str]:
    path, priors = study.table_path("methods"), study.config["priors"]
    for method in study.methods.values():
        if method.prior is not None and method.prior not in priors:
            yield (
                f"{path}: {method.name}: prior {method.prior!r} is not known; "
                f"allowed: {', '.join(priors)}"
            )
        for term in method.guidance:
            if term not in TERM_WEIGHTS:
                yield (
                    f"{path}: {method.name}: guidance term {term!r} is not known; "
                    f"allowed: {', '.join(TERM_WEIGHTS)}, joined by +"
                )
        if len(set(method.guidance)) < len(method.guidance):
            yield f"{path}: {method.name}: a guidance term is named twice"
        if method.coupling == "iid" and "dpp" in method.guidance:
            yield (
                f"{path}: {method.name}: coupling 'iid' with guidance 'dpp': alone, an image "
                "has nothing to be pushed from; allowed: sequential or joint"
            )
        if method.coupling in ("joint", "sequential") and not method.guidance:
            yield (
                f"{path}: {method.name}: coupling {method.coupling!r} without guidance couples "
                "nothing; give a guidance term, or coupling 'iid'"
            )


def _check_priors(priors: dict) -> Iterable[str]:
    for name, spec in priors.items():
        if name == "base" and spec != {"objective": "plain"}:
            yield "config: priors.base: must be {objective: plain}"
        if name != "base" and spec["objective"] == "plain":
            yield (
                f"config: priors.{name}: objective 'plain' is for base alone; "
                "for plain fine-tuning write {objective: rsm, lambda: 0}"
            )
        if spec["objective"] == "rsm" and "lambda" not in spec:
            yield f"config: priors.{name}: 'lambda' is missing (a number of at least 0, or table)"


def _check_dataset(name: str, options: dict) -> Iterable[str]:
    place = f"config: datasets.{name}"
    yield from (f"{place}.{line}" for line in SOURCES[options["source"]].check(options))
    autoencoder, denoiser = options["autoencoder"], options["denoiser"]
    factor = 2 ** (len(autoencoder["block_out_channels"]) - 1)
    if options["image_size"] % (factor * denoiser["patch_size"]):
        yield (
            f"{place}: image_size {options['image_size']} does not divide into latents "
            f"({factor} pixels each) and patches of {denoiser['patch_size']}"
        )
    for width in autoencoder["block_out_channels"]:
        if width % autoencoder["norm_num_groups"]:
            yield (
                f"{place}.autoencoder: width {width} is not a multiple of norm_num_groups "
                f"{autoencoder['norm_num_groups']}"
            )
    for stage, key in (("base", "l1_weighting"), ("tuning", "learning_rate")):
        if key in options[stage]:
            yield f"{place}.{stage}: {key!r} has no effect here; leave it out"


def _check_grid(study: Study) -> Iterable[str]:
    run, sweep = study.run, study.run["sweep"]
    table = study.table_path("hyperparameters")
    if "dpp" not in study.methods[sweep["method"]].guidance:
        yield f"config: run.sweep.method: {sweep['method']!r} has no dpp term to sweep"
    for dataset in run["datasets"]:
        for ipc in run["ipc"]:
            row = study.hyperparameters.get((dataset, ipc))
            if row is None:
                yield f"{table}: no row for dataset {dataset!r} and IPC {ipc}"
            elif mean_pull(row["mu_dm"], ipc) > 1 and any(
                "mean" in study.methods[m].guidance for m in run["methods"]
            ):
                yield (
                    f"{table}: {dataset}, IPC {ipc}: mu_dm {row['mu_dm']:g} overshoots: a step "
                    f"would move the set by {mean_pull(row['mu_dm'], ipc):.2f} times its "
                    f"distance from the class mean; allowed: at most "
                    f"{ipc * REFERENCE_LATENT_DIM / 2:g}"
                )
        for method in (study.methods[m] for m in run["methods"]):
            options = study.dataset(dataset)
            available = SOURCES[options["source"]].smallest_class(options["parts"])
            if method.coreset and max(run["ipc"]) > available:
                yield (
                    f"config: run.ipc: {max(run['ipc'])} is above the {available} real images "
                    f"that the smallest class of {dataset!r} has for coreset {method.name!r}"
                )
