"""Class activation maps without gradients: channels tried as masks on the input, or their main direction."""

from __future__ import annotations

import numpy as np

from dlexplain.attribution.case import Case, Found
from dlexplain.attribution.families.cam import reacting
from dlexplain.attribution.families.cam_layers import Sheet, enlarge, no_samples, spread
from dlexplain.attribution.method import method
from dlexplain.errors import UnsupportedModelError
from dlexplain.frameworks.questions import Inputs, Masks, blocks


@method(
    family="activation map",
    answers="Which places that a layer lights up keep the target high when only they are shown?",
    cost="1 forward a channel of the layer",
    cannot="as coarse as the layer; only what speaks for, never against",
    paper="arXiv:1910.01279",
    baseline="zeros",
)
def scorecam(case: Case, *, layer: str | None = None) -> Found:
    """Channels weighted by the softmax of the target's values when each channel, enlarged and scaled to 0..1, masks the
    input over the baseline; summed, negative parts cut, enlarged.

    A channel that is the same everywhere shows nothing and weighs nothing. `layer` as in `gradcam`. Wang and others
    (2020), Score-CAM, arXiv:1910.01279.
    """
    if case.kinds[0] == "tokens":
        raise UnsupportedModelError(
            "scorecam: token ids cannot be shown in part. Methods that work: gradcam, layercam, integrated_gradients, "
            "occlusion."
        )
    sheet = reacting(case, "scorecam", layer)
    inputs, axes = case.inputs[0], sheet.axes
    sizes = tuple(inputs.shape[1:][axis] for axis in axes)
    shape = [sizes[axes.index(a)] if a in axes else 1 for a in range(inputs.ndim - 1)]
    maps = []
    for b in blocks(len(case), case.rows):
        held = np.moveaxis(_activations(case, "scorecam", sheet, b), -1, 1)
        held = np.ascontiguousarray(held).reshape(*held.shape[:2], -1)

        def block(samples: slice, start: int, stop: int, held: np.ndarray = held) -> Inputs:
            few = held[samples, start:stop]
            large = enlarge(few.reshape(-1, *sheet.grid), sizes).reshape(*few.shape[:2], -1)
            low, high = large.min(-1, keepdims=True), large.max(-1, keepdims=True)
            return (((large - low) / np.where(high > low, high - low, 1)).reshape(*few.shape[:2], *shape),)

        part = case.take(np.arange(b.start, b.stop))
        masks = Masks(held.shape[1], block)
        scores = case.model.many_masks(part.inputs, part.target, masks, part.baseline, case.rows)
        weights = _softmax(scores, np.ptp(held, -1) > 0)
        maps.append(np.maximum(np.einsum("nk,nkp->np", weights, held), 0))
    return Found((spread(np.concatenate(maps).reshape(-1, *sheet.grid), case, axes),), {"layer": sheet.layer})


@method(
    family="activation map",
    answers="Where is what the layer mostly sees?",
    cost="1 forward",
    cannot="the same for every target: shows what is seen, not what speaks for an output",
    paper="arXiv:2008.00299",
)
def eigencam(case: Case, *, layer: str | None = None) -> Found:
    """The layer's activations along their first principal direction (uncentred), with the sign that agrees with
    their mean over the places; negative parts cut, enlarged.

    `layer` as in `gradcam`. Muhammad, Yeasin (2020), Eigen-CAM, arXiv:2008.00299.
    """
    sheet = reacting(case, "eigencam", layer)
    maps = []
    for b in blocks(len(case), case.rows):
        held = _activations(case, "eigencam", sheet, b)
        flat = held.reshape(len(held), -1, held.shape[-1]).astype(np.float64)
        direction = _first_direction(flat)
        along = np.einsum("npc,nc->np", flat, direction)
        # The mean over places, not over channels: a layer normalisation makes the latter nought.
        maps.append(np.maximum(along * np.where(along.sum(1) < 0, -1, 1)[:, None], 0).reshape(held.shape[:-1]))
    return Found((spread(np.concatenate(maps), case, sheet.axes),), {"layer": sheet.layer})


def _first_direction(flat: np.ndarray) -> np.ndarray:
    """`(n, channels)`: the first right singular vector of each `(places, channels)`, by the smaller Gram matrix."""
    turned = flat.transpose(0, 2, 1)
    if flat.shape[2] <= flat.shape[1]:
        return np.linalg.eigh(turned @ flat)[1][..., -1]
    left = np.linalg.eigh(flat @ turned)[1][..., -1:]
    right = (turned @ left)[..., 0]
    return right / np.maximum(np.linalg.norm(right, axis=1, keepdims=True), np.finfo(np.float64).tiny)


def _activations(case: Case, name: str, sheet: Sheet, rows: slice) -> np.ndarray:
    sample = tuple(a[rows] for a in case.inputs)
    values = case.model.inside(sample, (sheet.layer,))[sheet.layer]
    if values.shape[sheet.samples] != len(sample[0]):
        raise no_samples(name, sheet.layer)
    return sheet.lay(values)


def _softmax(scores: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Weights a row that sum to 1 over the channels that count; zeros where none does."""
    top = np.where(counts, scores, -np.inf).max(1, keepdims=True, initial=-np.inf)
    powers = np.where(counts, np.exp(np.where(counts, scores - np.where(np.isfinite(top), top, 0), 0)), 0)
    return powers / np.maximum(powers.sum(1, keepdims=True), np.finfo(np.float64).tiny)
