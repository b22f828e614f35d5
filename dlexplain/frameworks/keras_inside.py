"""Inside a Keras model: its layers by name, taps on what they put out, and running it with parts replaced."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

Tap = Callable[[tf.Tensor], tf.Tensor | None]


def run(raw: keras.Model, x: Sequence[tf.Tensor]) -> tuple[tf.Tensor, ...]:
    """Every output, in order, in inference mode."""
    structure = getattr(raw, "_inputs_struct", None)
    if isinstance(structure, dict):
        feed = dict(zip((t.name for t in raw.inputs), x, strict=True))
        by_key = {key: feed[tensor.name] for key, tensor in structure.items()}
        return tuple(tf.nest.flatten(raw(by_key, training=False)))
    return tuple(tf.nest.flatten(raw(x[0] if len(x) == 1 else list(x), training=False)))


def feed(
    raw: keras.Model,
    sites: Mapping[int, list[str]],
    x: Sequence[tf.Tensor],
    where: Sequence[tf.Tensor],
    taps_beyond: Mapping[str, Tap] | None = None,
) -> tuple[tf.Tensor, ...]:
    """The outputs with the entries in the place of what the inputs (or their embeddings) would be.

    `taps_beyond` see the layers with the entries already in place.
    """
    inputs, taps, found = [], {}, named_layers(raw)
    for i, (tensor, entry) in enumerate(zip(x, where, strict=True)):
        inputs.append(tensor if i in sites else entry)
        if i in sites:
            widths = [found[site.partition(":")[0]].output_dim for site in sites[i]]
            for site, part in zip(sites[i], tf.split(entry, widths, -1), strict=True):
                taps[site] = lambda _, part=part: part
    with tapped(raw, taps), tapped(raw, taps_beyond or {}):
        return run(raw, inputs)


@contextlib.contextmanager
def tapped(raw: keras.Model, taps: Mapping[str, Tap]) -> Iterator[None]:
    """A tap sees what a layer puts out and may replace it. `name:2` is the second call, `name:*` all.

    The layer's own `call` is covered by one on the instance, past Keras' bookkeeping, and uncovered at the end.
    """
    found, counts = (named_layers(raw) if taps else {}), {}
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
            covered.append(_cover(found[name], cover(name, found[name].call)))
        yield
    finally:
        _uncover(covered)


@contextlib.contextmanager
def watched(raw: keras.Model, names: Sequence[str], look: Callable[[str, tf.Tensor], None]) -> Iterator[None]:
    """Shows `look` the first argument of each call of the named layers."""
    found, covered = named_layers(raw), []

    def cover(name: str, call: Callable) -> Callable:
        def run(*args, **kwargs):
            look(name, args[0])
            return call(*args, **kwargs)

        return run

    try:
        for name in names:
            covered.append(_cover(found[name], cover(name, found[name].call)))
        yield
    finally:
        _uncover(covered)


def _cover(layer: keras.layers.Layer, call: Callable) -> tuple[keras.layers.Layer, Callable | None]:
    """Puts a call on the instance; gives what stood there, which is a cover itself where taps are nested."""
    before = layer.__dict__.get("call")
    object.__setattr__(layer, "call", call)
    return layer, before


def _uncover(covered: Sequence[tuple[keras.layers.Layer, Callable | None]]) -> None:
    for layer, before in reversed(covered):
        if before is None:
            object.__delattr__(layer, "call")
        else:
            object.__setattr__(layer, "call", before)


def named_layers(raw: keras.Model) -> dict[str, keras.layers.Layer]:
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


def static_shape(layer: keras.layers.Layer) -> tuple[int | None, ...] | None:
    try:
        return tuple(layer.output.shape[1:])
    except (AttributeError, ValueError):  # never called symbolically, or on several graphs
        return None


def structure(raw: keras.Model) -> str:
    """The model's structure in words; names that Keras counts up in a process are left out."""
    try:
        return json.dumps(raw.get_config(), sort_keys=True, default=repr)
    except NotImplementedError:
        return type(raw).__qualname__ + " ".join(f"{n}:{type(v).__name__}" for n, v in named_layers(raw).items())


def reinitialise(layer: keras.layers.Layer, generator: np.random.Generator) -> None:
    """New weights from the layer's own initialisers."""
    for variable in layer._trainable_variables + layer._non_trainable_variables:
        initialiser = getattr(layer, f"{variable.name}_initializer", None)
        initialiser = (
            getattr(layer, "recurrent_initializer", None) if variable.name == "recurrent_kernel" else initialiser
        )
        if initialiser is None:
            values = variable.numpy()
            # A weight that its layer names no initialiser for: normal numbers of its own mean and deviation.
            if any(variable is v for v in layer._trainable_variables) and values.std() > 0:
                variable.assign(generator.normal(values.mean(), values.std(), values.shape))
            continue
        config = initialiser.get_config()
        if "seed" in config:
            config["seed"] = int(generator.integers(2**31))
        variable.assign(type(initialiser).from_config(config)(variable.shape, variable.dtype))


def declared(raw: keras.Model) -> list:
    try:
        return list(raw.inputs or ())
    except AttributeError:  # subclassed models have no symbolic inputs
        return []


def layout_of(raw: keras.Model) -> str:
    formats = [layer.data_format for layer in named_layers(raw).values() if getattr(layer, "data_format", None)]
    return formats[0] if formats else "channels_last"
