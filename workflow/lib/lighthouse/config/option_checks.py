"""Whether the options of datasets, students and protocols go together, each entry by itself."""

import math
from collections.abc import Iterable, Mapping

from lighthouse.config.size_checks import size_checks
from lighthouse.config.study import Study
from lighthouse.datasets.sources import SOURCES
from lighthouse.parts.extractors import EXTRACTORS
from lighthouse.students.limits import network_problem, teacher_problem


def keys_of(parts: Mapping) -> dict[str, tuple[str, ...]]:
    """The keys that go with each of some declared parts."""
    return {name: tuple(part.options) for name, part in parts.items()}


def options_of_kind(place: str, key: str, options: dict, kinds: dict) -> Iterable[str]:
    """Which keys go with which word of ``key``: one line a key that lacks or that does nothing."""
    kind, conditional = options[key], {k for keys in kinds.values() for k in keys}
    for name in kinds[kind]:
        if name not in options:
            yield f"config: {place}: {name!r} is missing ({key} {kind!r} needs it)"
    for name in sorted(conditional & set(options) - set(kinds[kind])):
        yield f"config: {place}: {name!r} has no effect with {key} {kind!r}; leave it out"


STUDENT_KEYS = {
    "convnet": ("width",),
    "resnet-ap": (),
    "resnet": ("norm",),
    "vit": ("patch", "width", "heads"),
}
RATE_KEYS = {"one-cycle": ("warmup",), "constant": (), "trapezoid": ("warmup_steps", "cooldown")}
SCHEDULE_KEYS = {"steps": ("factor", "at"), "half-cosine": ()}
LABEL_KEYS = {"hard": (), "soft": ("teacher", "temperature"), "own": ("temperature",)}


def check_dataset(name: str, options: dict, study: Study) -> Iterable[str]:
    """What is wrong with a dataset's options, a line a mistake."""
    place = f"config: datasets.{name}"
    yield from (
        f"{place}.{line}" for line in SOURCES[options["source"]].check(study.source_options(name))
    )
    known = SOURCES[options["source"]].keys
    for key in sorted({k for source in SOURCES.values() for k in source.keys} - known):
        if key in options:
            yield f"{place}: {key!r} has no effect with source {options['source']!r}; leave it out"
    yield from options_of_kind(
        f"datasets.{name}.extractor", "kind", options["extractor"], keys_of(EXTRACTORS)
    )
    yield from _check_models(place, options)
    yield from size_checks(place, options)
    if "surrogate" in options:
        yield from _check_surrogate(f"{place}.surrogate", options, study)
    if "classifier" in options:
        yield from _check_classifier(f"{place}.classifier", name, study)
    for part in ("autoencoder", "base", "tuning"):
        if "schedule" in (options[part] or {}):
            schedule = options[part]["schedule"]
            yield from options_of_kind(
                f"datasets.{name}.{part}.schedule", "kind", schedule, RATE_KEYS
            )
            yield from _check_warmup(f"{place}.{part}", options[part])
    gpus = study.config["compute"]["training_gpus"]
    if options["base"] is not None and "stop" in options["base"]:
        yield from _check_stop(f"{place}.base", name, study)
    without_effect = {"base": ("l1_weighting", "l1_centre"), "tuning": ("learning_rate", "stop")}
    for stage, keys in without_effect.items():
        training = options[stage]
        if training is None:
            continue
        for key in keys:
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
        yield from _check_losses(place, options)
    if "pretrained" in denoiser:
        if denoiser["class_embeddings"] == "new" and options["base"] is None:
            yield (
                f"{place}.base: null with new class embeddings, which nothing would train; "
                "give a training, or class_embeddings: imagenet"
            )
        source = options["source"]
        if denoiser["class_embeddings"] == "imagenet" and not SOURCES[source].of_imagenet:
            yield (
                f"{place}.denoiser.class_embeddings: those of {source} are no classes of "
                "ImageNet; allowed: new"
            )
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


