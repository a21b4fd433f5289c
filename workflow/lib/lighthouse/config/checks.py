"""What no schema can say: names that must exist, and combinations that make sense."""

from collections.abc import Iterable, Mapping
from itertools import chain

from lighthouse.config.claim_checks import claim_checks
from lighthouse.config.claims import SIDES
from lighthouse.config.grid import CEILINGS, NONE, Method
from lighthouse.config.grid_checks import grid_checks
from lighthouse.config.option_checks import (
    STUDENT_KEYS,
    check_dataset,
    check_protocol,
    keys_of,
    options_of_kind,
)
from lighthouse.config.prior_check import prior_check_problems
from lighthouse.config.study import Study
from lighthouse.config.tuning_checks import tuning_checks
from lighthouse.datasets.external import FIRST
from lighthouse.parts.coresets import CORESETS
from lighthouse.parts.objectives import OBJECTIVES
from lighthouse.parts.selections import SELECTIONS
from lighthouse.parts.terms import TERMS, named


def published_names(rows: Iterable[dict], study: Study) -> Iterable[str]:
    """Students and protocols of published figures, by which they find their rows."""
    for key in ("student", "protocol"):
        known = study.config[f"{key}s"]
        for name in dict.fromkeys(row[key] for row in rows):
            if name not in known:
                yield (
                    f"{study.table_path('published')}: {key} {name!r} is not known; "
                    f"allowed: {', '.join(known)}"
                )


def cross_checks(study: Study) -> Iterable[str]:
    """What no schema can say: names that must exist, and combinations that make sense."""
    config, run = study.config, study.run
    table = list(study.methods)
    sweep, ablation, strategies, tuning, spectrum = (
        run[key] or {} for key in ("sweep", "ablation", "strategies", "tuning", "spectrum")
    )
    curves = spectrum.get("curves", [])
    own = [name for name, method in study.methods.items() if not method.external]
    named = {
        "datasets": (run["datasets"], config["datasets"]),
        "methods": (run["methods"], own),
        "only": ([name for entry in run["only"] for name in entry["methods"]], run["methods"]),
        "students": (run["students"], config["students"]),
        "protocols": (run["protocols"], config["protocols"]),
        "full_hard": (run["full_hard"], run["datasets"]),
        "full_hard, students": (chain(*run["full_hard"].values()), run["students"]),
        "comparisons.base": ([run["comparisons"]["base"]], run["methods"]),
        "comparisons.pairs": (chain(*run["comparisons"]["pairs"]), table),
        "ablation.methods": (ablation.get("methods", []), own),
        "ablation.students": (ablation.get("students", []), config["students"]),
        "tuning.student": (_given(tuning, "student"), config["students"]),
        "tuning.protocol": (_given(tuning, "protocol"), config["protocols"]),
        "sweep.students": (sweep.get("students", []), config["students"]),
        "sweep.method": (_given(sweep, "method"), run["methods"]),
        **{
            f"strategies.{key}": (_given(strategies, key), run["methods"])
            for key in ("joint", "sequential", "iid")
        },
        "strategies.beside": (strategies.get("beside", []), run["methods"]),
        "claims": (
            [claim[side] for claim in run["claims"] or [] for side in SIDES if side in claim],
            table,
        ),
        "spectrum.curves": ([curve["method"] for curve in curves], run["methods"]),
    }
    unknown = [
        f"config: run.{key}: {name!r} is not known; allowed: {', '.join(known)}{_or_null(key)}"
        for key, (names, known) in named.items()
        for name in names
        if name not in known
    ]
    yield from unknown
    yield from _check_replicates(study)
    incomplete = [
        *_check_methods(study),
        *_check_priors(config["priors"]),
        *chain(*(check_dataset(*each, study) for each in config["datasets"].items())),
        *chain(
            *(
                options_of_kind(f"students.{name}", "network", options, STUDENT_KEYS)
                for name, options in config["students"].items()
            )
        ),
    ]
    yield from incomplete
    for name, options in config["protocols"].items():
        yield from check_protocol(name, options, config)
    yield from _check_rows_named(study)
    yield from _check_full_hard(study)
    pairs = run["comparisons"]["pairs"]
    for first, second in pairs:
        if first == second:
            yield f"config: run.comparisons.pairs: {first!r} is compared with itself"
        elif first < second and [second, first] in pairs:
            yield f"config: run.comparisons.pairs: {first!r} and {second!r} are compared twice"
    for term, options in config["guidance"].items():
        first, last = options["steps"]
        if first >= last:
            yield (
                f"config: guidance.{term}.steps: the first step {first} is not below the last "
                f"{last}"
            )
    for key in ("source", "method"):
        given = [curve[key] for curve in curves]
        for twice in sorted({word for word in given if given.count(word) > 1}):
            yield f"config: run.spectrum.curves: {key} {twice!r} is that of two curves"
    if unknown or incomplete:
        return
    wrong = [*grid_checks(study), *tuning_checks(study), *prior_check_problems(study)]
    yield from wrong
    if not wrong:  # claims are looked up in the grid's cells
        yield from claim_checks(study)


