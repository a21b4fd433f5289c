"""Whether the weights of a study's methods can be chosen as its rows and ``run.tuning`` say."""

from collections.abc import Iterable

from lighthouse.config.candidates import generators
from lighthouse.config.grid import Cell, Method
from lighthouse.config.grid_checks import asked, check_student, check_weight
from lighthouse.config.study import Study
from lighthouse.datasets.sources import SOURCES
from lighthouse.parts.terms import named


def tuning_checks(study: Study) -> Iterable[str]:
    """What is wrong with the tuning of a study whose names are known, a line a mistake."""
    tuned = [(study.methods[name], ipc) for name, ipc in asked(study)]
    tuned = [(method, ipc) for method, ipc in tuned if method.is_tuned]
    methods = list(dict.fromkeys(method for method, _ in tuned))
    names = ", ".join(method.name for method in methods)
    tuning = study.run["tuning"]
    if tuning is None:
        if tuned:
            yield (
                f"config: run.tuning: null, and the weights of {names} are tuned; say how "
                "(config/README.md), or run methods whose weights are the table's"
            )
        return
    factors = tuning["factors"]
    if factors != sorted(set(factors)) or 1 not in factors:
        yield (
            f"config: run.tuning.factors: {factors}; allowed: rising numbers with 1 among them, "
            "the natural unit of each term"
        )
        return
    if not tuned:
        return
    both = sorted(set(tuning["seeds"]) & set(study.set_seeds))
    if both:
        yield (
            f"config: run.tuning.seeds: {', '.join(map(str, both))} of run.seeds, whose sets are "
            "reported; allowed: others, so that weights are not chosen on these"
        )
    crowded = [m for m in methods if len(m.guidance) > len(generators(len(factors)))]
    yield from (_crowded(method, len(factors)) for method in crowded)
    for dataset in study.run["datasets"]:
        yield from _check_validation(study, dataset, names)
        yield from check_student(study, dataset, tuning["student"], tuning["protocol"])
    yield from _check_protocol(study, max(ipc for _, ipc in tuned))
    if not crowded:
        yield from dict.fromkeys(_check_candidates(study, tuned))


def _crowded(method: Method, count: int) -> str:
    """What is wrong with a number of factors in which two terms of a method would go in step."""
    most = len(generators(count))
    return (
        f"config: run.tuning.factors: {count} factors go with at most {most} term(s) that are "
        f"tried apart from each other, and {method.name!r} has {len(method.guidance)}; allowed: "
        "a prime number of factors above that"
    )


def _check_validation(study: Study, dataset: str, names: str) -> Iterable[str]:
    options = study.dataset(dataset)
    if not SOURCES[options["source"]].holds_out(study.source_options(dataset)):
        yield (
            f"config: datasets.{dataset}: has no validation part, on which the weights of {names} "
            f"are to be chosen; allowed: datasets.{dataset}.val_share above 0, or methods whose "
            "weights are the table's"
        )


def _check_protocol(study: Study, largest: int) -> Iterable[str]:
    name = study.run["tuning"]["protocol"]
    if name in study.run["protocols"]:
        return  # told already
    for key in ("epochs", "batch_size"):
        last, _ = study.protocol(name)[key][-1]
        if largest > last:
            yield (
                f"config: run.tuning.protocol: {name!r} has no {key} for IPC {largest}; its last "
                f"pair holds up to IPC {last}"
            )


def _check_candidates(study: Study, tuned: Iterable[tuple[Method, int]]) -> Iterable[str]:
    """No candidate may have a weight that its term refuses."""
    for method, ipc in tuned:
        cell = Cell(study.run["datasets"][0], method.name, ipc)
        for candidate in study.candidates(cell).values():
            for term in named(method.guidance):
                factor, weight = candidate.factors[term.column], candidate.weights[term.column]
                place = f"config: run.tuning.factors: {factor:g} at IPC {ipc}: {term.column}"
                yield from check_weight(place, term, weight, ipc)
