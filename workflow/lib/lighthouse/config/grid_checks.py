"""Whether the grid that a study's names span can be computed."""

import math
from collections import defaultdict
from collections.abc import Iterable
from itertools import chain, product

from lighthouse.config.grid import Cell, Method
from lighthouse.config.schema import check
from lighthouse.config.study import Study
from lighthouse.datasets.sources import SOURCES
from lighthouse.parts.objectives import OBJECTIVES
from lighthouse.parts.terms import Term, named
from lighthouse.runtime.errors import DataError
from lighthouse.steps import respaced
from lighthouse.students.limits import network_problem


def grid_checks(study: Study) -> Iterable[str]:
    """Whether the grid of a study whose names are known can be computed, a line a mistake."""
    run = study.run
    table = study.table_path("hyperparameters")
    for row in study.hyperparameters:
        dataset, method = row["dataset"], row.get("method")
        if dataset not in study.config["datasets"]:
            names = ", ".join(study.config["datasets"])
            ipc = f"IPC {row['ipc']}" if "ipc" in row else "all IPCs"
            yield f"{table}: dataset {dataset!r} ({ipc}) is not known; allowed: {names}"
        if method is not None and method not in study.own_methods:
            yield f"{table}: method {method!r} {_none_of(study.own_methods, 'the method table')}"
    yield from dict.fromkeys(_check_rows(study, table))
    for ipc in dict.fromkeys(ipc for entry in run["only"] for ipc in entry["ipc"]):
        if ipc not in run["ipc"]:
            allowed = _none_of(run["ipc"], "run.ipc")
            yield f"config: run.only: IPC {ipc} {allowed}; or `run.only: []`"
    for method in run["methods"]:
        if not study.ipcs(method):
            yield f"config: run.only: leaves {method!r} at no IPC of run.ipc"
    yield from _check_sweep(study)
    yield from _check_strategies(study)
    yield from _check_drawn(study)
    for key in ("ablation", "spectrum"):
        if run[key] and run[key]["ipc"] not in run["ipc"]:
            yield f"config: run.{key}.ipc: {run[key]['ipc']} {_none_of(run['ipc'], 'run.ipc')}"
    for method in study.spectrum_sources:
        yield from _not_run(study, "spectrum", method, run["spectrum"]["ipc"])
    counts = {}  # classes by dataset, of those that are there
    for dataset in run["datasets"]:
        yield from _check_students(study, dataset)
        yield from _check_guided_steps(study, dataset)
        options = study.dataset(dataset)
        for network in ("surrogate", "classifier"):
            asking = [m.name for m in _methods_in_use(study) if getattr(m, f"needs_{network}")]
            if asking and network not in options:
                yield f"config: datasets.{dataset}: {network!r} is missing ({asking[0]} needs it)"
        try:
            classes = counts[dataset] = sum(map(len, study.shards(dataset)))
        except DataError as error:
            yield f"config: datasets.{dataset}: {error}"
            continue
        available = SOURCES[options["source"]].smallest_class(study.source_options(dataset))
        yield from _check_neighbours(study, dataset, available)
        yield from _check_images(study, dataset, available)
        for key in ("sweep", "strategies"):
            if run[key] and run[key]["shown_class"] >= classes:
                yield (
                    f"config: run.{key}.shown_class: {run[key]['shown_class']} is no label of "
                    f"{dataset!r}; allowed: 0 to {classes - 1}"
                )
    yield from _check_phases(study, max(counts.values(), default=None))


def _check_phases(study: Study, most: int | None) -> Iterable[str]:
    """Of a prior in phases there are two at least, where a method uses it.

    most: classes of the largest dataset.
    """
    used = {method.prior for method in _methods_in_use(study)}
    for name, spec in study.config["priors"].items():
        if name not in used:
            continue
        size = spec.get("tuning", {}).get("classes_per_phase")
        if size and most is not None and size >= most:
            yield (
                f"config: priors.{name}.tuning.classes_per_phase: {size} classes are all {most} in "
                "one phase; allowed: fewer, or without the key"
            )


def _check_images(study: Study, dataset: str, available: int | None) -> Iterable[str]:
    """Each set that is made of real images needs so many different ones of each class.

    available: images of the smallest class; None where only the data can tell.
    """
    beyond = defaultdict(list)  # methods by an IPC for which there are too few images
    for name, ipc in asked(study):
        needed = study.methods[name].images_behind(ipc)
        if available is not None and needed > available:
            beyond[ipc, needed].append(name)
    for (ipc, needed), names in beyond.items():
        takes = f"{ipc} is" if needed == ipc else f"{ipc} takes {needed} images a class, which is"
        yield (
            f"config: run.ipc: {takes} above the {available} real images that the smallest "
            f"class of {dataset!r} has for {', '.join(names)}"
        )


def _check_drawn(study: Study) -> Iterable[str]:
    """A coreset that composes its images must draw as many as it needs."""
    for name, ipc in asked(study):
        method = study.methods[name]
        drawn = study.config["coresets"].get(method.coreset, {}).get("images", math.inf)
        needed = method.images_behind(ipc)
        if needed > drawn:
            yield (
                f"config: coresets.{method.coreset}.images: {drawn} of a class are drawn, and IPC "
                f"{ipc} of {name!r} is made of {needed}; allowed: {needed} or more"
            )


