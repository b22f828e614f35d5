"""A Keras 3 model on TensorFlow asked: taps on its layers while a graph is traced, then the graph alone runs."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.framework import ops  # SHAP's deep explainer patches the gradient registry that lives here

from dlexplain.errors import InputError, UnsupportedModelError
from dlexplain.frameworks.model import Model
from dlexplain.frameworks.questions import Inputs, Layer, Masks, Points, Target, grid

_LOCKS: weakref.WeakKeyDictionary[keras.Model, threading.RLock] = weakref.WeakKeyDictionary()
# Graphs outlive one wrapping, so that a second explanation of the same model need not trace again. They hold the
# model weakly; `refresh` drops them when they no longer say what the model says.
_TRACES: weakref.WeakKeyDictionary[keras.Model, dict] = weakref.WeakKeyDictionary()
Tap = Callable[[tf.Tensor], tf.Tensor | None]


class KerasModel(Model):
    framework = "keras"

    def __init__(self, raw: keras.Model, *, class_names=None, feature_names=None, input_shapes=None, layout=None,
                 device=None) -> None:
        if not raw.built:
            raise UnsupportedModelError(
                f"The Keras model {raw.name!r} has no weights yet: it was never built. Call it once, train it, or call "
                "model.build((None, ...)) with the shape of its inputs."
            )
        self.raw, self.class_names, self.feature_names = raw, class_names, feature_names
        declared = _declared(raw)
        self._dtypes = tuple(tensor.dtype for tensor in declared)
        shapes = tuple(tuple(tensor.shape[1:]) for tensor in declared) or None
        self.input_shapes = input_shapes if input_shapes is not None else shapes
        self.input_names = tuple(t.name for t in declared) or \
            tuple(f"input {i}" for i in range(len(self.input_shapes or (0,))))
        self.layout = layout if layout is not None else _layout(raw)
        self.device = device if device is not None else ("GPU:0" if tf.config.list_logical_devices("GPU") else "CPU:0")
        self._lock = _LOCKS.setdefault(raw, threading.RLock())
        self._traces = _TRACES.setdefault(raw, {})
        self._vocabularies: dict[tuple, tuple[int | None, ...]] = {}
        self._entry_sites: dict[int, list[str]] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._calls: dict[str, int] = {}
        self._bytes: dict[tuple, int] = {}

    # ---- the questions -------------------------------------------------------------------------------------------

    def outputs(self, inputs: Inputs) -> tuple[np.ndarray, ...]:
        ref = weakref.ref(self.raw)
        with self._asked():
            tensors = self._tensors(inputs)
            return _arrays(self._graph("outputs", lambda *x: _run(ref(), x), tensors)(*tensors))

    def fed(self, inputs: Inputs, entries: Inputs) -> tuple[np.ndarray, ...]:
        ref, sites = weakref.ref(self.raw), dict(self._entry_sites)
        with self._asked():
            tensors = self._tensors(inputs)
            tensors = (*tensors, *(tf.constant(e, tf.float32) if i in sites else t
                                   for i, (t, e) in enumerate(zip(tensors, entries, strict=True))))
            body = lambda *both: _feed(ref(), sites, both[:len(both) // 2], both[len(both) // 2:])  # noqa: E731
            return _arrays(self._graph(("fed", tuple(sites)), body, tensors)(*tensors))

    def entries(self, inputs: Inputs) -> Inputs:
        with self._asked():
            return _arrays(self._entries(self._tensors(inputs)))

    def one_gradient(self, inputs: Inputs, target: Target, layer: str | None = None) -> tuple[Inputs, Inputs]:
        with self._asked():
            tensors = self._tensors(inputs)
            index = tf.constant(target.index, tf.int64)
            if layer is None:
                where = self._entries(tensors)
                return _arrays(where), _arrays(self._gradients(tensors, where, index, target.head))
            ref, head = weakref.ref(self.raw), target.head

            def body(index, *x):
                caught = []
                with tf.GradientTape() as tape:
                    def tap(output):
                        tape.watch(output)
                        caught.append(output)
                        return tf.identity(output)

                    with _tapped(ref(), {layer: tap}):
                        score = _score(_run(ref(), x)[head], index)
                if not caught:
                    raise InputError(f"layer {layer!r} is not called by the model on these inputs.")
                return caught[0], _nonempty(tape.gradient(score, caught), caught)[0]

            values, gradient = self._graph(("layer", layer, head), body, (index, *tensors))(index, *tensors)
            return _arrays((values,)), _arrays((gradient,))

    def many_gradients(self, inputs: Inputs, target: Target, points: Points, rows: int) -> tuple[Inputs, Inputs]:
        n, k = len(inputs[0]), len(points.weights)
        with self._asked():
            tensors = self._tensors(inputs)
            entries = self._entries(tensors)
            baseline = None if points.baseline is None else self._entries(self._tensors(points.baseline))
            sums = [np.zeros(e.shape, np.float64) for e in entries]
            squares = [np.zeros(e.shape, np.float64) for e in entries] if points.squares else []
            for ns, ks in grid(n, k, rows):
                count = ks.stop - ks.start
                x, b, p = _place(tuple(e[ns] for e in entries), baseline, points, ns, ks)
                flat = tuple(tf.reshape(q, (-1, *e.shape[1:])) for q, e in zip(p, entries, strict=True))
                index = tf.constant(np.repeat(target.index[ns], count, 0), tf.int64)
                repeated = tuple(tf.repeat(t[ns], count, axis=0) if i in self._entry_sites else f
                                 for i, (t, f) in enumerate(zip(tensors, flat, strict=True)))
                gradients = self._gradients(repeated, flat, index, target.head)
                for i, gradient in enumerate(gradients):
                    gradient = tf.reshape(gradient, p[i].shape)
                    if points.contribution:
                        gradient = gradient * (x[i] - b[i])
                    sums[i][ns] += _weighted(gradient, points.weights[ks])
                    if squares:
                        squares[i][ns] += _weighted(tf.square(tf.cast(gradient, tf.float64)), points.weights[ks])
        return tuple(sums), tuple(squares)

    def many_masks(self, inputs: Inputs, target: Target, masks: Masks, fills: Inputs, rows: int) -> np.ndarray:
        n, ref, head = len(inputs[0]), weakref.ref(self.raw), target.head
        scores = np.zeros((n, masks.count), np.float64)
        with self._asked():
            tensors, filled = self._tensors(inputs), self._tensors(fills)
            for ns, ks in grid(n, masks.count, rows):
                kept = [tf.constant(m) for m in masks.block(ns, ks.start, ks.stop)]
                index = tf.constant(np.repeat(target.index[ns], ks.stop - ks.start, 0), tf.int64)
                for j in range(len(filled[0])):
                    mixed = tuple(_mix(t[ns], f[j], m) for t, f, m in zip(tensors, filled, kept, strict=True))
                    graph = self._graph(("score", head), lambda i, *x: _score(_run(ref(), x)[head], i), (index, *mixed))
                    scores[ns, ks] += graph(index, *mixed).numpy().reshape(-1, ks.stop - ks.start)
        return scores / len(fills[0])

    def inside(self, inputs: Inputs, layers: Sequence[str]) -> dict[str, np.ndarray]:
        ref, names = weakref.ref(self.raw), tuple(layers)

        def body(*x):
            caught = {}
            with _tapped(ref(), {name: (lambda t, name=name: caught.update({name: t})) for name in names}):
                _run(ref(), x)
            return caught

        with self._asked():
            tensors = self._tensors(inputs)
            caught = self._graph(("inside", names), body, tensors)(*tensors)
            return {name: _array(tensor) for name, tensor in caught.items()}

    def run_from(self, layer: str, activations: np.ndarray, inputs: Any) -> np.ndarray | tuple[np.ndarray, ...]:
        self.check_layer(layer)
        ref = weakref.ref(self.raw)

        def body(given, *x):
            with _tapped(ref(), {layer: lambda t: tf.cast(given, t.dtype)}):
                return _run(ref(), x)

        arrays = self.inputs(inputs)
        with self._asked():
            tensors = (tf.constant(np.asarray(activations, np.float32)), *self._tensors(arrays))
            outputs = _arrays(self._graph(("from", layer), body, tensors)(*tensors))
        return outputs if len(outputs) > 1 else outputs[0]

    @property
    def layers(self) -> tuple[Layer, ...]:
        return tuple(
            Layer(name, type(layer).__name__, self._shapes.get(name, _static_shape(layer)),
                  int(sum(np.prod(w.shape) for w in layer.weights)), self._calls.get(name, 0 if self._calls else 1))
            for name, layer in _layers(self.raw).items()
        )

    @property
    def fingerprint(self) -> str:
        digest = hashlib.sha256(_structure(self.raw).encode())
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
                    twin.build(tuple((None, *shape) for shape in self.input_shapes) if len(self.input_shapes) > 1
                               else (None, *self.input_shapes[0]))
                twin.set_weights(self.raw.get_weights())
            except (NotImplementedError, TypeError, ValueError) as error:
                raise UnsupportedModelError(
                    f"reinitialised: the model {type(self.raw).__name__} cannot be copied ({error}). Give it a "
                    "get_config and from_config, or build it with the Functional interface."
                ) from error
        generator = np.random.default_rng(seed)
        found = _layers(twin)
        for name in layers:
            self.check_layer(name)
            owners = [o for o in (found[name], *found[name]._flatten_layers(include_self=False)) if o._trainable_variables]
            if not owners:
                raise UnsupportedModelError(f"reinitialised: layer {name!r} ({type(found[name]).__name__}) has no weights.")
            for owner in owners:
                _fresh(owner, generator)
        return KerasModel(twin, input_shapes=self.input_shapes, **self.options())

    def token_inputs(self, inputs: Inputs) -> tuple[int | None, ...]:
        embeddings = [n for n, layer in _layers(self.raw).items() if isinstance(layer, keras.layers.Embedding)]
        if not embeddings:
            return (None,) * len(inputs)
        key = tuple((a.shape[1:], a.dtype.kind) for a in inputs)
        if key not in self._vocabularies:
            self._vocabularies[key] = self._probe_tokens(inputs, embeddings)
        return self._vocabularies[key]

    def padding(self, input: int) -> int | None:
        found = _layers(self.raw)
        sites = self._entry_sites.get(input, ())
        return 0 if any(found[site.partition(":")[0]].mask_zero for site in sites) else None

    @contextlib.contextmanager
    def preserved(self) -> Iterator[None]:
        registry = ops._gradient_registry._registry
        with self._asked():
            kept = {name: dict(entry) for name, entry in registry.items()}
            trainable = [(layer, layer.trainable) for layer in _layers(self.raw).values()]
            try:
                yield
            finally:
                registry.clear()
                registry.update(kept)
                for layer, value in trainable:
                    if layer.trainable != value:
                        layer.trainable = value

    def native(self, inputs: Inputs) -> tuple[tf.Tensor, ...]:
        return self._tensors(inputs)

    def row_bytes(self, inputs: Inputs) -> int:
        key = tuple(a.shape[1:] for a in inputs)
        if key not in self._bytes:
            sizes, shapes, calls = [0], {}, {}
            found = _layers(self.raw)

            def measure(name: str) -> Tap:
                def tap(output: tf.Tensor) -> None:
                    shape = tuple(output.shape[1:])
                    if not found[name]._flatten_layers(include_self=False, recursive=False):
                        sizes.append(output.dtype.size * int(np.prod([s or 1 for s in shape])))
                    shapes.setdefault(name, shape)
                    calls[name] = calls.get(name, 0) + 1
                return tap

            with self._asked(), _tapped(self.raw, {f"{name}:*": measure(name) for name in found}):
                _run(self.raw, self._tensors(tuple(a[:1] for a in inputs)))
            self._shapes, self._calls = shapes, calls
            self._bytes[key] = sum(sizes) + sum(a[:1].nbytes for a in inputs)
        return self._bytes[key]

    def shapes(self, inputs: Inputs) -> dict[str, tuple[int, ...]]:
        self._bytes.clear()
        self.row_bytes(inputs)
        return dict(self._shapes)

    def unit_gradient(self, inputs: Inputs, layer: str, units: np.ndarray) -> tuple[np.ndarray, Inputs]:
        """`(n,)` mean activations of one unit of the layer a sample, and their gradients to the entries."""
        ref, sites, layout = weakref.ref(self.raw), dict(self._entry_sites), self.layout

        def body(index, *both):
            x, where = both[:len(both) // 2], both[len(both) // 2:]
            caught = []
            with tf.GradientTape() as tape:
                tape.watch(where)
                with _tapped(ref(), {layer: caught.append}):
                    _feed(ref(), sites, x, where)
                if not caught:
                    raise InputError(f"layer {layer!r} is not called by the model on these inputs.")
                value = tf.experimental.numpy.moveaxis(caught[0], 1, -1) if layout == "channels_first" \
                    and len(caught[0].shape) == 4 else caught[0]
                flat = tf.reshape(value, (tf.shape(value)[0], -1, value.shape[-1]))
                score = tf.reduce_mean(tf.gather(flat, index, axis=2, batch_dims=1), 1)
            return score, _nonempty(tape.gradient(score, where), where), tf.shape(value)[-1]

        with self._asked():
            tensors = self._tensors(inputs)
            tensors = (tf.constant(units, tf.int64), *tensors, *self._entries(tensors))
            width = self._unit_count(layer, inputs)
            if not 0 <= units.min() <= units.max() < width:
                raise InputError(f"unit: layer {layer!r} has units 0 to {width - 1}.")
            score, gradients, _ = self._graph(("unit", layer), body, tensors)(*tensors)
            return _array(score), _arrays(gradients)

    def channels_first(self, layer: str, rank: int) -> bool:
        """Whether a layer's activations of this rank have their channels on the first axis after the samples."""
        return rank == 4 and self.layout == "channels_first"

    def refresh(self, inputs: Inputs) -> None:
        with self._asked():
            tensors = self._tensors(tuple(a[:1] for a in inputs))
            eager = _arrays(_run(self.raw, tensors))
            traced = self.outputs(tuple(a[:1] for a in inputs))
            if len(eager) != len(traced) or any(
                e.shape != t.shape or not np.allclose(e, t, rtol=1e-4, atol=1e-5, equal_nan=True)
                for e, t in zip(eager, traced, strict=True)
            ):
                self._traces.clear()

    # ---- running the user's model and leaving it as it was -------------------------------------------------------

    @contextlib.contextmanager
    def _asked(self) -> Iterator[None]:
        with self._lock, tf.device(self.device):
            yield

    def _graph(self, key: Any, body: Callable, tensors: Sequence[tf.Tensor]) -> tf.types.experimental.ConcreteFunction:
        """The body as a graph that takes any number of samples; traced once for each key and shape."""
        signature = tuple(tf.TensorSpec((None, *t.shape[1:]), t.dtype) for t in tensors)
        full = (key, tuple((s.shape.as_list().__str__(), s.dtype.name) for s in signature), self.device)
        if full not in self._traces:
            self._traces[full] = tf.function(body, input_signature=signature, autograph=False)
        return self._traces[full]

    def _gradients(self, tensors, where, index: tf.Tensor, head: int) -> list[tf.Tensor]:
        ref, sites = weakref.ref(self.raw), dict(self._entry_sites)

        def body(index, *both):
            x, where = both[:len(both) // 2], both[len(both) // 2:]
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(where)
                score = _score(_feed(ref(), sites, x, where)[head], index)
            return _nonempty(tape.gradient(score, where), where)

        args = (index, *tensors, *where)
        return self._graph(("gradient", head, tuple(sites)), body, args)(*args)

    def _entries(self, tensors: tuple[tf.Tensor, ...]) -> tuple[tf.Tensor, ...]:
        """Inputs as they are; token ids as the outputs of the embeddings that read them, side by side."""
        if not self._entry_sites:
            return tensors
        found = _layers(self.raw)
        return tuple(
            tf.concat([found[site.partition(":")[0]](t) for site in self._entry_sites[i]], -1)
            if i in self._entry_sites else t for i, t in enumerate(tensors)
        )

    def _unit_count(self, layer: str, inputs: Inputs) -> int:
        values = self.inside(tuple(a[:1] for a in inputs), (layer,))
        if layer not in values:
            raise InputError(f"layer {layer!r} is not called by the model on these inputs.")
        return values[layer].shape[1 if self.channels_first(layer, values[layer].ndim) else -1]

    def _tensors(self, inputs: Inputs) -> tuple[tf.Tensor, ...]:
        tensors = []
        for i, array in enumerate(inputs):
            if i < len(self._dtypes):
                dtype = self._dtypes[i]
            else:
                dtype = "int32" if i in self._entry_sites else keras.config.floatx()
            tensors.append(tf.constant(array, tf.as_dtype(dtype)))
        return tuple(tensors)

    def _probe_tokens(self, inputs: Inputs, embeddings: list[str]) -> tuple[int | None, ...]:
        """Which embedding reads which input: a constant is fed to one input at a time and looked for at each."""
        found: list[int | None] = [None] * len(inputs)
        layers = _layers(self.raw)
        for i in range(len(inputs)):
            reads = []
            for value in (0, 1):
                arrays = tuple(np.full((1, *a.shape[1:]), value if i == j else 1 - value) for j, a in enumerate(inputs))
                counts: dict[str, int] = {}
                seen: list[str] = []

                def look(name: str, ids: tf.Tensor, value=value, counts=counts, seen=seen, shape=arrays[i].shape) -> None:
                    counts[name] = counts.get(name, 0) + 1
                    if tuple(ids.shape) == shape and bool(np.all(ids.numpy() == value)):
                        seen.append(f"{name}:{counts[name]}")

                with self._asked(), _watched(self.raw, embeddings, look):
                    _run(self.raw, self._tensors(arrays))
                reads.append(seen)
            sites = [site for site in reads[0] if site in reads[1]]
            if sites:
                self._entry_sites[i] = sites
                found[i] = min(layers[site.partition(":")[0]].input_dim for site in sites)
        return tuple(found)


def _run(raw: keras.Model, x: Sequence[tf.Tensor]) -> tuple[tf.Tensor, ...]:
    """Every output, in order, in inference mode."""
    structure = getattr(raw, "_inputs_struct", None)
    if isinstance(structure, dict):
        feed = dict(zip((t.name for t in raw.inputs), x, strict=True))
        by_key = {key: feed[tensor.name] for key, tensor in structure.items()}
        return tuple(tf.nest.flatten(raw(by_key, training=False)))
    return tuple(tf.nest.flatten(raw(x[0] if len(x) == 1 else list(x), training=False)))


def _feed(raw, sites: Mapping[int, list[str]], x, where) -> tuple[tf.Tensor, ...]:
    """The outputs with the entries in the place of what the inputs (or their embeddings) would be."""
    inputs, taps, found = [], {}, _layers(raw)
    for i, (tensor, entry) in enumerate(zip(x, where, strict=True)):
        inputs.append(tensor if i in sites else entry)
        if i in sites:
            widths = [found[site.partition(":")[0]].output_dim for site in sites[i]]
            for site, part in zip(sites[i], tf.split(entry, widths, -1), strict=True):
                taps[site] = lambda _, part=part: part
    with _tapped(raw, taps):
        return _run(raw, inputs)


@contextlib.contextmanager
def _tapped(raw: keras.Model, taps: Mapping[str, Tap]) -> Iterator[None]:
    """A tap sees what a layer puts out and may replace it. `name:2` is the second call, `name:*` all.

    The layer's own `call` is covered by one on the instance, past Keras' bookkeeping, and uncovered at the end.
    """
    found, counts = (_layers(raw) if taps else {}), {}
    covered = []

    def cover(name: str, call: Callable) -> Callable:
        def run(*args, **kwargs):
            output = call(*args, **kwargs)
            times = counts[name] = counts.get(name, 0) + 1
            tap = taps.get(f"{name}:*") or taps.get(f"{name}:{times}") or (taps.get(name) if times == 1 else None)
            first = tf.nest.flatten(output)[0]
            new = tap(first) if tap is not None and tf.is_tensor(first) else None
            if new is None:
                return output
            return tf.nest.map_structure(lambda t: new if t is first else t, output)
        return run

    try:
        for name in dict.fromkeys(site.partition(":")[0] for site in taps):
            layer = found[name]
            object.__setattr__(layer, "call", cover(name, layer.call))
            covered.append(layer)
        yield
    finally:
        for layer in covered:
            object.__delattr__(layer, "call")


@contextlib.contextmanager
def _watched(raw: keras.Model, names: Sequence[str], look: Callable[[str, tf.Tensor], None]) -> Iterator[None]:
    """Shows `look` the first argument of each call of the named layers."""
    found, covered = _layers(raw), []

    def cover(name: str, call: Callable) -> Callable:
        def run(*args, **kwargs):
            look(name, args[0])
            return call(*args, **kwargs)
        return run

    try:
        for name in names:
            object.__setattr__(found[name], "call", cover(name, found[name].call))
            covered.append(found[name])
        yield
    finally:
        for layer in covered:
            object.__delattr__(layer, "call")


def _layers(raw: keras.Model) -> dict[str, keras.layers.Layer]:
    """Every layer by its path; a layer inside a nested model or layer is `outer/inner`."""
    found: dict[str, keras.layers.Layer] = {}
    seen = {id(raw)}

    def walk(parent: keras.layers.Layer, prefix: str) -> None:
        children = parent.layers if isinstance(parent, keras.Model) else parent._layers
        for child in children:
            if id(child) in seen or isinstance(child, keras.layers.InputLayer):
                continue
            seen.add(id(child))
            name, twice = f"{prefix}{child.name}", 2
            while name in found:
                name, twice = f"{prefix}{child.name}_{twice}", twice + 1
            found[name] = child
            walk(child, f"{name}/")

    walk(raw, "")
    return found


def _declared(raw: keras.Model) -> list:
    try:
        return list(raw.inputs or ())
    except AttributeError:  # subclassed models have no symbolic inputs
        return []


def _static_shape(layer: keras.layers.Layer) -> tuple[int | None, ...] | None:
    try:
        return tuple(layer.output.shape[1:])
    except (AttributeError, ValueError):  # never called symbolically, or on several graphs
        return None


def _structure(raw: keras.Model) -> str:
    """The model's structure in words; names that Keras counts up in a process are left out."""
    try:
        return json.dumps(raw.get_config(), sort_keys=True, default=repr)
    except NotImplementedError:
        return type(raw).__qualname__ + " ".join(f"{n}:{type(v).__name__}" for n, v in _layers(raw).items())


def _layout(raw: keras.Model) -> str:
    formats = [layer.data_format for layer in _layers(raw).values() if getattr(layer, "data_format", None)]
    return formats[0] if formats else "channels_last"


def _fresh(layer: keras.layers.Layer, generator: np.random.Generator) -> None:
    """New weights from the layer's own initialisers."""
    for variable in layer._trainable_variables + layer._non_trainable_variables:
        initialiser = getattr(layer, f"{variable.name}_initializer", None)
        initialiser = getattr(layer, "recurrent_initializer", None) if variable.name == "recurrent_kernel" else initialiser
        if initialiser is None:
            continue
        config = initialiser.get_config()
        if "seed" in config:
            config["seed"] = int(generator.integers(2**31))
        variable.assign(type(initialiser).from_config(config)(variable.shape, variable.dtype))


def _score(output: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
    output = tf.reshape(output, (-1, 1)) if len(output.shape) == 1 else output
    return tf.gather_nd(output, index, batch_dims=1)


def _nonempty(gradients: Sequence[tf.Tensor | None], where: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    if all(gradient is None for gradient in gradients):
        raise UnsupportedModelError(
            "The output does not depend on the inputs by differentiable operations (a rounding, an argmax, a "
            "stop_gradient or whole-number inputs stand between). Methods that work without gradients: occlusion, "
            "feature_ablation, shap:Kernel, shap:Permutation."
        )
    return [tf.zeros_like(w) if g is None else tf.convert_to_tensor(g) for g, w in zip(gradients, where, strict=True)]


def _place(x: tuple[tf.Tensor, ...], baseline, points: Points, ns: slice, ks: slice):
    """For a block: inputs `(n, 1, ...)`, baselines that broadcast to `(n, k, ...)`, and the points."""
    n, k = len(x[0]), ks.stop - ks.start
    noise = None if points.noise is None else points.noise(ks.start, ks.stop)
    starts, begins, placed = [], [], []
    for i, entry in enumerate(x):
        entry = entry[:, None]
        ones = (1,) * (len(entry.shape) - 2)
        point = tf.broadcast_to(entry, (n, k, *entry.shape[2:]))
        begin = tf.zeros_like(entry)
        if baseline is not None:
            b = baseline[i]
            begin = tf.gather(b, points.draws[ks])[None] if points.draws is not None else \
                b[:, None] if len(b) == 1 else b[ns][:, None]
            point = begin + tf.reshape(tf.constant(points.alphas[ks], entry.dtype), (1, k, *ones)) * (entry - begin)
        if noise is not None:
            scale = tf.reshape(tf.constant(points.scale[i][ns], entry.dtype), (n, 1, *ones))
            point = point + scale * tf.constant(noise[i], entry.dtype)[None]
        starts.append(entry), begins.append(begin), placed.append(point)
    return starts, begins, placed


def _weighted(gradient: tf.Tensor, weights: np.ndarray) -> np.ndarray:
    return tf.einsum("k,nk...->n...", tf.constant(weights, gradient.dtype), gradient).numpy()


def _mix(tensor: tf.Tensor, fill: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    whole, tensor = tensor.shape[1:], tensor[:, None]
    if mask.dtype == tf.bool:
        mixed = tf.where(mask, tensor, fill)
    else:
        mixed = fill + tf.cast(mask, tensor.dtype) * (tensor - fill)
    mixed = tf.broadcast_to(mixed, (len(tensor), mask.shape[1], *whole))
    return tf.reshape(mixed, (-1, *whole))


def _array(tensor: tf.Tensor) -> np.ndarray:
    tensor = tf.cast(tensor, tf.float32) if tensor.dtype in (tf.bfloat16, tf.float16) else tensor
    return np.array(tensor)


def _arrays(tensors: Sequence[tf.Tensor]) -> tuple[np.ndarray, ...]:
    return tuple(map(_array, tensors))
