"""Where datasets come from. A source writes an index (and images, if need be); the rest reads it.

Imports no torch: configs are checked with it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lighthouse.datasets import cifar, digits, fastai
from lighthouse.datasets.downloads import ARCHIVES
from lighthouse.datasets.findings import Survey
from lighthouse.datasets.folders import Tree
from lighthouse.datasets.labels import LABELS, LICENCE, URL
from lighthouse.datasets.layout import WHERE
from lighthouse.datasets.splitting import held_out


@dataclass(frozen=True)
class Source:
    """A way to get a dataset. ``options`` are its keys of the config, with paths absolute.

    required, optional: its keys besides ``image_size`` and ``downloads``, which every
    source is given.
    invalid(options): what is wrong with the options themselves, one line a mistake that
    begins with the key; does not look at the disk.
    n_classes(options), smallest_class(options): the number of classes, and the training
    images that each has at least (None where only the data can tell).
    holds_out(options): whether there is a part val, on which choices are made.
    classes(options): their names in label order; may look at the disk, and raises
    ``DataError`` where they cannot be told.
    missing(options, least): what the disk lacks before jobs can run, one line each;
    least: training images that every class must have.
    build(options, folder, threads): writes ``folder/index.tsv`` and the images it names
    that are nowhere yet, and returns what it found; None where there is nothing to find.
    archive(options): the key in ``ARCHIVES`` of what is downloaded; None where nothing is.
    state(options): a digest of what the disk holds, where its owner may change it at any time.
    of_imagenet: whether its classes may be ImageNet's, whose embeddings a pretrained DiT has.
    """

    required: frozenset[str]
    optional: frozenset[str]
    invalid: Callable[[Mapping], list[str]]
    n_classes: Callable[[Mapping], int]
    smallest_class: Callable[[Mapping], int | None]
    holds_out: Callable[[Mapping], bool]
    classes: Callable[[Mapping], list[str]]
    missing: Callable[..., list[str]]
    build: Callable[[Mapping, Path, int], Survey | None]
    licence: str
    url: str
    archive: Callable[[Mapping], str | None] = lambda options: None
    state: Callable[[Mapping], str | None] = lambda options: None
    of_imagenet: bool = True

    @property
    def keys(self) -> frozenset[str]:
        """All keys that the source reads."""
        return self.required | self.optional

    def check(self, options: Mapping) -> list[str]:
        """What is wrong with the options, one line a mistake that begins with the key."""
        absent = sorted(self.required - options.keys())
        return [f"{key}: is missing" for key in absent] or self.invalid(options)


def _own_folder(options: Mapping) -> Tree:
    return Tree(Path(options["root"]), None, WHERE, own=True)


def _imagenet(options: Mapping) -> Tree:
    layout = (
        f"ImageNet (ILSVRC 2012, {URL}, an account is needed) belongs in train/<wnid>/ and "
        "val/<wnid>/ below root. torchvision sorts its validation images so: put "
        "ILSVRC2012_img_val.tar and ILSVRC2012_devkit_t12.tar.gz into a folder F, run python -c "
        "\"import torchvision; torchvision.datasets.ImageNet('F', 'val')\" and take F/val"
    )
    return Tree(Path(options["root"]), LABELS[options["classes"]], layout)


def _missing(tree: Tree, options: Mapping, least: int) -> list[str]:
    return tree.missing(least, options.get("val_share", 0.0), options.get("test_share"))


def _of_archive(name: Callable[[Mapping], str]) -> dict[str, Callable]:
    """What a source of a downloaded archive does, by the function that names the archive."""

    def place(options: Mapping) -> Path:
        return Path(options["downloads"], name(options))

    def tree(options: Mapping) -> Tree:
        archive, root = ARCHIVES[name(options)], place(options)
        layout = (
            f"it holds the images of {archive.url}, in train/<class>/ and val/<class>/; for "
            f"another download remove it and {root}.json"
        )
        return Tree(root, archive.labels, layout)

    def missing(options: Mapping, least: int = 1) -> list[str]:
        root = place(options)
        if root.is_dir() or Path(f"{root}.json").is_file():
            return _missing(tree(options), options, least)
        return ARCHIVES[name(options)].missing(root)  # there will be a download, if not this file

    def smallest_class(options: Mapping) -> int:
        count = ARCHIVES[name(options)].smallest_train
        return count - held_out(count, options.get("val_share", 0.0))

    return _of_tree(tree) | {
        "n_classes": lambda options: ARCHIVES[name(options)].n_classes,
        "missing": missing,
        "smallest_class": smallest_class,
        "archive": name,
    }


def _of_tree(tree: Callable[[Mapping], Tree]) -> dict[str, Callable]:
    """What a source of class folders does, by the function that finds them."""

    def n_classes(options: Mapping) -> int:
        labels = tree(options).labels
        return labels.n_classes if labels else len(tree(options).classes())

    def classes(options: Mapping) -> list[str]:
        found = tree(options)
        known = found.labels and found.labels.classes
        return [entry.wnid for entry in known] if known else found.classes()

    def missing(options: Mapping, least: int = 1) -> list[str]:
        return _missing(tree(options), options, least)

    def build(options: Mapping, folder: Path, threads: int = 1) -> Survey:
        keys = (*OF_OWN_FOLDERS, "image_size")
        given = {key: options[key] for key in keys if key in options}
        return tree(options).build(folder, threads=threads, **given)

    return {
        "n_classes": n_classes,
        "holds_out": lambda options: options.get("val_share", 0.0) > 0,
        "classes": classes,
        "missing": missing,
        "build": build,
    }


def _one_of(key: str, registry: Mapping) -> Callable[[Mapping], list[str]]:
    """A check that a key names an entry of a registry."""

    def invalid(options: Mapping) -> list[str]:
        known = options[key] in registry
        return [] if known else [f"{key}: {options[key]!r}; allowed: {', '.join(registry)}"]

    return invalid


HOW_TO_READ = frozenset({"val_share", "bad_files"})
OF_OWN_FOLDERS = HOW_TO_READ | {"test_share", "background"}


def _cifar(name: str) -> Source:
    return Source(
        required=frozenset(),
        optional=HOW_TO_READ,
        invalid=lambda options: [],
        licence=cifar.LICENCE,
        url=cifar.URL,
        of_imagenet=False,
        **_of_archive(lambda options: f"cifar/{name}"),
    )


SOURCES = {
    "digits": Source(
        required=frozenset({"parts", "split_seed"}),
        optional=frozenset(),
        invalid=digits.check,
        n_classes=lambda options: len(digits.CLASS_COUNTS),
        classes=lambda options: digits.CLASSES,
        smallest_class=digits.smallest_class,
        holds_out=lambda options: options["parts"]["val"] > 0,
        missing=lambda options, least=1: [],
        build=digits.build,
        licence=digits.LICENCE,
        url=digits.URL,
        of_imagenet=False,
    ),
    "folder": Source(
        required=frozenset({"root"}),
        optional=OF_OWN_FOLDERS,
        invalid=lambda options: [],
        smallest_class=lambda options: None,
        licence="that of your images",
        url="",
        state=lambda options: _own_folder(options).state(),
        **_of_tree(_own_folder)
        | {
            "holds_out": lambda options: (
                options.get("val_share", 0.0) > 0 or _own_folder(options).holds_out()
            )
        },
    ),
    "imagenet": Source(
        required=frozenset({"root", "classes"}),
        optional=HOW_TO_READ,
        invalid=_one_of("classes", LABELS),
        smallest_class=lambda options: None,
        licence=LICENCE,
        url=URL,
        **_of_tree(_imagenet),
    ),
    "fastai": Source(
        required=frozenset({"edition"}),
        optional=HOW_TO_READ,
        invalid=_one_of("edition", fastai.EDITIONS),
        licence=LICENCE,
        url=fastai.URL,
        **_of_archive(lambda options: f"fastai/{options['edition']}"),
    ),
    **{name: _cifar(name) for name in cifar.SETS},
}
