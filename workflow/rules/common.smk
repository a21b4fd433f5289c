import os
import re
import sys
from dataclasses import asdict
from functools import cache
from pathlib import Path

sys.path.insert(0, f"{workflow.basedir}/workflow/lib")

from lighthouse.config import paths
from lighthouse.config import rows, stamps
from lighthouse.config.batches import EXTERNAL, REAL, SAMPLED, batches, sampled_by
from lighthouse.config.disk import missing
from lighthouse.config.expectations import expectations
from lighthouse.config.load import check_name, load_study
from lighthouse.config.schema import ConfigError
from lighthouse.datasets.fastai import EDITIONS
from lighthouse.parts import coresets, extractors
from lighthouse.parts.objectives import OBJECTIVES
from lighthouse.report.items import items, template_digest
from lighthouse.report.unfinished import make_all, message
from lighthouse.runtime.bytecode import keep_bytecode
from lighthouse.runtime.cells import forget_failures, lost_cells
from lighthouse.runtime.digest import code_digest
from lighthouse.runtime.weights import RESNET18
from snakemake.exceptions import WorkflowError

keep_bytecode(os.environ, Path(".snakemake/pycache"))

try:
    study = load_study(config, workflow.basedir)
    if workflow.overwrite_workdir is None:
        check_name(study)
except ConfigError as error:
    raise WorkflowError(str(error)) from None

# Each study has a folder of its own, so that no result of another is overwritten;
# --directory names another one.
if study.folder:

    workdir: study.folder


BATCHES = {(batch.dataset, batch.name): batch for batch in batches(study)}
SHARDED = [name for name in study.run["datasets"] if len(study.shards(name)) > 1]
WHOLE = [name for name in study.run["datasets"] if name not in SHARDED]
DOWNLOADS = study.place(study.config["downloads"])
# Files of pretrained weights by name: extractors go by their kind.
DOWNLOADED = {
    "resnet18": RESNET18,
    **{kind.name: kind.download for kind in extractors.EXTRACTORS.values() if kind.download},
}
GPUS = study.config["compute"]["training_gpus"]
ITEMS = items(study)
TEMPLATES = template_digest()


def check_data(study):
    """Stop before any job where data or weights are not where the config says."""
    found = missing(study)
    if found:
        raise WorkflowError("\n".join(["missing data:", *(f"  - {line}" for line in found)]))


def show_missing(found):
    """Behind a failed run, make the tables and figures that can be made, and tell which."""
    print(f"\n{message(*make_all(found))}", file=sys.stderr)


def tell_failed_cells():
    """Name the cells that failed though their jobs ended; the next run tries them again."""
    failed, left = forget_failures(paths.BATCHES)
    if failed:
        behind = [f"{len(left)} more are made from these, and were left out."] if left else []
    else:  # of a shard, whose record is gone: its log says why
        behind = [f"  - {path}: without {source}" for path, source in left.items()]
    if failed or left:
        lines = [f"  - {path}: {error}" for path, error in failed.items()]
        print("\nFailed:", *lines, *behind, sep="\n", file=sys.stderr)
    return bool(failed or left)


def one_of(names):
    """A regex for one of some words; of no words, one that never matches."""
    return "|".join(map(re.escape, sorted(names))) or "(?!)"


def batch_names(*kinds):
    """A regex for the names of batches of some kinds."""
    return one_of(batch.name for batch in BATCHES.values() if batch.kind in kinds)


wildcard_constraints:
    dataset=one_of(study.run["datasets"]),
    batch=batch_names(REAL, SAMPLED, EXTERNAL),
    shard=r"\d+",
    size=r"\d+",
    resize=r"\d[\d.e+-]*",
    prior=one_of(path for d in study.run["datasets"] for path in study.priors(d)),
    student=one_of(study.config["students"]),
    protocol=one_of(study.config["protocols"]),


def code(script, makers=()):
    """A digest of a script and of what it reaches of the package: an edit of it reruns the rule.

    makers: functions that the script loads by name, ``module:function``.
    """
    return code_of(script, tuple(makers))


@cache
def code_of(script, makers):
    """``code``, reckoned once a start: a large study asks for it at each of its jobs."""
    folder = f"{workflow.basedir}/workflow"
    return code_digest(f"{folder}/scripts/{script}", f"{folder}/lib", makers)


