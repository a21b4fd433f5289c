import os
import sys
from pathlib import Path

sys.path.insert(0, f"{workflow.basedir}/workflow/lib")

from lighthouse.config import rows
from lighthouse.config.expectations import expectations
from lighthouse.config.grid import Cell
from lighthouse.config.schema import ConfigError
from lighthouse.config.study import load_study
from lighthouse.coresets import FEATURE_CORESETS
from lighthouse.datasets.external import fingerprint
from lighthouse.datasets.fastai import EDITIONS
from lighthouse.report.items import items, template_digest
from lighthouse.report.unfinished import make_all, message
from lighthouse.runtime.bytecode import keep_bytecode
from lighthouse.runtime.digest import code_digest
from lighthouse.runtime.weights import WEIGHTS
from snakemake.exceptions import WorkflowError

keep_bytecode(os.environ, Path(".snakemake/pycache"))

try:
    study = load_study(config, workflow.basedir)
    if workflow.overwrite_workdir is None:
        study.check_name()
except ConfigError as error:
    raise WorkflowError(str(error)) from None

# Each study has a folder of its own, so that no result of another is overwritten;
# --directory names another one.
if study.folder:

    workdir: study.folder


# A cell of the grid as a path: one distilled set for each seed.
CELL = "{dataset}/{method}/ipc~{ipc}/lambda~{lam}/eta_dpp~{eta_dpp}/mu_dm~{mu_dm}"
RSM = "{dataset}/rsm/lambda~{lam}/lr~{lr}"
TUNED = "{dataset}/{prior}/lr~{lr}"

CORESETS = [name for name, method in study.methods.items() if method.coreset]
SAMPLED = [name for name, method in study.methods.items() if method.prior]
EXTERNAL = list(study.config["external"])
SHARDED = [name for name in study.run["datasets"] if len(study.shards(name)) > 1]
WHOLE = [name for name in study.run["datasets"] if name not in SHARDED]
DOWNLOADS = study.place(study.config["downloads"])
GPUS = study.config["compute"]["training_gpus"]
ITEMS = items(study)
TEMPLATES = template_digest()


def check_data(study):
    """Stop before any job where data or weights are not where the config says."""
    missing = study.missing()
    if missing:
        raise WorkflowError("\n".join(["missing data:", *(f"  - {line}" for line in missing)]))


def show_missing(found):
    """Behind a failed run, make the tables and figures that can be made, and tell which."""
    print(f"\n{message(*make_all(found))}", file=sys.stderr)


def one_of(names):
    """A regex for one of some words; of no words, one that never matches."""
    return "|".join(sorted(names)) or "(?!)"


NUMBER = r"\d[\d.e+-]*"


wildcard_constraints:
    dataset=one_of(study.run["datasets"]),
    method=one_of(study.methods),
    ipc=one_of(map(str, {cell.ipc for cell in study.cells})),
    shard=r"\d+",
    size=r"\d+",
    resize=NUMBER,
    eta_dpp=NUMBER,
    mu_dm=NUMBER,
    lam=NUMBER,
    lr=NUMBER,
    prior=one_of(
        name
        for name, prior in study.config["priors"].items()
        if prior["objective"] not in ("plain", "rsm")
    ),
    student=one_of(study.config["students"]),
    protocol=one_of(study.config["protocols"]),


def code(script):
    """A digest of a script, or of the module at a path, and of the modules behind it."""
    root = Path(workflow.basedir, "workflow")
    return code_digest(root / "scripts" / script, root / "lib")


def cell_of(wildcards):
    """The cell that a rule's wildcards name."""
    return Cell(
        wildcards.dataset,
        wildcards.method,
        int(wildcards.ipc),
        float(wildcards.lam),
        float(wildcards.eta_dpp),
        float(wildcards.mu_dm),
    )


def images_of(cell):
    """The file that holds a cell's decoded images."""
    return f"results/samples/{study.source(cell).path}/images.safetensors"


def latents_of(cell):
    """The file that holds a cell's latents."""
    return f"results/samples/{study.source(cell).path}/latents.safetensors"


def prior_of(wildcards):
    """The folder of the prior that a cell samples from."""
    return f"results/priors/{wildcards.dataset}/{study.prior(cell_of(wildcards)).path}"


def surrogate_of(wildcards):
    """The folder of the surrogate, where a method's guidance asks for one."""
    asked = "influence" in study.methods[wildcards.method].guidance
    return [f"results/surrogates/{wildcards.dataset}"] if asked else []


def weights_of(wildcards):
    """The weights of the terms of a cell's method, in the papers' unit."""
    return study.term_weights(cell_of(wildcards))


def options_of_terms(wildcards):
    """The options of the terms of a method."""
    return {
        term: study.config["guidance"][term] for term in study.methods[wildcards.method].guidance
    }


def features_of(wildcards):
    """The features that a coreset chooses by; none for one that needs none."""
    asked = study.methods[wildcards.method].coreset in FEATURE_CORESETS
    return [f"results/features/{wildcards.dataset}.safetensors"] if asked else []


def objective_options(wildcards):
    """The options of a prior's objective, other than RSM's."""
    spec = study.config["priors"][wildcards.prior]
    return {key: value for key, value in spec.items() if key != "objective"}


def tuning_of(wildcards):
    """The options of a fine-tuning."""
    options = study.dataset(wildcards.dataset)["tuning"]
    return {**options, "learning_rate": float(wildcards.lr)}


def pixels_of(dataset, protocol):
    """The file of the real images that students of a protocol are judged by."""
    options = study.protocol(protocol)
    size = options["size"] or study.dataset(dataset)["image_size"]
    return f"results/pixels/{dataset}/resize~{options['resize']:g}/size~{size}.safetensors"


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


def method_option(key):
    """A params function: one field of the wildcards' method."""
    return lambda wildcards: getattr(study.methods[wildcards.method], key)


def collect_cells(path, wildcards):
    """The files of all cells of the wildcards' method."""
    return [path(cell) for cell in study.cells_of(wildcards.dataset, wildcards.method)]


def lighthouse_cells(wildcards):
    """The cells of the lighthouse figure, and last the one whose images are the pool."""
    options, dataset = study.run["lighthouse"], wildcards.dataset
    named = ("iid", "sequential", "joint")
    pool = study.cell(dataset, options["iid"], max(study.ipcs(options["iid"])))
    return [*(study.cell(dataset, options[key], options["ipc"]) for key in named), pool]


def students_of(wildcards):
    """Seeds of the students trained on each set: of ablations and sweeps the first alone."""
    return rows.student_seeds(study, cell_of(wildcards))


def as_rows(cells):
    """Cells as plain dictionaries, in the order of the files beside them."""
    return [cell.row for cell in cells]


def extractor_weights_of(wildcards):
    """The file of a pretrained extractor's weights, if the dataset has one."""
    options = study.dataset(wildcards.dataset)["extractor"]
    if options["kind"] not in WEIGHTS:
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


def shards_of(kind):
    """An input function: a cell's files of a kind, in the order of their classes."""

    def files(wildcards):
        folder = f"results/shards/{cell_of(wildcards).path}"
        count = len(study.shards(wildcards.dataset))
        return [f"{folder}/{shard}/{kind}" for shard in range(count)]

    return files


def teacher_of(wildcards):
    """The teacher of a protocol with soft labels; none for one with hard labels."""
    if study.protocol(wildcards.protocol)["labels"] == "hard":
        return []
    return [f"results/teachers/{wildcards.dataset}/{wildcards.protocol}.safetensors"]


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
