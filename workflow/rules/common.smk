import os
import re
import sys
from dataclasses import asdict
from functools import cache
from pathlib import Path

sys.path.insert(0, f"{REPOSITORY}/workflow/lib")

from lighthouse.config import jobs, paths, prior_check
from lighthouse.config import rows, stamps
from lighthouse.config.batches import EXTERNAL, REAL, SAMPLED, SCALED, SCALES, TRIED, WEIGHTS
from lighthouse.config.batches import batches
from lighthouse.config.batches import sampled_by, tried_by, tuned_by
from lighthouse.config.expectations import expectations
from lighthouse.config.grid import BASE, CEILINGS
from lighthouse.config.load import check_name, load_study
from lighthouse.config.presets import default_file, over_shipped, preset_files
from lighthouse.config.reader import check_files, check_words
from lighthouse.config.schema import ConfigError
from lighthouse.datasets.downloads import ARCHIVES
from lighthouse.datasets.sources import SOURCES
from lighthouse.parts import coresets, extractors
from lighthouse.parts.objectives import OBJECTIVES
from lighthouse.report.front_page import is_asked_for, write_first_page
from lighthouse.report.items import items, template_digest
from lighthouse.runtime.arithmetic import make_portable
from lighthouse.runtime.bytecode import keep_bytecode
from lighthouse.runtime.cells import lost_cells
from lighthouse.runtime.digest import code_digest
from lighthouse.runtime.faults import barred
from lighthouse.runtime.stopped import JOBS_PREFIX, Stopped
from lighthouse.runtime.weights import RESNET18
from lighthouse.runtime.terminal import folder_from, speak_readably
from snakemake.common import NOTHING_TO_BE_DONE_MSG
from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

keep_bytecode(os.environ, Path(".snakemake/pycache"))

# Whether another workflow uses this one (`module`). Its files and its folder are its own then: its
# config is laid over the default here, relative paths and results are where it runs.
IN_MODULE = not workflow.modifier.is_main_snakefile()

# Not in a job's own Snakemake, on a cluster's node.
if workflow.is_main_process:
    stopped = Stopped(logger)
    if not IN_MODULE:  # whose shell commands are its own
        shell.prefix(JOBS_PREFIX)

# Over the default, and the study's own keys once more over these.
for preset in [] if IN_MODULE else preset_files(config, REPOSITORY):

    configfile: f"{preset}"


try:
    if IN_MODULE:
        study = load_study(over_shipped(config, REPOSITORY), REPOSITORY, home=Path.cwd())
    else:
        if workflow.is_main_process:  # jobs are given the same files
            check_words(sys.argv)
            shipped = [default_file(REPOSITORY), *preset_files(config, REPOSITORY)]
            check_files([*shipped, *workflow.overwrite_configfiles])
        study = load_study(config, REPOSITORY)
        if workflow.overwrite_workdir is None:
            check_name(study)
except ConfigError as error:
    raise WorkflowError(str(error)) from None

if workflow.is_main_process:
    for line in study.left_out:
        logger.info(line)

if IN_MODULE and workflow.modifier.modify_path(paths.RESULTS) != paths.RESULTS:
    raise WorkflowError(
        "module: has a prefix, which does not reach the paths in jobs' parameters; leave out `prefix` "
        "and `replace_prefix`, and run Snakemake in another folder instead"
    )

# Jobs inherit the environment. On a cluster Snakemake reads this file on the job's node, too.
if study.config["compute"]["portable"]:
    make_portable(os.environ)

# Before Snakemake finds out by itself, with a traceback.
OWN_FOLDER = None if IN_MODULE or workflow.overwrite_workdir else study.folder
HERE = Path(OWN_FOLDER or ".")
for place in (".snakemake", paths.RESULTS):
    if why := barred(HERE / place):
        raise WorkflowError(why)

# Each study has a folder of its own, so that no result of another is overwritten;
# --directory names another one.
if OWN_FOLDER:

    workdir: OWN_FOLDER


# As it is named where the command was typed, so that what is said of a result can be opened there.
FOLDER = folder_from(workflow.rundir, HERE.resolve())
if workflow.is_main_process:
    behind = {NOTHING_TO_BE_DONE_MSG: lambda: closing_words()}
    speak_readably(logger, os.environ, FOLDER, behind)

