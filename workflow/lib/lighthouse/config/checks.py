"""What no schema can say: names that must exist, and combinations that make sense."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lighthouse.datasets.sources import SOURCES
from lighthouse.units import REFERENCE_LATENT_DIM, TERM_WEIGHTS, mean_pull

if TYPE_CHECKING:
    from lighthouse.config.study import Study


def duplicates(rows: dict, study: "Study") -> Iterable[str]:
    for table, keys in (("methods", ["method"]), ("hyperparameters", ["dataset", "ipc"])):
        seen = set()
        for row in rows[table]:
            key = tuple(row[k] for k in keys)
            if key in seen:
                yield f"{study.table_path(table)}: {' '.join(map(str, key))} has two rows"
            seen.add(key)


def cross_checks(study: "Study") -> Iterable[str]:
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
        low, high = options["crop_scale"]
        if low > high:
            yield f"config: protocols.{name}.crop_scale: {low} is above {high}"
    first, last = config["guidance"]["steps"]
    if first >= last:
        yield f"config: guidance.steps: the first step {first} is not below the last {last}"
    for key in ("sweep", "spectrum"):
        if run[key]["ipc"] not in run["ipc"]:
            yield (
                f"config: run.{key}.ipc: {run[key]['ipc']} is not one of run.ipc: "
                f"{', '.join(map(str, run['ipc']))}"
            )
    curves = run["spectrum"]["curves"]
    for source in sorted({curve["source"] for curve in curves}):
        if sum(curve["source"] == source for curve in curves) > 1:
            yield f"config: run.spectrum.curves: {source!r} names two curves"
    for key, names in (
        ("sweep.method", [run["sweep"]["method"]]),
        ("spectrum.curves", [curve["method"] for curve in curves]),
    ):
        for name in names:
            if name not in run["methods"]:
                yield (
                    f"config: run.{key}: {name!r} is not one of run.methods: "
                    f"{', '.join(run['methods'])}"
                )
    if not unknown:
        yield from _check_grid(study)


def _check_methods(study: "Study") -> Iterable[str]:
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
    if denoiser["heads"] * denoiser["head_dim"] % 4:
        yield (
            f"{place}.denoiser: heads × head_dim is {denoiser['heads'] * denoiser['head_dim']}; "
            "allowed: multiples of 4, for the position embedding"
        )
    for stage, key in (("base", "l1_weighting"), ("tuning", "learning_rate")):
        if key in options[stage]:
            yield f"{place}.{stage}: {key!r} has no effect here; leave it out"


def _check_grid(study: "Study") -> Iterable[str]:
    run, sweep = study.run, study.run["sweep"]
    table = study.table_path("hyperparameters")
    sweepable = [name for name in run["methods"] if "dpp" in study.methods[name].guidance]
    if sweep["method"] in run["methods"] and sweep["method"] not in sweepable:
        yield (
            f"config: run.sweep.method: {sweep['method']!r} has no dpp term to sweep; "
            f"allowed: {', '.join(sweepable) or 'none of run.methods'}"
        )
    for dataset, ipc in study.hyperparameters:
        if dataset not in study.config["datasets"]:
            names = ", ".join(study.config["datasets"])
            yield f"{table}: dataset {dataset!r} (IPC {ipc}) is not known; allowed: {names}"
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
                    f"would move the set by {mean_pull(row['mu_dm'], ipc):g} times its "
                    f"distance from the class mean; allowed: at most "
                    f"{ipc * REFERENCE_LATENT_DIM / 2:g}"
                )
        size = study.dataset(dataset)["image_size"]
        for student in run["students"]:
            depth = study.config["students"][student]["depth"]
            if size // 2**depth < 1:
                yield (
                    f"config: students.{student}.depth: {depth} halvings leave nothing of the "
                    f"{size} px of {dataset!r}; allowed: at most {size.bit_length() - 1}"
                )
        for method in (study.methods[m] for m in run["methods"]):
            options = study.dataset(dataset)
            available = SOURCES[options["source"]].smallest_class(options["parts"])
            if method.coreset and max(run["ipc"]) > available:
                yield (
                    f"config: run.ipc: {max(run['ipc'])} is above the {available} real images "
                    f"that the smallest class of {dataset!r} has for coreset {method.name!r}"
                )
