"""The cells of the notebooks that the browser tests open: small twins trained in seconds, and the widgets."""

from __future__ import annotations

TWINS = """
import os
os.environ.update(OMP_NUM_THREADS="1", TF_NUM_INTRAOP_THREADS="1", TF_NUM_INTEROP_THREADS="1")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import dlexplain as dlx
import keras
from sklearn.datasets import load_digits

digits = load_digits()
pictures, labels = (digits.images / 16).astype("float32")[..., None], digits.target
keras.utils.set_random_seed(0)
keras_net = keras.Sequential([
    keras.Input((8, 8, 1)),
    keras.layers.Conv2D(8, 3, padding="same", activation="relu", name="edges"),
    keras.layers.Conv2D(12, 3, padding="same", activation="relu", name="shapes"),
    keras.layers.MaxPooling2D(name="pool"),
    keras.layers.Flatten(name="flat"),
    keras.layers.Dense(10, activation="softmax", name="digit"),
])
keras_net.compile(keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy")
keras_net.fit(pictures[:1500], labels[:1500], epochs=4, batch_size=64, verbose=0)

models = {"Keras": keras_net, "Torch": dlx.convert(keras_net, to="torch")}
names = [str(i) for i in range(10)]
"""

EXPLORER = """
explorer = dlx.widgets.ExplanationExplorer(
    models, pictures[1500:1530], labels=labels[1500:1530], class_names=names)
explorer
"""

BOARD = """
board = dlx.widgets.DrawingBoard(models)
board
"""
