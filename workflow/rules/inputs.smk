# What rules ask for, by their wildcards: functions for their inputs and parameters.
from lighthouse.config.batches import tuned_by
from lighthouse.datasets.sources import SOURCES
from lighthouse.parts import coresets
from lighthouse.priors.trained import is_trained
from lighthouse.runtime.cells import lost_cells


def batch_of(wildcards):
    """The batch that a rule's wildcards name."""
    return BATCHES[wildcards.dataset, wildcards.batch]


def cells_of(kind):
    """A params function: the cells of a batch's job, by a function of ``config.jobs``."""
    return lambda wildcards: kind(study, batch_of(wildcards))


def coreset_cells(wildcards):
    """The sets of real images of a batch, or those that are composed of such."""
    return jobs.coreset_cells(study, batch_of(wildcards), code)


def sampled_cells(wildcards):
    """The sets that a batch samples, or of some classes a shard of it."""
    return jobs.sampled_cells(study, batch_of(wildcards), code, wildcards.get("shard"))


def student_cells(wildcards):
    """The cells of a batch on which students of a network and protocol are trained."""
    names = wildcards.student, wildcards.protocol
    return jobs.student_cells(study, batch_of(wildcards), *names)


def tuned_cells(wildcards):
    """The cells of a dataset at which the weights of terms are tuned."""
    return [cell for cell in study.tuned_cells if cell.dataset == wildcards.dataset]


def tuning_cells(wildcards):
    """The same, as their job takes them."""
    return jobs.tuning_cells(study, tuned_cells(wildcards))


def scaled_cells(wildcards):
    """The cell at which a dataset's guidance scale is chosen; none where it is given."""
    return [cell for cell in study.scaled_cells if cell.dataset == wildcards.dataset]


def scale_cells(wildcards):
    """The same, as its job takes it."""
    return jobs.tuning_cells(study, scaled_cells(wildcards))


def distilled_cells(wildcards):
    """The sets of a dataset that are handed on."""
    return jobs.distilled_cells(study, wildcards.dataset)


def strategies_sets(wildcards):
    """The sets of the strategies figure."""
    return jobs.strategies_sets(study, wildcards.dataset)


def lost_of(cells, stage, name="{batch}"):
    """A params function: what was removed of the cells of a job, which then makes it again.

    stage, name: of the job's record (``paths.batch``), with wildcards in them.
    """

    def lost(wildcards):
        record = paths.batch(stage, wildcards.dataset, name).format(**dict(wildcards.items()))
        return lost_cells(record, cells(wildcards))

    return lost


def replicate_of(wildcards):
    """The seed of the replicate that a rule's wildcards name; the first's of what all share."""
    return int(wildcards.get("replicate", next(iter(study.replicates))))


def replicates_of(wildcards):
    """The seeds of a batch's sets by replicate, which are all the study's or all candidates'."""
    return study.replicates_of(batch_of(wildcards).sources[0])


def prior_in(dataset, prior, replicate):
    """The folder of a prior that a replicate samples from, or is fine-tuned from."""
    return paths.prior(dataset, prior.path, study.prior_replicate(dataset, prior, replicate))


def base_of(wildcards):
    """The folder of the base that a prior is fine-tuned from."""
    return prior_in(wildcards.dataset, BASE, replicate_of(wildcards))


def priors_of(wildcards):
    """The folder of each replicate's prior that a batch samples from; none where it has none.

    Of a prior in phases all of a replicate's, in the order of the phases.
    """
    source = batch_of(wildcards).sources[0]
    if not study.methods[source.method].denoises:
        return []
    own = study.by_phase(wildcards.dataset, study.prior(source))
    seeds = replicates_of(wildcards)
    return [prior_in(wildcards.dataset, phase, seed) for seed in seeds for phase in own]


def phases_of(wildcards):
    """Labels of the classes that each prior of a replicate is sampled for, in their order."""
    return study.phases(wildcards.dataset, study.prior(batch_of(wildcards).sources[0]))


def phase_of(wildcards):
    """Labels of the classes that a prior is tuned on; None of all."""
    own = tuned(wildcards)
    return None if own.phase is None else study.phases(wildcards.dataset, own)[own.phase]


def first_base_cost(wildcards):
    """What the training of the first replicate's base prior took."""
    owner = study.prior_replicate(wildcards.dataset, BASE, int(FIRST))
    return paths.prior_cost(wildcards.dataset, BASE.path, owner)


def first_scale(wildcards):
    """The record of the job that chooses a dataset's guidance scale; none where it is given."""
    return tuned_by(study, scaled_cells(wildcards))


def gate_of(wildcards):
    """What is written where a dataset's base prior may be sampled from; none where none asks."""
    return [paths.prior_gate(wildcards.dataset)] if wildcards.dataset in CHECKED else []