def _check_full_hard(study: Study) -> Iterable[str]:
    """Given accuracies on all real images are of hard labels, and of what is not trained here."""
    run, protocols = study.run, study.config["protocols"]
    if run["full_hard"] and run["ceiling"]:
        yield (
            "config: run.full_hard: has no effect with run.ceiling, which trains these students; "
            "leave it out, or `ceiling: false`"
        )
    asked = [protocols[name]["labels"] for name in run["protocols"] if name in protocols]
    if run["full_hard"] and "hard" not in asked:
        yield (
            "config: run.full_hard: has no effect without a protocol with hard labels in "
            "run.protocols; leave it out"
        )


def _check_replicates(study: Study) -> Iterable[str]:
    """Every set has a seed of its own, and replicates have equally many: variance is parted so."""
    seeds = list(chain(*study.seed_lists))
    for twice in sorted({seed for seed in seeds if seeds.count(seed) > 1}):
        yield f"config: run.seeds: {twice} is the seed of two sets; allowed: each once"
    counts = sorted({len(own) for own in study.seed_lists})
    if len(counts) > 1:
        yield (
            f"config: run.seeds: replicates of {' and of '.join(map(str, counts))} sets; allowed: "
            "as many sets in each"
        )


#: Parts of a study that one laid over it may do without, and how it says so.
PARTS = dict.fromkeys(("ablation", "sweep", "strategies", "spectrum", "tuning", "claims"), "null")
PARTS["only"] = "[]"


def _or_null(key: str) -> str:
    """What else is allowed, where a study may do without what a key is of."""
    part = key.split(".")[0]
    return f"; or `run.{part}: {PARTS[part]}`" if part in PARTS else ""


def _given(options: Mapping, *keys: str) -> list[str]:
    return [options[key] for key in keys if key in options]


def _check_methods(study: Study) -> Iterable[str]:
    path, priors = study.table_path("methods"), study.config["priors"]
    latent = [name for name, each in CORESETS.items() if not (each.by_features or each.composes)]
    for method in study.methods.values():
        if method.prior is not None and method.prior not in (NONE, *priors):
            yield (
                f"{path}: {method.name}: prior {method.prior!r} is not known; "
                f"allowed: {', '.join(priors)}, or {NONE}"
            )
        for term in method.guidance:
            if term not in TERMS:
                yield (
                    f"{path}: {method.name}: guidance term {term!r} is not known; "
                    f"allowed: {', '.join(TERMS)}, joined by +"
                )
        if len(set(method.guidance)) < len(method.guidance):
            yield f"{path}: {method.name}: a guidance term is named twice"
        known = named(method.guidance)
        if method.prior == NONE:
            yield from (f"{path}: {method.name}: {line}" for line in _check_alone(method))
        if method.start and CORESETS[method.start].by_features:
            yield (
                f"{path}: {method.name}: start {method.start!r} goes by deep features, which no "
                f"sampling has; allowed: {', '.join(latent)}"
            )
        if method.start and CORESETS[method.start].composes:
            yield (
                f"{path}: {method.name}: start {method.start!r} composes images, which have no "
                f"latents beforehand; allowed: {', '.join(latent)}"
            )
        if method.selection:
            yield from (f"{path}: {method.name}: {line}" for line in _check_selected(method))
        for term in known:
            if method.coupling not in term.couplings:
                yield (
                    f"{path}: {method.name}: guidance {term.name!r} has no effect under coupling "
                    f"{method.coupling!r}, where an image does not see the others it needs; "
                    f"allowed: {' or '.join(term.couplings)}"
                )
        if method.coupling in ("joint", "sequential") and not any(t.couples for t in known):
            yield (
                f"{path}: {method.name}: coupling {method.coupling!r} without a term that couples "
                "changes nothing; give such a term "
                f"({', '.join(t.name for t in TERMS.values() if t.couples)}), or coupling 'iid'"
            )


