"""What a record depends on, of config and tables, as a digest: its stamp.

A table reads the records that have the stamps of its own study, and no others: what another
config left behind never enters.
"""

import hashlib
import json
from dataclasses import asdict

from lighthouse.config.grid import Ceiling, Cell
from lighthouse.config.study import Study
from lighthouse.datasets.external import Way, fingerprint
from lighthouse.parts.coresets import CORESETS

#: Options of a dataset that its images depend on.
IMAGES = frozenset({"source", "image_size", "parts", "split_seed", "root", "classes", "edition"})
IMAGES |= {"val_share", "test_share", "background", "bad_files"}
#: And those that their latents, and images decoded of such, depend on, too.
SEEN = IMAGES | {"autoencoder"}
#: And those that a prior depends on, too.
TRAINED = SEEN | {"flips", "denoiser", "base"}


def stamp(parameters: object) -> str:
    """A digest of parameters that JSON can hold, whatever the order of their keys."""
    text = json.dumps(parameters, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def samples(study: Study, cell: Cell) -> str:
    """The stamp of a cell's sets."""
    method, dataset = study.methods[cell.method], study.dataset(cell.dataset)
    seen = TRAINED if method.denoises else SEEN
    known = {
        "cell": cell.row,
        "seeds": study.seeds(cell),
        "dataset": {key: value for key, value in dataset.items() if key in seen},
    }
    if study.has_perceptual_loss(cell.dataset):
        known["perceptual"] = _judge(study, cell.dataset)
    if method.external:
        way = study.external_way(cell.method)
        known["files"] = fingerprint(study.external_root(cell.method), way)
        if way != Way():
            known["way"] = asdict(way)
    if method.coreset:
        known["coreset"] = method.coreset
        if options := study.config["coresets"].get(method.coreset):
            known["options"] = options
    if method.coreset and CORESETS[method.coreset].by_features:
        known["features"] = _judge(study, cell.dataset)
    if method.needs_classifier:
        known["classifier"] = _classifier(study, cell.dataset)
    if method.prior:
        known["replicates"] = list(study.replicates_of(cell).items())
        known["coupling"], known["start"] = method.coupling, method.start
        known["terms"] = [
            {key: term[key] for key in ("name", "weight", "options")} for term in study.terms(cell)
        ]
    if method.denoises:
        prior, sampler = study.prior(cell), study.sampler(cell)
        tuning = None if prior.name == "base" else study.tuning(cell.dataset, prior)
        known["prior"] = [prior.path, dict(prior.options), tuning]
        if method.needs_surrogate:
            network = study.config["students"][dataset["surrogate"]["network"]]
            known["surrogate"] = [dataset["surrogate"], network]
        known["sampler"] = {key: sampler[key] for key in sampler if key != "classes_per_job"}
    if selection := study.selection(cell):
        known["selection"] = [selection["name"], selection["options"]]
        if method.selects_by_features:
            known["features"] = _judge(study, cell.dataset)
    if tuned := study.tuned_at(cell):
        known["weights"] = weights(study, tuned)
    if scaled := study.scaled_at(cell):
        known["scale"] = weights(study, scaled)
    return stamp(known)


def students(
    study: Study, cell: Cell, student: str, protocol: str, student_seeds: list[int]
) -> str:
    """The stamp of the students that are trained on a cell's sets."""
    source = samples(study, study.source(cell))
    return stamp([source, cell.row, _recipe(study, student, protocol), student_seeds])


def weights(study: Study, cell: Cell) -> str:
    """The stamp of the choice that is made at a cell: of its weights, or of a guidance scale."""
    options = study.run["tuning"]
    trained = options["student"], options["protocol"], options["student_seeds"]
    tried = study.candidates(cell)
    return stamp([cell.row, [students(study, candidate, *trained) for candidate in tried]])


def ceiling(study: Study, ceiling: Ceiling, dataset: str, student: str, protocol: str) -> str:
    """The stamp of the students that are trained on all images of a dataset."""
    seen = IMAGES if ceiling.real else SEEN
    options = {key: value for key, value in study.dataset(dataset).items() if key in seen}
    known = [options, _recipe(study, student, protocol), study.set_seeds]
    if not ceiling.real:
        known.append(ceiling.name)
        if study.has_perceptual_loss(dataset):
            known.append(_judge(study, dataset))
    return stamp(known)


def sets(study: Study, cell: Cell) -> str:
    """The stamp of the metrics of a cell's sets."""
    return stamp([cell.row, study.measures(cell), *_measured(study, cell)])


def strategies(study: Study, cells: list[Cell]) -> str:
    """The stamp of what the strategies' sets reach."""
    measured = [_measured(study, cell) for cell in cells]
    return stamp([measured, study.run["strategies"], list(study.replicates.items())])


def _judge(study: Study, dataset: str) -> list:
    """What a dataset's extractor depends on beside its images."""
    most = study.config["metrics"]["real_images_per_class"]
    return [study.dataset(dataset)["extractor"], most]


def _classifier(study: Study, dataset: str) -> list:
    """What a dataset's classifier depends on beside its images."""
    recipe = study.classifier(dataset)
    return [recipe, study.config["students"][recipe["teacher"]["network"]]]


def _measured(study: Study, cell: Cell) -> list:
    """What is measured, and how."""
    options = study.config["metrics"], study.config["guidance"]["dpp"]["epsilon"]
    extractor = study.dataset(cell.dataset)["extractor"]
    return [samples(study, study.source(cell)), extractor, *options]


def _recipe(study: Study, student: str, protocol: str) -> list:
    """How students are trained, and the networks that teach them."""
    options = study.protocol(protocol)
    teacher = options.get("teacher", {})
    networks = study.config["students"]
    return [
        networks[student],
        options,
        networks.get(teacher.get("network")),
        study.config["protocols"].get(teacher.get("protocol")),
    ]
