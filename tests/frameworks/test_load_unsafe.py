"""Pickles and Keras files made to run code: refused, and the marker of their code never appears.

The armed cases are opened once more with `trust=True`, where the marker does appear: the traps are real.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import pickle
import zipfile

import h5py
import keras
import numpy as np
import pytest
import torch
from torch import nn

from dlexplain.errors import DlexplainError, UnsafeFileError
from dlexplain.frameworks.load import load


class Trap:
    """Makes a folder when unpickled."""

    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return os.mkdir, (self.marker,)


class TrapModule(nn.Module):
    def __init__(self, marker):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2))
        self.trap = Trap(marker)


def written(folder, name, data):
    (folder / name).write_bytes(data)
    return folder / name


def pickled(folder, marker):
    return written(folder, "model.pkl", pickle.dumps(Trap(marker)))


def pickled_as_keras(folder, marker):
    return written(folder, "model.keras", pickle.dumps({"weights": [1.0], "trap": Trap(marker)}, protocol=2))


def old_pickle(folder, marker):
    return written(folder, "model.pt", pickle.dumps(Trap(marker), protocol=0))


def compressed(folder, marker):
    return written(folder, "model.joblib", gzip.compress(pickle.dumps(Trap(marker))))


def torch_module(folder, marker):
    torch.save(TrapModule(marker), folder / "model.pt")
    return folder / "model.pt"


def torch_state(folder, marker):
    torch.save({"weight": torch.ones(2), "trap": Trap(marker)}, folder / "model.safetensors")
    return folder / "model.safetensors"


def torch_legacy(folder, marker):
    torch.save(
        {"weight": torch.ones(2), "trap": Trap(marker)},
        folder / "m.bin",
        _use_new_zipfile_serialization=False,
    )
    return folder / "m.bin"


def object_array(folder, marker):
    np.save(folder / "model.npy", np.array([Trap(marker)], dtype=object), allow_pickle=True)
    return folder / "model.npy"


def lambda_source(marker):
    """A lambda whose code holds the marker's path itself, as an attacker would write it."""
    return eval(f"lambda x: (__import__('os').makedirs({str(marker)!r}, exist_ok=True), x)[1]")


def keras_lambda(folder, marker, suffix=".keras"):
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Lambda(lambda_source(marker)), keras.layers.Dense(1)]
    )
    model.save(folder / f"model{suffix}")
    marker.rmdir()  # building the model here ran the lambda; from now on only opening could
    return folder / f"model{suffix}"


def keras_h5_lambda(folder, marker):
    return keras_lambda(folder, marker, ".h5")


def dense_file(folder):
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activation="relu")]).save(
        folder / "plain.keras"
    )
    return folder / "plain.keras"


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path, parts):
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in parts.items():
            archive.writestr(name, value)
    return path


def with_layer(folder, change):
    """A plain Keras file whose dense layer's configuration is changed."""
    parts = members(dense_file(folder))
    config = json.loads(parts["config.json"])
    layer = next(item for item in config["config"]["layers"] if item["class_name"] == "Dense")
    change(layer, config)
    parts["config.json"] = json.dumps(config)
    return packed(folder / "changed.keras", parts)


def function(module, name):
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


def keras_function(module, name):
    return lambda folder, marker: with_layer(
        folder, lambda layer, _: layer["config"].update(activation=function(module, name))
    )


def keras_arbitrary_layer(module, name, config):
    def make(folder, marker):
        filled = json.loads(json.dumps(config).replace("MARKER", str(marker)))
        change = {"module": module, "class_name": name, "config": filled, "registered_name": name}
        return with_layer(folder, lambda layer, _: layer.update(change))

    return make


def keras_nested_lambda(folder, marker):
    config = json.loads(members(keras_lambda(folder, marker))["config.json"])
    value = next(item for item in config["config"]["layers"] if item["class_name"] == "Lambda")["config"][
        "function"
    ]
    assert value["class_name"] == "__lambda__"
    return with_layer(folder, lambda layer, _: layer["config"].update(activation=value))


def keras_initialiser(folder, marker):
    value = {
        "module": "subprocess",
        "class_name": "Popen",
        "config": {"args": ["mkdir", str(marker)]},
        "registered_name": "Popen",
    }
    return with_layer(folder, lambda layer, _: layer["config"].update(kernel_initializer=value))


def keras_vocabulary(folder, marker):
    words = written(folder, "secret.txt", b"a\nb\n")
    config = {"name": "look", "vocabulary": str(words)}
    return keras_arbitrary_layer("keras.layers", "StringLookup", config)(folder, marker)


def keras_traversal(folder, marker):
    parts = members(dense_file(folder))
    return packed(folder / "t.keras", {**parts, "assets/../../MARKER": b"x"})


def keras_bomb(folder, marker):
    path = dense_file(folder)
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("assets/zeros", "w") as target,
    ):
        for _ in range(80):
            target.write(bytes(2**20))
    return path


def keras_doubled(folder, marker):
    path = dense_file(folder)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("config.json", "{}")
    return path


