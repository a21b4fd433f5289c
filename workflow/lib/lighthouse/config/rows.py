"""The rows that a study's tables have: what belongs in each, and the files behind them.

From the grid alone, so that a row whose jobs failed is a row still.
"""

from dataclasses import asdict

from lighthouse.config.grid import ALL, CEILING, SWEPT, Cell, Method
from lighthouse.config.study import Study
from lighthouse.parts.objectives import OBJECTIVES
from lighthouse.parts.terms import TERMS, named


def student_records(study: Study) -> list[tuple[str, dict]]:
    """Path of each student record, with the row that it belongs to."""
    cells = [
        (
            f"results/students/{student}/{protocol}/{cell.path}.json",
            {**cell.row, "student": student, "protocol": protocol},
        )
        for cell, student, protocol in study.evaluations
    ]
    weights = dict.fromkeys(SWEPT, 0.0)
    full = {"method": CEILING, "ipc": ALL, **weights}
    return cells + [
        (
            f"results/students/{student}/{protocol}/{dataset}/{CEILING}.json",
            {"dataset": dataset, **full, "student": student, "protocol": protocol},
        )
        for dataset, student, protocol in study.ceilings
    ]


def student_seeds(study: Study, cell: Cell) -> list[int]:
    """Seeds of the students trained on each set: of ablations and sweeps the first alone."""
    seeds = study.run["student_seeds"]
    return seeds if cell in study.main_cells else seeds[:1]


def trainings(study: Study) -> list[dict]:
    """The rows of ``student_records``, each with the seeds of its sets and of its students.

    The ceiling has one set, all real images, under the seed 0, and as many students of it
    as others have sets.
    """
    seeds = study.run["seeds"]
    drawn = [(seeds, student_seeds(study, cell)) for cell, *_ in study.evaluations]
    drawn += [([0], seeds) for _ in study.ceilings]
    return [
        {**row, "seeds": of_sets, "student_seeds": of_students}
        for (_, row), (of_sets, of_students) in zip(student_records(study), drawn, strict=True)
    ]


def set_metrics(study: Study, kind: str) -> list[tuple[str, dict]]:
    """Path of each method's metrics, ``diversity`` or ``frechet``, with what names its rows."""
    cells = study.cells if kind == "diversity" else study.table_cells
    named = dict.fromkeys((cell.dataset, cell.method) for cell in cells)
    return [
        (f"results/metrics/{kind}/{dataset}/{method}.csv", {"dataset": dataset, "method": method})
        for dataset, method in named
    ]


def spectra(study: Study, kind: str) -> list[tuple[str, dict]]:
    """Path of each curve's numbers, ``spectrum`` or ``spectrum_ranks``, with what names them."""
    return [
        (f"results/metrics/{kind}/{dataset}/{method}.csv", {"dataset": dataset, "source": source})
        for dataset in study.run["datasets"]
        for method, source in study.spectrum_sources.items()
    ]


def leaderboard_specs(study: Study) -> list[dict]:
    """The leaderboard's rows: every method at every IPC, run or not, and the ceiling."""
    external, specs = study.config["external"], []
    for dataset in study.run["datasets"]:
        shown = [(name, ipc) for name in study.run["methods"] for ipc in study.run["ipc"]]
        shown += [(n, e["ipc"]) for n, e in external.items() if e["dataset"] == dataset]
        for name, ipc in shown:
            method = study.methods[name]
            run = method.external or ipc in study.ipcs(name)
            names = {"dataset": dataset, "method": name, "ipc": ipc}
            cell = study.cell(dataset, name, ipc).row if run else names
            specs.append(
                {
                    **cell,
                    "label": method.label,
                    "run": run,
                    "real": method.coreset is not None,
                    "published_as": study.published_as(dataset),
                }
            )
        if study.run["ceiling"]:
            specs.append(
                {
                    "dataset": dataset,
                    "method": CEILING,
                    "ipc": ALL,
                    **dict.fromkeys(SWEPT, 0.0),
                    "label": "All real images",
                    "run": True,
                    "real": True,
                    "published_as": study.published_as(dataset),
                }
            )
    return specs


