"""Whole regions of a picture, ranked by what they add."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np

from dlexplain.attribution.case import Case, Found
from dlexplain.attribution.families.gradients import count
from dlexplain.attribution.families.paths import integrated_gradients
from dlexplain.attribution.method import method
from dlexplain.errors import MissingPackageError, UnsupportedModelError

# Felzenszwalb's scales, smallest region, gain in pixels, dilation and smoothing of the paper's code, for 224 x 224.
_SIDE, _SCALES, _SMALLEST, _FEWEST, _RADIUS, _SMOOTHING = 224, (50, 100, 150, 250, 500, 1200), 150, 50, 5, 0.8
_MISSED = 1e-2


@method(
    family="region",
    answers="Which regions of the picture speak for the target most, per pixel?",
    cost="2 x 32 to 4096 x (1 forward, 1 backward), by the gap; segmentation on the processor",
    cannot="pictures only; a part that shares its region with another shares its value",
    paper="arXiv:1906.02825",
)
def xrai(case: Case, *, steps: int | None = None) -> Found:
    """Each pixel has the mean integrated gradient of the region with which it was chosen, best regions first.

    Regions overlap: Felzenszwalb's segments at six scales, slightly widened; the gradients are the mean of those from
    the sample's darkest and brightest value as baselines, summed over channels. Sizes in pixels follow the picture's.
    `steps`: as in integrated_gradients. Needs scikit-image.
    Kapishnikov, Bolukbasi, Viégas, Terry (2019), XRAI: Better Attributions Through Regions, arXiv:1906.02825.
    """
    if len(case.inputs) > 1 or case.kinds[0] != "image":
        raise UnsupportedModelError(
            "xrai: regions are cut from one picture, and this model takes "
            f"{' and '.join(case.kinds)}. Use occlusion, kernel_shap or lime, which take any input."
        )
    if steps is not None:
        count(steps, "steps")
    _segmentation()  # before the costly part, to refuse early
    pixels, gaps, changes, used = np.zeros(case.inputs[0].shape), [], [], 0
    for extreme in (np.min, np.max):
        even = np.stack([np.full_like(x, extreme(x)) for x in case.inputs[0]])
        lower = case.model.scores((even,), case.target, case.rows).astype(np.float64)
        one = replace(case, baseline=(even,), background=False, baseline_output=lower)
        found = integrated_gradients(one, steps=steps)
        pixels += found.values[0] / 2
        gaps.append(one.relative_gap(found.values)[0])
        changes.append(np.maximum(np.abs(one.difference), 1e-3 * np.abs(one.output)))
        used = max(used, found.chosen["steps"])
    last = [1 if a in case.spatial(0) else 0 for a in range(case.inputs[0].ndim - 1)]
    pictures, maps = _channels_last(case.inputs[0], last), _channels_last(pixels, last).sum(-1)
    ranked = np.stack([_ranked(_regions(p), m) for p, m in zip(pictures, maps, strict=True)])
    channels = pictures.shape[-1]
    shape = (len(ranked), *(s if place else 1 for s, place in zip(case.inputs[0].shape[1:], last, strict=True)))
    values = np.broadcast_to(ranked.reshape(shape) / channels, case.inputs[0].shape)
    # The two maps are averaged: a gap is judged by the larger of the two changes.
    missed = float((np.max(gaps, 0) / np.maximum(np.max(changes, 0), np.finfo(np.float32).tiny)).max())
    text = f"xrai: the integrated gradients behind the regions miss up to {missed:.2g} of the output's change."
    text += "" if steps is None else f" Used steps={steps}: give more, or None to let them adapt."
    return Found((values,), {"steps": used}, (text,) if missed > _MISSED else ())


def _channels_last(values: np.ndarray, places: list[int]) -> np.ndarray:
    """`(n, height, width, channels)`, from either layout or from no channels at all."""
    if all(places):
        return values[..., None]
    return np.moveaxis(values, 1 + places.index(0), -1)


def _segmentation():
    try:
        from skimage import morphology, segmentation
    except ImportError as error:
        raise MissingPackageError(
            "xrai: the package scikit-image, which cuts pictures into regions, is not installed. Install it with: "
            "pip install 'dlexplain[data]'."
        ) from error
    return segmentation, morphology


def _regions(picture: np.ndarray) -> np.ndarray:
    """`(k, height, width)`: overlapping regions of one picture `(height, width, channels)`, each once."""
    segmentation, morphology = _segmentation()
    share = picture.shape[0] * picture.shape[1] / _SIDE**2
    side = np.sqrt(share)
    low, high = picture.min(), picture.max()
    scaled = (picture - low) / (high - low) * 2 - 1 if high > low else np.zeros_like(picture)
    disk, found = morphology.disk(round(_RADIUS * side)), {}
    for scale in _SCALES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # more than three channels are meant
            labels = segmentation.felzenszwalb(
                scaled.astype(np.float64),
                scale=scale * share,
                sigma=_SMOOTHING * side,
                min_size=max(1, round(_SMALLEST * share)),
                channel_axis=-1,
            )
        for label in range(labels.max() + 1):
            mask = morphology.dilation(labels == label, disk)
            found.setdefault(mask.tobytes(), mask)
    return np.stack(list(found.values()))


def _ranked(regions: np.ndarray, attribution: np.ndarray) -> np.ndarray:
    """The mean attribution of the pixels that each region adds, the region that adds the highest mean first.

    Regions `(k, height, width)`, attribution `(height, width)`; pixels that no region adds share their own mean.
    """
    flat, values = regions.reshape(len(regions), -1), attribution.ravel()
    fewest = max(1, round(_FEWEST * values.size / _SIDE**2))
    sums, sizes = flat @ values, flat.sum(1)
    left, ranked = np.ones(values.size, bool), np.zeros(values.size)
    while (sizes >= fewest).any():
        gains = np.where(sizes >= fewest, sums / np.maximum(sizes, 1), -np.inf)
        best = int(gains.argmax())
        added = np.flatnonzero(flat[best] & left)
        ranked[added] = gains[best]
        left[added] = False
        sums, sizes = sums - flat[:, added] @ values[added], sizes - flat[:, added].sum(1)
    ranked[left] = values[left].mean() if left.any() else 0
    return ranked.reshape(attribution.shape)
