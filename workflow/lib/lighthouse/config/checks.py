"""What no schema can say: names that must exist, and combinations that make sense."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lighthouse.datasets.sources import SOURCES
from lighthouse.runtime.errors import DataError
from lighthouse.students.limits import network_problem, teacher_problem
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
    sweep, curves = run["sweep"], run["spectrum"]["curves"]
    named = {
        "datasets": (run["datasets"], config["datasets"]),
        "methods": (run["methods"], study.methods),
        "students": (run["students"], config["students"]),
        "protocols": (run["protocols"], config["protocols"]),
        "sweep.students": (sweep["students"] if sweep else [], config["students"]),
        "sweep.method": ([sweep["method"]] if sweep else [], run["methods"]),
        "spectrum.curves": ([curve["method"] for curve in curves], run["methods"]),
    }
    unknown = [
        f"config: run.{key}: {name!r} is not known; allowed: {', '.join(known)}"
        for key, (names, known) in named.items()
        for name in names
        if name not in known
    ]
    yield from unknown
    yield from _check_methods(study)
    yield from _check_priors(config["priors"])
    for name, options in config["datasets"].items():
        yield from _check_dataset(name, options, study)
    for name, options in config["students"].items():
        yield from _options_of_kind(f"students.{name}", "network", options, STUDENT_KEYS)
    for name, options in config["protocols"].items():
        yield from _check_protocol(name, options, config)
    first, last = config["guidance"]["steps"]
    if first >= last:
        yield f"config: guidance.steps: the first step {first} is not below the last {last}"
    for key in ("sweep", "spectrum"):
        if run[key] and run[key]["ipc"] not in run["ipc"]:
            yield (
                f"config: run.{key}.ipc: {run[key]['ipc']} is not one of run.ipc: "
                f"{', '.join(map(str, run['ipc']))}"
            )
    for source in sorted({curve["source"] for curve in curves}):
        if sum(curve["source"] == source for curve in curves) > 1:
            yield f"config: run.spectrum.curves: {source!r} names two curves"
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


def _options_of_kind(place: str, key: str, options: dict, kinds: dict) -> Iterable[str]:
    """Which keys go with which word of ``key``: one line a key that lacks or that does nothing."""
    kind, conditional = options[key], {k for keys in kinds.values() for k in keys}
    for name in kinds[kind]:
        if name not in options:
            yield f"config: {place}: {name!r} is missing ({key} {kind!r} needs it)"
    for name in sorted(conditional & set(options) - set(kinds[kind])):
        yield f"config: {place}: {name!r} has no effect with {key} {kind!r}; leave it out"


STUDENT_KEYS = {"convnet": ("width",), "resnet-ap": (), "resnet": ("norm",)}
EXTRACTOR_KEYS = {"trained": ("epochs",), "inception": ("weights",), "squeezenet": ("weights",)}
SCHEDULE_KEYS = {"steps": ("factor", "at"), "half-cosine": ()}
LABEL_KEYS = {"hard": (), "soft": ("teacher", "temperature")}


def _check_dataset(name: str, options: dict, study: "Study") -> Iterable[str]:
    place = f"config: datasets.{name}"
    yield from (
        f"{place}.{line}" for line in SOURCES[options["source"]].check(study.source_options(name))
    )
    known = SOURCES[options["source"]].keys
    for key in sorted({k for source in SOURCES.values() for k in source.keys} - known):
        if key in options:
            yield f"{place}: {key!r} has no effect with source {options['source']!r}; leave it out"
    yield from _options_of_kind(
        f"datasets.{name}.extractor", "kind", options["extractor"], EXTRACTOR_KEYS
    )
    yield from _check_models(place, options)
    gpus = study.config["compute"]["training_gpus"]
    for stage, key in (("base", "l1_weighting"), ("tuning", "learning_rate")):
        training = options[stage]
        if training is None:
            continue
        if key in training:
            yield f"{place}.{stage}: {key!r} has no effect here; leave it out"
        if training["batch_size"] % gpus:
            yield (
                f"{place}.{stage}.batch_size: {training['batch_size']} does not divide by "
                f"compute.training_gpus {gpus}"
            )


def _check_models(place: str, options: dict) -> Iterable[str]:
    """Sizes of new models that must fit each other, and what a pretrained one can do."""
    autoencoder, denoiser = options["autoencoder"], options["denoiser"]
    mixed = []
    for part, given in (("autoencoder", set(autoencoder)), ("denoiser", set(denoiser))):
        if given & PRETRAINED_KEYS and given - PRETRAINED_KEYS:
            pretrained, own = (
                ", ".join(sorted(keys))
                for keys in (given & PRETRAINED_KEYS, given - PRETRAINED_KEYS)
            )
            mixed.append(
                f"{place}.{part}: keys of a pretrained model ({pretrained}) and of a new one "
                f"({own}); leave out the one or the other (a study that is laid over another "
                "keeps its keys: name the dataset anew)"
            )
    yield from mixed
    if mixed:
        return
    factor = 8
    if "pretrained" not in autoencoder:
        factor = 2 ** (len(autoencoder["block_out_channels"]) - 1)
        for width in autoencoder["block_out_channels"]:
            if width % autoencoder["norm_num_groups"]:
                yield (
                    f"{place}.autoencoder: width {width} is not a multiple of norm_num_groups "
                    f"{autoencoder['norm_num_groups']}"
                )
    if "pretrained" in denoiser:
        if denoiser["class_embeddings"] == "new" and options["base"] is None:
            yield (
                f"{place}.base: null with new class embeddings, which nothing would train; "
                "give a training, or class_embeddings: imagenet"
            )
        if denoiser["class_embeddings"] == "imagenet" and options["source"] == "digits":
            yield f"{place}.denoiser.class_embeddings: digits are no classes of ImageNet"
        return
    if options["image_size"] % (factor * denoiser["patch_size"]):
        yield (
            f"{place}: image_size {options['image_size']} does not divide into latents "
            f"({factor} pixels each) and patches of {denoiser['patch_size']}"
        )
    if denoiser["heads"] * denoiser["head_dim"] % 4:
        yield (
            f"{place}.denoiser: heads × head_dim is {denoiser['heads'] * denoiser['head_dim']}; "
            "allowed: multiples of 4, for the position embedding"
        )
    if options["base"] is None:
        yield f"{place}.base: null is for a pretrained denoiser; a new one needs a training"
    elif options["base"]["tune"] != "full":
        yield (
            f"{place}.base.tune: {options['base']['tune']!r} trains a few weights of a model that "
            "has learned; a new denoiser needs 'full'"
        )
    if options["sampler"]["semantics"] == "dit" and not denoiser["learned_variance"]:
        yield (
            f"{place}.sampler.semantics: 'dit' samples with the learned variance; allowed: "
            "denoiser.learned_variance: true, or 'diffusers'"
        )


PRETRAINED_KEYS = {"pretrained", "revision", "class_embeddings"}


def _check_protocol(name: str, options: dict, config: dict) -> Iterable[str]:
    place = f"config: protocols.{name}"
    for key in ("epochs", "batch_size"):
        ipcs = [pair[0] for pair in options[key]]
        largest = max(config["run"]["ipc"])
        if ipcs != sorted(set(ipcs)):
            yield f"{place}.{key}: the IPCs must rise, got {ipcs}"
        elif name in config["run"]["protocols"] and largest > ipcs[-1]:
            yield (
                f"{place}.{key}: nothing for IPC {largest}; the last pair holds up to IPC "
                f"{ipcs[-1]}"
            )
    low, high = options["augment"]["crop_scale"] or (0, 1)
    if low > high:
        yield f"{place}.augment.crop_scale: {low} is above {high}"
    if 0 in options["std"]:
        yield f"{place}.std: 0 cannot be divided by"
    yield from _options_of_kind(
        f"protocols.{name}.schedule", "kind", options["schedule"], SCHEDULE_KEYS
    )
    yield from _options_of_kind(f"protocols.{name}", "labels", options, LABEL_KEYS)
    if "teacher" in options:
        yield from _check_teacher(f"{place}.teacher", options, config)


def _check_teacher(place: str, protocol: dict, config: dict) -> Iterable[str]:
    teacher = protocol["teacher"]
    if teacher["network"] not in config["students"]:
        yield (
            f"{place}.network: {teacher['network']!r} is not known; "
            f"allowed: {', '.join(config['students'])}"
        )
    else:
        network = config["students"][teacher["network"]]
        shown = [config["datasets"].get(name) for name in config["run"]["datasets"]]
        sizes = [options["image_size"] for options in shown if options]
        problems = [teacher_problem(protocol, network)]
        problems += [network_problem(network, protocol["size"] or size) for size in sizes]
        yield from (f"{place}: {problem}" for problem in dict.fromkeys(problems) if problem)
    hard = [name for name, other in config["protocols"].items() if other["labels"] == "hard"]
    for key in ("protocol", "epochs"):
        if teacher["weights"] is None and key not in teacher:
            yield f"{place}: {key!r} is missing (weights null means that the teacher is trained)"
        if teacher["weights"] is not None and key in teacher:
            yield f"{place}: {key!r} has no effect with weights; leave it out"
    if teacher.get("protocol") not in (None, *hard):
        yield (
            f"{place}.protocol: {teacher['protocol']!r} is no protocol with hard labels; "
            f"allowed: {', '.join(hard)}"
        )


def _check_grid(study: "Study") -> Iterable[str]:
    run, sweep = study.run, study.run["sweep"]
    table = study.table_path("hyperparameters")
    sweepable = [name for name in run["methods"] if "dpp" in study.methods[name].guidance]
    if sweep and sweep["method"] not in sweepable:
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
            yield from _check_row(study, table, dataset, ipc)
        yield from _check_students(study, dataset)
        options = study.dataset(dataset)
        try:
            classes = sum(map(len, study.shards(dataset)))
        except DataError as error:
            yield f"config: datasets.{dataset}: {error}"
            continue
        available = SOURCES[options["source"]].smallest_class(study.source_options(dataset))
        for method in (study.methods[m] for m in run["methods"]):
            if method.coreset and available is not None and max(run["ipc"]) > available:
                yield (
                    f"config: run.ipc: {max(run['ipc'])} is above the {available} real images "
                    f"that the smallest class of {dataset!r} has for coreset {method.name!r}"
                )
        if sweep and sweep["shown_class"] >= classes:
            yield (
                f"config: run.sweep.shown_class: {sweep['shown_class']} is no label of "
                f"{dataset!r}; allowed: 0 to {classes - 1}"
            )


def _check_row(study: "Study", table: object, dataset: str, ipc: int) -> Iterable[str]:
    row = study.hyperparameters.get((dataset, ipc))
    if row is None:
        yield f"{table}: no row for dataset {dataset!r} and IPC {ipc}"
    elif mean_pull(row["mu_dm"], ipc) > 1 and any(
        "mean" in study.methods[m].guidance for m in study.run["methods"]
    ):
        yield (
            f"{table}: {dataset}, IPC {ipc}: mu_dm {row['mu_dm']:g} overshoots: a step "
            f"would move the set by {mean_pull(row['mu_dm'], ipc):g} times its "
            f"distance from the class mean; allowed: at most "
            f"{ipc * REFERENCE_LATENT_DIM / 2:g}"
        )


def _check_students(study: "Study", dataset: str) -> Iterable[str]:
    """Every network must leave something of the images that its protocol shows it."""
    for student in study.run["students"]:
        for protocol in study.run["protocols"]:
            options = study.protocol(protocol)
            size = options["size"] or study.dataset(dataset)["image_size"]
            problem = network_problem(study.config["students"][student], size)
            if problem:
                yield f"config: students.{student} at {size} px ({dataset}, {protocol}): {problem}"
