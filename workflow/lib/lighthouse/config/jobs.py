"""What each job is told of its cells, in plain values: where their files go, and what they are.

A cell of a job is a dictionary that ``runtime.cells.run_cells`` reads: its ``record`` and
``stamp``; ``files``, what it is beside its record; ``sources``, the records of what it alone is
made from; ``code``, a digest of code that is its own. All else is for the job's script.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict

from lighthouse.config import paths, rows, stamps
from lighthouse.config.batches import Batch
from lighthouse.config.candidates import Candidate
from lighthouse.config.grid import Cell
from lighthouse.config.study import Study
from lighthouse.parts.coresets import CORESETS
from lighthouse.parts.extractors import EXTRACTORS

#: A digest of a script and of the functions that it loads by name, ``module:function``.
Code = Callable[[str, Sequence[str]], str]


def coreset_cells(study: Study, batch: Batch, code: Code) -> list[dict]:
    """The sets of real images of a batch, or those that are composed of such."""
    found = []
    for source in batch.sources:
        coreset = CORESETS[study.methods[source.method].coreset]
        script = "composed.py" if coreset.composes else "coreset.py"
        cell = {
            **_sets(study, source, paths.samples(source)),
            "coreset": coreset.name,
            "choose": coreset.choose,
            # Of its own choice alone, so that a new coreset reruns no other.
            "code": code(script, [coreset.choose]),
        }
        if coreset.options:
            cell["options"] = study.config["coresets"][coreset.name]
        found.append(cell)
    return found


def external_cells(study: Study, batch: Batch) -> list[dict]:
    """The finished set of a batch. Its files' names, sizes and times are in its stamp."""
    found = []
    for source in batch.sources:
        cell, way = _sets(study, source, paths.samples(source)), study.external_way(source.method)
        cell |= {"root": str(study.external_root(source.method)), "way": asdict(way)}
        if way.labels:
            cell["labels"] = f"{paths.samples(source)}/{paths.LABELS}"
            cell["files"] = [*cell["files"], cell["labels"]]
        found.append(cell)
    return found


def sampled_cells(study: Study, batch: Batch, code: Code, shard: str | None = None) -> list[dict]:
    """The sets that a batch samples, with all that tells them apart.

    shard: the number of a shard, whose sets lie in its folder until they are gathered; then
    their records alone stay, by which they are done as long as ``gathered`` is there, the record
    and the files of the sets of all classes. ``tuning``: the record that has the weights
    of a cell's terms, where these are tuned; ``scale``: that which has its guidance scale;
    ``selection``: how its images are chosen of more (``Study.selection``); ``seen``: the file of
    what a shard's pools are chosen by.
    ``loads``: the functions that the job loads by name for a cell.
    """
    found = []
    for source in batch.sources:
        folder = paths.samples(source) if shard is None else paths.shard(shard, source)
        method, terms = study.methods[source.method], study.terms(source)
        start = CORESETS[method.start].choose if method.start else None
        makers = [term["make" if method.denoises else "alone"] for term in terms]
        makers += [start] if start else []
        selection = study.selection(source)
        looks = _looks(study, source) if selection else []
        # Of shards it is the job that gathers them which chooses.
        chooses = [selection["choose"]] if selection and shard is None else []
        launch = study.config["compute"]["launch"]
        cell = {
            **_sets(study, source, folder),
            "coupling": method.coupling,
            "start": start,
            "terms": terms,
            "sampler": study.sampler(source),
            "launch": launch,
            "guided_by_surrogate": method.needs_surrogate,
            "selection": selection,
            "loads": [*makers, *chooses, *looks],
            # Of its own terms, start and selection alone, so that a new one reruns no other.
            "code": code("sample.py", [*makers, *chooses, *looks]),
        }
        if shard is not None:
            whole = _sets(study, source, paths.samples(source))
            cell["gathered"] = [whole["record"], *whole["files"]]
        if selection and shard is not None:
            cell["seen"] = f"{folder}/{paths.SEEN}"
            cell["files"] = [*cell["files"], cell["seen"]]
        if method.denoises and launch != "plain":  # whose samples differ by rounding
            cell["code"] += f" {launch}"
        choices = {"tuning": study.tuned_at(source), "scale": study.scaled_at(source)}
        chosen = {key: paths.tuning(at) for key, at in choices.items() if at}
        if chosen:
            cell |= {**chosen, "sources": list(chosen.values())}
        found.append(cell)
    return found


def _looks(study: Study, source: Cell) -> list[str]:
    """What the job loads by name so that a cell's selection sees its images."""
    kind = study.dataset(source.dataset)["extractor"]["kind"]
    own = [EXTRACTORS[kind].network] if study.methods[source.method].selects_by_features else []
    return [*study.selection(source)["looks"].values(), *own]


def gathered_cells(study: Study, batch: Batch, code: Code) -> list[dict]:
    """The sets of a batch, with the folders of their shards; of pools, how sets are chosen."""
    shards = range(len(study.shards(batch.dataset)))
    found = []
    for source in batch.sources:
        folders = [paths.shard(shard, source) for shard in shards]
        sources = [f"{folder}/{paths.RECORD}" for folder in folders]
        own = _sets(study, source, paths.samples(source))
        selection = study.selection(source)
        if selection:
            own |= {"seeds": study.seeds(source), "code": code("gather.py", [selection["choose"]])}
        found.append({**own, "shards": folders, "sources": sources, "selection": selection})
    return found


