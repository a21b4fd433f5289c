"""What a study needs on disk. Looked for when jobs are about to start, not for a dry run."""

from lighthouse.config.study import Study
from lighthouse.datasets.external import problems
from lighthouse.datasets.sources import SOURCES
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.faults import a_folder, unseen


def missing(study: Study) -> list[str]:
    """What the study needs on disk and does not find, a line each."""
    try:
        return _missing(study)
    except OSError as error:
        return [unseen(error)]


def _missing(study: Study) -> list[str]:
    lines = []
    least = max([1, *(study.methods[c.method].images_behind(c.ipc) for c in study.cells)])
    for name in study.run["datasets"]:
        options = study.dataset(name)
        found = SOURCES[options["source"]].missing(study.source_options(name), least)
        lines += [f"datasets.{name}: {line}" for line in found]
        for part in ("autoencoder", "denoiser"):
            if options[part].get("revision") is None:
                found = _absent(study, f"datasets.{name}.{part}.pretrained", options[part])
                lines += [f"{line}; a repository of the hub needs its `revision`" for line in found]
        lines += _absent(study, f"datasets.{name}.extractor.weights", options["extractor"])
        lines += _missing_classifier(study, name)
        lines += _missing_external(study, name)
    choosing = (protocol for *_, protocol in study.tuning_evaluations)
    for name in dict.fromkeys([*study.run["protocols"], *choosing]):
        teacher = study.protocol(name).get("teacher", {})
        if teacher.get("weights") != "torchvision":
            lines += _absent(study, f"protocols.{name}.teacher.weights", teacher)
    return lines


def _missing_classifier(study: Study, dataset: str) -> list[str]:
    """The local file of a dataset's classifier, where one of its methods asks for it."""
    if not any(study.methods[name].needs_classifier for name in study.methods_of(dataset)):
        return []
    classifier = study.dataset(dataset)["classifier"]
    if classifier["weights"] == "torchvision":
        return []
    return _absent(study, f"datasets.{dataset}.classifier.weights", classifier)


def _missing_external(study: Study, dataset: str) -> list[str]:
    """What is wrong with the external sets of a dataset whose classes are known."""
    given = study.config["external"]
    names = [name for name in given if given[name]["dataset"] == dataset]
    if not names:
        return []
    try:
        classes = SOURCES[study.dataset(dataset)["source"]].classes(study.source_options(dataset))
    except DataError:
        return []  # said already, of the dataset itself
    return [
        f"external.{name}: {line}"
        for name in names
        for line in problems(
            study.external_root(name),
            max(study.external_ipcs(name)),
            classes,
            study.set_seeds,
            study.external_way(name),
        )
    ]


def _absent(study: Study, key: str, options: dict) -> list[str]:
    """What is wrong with the place that an option names: a file, or the folder of a model."""
    option = key.rsplit(".", 1)[1]
    given = options.get(option)
    if given is None:
        return []
    place = study.place(given)
    if not place.exists():
        return [f"{key}: {place} does not exist"]
    return [f"{key}: {a_folder(place)}"] if option == "weights" and place.is_dir() else []