def _check_neighbours(study: Study, dataset: str, available: int | None) -> Iterable[str]:
    """A real image has neighbours among the others of its class that are looked at.

    available: images of the smallest class; None where only the data can tell.
    """
    metrics = study.config["metrics"]
    count = min(metrics["real_images_per_class"], available or math.inf)
    if metrics["coverage_neighbours"] >= count:
        yield (
            f"config: metrics.coverage_neighbours: {metrics['coverage_neighbours']} of the {count} "
            f"images that a class of {dataset!r} is looked at by; allowed: at most {count - 1}"
        )


def _methods_in_use(study: Study) -> list[Method]:
    ablation = study.run["ablation"] or {"methods": []}
    names = dict.fromkeys([*study.run["methods"], *ablation["methods"]])
    return [study.methods[name] for name in names]


def asked(study: Study) -> list[tuple[str, int]]:
    """Every method and IPC at which a set is wanted, all numbers its own."""
    run, ablation = study.run, study.run["ablation"]
    found = [(name, ipc) for name in run["methods"] for ipc in study.ipcs(name)]
    if ablation and ablation["ipc"] in run["ipc"]:
        found += [(name, ablation["ipc"]) for name in ablation["methods"]]
    return list(dict.fromkeys(found))


def _columns(study: Study, method: Method) -> list[str]:
    """The hyperparameters that a method reads."""
    if not method.denoises:
        return []
    spec = study.config["priors"][method.prior]
    about = OBJECTIVES[spec["objective"]]
    tuned = ["learning_rate"] if about.tunes else []
    weighed = [key for key in about.from_table if spec.get(key) == "table"]
    return weighed + tuned + [term.column for term in _weighed_terms(method)]


def _weighed_terms(method: Method) -> list[Term]:
    """The terms of a method whose weights are the table's."""
    return [] if method.is_tuned else named(method.guidance)


def _check_rows(study: Study, table: object) -> Iterable[str]:
    """The hyperparameters that each method needs at each IPC at which it is run."""
    for dataset in study.run["datasets"]:
        needing = defaultdict(list)  # methods by the field that they miss
        for name, ipc in asked(study):
            row, method = study.weights(dataset, name, ipc), study.methods[name]
            columns = _columns(study, method)
            if columns and not row:
                yield f"{table}: no row for dataset {dataset!r} and IPC {ipc}"
                continue
            for column in columns:
                if column not in row:
                    needing[ipc, column].append(name)
            for term in _weighed_terms(method):
                if term.column in row:
                    place = f"{table}: {dataset}, IPC {ipc}: {term.column}"
                    yield from check_weight(study, place, term, row[term.column], ipc)
        where = defaultdict(list)  # IPCs by column and methods: one line for an empty column
        for (ipc, column), names in needing.items():
            where[column, tuple(names)].append(ipc)
        for (column, names), ipcs in where.items():
            yield (
                f"{table}: dataset {dataset!r}, IPC {', '.join(map(str, ipcs))}: no {column}, "
                f"which {', '.join(names)} {'needs' if len(names) == 1 else 'need'}"
            )


def check_weight(study: Study, place: str, term: Term, weight: float, ipc: int) -> Iterable[str]:
    """What a term refuses of a weight at an IPC, behind the place that gives it."""
    problem = term.problem(weight, ipc, study.config["guidance"][term.name])
    if problem:
        yield f"{place} {weight:g} {problem}"


def _not_run(study: Study, key: str, method: str, ipc: int) -> Iterable[str]:
    """A figure's cell must be one that the study computes."""
    if ipc in study.run["ipc"] and ipc not in study.ipcs(method):
        yield f"config: run.{key}.ipc: run.only leaves {method!r} out at IPC {ipc}"


def _check_sweep(study: Study) -> Iterable[str]:
    sweep = study.run["sweep"]
    if sweep is None:
        return
    if sweep["ipc"] not in study.run["ipc"]:
        yield f"config: run.sweep.ipc: {sweep['ipc']} {_none_of(study.run['ipc'], 'run.ipc')}"
    yield from _not_run(study, "sweep", sweep["method"], sweep["ipc"])
    ranges = study.sweepable(sweep["method"])
    lacking = [name for name in study.swept if name not in ranges]
    if lacking:
        able = [m for m in study.run["methods"] if set(study.swept) <= study.sweepable(m).keys()]
        yield (
            f"config: run.sweep.method: {sweep['method']!r} has no {' and no '.join(lacking)} to "
            f"sweep, but {', '.join(ranges) or 'nothing'}; allowed: "
            f"{', '.join(able) or 'none of run.methods'}"
        )
    for name in (name for name in study.swept if name in ranges):
        for i, value in enumerate(study.swept[name]):
            place = f"config: run.sweep.values.{name}.{i}"
            yield from check(value, ranges[name].range, place)
    for term, count in product(
        study.methods[sweep["method"]].guidance, study.swept.get("sampler.steps", [])
    ):
        first, last = study.config["guidance"][term]["steps"]
        if count >= 2 and first < last and not _acts(first, last, int(count)):
            yield (
                f"config: run.sweep.values.sampler.steps: of {count:g} steps none is one of the "
                f"steps {first} to {last - 1} at which {term!r} guides"
            )
    for term in named(study.methods[sweep["method"]].guidance):
        for i, weight in enumerate(study.swept.get(term.column, [])):
            place = f"config: run.sweep.values.{term.column}.{i}:"
            yield from check_weight(study, place, term, weight, sweep["ipc"])


