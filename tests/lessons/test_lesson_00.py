"""What lesson 00 claims, held against its own run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dlexplain.classroom.lessons import numbers
from dlexplain.classroom.lessons.lesson_00 import figures as draw
from dlexplain.classroom.running import Run

pytestmark = pytest.mark.lessons


@pytest.fixture
def run(run_lesson: Callable[..., Run]) -> Run:
    """The teachers' notebook, run once a session."""
    return run_lesson(0)


def _outputs(run: Run, holding: str) -> str:
    """All that the one code cell that holds this text has shown, as text."""
    cells = [c for c in run.notebook["cells"] if c["cell_type"] == "code" and holding in "".join(c["source"])]
    assert len(cells) == 1, f"{len(cells)} cells hold {holding!r}"
    return json.dumps(cells[0]["outputs"], ensure_ascii=False)


def test_a_picture_comes_before_any_framework(run: Run) -> None:
    code = [c for c in run.notebook["cells"] if c["cell_type"] == "code"]
    picture = next(i for i, c in enumerate(code) if "vnd.plotly" in json.dumps(c["outputs"]))
    framework = next(i for i, c in enumerate(code) if "import keras" in "".join(c["source"]))
    assert picture < framework


def test_the_network_has_a_few_thousand_weights(run: Run) -> None:
    (output,) = json.loads(_outputs(run, "dlx.layers(keras_net)"))
    header, *rows = "".join(output["data"]["text/plain"]).splitlines()
    assert header.split() == ["layer", "type", "parameters"]
    assert len(rows) == 7
    assert 2_000 < sum(int(row.split()[-1]) for row in rows) < 9_000


def test_both_networks_learn_and_end_alike(run: Run) -> None:
    for name in ("keras", "torch"):
        assert run.value(f"{name}_accuracy") > 0.92
        loss = run.value(f"{name}_history")["loss"]
        assert loss[-1] < loss[0] / 4
        assert (
            run.value(f"{name}_history")["val_accuracy"][-1] > run.value(f"{name}_history")["val_accuracy"][0]
        )
    assert abs(run.value("keras_accuracy") - run.value("torch_accuracy")) < 0.05


def test_saliency_speaks_of_blank_pixels_and_integrated_gradients_do_not(run: Run) -> None:
    nine = np.array(run.value("nine")).ravel()
    saliency = np.array(run.value("our_saliency")).ravel()
    assert (np.abs(saliency[nine == 0]) > 1e-3).mean() > 0.5
    maps = {letter: np.array(values).reshape(100, 64) for letter, values in run.value("maps").items()}
    for letter in "BC":
        assert not maps[letter][maps["A"] == 0].any()
        assert (maps[letter][maps["A"] > 0] != 0).mean() > 0.9


def test_the_credits_are_fair_and_complete(run: Run) -> None:
    credit = np.array(run.value("credit"))
    rise = run.value("full_score") - run.value("blank_score")
    assert credit.sum() == pytest.approx(rise, abs=1e-3)
    assert credit.min() < -1, "the text says that a credit may be negative"
    assert np.sort(credit)[-1] > np.sort(credit)[-2] + 1, "the prediction needs a clear winner"


def test_shap_and_captum_give_the_same(run: Run) -> None:
    assert run.value("shap_difference") < 1e-3
    assert run.value("captum_difference") < 1e-3


def test_captum_drops_the_sign_and_keras(run: Run) -> None:
    assert run.value("against") > 10
    assert run.value("captum_against") == 0
    assert "Torch models only" in _outputs(run, "except dlx.UnsupportedModelError")


def test_the_nonsense_network_guesses(run: Run) -> None:
    assert run.value("shuffled_accuracy") < 0.25


def test_real_maps_agree_and_the_controls_do_not(run: Run) -> None:
    assert run.value("twins") > 0.35
    assert abs(run.value("nonsense")) < 0.2
    assert abs(run.value("chance")) < 0.1


def test_hiding_what_the_map_names_breaks_most(run: Run) -> None:
    breaks = run.value("breaks")
    own, other, bright, nonsense, chance = breaks.values()
    assert next(iter(breaks)) == "named by its own map"
    assert own > 85
    assert own >= other > bright + 10
    assert own > 1.2 * bright
    assert 80 > bright > chance + 15, "hiding the brightest does harm as well"
    assert nonsense < other - 20
    assert chance < 35


def test_the_mystery_is_solved_by_numbers(run: Run) -> None:
    assert run.value("real") == "B"


def test_the_record_holds_in_every_row(run: Run) -> None:
    shown = _outputs(run, "draw.record([")
    assert shown.count("✓ held") >= 3
    assert "failed" not in shown
    assert run.value("gap") < 0.009


def test_a_failed_row_says_so() -> None:
    note = draw.record([("Is it so?", "it is not", "0.9", False)])
    assert "✗ failed" in note.html
    assert "✗ failed" in note.text


def test_the_way_on_names_the_lessons_there_are_and_links_to_them(tmp_path: Path) -> None:
    known = [number for number in numbers() if number != 0]
    note = draw.course_map(tmp_path)
    assert [int(line[:2]) for line in note.text.splitlines() if line[:2].isdigit()] == known
    assert "<a " not in note.html, "no notebook lies there, so nothing is linked"
    for number in known:
        (tmp_path / f"{number:02d}_some.ipynb").write_text("{}")
    linked = re.findall(r'href="(\d\d)_some\.ipynb"', draw.course_map(tmp_path).html)
    assert [int(number) for number in linked] == known


def test_numbers_of_a_picture_are_its_ink() -> None:
    picture = np.zeros((8, 8))
    picture[2, 5] = 1
    lines = draw.as_numbers(picture).text.splitlines()
    assert [len(line.split()) for line in lines] == [8] * 8
    assert lines[2].split()[5] == "16"
    assert sum(int(n) for line in lines for n in line.split()) == 16
