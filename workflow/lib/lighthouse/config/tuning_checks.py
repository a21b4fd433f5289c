"""Whether weights and guidance scales can be chosen as a study and its ``run.tuning`` say."""

from collections.abc import Iterable

from lighthouse.config.candidates import SCALE, generators
from lighthouse.config.grid import BASE, Cell, Method
from lighthouse.config.grid_checks import asked, check_student, check_weight
from lighthouse.config.study import Study
from lighthouse.datasets.sources import SOURCES
from lighthouse.parts.terms import named
from lighthouse.runtime.counting import many


def tuning_checks(study: Study) -> Iterable[str]:
    """What is wrong with the choices of a study whose names are known, a line a mistake."""
    tuned = [(study.methods[name], ipc) for name, ipc in asked(study)]
    tuned = [(method, ipc) for method, ipc in tuned if method.is_tuned]
    scaled = [dataset for dataset in study.run["datasets"] if study.scales(dataset)]
    methods = list(dict.fromkeys(method for method, _ in tuned))
    names = ", ".join(method.name for method in methods)
    tuning = study.run["tuning"]
    if tuning is None:
        if tuned:
            yield (
                f"config: run.tuning: null, and the weights of {names} are tuned; say how "
                "(config/README.md), or run methods whose weights are the table's"
            )
        for dataset in scaled:
            yield (
                f"config: run.tuning: null, and {_scale(dataset)} is to be chosen; say how "
                "(config/README.md), or give one number"
            )
        return
    factors = tuning["factors"]
    if factors != sorted(set(factors)) or 1 not in factors:
        yield (
            f"config: run.tuning.factors: {factors}; allowed: rising numbers with 1 among them, "
            "the natural unit of each term"
        )
        return
    for dataset in scaled:
        yield from _check_scales(study, dataset)
    if tuned or scaled:
        yield from _check_seeds(study)
    crowded = [m for m in methods if len(m.guidance) > len(generators(len(factors)))]
    yield from (_crowded(method, len(factors)) for method in crowded)
    of_weights = f"the weights of {names} are", "methods whose weights are the table's"
    for dataset in study.run["datasets"] if tuned else ():
        yield from _check_validation(study, dataset, *of_weights)
    for dataset in scaled:
        yield from _check_validation(study, dataset, f"{_scale(dataset)} is", "one number there")
    for dataset in study.run["datasets"] if tuned else scaled:
        yield from check_student(study, dataset, tuning["student"], tuning["protocol"])
    largest = [ipc for _, ipc in tuned]
    largest += [tuning["guidance_scale_ipc"]] if scaled and "guidance_scale_ipc" in tuning else []
    if largest:
        yield from _check_protocol(study, max(largest))
    if not crowded:
        yield from dict.fromkeys(_check_candidates(study, tuned))


def _scale(dataset: str) -> str:
    """The key of a dataset's guidance scale."""
    return f"datasets.{dataset}.sampler.{SCALE}"


def _check_scales(study: Study, dataset: str) -> Iterable[str]:
    """Whether a choice can be made among the scales of a dataset."""
    values = study.scales(dataset)
    if values != sorted(set(values)):
        yield (
            f"config: {_scale(dataset)}: {values}; allowed: one number, or rising ones of which "
            "one is chosen"
        )
    if "guidance_scale_ipc" not in study.run["tuning"]:
        yield (
            f"config: run.tuning: 'guidance_scale_ipc' is missing ({_scale(dataset)} is chosen by "
            "sets of so many images a class)"
        )
    if study.unguided is None:
        yield (
            f"config: {_scale(dataset)}: is chosen by images that the base prior draws with no "
            f"guidance term, and {study.table_path('methods')} has no row for these; allowed: one "
            f"number, or a row of prior {BASE.name!r} and coupling 'iid' without guidance"
        )


def _check_seeds(study: Study) -> Iterable[str]:
    both = sorted(set(study.run["tuning"]["seeds"]) & set(study.set_seeds))
    if both:
        yield (
            f"config: run.tuning.seeds: {', '.join(map(str, both))} of run.seeds, whose sets are "
            "reported; allowed: others, so that nothing is chosen on these"
        )


def _crowded(method: Method, count: int) -> str:
    """What is wrong with a number of factors in which two terms of a method would go in step."""
    most = len(generators(count))
    return (
        f"config: run.tuning.factors: {count} factors keep at most {many(most, 'term')} apart from "
        f"each other, and {method.name!r} has {len(method.guidance)}; allowed: a prime number of "
        "factors above that"
    )


def _check_validation(study: Study, dataset: str, what: str, instead: str) -> Iterable[str]:
    """A choice needs a validation part. what: is to be chosen; instead: what needs none."""
    options = study.dataset(dataset)
    if not SOURCES[options["source"]].holds_out(study.source_options(dataset)):
        yield (
            f"config: datasets.{dataset}: has no validation part, on which {what} to be chosen; "
            f"allowed: datasets.{dataset}.val_share above 0, or {instead}"
        )


def _check_protocol(study: Study, largest: int) -> Iterable[str]:
    name = study.run["tuning"]["protocol"]
    if name in study.run["protocols"] and largest <= max(study.run["ipc"]):
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
                yield from check_weight(study, place, term, weight, ipc)
