"""Files that are opened: every safe kind, and clear errors for what is absent, damaged or no model."""

from __future__ import annotations

import zipfile

import keras
import numpy as np
import pytest
import torch
from keras import layers as kl
from safetensors.torch import save_file
from torch import nn

from dlexplain.errors import InputError
from dlexplain.frameworks.load import load, register_builder
from dlexplain.frameworks.model import Model


def keras_model():
    return keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            kl.Conv2D(3, 3, activation="relu"),
            kl.BatchNormalization(),
            kl.Flatten(),
            kl.Dense(2, activation="softmax"),
        ]
    )


def torch_model():
    return nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 2), nn.Softmax(1)
    ).eval()


X = np.random.default_rng(0).normal(size=(3, 6, 6, 2)).astype("float32")


def torch_says(model):
    with torch.no_grad():
        return model(torch.from_numpy(np.moveaxis(X, -1, 1).copy())).numpy()


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_keras_files(tmp_path, suffix):
    model = keras_model()
    model.compile("adam", "categorical_crossentropy")
    model.save(tmp_path / f"model{suffix}")
    (tmp_path / f"model{suffix}").rename(tmp_path / "model.bin")  # told by content, not by name
    opened = load(tmp_path / "model.bin", class_names=["a", "b"])
    assert isinstance(opened, Model)
    assert opened.framework == "keras"
    np.testing.assert_allclose(opened.raw(X), model(X), atol=1e-6)


def test_functional_keras_file_with_operations_lookups_and_recurrent_layers(tmp_path):
    entry = keras.Input((5, 3))
    value = kl.Bidirectional(kl.GRU(4, return_sequences=True))(entry)
    value = kl.MultiHeadAttention(2, 4)(value, value) + keras.ops.relu(value)[:, ::-1]
    value = kl.TimeDistributed(
        kl.Dense(3, kernel_regularizer="l2", kernel_constraint=keras.constraints.MaxNorm(2))
    )(value)
    model = keras.Model(entry, kl.LayerNormalization(dtype="float32")(kl.Dropout(0.2, seed=1)(value)))
    model.save(tmp_path / "m.keras")
    x = np.ones((2, 5, 3), "float32")
    np.testing.assert_allclose(load(tmp_path / "m.keras").raw(x), model(x), atol=1e-6)


def test_nested_keras_model_and_registered_class(tmp_path):
    @keras.saving.register_keras_serializable("dlexplain_tests")
    class Twice(kl.Layer):
        def call(self, x):
            return 2 * x

    model = keras.Sequential([keras.Input((4,)), keras.Sequential([keras.Input((4,)), kl.Dense(3)]), Twice()])
    model.save(tmp_path / "m.keras")
    np.testing.assert_allclose(
        load(tmp_path / "m.keras").raw(np.ones((1, 4))), model(np.ones((1, 4))), atol=1e-6
    )


@pytest.mark.parametrize("dynamic", [False, True])
def test_exported_program(tmp_path, dynamic):
    model = torch_model()
    sample = torch.zeros(2 if dynamic else 3, 2, 6, 6)
    shapes = ({0: torch.export.Dim("batch")},) if dynamic else None
    torch.export.save(torch.export.export(model, (sample,), dynamic_shapes=shapes), tmp_path / "m.pt2")
    opened = load(tmp_path / "m.pt2", input_shape=(2, 6, 6))
    assert opened.framework == "torch"
    np.testing.assert_allclose(torch_says(opened.raw), torch_says(model), atol=1e-6)


@pytest.mark.parametrize("make", [torch.jit.script, lambda m: torch.jit.trace(m, torch.zeros(1, 2, 6, 6))])
def test_torchscript(tmp_path, make):
    model = torch_model()
    make(model).save(tmp_path / "m.pt")
    np.testing.assert_allclose(
        torch_says(load(tmp_path / "m.pt", input_shape=(2, 6, 6)).raw), torch_says(model), atol=1e-6
    )


def test_safetensors_and_state_dict_with_a_builder(tmp_path):
    model = torch_model()
    save_file(model.state_dict(), tmp_path / "w.safetensors")
    torch.save(model.state_dict(), tmp_path / "w.pth")
    register_builder("small", torch_model)
    for name, builder in (("w.safetensors", torch_model), ("w.safetensors", "small"), ("w.pth", torch_model)):
        opened = load(tmp_path / name, builder=builder, input_shape=(2, 6, 6))
        np.testing.assert_array_equal(torch_says(opened.raw), torch_says(model))
    with pytest.raises(InputError, match="builder="):
        load(tmp_path / "w.safetensors")
    with pytest.raises(InputError, match=r"'smal' is not registered.*'small'"):
        load(tmp_path / "w.safetensors", builder="smal")


