"""What lesson 10 says of its pages, readers and alarms, held against one run of its teachers' notebook."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dlexplain.classroom.lessons.lesson_10 import bench, paper, reading
from dlexplain.classroom.running import Run

pytestmark = pytest.mark.lessons


@pytest.fixture(scope="module")
def run(run_lesson: Callable[..., Run]) -> Run:
    done = run_lesson(10)
    assert not done.faults, done.summary()
    return done


def test_the_tilt_is_found(run: Run) -> None:
    assert abs(run.value("tilt_found") - 3) <= 0.5


def test_both_networks_read_new_scraps_and_pages(run: Run) -> None:
    assert run.value("error_keras") < 0.15
    assert run.value("error_torch") < 0.15
    wrong = run.value("wrong_letters")
    assert max(wrong["Keras"], wrong["Torch"]) < 0.35
    assert wrong["Torch, page not straightened"] > 1.8 * wrong["Torch"]


def test_a_right_invoice_is_rarer_than_a_right_field(run: Run) -> None:
    assert np.mean(run.value("correct")) > 0.65
    assert np.mean(run.value("all_right")) < np.mean(run.value("correct")) - 0.05


def test_sorting_by_look_outlives_the_words(run: Run) -> None:
    right = run.value("sorted_right")
    assert min(right["as before"].values()) > 0.85
    assert right["very blurred"]["by look"] > right["very blurred"]["by words"] + 0.15


def test_rules_catch_most(run: Run) -> None:
    assert run.value("caught") > 0.7  # "most of the work"
    assert run.value("false_alarms") == 0  # our senders can add


def test_doubt_finds_the_errors(run: Run) -> None:
    left = run.value("left")["by the least chance"]
    assert left[2] < 0.6 * left[0]
    assert left[4] < 0.35 * left[0]
    assert left[0] - 0.9 * left[1] > 0.05  # of the first tenth, more than half are wrong
    means = run.value("left")["by the mean chance"]
    assert np.abs(np.subtract(left, means)).max() < 0.06  # "about equally well"


def test_alarms_keep_wrong_invoices_from_the_books(run: Run) -> None:
    wrong = {name: row["booked, but wrong"] for name, row in run.value("policy").items()}
    both = wrong["rules and doubt"]
    assert both <= min(wrong["rules only"], wrong["doubt only (below 80 %)"])
    assert max(wrong["rules only"], both) < wrong["nobody looks"]


def test_every_map_lies_on_the_letter_even_the_untrained(run: Run) -> None:
    assert min(run.value("within").values()) > 0.5


def test_only_trained_networks_weigh_the_telling_strokes(run: Run) -> None:
    strokes = run.value("strokes")
    assert min(strokes["Keras"], strokes["Torch"]) > strokes["control: Keras, untrained"] + 0.15


def test_captum_wants_the_full_address(run: Run) -> None:
    assert "Target not provided" in run.value("captum_says")
    full, summed = run.value("captum_inside").values()
    assert full > 0.5
    assert summed < 0.6 * full


def test_the_real_page_is_read_in_part(run: Run) -> None:
    real = run.value("real")
    assert real["Torch, following the bend"] > 0.75
    assert real["Keras, following the bend"] > 0.75
    assert real["Torch, following the bend"] > real["Torch, cut straight"]
    rows = run.value("rows")
    assert len(rows) == 7
    assert len(run.value("naive")) != 7
    doubts = run.value("doubts")
    assert run.value("heading_wrong") > 0.6  # "rubbish"
    assert doubts[0] > 0.5  # "the chances are still high"
    assert np.mean(doubts[1:6]) > 0.6


def test_the_first_picture_comes_soon_and_the_whole_is_quick(run: Run) -> None:
    lines = [cell.first_line for cell in run.cells]
    first = lines.index("import numpy as np")
    assert sum(cell.cpu_seconds for cell in run.cells[: first + 1]) < 30  # 15 s on two cores
    assert run.cpu_seconds < 120
    assert run.peak_memory_bytes < 3e9


# ---- paper ----


def test_scraps_hold_what_they_say() -> None:
    pictures, texts = paper.scraps(30, seed=3)
    assert pictures.shape == (30, paper.HIGH, 80)
    assert all(text and text == " ".join(text.split()) and set(text) <= set(paper.SIGNS) for text in texts)
    again, same = paper.scraps(30, seed=3)
    assert same == texts
    assert np.array_equal(again, pictures)


def test_invoices_add_up_and_their_days_exist() -> None:
    for each in paper.documents(20, seed=2, kinds=("invoice",)):
        cents = [int(value.replace(".", "")) for name, value in each.fields.items() if name.startswith("item")]
        assert sum(cents) == int(each.fields["total"].replace(".", ""))
        assert reading.possible(each.fields["date"])
        assert set("".join(each.lines())) <= set(paper.SIGNS)
    assert each.with_total("1.00").lines()[-2] == "Total 1.00"


@pytest.mark.parametrize("tilt", [-4, 0, 2.5])
def test_lines_of_a_tilted_page_are_found(tilt: float) -> None:
    for each in paper.documents(6, seed=4):
        page = paper.scanned(each, tilt=tilt)
        assert abs(reading.tilt_of(page) - tilt) <= 0.5
        strips, found = reading.lines(reading.straighten(page))
        assert len(found) == len(strips) == len(each.rows)


# ---- reading ----


def _chances(steps: str) -> np.ndarray:
    made = np.full((len(steps), 1 + len(paper.SIGNS)), 0.001)
    for row, sign in zip(made, steps, strict=True):
        row[0 if sign == "·" else 1 + paper.SIGNS.index(sign)] = 0.9
    return made / made.sum(1, keepdims=True)


def test_the_best_path_merges_then_drops() -> None:
    line = reading.best_path(_chances("··TT·o·1·0·0··"))
    assert line.text == "To100"
    assert len(line.chances) == len(line.steps) == 5
    assert reading.best_path(_chances("····")).text == ""
    assert reading.best_path(_chances(" ·a· · ·b· ·")).text == "a b"


def test_a_field_is_read_with_digits_only() -> None:
    steps = "T·o·t·a·l· ·1·O·.·5·0"
    chances = _chances(steps)
    chances[steps.index("O"), 1 + paper.SIGNS.index("0")] = 0.3
    found = reading.fields([reading.best_path(chances)])
    assert found["total"].text == "10.50"


def test_letters_wrong_is_the_least_number_of_changes() -> None:
    assert reading.letters_wrong("Total", "Total") == 0
    assert reading.letters_wrong("Tota1", "Total") == 1
    assert reading.letters_wrong("Ttal", "Total") == 1
    assert reading.letters_wrong("", "abc") == 3


def _found(**texts: str) -> dict[str, reading.Field]:
    return {name.replace("_", " "): reading.Field(text, (0.9,) * len(text)) for name, text in texts.items()}


def test_rules_name_what_is_broken() -> None:
    good = {"number": "12345", "date": "28.02.2026", "item_1": "1.50", "item_2": "2.50", "total": "4.00"}
    assert reading.complaints(_found(**good)) == []
    assert reading.complaints(_found(**{**good, "total": "4.01"})) == ["the sum does not add up"]
    assert reading.complaints(_found(**{**good, "date": "30.02.2026"})) == ["no such day"]
    assert reading.complaints(_found(**{**good, "item_1": "150"})) == ["no money: item 1"]
    assert reading.complaints(_found(number="1", date="01.01.2026")) == ["no total found"]


def test_a_page_goes_to_a_person_for_doubt_or_for_a_rule() -> None:
    good = _found(number="12345", date="28.02.2026", item_1="4.00", total="4.00")
    assert bench.route(good, 0.8) == ("booked by the machine", [])
    assert bench.route(good, 0.95)[0] == "to a person"
    assert bench.route({**good, **_found(total="5.00")}, 0.8) == ("to a person", ["the sum does not add up"])


def _spelling(text: str) -> reading.Reader:
    """A reader that sees, in strips from the top, the lines of a text."""

    def reader(strips: np.ndarray) -> np.ndarray:
        return np.stack([_chances("·".join(line).ljust(90, "·")) for line in text.splitlines()[: len(strips)]])

    return reader


def test_the_desk_redraws_for_every_control_and_routes() -> None:
    page = paper.documents(1, seed=1, kinds=("invoice",))[0]
    desk = bench.DocumentDesk(_spelling("\n".join(page.lines())), [page])
    assert "booked by the machine" in desk.to_html()
    changes = ((desk.blur, 0.7), (desk.noise, 0.05), (desk.tilt, -1.0), (desk.threshold, 0.99), (desk.digit, "9"))
    for control, value in changes:
        before = desk.view.value
        control.value = value
        assert desk.view.value != before, control.description
    assert "to a person" in desk.to_html()
    assert 'role="img"' in desk.to_html()
    assert desk.document.fields["total"].startswith("9")


def test_the_desk_sees_a_false_total_and_an_empty_page() -> None:
    page = paper.documents(1, seed=1, kinds=("invoice",))[0]
    false = page.with_total("9" + page.fields["total"][1:])
    desk = bench.DocumentDesk(_spelling("\n".join(false.lines())), [page])
    assert "The sum does not add up" in desk.to_html()
    blank = bench.DocumentDesk(lambda strips: np.tile(_chances("····"), (len(strips), 1, 1)), [page])
    assert "No field was found" in blank.to_html()
    assert "to a person" in blank.to_html()
