"""A Torch module asked: hooks as taps on its layers, everything as it was when the question is answered."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from dlexplain.errors import InputError, UnsupportedModelError
from dlexplain.frameworks.model import Model
from dlexplain.frameworks.questions import Inputs, Layer, Masks, Points, Target, grid, laid
from dlexplain.frameworks.torch_called import called
from dlexplain.frameworks.torch_inside import Tap, layout_of, named_modules, refuse_batch_statistics, tapped
from dlexplain.frameworks.torch_inside import tensors as tensors_of
from dlexplain.frameworks.torch_tensors import channels_last, heap_kept, mixed_by, numpy_of, place
from dlexplain.frameworks.torch_tokens import EMBEDDINGS, looked_up, put_out, token_sites, vocabulary
from dlexplain.frameworks.torch_weights import refresh

_LOCKS: weakref.WeakKeyDictionary[nn.Module, threading.RLock] = weakref.WeakKeyDictionary()
# What a sample takes on its way through a module, and its layers' shapes and calls: the same at every wrapping.
_SIZES: weakref.WeakKeyDictionary[nn.Module, dict] = weakref.WeakKeyDictionary()
# Whether a module runs on pictures laid out channels last, by the shapes of its inputs and its parts.
_LAST: weakref.WeakKeyDictionary[nn.Module, dict] = weakref.WeakKeyDictionary()
_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


class TorchModel(Model):
    framework = "torch"
    # Tensors of a few MB stay in the processor's cache and in memory that Torch has at hand.
    batch_bytes = 20 << 20
    batch_rows = 4096

    def __init__(
        self, raw: nn.Module, *, class_names=None, feature_names=None, input_shapes=None, layout=None, device=None
    ) -> None:
        self.raw, self.class_names, self.feature_names = raw, class_names, feature_names
        refuse_batch_statistics(raw)
        weight = next((p for p in raw.parameters() if p.is_floating_point()), None)
        held = weight.device if weight is not None else torch.device("cpu")
        if device is not None and weight is not None and torch.device(device).type != held.type:
            raise InputError(
                f"device={device!r}: the model's weights are on {held}. Move them first: model.to({device!r})."
            )
        self._device = torch.device(device) if device is not None and weight is None else held
        self._dtype = weight.dtype if weight is not None else torch.float32
        self.device = str(self._device)
        self.input_shapes = input_shapes
        self.input_names = tuple(f"input {i}" for i in range(len(input_shapes or (0,))))
        self.layout = layout if layout is not None else layout_of(raw)
        if self._device.type == "cpu":
            heap_kept(self.batch_bytes)
        self._lock = _LOCKS.setdefault(raw, threading.RLock())
        self._entry_sites: dict[int, list[str]] = {}
        self._float_ids: set[int] = set()
        self._vocabularies: dict[tuple, tuple[int | None, ...]] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._calls: dict[str, int] = {}
        self._last = False

    @property
    def _modules(self) -> dict[str, nn.Module]:
        """Looked up at every question: the user may have replaced a part since."""
        return named_modules(self.raw)

    @property
    def _embeddings(self) -> list[str]:
        return [name for name, module in self._modules.items() if isinstance(module, EMBEDDINGS)]

    # ---- the questions -------------------------------------------------------------------------------------------

    def outputs(self, inputs: Inputs) -> tuple[np.ndarray, ...]:
        with self._asked(), torch.no_grad():
            return tuple(map(numpy_of, self._run(self._tensors(inputs))))

    def fed(self, inputs: Inputs, entries: Inputs) -> tuple[np.ndarray, ...]:
        given = [torch.as_tensor(e, dtype=self._dtype, device=self._device) for e in entries]
        with self._asked(), torch.no_grad():
            return tuple(map(numpy_of, self._feed(self._tensors(inputs), given)))

    def entries(self, inputs: Inputs) -> Inputs:
        tensors = self._tensors(inputs)
        with self._asked(), torch.no_grad():
            return tuple(map(numpy_of, self._entries(tensors)))

    def one_gradient(self, inputs: Inputs, target: Target, layer: str | None = None) -> tuple[Inputs, Inputs]:
        tensors = self._tensors(inputs)
        with self._asked(), torch.enable_grad():
            if layer is None:
                where = [e.detach().requires_grad_() for e in self._entries(tensors)]
                score = self._score(self._feed(tensors, where), target)
            else:
                score, caught = self._caught(tensors, target, layer)
                where = [caught]
            gradients = self._grad(score.sum(), where, inside=layer is not None)
        return tuple(map(numpy_of, where)), tuple(map(numpy_of, gradients))

    def many_gradients(self, inputs: Inputs, target: Target, points: Points, rows: int) -> tuple[Inputs, Inputs]:
        n, k = len(inputs[0]), len(points.weights)
        tensors = self._tensors(inputs)
        with self._asked():
            with torch.no_grad():
                self._learn_order(tensors)
                entries = self._fast(self._entries(tensors))
                baseline = (
                    None if points.baseline is None else self._fast(self._entries(self._tensors(points.baseline)))
                )
            sums = [np.zeros(e.shape, np.float64) for e in entries]
            squares = [np.zeros(e.shape, np.float64) for e in entries] if points.squares else []
            for ns, ks in grid(n, k, rows):
                x, b, p = place(tuple(e[ns] for e in entries), baseline, points, ns, ks)
                with torch.enable_grad():
                    flat = [q.detach().requires_grad_() for q in self._fast([q.flatten(0, 1) for q in p])]
                    repeated = tuple(self._repeated(i, t[ns], ks.stop - ks.start) for i, t in enumerate(tensors))
                    goal = Target(np.repeat(target.index[ns], ks.stop - ks.start, 0), target.head)
                    gradients = self._grad(self._score(self._feed(repeated, flat), goal).sum(), flat)
                weights = torch.as_tensor(points.weights[ks], device=self._device)
                for i, gradient in enumerate(gradients):
                    gradient = gradient.reshape(p[i].shape)
                    if points.contribution and points.draws is not None:
                        gradient = gradient * (x[i] - b[i])
                    # One baseline a sample: the difference is the same at every point and multiplies the sum.
                    later = (x[i] - b[i])[:, 0] if points.contribution and points.draws is None else 1
                    sums[i][ns] += numpy_of(later * torch.einsum("k,nk...->n...", weights.to(gradient.dtype), gradient))
                    if squares:
                        square = torch.einsum("k,nk...->n...", weights.double(), gradient.double() ** 2)
                        squares[i][ns] += numpy_of(later**2 * square)
        return tuple(sums), tuple(squares)

    def many_masks(self, inputs: Inputs, target: Target, masks: Masks, fills: Inputs, rows: int) -> np.ndarray:
        n, scores = len(inputs[0]), np.zeros((len(inputs[0]), masks.count), np.float64)
        with self._asked(), torch.no_grad():
            tensors = self._tensors(inputs)
            self._learn_order(tensors)
            tensors, filled = self._fast(tensors), self._fast(self._tensors(fills))
            for ns, ks, kept in laid(
                masks, n, rows, lambda block: [torch.as_tensor(m, device=self._device) for m in block]
            ):
                goal = Target(np.repeat(target.index[ns], ks.stop - ks.start, 0), target.head)
                for j in range(len(filled[0])):
                    mixed = tuple(mixed_by(t[ns], f[j], m) for t, f, m in zip(tensors, filled, kept, strict=True))
                    score = self._score(self._run(self._fast(mixed)), goal)
                    scores[ns, ks] += numpy_of(score).reshape(-1, ks.stop - ks.start)
        return scores / len(fills[0])

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
        from dlexplain.frameworks.graph import torch_walk

        return torch_walk.contributions(
            self, inputs, references, target, rows, background=background, layer=layer
        )

    def modified_gradient(self, inputs: Inputs, target: Target, rule: str) -> Inputs:
        from dlexplain.frameworks.graph import torch_modified

        return torch_modified.modified_gradient(self, inputs, target, rule)

    def relevance(self, inputs: Inputs, target: Target, rule: str, options: Mapping[str, float]) -> Inputs:
        from dlexplain.frameworks.graph import torch_relevance

        return torch_relevance.relevance(self, inputs, target, rule, options)

    def inside(self, inputs: Inputs, layers: Sequence[str]) -> dict[str, np.ndarray]:
        caught: dict[str, np.ndarray] = {}
        # Cloned: the next layer may work in place.
        taps = {name: (lambda t, name=name: caught.update({name: numpy_of(t.clone())})) for name in layers}
        tensors = self._tensors(inputs)  # before the taps: the first time, tokens are looked for by running the model
        with self._asked(), torch.no_grad(), tapped(self.raw, taps):
            self._run(tensors)
        return caught

    def run_from(self, layer: str, activations: np.ndarray, inputs: Any) -> np.ndarray | tuple[np.ndarray, ...]:
        self.check_layer(layer)
        tensors = self._tensors(self.inputs(inputs))
        given = torch.as_tensor(np.asarray(activations), device=self._device, dtype=self._dtype)
        with self._asked(), torch.no_grad(), tapped(self.raw, {layer: lambda _: given}):
            outputs = tuple(map(numpy_of, self._run(tensors)))
        return outputs if len(outputs) > 1 else outputs[0]

    @property
    def layers(self) -> tuple[Layer, ...]:
        return tuple(
            Layer(
                name,
                type(module).__name__,
                self._shapes.get(name),
                sum(p.numel() for p in module.parameters()),
                self._calls.get(name, 0 if self._calls else 1),
            )
            for name, module in self._modules.items()
            if not isinstance(module, _CONTAINERS)
        )

    @property
    def fingerprint(self) -> str:
        digest = hashlib.sha256(repr(self.raw).encode())
        for name, value in self.raw.state_dict(keep_vars=True).items():
            if not isinstance(value, torch.Tensor):
                continue
            digest.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
            flat = value.detach().cpu().contiguous().reshape(-1)
            digest.update(flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b"")
        return digest.hexdigest()

    def reinitialised(self, layers: Sequence[str], seed: int) -> Model:
        with self._lock:
            twin = copy.deepcopy(self.raw)
        modules = dict(twin.named_modules())
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            for name in layers:
                if name == "":
                    refresh(twin, whole=False)
                    continue
                self.check_layer(name)
                if not any(p.is_floating_point() for p in modules[name].parameters()):
                    raise UnsupportedModelError(
                        f"reinitialised: layer {name!r} ({type(modules[name]).__name__}) has no weights; "
                        "name a layer that has."
                    )
                refresh(modules[name])
        return TorchModel(twin, input_shapes=self.input_shapes, **self.options())

    def token_inputs(self, inputs: Inputs) -> tuple[int | None, ...]:
        if not self._embeddings:
            return (None,) * len(inputs)
        key = tuple((a.shape[1:], a.dtype.kind) for a in inputs)
        if key not in self._vocabularies:
            sites, as_floats = token_sites(self, inputs)
            self._entry_sites.update(sites)
            self._float_ids |= as_floats
            self._vocabularies[key] = tuple(vocabulary(self._modules, sites.get(i)) for i in range(len(inputs)))
        return self._vocabularies[key]

    def padding(self, input: int) -> int | None:
        sites = self._entry_sites.get(input, ())
        return next((p for s in sites if (p := self._modules[s.partition(":")[0]].padding_idx) is not None), None)

    @contextlib.contextmanager
    def preserved(self, seed: int = 0) -> Iterator[None]:
        hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
        with self._asked():
            modules = list(self.raw.modules())
            kept = [(m, {h: m.__dict__[h].copy() for h in hooks if h in m.__dict__}, set(m.__dict__)) for m in modules]
            needs = [(p, p.requires_grad, p.grad) for p in self.raw.parameters()]
            torch.manual_seed(seed)
            try:
                with torch.enable_grad():
                    yield
            finally:
                for module, before, names in kept:
                    module.__dict__.update(before)
                    for name in set(module.__dict__) - names:
                        del module.__dict__[name]
                for parameter, required, gradient in needs:
                    parameter.requires_grad_(required)
                    parameter.grad = gradient

    def native(self, inputs: Inputs) -> tuple[torch.Tensor, ...]:
        return self._tensors(inputs)

    def row_bytes(self, inputs: Inputs) -> int:
        modules = self._modules
        key = (*(a.shape[1:] for a in inputs), *((name, id(module)) for name, module in modules.items()))
        known = _SIZES.setdefault(self.raw, {})
        if key not in known:
            sizes, shapes, calls = [0], {}, {}

            def measure(name: str) -> Tap:
                def tap(output: torch.Tensor) -> None:
                    if not list(modules[name].children()):
                        sizes.append(output.numel() * output.element_size())
                    shapes.setdefault(name, tuple(output.shape[1:]))
                    calls[name] = calls.get(name, 0) + 1

                return tap

            every = {f"{name}:*": measure(name) for name in modules}
            with self._asked(), torch.no_grad(), tapped(self.raw, every):
                self._run(self._tensors(tuple(a[:1] for a in inputs)))
            known.clear()
            known[key] = sum(sizes) + sum(a[:1].nbytes for a in inputs), shapes, calls
        size, self._shapes, self._calls = known[key]
        return size

    def shapes(self, inputs: Inputs) -> dict[str, tuple[int, ...]]:
        self.forget()
        self.row_bytes(inputs)
        return dict(self._shapes)

    def forget(self) -> None:
        _SIZES.pop(self.raw, None)
        _LAST.pop(self.raw, None)

    # ---- running the user's module and leaving it as it was ------------------------------------------------------

    @contextlib.contextmanager
    def _asked(self) -> Iterator[None]:
        """Inference mode for the length of a question; modes and random state come back whatever happens."""
        cuda = [self._device] if self._device.type == "cuda" else []
        with self._lock:
            modes = [(module, module.training) for module in self.raw.modules()]
            try:
                for module, training in modes:
                    if training:
                        module.training = False
                # Recurrent layers of cuDNN have no backward pass in inference mode.
                with (
                    torch.inference_mode(False),
                    torch.random.fork_rng(cuda),
                    torch.backends.cudnn.flags(enabled=not (cuda and self._recurrent())),
                ):
                    yield
            finally:
                for module, training in modes:
                    if module.training != training:
                        module.training = training

    def _recurrent(self) -> bool:
        return any(isinstance(module, nn.RNNBase) for module in self._modules.values())

    def _run(self, tensors: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        return tensors_of(called(self.raw, tensors))

    def _entries(self, tensors: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        """Inputs as they are; token ids as the outputs of the embeddings that read them, side by side."""
        found = []
        for i, tensor in enumerate(tensors):
            sites = self._entry_sites.get(i)
            if not sites:
                found.append(tensor)
                continue
            modules = [self._modules[site.partition(":")[0]] for site in sites]
            found.append(torch.cat([looked_up(module, tensor.long()) for module in modules], -1))
        return tuple(found)

    def _feed(
        self,
        tensors: tuple[torch.Tensor, ...],
        entries: Sequence[torch.Tensor],
        taps_beyond: Mapping[str, Tap] | None = None,
    ) -> tuple[torch.Tensor, ...]:
        """The outputs with the entries in the place of what the inputs (or their embeddings) would be.

        `taps_beyond` see the layers with the entries already in place.
        """
        inputs, taps = [], {}
        for i, (tensor, entry) in enumerate(zip(tensors, entries, strict=True)):
            sites = self._entry_sites.get(i)
            inputs.append(tensor if sites else entry)
            if sites:
                widths = [self._modules[site.partition(":")[0]].embedding_dim for site in sites]
                for site, part in zip(sites, entry.split(widths, -1), strict=True):
                    module = self._modules[site.partition(":")[0]]
                    taps[site] = lambda _, part=part, module=module, ids=tensor: put_out(module, ids.long(), part)
        with tapped(self.raw, taps), tapped(self.raw, taps_beyond or {}):
            return self._run(tuple(inputs))

    def _score(self, outputs: tuple[torch.Tensor, ...], target: Target) -> torch.Tensor:
        output = outputs[target.head]
        output = output.reshape(len(output), 1) if output.ndim == 1 else output
        if output.ndim == 2 and (target.index == target.index[0]).all():
            return output[:, int(target.index[0, 0])]
        index = torch.as_tensor(target.index, device=output.device)
        if output.ndim == 2:
            return output.gather(1, index)[:, 0]
        return output[(torch.arange(len(output), device=output.device), *index.T)]

    def _caught(self, tensors: tuple[torch.Tensor, ...], target: Target, layer: str):
        """The score and the layer's activations, on one graph. The clone keeps them from in-place operations."""
        caught: list[torch.Tensor] = []

        def tap(output: torch.Tensor) -> torch.Tensor:
            caught.append(output if output.requires_grad else output.detach().requires_grad_())
            return caught[0].clone()

        with tapped(self.raw, {layer: tap}):
            score = self._score(self._run(tensors), target)
        if not caught:
            raise InputError(f"layer {layer!r} is not called by the model on these inputs.")
        return score, caught[0]

    def unit_gradient(self, inputs: Inputs, layer: str, units: np.ndarray) -> tuple[np.ndarray, Inputs]:
        """`(n,)` mean activations of one unit of the layer a sample, and their gradients to the entries."""
        tensors, caught = self._tensors(inputs), []
        with self._asked(), torch.enable_grad():
            where = [e.detach().requires_grad_() for e in self._entries(tensors)]
            self._feed(tensors, where, {layer: lambda t: caught.append(t.clone())})
            if not caught:
                raise InputError(f"layer {layer!r} is not called by the model on these inputs.")
            value = caught[0].movedim(1, -1) if self.channels_first(layer, caught[0].ndim) else caught[0]
            if not 0 <= units.min() <= units.max() < value.shape[-1]:
                raise InputError(f"unit: layer {layer!r} has units 0 to {value.shape[-1] - 1}.")
            picked = value[torch.arange(len(value)), ..., torch.as_tensor(units, device=value.device)]
            score = picked.reshape(len(picked), -1).mean(1)
            return numpy_of(score), tuple(map(numpy_of, self._grad(score.sum(), where)))

    def channels_first(self, layer: str, rank: int) -> bool:
        """Whether a layer's activations of this rank have their channels on the first axis after the samples."""
        return (rank == 4 and self.layout == "channels_first") or (
            rank == 3 and "Conv" in type(self._modules[layer.partition(":")[0]]).__name__
        )

    def _grad(
        self, score: torch.Tensor, where: Sequence[torch.Tensor], *, inside: bool = False
    ) -> list[torch.Tensor]:
        """Raises `UnsupportedModelError` where nothing leads from `where` to the score; zeros for a layer `inside`."""
        gradients = [None] * len(where)
        if score.requires_grad:
            gradients = torch.autograd.grad(score, list(where), allow_unused=True)
        if all(g is None for g in gradients) and not inside:
            raise UnsupportedModelError(
                "The output does not depend on the inputs by differentiable operations (a rounding, an argmax, a "
                "detach or whole-number inputs stand between). Methods that work without gradients: occlusion, "
                "feature_ablation, shap:Kernel, shap:Permutation."
            )
        return [torch.zeros_like(w) if g is None else g for g, w in zip(gradients, where, strict=True)]

    def _repeated(self, i: int, tensor: torch.Tensor, k: int) -> torch.Tensor:
        """Each sample's token ids k times; other inputs are replaced by the points and need no copy."""
        return tensor.repeat_interleave(k, 0) if i in self._entry_sites else tensor

    def _tensors(self, inputs: Inputs) -> tuple[torch.Tensor, ...]:
        self.token_inputs(inputs)
        tensors = []
        for i, array in enumerate(inputs):
            dtype = torch.long if i in self._entry_sites and i not in self._float_ids else self._dtype
            tensors.append(torch.tensor(array, dtype=dtype, device=self._device))
        return tuple(tensors)

    def _learn_order(self, tensors: tuple[torch.Tensor, ...]) -> None:
        """Whether the module runs on pictures laid out channels last: a `view` of its own needs them as they were given.
        Asked of two samples, as of one the order of the first two axes is all the same to a `view`."""
        if not any(t.ndim == 4 for t in tensors):
            return
        known = _LAST.setdefault(self.raw, {})
        key = (*(t.shape[1:] for t in tensors), *((name, id(module)) for name, module in self._modules.items()))
        if key not in known:
            known.clear()
            self._last = True
            try:
                with torch.no_grad():
                    self._run(self._fast([t[:1].expand(2, *t.shape[1:]).clone() for t in tensors]))
                known[key] = True
            except RuntimeError:  # where it runs in neither order, the question itself says so
                known[key] = False
        self._last = known[key]

    def _fast(self, tensors: Sequence[torch.Tensor]) -> tuple[torch.Tensor, ...]:
        """Pictures in the order in which convolutions are fastest, where the module runs on it."""
        return tuple((channels_last(t) if self._last else t.contiguous()) if t.ndim == 4 else t for t in tensors)
