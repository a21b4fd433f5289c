"""Contact sheets: labelled rows of small images."""

from collections.abc import Mapping, Sequence
from textwrap import fill

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from lighthouse.report.classes import spoken
from lighthouse.report.figures import STYLE, plt
from lighthouse.report.records import Stored
from lighthouse.tables import MISSING

#: Most classes side by side, and the largest side of an image in pixels: what a page shows.
CLASSES, SIDE = 10, 96

#: Inches of all images side by side, and of a letter and a line of a heading.
WIDTH, LETTER, LINE = 10.5, 0.1, 0.2


def contact_sheet(
    images: Sequence[Stored | None],
    labels: Sequence[str],
    seeds: Sequence[int],
    classes: Sequence[int],
    columns: int,
) -> dict:
    """The first ``columns`` images of each class of sets, a row a file.

    classes: those shown, of every seed; without any, those of ``spaced``. A file that is
    missing is a row of white images, and its label says so.
    """
    names = next(of for of in images if of is not None).about["classes"]
    shown = classes or spaced(len(names))
    rows = [None if of is None else _row(of.arrays(), seeds, shown, columns) for of in images]
    blank = np.full_like(next(row for row in rows if row is not None), 255)
    told = [
        label if row is not None else f"{label} ({MISSING})"
        for label, row in zip(labels, rows, strict=True)
    ]
    groups = [f"seed {seed}" for seed in seeds] if classes else [spoken(names[k]) for k in shown]
    return {"figure": images_figure([blank if row is None else row for row in rows], told, groups)}


def _row(
    sets: Mapping[str, np.ndarray], seeds: Sequence[int], shown: Sequence[int], columns: int
) -> np.ndarray:
    """Images of one file, (n, 3, H, W): by seed, then by class, ``columns`` of each."""
    chosen = [sets[f"seed~{seed}"][k] for seed in seeds for k in shown]
    return np.concatenate([first_images(images, columns) for images in chosen])


def spaced(n_classes: int) -> list[int]:
    """Labels to show: all, or at most ``CLASSES`` of them evenly spaced."""
    count = min(n_classes, CLASSES)
    return [k * n_classes // count for k in range(count)]


def thumbnails(images: np.ndarray) -> np.ndarray:
    """Images (n, 3, H, W) uint8, scaled down to a side of at most ``SIDE``."""
    if images.shape[-1] <= SIDE:
        return images
    small = [Image.fromarray(x.transpose(1, 2, 0)).resize((SIDE, SIDE)) for x in images]
    return np.stack([np.asarray(x).transpose(2, 0, 1) for x in small])


def first_images(images: np.ndarray, count: int) -> np.ndarray:
    """The first ``count`` of images (n, 3, H, W) uint8; white ones where a set has fewer."""
    shown = images[:count]
    missing = [(0, count - len(shown)), *[(0, 0)] * 3]
    return np.pad(shown, missing, constant_values=255)


def canvas(rows: Sequence[np.ndarray], share: int) -> tuple[np.ndarray, list[int], list[int]]:
    """Rows of images (n, 3, H, W) on white, (height, width, 3), with their tops and lefts.

    share: columns that stand together; the gap behind them is wider.
    """
    n, _, height, width = rows[0].shape
    gap = max(1, width // 16)
    tops = [i * (height + gap) for i in range(len(rows))]
    lefts = [i * (width + gap) + (i // share) * 2 * gap for i in range(n)]
    white = np.full((tops[-1] + height, lefts[-1] + width, 3), 255, np.uint8)
    for top, images in zip(tops, rows, strict=True):
        for left, image in zip(lefts, images, strict=True):
            white[top : top + height, left : left + width] = image.transpose(1, 2, 0)
    return white, tops, lefts


def room(groups: int) -> int:
    """Letters that a heading over one of so many groups has in a line."""
    return int(WIDTH / groups / LETTER)


def images_figure(
    rows: Sequence[np.ndarray], labels: Sequence[str], groups: Sequence[str] | None = None
) -> Figure:
    """A figure of images, one labelled row each.

    rows: arrays (n, 3, H, W) uint8 of one n. groups: headings over equal shares of
    the columns.
    """
    rows = [thumbnails(images) for images in rows]
    n, _, height, width = rows[0].shape
    share = n // len(groups) if groups else n
    sheet, tops, lefts = canvas(rows, share)
    inch = WIDTH / sheet.shape[1]
    headings = [fill(group, room(len(groups))) for group in groups or []]
    lines = max((heading.count("\n") for heading in headings), default=0)
    with plt.rc_context({**STYLE, "axes.grid": False}):
        figure, axes = plt.subplots(
            figsize=(12.5, sheet.shape[0] * inch + 0.5 + lines * LINE), layout="constrained"
        )
        axes.imshow(sheet, interpolation="nearest")
        axes.set_yticks([top + height / 2 for top in tops], labels)
        middles = [
            lefts[g * share] + (lefts[(g + 1) * share - 1] + width - lefts[g * share]) / 2
            for g in range(len(groups or []))
        ]
        axes.set_xticks(middles, headings)
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
    return figure
