"""The card of a distilled set: a page that the Hugging Face hub shows, and ``datasets`` reads.

Its head, YAML, says where the images of each set are and how the classes are called, so that
``datasets.load_dataset(folder, "seed~0")`` gives both. Text alone: no library of theirs is needed.
"""

import json
from collections.abc import Mapping, Sequence

#: The hub's words for licences that it knows; all else is ``other``.
KNOWN_LICENCES = {"CC BY 4.0": "cc-by-4.0"}


def card(sets: Sequence[str], about: Mapping) -> str:
    """The text of a card. sets: the names of the folders; about: ``metadata.json``'s fields.

    Classes are numbered by the alphabetical order of their folders, as ``imagefolder`` of
    ``datasets`` and torchvision's ``ImageFolder`` number them.
    """
    return "\n".join([*_head(sets, about), *_text(sets, about), ""])


def _head(sets: Sequence[str], about: Mapping) -> list[str]:
    licence = KNOWN_LICENCES.get(about["licence"], "other")
    lines = ["---", f"license: {licence}"]
    if licence == "other":
        lines += ["license_name: see-licence-below"]
    lines += [
        f"pretty_name: {_word(_title(about))}",
        "task_categories:",
        "- image-classification",
        "tags:",
        "- dataset-distillation",
        "configs:",
    ]
    for name in sets:
        lines += [f"- config_name: {_word(name)}"]
        lines += ["  default: true"] if name == sets[0] else []
        lines += ["  data_files:", "  - split: train", f"    path: {_word(f'{name}/*/*.png')}"]
    lines += ["dataset_info:"]
    classes = [f"          '{i}': {_word(name)}" for i, name in enumerate(sorted(about["classes"]))]
    for name in sets:
        lines += [
            f"- config_name: {_word(name)}",
            *("  features:", "  - name: image", "    dtype: image"),
            *("  - name: label", "    dtype:", "      class_label:", "        names:"),
            *classes,
        ]
    return [*lines, "---"]


def _text(sets: Sequence[str], about: Mapping) -> list[str]:
    size = about["image_size"]
    lines = [
        f"# {_title(about)}",
        "",
        f"{len(sets)} sets of {about['ipc']} images for each of {len(about['classes'])} classes, "
        f"{size}×{size} pixels, distilled from the dataset `{about['dataset']}` by the method "
        f"`{about['method']}` with Lighthouse. A folder `seed~<s>` is a whole set; `metadata.json` "
        "says how the sets were made.",
        "",
        "```python",
        "import datasets",
        f'datasets.load_dataset("PATH/TO/THIS/FOLDER", "{sets[0]}", split="train")',
        "```",
        "",
    ]
    if about.get("chosen"):
        lines += [_origin(about["chosen"]), ""]
    if about["scores"]:
        lines += [
            "Accuracy on real test images of networks that were trained on a set alone, mean ± "
            "standard deviation:",
            "",
            "| network | protocol | top-1 in % | networks | sets |",
            "| --- | --- | ---: | ---: | ---: |",
            *map(_score, about["scores"]),
            "",
        ]
    source = f" ({about['source_url']})" if about["source_url"] else ""
    return [*lines, f"Licence of the images that it was made from{source}: {about['licence']}."]


def _origin(chosen: Mapping) -> str:
    """Which real images stand behind a set's: each its own, or several, a list."""
    files = next(iter(next(iter(chosen.values())).values()))
    if isinstance(files[0], str):
        return (
            "The images are images of the dataset itself; `chosen` in `metadata.json` names the "
            "file of each."
        )
    return (
        f"Each image is put together of pieces of {len(files[0])} images of the dataset; `chosen` "
        "in `metadata.json` names their files, row by row from the top left."
    )


def _score(score: Mapping) -> str:
    spread = "" if score["std"] is None else f" ± {score['std']:.1f}"
    names = f"| {score['student']} | {score['protocol']} "
    return f"{names}| {score['mean']:.1f}{spread} | {score['students']} | {score['sets']} |"


def _title(about: Mapping) -> str:
    return f"{about['dataset']}, {about['ipc']} images per class, {about['label']}"


def _word(text: str) -> str:
    """A text as YAML has it in double quotes."""
    return json.dumps(text, ensure_ascii=False)
