"""The rows that a study's tables have: what belongs in each, and the records behind them.

From the grid alone, so that a row whose jobs failed is a row still.
"""

from dataclasses import asdict
from typing import NamedTuple

from lighthouse.config import paths, stamps
from lighthouse.config.grid import ALL, TABLE, Ceiling, Cell
from lighthouse.config.study import Study
from lighthouse.parts.selections import SELECTIONS
from lighthouse.parts.terms import TERMS

#: How a set can be sampled, as ``run.strategies`` and its table name it.
STRATEGIES = ("iid", "sequential", "joint")


class Expected(NamedTuple):
    """A record that a table reads: where it lies, what names its row, and its stamp.

    A record of another stamp is that of another study.
    """

    path: str
    row: dict
    stamp: str


def student_records(study: Study) -> list[Expected]:
    """The record of each cell's students, by network and protocol; then those of the ceilings."""
    cells = [
        Expected(
            paths.students(student, protocol, cell),
            {**cell.row, "student": student, "protocol": protocol},
            stamps.students(study, cell, student, protocol, student_seeds(study, cell)),
        )
        for cell, student, protocol in study.evaluations
    ]
    return cells + [
        Expected(
            paths.ceiling(ceiling.name, student, protocol, dataset),
            {**_ceiling_row(dataset, ceiling), "student": student, "protocol": protocol},
            stamps.ceiling(study, ceiling, dataset, student, protocol),
        )
        for ceiling, dataset, student, protocol in study.ceilings
    ]


def board_records(study: Study) -> list[Expected]:
    """The records of the students that the leaderboard is of, the ceilings aside.

    Rows have ``label`` and ``coreset`` too, how a method picks real images, None where it makes
    its own.
    """
    found = []
    for (cell, student, _), record in zip(study.evaluations, student_records(study), strict=False):
        if cell in study.main_cells and student in study.run["students"]:
            method = study.methods[cell.method]
            about = {
                "label": method.label,
                "coreset": method.coreset if method.is_real else None,
            }
            found.append(record._replace(row={**record.row, **about}))
    return found


def _ceiling_row(dataset: str, ceiling: Ceiling) -> dict:
    """What names a ceiling's row in tables, as ``Cell.row`` does a cell's."""
    return {"dataset": dataset, "method": ceiling.name, "ipc": ALL, "variant": TABLE}


def student_seeds(study: Study, cell: Cell) -> list[int]:
    """Seeds of the students trained on each set: of ablations and sweeps the first alone."""
    if cell.candidate is not None:
        return study.run["tuning"]["student_seeds"]
    seeds = study.run["student_seeds"]
    return seeds if cell in study.main_cells else seeds[:1]


def trainings(study: Study) -> list[dict]:
    """The rows of ``student_records``, each with the seeds of its sets and of its students.

    A ceiling has one set, all images, under the seed 0, and as many students of it as others
    have sets.
    """
    seeds = study.set_seeds
    drawn = [(seeds, student_seeds(study, cell)) for cell, *_ in study.evaluations]
    drawn += [([0], seeds) for _ in study.ceilings]
    return [
        {**record.row, "seeds": of_sets, "student_seeds": of_students}
        for record, (of_sets, of_students) in zip(student_records(study), drawn, strict=True)
    ]


def set_records(study: Study, cells: list[Cell]) -> list[Expected]:
    """The record of the metrics of each cell's sets."""
    return [Expected(paths.set_metrics(cell), cell.row, stamps.sets(study, cell)) for cell in cells]


def spectrum_cells(study: Study) -> list[Cell]:
    """The cells behind the curves of the spectrum."""
    return [
        Cell(dataset, method, study.run["spectrum"]["ipc"])
        for dataset in study.run["datasets"]
        for method in study.spectrum_sources
    ]


def spectra(study: Study) -> list[Expected]:
    """The record behind each curve of the spectrum, with what names the curve."""
    cells = spectrum_cells(study)
    return [
        record._replace(
            row={"dataset": cell.dataset, "source": study.spectrum_sources[cell.method]}
        )
        for cell, record in zip(cells, set_records(study, cells), strict=True)
    ]


def strategies(study: Study, dataset: str) -> dict[str, Cell]:
    """The cell of each of ``STRATEGIES``; then those of the methods beside them, by their names."""
    options = study.run["strategies"]
    methods = {name: options[name] for name in STRATEGIES}
    methods |= {name: name for name in options["beside"]}
    return {name: Cell(dataset, method, options["ipc"]) for name, method in methods.items()}