def batch_of(wildcards):
    """The batch that a rule's wildcards name."""
    return BATCHES[wildcards.dataset, wildcards.batch]


def files_of(folder):
    """What a cell's set is, as keys of a job's cells. folder: of its samples."""
    named = {"latents": paths.LATENTS, "images": paths.IMAGES, "record": paths.RECORD}
    return {key: f"{folder}/{name}" for key, name in named.items()}


def made(source):
    """What names a source to its job: its files, its stamp and how large it is."""
    return sets_in(
        paths.samples(source),
        {"method": source.method, "ipc": source.ipc, "stamp": stamps.samples(study, source)},
    )


def sets_in(folder, known):
    """A job's cell whose sets lie in a folder, with what else is known of it."""
    files = files_of(folder)
    return {**known, **files, "files": [files["latents"], files["images"]]}


def shard_in(folder, known):
    """The same of some classes, of which the record alone stays when they have been gathered."""
    return {**sets_in(folder, known), "files": []}


def coreset_cells(wildcards):
    """The sets of real images of a batch."""
    return [
        {
            **made(source),
            "coreset": study.methods[source.method].coreset,
            "choose": coreset_of(source).choose,
            # Of its own choice alone, so that a new coreset reruns no other.
            "code": code("coreset.py", [coreset_of(source).choose]),
        }
        for source in batch_of(wildcards).sources
    ]


def external_cells(wildcards):
    """The finished set of a batch. Its files' names, sizes and times are in its stamp."""
    return [
        {**made(source), "root": str(study.external_root(source.method))}
        for source in batch_of(wildcards).sources
    ]


def sampled_cells(wildcards):
    """The sets that a batch samples, with all that tells them apart; of a shard in its folder."""
    shard = wildcards.get("shard")
    return [
        {
            **(
                made(source)
                if shard is None
                else shard_in(paths.shard(shard, source), made(source))
            ),
            "coupling": study.methods[source.method].coupling,
            "terms": study.terms(source),
            "sampler": study.sampler(source),
            "guided_by_surrogate": study.methods[source.method].needs_surrogate,
            # Of its own terms alone, so that a new one reruns no other.
            "code": code("sample.py", [term["make"] for term in study.terms(source)]),
        }
        for source in batch_of(wildcards).sources
    ]


def gathered_cells(wildcards):
    """The sets of a batch, with the folders of their shards."""
    shards = range(len(study.shards(wildcards.dataset)))
    return [
        {
            **made(source),
            "shards": [paths.shard(shard, source) for shard in shards],
            "sources": [f"{paths.shard(shard, source)}/{paths.RECORD}" for shard in shards],
        }
        for source in batch_of(wildcards).sources
    ]


def of_source(cell):
    """What a job reads of a cell's sets, which may be part of another cell's."""
    files = files_of(paths.samples(study.source(cell)))
    return {"images": files["images"], "latents": files["latents"], "sources": [files["record"]]}


def student_cells(wildcards):
    """The cells of a batch on which students of a network and protocol are trained."""
    asked = {
        cell
        for cell, student, protocol in study.evaluations
        if (student, protocol) == (wildcards.student, wildcards.protocol)
    }
    found = []
    for cell in (cell for cell in batch_of(wildcards).cells if cell in asked):
        seeds = rows.student_seeds(study, cell)
        names = wildcards.student, wildcards.protocol
        found.append(
            {
                **of_source(cell),
                "row": cell.row,
                "ipc": cell.ipc,
                "student_seeds": seeds,
                "record": paths.students(*names, cell),
                "stamp": stamps.students(study, cell, *names, seeds),
            }
        )
    return found


def measured_cells(wildcards):
    """The cells of a batch, with what is measured of their sets."""
    return [
        {
            **of_source(cell),
            **study.measures(cell),
            "row": cell.row,
            "record": paths.set_metrics(cell),
            "stamp": stamps.sets(study, cell),
        }
        for cell in batch_of(wildcards).cells
    ]


def lost_of(cells, stage, name="{batch}"):
    """A params function: what was removed of the cells of a job, which then makes it again.

    stage, name: of the job's record (``paths.batch``), with wildcards in them.
    """

    def lost(wildcards):
        record = paths.batch(stage, wildcards.dataset, name).format(**dict(wildcards.items()))
        return lost_cells(record, cells(wildcards))

    return lost


