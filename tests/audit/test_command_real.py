"""Whole audits of networks that learned real data, by the command line, as a user would run it.

The publishers' files lie beside the checkout; where they do not, the tests that need them are skipped by name.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import dlexplain as dlx
from dlexplain import cli
from dlexplain.data import folders

REAL = Path(__file__).resolve().parents[3] / "shared" / "data"
TIME = 30  # cycles of a window
pytestmark = pytest.mark.slow


@pytest.fixture
def real(monkeypatch):
    if not REAL.is_dir():
        pytest.skip("needs the real files in ../shared/data")
    monkeypatch.setenv(folders.FOLDERS_VARIABLE, str(REAL))


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def audited(*arguments: str) -> dict[str, dict]:
    """The checks of the record by name, the command's code among them."""
    code = cli.main(["audit", *arguments])
    content = json.loads(Path("audit/audit.json").read_text())
    found = {check["name"]: check for part in content["parts"] for check in part["checks"]}
    size = Path("audit/audit.html").stat().st_size
    assert size < 6 * 2**20
    assert Path("audit/audit.xml").stat().st_size > 1000
    assert "Model card" in Path("audit/audit.md").read_text()
    return {**found, "code": code, "parts": [part["number"] for part in content["parts"]]}


def statuses(found: dict, *names: str) -> dict[str, str]:
    return {name: found[name]["status"] for name in names}


def fitted_keras(model, inputs, labels, *, loss, epochs, rate=2e-3):
    import keras

    model.compile(optimizer=keras.optimizers.Adam(rate), loss=loss)
    model.fit(inputs, labels, batch_size=64, epochs=epochs, verbose=0)
    return model


