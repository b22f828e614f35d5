"""SHAP's own explainers through the same call: `"shap:Kernel"`, `"shap:Permutation"`, `"shap:Deep"`, …"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from dlexplain.attribution.case import Case, Found
from dlexplain.attribution.families.gradients import count
from dlexplain.attribution.method import Method
from dlexplain.errors import DlexplainError, InputError, MissingPackageError, UnsupportedModelError, suggest

NAMES = ("Kernel", "Permutation", "Partition", "Exact", "Deep", "Gradient")
_EXACT_LIMIT = 16


def method(name: str) -> Method:
    """The registry's line for one of SHAP's explainers. Raises `InputError` with the near name."""
    known = {n.lower(): n for n in NAMES}
    key = name.lower().removesuffix("explainer")
    if key not in known:
        raise InputError(
            f"method 'shap:{name}' is unknown. {suggest(key.title(), NAMES)}Known: "
            + ", ".join(f"'shap:{n}'" for n in NAMES)
            + "."
        )
    function, cost, cannot, tolerance = {
        "Kernel": (kernel, "samples x background forward", "a sampled estimate where features are many", 1e-2),
        "Permutation": (
            permutation,
            "samples x background forward",
            "a sampled estimate of each value; the sum is exact",
            1e-2,
        ),
        "Partition": (
            partition,
            "samples x background forward",
            "gives Owen values of a hierarchy, which are Shapley values only for additive models",
            1e-2,
        ),
        "Exact": (exact, "2^features x background forward", f"at most {_EXACT_LIMIT} features", 1e-2),
        "Deep": (
            deep,
            "background x (1 forward, 1 backward)",
            "SHAP's deep explainer is exact on dense and convolution networks with ReLU; it is wrong on SiLU and stops on "
            "GELU, LayerNorm, recurrent and attention layers: prefer integrated_gradients, whose gap is shown",
            1e-2,
        ),
        "Gradient": (
            gradient,
            "samples x (1 forward, 1 backward)",
            "a random estimate whose sum misses by 1 to 10 % even at 2,000 samples: prefer expected_gradients",
            1e-1,
        ),
    }[known[key]]
    return Method(
        name=f"shap:{known[key]}",
        function=function,
        family="bridge to SHAP",
        answers="How is the change from the background shared fairly?",
        complete=True,
        baseline="zeros",
        cost=cost,
        cannot=cannot,
        paper="arXiv:1705.07874",
        background=True,
        tolerance=tolerance,
    )


def kernel(case: Case, *, samples: int | None = None) -> Found:
    """`shap.KernelExplainer`, without its feature selection; `samples` coalitions a sample (None: 2 x features + 2048)."""
    shap = _shap()

    def one(score: Callable, background: np.ndarray, row: np.ndarray) -> np.ndarray:
        explainer = shap.KernelExplainer(score, background)
        size = "auto" if samples is None else count(samples, "samples")
        return explainer.shap_values(row[None], nsamples=size, l1_reg=0, silent=True)[0]

    return _black_box(case, one, "shap:Kernel", {"samples": samples})


def permutation(case: Case, *, samples: int | None = None) -> Found:
    """`shap.PermutationExplainer`; `samples` evaluations a sample (None: 10 x (2 x features + 1))."""
    shap = _shap()

    def one(score: Callable, background: np.ndarray, row: np.ndarray) -> np.ndarray:
        explainer = shap.PermutationExplainer(score, _independent(shap, background), seed=case.seed)
        size = 10 * (2 * len(row) + 1) if samples is None else max(count(samples, "samples"), 2 * len(row) + 1)
        return explainer(row[None], max_evals=size, silent=True).values[0]

    return _black_box(case, one, "shap:Permutation", {"samples": samples})


def partition(case: Case, *, samples: int | None = None) -> Found:
    """`shap.PartitionExplainer` over the background's correlation tree; `samples` evaluations (None: 500)."""
    shap = _shap()

    def one(score: Callable, background: np.ndarray, row: np.ndarray) -> np.ndarray:
        if len(row) == 1:
            return np.array([score(row[None])[0] - score(background).mean()])
        masker = shap.maskers.Partition(background, max_samples=len(background), clustering=_tree(background))
        size = 500 if samples is None else count(samples, "samples")
        return shap.PartitionExplainer(score, masker)(row[None], max_evals=size, silent=True).values[0]

    return _black_box(case, one, "shap:Partition", {"samples": samples})


def exact(case: Case) -> Found:
    """`shap.ExactExplainer`: every coalition of at most 16 features."""
    shap = _shap()
    width = sum(int(np.prod(a.shape[1:])) for a in case.inputs)
    if width > _EXACT_LIMIT:
        raise UnsupportedModelError(
            f"shap:Exact: {width} features have 2^{width} coalitions; it is for at most {_EXACT_LIMIT}. "
            "Methods that work: shap:Permutation, shap:Kernel, integrated_gradients."
        )

    def one(score: Callable, background: np.ndarray, row: np.ndarray) -> np.ndarray:
        return shap.ExactExplainer(score, _independent(shap, background))(
            row[None], max_evals=2**width + 1, silent=True
        ).values[0]

    return _black_box(case, one, "shap:Exact", {})


def deep(case: Case) -> Found:
    """`shap.DeepExplainer` on the user's model; whatever it patches in the framework is put back."""
    return _white_box(
        case,
        lambda shap, raw, background: shap.DeepExplainer(raw, background),
        lambda explainer, x: explainer.shap_values(x, check_additivity=False),
        "shap:Deep",
        {},
    )