def student_cells(study: Study, batch: Batch, student: str, protocol: str) -> list[dict]:
    """The cells of a batch on which students of a network and protocol are trained.

    ``labels``: the file of a set's own soft labels, where the protocol asks for them.
    """
    trained = [*study.evaluations, *study.tuning_evaluations]
    asked = {cell for cell, *names in trained if names == [student, protocol]}
    found = []
    for cell in (cell for cell in batch.cells if cell in asked):
        seeds = rows.student_seeds(study, cell)
        found.append(
            {
                **_of_source(study, cell),
                "labels": _own_labels(study, cell, protocol),
                "row": cell.row,
                "ipc": cell.ipc,
                "student_seeds": seeds,
                "record": paths.students(student, protocol, cell),
                "stamp": stamps.students(study, cell, student, protocol, seeds),
            }
        )
    return found


def tuning_cells(study: Study, choices: Sequence[Cell]) -> list[dict]:
    """Cells of ``study.choices``, with the records of each candidate."""
    found = []
    for cell in choices:
        tried = [_tried(study, *pair) for pair in study.candidates(cell).items()]
        found.append(
            {
                "row": cell.row,
                "candidates": tried,
                "sources": [candidate["students"] for candidate in tried],
                "record": paths.tuning(cell),
                "stamp": stamps.weights(study, cell),
            }
        )
    return found


def _tried(study: Study, cell: Cell, candidate: Candidate) -> dict:
    """A candidate, with the records of its sets and of the students that judge it."""
    tuning = study.run["tuning"]
    return {
        "variant": cell.variant,
        **asdict(candidate),
        "samples": f"{paths.samples(cell)}/{paths.RECORD}",
        "students": paths.students(tuning["student"], tuning["protocol"], cell),
    }


def measured_cells(study: Study, batch: Batch) -> list[dict]:
    """The cells of a batch, with what is measured of their sets."""
    return [
        {
            **_of_source(study, cell),
            **study.measures(cell),
            "row": cell.row,
            "record": paths.set_metrics(cell),
            "stamp": stamps.sets(study, cell),
        }
        for cell in batch.cells
    ]


def handed_on(study: Study, dataset: str) -> list[Cell]:
    """The cells of a dataset whose sets are handed on: of the leaderboard, and made here."""
    return [
        cell
        for cell in study.main_cells
        if cell.dataset == dataset and not study.methods[cell.method].external
    ]


def distilled_cells(study: Study, dataset: str) -> list[dict]:
    """The sets of a dataset that are handed on."""
    return [
        {
            **_of_source(study, cell),
            "row": cell.row,
            "ipc": cell.ipc,
            "label": study.methods[cell.method].label,
            "folder": paths.distilled(cell),
            "files": [paths.distilled(cell)],
            "record": paths.batch("distilled", cell.dataset, f"{cell.method}/ipc~{cell.ipc}"),
            "stamp": stamps.samples(study, study.source(cell)),
        }
        for cell in handed_on(study, dataset)
    ]


def strategies_sets(study: Study, dataset: str) -> list[dict]:
    """The sets of the strategies figure as one cell: of each strategy, and the pool's."""
    *cells, pool = rows.strategies_cells(study, dataset)
    options = study.run["strategies"]
    (record,) = rows.strategies_records(study, [dataset])
    sets = [_of_source(study, cell) for cell in (*cells, pool)]
    shown = paths.strategies_images(dataset)
    return [
        {
            "sets": dict(zip(rows.strategies(study, dataset), sets, strict=False)),
            "pool": sets[-1],
            "sources": [source for files in sets for source in files["sources"]],
            "replicates": study.replicates,
            **{key: options[key] for key in ("ipc", "subsets", "shown_class")},
            "pool_ipc": pool.ipc,
            "shown": shown,
            "record": record.path,
            "stamp": record.stamp,
            "files": [shown],
        }
    ]


def images_of(study: Study, cell: Cell) -> str:
    """The file that holds a cell's decoded images."""
    return f"{paths.samples(study.source(cell))}/{paths.IMAGES}"


def _sets(study: Study, source: Cell, folder: str) -> dict:
    """What names the sets of a source to the job that makes them, in a folder."""
    latents, images = f"{folder}/{paths.LATENTS}", f"{folder}/{paths.IMAGES}"
    return {
        "method": source.method,
        "ipc": source.ipc,
        "stamp": stamps.samples(study, source),
        "latents": latents,
        "images": images,
        "record": f"{folder}/{paths.RECORD}",
        "files": [latents, images],
    }


def _own_labels(study: Study, cell: Cell, protocol: str) -> str | None:
    """The file of a set's own soft labels; None of a set without, or where nobody asks."""
    asked = study.protocol(protocol)["labels"] == "own"
    if not asked or not study.methods[cell.method].external:
        return None
    given = study.external_way(cell.method).labels
    return f"{paths.samples(study.source(cell))}/{paths.LABELS}" if given else None


def _of_source(study: Study, cell: Cell) -> dict:
    """What a job reads of a cell's sets, which may be part of another cell's."""
    folder = paths.samples(study.source(cell))
    return {
        "images": images_of(study, cell),
        "latents": f"{folder}/{paths.LATENTS}",
        "sources": [f"{folder}/{paths.RECORD}"],
    }
