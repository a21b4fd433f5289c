"""How the grid is divided into jobs: a process of many cells costs one start."""

from collections.abc import Iterable
from dataclasses import dataclass

from lighthouse.config import paths
from lighthouse.config.grid import Cell
from lighthouse.config.study import Study

#: What a batch of sets is made by: real images, pieces of these, a diffusion model, or somebody
#: else; and those that a diffusion model makes to choose weights by, or before them a guidance
#: scale.
REAL, COMPOSED, SAMPLED, EXTERNAL = "real", "composed", "sampled", "external"
TRIED, SCALED = "tried", "scaled"
#: The jobs that choose: a dataset's guidance scale, and then all weights that are tuned.
SCALES, WEIGHTS = "scale", "all"


@dataclass(frozen=True)
class Batch:
    """The cells that one job samples, and the next one trains students on and measures.

    kind: ``REAL``, ``COMPOSED``, ``SAMPLED``, ``EXTERNAL``, ``TRIED`` or ``SCALED``. name: a path,
    which begins with what the cells share: a prior, the real images, or an external set. sources:
    the cells that are sampled; cells: those whose samples they hold (``Study.source``).
    """

    dataset: str
    kind: str
    name: str
    sources: tuple[Cell, ...]
    cells: tuple[Cell, ...]


def batches(study: Study) -> list[Batch]:
    """Every cell of a study in a batch, in the grid's order, and behind them all candidates.

    Cells of a dataset that share a prior are together, at most ``compute.cells_per_job`` sources
    in one batch; so are the coresets, and apart from these those that compose, which wait for
    networks. An external set is alone. Those whose weights are tuned are apart, for they wait until
    this is done, and so are the candidates, which have other seeds; those of a guidance scale, for
    which all others wait, are apart from those of weights. Sets that are selected are apart: they
    wait for the networks that selections look with.
    """
    held: dict[Cell, list[Cell]] = {}
    for cell in [*study.cells, *study.candidate_cells]:
        held.setdefault(study.source(cell), []).append(cell)
    shared: dict[tuple[str, str, str], list[Cell]] = {}
    for source in held:
        shared.setdefault((source.dataset, *_shared(study, source)), []).append(source)
    size = study.config["compute"]["cells_per_job"]
    return [
        Batch(
            dataset,
            kind,
            f"{what}/{number}",
            tuple(sources[first : first + size]),
            tuple(cell for source in sources[first : first + size] for cell in held[source]),
        )
        for (dataset, kind, what), sources in shared.items()
        for number, first in enumerate(range(0, len(sources), size))
    ]


def _shared(study: Study, cell: Cell) -> tuple[str, str]:
    """The kind of a cell's batch, and what its name begins with."""
    method = study.methods[cell.method]
    if method.external:
        return EXTERNAL, f"external/{cell.method}"
    if method.coreset:
        return (COMPOSED, COMPOSED) if method.composes else (REAL, "real")
    path = study.prior(cell).path
    if cell.candidate is not None and not method.guidance:
        return SCALED, f"{path}/scales"
    kind = SAMPLED if cell.candidate is None else TRIED
    apart = {TRIED: "candidates", SAMPLED: method.weights if method.is_tuned else ""}
    return kind, "/".join(filter(None, (path, apart[kind], method.selection and "selected")))


def sampled_by(study: Study, cells: Iterable[Cell]) -> list[str]:
    """The records of the jobs that make the sets of some cells."""
    return _records_of(study, cells, "samples")


def measured_by(study: Study, cells: Iterable[Cell]) -> list[str]:
    """The records of the jobs that measure the sets of some cells."""
    return _records_of(study, cells, "metrics")


def trained_by(study: Study) -> list[str]:
    """The records of all jobs that train students: of cells, and of all images."""
    ceilings = [
        paths.ceiling(ceiling.name, student, protocol, dataset)
        for ceiling, dataset, student, protocol in study.ceilings
    ]
    return _students_of(study, study.evaluations) + ceilings


def tried_by(study: Study, choices: Iterable[Cell]) -> list[str]:
    """The records of the jobs that train students on the candidates of some ``study.choices``."""
    tried = {candidate for cell in choices for candidate in study.candidates(cell)}
    return _students_of(study, [asked for asked in study.tuning_evaluations if asked[0] in tried])


def tuned_by(study: Study, cells: Iterable[Cell]) -> list[str]:
    """The records of the jobs that choose the guidance scale of some cells, and their weights."""
    asked = [(SCALES, cell.dataset) for cell in cells if study.scaled_at(cell)]
    asked += [(WEIGHTS, cell.dataset) for cell in cells if study.tuned_at(cell)]
    return [paths.batch("tuning", dataset, chosen) for chosen, dataset in dict.fromkeys(asked)]


def _students_of(study: Study, evaluations: Iterable[tuple[Cell, str, str]]) -> list[str]:
    """The records of the jobs that train students, for some of each (cell, student, protocol)."""
    cells: dict[tuple[str, str], list[Cell]] = {}
    for cell, *names in evaluations:
        cells.setdefault(tuple(names), []).append(cell)
    return [
        record
        for (student, protocol), own in cells.items()
        for record in _records_of(study, own, f"students/{student}/{protocol}")
    ]


def _records_of(study: Study, cells: Iterable[Cell], stage: str) -> list[str]:
    wanted = set(cells)
    return [
        paths.batch(stage, batch.dataset, batch.name)
        for batch in batches(study)
        if wanted & set(batch.cells)
    ]