def strategies_cells(study: Study, dataset: str) -> list[Cell]:
    """The cells of the strategies figure, and last the one whose images are the pool."""
    iid = study.run["strategies"]["iid"]
    pool = Cell(dataset, iid, max(study.ipcs(iid)))
    return [*strategies(study, dataset).values(), pool]


def strategies_records(study: Study, datasets: list[str]) -> list[Expected]:
    """The record of the measures of strategies of each dataset."""
    return [
        Expected(
            paths.strategies(dataset),
            {"dataset": dataset},
            stamps.strategies(study, strategies_cells(study, dataset)),
        )
        for dataset in datasets
    ]


def sample_records(study: Study, cells: list[Cell]) -> list[Expected]:
    """The record of the sampling of each cell's sets, with the folder of its source."""
    return [
        Expected(
            f"{paths.samples(study.source(cell))}/{paths.RECORD}",
            cell.row,
            stamps.samples(study, study.source(cell)),
        )
        for cell in cells
    ]


def tuning_records(study: Study) -> list[Expected]:
    """The record of the choice at each of ``study.choices``."""
    return [
        Expected(paths.tuning(cell), cell.row, stamps.weights(study, cell))
        for cell in study.choices
    ]


def candidates(study: Study) -> list[dict]:
    """The rows of the candidates of all choices, with their ``factors`` and ``weights``."""
    return [
        {**candidate.row, **asdict(tried)}
        for cell in study.choices
        for candidate, tried in study.candidates(cell).items()
    ]


def leaderboard_specs(study: Study) -> list[dict]:
    """The leaderboard's rows: every method at every IPC, run or not, and the ceilings."""
    external, specs = study.config["external"], []
    for dataset in study.run["datasets"]:
        shown = [(name, ipc) for name in study.run["methods"] for ipc in study.run["ipc"]]
        shown += [
            (name, ipc)
            for name, given in external.items()
            if given["dataset"] == dataset
            for ipc in study.external_ipcs(name)
        ]
        for name, ipc in shown:
            method = study.methods[name]
            run = method.external or ipc in study.ipcs(name)
            names = {"dataset": dataset, "method": name, "ipc": ipc}
            cell = Cell(dataset, name, ipc).row if run else names
            specs.append(
                {
                    **cell,
                    "label": method.label,
                    "run": run,
                    "real": method.is_real,
                    "published_as": study.published_as(dataset),
                }
            )
        specs += [
            {
                **_ceiling_row(dataset, ceiling),
                "label": ceiling.label,
                "run": True,
                "real": ceiling.real,
                "published_as": study.published_as(dataset),
            }
            for ceiling in study.ceiling_rows
        ]
    return specs


def cost_rows(study: Study) -> list[dict]:
    """What each set cost: the records of its sampling, its prior and what else it needs.

    ``replicates``: their seeds, each with a base prior and a preparation of its own; ``sampled``:
    whether a job goes over them one by one.
    """
    return [_cost_row(study, cell) for cell in study.table_cells]


def _cost_row(study: Study, cell: Cell) -> dict:
    method, dataset = study.methods[cell.method], cell.dataset
    base, preparation = [], []
    if method.denoises:
        # A pretrained model that is taken as it is costs nothing here.
        if not study.has_one_base(dataset):
            base = [paths.prior_cost(dataset, "base", seed) for seed in study.replicates]
        prior = study.prior(cell)
        for seed in study.replicates:
            if prior.name != "base":
                preparation += [
                    paths.prior_cost(dataset, phase.path, seed)
                    for phase in study.by_phase(dataset, prior)
                ]
            if method.needs_surrogate:
                preparation.append(paths.surrogate_cost(dataset, seed))
    if method.needs_classifier:  # one for all, of which each replicate needs the whole
        preparation += [paths.classifier_cost(dataset)] * len(study.replicates)
    (sample,) = sample_records(study, [cell])
    choices = filter(None, (study.scaled_at(cell), study.tuned_at(cell)))
    return {
        **cell.row,
        "classes": study.n_classes(dataset),
        "replicates": list(study.replicates),
        "sampled": method.prior is not None,
        "sample": None if method.external else sample.path,
        "stamp": sample.stamp,
        "base": base,
        "preparation": preparation,
        "tuning": list(map(paths.tuning, choices)),
    }


def autoencoder_rows(study: Study) -> list[dict]:
    """The autoencoder of each dataset. ``image_size``: in pixels; ``cost``: the record."""
    return [
        {
            "dataset": dataset,
            "image_size": study.dataset(dataset)["image_size"],
            "cost": paths.autoencoder_cost(dataset),
        }
        for dataset in study.run["datasets"]
    ]