def cost_rows(study: Study) -> list[dict]:
    """What each set cost: the records of its sampling, its prior and what else it needs."""
    return [_cost_row(study, cell) for cell in study.table_cells]


def _cost_row(study: Study, cell: Cell) -> dict:
    method, priors = study.methods[cell.method], f"results/costs/priors/{cell.dataset}"
    base, preparation = None, []
    if method.prior:
        # A pretrained model that is taken as it is costs nothing here.
        base = f"{priors}/base.json" if study.dataset(cell.dataset)["base"] else None
        prior = study.prior(cell)
        if prior.name != "base":
            preparation.append(f"{priors}/{prior.path}.json")
        if method.needs_surrogate:
            preparation.append(f"results/costs/surrogates/{cell.dataset}.json")
    return {
        "dataset": cell.dataset,
        "method": cell.method,
        "ipc": cell.ipc,
        "classes": study.n_classes(cell.dataset),
        "sample": None
        if method.external
        else f"results/costs/samples/{study.source(cell).path}.json",
        "base": base,
        "preparation": preparation,
    }


def ablation_specs(study: Study) -> list[dict]:
    """The ablation's rows: its cells with their factors, and the columns that tell these.

    ``factors``: whether (yes or no) the prior has RSM's term, and each guidance term that one
    of the ablation's methods has, in the order of their declaration.
    """
    cells = study.ablation_cells
    used = {term for cell in cells for term in study.methods[cell.method].guidance}
    terms = [term for term in TERMS if term in used]
    return [_ablation_row(study, cell, terms) for cell in cells]


def _ablation_row(study: Study, cell: Cell, terms: list[str]) -> dict:
    method = study.methods[cell.method]
    factors = {"rsm": cell.lam > 0, **{term: term in method.guidance for term in terms}}
    words = {name: "yes" if given else "no" for name, given in factors.items()}
    prior = study.config["priors"].get(method.prior, {})
    untuned = method.prior == "base" or prior.get("lambda") == 0
    plain = untuned and not method.guidance
    return {**cell.row, "factors": words, "coupling": method.coupling, "plain": plain}


def swept_values(study: Study) -> dict[str, list[float]]:
    """The values of each factor of the sweep that is varied, the table's own aside."""
    return {factor: study.run["sweep"][factor] for factor in SWEPT if study.run["sweep"][factor]}


def swept_labels(study: Study) -> dict[str, str]:
    """What stands on the axis of each factor of the sweep."""
    about = study.sweepable(study.run["sweep"]["method"])
    return {factor: about[factor].label for factor in swept_values(study)}


def table_values(study: Study) -> dict[str, dict[str, float]]:
    """The table's own value of each swept factor, by dataset."""
    sweep = study.run["sweep"]
    cells = {d: study.cell(d, sweep["method"], sweep["ipc"]) for d in study.run["datasets"]}
    return {d: {factor: cell.row[factor] for factor in SWEPT} for d, cell in cells.items()}


def method_records(study: Study) -> list[dict]:
    """The composition of every method that the study computes."""
    return [asdict(study.methods[name]) for name in dict.fromkeys(c.method for c in study.cells)]


def method_looks(study: Study) -> list[dict]:
    """The methods of the leaderboard with their parts, by which figures tell them apart.

    ``earlier``: whether a part was published before RSM and CGS.
    """
    names = [*study.run["methods"], *study.config["external"]]
    methods = [study.methods[name] for name in names]
    return [{**asdict(method), "earlier": _is_earlier(study, method)} for method in methods]


def _is_earlier(study: Study, method: Method) -> bool:
    parts: list = named(method.guidance)
    if method.prior:
        parts.append(OBJECTIVES[study.config["priors"][method.prior]["objective"]])
    return any(part.earlier for part in parts)


def largest_cells(study: Study, dataset: str) -> list[Cell]:
    """The cell of each main method at its largest IPC."""
    found: dict[str, Cell] = {}
    for cell in (cell for cell in study.main_cells if cell.dataset == dataset):
        found[cell.method] = max(found.get(cell.method, cell), cell, key=lambda c: c.ipc)
    return list(found.values())