def test_safetensors_into_a_keras_builder(tmp_path):
    from safetensors.numpy import save_file as save_arrays

    model = keras_model()
    arrays = {w.path.removeprefix(f"{model.name}/"): w.numpy() for w in model.weights}
    save_arrays(arrays, tmp_path / "k.safetensors")

    opened = load(tmp_path / "k.safetensors", builder=lambda: keras.models.clone_model(model))
    np.testing.assert_allclose(opened.raw(X), model(X), atol=1e-6)


def test_weights_that_do_not_fit_are_listed(tmp_path):
    save_file(torch_model().state_dict(), tmp_path / "w.safetensors")

    def other():
        return nn.Sequential(nn.Conv2d(2, 3, 5), nn.Linear(3, 4))

    with pytest.raises(InputError) as caught:
        load(tmp_path / "w.safetensors", builder=other)
    said = str(caught.value)
    assert "missing in the file: 1.weight" not in said
    assert "0.weight is (3, 2, 3, 3), the model has (3, 2, 5, 5)" in said
    assert "not in the model: 1.num_batches_tracked" in said
    assert "1.weight is (3,), the model has (4, 3)" in said


def test_checkpoint_of_several_things_is_explained(tmp_path):
    torch.save({"model": torch_model().state_dict(), "epoch": 3}, tmp_path / "c.pt")
    with pytest.raises(InputError, match="checkpoint with the entries model, epoch"):
        load(tmp_path / "c.pt", builder=torch_model)


def test_builder_beside_a_whole_model_is_refused(tmp_path):
    keras_model().save(tmp_path / "m.keras")
    with pytest.raises(InputError, match="whole model"):
        load(tmp_path / "m.keras", builder=keras_model)


def write(path, data):
    path.write_bytes(data)
    return path


def truncated(tmp_path):
    keras_model().save(tmp_path / "m.keras")
    data = (tmp_path / "m.keras").read_bytes()
    return write(tmp_path / "cut.keras", data[: len(data) // 2])


def truncated_safetensors(tmp_path):
    save_file(torch_model().state_dict(), tmp_path / "w.safetensors")
    return write(tmp_path / "cut.safetensors", (tmp_path / "w.safetensors").read_bytes()[:-100])


def truncated_h5(tmp_path):
    keras_model().save(tmp_path / "m.h5")
    data = (tmp_path / "m.h5").read_bytes()
    return write(tmp_path / "cut.h5", data[: len(data) // 2])


def truncated_pt2(tmp_path):
    torch.export.save(torch.export.export(nn.Linear(2, 2), (torch.zeros(1, 2),)), tmp_path / "m.pt2")
    return write(tmp_path / "cut.pt2", (tmp_path / "m.pt2").read_bytes()[:-50])


def some_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    return tmp_path / "a.zip"


def weights_only_h5(tmp_path):
    keras_model().save_weights(tmp_path / "m.weights.h5")
    return tmp_path / "m.weights.h5"


def saved_npz(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.ones(3))
    return tmp_path / "a.npz"


def saved_model(tmp_path):
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").write_bytes(b"x")
    return tmp_path / "saved"


def near_miss(tmp_path):
    keras_model().save(tmp_path / "digits.keras")
    return tmp_path / "digit.keras"


NOT_MODELS = {
    "absent": (lambda folder: folder / "nothing.keras", "does not exist"),
    "near miss": (near_miss, "Did you mean 'digits.keras'"),
    "folder": (lambda folder: folder, "is a folder"),
    "saved model": (saved_model, "TensorFlow SavedModel"),
    "empty": (lambda folder: write(folder / "m.keras", b""), "is empty"),
    "text": (lambda folder: write(folder / "m.keras", b"<html>404 not found</html>"), "not a model file"),
    "truncated": (truncated, "damaged"),
    "truncated safetensors": (truncated_safetensors, "damaged"),
    "truncated h5": (truncated_h5, "damaged"),
    "truncated pt2": (truncated_pt2, "damaged"),
    "some zip": (some_zip, "no kind of model"),
    "weights only": (weights_only_h5, "weights alone"),
    "npz": (saved_npz, "NumPy archive"),
    "csv": (lambda folder: write(folder / "a.csv", b"a,b\n1,2\n"), "not a model file"),
}


@pytest.mark.parametrize("name", NOT_MODELS)
def test_what_is_no_model_is_named(tmp_path, name):
    make, said = NOT_MODELS[name]
    with pytest.raises(InputError, match=said):
        load(make(tmp_path))