def _check_alone(method: Method) -> Iterable[str]:
    """What a method without a denoiser must be."""
    able = [term.name for term in TERMS.values() if term.alone]
    if len(method.guidance) != 1 or method.guidance[0] not in able:
        given = "+".join(method.guidance) or "nothing"
        yield (
            f"prior {NONE!r} optimises latents by one term that does so alone, and guidance is "
            f"{given!r}; allowed: {', '.join(able)}"
        )
    if method.coupling != "joint":
        yield f"prior {NONE!r} optimises all latents of a class together; allowed: coupling 'joint'"
    if method.is_tuned:
        yield f"prior {NONE!r} minimises its term, whatever its weight; leave weights empty"


def _check_selected(method: Method) -> Iterable[str]:
    """What a method that keeps some of the images that it samples must be."""
    lead, selection = f"selection {method.selection!r}", SELECTIONS[method.selection]
    if method.prior == NONE:
        yield (
            f"{lead} is of images that a denoiser samples, and prior {NONE!r} has none; leave it "
            "empty"
        )
    if method.start:
        yield (
            f"{lead} is of sets that start at noise, each at its own, and start {method.start!r} "
            "gives all of them the same images; leave one of the two empty"
        )
    if method.coupling not in selection.couplings:
        yield (
            f"{lead} takes images one by one, and those of coupling {method.coupling!r} were made "
            f"to go together; allowed: {' or '.join(selection.couplings)}"
        )


def _check_priors(priors: dict) -> Iterable[str]:
    if NONE in priors:
        yield f"config: priors.{NONE}: is the word for no prior at all; name it otherwise"
    for name, spec in priors.items():
        if name == "base" and spec != {"objective": "plain"}:
            yield "config: priors.base: must be {objective: plain}"
        if name != "base" and spec["objective"] == "plain":
            yield (
                f"config: priors.{name}: objective 'plain' is for base alone; "
                "for plain fine-tuning write {objective: rsm, lambda: 0}"
            )
        yield from options_of_kind(f"priors.{name}", "objective", spec, keys_of(OBJECTIVES))
        of_others = {key for each in OBJECTIVES.values() for key in each.from_tuning}
        of_others -= set(OBJECTIVES[spec["objective"]].from_tuning)
        for key in sorted(of_others & spec.get("tuning", {}).keys()):
            yield (
                f"config: priors.{name}.tuning: {key!r} has no effect with objective "
                f"{spec['objective']!r}; leave it out"
            )


def _check_rows_named(study: Study) -> Iterable[str]:
    """The names under which rows of the tables go: each that of one thing."""
    rows = study.own_methods
    for name in CEILINGS:
        if name in study.methods:
            owner = study.table_path("methods") if name in rows else "config: external"
            yield f"{owner}: {name!r} is the name of a ceiling's row; choose another"
    for name, given in study.config["external"].items():
        if name in rows:
            yield f"config: external.{name}: is the name of a method; choose another"
        if given["dataset"] not in study.config["datasets"]:
            names = ", ".join(study.config["datasets"])
            yield (
                f"config: external.{name}.dataset: {given['dataset']!r} is not known; "
                f"allowed: {names}"
            )
        several = isinstance(given["ipc"], list) and len(given["ipc"]) > 1
        if several and given.get("take") != FIRST:
            yield (
                f"config: external.{name}.ipc: {given['ipc']} are the first images of the largest; "
                f"allowed: one number, or with them `take: {FIRST}`"
            )
    owners: dict[str, str] = {}
    for name, method in study.methods.items():
        place = study.table_path("methods") if name in rows else "config: external"
        first = owners.setdefault(method.label, name)
        if first != name:
            yield f"{place}: {name}: {method.label!r} is the label of {first!r} too; choose another"