def changed_weights(folder, change):
    parts = members(dense_file(folder))
    buffer = io.BytesIO(parts["model.weights.h5"])
    with h5py.File(buffer, "r+") as store:
        change(store)
    return packed(folder / "links.keras", {**parts, "model.weights.h5": buffer.getvalue()})


def keras_external_link(folder, marker):
    return changed_weights(
        folder, lambda store: store.__setitem__("more", h5py.ExternalLink("other.h5", "/"))
    )


def keras_external_data(folder, marker):
    outside = written(folder, "secret.bin", bytes(64))
    return changed_weights(
        folder, lambda store: store.create_dataset("more", (4,), "f4", external=[(str(outside), 0, 16)])
    )


def keras_virtual_data(folder, marker):
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "data", (4,))
    return changed_weights(folder, lambda store: store.create_virtual_dataset("more", layout))


TRAPS = {
    "pickle": (pickled, "posix.mkdir"),
    "pickle named .keras": (pickled_as_keras, "posix.mkdir"),
    "pickle of protocol 0": (old_pickle, "posix.mkdir|posix\nmkdir"),
    "compressed pickle": (compressed, "compressed"),
    "torch module": (torch_module, "posix.mkdir"),
    "torch state with an object": (torch_state, "posix.mkdir"),
    "torch legacy": (torch_legacy, "pickle"),
    "numpy objects": (object_array, "Python objects"),
    "keras Lambda": (keras_lambda, "Lambda layer holds Python code"),
    "h5 Lambda": (keras_h5_lambda, "Lambda layer holds Python code"),
    "keras lambda as activation": (keras_nested_lambda, "Python lambda"),
    "keras function of os": (keras_function("os", "system"), "os.system"),
    "keras get_file": (keras_function("keras.utils", "get_file"), "keras.utils.get_file"),
    "keras function of its own files": (keras_function("keras.src.utils.file_utils", "get_file"), "get_file"),
    "keras load_model": (keras_function("keras.models", "load_model"), "load_model"),
    "keras unsafe switch": (keras_function("keras.config", "enable_unsafe_deserialization"), "enable_unsafe"),
    "keras builtin": (keras_function("builtins", "exec"), "exec"),
    "keras class of subprocess": (keras_initialiser, "subprocess.Popen"),
    "keras TorchModuleWrapper": (
        keras_arbitrary_layer("keras.layers", "TorchModuleWrapper", {"module": "x"}), "TorchModuleWrapper"
    ),
    "keras TFSMLayer": (keras_arbitrary_layer("keras.layers", "TFSMLayer", {"filepath": "MARKER"}),
    "TFSMLayer"),
    "keras foreign layer": (keras_arbitrary_layer("somewhere.layers", "Dense", {"units": 2}),
    "somewhere.layers.Dense"),
    "keras model maker": (keras_arbitrary_layer("keras.src.saving.saving_lib", "load_model", {}),
    "load_model"),
    "keras vocabulary": (keras_vocabulary, "reads the file"),
    "keras traversal": (keras_traversal, "written outside"),
    "keras bomb": (keras_bomb, "grows from"),
    "keras doubled member": (keras_doubled, "doubled"),
    "keras external link": (keras_external_link, "link 'more'"),
    "keras external data": (keras_external_data, "another file"),
    "keras virtual data": (keras_virtual_data, "another file"),
}  # fmt: skip


@pytest.mark.parametrize("name", TRAPS)
def test_trap_is_refused_and_never_runs(tmp_path, name):
    make, said = TRAPS[name]
    folder, marker = tmp_path / "files", tmp_path / "MARKER"
    folder.mkdir()
    path = make(folder, marker)
    assert not marker.exists()
    with pytest.raises(UnsafeFileError, match=said) as caught:
        load(path)
    assert "trust=True" in str(caught.value)
    with pytest.raises(DlexplainError):
        load(path, builder=lambda: nn.Linear(2, 2))
    assert not marker.exists()


ARMED = (
    "pickle", "pickle named .keras", "pickle of protocol 0", "torch module", "torch state with an object",
    "torch legacy",
    "keras Lambda", "h5 Lambda",
)  # fmt: skip


@pytest.mark.parametrize("name", ARMED)
def test_the_same_trap_runs_where_the_caller_trusts_the_file(tmp_path, name):
    folder, marker = tmp_path / "files", tmp_path / "MARKER"
    folder.mkdir()
    path = TRAPS[name][0](folder, marker)
    # What a trap leaves is rarely a model: opening it may fail in any way after the trap has run.
    with contextlib.suppress(Exception):
        load(path, trust=True)
    assert marker.exists()


def test_losses_and_optimisers_of_a_keras_file_are_not_read(tmp_path):
    def change(layer, config):
        config["compile_config"] = {"optimizer": function("os", "system"), "loss": function("os", "system")}

    assert load(with_layer(tmp_path, change)).framework == "keras"


def test_unpicklable_whole_model_is_opened_on_trust(tmp_path):
    torch.save(nn.Linear(2, 2), tmp_path / "m.pt")
    with pytest.raises(UnsafeFileError, match="Linear"):
        load(tmp_path / "m.pt")
    assert load(tmp_path / "m.pt", trust=True, input_shape=(2,)).framework == "torch"