def prior_rows(study: Study) -> list[dict]:
    """Every prior that the study trains, the base first, in each replicate.

    ``cost``: what its training took. ``looks``: whether its held-out loss was looked at on the
    way.

    ``sampled``: the cell of the most images that is sampled from it with no guidance term, each
    image alone, by what names its rows; None where no method does so, and of a phase's prior,
    from which some of a cell's classes are sampled.
    """
    found = []
    for dataset in study.run["datasets"]:
        cells = [c for c in study.cells_of(dataset) if study.methods[c.method].denoises]
        base = study.dataset(dataset)["base"]
        trained = ["base"] if cells and base else []
        for prior in [*trained, *study.priors(dataset)]:
            plain = [cell for cell in cells if _shows(study, cell, prior)]
            shown = max(plain, key=lambda cell: cell.ipc, default=None)
            found += [
                {
                    "dataset": dataset,
                    "prior": prior,
                    "replicate": seed,
                    "cost": paths.prior_cost(dataset, prior, seed),
                    "looks": prior == "base" and "stop" in base,
                    "sampled": shown and shown.row,
                }
                for seed in study.replicates
            ]
    return found


def _shows(study: Study, cell: Cell, prior: str) -> bool:
    """Whether a cell's images are a prior's own, and by the sampler that the tables have."""
    method = study.methods[cell.method]
    alone = method.ignores_ipc and method.start is None
    by_the_sampler = not any(name.startswith("sampler.") for name in cell.moved)
    return alone and by_the_sampler and study.prior(cell).path == prior


def ablation_specs(study: Study) -> list[dict]:
    """The ablation's rows: its cells with their factors, and the columns that tell these.

    ``factors``: whether (yes or no) the prior has RSM's term, each guidance term that one of the
    ablation's methods has, in the order of their declaration, and behind them, where one has any,
    each selection, as ``selected_by_<name>``: its name may be a term's.
    """
    cells = study.ablation_cells
    methods = [study.methods[cell.method] for cell in cells]
    terms = [term for term in TERMS if any(term in method.guidance for method in methods)]
    chosen = [name for name in SELECTIONS if any(name == m.selection for m in methods)]
    return [_ablation_row(study, cell, terms, chosen) for cell in cells]


def _ablation_row(study: Study, cell: Cell, terms: list[str], selections: list[str]) -> dict:
    method = study.methods[cell.method]
    lam = study.prior(cell).options.get("lambda", 0) if method.denoises else 0
    factors = {"rsm": lam > 0, **{term: term in method.guidance for term in terms}}
    factors |= {f"selected_by_{name}": name == method.selection for name in selections}
    words = {name: "yes" if given else "no" for name, given in factors.items()}
    prior = study.config["priors"].get(method.prior, {})
    untuned = method.prior == "base" or prior.get("lambda") == 0
    plain = untuned and not (method.guidance or method.selection)
    return {**cell.row, "factors": words, "coupling": method.coupling, "plain": plain}


def sweep_points(study: Study) -> list[dict]:
    """The points of every curve of the sweep: ``factor``, ``value``, and the cell.

    ``at_table``: whether the value is the tables' own, which is a point of every curve.
    """
    return [
        {"factor": name, "value": value, "at_table": not cell.moved, **cell.row}
        for name in study.swept
        for dataset in study.run["datasets"]
        for value, cell in study.sweep_points(dataset, name).items()
    ]


def swept_labels(study: Study) -> dict[str, str]:
    """What stands on the axis of each number that the sweep moves."""
    return {name: study.sweepable(study.run["sweep"]["method"])[name].label for name in study.swept}


def method_records(study: Study) -> list[dict]:
    """The composition of every method that the study computes."""
    return [asdict(study.methods[name]) for name in dict.fromkeys(c.method for c in study.cells)]


def study_options(study: Study) -> dict:
    """All that a study is, of config and tables."""
    return {
        "config": study.config,
        "methods": method_records(study),
        "hyperparameters": study.hyperparameters,
    }


def shown_cells(study: Study, dataset: str) -> list[Cell]:
    """The cell of each main method at its largest IPC; with ``run.pictures.real``, coresets'."""
    found: dict[str, Cell] = {}
    for cell in (cell for cell in study.main_cells if cell.dataset == dataset):
        found[cell.method] = max(found.get(cell.method, cell), cell, key=lambda c: c.ipc)
    real = study.run["pictures"]["real"]
    return [c for name, c in found.items() if real or study.methods[name].coreset is None]
