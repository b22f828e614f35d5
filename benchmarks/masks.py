"""The methods on the many-masks question beside the bare masked forward passes and beside SHAP."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

import dlexplain as dlx
from benchmarks.timing import Row, fastest
from benchmarks.work import IMAGES, ROWS, Size, chunks

MASKS, EXPLAINED, BACKGROUND = 128, 16, 10
_MANY = (512, 4096, 16384)  # small rows run fastest in large batches
_ON_PICTURES = {
    "rise": {"samples": MASKS},
    "lime": {"samples": MASKS},
    "kernel_shap": {"samples": MASKS},
    "permutation_shapley": {"samples": 1, "segments": (8, 8)},  # 2 x 63 coalitions
    "scorecam": {},
}
_SOFT = ("rise", "scorecam")  # masks between 0 and 1


# ---- the bare framework: scores `(n, masks)`, everything drawn beforehand -------------------------------------------


def raw_torch(
    model, x: np.ndarray, goal: np.ndarray, masks: np.ndarray, fills: np.ndarray, sizes
) -> dict[str, Callable]:
    """The same passes in both layouts and at all batch sizes. Masks `(k, *shape)`, fills `(m, *shape)`."""
    import copy

    import torch

    @torch.no_grad()
    def run(which, last: bool, rows: int) -> np.ndarray:
        def laid(a: np.ndarray) -> torch.Tensor:
            tensor = torch.from_numpy(a)
            return tensor.contiguous(memory_format=torch.channels_last) if last and a.ndim == 4 else tensor

        given, filled, kept, target = laid(x), laid(fills), torch.from_numpy(masks), torch.from_numpy(goal)
        scores = torch.zeros(len(x), len(masks))
        for ns, ks in chunks(len(x), len(masks), rows):
            wide = ks.stop - ks.start
            for fill in filled:
                part, mask = given[ns, None], kept[ks]
                mixed = torch.where(mask, part, fill) if mask.dtype == torch.bool else fill + mask * (part - fill)
                mixed = mixed.flatten(0, 1)
                mixed = mixed.contiguous(memory_format=torch.channels_last) if last else mixed
                scores[ns, ks] += which(mixed).gather(1, target[ns].repeat_interleave(wide)[:, None]).reshape(-1, wide)
        return (scores / len(fills)).numpy()

    layouts = {"plain": (model, False)}
    if x.ndim == 4:
        layouts["channels last"] = (copy.deepcopy(model).to(memory_format=torch.channels_last), True)
    return {f"{name}, {rows} at once": partial(run, *how, rows) for name, how in layouts.items() for rows in sizes}


def raw_keras(
    model, x: np.ndarray, goal: np.ndarray, masks: np.ndarray, fills: np.ndarray, sizes
) -> dict[str, Callable]:
    """The same passes in one traced graph at all batch sizes."""
    import tensorflow as tf

    @tf.function(reduce_retracing=True)
    def block(part, target, mask, fill):
        wide, part = tf.shape(mask)[0], part[:, None]
        mixed = tf.where(mask, part, fill) if mask.dtype == tf.bool else fill + mask * (part - fill)
        output = model(tf.reshape(mixed, (-1, *x.shape[1:])), training=False)
        return tf.reshape(tf.gather(output, tf.repeat(target, wide), axis=1, batch_dims=1), (-1, wide))

    def run(rows: int) -> np.ndarray:
        given, target, kept, filled = tf.constant(x), tf.constant(goal), tf.constant(masks), tf.constant(fills)
        scores = np.zeros((len(x), len(masks)), np.float32)
        for ns, ks in chunks(len(x), len(masks), rows):
            for fill in filled:
                scores[ns, ks] += block(given[ns], target[ns], kept[ks], fill).numpy()
        return scores / len(fills)

    return {f"{rows} at once": partial(run, rows) for rows in sizes}


# ---- rows -----------------------------------------------------------------------------------------------------------


def pictures(framework: str, method: str) -> Row:
    """One method on images beside its masked forward passes; whole grids of 8 or 7 cells, black where covered."""
    model, x, goal = _ready(framework, IMAGES, IMAGES.samples)
    generator, axis = np.random.default_rng(0), 1 if framework == "torch" else -1
    count = IMAGES.convolutions[-1] if method == "scorecam" else MASKS  # a mask a channel of the last layer
    cells = generator.random((count, 8, 8)).repeat(4, 1).repeat(4, 2)
    drawn = np.expand_dims(cells.astype(np.float32) if method in _SOFT else cells < 0.5, axis)
    best, raw = fastest(_raw(framework)(model, x, goal, drawn, np.zeros_like(x[:1]), ROWS))
    ours = partial(dlx.explain, model, x, method, target=goal, baseline=0, **_ON_PICTURES[method])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours()
    return Row(
        f"{method}, {count} masks; {IMAGES.name}", framework, {"raw": raw, "dlexplain": ours}, {}, f"raw: {best}"
    )


def table(framework: str, method: str) -> Row:
    """One method on a table beside its passes and SHAP's explainer with as many evaluations."""
    columns = 12 if method == "exact_shapley" else 20
    size = Size(
        f"table of {columns} columns, {EXPLAINED} rows, background {BACKGROUND}", EXPLAINED, (columns,), (), (64, 64), 2
    )
    model, x, goal = _ready(framework, size, EXPLAINED)
    goal[:] = 1  # SHAP explains one output for all rows
    background = np.random.default_rng(1).random((BACKGROUND, columns), np.float32)
    asked = {"exact_shapley": 2**columns, "kernel_shap": 2 * columns + 2048, "permutation_shapley": 20 * (columns - 1)}[
        method
    ]
    kept = np.random.default_rng(0).random((asked, columns)) < 0.5
    best, raw = fastest(_raw(framework)(model, x, goal, kept, background, _MANY))
    ours = partial(dlx.explain, model, x, method, target=1, baseline=background)
    found = {"raw": raw, "dlexplain": ours}
    try:
        found["SHAP"] = _shap(method, _numpy(framework, model), x, background)
    except ImportError as error:
        return Row(f"{method}; {size.name}", framework, found, {"SHAP": f"not installed: {error.name}"}, f"raw: {best}")
    gap = float(np.abs(ours().values - found["SHAP"]()).max())
    return Row(
        f"{method}; {size.name}", framework, found, {}, f"raw: {best}; SHAP's values differ by {gap:.1g} at most"
    )


