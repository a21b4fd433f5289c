"""Mean structural similarity within a class: lower is more diverse."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import torch
from skimage.metrics import structural_similarity

from lighthouse.runtime.errors import DataError

#: Rec. 601 luma, as Pillow's "L" and ITU-R BT.601 have it.
LUMA = np.array([0.299, 0.587, 0.114])
#: Side in pixels of the Gaussian window, σ = 1.5 cut at 3.5 σ on either side.
WINDOW = 11


def chosen_pairs(n: int, most: int, rng: torch.Generator) -> list[tuple[int, int]]:
    """All pairs of ``n`` images or, where they are more than ``most``, a draw of as many.

    Without replacement (ours: no source says what to do at 4,950 pairs a class).
    """
    pairs = list(combinations(range(n), 2))
    if len(pairs) <= most:
        return pairs
    return [pairs[i] for i in torch.randperm(len(pairs), generator=rng)[:most].tolist()]


def mean_ssim(images: np.ndarray, pairs: Sequence[tuple[int, int]]) -> float:
    """Mean SSIM of pairs of images of one class.

    images: (N, 3, H, W) uint8. On luma, with the Gaussian window of Wang et al. (2004).
    Constant images have one too: the formula's constants keep 0 from being divided by 0.
    NaN where there is no pair, as at N = 1. Raises ``DataError`` of images below ``WINDOW`` pixels
    a side, which a config cannot ask for.
    """
    if min(images.shape[-2:]) < WINDOW:
        raise DataError(
            f"SSIM: images of {images.shape[-1]}×{images.shape[-2]} px are smaller than its window "
            f"of {WINDOW} px: raise image_size"
        )
    luma = {
        i: np.tensordot(LUMA, images[i].astype(np.float64), axes=1)
        for i in sorted({i for pair in pairs for i in pair})
    }
    scores = [
        structural_similarity(
            luma[i],
            luma[j],
            data_range=255.0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for i, j in pairs
    ]
    return float(np.mean(scores)) if scores else float("nan")
