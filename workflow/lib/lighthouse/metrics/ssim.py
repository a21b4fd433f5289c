"""Mean structural similarity within a class: lower is more diverse."""

from itertools import combinations

import numpy as np
from skimage.metrics import structural_similarity

#: Rec. 601 luma, as Pillow's "L" and ITU-R BT.601 have it.
LUMA = np.array([0.299, 0.587, 0.114])


def mean_ssim(images: np.ndarray) -> float:
    """Mean SSIM of all pairs of images of one class.

    images: (N, 3, H, W) uint8. On luma, with the Gaussian window of Wang et al. (2004).
    NaN where N = 1: there is no pair.
    """
    luma = np.tensordot(images.astype(np.float64), LUMA, axes=(1, 0))
    scores = [
        structural_similarity(
            a, b, data_range=255.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        for a, b in combinations(luma, 2)
    ]
    return float(np.mean(scores)) if scores else float("nan")
