"""What a config and its tables say: of datasets, methods, replicates, and what is asked for.

The grid of cells that they span is ``config.study``.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from pathlib import Path

from lighthouse.config.candidates import SCALE
from lighthouse.config.grid import BASE, CEILINGS, Ceiling, Method, Prior
from lighthouse.datasets.external import Way
from lighthouse.datasets.numbering import DATASET, IMAGENET
from lighthouse.datasets.sources import SOURCES

#: How long a training is, in one of these.
LENGTHS = frozenset({"steps", "epochs"})


@dataclass(frozen=True, eq=False)
class Settings:
    """A config with its tables.

    config: as Snakemake merged it. base: the repository. methods: the rows of the method table
    and the external sets, by name. hyperparameters: the rows of that table. home: the folder to
    which paths are relative; the repository, unless another workflow uses this one. left_out: what
    inherited sections lost of methods that are not run, a line a section (``config.inherited``).
    """

    config: Mapping
    base: Path
    methods: Mapping[str, Method]
    hyperparameters: Sequence[Mapping]
    home: Path
    left_out: tuple[str, ...] = ()

    @property
    def run(self) -> Mapping:
        """What is run."""
        return self.config["run"]

    @property
    def own_methods(self) -> list[str]:
        """The rows of the method table."""
        return [name for name, method in self.methods.items() if not method.external]

    def table_path(self, name: str) -> Path:
        """Path of a table: as given, or else relative to the repository."""
        return table_path(self.config, self.base, name)

    def place(self, path: str) -> Path:
        """A path that the config names, relative to ``home`` unless absolute; ~ is the user's."""
        given = Path(path)
        with suppress(RuntimeError):  # no user of that name: it is a folder's
            given = given.expanduser()
        return (self.home / given).absolute()

    @property
    def folder(self) -> Path | None:
        """Working directory of the study; None for the default, which stays where it is."""
        name = self.config["study"]
        return None if name == "default" else self.place(f"runs/{name}")

    def dataset(self, name: str) -> dict:
        """Options of a dataset."""
        return self.config["datasets"][name]

    def source_options(self, name: str) -> dict:
        """The options that a dataset's source reads, with absolute paths."""
        given = self.dataset(name)
        known = SOURCES[given["source"]].keys
        options = {key: value for key, value in given.items() if key in known}
        options["image_size"] = given["image_size"]
        options["downloads"] = str(self.place(self.config["downloads"]))
        if "root" in options:
            options["root"] = str(self.place(options["root"]))
        return options

    def images_root(self, dataset: str) -> str | None:
        """The folder that a dataset's images are read from; None where they come with a package."""
        options = self.source_options(dataset)
        archive = SOURCES[self.dataset(dataset)["source"]].archive(options)
        return options.get("root") or (archive and f"{options['downloads']}/{archive}")

    def n_classes(self, dataset: str) -> int:
        """How many classes a dataset has. No image is read for it."""
        source = SOURCES[self.dataset(dataset)["source"]]
        return source.n_classes(self.source_options(dataset))

    def shards(self, dataset: str) -> list[list[int]]:
        """Labels by sampling job: groups of ``sampler.classes_per_job`` classes."""
        return self._groups(dataset, self.dataset(dataset)["sampler"]["classes_per_job"])

    def _groups(self, dataset: str, size: int) -> list[list[int]]:
        """Labels of consecutive classes, ``size`` in each group; the last may have fewer."""
        labels = list(range(self.n_classes(dataset)))
        return [labels[first : first + size] for first in range(0, len(labels), size)]

    def phases(self, dataset: str, prior: Prior) -> list[list[int]]:
        """Labels by phase of a prior's fine-tuning; one of all classes where it has no phases."""
        size = prior.tuning.get("classes_per_phase")
        return self._groups(dataset, size or self.n_classes(dataset))

    def by_phase(self, dataset: str, prior: Prior) -> list[Prior]:
        """The priors that a prior stands for: one for each phase, or itself."""
        if "classes_per_phase" not in prior.tuning:
            return [prior]
        phases = range(len(self.phases(dataset, prior)))
        return [replace(prior, phase=phase) for phase in phases]

    def pretrained(self, dataset: str, part: str) -> Path | None:
        """Folder of the pretrained ``autoencoder`` or ``denoiser``; None for a new one.

        With a ``revision`` it is a repository of the hub, kept below ``downloads``;
        without one, a local folder.
        """
        options = self.dataset(dataset)[part]
        if "pretrained" not in options:
            return None
        if options.get("revision") is None:
            return self.place(options["pretrained"])
        hub = self.place(self.config["downloads"]) / "hub"
        return hub / options["pretrained"] / options["revision"]

    def published_as(self, dataset: str) -> str | None:
        """The name under which papers publish figures of a dataset; None where none would compare.

        fastai's editions are a re-split of the same images: not the papers' datasets.
        """
        options = self.dataset(dataset)
        return options["classes"] if options["source"] == "imagenet" else None

    def external_root(self, name: str) -> Path:
        """The folder of a finished set that was made elsewhere."""
        return self.place(self.config["external"][name]["root"])

    def external_ipcs(self, name: str) -> list[int]:
        """The IPCs at which it is a row: one, or several of which each is the first images."""
        given = self.config["external"][name]["ipc"]
        return given if isinstance(given, list) else [given]

    def external_way(self, name: str) -> Way:
        """How it is taken; a file of names with its absolute path."""
        given = self.config["external"][name]
        told = {key: given[key] for key in ("order", "take", "labels") if key in given}
        if told.get("order") not in (None, DATASET, IMAGENET):
            told["order"] = str(self.place(told["order"]))
        return Way(**told)

    def protocol(self, name: str) -> dict:
        """Options of a student protocol."""
        return self.config["protocols"][name]

    def classifier(self, dataset: str) -> dict:
        """How a dataset's classifier is made: as the ``teacher`` of the protocol that this is.

        The hard protocol's that it names, but for images as the dataset has them.
        """
        own, options = self.dataset(dataset)["classifier"], self.dataset(dataset)
        seen = {"size": options["image_size"], "resize": 1.0}
        return {**self.protocol(own["protocol"]), **seen, "teacher": own}

    def weights(self, dataset: str, method: str, ipc: int) -> dict:
        """The hyperparameters of a method: the row of all, and over it the method's own.

        A row of all IPCs lies below that of one, each of all methods below each of one method.
        Empty where the table has no row for the dataset and IPC.
        """
        rows = [
            row
            for row in self.hyperparameters
            if row["dataset"] == dataset
            and row.get("ipc") in (None, ipc)
            and row.get("method") in (None, method)
        ]
        rows.sort(key=lambda row: ("method" in row, "ipc" in row))
        return {key: value for row in rows for key, value in row.items()}

    def tuning(self, dataset: str, prior: Prior) -> dict:
        """The options of a prior's fine-tuning: the dataset's, and over them its own.

        A length of its own, in steps or in epochs, replaces the dataset's in either.
        """
        given = self.dataset(dataset)["tuning"]
        if prior.tuning.keys() & LENGTHS:
            given = {key: value for key, value in given.items() if key not in LENGTHS}
        return {**given, **prior.tuning}

    def ipcs(self, method: str) -> list[int]:
        """The IPCs at which the study computes a method of ``run.methods``."""
        limits = [entry["ipc"] for entry in self.run["only"] if method in entry["methods"]]
        return [ipc for ipc in self.run["ipc"] if all(ipc in limit for limit in limits)]

    def scales(self, dataset: str) -> list[float]:
        """The scales of classifier-free guidance of which a dataset's is chosen; else none."""
        given = self.dataset(dataset)["sampler"][SCALE]
        return given if isinstance(given, list) else []

    @cached_property
    def unguided(self) -> str | None:
        """The first method of the table that draws the base prior's images, each alone."""
        plain = (
            name
            for name, method in self.methods.items()
            if method.prior == BASE.name and method.ignores_ipc and method.start is None
        )
        return next(plain, None)

    @property
    def seed_lists(self) -> list[list[int]]:
        """The entries of ``run.seeds``: a seed alone is a list of one."""
        return [list(e) if isinstance(e, list) else [e] for e in self.run["seeds"]]

    @cached_property
    def replicates(self) -> dict[int, list[int]]:
        """The sampling seeds of the sets of each replicate, by its own: the first of them.

        A replicate is one draw of everything that is trained, from the base prior on.
        """
        return {seeds[0]: seeds for seeds in self.seed_lists}

    @property
    def set_seeds(self) -> list[int]:
        """The sampling seeds of all sets, replicate by replicate."""
        return [seed for seeds in self.replicates.values() for seed in seeds]

    @property
    def replicate_of(self) -> dict[int, int]:
        """The replicate of each set, by its sampling seed."""
        return {seed: own for own, seeds in self.replicates.items() for seed in seeds}

    def has_one_base(self, dataset: str) -> bool:
        """Whether all replicates share the base: a pretrained model, taken as it is."""
        return not self.dataset(dataset)["base"]

    def has_perceptual_loss(self, dataset: str) -> bool:
        """Whether a dataset's autoencoder is trained by what its extractor sees, too."""
        return self.dataset(dataset)["autoencoder"].get("losses", {}).get("perceptual", 0) > 0

    def prior_replicate(self, dataset: str, prior: Prior, replicate: int) -> int | None:
        """The replicate whose training made a prior of one; None where no training did."""
        return None if prior.name == "base" and self.has_one_base(dataset) else replicate

    @property
    def ceiling_rows(self) -> list[Ceiling]:
        """The rows of students trained on all images that the study has."""
        return [ceiling for ceiling in CEILINGS.values() if self.run[ceiling.key]]

    @property
    def ceilings(self) -> list[tuple[Ceiling, str, str, str]]:
        """Every (ceiling, dataset, student, protocol) that is trained."""
        run = self.run
        return list(product(self.ceiling_rows, run["datasets"], run["students"], run["protocols"]))

    @property
    def spectrum_sources(self) -> dict[str, str]:
        """The name of each method's curve of the spectrum, in the curves' order."""
        curves = self.run["spectrum"]["curves"] if self.run["spectrum"] else []
        return {curve["method"]: curve["source"] for curve in curves}


def table_path(config: Mapping, base: Path, name: str) -> Path:
    """Path of a table of a config: as given, or else relative to ``base``."""
    given = Path(config["tables"][name])
    return given if given.is_absolute() or given.exists() else base / given