def handed_on(wildcards):
    """The cells of a dataset whose sets are handed on: of the leaderboard, and made here."""
    return [
        cell
        for cell in study.main_cells
        if cell.dataset == wildcards.dataset and not study.methods[cell.method].external
    ]


def distilled_cells(wildcards):
    """The sets of a dataset that are handed on."""
    return [
        {
            **of_source(cell),
            "ipc": cell.ipc,
            "folder": paths.distilled(cell),
            "files": [paths.distilled(cell)],
            "record": paths.batch("distilled", cell.dataset, f"{cell.method}/ipc~{cell.ipc}"),
            "stamp": stamps.samples(study, study.source(cell)),
        }
        for cell in handed_on(wildcards)
    ]


def prior_of(wildcards):
    """The folder of the prior that a batch samples from."""
    return paths.prior(wildcards.dataset, study.prior(batch_of(wildcards).sources[0]).path)


def surrogate_of(wildcards):
    """The folder of the surrogate, where the guidance of one of a batch's methods asks for one."""
    methods = {cell.method for cell in batch_of(wildcards).sources}
    asked = any(study.methods[method].needs_surrogate for method in methods)
    return [paths.surrogate(wildcards.dataset)] if asked else []


def features_of(wildcards):
    """The features that a batch's coresets choose by; none where none needs them."""
    asked = any(coreset_of(cell).by_features for cell in batch_of(wildcards).sources)
    return [paths.features(wildcards.dataset)] if asked else []


def coreset_of(cell):
    """The declaration of the coreset of a cell's method."""
    return coresets.CORESETS[study.methods[cell.method].coreset]


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


def objective_options(wildcards):
    """The options of a prior's objective."""
    options = dict(tuned(wildcards).options)
    if "lambda" in options:
        weighting = study.dataset(wildcards.dataset)["tuning"]["l1_weighting"]
        options = {"lam": options["lambda"], "l1_weighting": weighting}
    return options


def tuning_of(wildcards):
    """The options of a fine-tuning."""
    options = study.dataset(wildcards.dataset)["tuning"]
    return {**options, "learning_rate": tuned(wildcards).learning_rate}


def pixels_of(dataset, protocol):
    """The file of the real images that students of a protocol are judged by."""
    options = study.protocol(protocol)
    size = options["size"] or study.dataset(dataset)["image_size"]
    return paths.pixels(dataset, f"{options['resize']:g}", size)


def download_of(wildcards):
    """The record of the archive that a dataset is read from, if one is downloaded."""
    edition = study.dataset(wildcards.dataset).get("edition")
    return [f"{DOWNLOADS}/fastai/{edition}.json"] if edition else []


def pretrained_of(part):
    """An input function: the record of a pretrained ``part``, or its local folder, or none."""

    def place(wildcards):
        found = study.pretrained(wildcards.dataset, part)
        if found is None:
            return []
        local = study.dataset(wildcards.dataset)[part].get("revision") is None
        return [str(found) if local else f"{found}.json"]

    return place


def source_options(wildcards):
    """The options that the source of the wildcards' dataset reads."""
    return study.source_options(wildcards.dataset)


def dataset_option(key):
    """A params function: one entry of the options of the wildcards' dataset."""
    return lambda wildcards: study.dataset(wildcards.dataset)[key]


def strategies_sets(wildcards):
    """The sets of the strategies figure: of each strategy, and the pool's."""
    cells = rows.strategies_cells(study, wildcards.dataset)
    options = study.run["strategies"]
    (record,) = rows.strategies_records(study, [wildcards.dataset])
    return [
        {
            "sets": [of_source(cell) for cell in cells],
            "sources": [source for cell in cells for source in of_source(cell)["sources"]],
            "seeds": study.run["seeds"],
            **{key: options[key] for key in ("ipc", "subsets", "shown_class")},
            "pool_ipc": cells[-1].ipc,
            "record": record.path,
            "stamp": record.stamp,
        }
    ]


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
    """The teacher of a protocol with soft labels; none for one with hard labels."""
    if study.protocol(wildcards.protocol)["labels"] == "hard":
        return []
    return [paths.teacher(wildcards.dataset, wildcards.protocol)]


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
