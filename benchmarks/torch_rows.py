"""Torch: ours beside the bare framework, Captum and SHAP."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import torch
from torch import nn

import dlexplain as dlx
from benchmarks.timing import Row, fastest
from benchmarks.work import DIGITS, IMAGES, ROWS, STEPS, TABLE, Size, chunks, line, windows


def network(size: Size) -> nn.Module:
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    before, side = size.shape[-1], size.shape[0]
    for number, width in enumerate(size.convolutions):
        layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
        before = width
        if number == 1:
            layers.append(nn.MaxPool2d(2))
            side //= 2
    if size.convolutions and size.dense:
        layers.append(nn.Flatten())
        before *= side * side
    elif size.convolutions:
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    for width in size.dense:
        layers += [nn.Linear(before, width), nn.ReLU()]
        before = width
    return nn.Sequential(*layers, nn.Linear(before, size.classes)).eval()


def inputs(size: Size) -> np.ndarray:
    array = size.inputs()
    return np.ascontiguousarray(np.moveaxis(array, -1, 1)) if array.ndim == 4 else array


# ---- the bare framework ----------------------------------------------------------------------------------------------


def raw_path(model: nn.Module, x: np.ndarray, goal: np.ndarray, last: bool, steps: int, rows: int) -> np.ndarray:
    """Integrated gradients from zero."""
    alphas, weights = map(torch.from_numpy, line(steps))
    given, target = _given(x, last), torch.from_numpy(goal)
    total = torch.zeros_like(given)
    for ns, ks in chunks(len(x), steps, rows):
        part = given[ns]
        alpha = alphas[ks].repeat(len(part)).reshape(-1, *[1] * (x.ndim - 1))
        points = (part.repeat_interleave(ks.stop - ks.start, 0) * alpha).requires_grad_()
        score = model(points).gather(1, target[ns].repeat_interleave(ks.stop - ks.start)[:, None]).sum()
        (gradient,) = torch.autograd.grad(score, points)
        gradient = gradient.reshape(len(part), -1, *x.shape[1:])
        total[ns] += torch.tensordot(gradient, weights[ks], ([1], [0])) * part
    return total.numpy()


def raw_noise(model: nn.Module, x: np.ndarray, goal: np.ndarray, last: bool, samples: int, rows: int) -> np.ndarray:
    """SmoothGrad; the noise is shared by the samples."""
    given, target = _given(x, last), torch.from_numpy(goal)
    noise = torch.randn(samples, *x.shape[1:], generator=torch.Generator().manual_seed(0))
    scale = 0.1 * (given.amax((1, 2, 3)) - given.amin((1, 2, 3)))[:, None, None, None, None]
    total = torch.zeros_like(given)
    for ns, ks in chunks(len(x), samples, rows):
        points = (given[ns, None] + scale[ns] * noise[ks]).flatten(0, 1)
        points = (points.contiguous(memory_format=torch.channels_last) if last else points).requires_grad_()
        score = model(points).gather(1, target[ns].repeat_interleave(ks.stop - ks.start)[:, None]).sum()
        (gradient,) = torch.autograd.grad(score, points)
        total[ns] += gradient.reshape(ns.stop - ns.start, -1, *x.shape[1:]).sum(1) / samples
    return total.numpy()


@torch.no_grad()
def raw_windows(model: nn.Module, x: np.ndarray, goal: np.ndarray, last: bool, rows: int) -> np.ndarray:
    """`(n, windows)`: the output with each window set to zero."""
    corners = windows(x.shape[2])
    keep = torch.ones(len(corners), 1, *x.shape[2:])
    for number, (top, left) in enumerate(corners):
        keep[number, :, top : top + 4, left : left + 4] = 0
    given, target = _given(x, last), torch.from_numpy(goal)
    scores = torch.empty(len(x), len(corners))
    for ns, ks in chunks(len(x), len(corners), rows):
        covered = (given[ns, None] * keep[ks]).flatten(0, 1)
        covered = covered.contiguous(memory_format=torch.channels_last) if last else covered
        wide = ks.stop - ks.start
        score = model(covered).gather(1, target[ns].repeat_interleave(wide)[:, None])
        scores[ns, ks] = score.reshape(-1, wide)
    return scores.numpy()


def _given(x: np.ndarray, last: bool) -> torch.Tensor:
    given = torch.from_numpy(x)
    return given.contiguous(memory_format=torch.channels_last) if last else given


def _limit(run: Callable, model: nn.Module, x: np.ndarray, goal: np.ndarray, *count: int):
    """The fastest of both layouts and all batch sizes."""
    layouts = {"plain": (model, False)}
    if x.ndim == 4:
        layouts["channels last"] = (copy.deepcopy(model).to(memory_format=torch.channels_last), True)
    return fastest({
        f"{name}, {rows} at once": partial(run, which, x, goal, last, *count, rows)
        for name, (which, last) in layouts.items() for rows in ROWS
    })


# ---- other libraries -------------------------------------------------------------------------------------------------


def _peers(makers: Mapping[str, Callable[[], Mapping[str, Callable]]]):
    """Each library at its own best batch size, and what is said of those that are not installed."""
    found, absent, chosen = {}, {}, []
    for name, make in makers.items():
        try:
            choices = make()
        except ImportError as error:
            absent[name] = f"not installed: pip install {error.name}"
            continue
        best, found[name] = fastest(choices)
        chosen.append(f"{name}: {best}")
    return found, absent, chosen


def _captum_path(model, x, goal, steps):
    from captum.attr import IntegratedGradients

    given, target, method = torch.from_numpy(x), torch.from_numpy(goal), IntegratedGradients(model)
    return {f"{rows} at once": partial(method.attribute, given, target=target, n_steps=steps, internal_batch_size=rows)
            for rows in (64, 512)}


def _captum_windows(model, x, goal):
    from captum.attr import Occlusion

    given, target, method = torch.from_numpy(x), torch.from_numpy(goal), Occlusion(model)
    return {f"{each} windows at once": partial(method.attribute, given, (x.shape[1], 4, 4), strides=(x.shape[1], 2, 2),
                                               target=target, perturbations_per_eval=each) for each in (4, 16)}


def _captum_noise(model, x, goal, samples):
    from captum.attr import NoiseTunnel, Saliency

    given, target, method = torch.from_numpy(x), torch.from_numpy(goal), NoiseTunnel(Saliency(model))
    return {f"{each} draws at once": partial(method.attribute, given, target=target, abs=False, nt_samples=samples,
                                             stdevs=0.1, nt_samples_batch_size=each) for each in (4, None)}


def _shap_path(model, x, steps):
    from shap import GradientExplainer

    given = torch.from_numpy(x)
    return {f"{rows} at once": partial(GradientExplainer(model, torch.zeros_like(given[:1]), batch_size=rows).shap_values,
                                       given, nsamples=steps, ranked_outputs=1, rseed=0) for rows in (32,)}


# ---- rows ------------------------------------------------------------------------------------------------------------


def _ready(size: Size):
    model, x = network(size), inputs(size)
    with torch.no_grad():
        goal = model(torch.from_numpy(x)).argmax(1).numpy()
    return model, x, goal


def path(size: Size) -> Row:
    model, x, goal = _ready(size)
    best, raw = _limit(raw_path, model, x, goal, STEPS)
    peers, absent, chosen = _peers({"Captum": lambda: _captum_path(model, x, goal, STEPS),
                                    "SHAP": lambda: _shap_path(model, x, STEPS)})
    ours = partial(dlx.explain, model, x, "integrated_gradients", target=goal, baseline=0, steps=STEPS)
    np.testing.assert_allclose(ours().values, raw(), rtol=1e-3, atol=1e-5)
    return Row(f"integrated gradients, {STEPS} steps; {size.name}", "torch",
               {"raw": raw, "dlexplain": ours, **peers}, absent, "; ".join([f"raw: {best}", *chosen]))


def noise(size: Size) -> Row:
    model, x, goal = _ready(size)
    best, raw = _limit(raw_noise, model, x, goal, STEPS)
    peers, absent, chosen = _peers({"Captum": lambda: _captum_noise(model, x, goal, STEPS)})
    ours = partial(dlx.explain, model, x, "smoothgrad", target=goal, samples=STEPS)
    return Row(f"SmoothGrad, {STEPS} draws; {size.name}", "torch",
               {"raw": raw, "dlexplain": ours, **peers}, absent, "; ".join([f"raw: {best}", *chosen]))


def occlusion(size: Size) -> Row:
    model, x, goal = _ready(size)
    best, raw = _limit(raw_windows, model, x, goal)
    peers, absent, chosen = _peers({"Captum": lambda: _captum_windows(model, x, goal)})
    ours = partial(dlx.explain, model, x, "occlusion", target=goal, baseline=0, window=4, stride=2)
    return Row(f"occlusion 4x4, stride 2; {size.name}", "torch",
               {"raw": raw, "dlexplain": ours, **peers}, absent, "; ".join([f"raw: {best}", *chosen]))


def equal_gap(size: Size, tolerance: float = 1e-3) -> Row:
    """Ours finds its own number of steps; Captum is told the number that it needs, which its user would search for."""
    model, x, goal = _ready(size)
    ours = partial(dlx.explain, model, x, "integrated_gradients", target=goal, baseline=0, tolerance=tolerance)
    found = ours()
    peers, absent, chosen = _peers({"Captum": lambda: _captum_path(model, x, goal, _captum_steps(model, x, goal, tolerance))})
    work = f"integrated gradients to a relative gap of {tolerance:g}; {size.name}"
    steps = found.options.get("steps")
    return Row(work, "torch", {"dlexplain": ours, **peers}, absent,
               "; ".join([f"ours: at most {steps} steps, largest gap {float(found.relative_gap.max()):.1g}", *chosen]))


def _captum_steps(model, x, goal, tolerance: float) -> int:
    from captum.attr import IntegratedGradients

    given, target = torch.from_numpy(x), torch.from_numpy(goal)
    with torch.no_grad():
        change = (model(given) - model(torch.zeros_like(given))).gather(1, target[:, None])[:, 0]
    steps = 16
    while steps < 1024:
        values = IntegratedGradients(model).attribute(given, target=target, n_steps=steps, internal_batch_size=256)
        if bool(((values.flatten(1).sum(1) - change).abs() / change.abs() <= tolerance).all()):
            break
        steps *= 2
    return steps


ROWS_HERE = {
    "path-images": lambda: path(IMAGES),
    "path-digits": lambda: path(DIGITS),
    "path-table": lambda: path(TABLE),
    "occlusion": lambda: occlusion(IMAGES),
    "noise": lambda: noise(IMAGES),
    "gap": lambda: equal_gap(IMAGES),
}
