"""Where a layer found what speaks for the target: its activations weighted by the target's gradient there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dlexplain.attribution.case import Case, Found
from dlexplain.attribution.families.cam_layers import Sheet, no_samples, sheets, spread
from dlexplain.attribution.method import method
from dlexplain.errors import UnsupportedModelError
from dlexplain.frameworks.questions import blocks

Weigh = Callable[[np.ndarray, np.ndarray], np.ndarray]


@method(
    family="activation map",
    answers="Where did the last convolution find what speaks for the target?",
    cost="1 forward, 1 backward",
    cannot="as coarse as the layer; only what speaks for, never against",
    paper="arXiv:1610.02391",
)
def gradcam(case: Case, *, layer: str | None = None) -> Found:
    """The layer's channels weighted by their mean gradient, summed, negative parts cut, enlarged to the input.

    `layer=None`: the last convolution or, in a transformer, the last normalisation or attention that still holds the
    patches and to whose patches the target reacts; with the activation and the shortcut behind it. Selvaraju and others
    (2017), Grad-CAM, arXiv:1610.02391.
    """
    return drawn(case, "gradcam", layer, by_mean_gradient)


@method(
    family="activation map",
    answers="Where did the last convolution find what speaks for the target, were there several of it?",
    cost="1 forward, 1 backward",
    cannot="as coarse as the layer; only what speaks for, never against; meant for rectified activations",
    paper="arXiv:1710.11063",
)
def gradcam_plus_plus(case: Case, *, layer: str | None = None) -> Found:
    """Grad-CAM whose channel weights are sums of the positive gradients g, each times g² / (2 g² + g³ ΣA).

    The paper's score is exp(S): its factor scales a sample's whole map and is left out. ΣA counts positive activations,
    which is all of them behind a ReLU, as in the paper. `layer` as in `gradcam`. Chattopadhay, Sarkar, Howlader,
    Balasubramanian (2018), Grad-CAM++, arXiv:1710.11063.
    """

    def weigh(a: np.ndarray, g: np.ndarray) -> np.ndarray:
        up = np.maximum(g, 0)
        share = up / (2 + up * np.maximum(a, 0).sum(_places(a), keepdims=True))
        return np.maximum((share.sum(_places(g), keepdims=True) * a).sum(-1), 0)

    return drawn(case, "gradcam_plus_plus", layer, weigh)


@method(
    family="activation map",
    answers="Which places of the last convolution added to the target?",
    cost="1 forward, 1 backward",
    cannot="as coarse as the layer; exact only where all behind the layer is linear",
    paper="arXiv:2011.08891",
)
def hirescam(case: Case, *, layer: str | None = None, signed: bool = False) -> Found:
    """Each activation times its own gradient, summed over the channels; no mean comes between.

    `signed`: what speaks against the target stays; the places of a layer before a linear head then sum to the output
    less its bias, before they are enlarged. `layer` as in `gradcam`. Draelos, Carin (2020), Use HiResCAM instead of
    Grad-CAM, arXiv:2011.08891.
    """

    def weigh(a: np.ndarray, g: np.ndarray) -> np.ndarray:
        return (a * g).sum(-1) if signed else np.maximum((a * g).sum(-1), 0)

    return drawn(case, "hirescam", layer, weigh)


@method(
    family="activation map",
    answers="Which places of a layer, early ones too, speak for the target?",
    cost="1 forward, 1 backward",
    cannot="as coarse as the layer; only what speaks for, never against",
    paper="doi:10.1109/TIP.2021.3089943",
)
def layercam(case: Case, *, layer: str | None = None) -> Found:
    """Each activation times its own gradient where that is positive, summed over the channels.

    `layer` as in `gradcam`; early layers give fine maps. Jiang, Zhang, Hou, Cheng, Wei (2021), LayerCAM, IEEE
    Transactions on Image Processing 30, 5875-5888.
    """

    def weigh(a: np.ndarray, g: np.ndarray) -> np.ndarray:
        return np.maximum((np.maximum(g, 0) * a).sum(-1), 0)

    return drawn(case, "layercam", layer, weigh)


@method(
    family="activation map",
    answers="Where did the last convolution find what the target would lose most without?",
    cost="1 forward, 1 backward",
    cannot="as coarse as the layer; for rectified activations: where a channel's values cancel, its weight grows large",
    paper="arXiv:2008.02312",
)
def xgradcam(case: Case, *, layer: str | None = None) -> Found:
    """Grad-CAM whose channel weights are means of the gradient weighted by the channel's own activations.

    A channel whose activations sum to nothing weighs nothing. `layer` as in `gradcam`. Fu, Hu, Dong, Guo, Gao, Li
    (2020), Axiom-based Grad-CAM, arXiv:2008.02312.
    """

    def weigh(a: np.ndarray, g: np.ndarray) -> np.ndarray:
        total, size = a.sum(_places(a), keepdims=True), np.abs(a).sum(_places(a), keepdims=True)
        sums = np.abs(total) > 1e-6 * size
        weights = (a * g).sum(_places(a), keepdims=True) * sums / np.where(sums, total, 1)
        return np.maximum((weights * a).sum(-1), 0)

    return drawn(case, "xgradcam", layer, weigh)


def by_mean_gradient(a: np.ndarray, g: np.ndarray) -> np.ndarray:
    """Grad-CAM's map `(n, *grid)` of activations and gradients `(n, *grid, channels)`."""
    return np.maximum((g.mean(_places(g), keepdims=True) * a).sum(-1), 0)


def reacting(case: Case, name: str, layer: str | None) -> Sheet:
    """The layer that the maps without gradients are read from: the first to whose places the target reacts."""
    if layer is not None:
        return next(sheets(case, name, layer))
    return _first_reacting(case.take(np.arange(1)), name, None, by_mean_gradient)[0]


def drawn(case: Case, name: str, layer: str | None, weigh: Weigh) -> Found:
    """The map of the user's layer, or of the first to whose places the target reacts."""
    sheet, maps = _first_reacting(case, name, layer, weigh)
    return Found((spread(np.concatenate(maps), case, sheet.axes),), {"layer": sheet.layer})


def _first_reacting(case: Case, name: str, layer: str | None, weigh: Weigh) -> tuple[Sheet, list[np.ndarray]]:
    """The layer and its maps. Behind the last attention of a model that reads its class token alone, no patch has any
    gradient; inside windows of attention, the first axis counts windows: such layers are passed over."""
    silent, refused = None, None
    for sheet in sheets(case, name, layer):
        maps, reacts = [], layer is not None
        try:
            for a, g in _at(case, name, sheet):
                reacts = reacts or bool(g.any())
                maps.append(weigh(a, g))
        except UnsupportedModelError as error:
            refused = refused or error
            continue
        if reacts:
            return sheet, maps
        silent = silent or (sheet, maps)
    if silent is None:
        raise refused
    return silent


def _at(case: Case, name: str, sheet: Sheet):
    """Activations and gradients a batch, `(n, *grid, channels)`."""
    for b in blocks(len(case), case.rows):
        sample = tuple(x[b] for x in case.inputs)
        (activation,), (gradient,) = case.model.one_gradient(sample, case.target.take(b), sheet.layer)
        if activation.shape[sheet.samples] != len(sample[0]):
            raise no_samples(name, sheet.layer)
        yield sheet.lay(activation), sheet.lay(gradient)


def _places(values: np.ndarray) -> tuple[int, ...]:
    return tuple(range(1, values.ndim - 1))