BATCHES = {(batch.dataset, batch.name): batch for batch in batches(study)}
SHARDED = [name for name in study.run["datasets"] if len(study.shards(name)) > 1]
WHOLE = [name for name in study.run["datasets"] if name not in SHARDED]
DOWNLOADS = study.place(study.config["downloads"])
# Files of pretrained weights by name: extractors go by their kind.
DOWNLOADED = {
    "resnet18": RESNET18,
    **{kind.name: kind.download for kind in extractors.EXTRACTORS.values() if kind.download},
}
# Repositories of the hub that the study takes models from, each with its commit.
HUB = {
    (given["pretrained"], given["revision"])
    for name in study.run["datasets"]
    for given in map(study.dataset(name).get, ("autoencoder", "denoiser"))
    if given.get("revision")
}
# The first replicate, by whose base prior the check of ``run.prior_check`` goes, on which datasets,
# and the student and protocol that judge.
FIRST = str(next(iter(study.replicates)))
CHECKED = prior_check.checked(study)
CHECKED_BY = prior_check.student_of(study)
GPUS = study.config["compute"]["training_gpus"]
ITEMS = items(study)
TEMPLATES = template_digest()


def report_text():
    """The file of the report's first page: written where the report is asked for."""
    about = Path(workflow.basedir) / "workflow/report/workflow.rst"
    if not (workflow.is_main_process and is_asked_for()):
        return str(about)
    page = Path(".snakemake/first_page.rst").absolute()
    return str(write_first_page(Path(paths.RESULTS), about, page))


def one_of(names):
    """A regex for one of some words; of no words, one that never matches."""
    return "|".join(map(re.escape, sorted(names))) or "(?!)"


def batch_names(*kinds):
    """A regex for the names of batches of some kinds."""
    return one_of(batch.name for batch in BATCHES.values() if batch.kind in kinds)


wildcard_constraints:
    dataset=one_of(study.run["datasets"]),
    batch=batch_names(REAL, SAMPLED, EXTERNAL, TRIED, SCALED),
    shard=r"\d+",
    size=r"\d+",
    resize=r"\d[\d.e+-]*",
    replicate=one_of(map(str, study.replicates)),
    prior=one_of(path for d in study.run["datasets"] for path in study.priors(d)),
    student=one_of(study.config["students"]),
    protocol=one_of(study.config["protocols"]),


def code(script, makers=()):
    """A digest of a script and of what it reaches of the package: an edit of it reruns the rule.

    So does another arithmetic (``compute.portable``), under which the same code computes other bytes.
    makers: functions that the script loads by name, ``module:function``.
    """
    digest = code_of(script, tuple(makers))
    return f"{digest} portable" if study.config["compute"]["portable"] else digest


@cache
def code_of(script, makers):
    """``code``, reckoned once a start: a large study asks for it at each of its jobs."""
    folder = f"{REPOSITORY}/workflow"
    return code_digest(f"{folder}/scripts/{script}", f"{folder}/lib", makers)


def batch_of(wildcards):
    """The batch that a rule's wildcards name."""
    return BATCHES[wildcards.dataset, wildcards.batch]


def cells_of(kind):
    """A params function: the cells of a batch's job, by a function of ``config.jobs``."""
    return lambda wildcards: kind(study, batch_of(wildcards))


def coreset_cells(wildcards):
    """The sets of real images of a batch."""
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
    """The folder of each replicate's prior that a batch samples from; none where it has none."""
    source = batch_of(wildcards).sources[0]
    if not study.methods[source.method].denoises:
        return []
    own = study.prior(source)
    return [prior_in(wildcards.dataset, own, seed) for seed in replicates_of(wildcards)]


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
    options = study.protocol(protocol)
    size = options["size"] or study.dataset(dataset)["image_size"]
    return paths.pixels(dataset, f"{options['resize']:g}", size)


def download_of(wildcards):
    """The record of the archive that a dataset is read from, if one is downloaded."""
    options = study.source_options(wildcards.dataset)
    archive = SOURCES[study.dataset(wildcards.dataset)["source"]].archive(options)
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


def teacher_weights(wildcards):
    """The file that a teacher is loaded from; none for one that is trained."""
    weights = study.protocol(wildcards.protocol)["teacher"]["weights"]
    if weights == "torchvision":
        return [f"{DOWNLOADS}/weights/resnet18.pth"]
    return [str(study.place(weights))] if weights else []


def outputs_of(*starts):
    """The files of the items whose names start so."""
    return [path for item in ITEMS if item.name.startswith(starts) for path in item.paths]


def with_report(item):
    """An item's files, that which Snakemake's report shows marked as such."""
    about = {"category": item.category, "labels": item.labels}
    about["caption"] = f"../report/{item.caption}.rst"
    return [report(path, **about) if path == item.shown else path for path in item.paths]