def fitted_torch(model, inputs, labels, *, loss, epochs, rate=2e-3):
    import torch

    optimiser, rng = torch.optim.Adam(model.parameters(), rate), np.random.default_rng(0)
    x, y = torch.tensor(inputs), torch.tensor(labels)
    for _ in range(epochs):
        for part in np.array_split(rng.permutation(len(x)), len(x) // 64):
            optimiser.zero_grad()
            loss(model(x[part]), y[part]).backward()
            optimiser.step()
    return model.eval()


SOUND_DATA = ("schema", "missing_values", "duplicates", "split_leakage", "label_noise", "class_balance")


@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_handwritten_digits(framework, real, here):
    data = dlx.data.load("mnist", split="test")
    order = np.random.default_rng(0).permutation(len(data))
    inputs, labels = data.inputs[order].astype(np.float32), data.labels[order]
    if framework == "keras":
        import keras

        keras.utils.set_random_seed(0)
        layers = keras.layers
        model = keras.Sequential(
            [
                keras.Input((28, 28, 1)),
                layers.Conv2D(8, 5, strides=2, activation="relu"),
                layers.Conv2D(16, 3, strides=2, activation="relu"),
                layers.Flatten(),
                layers.Dense(10),
            ]
        )
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        fitted_keras(model, inputs[:8000], labels[:8000], loss=loss, epochs=5).save("digits.keras")
        command = ["digits.keras"]
    else:
        import torch
        from safetensors.torch import save_file
        from torch import nn

        inputs = np.ascontiguousarray(np.moveaxis(inputs, -1, 1))
        torch.manual_seed(0)
        body = nn.Conv2d(1, 8, 5, 2), nn.ReLU(), nn.Conv2d(8, 16, 3, 2), nn.ReLU()
        model = nn.Sequential(*body, nn.Flatten(), nn.Linear(400, 10))
        fitted_torch(model, inputs[:8000], labels[:8000], loss=nn.functional.cross_entropy, epochs=5)
        save_file(model.state_dict(), "digits.safetensors")
        Path("digits_network.py").write_text(
            "from torch import nn\n\n\ndef make():\n"
            "    body = nn.Conv2d(1, 8, 5, 2), nn.ReLU(), nn.Conv2d(8, 16, 3, 2), nn.ReLU()\n"
            "    return nn.Sequential(*body, nn.Flatten(), nn.Linear(400, 10))\n"
        )
        command = ["digits.safetensors", "--builder", "digits_network:make"]
    names = np.array([f"digit {name}" for name in range(10)])
    train = {"train_inputs": inputs[:8000], "train_labels": labels[:8000]}
    np.savez("digits.npz", inputs=inputs[8000:], labels=labels[8000:], class_names=names, **train)
    found = audited(command[0], "digits.npz", *command[1:])
    assert statuses(found, *SOUND_DATA, "accuracy", "calibration", "drift") == dict.fromkeys(
        (*SOUND_DATA, "accuracy", "calibration", "drift"), "PASS"
    )
    assert found["accuracy"]["figure"] > 0.8
    assert found["parts"] == list(range(18))
    assert found["code"] == 0


@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_turbofan_engines(framework, real, here):
    """Cycles left, from windows of 30 cycles; engines of the audit are not those of training."""
    data = dlx.data.load("cmapss_fd001", split="train")
    train, test = data.split(test=0.2, seed=0)
    test, train = test.standardised(train), train.standardised()
    old, new = train.windows(TIME, 3, cap=125), test.windows(TIME, 10, cap=125)
    inputs, labels = old.inputs.astype(np.float32), (old.labels / 125).astype(np.float32)
    audit = new.inputs.astype(np.float32)
    if framework == "keras":
        import keras

        keras.utils.set_random_seed(0)
        layers = keras.layers
        body = [layers.Conv1D(16, 5, activation="relu"), layers.Conv1D(16, 5, strides=2, activation="relu")]
        model = keras.Sequential([keras.Input((TIME, 24)), *body, layers.Flatten(), layers.Dense(1)])
        fitted_keras(model, inputs, labels, loss="mse", epochs=6).save("engines.keras")
        command = ["engines.keras"]
    else:
        import torch
        from safetensors.torch import save_file
        from torch import nn

        inputs, audit = (np.ascontiguousarray(np.moveaxis(a, -1, 1)) for a in (inputs, audit))
        torch.manual_seed(0)
        code = "nn.Sequential(nn.Conv1d(24, 16, 5), nn.ReLU(), nn.Conv1d(16, 16, 5, 2), nn.ReLU(), nn.Flatten(), nn.Linear(176, 1))"
        model = eval(code, {"nn": nn})
        fitted_torch(model, inputs, labels[:, None], loss=nn.functional.mse_loss, epochs=6)
        save_file(model.state_dict(), "engines.safetensors")
        Path("engines_network.py").write_text(f"from torch import nn\n\n\ndef make():\n    return {code}\n")
        command = ["engines.safetensors", "--builder", "engines_network:make"]
    np.savez(
        "engines.npz",
        inputs=audit,
        labels=(new.labels / 125).astype(np.float32),
        feature_names=np.array(new.feature_names),
        train_inputs=inputs,
        train_labels=labels,
    )
    found = audited(command[0], "engines.npz", *command[1:])
    assert statuses(found, "schema", "missing_values", "split_leakage", "accuracy") == {
        "schema": "PASS",
        "missing_values": "PASS",
        "split_leakage": "PASS",
        "accuracy": "PASS",
    }
    assert found["label_noise"]["status"] == found["calibration"]["status"] == "NOT RUN"
    assert found["constant_columns"]["status"] == "FAIL"  # several sensors of FD001 never move
    assert "sensor_1" in found["constant_columns"]["reason"]
    assert found["code"] == 0
    assert found["parts"] == list(range(18))


def test_a_table_of_tumours(here):
    import keras
    import pandas as pd

    data = dlx.data.load("breast_cancer")
    train, test = data.split(test=0.35, seed=0)
    test, train = test.standardised(train), train.standardised()
    keras.utils.set_random_seed(0)
    hidden = [keras.layers.Dense(32, activation="relu") for _ in range(2)]
    model = keras.Sequential([keras.Input((30,)), *hidden, keras.layers.Dense(2)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    order = np.argsort(np.array(data.class_names))  # the command numbers words in the order of the alphabet
    place = np.argsort(order)
    fitted_keras(model, train.inputs, place[train.labels], loss=loss, epochs=15).save("tumours.keras")
    for part, name in ((train, "train.csv"), (test, "test.csv")):
        frame = pd.DataFrame(part.inputs, columns=list(data.feature_names))
        frame["tumour"] = np.array(data.class_names)[part.labels]
        frame.to_csv(name, index=False)
    found = audited("tumours.keras", "test.csv", "--train", "train.csv", "--labels", "tumour")
    assert statuses(found, *SOUND_DATA, "accuracy", "calibration", "drift") == dict.fromkeys(
        (*SOUND_DATA, "accuracy", "calibration", "drift"), "PASS"
    )
    assert found["accuracy"]["figure"] > 0.3
    assert found["slices"]["status"] == "NOT RUN"
    assert found["code"] == 0