def gate_of_tuned(wildcards):
    """The same for a fine-tuning, which waits for it, and is not repeated because of it.

    Snakemake does not ask a job behind one that runs whether it has other parameters or older
    outputs than inputs, and an `ancient` input does not make it run either. So the gate is that
    only where what was trained is what is asked for.
    """
    names = wildcards.dataset, wildcards.prior, replicate_of(wildcards)
    inputs = [paths.latents(wildcards.dataset), base_of(wildcards)]
    trained = is_trained(paths.prior_cost(*names), asked_of_tuned(wildcards), inputs)
    return [ancient(gate) for gate in gate_of(wildcards)] if trained else gate_of(wildcards)


def asked_of_tuned(wildcards):
    """A digest of all that a fine-tuning is told."""
    told = [
        objective_of(wildcards).make,
        objective_options(wildcards),
        tuning_of(wildcards),
        phase_of(wildcards),
        replicate_of(wildcards),
        gpus_of(wildcards),
        study.config["compute"]["launch"],
        tuned_code(wildcards),
    ]
    return stamps.stamp(told)


def tuned_code(wildcards):
    """A digest of the script that trains priors and of a prior's objective."""
    return code("prior.py", [objective_of(wildcards).make])


def gate_of_batch(wildcards):
    """The same of a batch's prior: not of a guidance scale's candidates, which come before it."""
    waits = priors_of(wildcards) and batch_of(wildcards).kind != SCALED
    return gate_of(wildcards) if waits else []


def seeds_of(wildcards):
    """The seeds of a batch's sets."""
    return study.seeds(batch_of(wildcards).sources[0])


def chosen_for(wildcards):
    """The records of the jobs that choose a batch's guidance scale and weights, where any does."""
    return tuned_by(study, batch_of(wildcards).sources)


def surrogates_of(wildcards):
    """The folder of each replicate's surrogate, where one of a batch's methods asks for one."""
    methods = {cell.method for cell in batch_of(wildcards).sources}
    if not any(study.methods[method].needs_surrogate for method in methods):
        return []
    return [paths.surrogate(wildcards.dataset, seed) for seed in replicates_of(wildcards)]


def selects_by_features(wildcards):
    """Whether the images of one of a batch's methods are chosen by an extractor's features."""
    methods = {cell.method for cell in batch_of(wildcards).sources}
    return any(study.methods[method].selects_by_features for method in methods)


def selecting_extractor(wildcards):
    """The extractor by whose features a batch's images are chosen; none where none are."""
    return [paths.extractor(wildcards.dataset)] if selects_by_features(wildcards) else []


def selecting_features(wildcards):
    """Those of real images by which a batch's are chosen: not by shards, which choose nothing."""
    asked = selects_by_features(wildcards) and "shard" not in wildcards.keys()
    return [paths.features(wildcards.dataset)] if asked else []


def gathered_cells(wildcards):
    """The sets that a batch gathers of shards."""
    return jobs.gathered_cells(study, batch_of(wildcards), code)


def features_of(wildcards):
    """The features that a batch's coresets choose by; none where none needs them."""
    asked = any(
        coresets.CORESETS[study.methods[cell.method].coreset].by_features
        for cell in batch_of(wildcards).sources
    )
    return [paths.features(wildcards.dataset)] if asked else []


def tuned(wildcards):
    """The prior that a rule's wildcards name."""
    return study.priors(wildcards.dataset)[wildcards.prior]


def objective_of(wildcards):
    """The declaration of a prior's objective."""
    return OBJECTIVES[tuned(wildcards).objective]


def extractor_of(wildcards):
    """The declaration of the kind of a dataset's extractor."""
    return extractors.EXTRACTORS[study.dataset(wildcards.dataset)["extractor"]["kind"]]


def extractor_code(script):
    """A params function: a digest of a script and of the extractor that it loads."""
    return lambda wildcards: code(script, [extractor_of(wildcards).network])


def judge_of(wildcards):
    """The extractor by whose layers an autoencoder is trained; none where none is asked for."""
    asked = study.has_perceptual_loss(wildcards.dataset)
    return [paths.extractor(wildcards.dataset)] if asked else []


def autoencoder_code(wildcards):
    """A digest of the autoencoder's script and, where its loss has one, of the extractor."""
    asked = study.has_perceptual_loss(wildcards.dataset)
    makers = [extractors.DISTANCE, extractor_of(wildcards).network] if asked else []
    return code("autoencoder.py", makers)


def objective_options(wildcards):
    """The options of a prior's objective."""
    tuning = study.tuning(wildcards.dataset, tuned(wildcards))
    common = {key: tuning[key] for key in objective_of(wildcards).from_tuning}
    return {**tuned(wildcards).options, **common}


def tuning_of(wildcards):
    """The options of a fine-tuning."""
    options = study.tuning(wildcards.dataset, tuned(wildcards))
    return {**options, "learning_rate": tuned(wildcards).learning_rate}


def pixels_of(dataset, protocol):
    """The file of the real images that students of a protocol are judged by."""
    return pixels_for(dataset, study.protocol(protocol))


def pixels_for(dataset, options):
    """The same by the options of a protocol."""
    size = options["size"] or study.dataset(dataset)["image_size"]
    return paths.pixels(dataset, f"{options['resize']:g}", size)


