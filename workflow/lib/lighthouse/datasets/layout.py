"""Where the parts of a folder of one's own images lie: found by names alone, no image is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lighthouse.datasets.walking import loose_images, shown, subfolders
from lighthouse.runtime.errors import DataError

#: Names of the folders of parts, in lower case, and which part each is.
PART_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
WHERE = (
    "images belong in <class>/ below root, or in train/<class>/ and test/<class>/, where val, "
    "valid and validation are further names"
)


@dataclass(frozen=True)
class Layout:
    """Where the class folders of each part are.

    kind: ``classes``, of class folders that are to be split (one part, ``all``); ``parts``, of
    a part train and a part test, and a part val where it has its own. base: the folder that
    holds them. lines: what is odd, and what is done with it.
    """

    kind: str
    base: Path
    folders: Mapping[str, Path]
    lines: tuple[str, ...] = ()

    @property
    def train(self) -> Path:
        """The folder whose subfolders are the classes."""
        return self.folders.get("train") or self.folders["all"]


def find_layout(root: Path) -> Layout:
    """The layout of a root. Raises ``DataError`` where there is none.

    A folder that is alone in another is entered: archives unpack so.
    """
    if not root.is_dir():
        raise DataError(f"{root}: no such folder; {WHERE}")
    lines: list[str] = []
    base = root
    seen = {base.resolve()}
    while True:
        names = subfolders(base)
        parts = _parts(base, names)
        if "train" in parts and len(parts) > 1:
            found = _of_parts(base, names, parts, lines)
            if found is not None:
                return found
            base = base / parts["train"]
            break
        if parts and "train" not in parts and len(parts) == len(names):
            raise DataError(
                f"{base}: {' and '.join(parts.values())} without a folder train beside it; {WHERE}"
            )
        inner = base / names[0] if len(names) == 1 else None
        if inner is None or inner.resolve() in seen or loose_images(base) or not subfolders(inner):
            break
        base = inner
        seen.add(base.resolve())
    if base != root:
        lines.insert(0, f"The class folders were found in {shown(str(base.relative_to(root)))}.")
    return Layout("classes", base, {"all": base}, tuple(lines))


def _parts(base: Path, names: list[str]) -> dict[str, str]:
    """The folders of parts among names, by part. Raises ``DataError`` at two of one part."""
    found: dict[str, str] = {}
    for name in names:
        part = PART_NAMES.get(name.lower())
        if part in found and "train" in (PART_NAMES.get(n.lower()) for n in names):
            raise DataError(
                f"{base}: {found[part]} and {name} are two folders of the part {part}; keep one"
            )
        if part:
            found[part] = name
    return found


def _of_parts(
    base: Path, names: list[str], parts: dict[str, str], lines: list[str]
) -> Layout | None:
    """The layout of a folder train with others beside it; None where no other has classes."""
    used = {}
    for part, name in parts.items():
        if part == "train" or subfolders(base / name):
            used[part] = base / name
        else:
            count = len(loose_images(base / name))
            lines.append(
                f"The folder {name} was passed over: it holds {count} images and no class folders."
            )
    if len(used) == 1:
        return None
    if "test" not in used:  # the one beside train is what figures are reported on
        used["test"] = used.pop("val")
    beside = [shown(name) for name in names if name not in parts.values()]
    if beside:
        lines.append(f"Folders beside the parts were passed over: {', '.join(beside)}.")
    order = [part for part in ("train", "val", "test") if part in used]
    return Layout("parts", base, {part: used[part] for part in order}, tuple(lines))
