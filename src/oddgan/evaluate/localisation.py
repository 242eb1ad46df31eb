"""Pixel-level metrics of anomaly maps. Thresholds are exact: every distinct map value is one."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from oddgan._core.confusion import Floats
from oddgan._core.errors import InputError
from oddgan.evaluate.counts import counts
from oddgan.evaluate.metrics import area


def pixel_auroc(maps: ArrayLike, masks: ArrayLike) -> float:
    """Area under the ROC curve over all pixels of all images; ties count half.

    Parameters
    ----------
    maps : (n, h, w) finite, higher = more anomalous.
    masks : (n, h, w) booleans, True on the anomaly; normal images have an empty mask.

    Raises
    ------
    InputError
        If shapes differ, a value is not finite, or there are no anomalous or no normal pixels.
    """
    values, truth = _checked(maps, masks)
    alarm_rate, hit_rate = counts(values.ravel(), truth.ravel()).roc()
    return float(area(alarm_rate, hit_rate, 1.0))


def pro(maps: ArrayLike, masks: ArrayLike, *, max_fpr: float = 0.3) -> float:
    """Per-region overlap: the share of each anomalous region that is found, so that small ones count like large ones.

    PRO(τ) = mean over regions r of |{map ≥ τ} ∩ r| / |r|, and the result is the area under PRO against the
    false-alarm rate of the normal pixels of all images, up to `max_fpr`, divided by `max_fpr`. A perfect map gives 1,
    a constant one max_fpr / 2. Regions are connected over edges and corners.

    Source: Bergmann et al., "The MVTec Anomaly Detection Dataset", IJCV 2021.

    Parameters
    ----------
    maps : (n, h, w) finite, higher = more anomalous.
    masks : (n, h, w) booleans, True on the anomaly.
    max_fpr : where the integral ends, in (0, 1].

    Raises
    ------
    InputError
        If shapes differ, a value is not finite, or there are no anomalous or no normal pixels.
    """
    if not 0 < max_fpr <= 1:
        raise InputError(f"max_fpr is {max_fpr}: give a false-alarm rate above 0 and at most 1.")
    values, truth = _checked(maps, masks)
    distinct, group = np.unique(-values.ravel(), return_inverse=True)
    found = np.bincount(group, weights=_region_weights(truth).ravel(), minlength=len(distinct))
    false = np.bincount(group, weights=~truth.ravel(), minlength=len(distinct))
    overlap = np.concatenate([[0.0], np.cumsum(found)])
    alarm_rate = np.concatenate([[0.0], np.cumsum(false) / np.sum(false)])
    return float(area(alarm_rate, overlap, max_fpr) / max_fpr)


def _region_weights(masks: np.ndarray) -> Floats:
    """1 / (pixels of its region × regions) on anomalous pixels, so that all weights add up to 1; 0 on normal ones."""
    within_images = np.zeros((3, 3, 3), dtype=bool)
    within_images[1] = True
    regions, n = ndimage.label(masks, structure=within_images)
    sizes = np.bincount(regions.ravel(), minlength=n + 1).astype(np.float64)
    weight = 1.0 / (np.maximum(sizes, 1) * n)
    weight[0] = 0.0
    return np.asarray(weight[regions], dtype=np.float64)


def _checked(maps: ArrayLike, masks: ArrayLike) -> tuple[Floats, np.ndarray]:
    values, truth = np.asarray(maps, dtype=np.float64), np.asarray(masks)
    if values.ndim != 3 or truth.shape != values.shape or truth.dtype != np.bool_:
        raise InputError(
            f"Maps have the shape {values.shape} and masks {truth.shape} of {truth.dtype}: "
            "give both as (n, h, w), masks as booleans."
        )
    if not np.all(np.isfinite(values)):
        raise InputError(f"{np.count_nonzero(~np.isfinite(values))} map values are NaN or infinite.")
    if not truth.any() or truth.all():
        raise InputError(f"The masks hold no {'normal' if truth.all() else 'anomalous'} pixel: both are needed.")
    return values, truth
