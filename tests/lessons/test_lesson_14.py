"""What lesson 14 says of letters and digits, held against one run of its teachers' notebook."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlexplain.classroom.lessons.lesson_14 import bench, bigger, costs, drawing
from dlexplain.classroom.lessons.lesson_14.glyphs import FONTS, LETTERS, glyphs
from dlexplain.classroom.running import Run
from dlexplain.errors import InputError

pytestmark = pytest.mark.lessons

ROOT = Path(__file__).resolve().parents[2]
WAYS = ("frozen", "thawed", "from scratch", "plain pixels")


@pytest.fixture(scope="module")
def run(run_lesson: Callable[..., Run]) -> Run:
    done = run_lesson(14)
    assert not done.faults, done.summary()
    return done


@pytest.fixture(scope="module")
def mean(run: Run) -> dict[str, dict[str, np.ndarray]]:
    return {name: {way: np.asarray(found[way]).mean(1) for way in WAYS} for name, found in run.value("right").items()}


def test_both_networks_read_letters(run: Run) -> None:
    assert min(run.value("letters_right").values()) > 0.8  # of 38


def test_frozen_leads_while_digits_are_few(run: Run, mean: dict[str, dict[str, np.ndarray]]) -> None:
    for found in mean.values():
        for other in ("from scratch", "plain pixels"):
            assert (found["frozen"][:4] > found[other][:4]).all()  # 1, 2, 5, 10 a class
        assert found["frozen"][1] > found["from scratch"][1] + 0.03
    assert 80 < run.value("five") < 93


def test_thawed_catches_up(mean: dict[str, dict[str, np.ndarray]]) -> None:
    for found in mean.values():
        gap = found["frozen"] - found["thawed"]
        assert gap[:2].mean() > gap[-1] + 0.01
        assert gap[-1] < 0.025


def test_plain_pixels_keep_up_with_the_network_from_scratch(mean: dict[str, dict[str, np.ndarray]]) -> None:
    for found in mean.values():
        assert (found["plain pixels"] > found["from scratch"] - 0.02).all()


def test_the_lead_at_two_a_class_is_more_than_luck(run: Run) -> None:
    for framework in ("Keras", "Torch"):
        lead, error = run.value("lead")[f"{framework}: frozen − from scratch"]["2 a class"]
        assert lead > 2 * error > 0


def test_a_large_rate_tears_down_what_was_built(run: Run) -> None:
    assert run.value("hasty") < run.value("gentle") - 0.2


def test_nonsense_does_harm(run: Run) -> None:
    at_ten = run.value("at_ten")
    assert at_ten["letters"] > at_ten["plain pixels"] > at_ten["never trained"] > at_ten["shuffled names"] + 0.05
    assert run.value("worse") < -0.05


def test_tuning_keeps_the_first_layer_and_changes_the_last(run: Run) -> None:
    cka = run.value("cka")
    for name in ("tuned (Keras)", "tuned (Torch)"):
        assert cka[name]["first"] > 0.9
        assert min(cka[name], key=cka[name].get) == "third"
        assert cka[name]["third"] < cka[name]["first"] - 0.08  # "the fall in the third is real"
        assert cka[name]["third"] > cka["control: never trained"]["third"] + 0.05
        assert abs(cka[name]["third"] - cka["control: from scratch"]["third"]) < 0.15  # "hardly nearer"
    for control in ("control: from scratch", "control: never trained"):
        assert cka[control]["first"] > cka["tuned (Torch)"]["first"] - 0.1  # "nearly as alike"


def test_maps_of_frozen_and_thawed_agree_best(run: Run) -> None:
    thawed, scratch, never = run.value("agree").values()
    assert thawed > scratch + 0.05
    assert scratch > never + 0.15  # "far more than one that knows nothing"


def test_a_frozen_layer_of_torch_moves(run: Run) -> None:
    torch, keras = run.value("moved").values()
    assert torch > 0.3
    assert keras == 0


def test_letters_save_labels_and_passes(run: Run) -> None:
    for needed in run.value("needed").values():
        assert 1.25 * needed["frozen"] < needed["from scratch"]  # "a good part, not all"
        assert needed["frozen"] > 2
    for need in run.value("draws_need").values():
        saved = np.asarray(need["from scratch"]) - np.asarray(need["frozen"])
        assert saved.mean() > saved.std(ddof=1) / np.sqrt(len(saved)) > 0  # the mean stands out of its error
    passes = run.value("passes")
    assert passes["frozen"] < 0.05 * passes["from scratch"]  # "nearly all of the passes"
    tasks = run.value("tasks")
    assert tasks["passes"] > 5
    assert tasks["money"] <= 1
    assert run.value("label_share") > 0.95  # "here it is nearly all labels"


def test_captum_in_training_mode_contradicts_itself(run: Run) -> None:
    training, ours, still = run.value("same").values()
    assert training > 0.02
    assert ours < 1e-5
    assert still < 1e-5


def test_the_network_is_left_alone_unless_asked(run: Run) -> None:
    assert run.value("big") == {}


def test_the_first_picture_comes_soon_and_the_whole_is_quick(run: Run) -> None:
    lines = [cell.first_line for cell in run.cells]
    first = lines.index("import numpy as np")
    assert sum(cell.cpu_seconds for cell in run.cells[: first + 1]) < 30  # 15 s on two cores
    assert run.cpu_seconds < 120
    assert run.peak_memory_bytes < 3e9


# ---- letters, prices, the bench ----


def test_letters_are_drawn_as_asked() -> None:
    made, again = glyphs(114, seed=3), glyphs(114, seed=3)
    assert made.inputs.shape == (114, 8, 8, 1)
    assert made.inputs.dtype == np.float32
    assert 0 <= made.inputs.min() < made.inputs.max() <= 1
    assert np.array_equal(made.inputs, again.inputs)
    assert not np.array_equal(made.inputs, glyphs(114, seed=4).inputs)
    assert np.bincount(made.labels).tolist() == [3] * len(LETTERS)
    assert not set("OolI0123456789") & set(LETTERS)  # no digit, nor what looks like one
    assert made.fonts.max() < len(FONTS)
    assert (made.inputs.sum((1, 2, 3)) > 3).all()  # every font has every letter
    with pytest.raises(InputError, match="fewer than one"):
        glyphs(10)


def test_a_letter_stands_upright_and_the_right_way_round() -> None:
    made = glyphs(200, ("L", "T"), seed=0)
    ells, tees = (made.inputs[made.labels == k, :, :, 0].mean(0) for k in (0, 1))
    assert ells[6:].sum() > 1.3 * ells[:2].sum()  # its foot lies below
    assert ells[2:5, :4].sum() > 1.5 * ells[2:5, 4:].sum()  # its stem stands on the left
    assert tees[:2].sum() > 1.3 * tees[6:].sum()  # its roof lies on top


def test_what_is_needed_is_read_off_between_points() -> None:
    assert costs.needed((1, 4, 16), (0.5, 0.7, 0.9), 0.8) == pytest.approx(8)
    assert costs.needed((1, 4, 16), (0.5, 0.7, 0.9), 0.4) == 1
    assert np.isnan(costs.needed((1, 4), (0.5, 0.7), 0.9))


def test_the_bill_adds_labels_and_time() -> None:
    bill = costs.bill(100, 5, 7200, label=0.5, hour=3, watts=10)
    assert bill.money == pytest.approx(56)
    assert bill.watt_hours == pytest.approx(20)
    assert costs.break_even(30, 8, 2) == 5
    assert costs.break_even(30, 2, 8) == np.inf
    dearer = costs.bill(120, 5, 7200, label=0.5, hour=3, watts=10)
    assert (dearer - bill).labels == 20
    assert (dearer - bill).money == pytest.approx(10)
    assert costs.row([bill, dearer])["labels"].replace("\u00a0", " ") == "110 ± 10"
    assert costs.row([bill])["labels"] == "100"


def test_each_size_and_draw_is_scored_and_timed() -> None:
    found, took = costs.timed(lambda size, k: 10 * size + k, (1, 5), 3)
    assert found.tolist() == [[10, 11, 12], [50, 51, 52]]
    assert took.shape == (2, 3)
    assert (took >= 0).all()


def test_the_bench_learns_anew_for_every_control() -> None:
    asked: list[tuple[int, float]] = []
    pool, test = np.repeat(np.arange(10), 50), np.repeat(np.arange(10), 3)

    def learner(places: np.ndarray, rate: float) -> np.ndarray:
        asked.append((len(places), rate))
        said = np.eye(10)[test]
        said[: len(places) % 7] = np.eye(10)[9]
        return said

    made = bench.TuningBench({"one": learner, "other": lambda places, rate: -learner(places, rate)}, pool, test)
    assert asked == [(50, 0.01)]
    for control, value in ((made.size, 20), (made.rate, 0.1), (made.way, "other")):
        before = made.view.value
        control.value = value
        assert made.view.value != before, control
    assert asked[-1] == (200, 0.1)
    assert made.right == pytest.approx(0.1)  # by hand: three zeros of thirty digits
    made.again.click()
    assert made.tries[-1][3] == 2
    for _ in range(9):
        made.again.click()
    assert len(made.tries) == bench.KEPT
    assert 'role="img"' in made.to_html()


def test_the_square_of_confusions_counts() -> None:
    picture = drawing.confusions(np.array([3, 3, 3, 8]), np.array([3, 3, 8, 8]))
    assert picture.count("<rect") == 101
    assert re.findall(r'font-size="11.5" fill="currentColor">(\d+)</text>', picture) == ["2", "1", "1"]


# ---- weights from the world ----


def _world() -> str:
    """The cell of the page that fetches weights."""
    source = (ROOT / "notebooks" / "source" / "14_transfer_learning.py").read_text(encoding="utf-8")
    cells = re.split(r"^# %%.*$", source, flags=re.MULTILINE)
    return next(cell for cell in cells if "\nnetwork = False" in cell)


def _names() -> dict[str, Any]:
    """What the page has defined before that cell."""
    from sklearn.linear_model import LogisticRegression

    import dlexplain as dlx

    pool, test = dlx.data.load("digits").split(0.4, seed=0)
    import keras
    import torch

    def head_on(known: np.ndarray, labels: np.ndarray) -> tuple[float, Any]:
        scale = known.std()
        return scale, LogisticRegression(C=10, max_iter=300).fit(known / scale, labels)

    return {
        "np": np, "keras": keras, "torch": torch, "bigger": bigger, "pool": pool, "test": test, "head_on": head_on,
        "channels_first": lambda x: np.ascontiguousarray(np.moveaxis(x, -1, 1)),
        "chosen": {(10, 0): bench.draw_places(pool.labels, 10, 0)},
    }  # fmt: skip


def test_weights_of_others_are_read_from_files(tmp_path: Path) -> None:
    names = _names()
    from transformers import ResNetConfig, ResNetModel

    mobile = names["keras"].applications.MobileNetV2(
        input_shape=(96, 96, 3), include_top=False, pooling="avg", weights=None
    )
    mobile.save_weights(tmp_path / "mobile.weights.h5")
    small = ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic")
    ResNetModel(small).save_pretrained(tmp_path / "resnet")
    cell = _world().replace("network = False", "network = True")
    cell = cell.replace('"imagenet"', repr(str(tmp_path / "mobile.weights.h5")))
    cell = cell.replace('"microsoft/resnet-18"', repr(str(tmp_path / "resnet")))
    exec(compile(cell, "the cell of the page", "exec"), names)
    assert len(names["big"]) == 2
    assert all(0.05 < value <= 1 for value in names["big"].values())  # random bodies: better than nothing, no more
    assert "of new digits right" in names["told"].text


def test_without_a_network_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    names = _names()
    cell = _world().replace("network = False", "network = True").replace("microsoft/resnet-18", "nobody/has-this")
    cell = cell.replace('WEIGHTS["keras.applications"])', 'WEIGHTS["keras.applications"], alpha=1.4)')
    exec(compile(cell, "the cell of the page", "exec"), names)
    assert names["big"] == {}
    assert names["told"].text.count("could not be fetched") == 2
    assert "Is this computer online?" in names["told"].text


def test_the_switch_is_off() -> None:
    made: list[int] = []
    scores, note = bigger.tried({"any": lambda: made.append(1)}, lambda body: 1.0, network=False)
    assert scores == {}
    assert not made
    assert "network = True" in note.text


def test_small_pictures_are_enlarged() -> None:
    small = np.zeros((2, 8, 8, 1), np.float32)
    small[:, :4] = 1
    grown = bigger.enlarged(small, 96)
    assert grown.shape == (2, 96, 96, 3)
    assert grown[:, :30].min() > 0.9
    assert grown[:, 66:].max() < 0.1
