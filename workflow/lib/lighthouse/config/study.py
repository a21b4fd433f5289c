"""A study: a config, its tables, and the grid of cells that they span.

Everything here is taken as right: ``config.load`` reads and checks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from lighthouse.config.candidates import SCALE, Candidate, candidates, scales
from lighthouse.config.grid import CANDIDATE, NONE, TABLE, Cell, Prior, number
from lighthouse.config.settings import Settings
from lighthouse.parts.objectives import OBJECTIVES
from lighthouse.parts.selections import SELECTIONS
from lighthouse.parts.sweeps import SAMPLER_DEFAULTS, Swept, sweepable
from lighthouse.parts.terms import named


@dataclass(frozen=True, eq=False)
class Study(Settings):
    """A config with its tables, and its grid of cells."""

    def hyperparameters_of(self, cell: Cell) -> dict:
        """The row of ``weights`` of a cell, with the number that its variant moves."""
        row = self.weights(cell.dataset, cell.method, cell.ipc)
        return {**row, **{name: value for name, value in cell.moved.items() if name in row}}

    def term_weights(self, cell: Cell) -> dict[str, float | None]:
        """The weight of each term of a cell's method, by column, in the papers' unit.

        None where they are tuned: only the tuning's record knows them. Empty where there is no
        denoiser: a term that is alone is minimised, whatever its weight.
        """
        if not self.methods[cell.method].denoises:
            return {}
        columns = [term.column for term in named(self.methods[cell.method].guidance)]
        if self.tuned_at(cell):
            return dict.fromkeys(columns)
        tried = cell.candidate is not None
        given = self.candidates(cell)[cell].weights if tried else self.hyperparameters_of(cell)
        return {column: given[column] for column in columns}

    def terms(self, cell: Cell) -> list[dict]:
        """The terms of a cell's method with their weights and options, as its job takes them."""
        weights, options = self.term_weights(cell), self.config["guidance"]
        return [
            term.at_work(
                weights.get(term.column, 0.0), self._moved(options[term.name], term.name, cell)
            )
            for term in named(self.methods[cell.method].guidance)
        ]

    def _moved(self, options: Mapping, part: str, cell: Cell) -> dict:
        """Options of a part with the one that a cell's variant moves, whole where it has to be."""
        moved = {}
        for name, value in cell.moved.items():
            of, _, option = name.partition(".")
            if of == part and option in options:
                whole = self.sweepable(cell.method)[name].range["type"] == "integer"
                moved[option] = int(value) if whole else value
        return {**options, **moved}

    def selection(self, cell: Cell) -> dict | None:
        """How the images of a cell are chosen of more, as its job takes it; None keeps all.

        ``times``: how many times as many are sampled; ``looks``: what it chooses by.
        """
        name = self.methods[cell.method].selection
        if name is None:
            return None
        declared, options = SELECTIONS[name], self.config["selections"][name]
        return {
            "name": name,
            "choose": declared.choose,
            "options": options,
            "times": options[declared.times],
            "looks": declared.looks,
        }

    def sampled_for_each(self, cell: Cell) -> int:
        """How many images are sampled for each that a cell keeps."""
        selection = self.selection(cell)
        return selection["times"] if selection else 1

    def sampler(self, cell: Cell) -> dict:
        """The options by which a cell is sampled; ``start_step`` of those that start at images.

        ``guidance_scale`` is None where it is chosen: only the record of the choice knows it.
        """
        options = {**SAMPLER_DEFAULTS, **self.dataset(cell.dataset)["sampler"]}
        if self.methods[cell.method].start is None:
            del options["start_step"]
        if self.scales(cell.dataset):
            tried = self._tries_a_scale(cell)
            options |= self.candidates(cell)[cell].weights if tried else {SCALE: None}
        return self._moved(options, "sampler", cell)

    def sweepable(self, method: str) -> dict[str, Swept]:
        """The numbers of a method that a sweep can vary, by name."""
        about = self.methods[method]
        if not about.denoises:
            return {}
        objective = self.config["priors"][about.prior]["objective"]
        found = sweepable(about.guidance, objective, starts=about.start is not None)
        # A weight that is chosen anew wherever something changes has no value of its own.
        chosen = {term.column for term in named(about.guidance)} if about.is_tuned else set()
        if any(map(self.scales, self.run["datasets"])):
            chosen.add(f"sampler.{SCALE}")
        return {name: swept for name, swept in found.items() if name not in chosen}

    def prior(self, cell: Cell) -> Prior:
        """The prior that a cell samples from."""
        name = self.methods[cell.method].prior
        if name == NONE:
            return Prior(name, name)
        spec = self.config["priors"][name]
        objective = spec["objective"]
        if name == "base":
            return Prior(name, objective)
        row = self.hyperparameters_of(cell)
        options = {key: spec[key] for key in OBJECTIVES[objective].options}
        options = self._moved(options, objective, cell)
        for key in OBJECTIVES[objective].from_table:
            given = row[key] if options[key] == "table" else options[key]
            options[key] = float(cell.moved.get(key, given))
        moved = [(n, v) for n, v in cell.moved.items() if n.startswith(f"{objective}.")]
        own = spec.get("tuning", {})
        return Prior(name, objective, options, row["learning_rate"], next(iter(moved), None), own)

    def priors(self, dataset: str) -> dict[str, Prior]:
        """The tuned priors of a dataset's cells, by path; of one in phases each phase's."""
        return self._priors[dataset]

    @cached_property
    def _priors(self) -> dict[str, dict[str, Prior]]:
        """``priors`` of each dataset: every job of a large study asks for them."""
        found: dict[str, dict[str, Prior]] = {dataset: {} for dataset in self.run["datasets"]}
        for cell in self.cells:
            if self.methods[cell.method].denoises and (prior := self.prior(cell)).name != "base":
                own = self.by_phase(cell.dataset, prior)
                found[cell.dataset] |= {phase.path: phase for phase in own}
        return found

    def source(self, cell: Cell) -> Cell:
        """The cell whose samples hold this cell's, so that nothing is sampled twice."""
        method = self.methods[cell.method]
        own = cell.moved or cell.candidate is not None
        if own or not method.ignores_ipc or cell.method not in self.run["methods"]:
            return cell
        larger = [
            Cell(cell.dataset, cell.method, ipc)
            for ipc in self.ipcs(cell.method)
            if ipc >= cell.ipc
        ]
        same = [c for c in larger if method.coreset or self.prior(c) == self.prior(cell)]
        return max(same, key=lambda c: c.ipc, default=cell)

    @cached_property
    def main_cells(self) -> list[Cell]:
        """Every dataset × method × IPC at the table's weights, and the external sets."""
        return [
            Cell(dataset, method, ipc)
            for dataset in self.run["datasets"]
            for method in self.run["methods"]
            for ipc in self.ipcs(method)
        ] + [
            Cell(given["dataset"], name, ipc)
            for name, given in self.config["external"].items()
            if given["dataset"] in self.run["datasets"]
            for ipc in self.external_ipcs(name)
        ]

    @cached_property
    def ablation_cells(self) -> list[Cell]:
        """The rows of the ablation table."""
        ablation = self.run["ablation"]
        if ablation is None:
            return []
        return [
            Cell(dataset, method, ablation["ipc"])
            for dataset in self.run["datasets"]
            for method in ablation["methods"]
        ]

    @property
    def swept(self) -> dict[str, list[float]]:
        """The values of each number that the sweep moves; those without any are left out."""
        sweep = self.run["sweep"] or {"values": {}}
        return {name: values for name, values in sweep["values"].items() if values}

    def table_value(self, cell: Cell, name: str) -> float:
        """The tables' own value, at a cell of theirs, of a number that a sweep can move."""
        part, dot, option = name.partition(".")
        if not dot:
            row = self.weights(cell.dataset, cell.method, cell.ipc)
            of_prior = self.prior(cell).options
            return float(of_prior[name] if name in of_prior else row[name])
        if part == "sampler":
            return float(self.sampler(cell)[option])
        if part in self.config["guidance"]:
            return float(self.config["guidance"][part][option])
        return float(self.config["priors"][self.methods[cell.method].prior][option])

    def sweep_points(self, dataset: str, name: str) -> dict[float, Cell]:
        """The cells of a sweep over a number by its value, rising.

        The tables' own value is among them. Empty where there is no such sweep, or where the
        method has no such number, which a check says.
        """
        sweep = self.run["sweep"]
        if name not in self.swept or name not in self.sweepable(sweep["method"]):
            return {}
        table = Cell(dataset, sweep["method"], sweep["ipc"])
        own = self.table_value(table, name)
        points = {float(v): replace(table, variant=f"{name}~{number(v)}") for v in self.swept[name]}
        return dict(sorted({**points, own: table}.items()))

    def sweep_cells(self, dataset: str, name: str) -> list[Cell]:
        """The cells of ``sweep_points``."""
        return list(self.sweep_points(dataset, name).values())

    @cached_property
    def swept_cells(self) -> list[Cell]:
        """The cells of all sweeps, each once."""
        found = (
            c for d in self.run["datasets"] for n in self.swept for c in self.sweep_cells(d, n)
        )
        return list(dict.fromkeys(found))

    @cached_property
    def cells(self) -> list[Cell]:
        """All cells of the study, each once."""
        return list(dict.fromkeys(self.main_cells + self.ablation_cells + self.swept_cells))

    @cached_property
    def table_cells(self) -> list[Cell]:
        """The cells at the table's own weights: all but those of sweeps, each once."""
        return list(dict.fromkeys(self.main_cells + self.ablation_cells))

    def tuned_at(self, cell: Cell) -> Cell | None:
        """The cell at whose own values the weights of a cell's terms are tuned.

        None where they are not: of a candidate they are given.
        """
        if not self.methods[cell.method].is_tuned or cell.candidate is not None:
            return None
        return replace(cell, variant=TABLE)

    def scaled_at(self, cell: Cell) -> Cell | None:
        """The cell at which the guidance scale that a cell is sampled with is chosen.

        One a dataset: its unguided images, as many a class as ``run.tuning`` says. None where the
        scale is given, as to a candidate of that choice.
        """
        if not self.methods[cell.method].denoises or not self.scales(cell.dataset):
            return None
        if self._tries_a_scale(cell):
            return None
        return Cell(cell.dataset, self.unguided, self.run["tuning"]["guidance_scale_ipc"])

    def _tries_a_scale(self, cell: Cell) -> bool:
        return cell.candidate is not None and cell.method == self.unguided

    def candidates(self, cell: Cell) -> dict[Cell, Candidate]:
        """The weights among which those of a cell's method are chosen, each a cell.

        Of a method without terms it is the guidance scale, which is its dataset's.
        """
        terms = named(self.methods[cell.method].guidance)
        if terms:
            tried = candidates(terms, self.run["tuning"]["factors"], cell.ipc)
        else:
            tried = scales(self.scales(cell.dataset))
        return {replace(cell, variant=f"{CANDIDATE}~{i}"): one for i, one in enumerate(tried)}

    @cached_property
    def tuned_cells(self) -> list[Cell]:
        """The cells at which weights are tuned, each once."""
        return list(dict.fromkeys(filter(None, map(self.tuned_at, self.cells))))

    @cached_property
    def scaled_cells(self) -> list[Cell]:
        """The cells at which a guidance scale is chosen, one a dataset."""
        return list(dict.fromkeys(filter(None, map(self.scaled_at, self.cells))))

    @property
    def choices(self) -> list[Cell]:
        """The cells at which something is chosen on the validation part: scales, then weights."""
        return [*self.scaled_cells, *self.tuned_cells]

    @cached_property
    def candidate_cells(self) -> list[Cell]:
        """The candidates of all choices. They are in no table but that of the tuning."""
        return [candidate for cell in self.choices for candidate in self.candidates(cell)]

    def replicates_of(self, cell: Cell) -> dict[int, list[int]]:
        """The sampling seeds of a cell's sets by replicate.

        Candidates of a tuning are sets of the first replicate alone, and of seeds of their own:
        a choice is made on other sets than are reported, and once a study.
        """
        if cell.candidate is None:
            return self.replicates
        return {next(iter(self.replicates)): self.run["tuning"]["seeds"]}

    def seeds(self, cell: Cell) -> list[int]:
        """The sampling seeds of all sets of a cell."""
        return [seed for seeds in self.replicates_of(cell).values() for seed in seeds]

    @cached_property
    def evaluations(self) -> list[tuple[Cell, str, str]]:
        """Every (cell, student, protocol) that is trained, each once."""
        run = self.run
        asked = [(set(self.main_cells), run["students"])]
        if run["ablation"]:
            asked.append((set(self.ablation_cells), run["ablation"]["students"]))
        if run["sweep"]:
            asked.append((set(self.swept_cells), run["sweep"]["students"]))
        students = dict.fromkeys(student for _, names in asked for student in names)
        return [
            (cell, student, protocol)
            for protocol in run["protocols"]
            for student in students
            for cell in self.cells
            if any(cell in cells and student in names for cells, names in asked)
        ]

    @property
    def tuning_evaluations(self) -> list[tuple[Cell, str, str]]:
        """Every (candidate, student, protocol) by which weights are chosen."""
        tuning = self.run["tuning"]
        return [(cell, tuning["student"], tuning["protocol"]) for cell in self.candidate_cells]

    def cells_of(self, dataset: str, method: str | None = None) -> list[Cell]:
        """The cells of one dataset, or of one method on it."""
        return [c for c in self.cells if c.dataset == dataset and method in (None, c.method)]

    def methods_of(self, dataset: str) -> list[str]:
        """The methods that have cells on a dataset."""
        return list(dict.fromkeys(cell.method for cell in self.cells_of(dataset)))

    def measures(self, cell: Cell) -> dict:
        """What is measured of a cell's sets beside their diversity.

        distances: whether those from the real images are. spectrum: the name of the curve
        that the cell stands for, or None.
        """
        spectrum = self.run["spectrum"] or {"ipc": None}
        drawn = not cell.moved and cell.ipc == spectrum["ipc"]
        return {
            "distances": cell in self.table_cells,
            "spectrum": self.spectrum_sources.get(cell.method) if drawn else None,
        }