def _shap(method: str, score: Callable, x: np.ndarray, background: np.ndarray) -> Callable[[], np.ndarray]:
    import shap

    masker = shap.maskers.Independent(background, max_samples=len(background))
    if method == "kernel_shap":
        kernel = shap.KernelExplainer(score, background)
        return lambda: kernel.shap_values(x, nsamples=2 * x.shape[1] + 2048, l1_reg=0, silent=True)
    if method == "exact_shapley":
        exact = shap.ExactExplainer(score, masker)
        return lambda: exact(x, max_evals=2 ** x.shape[1] + 1, silent=True).values
    orders = shap.PermutationExplainer(score, masker, seed=0)
    return lambda: orders(x, max_evals=10 * (2 * x.shape[1] + 1), silent=True).values


def _numpy(framework: str, model) -> Callable[[np.ndarray], np.ndarray]:
    """The model as SHAP's black-box explainers take it, on its framework's fast path."""
    if framework == "torch":
        import torch

        @torch.no_grad()
        def score(rows: np.ndarray) -> np.ndarray:
            return model(torch.as_tensor(rows, dtype=torch.float32))[:, 1].numpy()

        return score
    import tensorflow as tf

    graph = tf.function(
        lambda rows: model(rows, training=False)[:, 1], input_signature=[tf.TensorSpec((None, *model.input_shape[1:]))]
    )
    return lambda rows: graph(tf.constant(rows, tf.float32)).numpy()


def _ready(framework: str, size: Size, samples: int):
    module = importlib.import_module(f"benchmarks.{framework}_rows")
    model, x = module.network(size), module.inputs(size)[:samples]
    return model, x, dlx.wrap(model).predict(x).argmax(1)


def _raw(framework: str) -> Callable[..., dict[str, Callable]]:
    return raw_torch if framework == "torch" else raw_keras


def rows_of(framework: str) -> Mapping[str, Callable[[], Row]]:
    """Rows by name, as the modules of rows hold them."""
    found = {f"masks-{method}": partial(pictures, framework, method) for method in _ON_PICTURES}
    return found | {
        f"table-{method}": partial(table, framework, method)
        for method in ("kernel_shap", "permutation_shapley", "exact_shapley")
    }
