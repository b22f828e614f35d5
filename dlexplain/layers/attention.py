"""Where attention looks: its weights, rolled out through the layers, or weighted by what they do for the target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlexplain.errors import InputError, UnsupportedModelError, suggest
from dlexplain.frameworks import Model, targets, wrap
from dlexplain.frameworks.questions import Inputs, Target, blocks


@dataclass(frozen=True, eq=False)
class Attention:
    """`maps[layer]`: `(n, heads, queries, keys)`, rows that sum to 1, layers in the order of their calls.

    `gradients`: of the target to the maps, in their shape; None where there was no target. `windowed`: layers that
    attend within parts of a sample, which stand beside their heads.
    """

    maps: Mapping[str, np.ndarray]
    gradients: Mapping[str, np.ndarray] | None
    windowed: tuple[str, ...]
    inputs: np.ndarray | tuple[np.ndarray, ...]
    target: np.ndarray | None
    framework: str
    fingerprint: str

    @property
    def layers(self) -> tuple[str, ...]:
        return tuple(self.maps)

    def __getitem__(self, layer: str) -> np.ndarray:
        if layer not in self.maps:
            raise InputError(
                f"attention: no layer {layer!r}. {suggest(layer, self.maps)}Layers: {', '.join(self.maps)}."
            )
        return self.maps[layer]

    @property
    def table(self):
        """A row a layer and head: how spread its weights are (entropy in bits, 0 is one key), and how far they reach."""
        import pandas as pd

        rows = []
        for layer, maps in self.maps.items():
            entropy = -(maps * np.log2(np.maximum(maps, 1e-30))).sum(-1).mean((0, 2))
            q, k = maps.shape[2:]
            far = np.abs(np.arange(q)[:, None] - np.arange(k)[None])
            reach = (maps * far).sum(-1).mean((0, 2)) if q == k else np.full(maps.shape[1], np.nan)
            rows += [
                {"layer": layer, "head": h, "queries": q, "keys": k, "entropy": entropy[h], "reach": reach[h]}
                for h in range(maps.shape[1])
            ]
        return pd.DataFrame(rows)

    def rollout(self, layers: Sequence[str] | None = None, *, residual: float = 0.5) -> np.ndarray:
        """`(n, tokens, tokens)`: how much of each input token reaches each token at the end, were nothing done to values.

        The mean over heads, mixed with the `residual` path, multiplied up through the self-attention layers (None: all).
        Abnar, Zuidema (2020), Quantifying Attention Flow in Transformers, arXiv:2005.00928.
        """
        if not 0 <= residual < 1:
            raise InputError(f"residual={residual!r} must be a share from 0 on and under 1.")
        chain = [self.maps[name].mean(1, dtype=np.float64) for name in self._chain(layers)]
        rolled = np.eye(chain[0].shape[-1])
        for weights in chain:
            mixed = (1 - residual) * weights + residual * np.eye(weights.shape[-1])
            rolled = mixed / mixed.sum(-1, keepdims=True) @ rolled
        return rolled.astype(np.float32)

    def relevance(self, layers: Sequence[str] | None = None) -> np.ndarray:
        """`(n, tokens, tokens)`: attention times its gradient, the part for the target, added up through the layers.

        `R += mean over heads of max(gradient * weights, 0) @ R`, from the identity, which is taken away again at the end.
        Chefer, Gur, Wolf (2021), Generic Attention-model Explainability, arXiv:2103.15679, equations 5 and 6.
        """
        if self.gradients is None:
            raise InputError(
                "relevance: there was no target, because one sample's output is not a row of classes. Give one: "
                "dlx.attention(model, inputs, target=(position, class))."
            )
        names = self._chain(layers)
        size = self.maps[names[0]].shape[-1]
        relevance = np.broadcast_to(np.eye(size), (len(self.maps[names[0]]), size, size))
        for name in names:
            useful = np.maximum(self.maps[name].astype(np.float64) * self.gradients[name], 0).mean(1)
            relevance = relevance + useful @ relevance
        return (relevance - np.eye(size)).astype(np.float32)

    def _chain(self, layers: Sequence[str] | None) -> list[str]:
        """The self-attention layers meant, all over the same tokens. Raises `InputError`."""
        names = [layers] if isinstance(layers, str) else list(layers or self.maps)
        square = {name: self[name].shape[-1] for name in names if self[name].shape[2] == self[name].shape[3]}
        if layers is None:
            names = list(square)
        crossing = [name for name in names if name not in square or name in self.windowed]
        if not names or crossing or len({square[name] for name in names}) > 1:
            sizes = ", ".join(f"{name} {' × '.join(map(str, self[name].shape[2:]))}" for name in self.maps)
            raise InputError(
                "attention: only layers of self-attention over the same tokens can be followed through; here are "
                f"{sizes}{'; in windows: ' + ', '.join(self.windowed) if self.windowed else ''}. Name a chain with layers=[…]."
            )
        return names

    def plot(self, kind: str = "maps", **options: Any):
        """A Plotly figure: `maps` of one layer's heads, `rollout` or `relevance`; see `figures.attention`."""
        from dlexplain import figures

        return figures.attention(self, kind, **options)

    def __repr__(self) -> str:
        first = next(iter(self.maps.values()))
        heads = sorted({m.shape[1] for m in self.maps.values()})
        return (
            f"Attention of {len(self.maps)} layers ({self.framework}), {'/'.join(map(str, heads))} heads, {len(first)} "
            f"samples{'' if self.gradients is None else ', with gradients of the target'}"
        )