def _check_warmup(place: str, training: dict) -> Iterable[str]:
    """A rate that rises for some steps must come to its peak before it falls."""
    rise = training["schedule"].get("warmup_steps")
    steps = training.get("steps") or training.get("stop", {}).get("steps")
    if rise is None or steps is None:
        return
    level = steps / (1 + training["schedule"].get("cooldown", 0))
    if rise > level:
        yield (
            f"{place}.schedule.warmup_steps: {rise} is above the {level:.0f} steps before the rate "
            f"falls, of {steps} in all"
        )


def _check_stop(place: str, dataset: str, study: Study) -> Iterable[str]:
    """What is wrong with a base prior's rule of when it has trained enough."""
    options = study.dataset(dataset)
    rule, schedule = options["base"]["stop"], options["base"]["schedule"]
    if rule["patience"] is rule["steps"] is rule["minutes"] is None:
        yield f"{place}.stop: nothing ends the training; give patience, steps or minutes"
    if schedule["kind"] != "trapezoid":
        yield (
            f"{place}.schedule.kind: {schedule['kind']!r} needs the number of steps beforehand, or "
            "never falls; allowed with 'stop': 'trapezoid'"
        )
    elif rule["every"] * (1 + schedule.get("cooldown", 0)) > (rule["steps"] or math.inf):
        yield (
            f"{place}.stop.every: {rule['every']} is above the steps before the rate falls, of "
            f"{rule['steps']} in all"
        )
    source = SOURCES[options["source"]]
    if rule["patience"] is not None and not source.holds_out(study.source_options(dataset)):
        yield (
            f"{place}.stop.patience: the dataset has no validation part, whose loss would tell; "
            f"allowed: null, or datasets.{dataset}.val_share above 0"
        )


def _check_losses(place: str, options: dict) -> Iterable[str]:
    """Whether an autoencoder is trained by something, and by what its extractor can tell."""
    losses = options["autoencoder"].get("losses")
    if losses is None:
        return
    if not any(losses.values()):
        yield f"{place}.autoencoder.losses: all weights are 0; allowed: one above 0 at least"
    kind = options["extractor"]["kind"]
    if losses.get("perceptual") and not EXTRACTORS[kind].has_layers:
        able = ", ".join(name for name, entry in EXTRACTORS.items() if entry.has_layers)
        yield (
            f"{place}.autoencoder.losses.perceptual: an extractor of kind {kind!r} cannot compare "
            f"images layer by layer; allowed: {able}"
        )


def _check_surrogate(place: str, options: dict, study: Study) -> Iterable[str]:
    yield from _check_crop(place, options["surrogate"])
    networks, name = study.config["students"], options["surrogate"]["network"]
    if name not in networks:
        yield f"{place}.network: {name!r} is not known; allowed: {', '.join(networks)}"
        return
    problem = network_problem(networks[name], options["image_size"])
    if problem:
        yield f"{place}.network: {name!r}: {problem}"


PRETRAINED_KEYS = {"pretrained", "revision", "class_embeddings"}


def check_protocol(name: str, options: dict, config: dict) -> Iterable[str]:
    """What is wrong with a protocol's options, a line a mistake."""
    place = f"config: protocols.{name}"
    for key in ("epochs", "batch_size"):
        ipcs = [pair[0] for pair in options[key]]
        shown = config["run"]["datasets"]
        given = [entry["ipc"] for entry in config["external"].values() if entry["dataset"] in shown]
        given = [ipc for one in given for ipc in (one if isinstance(one, list) else [one])]
        largest = max(config["run"]["ipc"] + given)
        if ipcs != sorted(set(ipcs)):
            yield f"{place}.{key}: the IPCs must rise, got {ipcs}"
        elif name in config["run"]["protocols"] and largest > ipcs[-1]:
            yield (
                f"{place}.{key}: nothing for IPC {largest}; the last pair holds up to IPC "
                f"{ipcs[-1]}"
            )
    longest = max(epochs for _, epochs in options["epochs"])
    if options["evaluations"] > longest:
        yield (
            f"{place}.evaluations: {options['evaluations']} looks in {longest} epochs; allowed: at "
            "most one an epoch"
        )
    yield from _check_crop(place, options)
    yield from options_of_kind(
        f"protocols.{name}.schedule", "kind", options["schedule"], SCHEDULE_KEYS
    )
    yield from options_of_kind(f"protocols.{name}", "labels", options, LABEL_KEYS)
    if "teacher" in options:
        yield from _check_teacher(f"{place}.teacher", options, config)
    if options["labels"] == "own" and name in config["run"]["protocols"]:
        yield from _check_own_labels(place, config)