def gradient(case: Case, *, samples: int = 200) -> Found:
    """`shap.GradientExplainer` on the user's model with `samples` random points a sample."""
    size = count(samples, "samples")
    return _white_box(
        case,
        lambda shap, raw, background: shap.GradientExplainer(raw, background),
        lambda explainer, x: explainer.shap_values(x, nsamples=size, rseed=case.seed),
        "shap:Gradient",
        {"samples": size},
    )


def _black_box(case: Case, one: Callable, name: str, chosen: dict[str, Any]) -> Found:
    """One sample after another, its inputs as one flat row, its own target as a function of many rows."""
    shapes = [a.shape[1:] for a in case.inputs]
    cuts = np.cumsum([int(np.prod(s)) for s in shapes])[:-1]

    def flat(arrays) -> np.ndarray:
        return np.concatenate([a.reshape(len(a), -1) for a in arrays], 1).astype(np.float64)

    def score(index: np.ndarray, rows: np.ndarray) -> np.ndarray:
        parts = np.split(np.asarray(rows, np.float64), cuts, 1)
        inputs = tuple(
            p.reshape(len(p), *s).astype(a.dtype) for p, s, a in zip(parts, shapes, case.inputs, strict=True)
        )
        target = type(case.target)(np.repeat(index[None], len(rows), 0), case.target.head)
        return case.model.scores(inputs, target, case.rows).astype(np.float64)

    rows, background = flat(case.inputs), flat(case.baseline)
    with _quiet(case.seed):
        values = np.stack(
            [
                _guarded(name, lambda i=i: one(partial(score, case.target.index[i]), background, rows[i]))
                for i in range(len(case))
            ]
        )
    return Found(tuple(v.reshape(a.shape) for v, a in zip(np.split(values, cuts, 1), case.inputs, strict=True)), chosen)


def _white_box(case: Case, build: Callable, ask: Callable, name: str, chosen: dict[str, Any]) -> Found:
    """On the user's model itself, target by target."""
    shap = _shap()
    if case.target.index.shape[1] != 1:
        raise UnsupportedModelError(f"{name}: explains outputs of one axis (classes) only. Use integrated_gradients.")
    if any(v is not None for v in case.model.token_inputs(case.inputs)):
        raise UnsupportedModelError(
            f"{name}: cannot take gradients to token ids. Use integrated_gradients (at the embedding)."
        )
    model = case.model
    values = [np.zeros(a.shape, np.float32) for a in case.inputs]
    with _quiet(case.seed), model.preserved(case.seed):
        torch = model.framework == "torch"
        background = model.native(case.baseline) if torch else case.baseline
        samples = model.native(case.inputs) if torch else case.inputs
        several = len(case.inputs) > 1
        explainer = _guarded(name, lambda: build(shap, model.raw, list(background) if several else background[0]))
        for label in np.unique(case.target.index):
            part = np.flatnonzero(case.target.index[:, 0] == label)
            x = [s[part] for s in samples]
            found = _guarded(name, lambda x=x: ask(explainer, x if several else x[0]))
            for value, array in zip(values, found if several else [found], strict=True):
                value[part] = _of_class(array, int(label), value[part].shape)
    return Found(tuple(values), chosen)


def _of_class(found: Any, label: int, shape: tuple[int, ...]) -> np.ndarray:
    """SHAP gives a list with an array a class, or one array with the classes last, or the only output's array."""
    if isinstance(found, list):
        return np.asarray(found[label])
    array = np.asarray(found)
    return array if array.shape == shape else array[..., label]


def _guarded(name: str, call: Callable[[], Any]) -> Any:
    """SHAP's own failures in our words."""
    try:
        return call()
    except DlexplainError:
        raise
    except Exception as error:  # whatever a foreign library raises is told, with what works instead
        raise UnsupportedModelError(
            f"{name} stopped on this model: {type(error).__name__}: {str(error).strip()[:300]} This is SHAP's own limit, and the "
            "process is as it was before. Methods that work: integrated_gradients, expected_gradients, shap:Permutation."
        ) from error


@contextmanager
def _quiet(seed: int) -> Iterator[None]:
    """SHAP draws from NumPy's and Python's global generators: seeded for the call and put back."""
    numpy_state, python_state = np.random.get_state(), random.getstate()
    try:
        np.random.seed(seed % 2**32)
        random.seed(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        np.random.set_state(numpy_state)
        random.setstate(python_state)


def _independent(shap: Any, background: np.ndarray) -> Any:
    return shap.maskers.Independent(background, max_samples=len(background))


def _tree(background: np.ndarray) -> np.ndarray:
    """A correlation tree where the background tells one, else neighbours paired two by two."""
    width = background.shape[1]
    if len(background) > 2 and (background.std(0) > 0).all():
        from scipy.cluster.hierarchy import complete

        distance = 1 - np.abs(np.corrcoef(background.T))
        return complete(np.clip(distance[np.triu_indices(width, 1)], 0, None))
    nodes, tree = [(i, 1) for i in range(width)], []
    while len(nodes) > 1:
        merged = []
        for (a, size_a), (b, size_b) in zip(nodes[::2], nodes[1::2], strict=False):
            tree.append([a, b, float(len(tree) + 1), size_a + size_b])
            merged.append((width + len(tree) - 1, size_a + size_b))
        nodes = merged + nodes[len(nodes) - len(nodes) % 2 :]
    return np.array(tree, np.float64)


def _shap() -> Any:
    try:
        import shap
    except ImportError as error:
        raise MissingPackageError(
            "The methods 'shap:…' need the package shap: pip install 'dlexplain[shap]'."
        ) from error
    return shap
