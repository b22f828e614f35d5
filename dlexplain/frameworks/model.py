"""What a network can be asked, whichever its framework. Arrays are NumPy, in the user's own layout."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar

import numpy as np

from dlexplain.errors import InputError, suggest
from dlexplain.frameworks.attention import Attended
from dlexplain.frameworks.flops import Flops
from dlexplain.frameworks.inputs import as_inputs, check_finite, check_tokens
from dlexplain.frameworks.kernels import Kernel
from dlexplain.frameworks.questions import Inputs, Layer, Masks, Points, Target, blocks
from dlexplain.frameworks.targets import resolve


class Model(ABC):
    """A Keras or Torch model that can be asked; `raw` is the user's own, which is never changed."""

    framework: ClassVar[str]
    batch_bytes: ClassVar[int]  # that the activations of one batch may take
    batch_rows: ClassVar[int]  # that one batch may hold, however small they are
    raw: Any
    class_names: tuple[str, ...] | None
    feature_names: tuple[str, ...] | None
    layout: str | None
    device: str
    input_names: tuple[str, ...]
    input_shapes: tuple[tuple[int | None, ...], ...] | None

    # ---- the questions: a framework's file answers these, on tuples of arrays ------------------------------------

    @abstractmethod
    def outputs(self, inputs: Inputs) -> tuple[np.ndarray, ...]:
        """Scores: every output for one batch."""

    @abstractmethod
    def fed(self, inputs: Inputs, entries: Inputs) -> tuple[np.ndarray, ...]:
        """Scores for one batch with the entries in the place of the inputs' own; token ids still tell the padding."""

    @abstractmethod
    def entries(self, inputs: Inputs) -> Inputs:
        """The arrays with respect to which the network is differentiable: the inputs, or for token ids their
        embeddings `(n, length, width)`."""

    @abstractmethod
    def one_gradient(self, inputs: Inputs, target: Target, layer: str | None = None) -> tuple[Inputs, Inputs]:
        """Where (entries, or a layer's activations) and the gradient of the target there."""

    @abstractmethod
    def many_gradients(self, inputs: Inputs, target: Target, points: Points, rows: int) -> tuple[Inputs, Inputs]:
        """Weighted sums over the points of each entry's gradient and (if asked) of its square; float64."""

    @abstractmethod
    def many_masks(self, inputs: Inputs, target: Target, masks: Masks, fills: Inputs, rows: int) -> np.ndarray:
        """`(n, masks.count)`: the target under each mask, its mean over the fills `(m or n, *shape)` given per
        input; fills of n samples with `m == n` are never paired: m counts a background set."""

    @abstractmethod
    def inside(self, inputs: Inputs, layers: Sequence[str]) -> dict[str, np.ndarray]:
        """The activations of named layers for one batch."""

    @abstractmethod
    def run_from(self, layer: str, activations: np.ndarray, inputs: Any) -> np.ndarray | tuple[np.ndarray, ...]:
        """The outputs when `layer` gives `activations` instead; `inputs` feed whatever else the outputs need."""

    @abstractmethod
    def contributions(
        self,
        inputs: Inputs,
        references: Inputs,
        target: Target,
        rows: int,
        *,
        background: bool = False,
        layer: str | None = None,
    ) -> Inputs:
        """On the operation graph: what each entry's difference from its reference adds to the target (DeepLIFT).

        float64 `(n, *entry shape)`; the mean over references `(m, *shape)` when `background`, else they are
        `(1 or n, *shape)`. `layer`: of its activations instead of the inputs. Raises `UnsupportedModelError`.
        """

    @abstractmethod
    def modified_gradient(self, inputs: Inputs, target: Target, rule: str) -> Inputs:
        """On the operation graph: the gradient to the entries with another rule at each ReLU, "guided" or "deconvnet"."""

    @abstractmethod
    def relevance(self, inputs: Inputs, target: Target, rule: str, options: Mapping[str, float]) -> Inputs:
        """On the operation graph: the output handed back to the entries by a rule of layer-wise relevance (LRP)."""

    def attended(self, inputs: Inputs, target: Target | None = None) -> tuple[list[Attended], tuple[np.ndarray, ...]]:
        """Every attention of one batch in the order of the calls, with the target's gradient to its weights when
        there is a target; and the outputs that came with them."""
        inside = importlib.import_module(f"dlexplain.frameworks.{self.framework}_attention")
        return inside.attended(self, inputs, target)

    def ending_at(self, layer: str, inputs: Inputs, *, mean: bool = False) -> Model:
        """The model up to the layer: its output is the activations `(n, ...)`, or `(n, units)`, means over places."""
        rank = len(self.shapes(inputs).get(layer.partition(":")[0], ())) + 1
        return importlib.import_module(f"dlexplain.frameworks.{self.framework}_views").ending(self, layer, mean, rank)

    def entering_at(self, layer: str) -> Model:
        """The model from the layer on: its inputs are the activations and, after them, the model's own inputs."""
        return importlib.import_module(f"dlexplain.frameworks.{self.framework}_views").entering(self, layer)

    def within(self, layer: str) -> str:
        """What a layer is called in such a view."""
        return importlib.import_module(f"dlexplain.frameworks.{self.framework}_views").within(self, layer)

    def weighted(self, inputs: Inputs) -> tuple[str, ...]:
        """The layers that hold learned weights of their own, by their first call; each weight is in one of them.

        The empty name, before all, stands for weights that the model itself holds beside its layers.
        """
        return importlib.import_module(f"dlexplain.frameworks.{self.framework}_weights").weighted(self, inputs)

    def flops(self, inputs: Inputs) -> Flops:
        """What one sample's way through costs, and which operations the count leaves out."""
        return importlib.import_module(f"dlexplain.frameworks.{self.framework}_flops").counted(self, inputs)

    def kernels(self) -> tuple[Kernel, ...]:
        """The weights of two axes or more that training moves, beside what the framework draws them from."""
        return importlib.import_module(f"dlexplain.frameworks.{self.framework}_kernels").kernels(self)

    def rectified(self, inputs: Inputs) -> dict[str, np.ndarray]:
        """`{layer: (n, units)}`: each unit's largest value over places behind each ReLU that is seen, for one batch."""
        return importlib.import_module(f"dlexplain.frameworks.{self.framework}_rectified").rectified(self, inputs)

    def shifted(self, shifts: tuple[np.ndarray | None, ...]) -> Model:
        """The model that first takes a shift away from each input (None: from that one nothing)."""
        return importlib.import_module(f"dlexplain.frameworks.{self.framework}_shifted").shifted(self, shifts)

    @abstractmethod
    def unit_gradient(self, inputs: Inputs, layer: str, units: np.ndarray) -> tuple[np.ndarray, Inputs]:
        """`(n,)`: the mean activation of one unit of the layer a sample, and its gradient to the entries."""

    @property
    @abstractmethod
    def layers(self) -> tuple[Layer, ...]:
        """Every layer in the order in which it was built."""

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """SHA-256 over structure and weights, in hexadecimal."""

    @abstractmethod
    def reinitialised(self, layers: Sequence[str], seed: int) -> Model:
        """A copy in which the named layers have fresh random weights; the empty name: the model's own beside them."""

    @abstractmethod
    def token_inputs(self, inputs: Inputs) -> tuple[int | None, ...]:
        """For each input the size of the vocabulary if it holds token ids, else None."""

    @abstractmethod
    def padding(self, input: int) -> int | None:
        """The token id that stands for nothing, where the model knows one."""

    @abstractmethod
    def preserved(self, seed: int = 0) -> AbstractContextManager[None]:
        """For other libraries' explainers: whatever they change in the model or the framework comes back,
        and its random state, which starts from the seed."""

    @abstractmethod
    def native(self, inputs: Inputs) -> tuple[Any, ...]:
        """The inputs as the framework's own tensors, for the bridges to other libraries."""

    @abstractmethod
    def row_bytes(self, inputs: Inputs) -> int:
        """Bytes of activations that one sample takes on its way through."""

    @abstractmethod
    def shapes(self, inputs: Inputs) -> dict[str, tuple[int, ...]]:
        """The shape of one sample's activations of each layer, in the order of the calls."""

    @abstractmethod
    def channels_first(self, layer: str, rank: int) -> bool:
        """Whether activations of the layer, with this rank, hold their channels right after the samples."""

    def afresh(self, inputs: Inputs) -> tuple[np.ndarray, ...]:
        """Scores for one batch as the model gives them now, past anything prepared before it was changed."""
        return self.outputs(inputs)

    @abstractmethod
    def forget(self) -> None:
        """Drops what was prepared from the model."""

    # ---- what follows from them ----------------------------------------------------------------------------------

    def inputs(self, value: Any, name: str = "inputs") -> Inputs:
        """Whatever the user gave, as a tuple of finite arrays with a sample axis. Raises `InputError`."""
        arrays = as_inputs(value, self.input_shapes, self.input_names, name)
        vocabularies = self.token_inputs(arrays)
        for i, array in enumerate(arrays):
            label = name if len(arrays) == 1 else f"{name}[{i}]"
            check_finite(array, label)
            if vocabularies[i] is not None:
                check_tokens(array, vocabularies[i], label)
        return arrays

    def rows(self, inputs: Inputs, batch_size: int | None = None) -> int:
        """How many samples to run at once."""
        if batch_size is not None:
            if isinstance(batch_size, bool) or not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
                raise InputError(f"batch_size={batch_size!r} must be a whole number from 1 on, or None.")
            return int(batch_size)
        return int(np.clip(self.batch_bytes // max(self.row_bytes(inputs), 1), 4, self.batch_rows))

    def all_outputs(self, inputs: Inputs, rows: int) -> tuple[np.ndarray, ...]:
        """Every output, in batches."""
        parts = [self.outputs(tuple(a[b] for a in inputs)) for b in blocks(len(inputs[0]), rows)]
        return tuple(np.concatenate(part) for part in zip(*parts, strict=True))

    def scores(self, inputs: Inputs, target: Target, rows: int) -> np.ndarray:
        """`(n,)`: the target of each sample."""
        return target.of(self.all_outputs(inputs, rows))

    def outputs_at(self, inputs: Inputs, target: Target, rows: int) -> np.ndarray:
        """`(n,)`: each sample's target at other inputs, its mean over `(m, *shape)` of them."""
        output = self.all_outputs(inputs, rows)[target.head]
        output = output.reshape(len(output), 1) if output.ndim == 1 else output
        every = output[(np.arange(len(output))[:, None], *(axis[None] for axis in target.index.T))]
        return every.astype(np.float64).mean(0)

    def embedded_scores(
        self, inputs: Inputs, baseline: Inputs, target: Target, rows: int, *, background: bool
    ) -> np.ndarray:
        """`(n,)`: the target of each sample with the embeddings of the baseline's token ids and its own padding;
        the mean over a background set `(m, *shape)`."""
        n, total = len(inputs[0]), np.zeros(len(inputs[0]))
        entries = self.entries(baseline)
        m = len(baseline[0]) if background else 1
        for j in range(m):
            for b in blocks(n, rows):
                given = tuple(
                    e[b] if not background and len(e) == n else np.repeat(e[j : j + 1], b.stop - b.start, 0)
                    for e in entries
                )
                total[b] += target.take(b).of(self.fed(tuple(a[b] for a in inputs), given))
        return total / m

    def predict(self, inputs: Any, *, batch_size: int | None = None) -> np.ndarray | tuple[np.ndarray, ...]:
        """The outputs, `(n, ...)`; a tuple of arrays for a model of several outputs."""
        arrays = self.inputs(inputs)
        outputs = self.all_outputs(arrays, self.rows(arrays, batch_size))
        return outputs if len(outputs) > 1 else outputs[0]

    def gradient(self, inputs: Any, target: Any = None, *, batch_size: int | None = None):
        """The gradient of the target to the inputs, in their shape; for token ids to their embeddings."""
        arrays = self.inputs(inputs)
        rows = self.rows(arrays, batch_size)
        result = [np.zeros(0)] * len(arrays)
        for part, goal in self.targets(arrays, target, rows):
            sample = tuple(a[part] for a in arrays)
            pieces = [self.one_gradient(tuple(a[b] for a in sample), goal.take(b))[1] for b in blocks(len(part), rows)]
            for i, gradients in enumerate(zip(*pieces, strict=True)):
                values = np.concatenate(gradients)
                if not result[i].size:
                    result[i] = np.zeros((len(arrays[0]), *values.shape[1:]), values.dtype)
                result[i][part] = values
        return tuple(result) if len(result) > 1 else result[0]

    def activations(
        self, inputs: Any, layers: str | Sequence[str] | None = None, *, batch_size: int | None = None
    ) -> dict[str, np.ndarray]:
        """The outputs of named layers (None: all), `{name: (n, ...)}`, in the model's own layout."""
        arrays = self.inputs(inputs)
        names = [layers] if isinstance(layers, str) else list(layers) if layers is not None else None
        if names is None:
            names = list(self.shapes(arrays))
        for name in names:
            self.check_layer(name)
        parts = [
            self.inside(tuple(a[b] for a in arrays), names)
            for b in blocks(len(arrays[0]), self.rows(arrays, batch_size))
        ]
        absent = [name for name in names if name not in parts[0]]
        if absent and layers is not None:
            raise InputError(f"layer {absent[0]!r}: the model does not call it on these inputs (or not that often).")
        return {name: np.concatenate([part[name] for part in parts]) for name in names if name in parts[0]}

    def targets(self, inputs: Inputs, target: Any, rows: int) -> list[tuple[np.ndarray, Target]]:
        """The user's target as groups (which samples, which output of each); see `api.md`."""
        return resolve(target, self.all_outputs(inputs, rows), self.class_names)

    def check_layer(self, name: str) -> None:
        """Raises `InputError` that names the near one."""
        known = [layer.name for layer in self.layers]
        if str(name).partition(":")[0] not in known:
            raise InputError(f"layer {name!r} is not in this model. {suggest(name, known)}Layers: {', '.join(known)}.")

    def kinds(self, inputs: Inputs) -> tuple[str, ...]:
        """What each input is: an image, a table, a series or tokens."""
        sequence = ("Conv1", "LSTM", "GRU", "RNN", "Attention", "Pooling1D", "Pool1d", "Transformer")
        over_time = any(word in layer.type for layer in self.layers for word in sequence)
        kinds = []
        for array, vocabulary in zip(inputs, self.token_inputs(inputs), strict=True):
            rank = array.ndim - 1
            plain = "series" if over_time or self.feature_names is not None else "image"
            kinds.append("tokens" if vocabulary is not None else {1: "table", 2: plain, 3: "image"}.get(rank, "table"))
        return tuple(kinds)

    def options(self) -> Mapping[str, Any]:
        """What `wrap` was told, to wrap a copy alike."""
        return {"class_names": self.class_names, "feature_names": self.feature_names, "layout": self.layout}

    def __repr__(self) -> str:
        shapes = "" if self.input_shapes is None else " inputs " + " + ".join(map(str, self.input_shapes))
        return (
            f"Model({self.framework}: {type(self.raw).__name__},{shapes} {len(self.layers)} layers, on {self.device})"
        )
