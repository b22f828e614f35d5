"""`dlexplain audit`: exit codes, refusals without a traceback, and four files or none."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from dlexplain import cli
from dlexplain.audit import command
from dlexplain.audit.result import AuditRecord

FILES = ["audit.html", "audit.json", "audit.md", "audit.xml"]


@pytest.fixture(scope="module")
def place(tmp_path_factory, cancer_keras, cancer_torch) -> Path:
    """A Keras model, a Torch program, their data; a model that guesses."""
    import torch

    folder = tmp_path_factory.mktemp("command")
    cancer_keras.model.save(folder / "cancer.keras")
    rows = torch.tensor(cancer_torch.inputs[:4])
    count = torch.export.Dim("n", min=1, max=4096)
    program = torch.export.export(cancer_torch.model.eval(), (rows,), dynamic_shapes=({0: count},))
    torch.export.save(program, folder / "cancer.pt2")
    names = {"feature_names": np.array(cancer_keras.feature_names), "class_names": np.array(cancer_keras.class_names)}
    train = {"train_inputs": cancer_keras.train[0], "train_labels": cancer_keras.train[1]}
    np.savez(folder / "cancer.npz", inputs=cancer_keras.inputs, labels=cancer_keras.labels, **names, **train)
    shuffled = np.random.default_rng(0).permutation(cancer_keras.labels)
    np.savez(folder / "shuffled.npz", inputs=cancer_keras.inputs, labels=shuffled, **names)
    return folder


@pytest.fixture
def here(place, monkeypatch, tmp_path) -> Path:
    """A folder of work of its own, with the models and the data."""
    for file in place.iterdir():
        (tmp_path / file.name).symlink_to(file)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def brief(monkeypatch):
    """Only the sections that are quick: the command is tested here, not the audit."""
    from dlexplain.audit import registry

    asked = registry.chosen
    monkeypatch.setattr(registry, "chosen", lambda sections: asked([1, 4] if sections is None else sections))


def files(folder: Path) -> list[str]:
    return sorted(item.name for item in folder.iterdir())


@pytest.mark.parametrize("model", ["cancer.keras", "cancer.pt2"])
def test_pass_is_0_and_leaves_four_files(here, brief, model, capsys):
    assert cli.main(["audit", model, "cancer.npz"]) == 0
    assert files(here / "audit") == FILES
    told = capsys.readouterr()
    assert "PASS" in told.out
    assert "Section 4: Performance" in told.err
    record = AuditRecord.load(here / "audit" / "audit.json")
    assert record.verdict == "PASS"
    assert not list(here.glob(".audit-*"))


def test_fail_is_1_and_says_why(here, brief, capsys):
    assert cli.main(["audit", "cancer.keras", "shuffled.npz", "--out", "there/is/it"]) == 1
    assert files(here / "there" / "is" / "it") == FILES
    assert "Better than the trivial predictor" in capsys.readouterr().out


def test_inconclusive_is_2(here, brief):
    rows = np.load("cancer.npz")
    one = rows["labels"] == 1
    np.savez("one.npz", inputs=rows["inputs"][one], labels=rows["labels"][one])
    assert cli.main(["audit", "cancer.keras", "one.npz"]) == 2


def test_the_same_audit_twice_is_the_same_byte_for_byte(here, brief):
    texts = []
    for _ in range(2):
        assert cli.main(["audit", "cancer.keras", "cancer.npz", "--seed", "5"]) == 0
        content = json.loads((here / "audit" / "audit.json").read_text())
        assert content.pop("stamps")
        texts.append(json.dumps(content))
    assert texts[0] == texts[1]


def test_an_earlier_record_is_compared_with(here, brief, capsys):
    assert cli.main(["audit", "cancer.keras", "cancer.npz"]) == 0
    capsys.readouterr()
    assert cli.main(["audit", "cancer.keras", "shuffled.npz", "--against", "audit/audit.json"]) == 1
    assert "PASS -> FAIL" in capsys.readouterr().out
    assert "PASS" in (here / "audit" / "audit.html").read_text()


def test_what_was_decided_while_reading_stands_in_the_record(here, brief):
    rows = np.load("cancer.npz")
    inputs = rows["inputs"].copy()
    inputs[2, 3] = np.nan
    np.savez("gaps.npz", inputs=inputs, labels=rows["labels"])
    assert cli.main(["audit", "cancer.keras", "gaps.npz", "--limit", "100"]) == 0
    text = (here / "audit" / "audit.json").read_text()
    assert "1 of 180 rows have missing or infinite values and were set aside" in text
    assert "100 of 179 rows, drawn at random with seed 0" in text


def test_a_table_with_columns_for_slices_and_a_card(here, brief):
    import pandas as pd

    rows = np.load("cancer.npz")
    frame = pd.DataFrame(rows["inputs"], columns=rows["feature_names"])
    frame["diagnosis"] = rows["class_names"][rows["labels"]]
    frame["clinic"] = ["north", "south"] * (len(frame) // 2)
    frame.to_csv("cancer.csv", index=False)
    Path("card.yaml").write_text("use: second opinion\n")
    options = ["--labels", "diagnosis", "--slices", "clinic", "--card", "card.yaml", "--methods", "saliency"]
    # "benign" comes before "malignant" in the alphabet; this model was trained the other way round.
    assert cli.main(["audit", "cancer.keras", "cancer.csv", *options]) == 1
    assert (
        "Classes are numbered in the order of the alphabet: benign, malignant." in Path("audit/audit.json").read_text()
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["cancer.kers", "cancer.npz"], "Did you mean 'cancer.keras'"),
        (["cancer.keras", "cancr.npz"], "Did you mean 'cancer.npz'"),
        (["cancer.npz", "cancer.npz"], "not a model"),
        (["cancer.keras", "cancer.npz", "--profile", "table"], "Profiles: "),
        (["cancer.keras", "cancer.npz", "--methods", "salience"], "saliency"),
        (["cancer.keras", "cancer.npz", "--slices", "age"], "no column is named 'age'"),
        (["cancer.keras", "cancer.npz", "--card", "none.yaml"], "none.yaml is not a file"),
        (["cancer.keras", "cancer.npz", "--against", "cancer.npz"], "not a record"),
        (["cancer.keras", "cancer.npz", "--out", "cancer.npz"], "is a file"),
        (["cancer.keras", "cancer.npz", "--limit", "0"], "--limit 0"),
        (["cancer.keras", "cancer.npz", "--seed", "-1"], "seed=-1"),
        (["cancer.keras", "wide.npz"], "wide.npz: shape (4, 7)"),
    ],
)
def test_what_could_not_run_ends_with_3_and_leaves_nothing(here, brief, arguments, said, capsys):
    np.savez("wide.npz", inputs=np.zeros((4, 7), np.float32), labels=np.arange(4) % 2)
    before = files(here)
    assert cli.main(["audit", *arguments]) == 3
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told
    assert files(here) == before


class Marks:
    def __reduce__(self):
        return open, ("ran", "w")


def test_a_model_that_carries_code_is_refused_unless_trusted(here, brief, capsys):
    Path("model.pt").write_bytes(pickle.dumps(Marks()))
    assert cli.main(["audit", "model.pt", "cancer.npz"]) == 3
    assert "--trust" in capsys.readouterr().err
    assert not Path("ran").exists()


def test_a_lambda_layer_is_refused_unless_trusted(here, brief, cancer_keras, capsys):
    import keras

    keras.config.enable_unsafe_deserialization()
    model = keras.Sequential([keras.Input((30,)), keras.layers.Lambda(lambda x: x * 1.0), cancer_keras.model])
    model.save("code.keras")
    assert cli.main(["audit", "code.keras", "cancer.npz"]) == 3
    assert "Lambda" in capsys.readouterr().err
    assert cli.main(["audit", "code.keras", "cancer.npz", "--trust"]) == 0


def test_torchscript_is_refused_with_what_to_do(here, brief, cancer_torch, capsys):
    import torch

    torch.jit.trace(cancer_torch.model, torch.tensor(cancer_torch.inputs[:2])).save("traced.pt")
    assert cli.main(["audit", "traced.pt", "cancer.npz"]) == 3
    assert "torch.export.save" in capsys.readouterr().err


def test_weights_alone_need_a_builder(here, brief, cancer_torch, capsys):
    from safetensors.torch import save_file

    save_file(cancer_torch.model.state_dict(), "weights.safetensors")
    assert cli.main(["audit", "weights.safetensors", "cancer.npz"]) == 3
    assert "--builder MODULE:FUNCTION" in capsys.readouterr().err
    Path("its_network.py").write_text(
        "from torch import nn\n\n\ndef make():\n"
        "    return nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2))\n"
    )
    path = list(sys.path)
    assert cli.main(["audit", "weights.safetensors", "cancer.npz", "--builder", "its_network:make"]) == 0
    assert sys.path == path
    assert cli.main(["audit", "weights.safetensors", "cancer.npz", "--builder", "its_network:mak"]) == 3
    assert "no function 'mak'" in capsys.readouterr().err


def test_a_failure_while_writing_leaves_the_earlier_record(here, brief, monkeypatch):
    assert cli.main(["audit", "cancer.keras", "cancer.npz"]) == 0
    before = {name: (here / "audit" / name).read_bytes() for name in FILES}
    whole = AuditRecord.save

    def full(record, path):
        if Path(path).suffix == ".md":
            raise OSError(28, "No space left on device")
        return whole(record, path)

    monkeypatch.setattr(AuditRecord, "save", full)
    assert cli.main(["audit", "cancer.keras", "shuffled.npz"]) == 3
    assert {name: (here / "audit" / name).read_bytes() for name in FILES} == before
    assert not list(here.glob(".audit-*"))


def test_an_interruption_waits_until_the_last_file_is_there(tmp_path, monkeypatch):
    workplace, out = tmp_path / "work", tmp_path / "out"
    workplace.mkdir()
    for name in FILES:
        (workplace / name).write_text(name)
    whole = os.replace

    def interrupted(source, target):
        os.kill(os.getpid(), signal.SIGINT)
        whole(source, target)

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        command._moved(workplace, out)
    assert files(out) == FILES


@pytest.mark.slow
@pytest.mark.parametrize("at", ["Opening the model", "Section 1:", "Section 7:"])
def test_control_c_leaves_no_half_written_record(here, at):
    (here / "audit").mkdir()
    (here / "audit" / "audit.json").write_text("earlier")
    run = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from dlexplain.cli import main; sys.exit(main())",
            "audit",
            "cancer.keras",
            "cancer.npz",
        ],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        # Who starts the tests in the background has them ignore Ctrl-C, and Python heeds what it inherits.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    said = []
    for line in run.stderr:
        said.append(line)
        if line.startswith(at):
            time.sleep(0.2)
            run.send_signal(signal.SIGINT)
            break
    said.append(run.stderr.read())
    assert run.wait() == 130, "".join(said)
    assert "dlexplain: interrupted" in said[-1]
    assert "Traceback" not in said[-1]
    assert files(here / "audit") == ["audit.json"]
    assert (here / "audit" / "audit.json").read_text() == "earlier"
    assert not list(here.glob(".audit-*"))