def download_of(wildcards):
    """The record of the archive that a dataset is read from, if one is downloaded."""
    options = study.source_options(wildcards.dataset)
    archive = source_of(wildcards).archive(options)
    return [f"{DOWNLOADS}/{archive}.json"] if archive else []


def pretrained_of(part):
    """An input function: the record of a pretrained ``part``, or its local folder, or none."""

    def place(wildcards):
        found = study.pretrained(wildcards.dataset, part)
        if found is None:
            return []
        local = study.dataset(wildcards.dataset)[part].get("revision") is None
        return [str(found) if local else f"{found}.json"]

    return place


def source_of(wildcards):
    """The declaration of the source of the wildcards' dataset."""
    return SOURCES[study.dataset(wildcards.dataset)["source"]]


def source_options(wildcards):
    """The options that the source of the wildcards' dataset reads."""
    return study.source_options(wildcards.dataset)


def source_state(wildcards):
    """A digest of a folder of one's own images: others make the dataset anew."""
    return source_of(wildcards).state(study.source_options(wildcards.dataset))


def dataset_option(key):
    """A params function: one entry of the options of the wildcards' dataset."""
    return lambda wildcards: study.dataset(wildcards.dataset)[key]


def extractor_weights_of(wildcards):
    """The file of a pretrained extractor's weights, if the dataset has one."""
    options = study.dataset(wildcards.dataset)["extractor"]
    if extractor_of(wildcards).download is None:
        return []
    if options.get("weights"):
        return [str(study.place(options["weights"]))]
    return [f"{DOWNLOADS}/weights/{options['kind']}.pth"]


def kinds_of(wildcards):
    """What the study takes from a repository: its denoiser, its autoencoder, or both."""
    given = {"pretrained": wildcards.repo, "revision": wildcards.revision}
    return [
        kind
        for kind in ("autoencoder", "denoiser")
        if any(given.items() <= study.dataset(d)[kind].items() for d in study.run["datasets"])
    ]


def gpus_of(wildcards):
    """How many accelerators a fine-tuning uses."""
    return 1 if objective_of(wildcards).one_process else GPUS


def prior_memory(processes):
    """MB of the host: in each process a pretrained DiT-XL/2's weights (3 GB) thrice over."""

    def mem_mb(wildcards, attempt):
        process = 12500 if pretrained_of("denoiser")(wildcards) else 2000
        return attempt * process * processes

    return mem_mb


def classes_of(wildcards):
    """Labels of the classes that a job samples: its shard's, or None for all."""
    shard = wildcards.get("shard")
    return None if shard is None else study.shards(wildcards.dataset)[int(shard)]


def teacher_of(wildcards):
    """The teacher of a rule's protocol; none of one with hard labels."""
    return teachers_of(wildcards.dataset, wildcards.protocol)


def teachers_of(dataset, protocol):
    """The teacher of a protocol with soft labels; none for one with hard labels."""
    soft = study.protocol(protocol)["labels"] == "soft"
    return [paths.teacher(dataset, protocol)] if soft else []


def reconstructed_for(wildcards):
    """The images of a ceiling where they are reconstructed; none where they are the real ones."""
    return [] if CEILINGS[wildcards.ceiling].real else [paths.reconstructed(wildcards.dataset)]


def taught_of(wildcards):
    """The protocol that a teacher answers for, or that a dataset's classifier is made by."""
    if protocol := wildcards.get("protocol"):
        return study.protocol(protocol)
    return study.classifier(wildcards.dataset)


def teacher_network(wildcards):
    """The network of a teacher or classifier."""
    return study.config["students"][taught_of(wildcards)["teacher"]["network"]]


def teachers_protocol(wildcards):
    """The hard protocol by which a teacher or classifier is trained; None of a teacher with weights."""
    return study.config["protocols"].get(taught_of(wildcards)["teacher"].get("protocol"))


def teacher_weights(wildcards):
    """The file that a teacher or classifier is loaded from; none for one that is trained."""
    weights = taught_of(wildcards)["teacher"]["weights"]
    if weights == "torchvision":
        return [f"{DOWNLOADS}/weights/resnet18.pth"]
    return [str(study.place(weights))] if weights else []


def classifier_of(wildcards):
    """A dataset's classifier, where one of a batch's methods asks for it."""
    methods = {cell.method for cell in batch_of(wildcards).sources}
    asked = any(study.methods[method].needs_classifier for method in methods)
    return [paths.classifier(wildcards.dataset)] if asked else []


def outputs_of(*starts):
    """The files of the items whose names start so."""
    return [path for item in ITEMS if item.name.startswith(starts) for path in item.paths]


def with_report(item):
    """An item's files, that which Snakemake's report shows marked as such."""
    about = {"category": item.category, "labels": item.labels}
    about["caption"] = f"../report/{item.caption}.rst"
    return [report(path, **about) if path == item.shown else path for path in item.paths]
