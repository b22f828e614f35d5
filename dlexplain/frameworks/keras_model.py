"""A Keras 3 model on TensorFlow asked: taps on its layers while a graph is traced, then the graph alone runs."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dlexplain.errors import InputError, UnsupportedModelError
from dlexplain.frameworks.keras_bodies import block_of, gradient_sums, masked_scores, slope_at
from dlexplain.frameworks.keras_inside import (
    Tap,
    declared,
    feed,
    layout_of,
    named_layers,
    reinitialise,
    run,
    static_shape,
    structure,
    tapped,
)
from dlexplain.frameworks.keras_kept import tensorflow_kept
from dlexplain.frameworks.keras_tensors import array_of, arrays_of, nonempty, score_of
from dlexplain.frameworks.keras_tokens import token_sites, vocabulary
from dlexplain.frameworks.model import Model
from dlexplain.frameworks.questions import Inputs, Layer, Masks, Points, Target, grid, laid

_LOCKS: weakref.WeakKeyDictionary[keras.Model, threading.RLock] = weakref.WeakKeyDictionary()
# Graphs outlive one wrapping, so that a second explanation of the same model need not trace again. They hold the
# model weakly; `forget` drops them where `afresh` says otherwise.
_TRACES: weakref.WeakKeyDictionary[keras.Model, dict] = weakref.WeakKeyDictionary()


class KerasModel(Model):
    framework = "keras"
    # A graph costs something to start, so TensorFlow likes its batches large.
    batch_bytes = 96 << 20
    batch_rows = 16384

    def __init__(
        self, raw: keras.Model, *, class_names=None, feature_names=None, input_shapes=None, layout=None, device=None
    ) -> None:
        if not raw.built:
            raise UnsupportedModelError(
                f"The Keras model {raw.name!r} has no weights yet: it was never built. Call it once, train it, or call "
                "model.build((None, ...)) with the shape of its inputs."
            )
        self.raw, self.class_names, self.feature_names = raw, class_names, feature_names
        given = declared(raw)
        self._dtypes = tuple(tensor.dtype for tensor in given)
        shapes = tuple(tuple(tensor.shape[1:]) for tensor in given) or None
        self.input_shapes = input_shapes if input_shapes is not None else shapes
        self.input_names = tuple(t.name for t in given) or tuple(
            f"input {i}" for i in range(len(self.input_shapes or (0,)))
        )
        self.layout = layout if layout is not None else layout_of(raw)
        self.device = device if device is not None else ("GPU:0" if tf.config.list_logical_devices("GPU") else "CPU:0")
        self._lock = _LOCKS.setdefault(raw, threading.RLock())
        self._traces = _TRACES.setdefault(raw, {})
        self._vocabularies: dict[tuple, tuple[int | None, ...]] = {}
        self._entry_sites: dict[int, list[str]] = {}
        self._seen: tuple[tuple[int, ...], ...] = ()
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._calls: dict[str, int] = {}
        self._bytes: dict[tuple, int] = {}

    # ---- the questions -------------------------------------------------------------------------------------------

    def outputs(self, inputs: Inputs) -> tuple[np.ndarray, ...]:
        ref = weakref.ref(self.raw)
        with self._asked():
            tensors = self._tensors(inputs)
            return arrays_of(self._graph("outputs", lambda *x: run(ref(), x), tensors)(*tensors))

    def fed(self, inputs: Inputs, entries: Inputs) -> tuple[np.ndarray, ...]:
        ref, sites = weakref.ref(self.raw), dict(self._entry_sites)

        def body(*both):
            return feed(ref(), sites, both[: len(both) // 2], both[len(both) // 2 :])

        with self._asked():
            tensors = self._tensors(inputs)
            given = (
                tf.constant(e, tf.float32 if i in sites else t.dtype)
                for i, (t, e) in enumerate(zip(tensors, entries, strict=True))
            )
            tensors = (*tensors, *given)
            return arrays_of(self._graph(("fed", tuple(sites)), body, tensors)(*tensors))

    def entries(self, inputs: Inputs) -> Inputs:
        with self._asked():
            return arrays_of(self._entries(self._tensors(inputs)))

    def one_gradient(self, inputs: Inputs, target: Target, layer: str | None = None) -> tuple[Inputs, Inputs]:
        with self._asked():
            tensors = self._tensors(inputs)
            index = tf.constant(target.index, tf.int64)
            if layer is None:
                where = self._entries(tensors)
                return arrays_of(where), arrays_of(self._gradients(tensors, where, index, target.head))
            body, head = slope_at(weakref.ref(self.raw), layer, target.head), target.head
            values, gradient = self._graph(("layer", layer, head), body, (index, *tensors))(index, *tensors)
            return arrays_of((values,)), arrays_of((gradient,))

    def many_gradients(self, inputs: Inputs, target: Target, points: Points, rows: int) -> tuple[Inputs, Inputs]:
        n, k = len(inputs[0]), len(points.weights)
        with self._asked():
            tensors = self._tensors(inputs)
            entries = self._entries(tensors)
            baseline = None if points.baseline is None else self._entries(self._tensors(points.baseline))
            sums = [np.zeros(e.shape, np.float64) for e in entries]
            squares = [np.zeros(e.shape, np.float64) for e in entries] if points.squares else []
            sites, of = dict(self._entry_sites), (baseline is None, points.draws is None, points.noise is None)
            key = ("gradients", target.head, tuple(sites), of, points.contribution, points.squares)
            body = gradient_sums(weakref.ref(self.raw), sites, target.head, points, len(entries))
            for ns, ks in grid(n, k, rows):
                given = block_of(points, baseline, target.index, tensors, entries, ns, ks)
                for totals, news in zip((sums, squares), self._graph(key, body, given)(*given), strict=True):
                    for total, new in zip(totals, news, strict=True):
                        total[ns] += new.numpy()
        return tuple(sums), tuple(squares)

    def many_masks(self, inputs: Inputs, target: Target, masks: Masks, fills: Inputs, rows: int) -> np.ndarray:
        n, head = len(inputs[0]), target.head
        scores = np.zeros((n, masks.count), np.float64)
        body = masked_scores(weakref.ref(self.raw), head, len(inputs))
        with self._asked():
            tensors, filled = self._tensors(inputs), self._tensors(fills)
            for ns, ks, kept in laid(masks, n, rows, lambda block: [tf.constant(m) for m in block]):
                index = tf.constant(target.index[ns], tf.int64)
                for j in range(len(filled[0])):
                    given = (index, *(t[ns] for t in tensors), *(f[j : j + 1] for f in filled), *kept)
                    graph = self._graph(("masks", head), body, given, free=len(given) - len(kept))
                    scores[ns, ks] += graph(*given).numpy()
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
        from dlexplain.frameworks.graph.keras_deeplift import contributions

        with self._asked():
            return contributions(self, inputs, references, target, rows, background=background, layer=layer)

    def modified_gradient(self, inputs: Inputs, target: Target, rule: str) -> Inputs:
        from dlexplain.frameworks.graph.keras_once import modified_gradient

        with self._asked():
            return modified_gradient(self, inputs, target, rule)

    def relevance(self, inputs: Inputs, target: Target, rule: str, options: Mapping[str, float]) -> Inputs:
        from dlexplain.frameworks.graph.keras_relevance import relevance

        with self._asked():
            return relevance(self, inputs, target, rule, options)

    def inside(self, inputs: Inputs, layers: Sequence[str]) -> dict[str, np.ndarray]:
        ref, names = weakref.ref(self.raw), tuple(layers)

        def body(*x):
            caught = {}
            with tapped(ref(), {name: (lambda t, name=name: caught.update({name: t})) for name in names}):
                run(ref(), x)
            return caught

        with self._asked():
            tensors = self._tensors(inputs)
            caught = self._graph(("inside", names), body, tensors)(*tensors)
            return {name: array_of(tensor) for name, tensor in caught.items()}

    def run_from(self, layer: str, activations: np.ndarray, inputs: Any) -> np.ndarray | tuple[np.ndarray, ...]:
        self.check_layer(layer)
        ref = weakref.ref(self.raw)

        def body(given, *x):
            with tapped(ref(), {layer: lambda t: tf.cast(given, t.dtype)}):
                return run(ref(), x)

        arrays = self.inputs(inputs)
        with self._asked():
            tensors = (tf.constant(np.asarray(activations, np.float32)), *self._tensors(arrays))
            outputs = arrays_of(self._graph(("from", layer), body, tensors)(*tensors))
        return outputs if len(outputs) > 1 else outputs[0]

    @property
    def layers(self) -> tuple[Layer, ...]:
        return tuple(
            Layer(
                name,
                type(layer).__name__,
                self._shapes.get(name, static_shape(layer)),
                int(sum(np.prod(w.shape) for w in layer.weights)),
                self._calls.get(name, 0 if self._calls else 1),
            )
            for name, layer in named_layers(self.raw).items()
        )

    @property
    def fingerprint(self) -> str:
        digest = hashlib.sha256(structure(self.raw).encode())
        for weight in self.raw.weights:
            array = np.ascontiguousarray(weight.numpy())
            digest.update(f"{weight.path.partition('/')[2]} {array.shape} {array.dtype}".encode())
            digest.update(array.tobytes())
        return digest.hexdigest()

    def reinitialised(self, layers: Sequence[str], seed: int) -> Model:
        with self._lock:
            try:
                twin = type(self.raw).from_config(self.raw.get_config())
                if not twin.built:
                    run(twin, self._cast(tuple(np.zeros((1, *shape)) for shape in self.input_shapes or self._seen)))
                twin.set_weights(self.raw.get_weights())
            except (NotImplementedError, TypeError, ValueError) as error:
                raise UnsupportedModelError(
                    f"reinitialised: the model {type(self.raw).__name__} cannot be copied ({error}). Give it a "
                    "get_config and from_config, or build it with the Functional interface."
                ) from error
        generator = np.random.default_rng(seed)
        # By position: a model without names in its config is counted on by Keras.
        found = dict(zip(named_layers(self.raw), named_layers(twin).values(), strict=True))
        for name in layers:
            if name == "":
                reinitialise(twin, generator)
                continue
            self.check_layer(name)
            owners = [
                o for o in (found[name], *found[name]._flatten_layers(include_self=False)) if o._trainable_variables
            ]
            if not owners:
                raise UnsupportedModelError(
                    f"reinitialised: layer {name!r} ({type(found[name]).__name__}) has no weights."
                )
            for owner in owners:
                reinitialise(owner, generator)
        return KerasModel(twin, input_shapes=self.input_shapes, **self.options())

    def token_inputs(self, inputs: Inputs) -> tuple[int | None, ...]:
        embeddings = [n for n, layer in named_layers(self.raw).items() if isinstance(layer, keras.layers.Embedding)]
        if not embeddings:
            return (None,) * len(inputs)
        key = tuple((a.shape[1:], a.dtype.kind) for a in inputs)
        if key not in self._vocabularies:
            sites = token_sites(self, inputs, embeddings)
            self._entry_sites.update(sites)
            self._vocabularies[key] = tuple(vocabulary(self.raw, sites.get(i)) for i in range(len(inputs)))
        return self._vocabularies[key]

    def padding(self, input: int) -> int | None:
        found = named_layers(self.raw)
        sites = self._entry_sites.get(input, ())
        return 0 if any(found[site.partition(":")[0]].mask_zero for site in sites) else None

    @contextlib.contextmanager
    def preserved(self, seed: int = 0) -> Iterator[None]:
        with self._asked(), tensorflow_kept():
            trainable = [(layer, layer.trainable) for layer in named_layers(self.raw).values()]
            try:
                yield
            finally:
                for layer, value in trainable:
                    if layer.trainable != value:
                        layer.trainable = value

    def native(self, inputs: Inputs) -> tuple[tf.Tensor, ...]:
        return self._tensors(inputs)

    def row_bytes(self, inputs: Inputs) -> int:
        key = ("bytes", *(a.shape[1:] for a in inputs))
        if key in self._traces and key not in self._bytes:
            self._bytes[key], self._shapes, self._calls = self._traces[key]
        if key not in self._bytes:
            sizes, shapes, calls = [0], {}, {}
            found = named_layers(self.raw)

            def measure(name: str) -> Tap:
                def tap(output: tf.Tensor) -> None:
                    shape = tuple(output.shape[1:])
                    if not found[name]._flatten_layers(include_self=False, recursive=False):
                        sizes.append(output.dtype.size * int(np.prod([s or 1 for s in shape])))
                    shapes.setdefault(name, shape)
                    calls[name] = calls.get(name, 0) + 1

                return tap

            with self._asked(), tapped(self.raw, {f"{name}:*": measure(name) for name in found}):
                run(self.raw, self._tensors(tuple(a[:1] for a in inputs)))
            self._shapes, self._calls = shapes, calls
            self._bytes[key] = sum(sizes) + sum(a[:1].nbytes for a in inputs)
            self._traces[key] = self._bytes[key], shapes, calls
        return self._bytes[key]

    def shapes(self, inputs: Inputs) -> dict[str, tuple[int, ...]]:
        self._bytes.clear()
        self._traces.pop(("bytes", *(a.shape[1:] for a in inputs)), None)
        self.row_bytes(inputs)
        return dict(self._shapes)

    def unit_gradient(self, inputs: Inputs, layer: str, units: np.ndarray) -> tuple[np.ndarray, Inputs]:
        """`(n,)` mean activations of one unit of the layer a sample, and their gradients to the entries."""
        ref, sites, layout = weakref.ref(self.raw), dict(self._entry_sites), self.layout

        def body(index, *both):
            x, where = both[: len(both) // 2], both[len(both) // 2 :]
            caught = []
            with tf.GradientTape() as tape:
                tape.watch(where)
                feed(ref(), sites, x, where, {layer: caught.append})
                if not caught:
                    raise InputError(f"layer {layer!r} is not called by the model on these inputs.")
                value = (
                    tf.experimental.numpy.moveaxis(caught[0], 1, -1)
                    if layout == "channels_first" and len(caught[0].shape) == 4
                    else caught[0]
                )
                flat = tf.reshape(value, (tf.shape(value)[0], -1, value.shape[-1]))
                score = tf.reduce_mean(tf.gather(flat, index, axis=2, batch_dims=1), 1)
            return score, nonempty(tape.gradient(score, where), where), tf.shape(value)[-1]

        with self._asked():
            tensors = self._tensors(inputs)
            tensors = (tf.constant(units, tf.int64), *tensors, *self._entries(tensors))
            width = self._unit_count(layer, inputs)
            if not 0 <= units.min() <= units.max() < width:
                raise InputError(f"unit: layer {layer!r} has units 0 to {width - 1}.")
            score, gradients, _ = self._graph(("unit", layer), body, tensors)(*tensors)
            return array_of(score), arrays_of(gradients)

    def channels_first(self, layer: str, rank: int) -> bool:
        """Whether a layer's activations of this rank have their channels on the first axis after the samples."""
        return rank == 4 and self.layout == "channels_first"

    def afresh(self, inputs: Inputs) -> tuple[np.ndarray, ...]:
        with self._asked():
            return arrays_of(run(self.raw, self._tensors(inputs)))

    def forget(self) -> None:
        self._traces.clear()
        self._bytes.clear()

    # ---- running the user's model and leaving it as it was -------------------------------------------------------

    @contextlib.contextmanager
    def _asked(self) -> Iterator[None]:
        with self._lock, tf.device(self.device):
            yield

    def _graph(
        self, key: Any, body: Callable, tensors: Sequence[tf.Tensor], free: int | None = None
    ) -> tf.types.experimental.ConcreteFunction:
        """The body as a graph that takes any number of samples; traced once for each key and shape. Tensors from the
        one numbered `free` on are of any size along two axes."""
        loose = [2 if free is not None and i >= free else 1 for i in range(len(tensors))]
        signature = tuple(
            tf.TensorSpec((*(None,) * a, *t.shape[a:]), t.dtype) for t, a in zip(tensors, loose, strict=True)
        )
        full = (key, tuple((s.shape.as_list().__str__(), s.dtype.name) for s in signature), self.device)
        if full not in self._traces:
            # Traced here and not at the first call, which would count it as a repetition and say so.
            self._traces[full] = tf.function(body, autograph=False).get_concrete_function(*signature)
        return self._traces[full]

    def _gradients(self, tensors, where, index: tf.Tensor, head: int) -> list[tf.Tensor]:
        ref, sites = weakref.ref(self.raw), dict(self._entry_sites)

        def body(index, *both):
            x, where = both[: len(both) // 2], both[len(both) // 2 :]
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(where)
                score = score_of(feed(ref(), sites, x, where)[head], index)
            return nonempty(tape.gradient(score, where), where)

        args = (index, *tensors, *where)
        return self._graph(("gradient", head, tuple(sites)), body, args)(*args)

    def _entries(self, tensors: tuple[tf.Tensor, ...]) -> tuple[tf.Tensor, ...]:
        """Inputs as they are; token ids as the outputs of the embeddings that read them, side by side."""
        if not self._entry_sites:
            return tensors
        found = named_layers(self.raw)
        return tuple(
            tf.concat([found[site.partition(":")[0]](t) for site in self._entry_sites[i]], -1)
            if i in self._entry_sites
            else t
            for i, t in enumerate(tensors)
        )

    def _unit_count(self, layer: str, inputs: Inputs) -> int:
        values = self.inside(tuple(a[:1] for a in inputs), (layer,))
        if layer not in values:
            raise InputError(f"layer {layer!r} is not called by the model on these inputs.")
        return values[layer].shape[1 if self.channels_first(layer, values[layer].ndim) else -1]

    def _tensors(self, inputs: Inputs) -> tuple[tf.Tensor, ...]:
        self.token_inputs(inputs)
        self._seen = tuple(a.shape[1:] for a in inputs)
        return self._cast(inputs)

    def _cast(self, inputs: Inputs) -> tuple[tf.Tensor, ...]:
        tensors = []
        for i, array in enumerate(inputs):
            undeclared = "int32" if i in self._entry_sites else keras.config.floatx()
            tensors.append(tf.constant(array, tf.as_dtype(self._dtypes[i] if i < len(self._dtypes) else undeclared)))
        return tuple(tensors)
