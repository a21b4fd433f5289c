"""Where everything of ``results/`` lies. Each path is written here and nowhere else.

A function gives a path, of a dataset's or a cell's; with the names of wildcards in their
place it gives a rule's pattern: ``latents("{dataset}")``.
"""

from pathlib import Path

from lighthouse.config.grid import Cell

#: Where this package's checkout is, for commands; a study says its own (``Study.base``).
REPOSITORY = Path(__file__).resolve().parents[4]
RESULTS = "results"
#: What a set of samples is: files in the folder of its cell. Soft labels only finished sets from
#: elsewhere have.
LATENTS, IMAGES, RECORD = "latents.safetensors", "images.safetensors", "record.json"
LABELS = "labels.safetensors"
#: And beside those of a shard's pool, what is chosen by.
SEEN = "seen.safetensors"
#: What all results are, digest by digest, and since when a run has written some that are not yet
#: in it: files in the folder of results.
MANIFEST, UNLISTED = "manifest.json", ".unlisted"
#: Folders there that hold no results: what jobs said, and what they took.
LOGS, BENCHMARKS = "logs", "benchmarks"


def log(what: str) -> str:
    """The log of the job that makes ``what``, a path below ``results/`` without its ending."""
    return f"{RESULTS}/{LOGS}/{what}.log"


def benchmark(what: str) -> str:
    """Snakemake's measurements of that job."""
    return f"{RESULTS}/{BENCHMARKS}/{what}.tsv"


# Data.


def dataset(dataset: str) -> str:
    """The folder of a dataset's index and images."""
    return f"{RESULTS}/datasets/{dataset}"


def index(dataset: str) -> str:
    """Which images are in which part of a dataset."""
    return f"{RESULTS}/datasets/{dataset}/index.tsv"


def survey(dataset: str) -> str:
    """What was found in a dataset's images: counts, sizes, and what is odd."""
    return f"{RESULTS}/datasets/{dataset}/survey.json"


def pixels(dataset: str, resize: object, size: object) -> str:
    """The real images that students are judged by."""
    return f"{RESULTS}/pixels/{dataset}/resize~{resize}/size~{size}.safetensors"


def reconstructed(dataset: str) -> str:
    """The training part as the autoencoder gives it back."""
    return f"{RESULTS}/reconstructed/{dataset}.safetensors"


def latents(dataset: str) -> str:
    """The folder of the training part's latents."""
    return f"{RESULTS}/latents/{dataset}"


# Models. Priors and surrogates are trained in each replicate, the others once a dataset.


def autoencoder(dataset: str) -> str:
    """The folder of the autoencoder."""
    return f"{RESULTS}/autoencoders/{dataset}"


def autoencoder_cost(dataset: str) -> str:
    """What its training took, and how near images come back from it."""
    return f"{RESULTS}/costs/autoencoders/{dataset}.json"


def replicate(seed: object) -> str:
    """The folder of what is trained in a replicate."""
    return f"replicate~{seed}"


def prior(dataset: str, prior: str, seed: object = None) -> str:
    """The folder of a prior. prior: ``Prior.path``; seed: of its replicate, None of what all share.

    A base that is taken as it is, is shared.
    """
    return f"{RESULTS}/{_prior(dataset, prior, seed)}"


def prior_cost(dataset: str, prior: str, seed: object = None) -> str:
    """What a prior's training took."""
    return f"{RESULTS}/costs/{_prior(dataset, prior, seed)}.json"


def _prior(dataset: str, prior: str, seed: object) -> str:
    own = prior if seed is None else f"{replicate(seed)}/{prior}"
    return f"priors/{dataset}/{own}"


def surrogate(dataset: str, seed: object) -> str:
    """The folder of a replicate's network by whose gradients influence guidance goes."""
    return f"{RESULTS}/surrogates/{dataset}/{replicate(seed)}"


def surrogate_cost(dataset: str, seed: object) -> str:
    """What its training took."""
    return f"{RESULTS}/costs/surrogates/{dataset}/{replicate(seed)}.json"