def _check_strategies(study: Study) -> Iterable[str]:
    strategies = study.run["strategies"]
    if strategies is None:
        return
    ipc = strategies["ipc"]
    if ipc not in study.run["ipc"]:
        yield f"config: run.strategies.ipc: {ipc} {_none_of(study.run['ipc'], 'run.ipc')}"
    couplings = ("joint", "sequential", "iid")
    joint, sequential, iid = rows = [study.methods[strategies[key]] for key in couplings]
    for key, method in zip(couplings, rows, strict=True):
        if method.coupling != key:
            able = [m for m in study.run["methods"] if study.methods[m].coupling == key]
            yield (
                f"config: run.strategies.{key}: {method.name!r} is not sampled so; "
                f"allowed: {', '.join(able) or 'none of run.methods'}"
            )
        yield from _not_run(study, "strategies", method.name, ipc)
    for name in strategies["beside"]:
        if name in (method.name for method in rows):
            yield f"config: run.strategies.beside: {name!r} is one of the three; leave it out"
        if name in (*couplings, "real"):
            yield f"config: run.strategies.beside: {name!r} means something else there; rename it"
        yield from _not_run(study, "strategies", name, ipc)
    if any(method.coupling != key for key, method in zip(couplings, rows, strict=True)):
        return
    compared = (
        (row.prior, row.guidance, row.weights, row.selection) for row in (joint, sequential)
    )
    if len(set(compared)) > 1:
        yield (
            f"config: run.strategies: {joint.name!r} and {sequential.name!r} differ in more than "
            "their coupling; give two rows of one prior, the same guidance and selection, and "
            "weights by one rule"
        )
    if iid.guidance or iid.prior != joint.prior:
        yield (
            f"config: run.strategies.iid: {iid.name!r} is not the prior of {joint.name!r} without "
            "guidance"
        )
    elif iid.selection:
        yield (
            f"config: run.strategies.iid: {iid.name!r} keeps some of the images that it samples, "
            "and the pool is of all; give the row of its prior without a selection"
        )


def _check_students(study: Study, dataset: str) -> Iterable[str]:
    """Every network that judges sets, under every protocol."""
    more = [study.run[key]["students"] for key in ("ablation", "sweep") if study.run[key]]
    for student in dict.fromkeys(chain(study.run["students"], *more)):
        for protocol in study.run["protocols"]:
            yield from check_student(study, dataset, student, protocol)


def check_student(study: Study, dataset: str, student: str, protocol: str) -> Iterable[str]:
    """A network must leave something of the images that its protocol shows it."""
    size = study.protocol(protocol)["size"] or study.dataset(dataset)["image_size"]
    problem = network_problem(study.config["students"][student], size)
    if problem:
        yield f"config: students.{student} at {size} px ({dataset}, {protocol}): {problem}"


def _check_guided_steps(study: Study, dataset: str) -> Iterable[str]:
    """Each term in use must act at one of the respaced steps at least."""
    count = study.dataset(dataset)["sampler"]["steps"]
    used = {term: method.name for method in _methods_in_use(study) for term in method.guidance}
    for term, method in used.items():
        first, last = study.config["guidance"][term]["steps"]
        if first < last and not _acts(first, last, count):
            yield (
                f"config: guidance.{term}.steps: {first} to {last - 1} holds none of the {count} "
                f"steps that datasets.{dataset}.sampler takes (every {999 / (count - 1):.3g} of "
                f"0 to 999), and {method!r} would not be guided"
            )
    for method in _methods_in_use(study):
        if method.start is None or not method.denoises:
            continue
        begin = study.sampler(Cell(dataset, method.name, study.run["ipc"][0]))["start_step"]
        for term in method.guidance:
            first, last = study.config["guidance"][term]["steps"]
            if _acts(first, last, count) and not _acts(first, min(last, begin), count):
                yield (
                    f"config: datasets.{dataset}.sampler.start_step: {begin} is not above a step "
                    f"at which {term!r} guides ({first} to {last - 1}), and {method.name!r} would "
                    "not be guided"
                )


def _acts(first: int, last: int, count: int) -> bool:
    """Whether one of ``count`` respaced steps t is one of first <= t < last."""
    return any(first <= t < last for t in respaced(count))


def _none_of(allowed: Iterable, place: str) -> str:
    return f"is not one of {place}: {', '.join(map(str, allowed))}"
