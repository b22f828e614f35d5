"""Keras on TensorFlow: ours beside the bare framework, Xplique, tf-keras-vis and SHAP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import keras
import numpy as np
import tensorflow as tf

import dlexplain as dlx
from benchmarks.timing import Row, fastest
from benchmarks.work import DIGITS, IMAGES, ROWS, STEPS, TABLE, Size, chunks, line, windows


def network(size: Size) -> keras.Model:
    keras.utils.set_random_seed(0)
    layers: list = [keras.Input(size.shape)]
    for number, width in enumerate(size.convolutions):
        layers.append(keras.layers.Conv2D(width, 3, padding="same", activation="relu"))
        if number == 1:
            layers.append(keras.layers.MaxPooling2D(2))
    if size.convolutions:
        layers.append(keras.layers.Flatten() if size.dense else keras.layers.GlobalAveragePooling2D())
    layers += [keras.layers.Dense(width, activation="relu") for width in size.dense]
    return keras.Sequential([*layers, keras.layers.Dense(size.classes)])


def inputs(size: Size) -> np.ndarray:
    return size.inputs()


# ---- the bare framework: one traced graph a block of points, points built and summed inside it -----------------------


def _gradient(model: keras.Model, points: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(points)
        score = tf.gather(model(points, training=False), target, axis=1, batch_dims=1)
    return tape.gradient(score, points)


def raw_path(model: keras.Model, x: np.ndarray, goal: np.ndarray, steps: int, rows: int) -> Callable[[], np.ndarray]:
    """Integrated gradients from zero."""
    ones = (1,) * (x.ndim - 1)

    @tf.function(reduce_retracing=True)
    def block(part, target, alpha, weight):
        wide = tf.shape(alpha)[0]
        points = tf.reshape(part[:, None] * tf.reshape(alpha, (1, -1, *ones)), (-1, *x.shape[1:]))
        gradient = _gradient(model, points, tf.repeat(target, wide))
        gradient = tf.reshape(gradient, (-1, wide, *x.shape[1:]))
        return tf.reduce_sum(gradient * tf.reshape(weight, (1, -1, *ones)), 1) * part

    def run() -> np.ndarray:
        alphas, weights = map(tf.constant, line(steps))
        given, target, total = tf.constant(x), tf.constant(goal), np.zeros_like(x)
        for ns, ks in chunks(len(x), steps, rows):
            total[ns] += block(given[ns], target[ns], alphas[ks], weights[ks]).numpy()
        return total

    return run


def raw_noise(model: keras.Model, x: np.ndarray, goal: np.ndarray, samples: int, rows: int) -> Callable[[], np.ndarray]:
    """SmoothGrad; the noise is shared by the samples."""

    @tf.function(reduce_retracing=True)
    def block(part, target, scale, noise):
        wide = tf.shape(noise)[0]
        points = tf.reshape(part[:, None] + scale * noise, (-1, *x.shape[1:]))
        gradient = _gradient(model, points, tf.repeat(target, wide))
        return tf.reduce_sum(tf.reshape(gradient, (-1, wide, *x.shape[1:])), 1) / samples

    def run() -> np.ndarray:
        noise = tf.random.stateless_normal((samples, *x.shape[1:]), (0, 0))
        given, target, total = tf.constant(x), tf.constant(goal), np.zeros_like(x)
        scale = 0.1 * tf.constant(np.ptp(x, axis=(1, 2, 3)))[:, None, None, None, None]
        for ns, ks in chunks(len(x), samples, rows):
            total[ns] += block(given[ns], target[ns], scale[ns], noise[ks]).numpy()
        return total

    return run


def raw_windows(model: keras.Model, x: np.ndarray, goal: np.ndarray, rows: int) -> Callable[[], np.ndarray]:
    """`(n, windows)`: the output with each window set to zero."""
    corners = windows(x.shape[1])

    @tf.function(reduce_retracing=True)
    def block(part, target, keep):
        wide = tf.shape(keep)[0]
        covered = tf.reshape(part[:, None] * keep, (-1, *x.shape[1:]))
        output = tf.gather(model(covered, training=False), tf.repeat(target, wide), axis=1, batch_dims=1)
        return tf.reshape(output, (-1, wide))

    def run() -> np.ndarray:
        keep = np.ones((len(corners), *x.shape[1:3], 1), np.float32)
        for number, (top, left) in enumerate(corners):
            keep[number, top : top + 4, left : left + 4] = 0
        given, target, kept = tf.constant(x), tf.constant(goal), tf.constant(keep)
        scores = np.empty((len(x), len(corners)), np.float32)
        for ns, ks in chunks(len(x), len(corners), rows):
            scores[ns, ks] = block(given[ns], target[ns], kept[ks]).numpy()
        return scores

    return run


def _limit(make: Callable, *arguments):
    return fastest({f"{rows} at once": make(*arguments, rows) for rows in ROWS})


# ---- other libraries -------------------------------------------------------------------------------------------------


def _peers(makers: Mapping[str, tuple[str, Callable[[], Mapping[str, Callable]]]]):
    """Each library at its own best batch size; what is said of those that are missing or do not run."""
    found, absent, chosen = {}, {}, []
    for name, (package, make) in makers.items():
        try:
            best, found[name] = fastest(make())
            found[name]()
        except ImportError as error:
            missing = (error.name or "").partition(".")[0] == package.replace("-", "_")
            absent[name] = f"not installed: pip install {package}" if missing else f"does not import: {error}"
            continue
        except Exception as error:  # another library's own fault is a finding, not ours to hide or to mend
            found.pop(name, None)
            absent[name] = f"does not run: {type(error).__name__}: {' '.join(str(error).split())[:80]}"
            continue
        chosen.append(f"{name}: {best}")
    return found, absent, chosen


def _xplique(method: str, model, x, goal, **options):
    import xplique.attributions as library

    labels = np.eye(model.output_shape[-1], dtype=np.float32)[goal]
    return {f"{rows} at once": partial(getattr(library, method)(model, batch_size=rows, **options).explain, x, labels)
            for rows in (32, 128)}


def _vis_noise(model, x, goal, samples):
    from tf_keras_vis.saliency import Saliency

    def score(output):
        return tf.gather(output, goal, axis=1, batch_dims=1)

    return {"": partial(Saliency(model, clone=False), score, x, smooth_samples=samples, smooth_noise=0.1,
                        keepdims=True, normalize_map=False)}


def _shap_path(model, x, steps):
    from shap import GradientExplainer

    explainer = GradientExplainer(model, np.zeros_like(x[:1]), batch_size=32)
    return {"32 at once": partial(explainer.shap_values, x, nsamples=steps, ranked_outputs=1, rseed=0)}


# ---- rows ------------------------------------------------------------------------------------------------------------


def _ready(size: Size):
    model, x = network(size), inputs(size)
    return model, x, np.argmax(model(x, training=False), 1)


def _row(work: str, raw: tuple, ours: Callable, peers: tuple) -> Row:
    found, absent, chosen = peers
    return Row(work, "keras", {"raw": raw[1], "dlexplain": ours, **found}, absent,
               "; ".join([f"raw: {raw[0]}", *chosen]))


def path(size: Size) -> Row:
    model, x, goal = _ready(size)
    raw = _limit(raw_path, model, x, goal, STEPS)
    ours = partial(dlx.explain, model, x, "integrated_gradients", target=goal, baseline=0, steps=STEPS)
    np.testing.assert_allclose(ours().values, raw[1](), rtol=1e-3, atol=1e-5)
    peers = _peers({"Xplique": ("xplique", lambda: _xplique("IntegratedGradients", model, x, goal, steps=STEPS)),
                    "SHAP": ("shap", lambda: _shap_path(model, x, STEPS))})
    return _row(f"integrated gradients, {STEPS} steps; {size.name}", raw, ours, peers)


def noise(size: Size) -> Row:
    model, x, goal = _ready(size)
    raw = _limit(raw_noise, model, x, goal, STEPS)
    ours = partial(dlx.explain, model, x, "smoothgrad", target=goal, samples=STEPS)
    peers = _peers({"Xplique": ("xplique", lambda: _xplique("SmoothGrad", model, x, goal, nb_samples=STEPS)),
                    "tf-keras-vis": ("tf-keras-vis", lambda: _vis_noise(model, x, goal, STEPS))})
    return _row(f"SmoothGrad, {STEPS} draws; {size.name}", raw, ours, peers)


def occlusion(size: Size) -> Row:
    model, x, goal = _ready(size)
    raw = _limit(raw_windows, model, x, goal)
    ours = partial(dlx.explain, model, x, "occlusion", target=goal, baseline=0, window=4, stride=2)
    peers = _peers({"Xplique": ("xplique", lambda: _xplique("Occlusion", model, x, goal, patch_size=4, patch_stride=2))})
    return _row(f"occlusion 4x4, stride 2; {size.name}", raw, ours, peers)


ROWS_HERE = {
    "path-images": lambda: path(IMAGES),
    "path-digits": lambda: path(DIGITS),
    "path-table": lambda: path(TABLE),
    "occlusion": lambda: occlusion(IMAGES),
    "noise": lambda: noise(IMAGES),
}
