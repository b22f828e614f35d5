"""What the network would answer after each block: the stream between the blocks read through the end of the network."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlexplain.errors import InputError, UnsupportedModelError
from dlexplain.frameworks import Model, wrap
from dlexplain.frameworks.questions import Inputs, blocks


@dataclass(frozen=True, eq=False)
class LogitLens:
    """After each of `layers`: `top`, `scores`, `probabilities`, `(layers, n, positions, k)`, the best classes or tokens.

    `final_probability`, `final_rank`: `(layers, n, positions)`, what each layer makes of the network's own best answer
    (rank 0: it is the layer's best too). The last layer is the network itself.
    """

    layers: tuple[str, ...]
    top: np.ndarray
    scores: np.ndarray
    probabilities: np.ndarray
    final_probability: np.ndarray
    final_rank: np.ndarray
    names: tuple[str, ...] | None
    inputs: np.ndarray | tuple[np.ndarray, ...]
    framework: str
    fingerprint: str

    def name(self, number: int) -> str:
        """What a class or token is called."""
        return self.names[number] if self.names is not None and number < len(self.names) else str(number)

    @property
    def table(self):
        """A row a sample, layer, position and place among the best."""
        import pandas as pd

        count, n, positions, k = self.top.shape
        layer, sample, position, rank = (part.ravel() for part in np.indices((count, n, positions, k)))
        return pd.DataFrame(
            {
                "sample": sample,
                "layer": [self.layers[i] for i in layer],
                "position": position,
                "rank": rank,
                "token": [self.name(i) for i in self.top.ravel()],
                "score": self.scores.ravel(),
                "probability": self.probabilities.ravel(),
            }
        ).sort_values(["sample", "position"], kind="stable", ignore_index=True)

    def plot(self, **options: Any):
        """A Plotly figure: each layer's best token at each position of one sample; see `figures.logit_lens`."""
        from dlexplain import figures

        return figures.logit_lens(self, **options)

    def __repr__(self) -> str:
        settled = (self.final_rank == 0).mean((1, 2))
        said = ", ".join(f"{name} {share:.0%}" for name, share in zip(self.layers, settled, strict=True))
        return f"LogitLens of {len(self.layers)} layers ({self.framework}); already the network's own answer: {said}"


def logit_lens(
    model: Any,
    inputs: Any,
    layers: Sequence[str] | None = None,
    *,
    top: int = 5,
    names: Sequence[str] | None = None,
    batch_size: int | None = None,
) -> LogitLens:
    """Each block's stream put in the place of the last block's, and the network run on from there.

    `layers`: layers of one shape in the order of their calls, the last right before the final norm and head; None: the
    blocks, that is layers of one type made of others, else the `Add` layers. `names`: what classes or tokens are called.
    nostalgebraist (2020), interpreting GPT: the logit lens; Belrose and others (2023), arXiv:2303.08112.
    """
    asked = wrap(model)
    arrays = asked.inputs(inputs)
    chosen = _stream(asked, arrays) if layers is None else list(layers)
    shapes = asked.shapes(arrays)
    for name in chosen:
        asked.check_layer(name)
    # A second call of a shared layer has no shape of its own in the list: its first call's stands for it.
    known = {name: shapes.get(name, shapes.get(name.partition(":")[0])) for name in chosen}
    if not chosen or any(shape != known[chosen[-1]] for shape in known.values()):
        raise InputError(f"layers: all must have the shape of the last one; here are {known}.")
    _check_all_passes(asked, tuple(a[:8] for a in arrays), chosen[-1])
    parts = [
        _read(asked, tuple(a[b] for a in arrays), chosen, top)
        for b in blocks(len(arrays[0]), asked.rows(arrays, batch_size))
    ]
    joined = [np.concatenate(part, 1) for part in zip(*parts, strict=True)]
    called = names if names is not None else asked.class_names
    return LogitLens(
        tuple(chosen),
        *joined,
        None if called is None else tuple(map(str, called)),
        arrays[0] if len(arrays) == 1 else arrays,
        asked.framework,
        asked.fingerprint,
    )


def _read(model: Model, inputs: Inputs, layers: list[str], top: int) -> tuple[np.ndarray, ...]:
    """The fields of the result for one batch; only the best of each layer are kept."""
    found = model.inside(inputs, layers)
    absent = [name for name in layers if name not in found]
    if absent:
        raise InputError(f"layers: the model does not call {absent[0]!r} on these inputs.")
    own = _classes(model.outputs(inputs)[0])
    best = own.argmax(-1)[..., None]
    if isinstance(top, bool) or not isinstance(top, (int, np.integer)) or top < 1:
        raise InputError(f"top={top!r} must be a whole number from 1 on.")
    given = inputs if len(inputs) > 1 else inputs[0]
    rows = []
    for name in layers:
        outputs = model.run_from(layers[-1], found[name], given)
        scores = _classes(outputs[0] if isinstance(outputs, tuple) else outputs)
        share = _probabilities(scores)
        order = np.argsort(-scores, -1, kind="stable")[..., : min(top, scores.shape[-1])]
        rows.append(
            (
                order,
                np.take_along_axis(scores, order, -1),
                np.take_along_axis(share, order, -1),
                np.take_along_axis(share, best, -1)[..., 0],
                (scores > np.take_along_axis(scores, best, -1)).sum(-1),
            )
        )
    return tuple(np.stack(part) for part in zip(*rows, strict=True))


def _check_all_passes(model: Model, inputs: Inputs, layer: str) -> None:
    """Warns where the output follows the inputs past the layer: other inputs must not change it."""
    own = model.inside(inputs, (layer,)).get(layer)
    if own is None or len(own) < 2:
        return
    other = tuple(np.roll(a, 1, 0) for a in inputs)
    outputs = model.run_from(layer, own, other if len(other) > 1 else other[0])
    outputs, known = outputs[0] if isinstance(outputs, tuple) else outputs, model.outputs(inputs)[0]
    if not np.allclose(outputs, known, rtol=1e-2, atol=1e-3 * max(1e-6, float(np.abs(known).max()))):
        warnings.warn(
            f"logit_lens: not everything passes through {layer!r}: the output follows the inputs past it too, so what is "
            "read is a mixture. Name the layers of the stream with layers=[…], the last right before the final norm.",
            UserWarning,
            stacklevel=3,
        )


def _classes(output: np.ndarray) -> np.ndarray:
    """`(n, positions, classes)`."""
    if output.ndim < 2 or output.shape[-1] < 2:
        raise UnsupportedModelError(
            "logit_lens: the output is one number, not a row of classes or tokens to choose from."
        )
    return output.reshape(len(output), -1, output.shape[-1]).astype(np.float64)


def _probabilities(scores: np.ndarray) -> np.ndarray:
    """Scores that are probabilities as they are, others through a softmax."""
    if scores.min() >= 0 and np.allclose(scores.sum(-1), 1, atol=1e-3):
        return scores
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def _stream(model: Model, inputs: Inputs) -> list[str]:
    """The blocks: layers other than attention of one type and shape, made of others, as near the top as there are; else the sums."""
    shapes, types = model.shapes(inputs), {layer.name: layer.type for layer in model.layers}
    mark = "/" if model.framework == "keras" else "."
    groups: dict[tuple, list[str]] = {}
    for name, shape in shapes.items():
        made = name in types and "Attention" not in types[name]
        if made and len(shape) == 2 and any(other.startswith(name + mark) for other in types):
            groups.setdefault((name.count(mark), types[name], shape), []).append(name)
    several = [names for _, names in sorted(groups.items(), key=lambda item: item[0][0]) if len(names) > 1]
    if several:
        return several[0]
    sums = [name for name, shape in shapes.items() if types.get(name) == "Add" and len(shape) == 2]
    if sums:
        return [name for name in sums if shapes[name] == shapes[sums[-1]]]
    raise InputError(
        "logit_lens: no blocks are to be seen: no two layers of one type that are made of others, and no Add layers. Name "
        "the layers of the stream with layers=[…]; dlx.layers(model, inputs) lists them."
    )
