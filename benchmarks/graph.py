"""DeepLIFT and DeepSHAP on the operation graph beside the bare framework's pass and the libraries' own."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np

import dlexplain as dlx
from benchmarks.timing import Row
from benchmarks.work import DIGITS, IMAGES, TABLE, Size

REFERENCES, EXPLAINED = 50, 4


def one_reference(framework: str, size: Size) -> Row:
    """*Raw* is one forward and one backward pass of the same samples: a ratio of 4 is four such passes."""
    module = importlib.import_module(f"benchmarks.{framework}_rows")
    model, x, goal = module._ready(size)
    ours = partial(dlx.explain, model, x, "deeplift", target=goal, baseline=0)
    found = {"raw": _pass(framework, module, model, x, goal), "dlexplain": ours}
    absent: dict[str, str] = {}
    if framework == "torch":
        found["Captum"] = _captum(model, x, goal)
    return Row(f"DeepLIFT; {size.name}", framework, found, absent, f"raw: one forward and backward pass; {_gap(ours)}")


def many_references(framework: str, size: Size) -> Row:
    """Every sample with every reference. SHAP as it is called by default, for every output, and for the best one alone."""
    module = importlib.import_module(f"benchmarks.{framework}_rows")
    model, x, _ = module._ready(size)
    generator = np.random.default_rng(1)
    background = generator.random((REFERENCES, *x.shape[1:]), np.float32)
    x, goal = x[:EXPLAINED], dlx.wrap(model).predict(x[:EXPLAINED]).argmax(1)
    ours = partial(dlx.explain, model, x, "deepshap", target=goal, baseline=background)
    found: dict[str, Callable] = {"dlexplain": ours}
    absent: dict[str, str] = {}
    try:
        one, found["SHAP, every output"] = _shap(framework, model, x, background)
        found["SHAP, one output"] = one
        notes = f"SHAP's values differ by {np.abs(ours().values - _first(one())).max():.1g} at most"
    except ImportError as error:
        absent["SHAP"], notes = f"not installed: pip install {error.name}", ""
    return Row(
        f"DeepSHAP, {EXPLAINED} samples, {REFERENCES} references; {size.name}",
        framework,
        found,
        absent,
        f"{_gap(ours)}; {notes}",
    )


def _pass(framework: str, module, model, x: np.ndarray, goal: np.ndarray) -> Callable[[], np.ndarray]:
    if framework == "torch":
        import copy

        import torch

        last = x.ndim == 4
        fast = copy.deepcopy(model).to(memory_format=torch.channels_last) if last else model
        given, target = module._given(x, last), torch.from_numpy(goal)[:, None]

        def run() -> np.ndarray:
            points = given.clone().requires_grad_()
            return torch.autograd.grad(fast(points).gather(1, target).sum(), points)[0].numpy()

        return run
    import tensorflow as tf

    graph = tf.function(lambda points, target: module._gradient(model, points, target), reduce_retracing=True)
    return lambda: graph(tf.constant(x), tf.constant(goal)).numpy()


def _captum(model, x: np.ndarray, goal: np.ndarray) -> Callable[[], object]:
    import torch
    from captum.attr import DeepLift

    given, target = torch.from_numpy(x), torch.from_numpy(goal)
    return lambda: DeepLift(model).attribute(given, target=target)


def _shap(framework: str, model, x: np.ndarray, background: np.ndarray) -> tuple[Callable, Callable]:
    import shap

    if framework == "torch":
        import torch

        explainer, given = shap.DeepExplainer(model, torch.from_numpy(background)), torch.from_numpy(x)
    else:
        explainer, given = shap.DeepExplainer(model, background), x
    return tuple(
        partial(explainer.shap_values, given, ranked_outputs=ranked, check_additivity=False) for ranked in (1, None)
    )


def _first(found: object) -> np.ndarray:
    """SHAP's values of the best output alone, without its last axis of one."""
    values = found[0] if isinstance(found, tuple) else found
    return np.asarray(values)[..., 0]


def _gap(ours: Callable) -> str:
    return f"largest relative gap {float(ours().relative_gap.max()):.1g}"


def rows_of(framework: str) -> Mapping[str, Callable[[], Row]]:
    """Rows by name, as the modules of rows hold them."""
    sizes = {"images": IMAGES, "digits": DIGITS, "table": TABLE}
    many = replace(IMAGES, samples=128, name=IMAGES.name.replace("16 images", "128 images"))
    return {
        "deeplift-many-images": partial(one_reference, framework, many),
        **{f"deeplift-{name}": partial(one_reference, framework, size) for name, size in sizes.items()},
        **{f"deepshap-{name}": partial(many_references, framework, size) for name, size in sizes.items()},
    }