def _check_own_labels(place: str, config: dict) -> Iterable[str]:
    """Without a set that has soft labels such students would learn from classes alone."""
    shown = config["run"]["datasets"]
    sets = [given for given in config["external"].values() if given["dataset"] in shown]
    if not any("labels" in given for given in sets):
        yield (
            f"{place}.labels: 'own', and no set of the study has soft labels of its own; allowed: "
            "an entry of `external` with `labels`, or hard or soft"
        )


def _check_crop(place: str, options: dict) -> Iterable[str]:
    low, high = options["augment"]["crop_scale"] or (0, 1)
    if low > high:
        yield f"{place}.augment.crop_scale: {low} is above {high}"


def _check_teacher(place: str, protocol: dict, config: dict) -> Iterable[str]:
    shown = [config["datasets"].get(name) for name in config["run"]["datasets"]]
    sizes = [protocol["size"] or options["image_size"] for options in shown if options]
    yield from _check_taught(place, protocol, config, sizes, ("protocol", "epochs"))
    yield from _check_hard(place, protocol["teacher"].get("protocol"), config)


def _check_classifier(place: str, dataset: str, study: Study) -> Iterable[str]:
    options = study.dataset(dataset)
    wrong = list(_check_hard(place, options["classifier"]["protocol"], study.config))
    yield from wrong
    if not wrong:
        # A shipped one that no method asks for is no hindrance to another size of image.
        wanted = {*study.run["methods"], *(study.run["ablation"] or {}).get("methods", ())}
        asked = any(m.needs_classifier for name, m in study.methods.items() if name in wanted)
        sizes = [options["image_size"]] if asked else []
        yield from _check_taught(place, study.classifier(dataset), study.config, sizes, ("epochs",))


def _check_taught(
    place: str, protocol: dict, config: dict, sizes: Iterable[int], of_training: Iterable[str]
) -> Iterable[str]:
    """What is wrong with a protocol's teacher, for images of some sizes, or of none.

    of_training: its keys that go with a training, and with weights have no effect. null takes one
    away that a study inherits, since mappings merge.
    """
    teacher = protocol["teacher"]
    if teacher["network"] not in config["students"]:
        yield (
            f"{place}.network: {teacher['network']!r} is not known; "
            f"allowed: {', '.join(config['students'])}"
        )
    else:
        network = config["students"][teacher["network"]]
        problems = [teacher_problem(protocol, network)] if sizes else []
        problems += [network_problem(network, size) for size in sizes]
        yield from (f"{place}: {problem}" for problem in dict.fromkeys(problems) if problem)
    what = place.rpartition(".")[2]
    for key in of_training:
        given = teacher.get(key) is not None
        if teacher["weights"] is None and not given:
            yield f"{place}: {key!r} is missing (weights null means that the {what} is trained)"
        if teacher["weights"] is not None and given:
            yield (
                f"{place}: {key!r} has no effect with weights; leave it out, or write "
                f"`{key}: null` where it is inherited"
            )


def _check_hard(place: str, protocol: str | None, config: dict) -> Iterable[str]:
    """A protocol that trains a teacher must need none."""
    hard = [name for name, other in config["protocols"].items() if other["labels"] == "hard"]
    if protocol not in (None, *hard):
        yield (
            f"{place}.protocol: {protocol!r} is no protocol with hard labels; "
            f"allowed: {', '.join(hard)}"
        )