def teacher(dataset: str, protocol: str) -> str:
    """The network that answers for a protocol with soft labels."""
    return f"{RESULTS}/teachers/{dataset}/{protocol}.safetensors"


def classifier(dataset: str) -> str:
    """The network by whose answers methods choose."""
    return f"{RESULTS}/classifiers/{dataset}.safetensors"


def classifier_cost(dataset: str) -> str:
    """What making it took."""
    return f"{RESULTS}/costs/classifiers/{dataset}.json"


def extractor(dataset: str) -> str:
    """The network whose features the metrics use."""
    return f"{RESULTS}/extractors/{dataset}.safetensors"


def features(dataset: str) -> str:
    """The real images' features."""
    return f"{RESULTS}/features/{dataset}.safetensors"


# Tables and figures.


def table(name: str, suffix: str = "csv") -> str:
    """A table, as CSV or in another format."""
    return f"{RESULTS}/tables/{name}.{suffix}"


def figure(name: str, suffix: str) -> str:
    """A figure, or with the suffix ``csv`` what it shows."""
    return f"{RESULTS}/figures/{name}.{suffix}"


# Cells. One job makes those of a batch; its record says of each whether it is there.


def samples(cell: Cell) -> str:
    """The folder of a cell's sets: ``LATENTS``, ``IMAGES``, and what they cost in ``RECORD``."""
    return f"{RESULTS}/samples/{cell.path}"


def shard(shard: object, cell: Cell) -> str:
    """The same of some of the classes, until they are gathered."""
    return f"{RESULTS}/shards/{shard}/{cell.path}"


def distilled(cell: Cell) -> str:
    """The sets of a cell at the tables' own values, as folders of PNGs."""
    return f"{RESULTS}/distilled/{cell.dataset}/{cell.method}/ipc~{cell.ipc}"


def students(student: str, protocol: str, cell: Cell) -> str:
    """The students trained on a cell's sets."""
    return f"{RESULTS}/students/{student}/{protocol}/{cell.path}.json"


def ceiling(ceiling: str, student: str, protocol: str, dataset: str) -> str:
    """The students trained on all images of a dataset. ceiling: the row's name."""
    return f"{RESULTS}/students/{student}/{protocol}/{dataset}/{ceiling}.json"


def set_metrics(cell: Cell) -> str:
    """Diversity, distances and, where asked, the spectrum of a cell's sets."""
    return f"{RESULTS}/metrics/sets/{cell.path}.json"


def tuning(cell: Cell) -> str:
    """What was tried on the validation part at a cell, weights or guidance scales, and chosen."""
    return f"{RESULTS}/metrics/tuning/{cell.path}.json"


def prior_verdict(dataset: str) -> str:
    """Whether the base prior of a dataset is worth distilling with."""
    return f"{RESULTS}/metrics/prior/{dataset}.json"


def prior_images(dataset: str, kind: str) -> str:
    """The sets that this is judged by. kind: ``real``, ``reconstructed`` or ``sampled``."""
    return f"{RESULTS}/metrics/prior/{dataset}/{kind}.safetensors"


def prior_gate(dataset: str) -> str:
    """Written where what samples from that prior may begin."""
    return f"{RESULTS}/metrics/prior/{dataset}/gate.json"


def strategies(dataset: str) -> str:
    """What joint and sequential sets of a dataset reach."""
    return f"{RESULTS}/metrics/strategies/{dataset}.json"


def strategies_images(dataset: str) -> str:
    """Images of the one class that the strategies figure shows: real ones, and of each set."""
    return f"{RESULTS}/metrics/strategies/{dataset}.safetensors"


#: Where the records of jobs of many cells are.
BATCHES = f"{RESULTS}/batches"


def batch(stage: str, dataset: str, batch: str) -> str:
    """The record of a job of many cells. stage: ``samples``, ``students/<network>/<protocol>``…"""
    return f"{BATCHES}/{stage}/{dataset}/{batch}.json"