def attention(
    model: Any, inputs: Any, *, target: Any = None, layers: Sequence[str] | None = None, batch_size: int | None = None
) -> Attention:
    """The weights of every attention in the model, and the target's gradient to them.

    `target` as in `explain`; None: the predicted class, or no gradients where one sample's output is not a row of classes.
    Seen are the attention layers of both frameworks and, in Torch, `scaled_dot_product_attention` and a softmax that is
    multiplied with values. Raises `UnsupportedModelError` where none is, or where what was seen does not give the output.
    """
    asked = wrap(model)
    arrays = asked.inputs(inputs)
    rows = asked.rows(arrays, batch_size)
    outputs = asked.all_outputs(arrays, rows)
    groups: list[tuple[np.ndarray, Target | None]] = [(np.arange(len(arrays[0])), None)]
    given = target is not None or outputs[0].ndim < 3
    if given:
        groups = list(targets.resolve(target, outputs, asked.class_names))
    parts: dict[str, list] = {}
    for part, goal in groups:
        for block in blocks(len(part), rows):
            own = part[block]
            found = _seen(asked, arrays, outputs, own, None if goal is None else goal.take(block))
            for one in found:
                parts.setdefault(one.layer, []).append((own, one))
    for name in layers or ():
        if name not in parts:
            raise InputError(
                f"layers: {name!r} does not attend. {suggest(name, parts)}Those that do: {', '.join(parts)}."
            )
    kept = {name: pieces for name, pieces in parts.items() if layers is None or name in layers}
    return Attention(
        {name: _joined([(own, one.weights) for own, one in pieces]) for name, pieces in kept.items()},
        {name: _joined([(own, one.gradient) for own, one in pieces]) for name, pieces in kept.items()}
        if given
        else None,
        tuple(name for name, pieces in kept.items() if not pieces[0][1].whole),
        arrays[0] if len(arrays) == 1 else arrays,
        targets.merged(groups, len(arrays[0]), len(outputs)) if given else None,
        asked.framework,
        asked.fingerprint,
    )


def _seen(model: Model, inputs: Inputs, outputs: tuple[np.ndarray, ...], own: np.ndarray, goal: Target | None) -> list:
    found, again = model.attended(tuple(a[own] for a in inputs), goal)
    if not found:
        raise UnsupportedModelError(
            "attention: no attention was seen in this model. Seen are nn.MultiheadAttention, scaled_dot_product_attention "
            "and softmax times values (Torch); MultiHeadAttention, GroupQueryAttention, Attention and AdditiveAttention "
            "(Keras). Methods that work on any model: integrated_gradients, occlusion."
        )
    for output, other in zip(outputs, again, strict=True):
        if not np.allclose(output[own], other, rtol=1e-3, atol=1e-4 * max(1.0, float(np.abs(output).max()))):
            raise UnsupportedModelError(
                "attention: with its weights made visible the model gives other outputs, so the weights would not be those "
                "that it works with. Methods that work on any model: integrated_gradients, occlusion."
            )
    return found


def _joined(pieces: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    whole = np.zeros((sum(len(own) for own, _ in pieces), *pieces[0][1].shape[1:]), np.float32)
    for own, values in pieces:
        whole[own] = values
    return whole
