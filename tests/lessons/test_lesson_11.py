"""What lesson 11 says of its networks, maps and audits, held against one run of its teachers' notebook; its tiles and
its light box."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from dlexplain.classroom.lessons.lesson_11 import bench, clinic
from dlexplain.classroom.lessons.lesson_11.guide import GUIDE
from dlexplain.classroom.running import Run

pytestmark = pytest.mark.lessons
BOTH = ("Keras", "Torch")


@pytest.fixture(scope="module")
def run(run_lesson: Callable[..., Run]) -> Run:
    done = run_lesson(11)
    assert not done.faults, done.summary()
    return done


# ---- the claims ------------------------------------------------------------------------------------------------------


def test_nearly_always_right_at_home_and_often_wrong_elsewhere(run: Run) -> None:
    at_home, away = run.value("at_home"), run.value("away")
    for name in BOTH:
        assert at_home[name] > 0.94
        assert away[name] < 0.78


def test_the_mark_decides_and_not_the_lesion(run: Run) -> None:
    right_in, flips = run.value("right_in"), run.value("flips")
    for name in BOTH:
        found = right_in[name]
        assert found["sick, no mark"] < 0.75  # "many are missed"
        assert found["healthy, mark"] < 0.45  # "most get an alarm"
        assert min(found["sick, mark"], found["healthy, no mark"]) > 0.9
        assert flips[name] > 0.4
        assert abs(flips[f"{name}, repaired"]) < 0.1


def test_with_a_mark_the_strongest_value_leaves_the_lesion(run: Run) -> None:
    for name in BOTH:
        strongest = run.value("strongest")[name]
        assert strongest["on the mark"] > 0.7 > 0.2 > strongest["on the lesion"]


def test_where_maps_point(run: Run) -> None:
    scores = run.value("scores")
    for name in BOTH:
        marked, bare = scores[f"{name}, mark"], scores[f"{name}, no mark"]
        for method in ("integrated gradients", "occlusion"):
            assert bare["pointing_game"][method] > marked["pointing_game"][method] + 0.3
            assert bare["pointing_game"][method] > bare["pointing_game"]["model-blind"] + 0.2
            assert bare["relevance_mass"][method] > bare["relevance_mass"]["model-blind"] + 0.2
        assert bare["pointing_game"]["saliency"] < 0.15  # "almost never hits"
        assert 0.1 < bare["pointing_game"]["model-blind"] < 0.7  # "now and then"


def test_untrained_networks_win_most_of_the_pointing_game(run: Run) -> None:
    assert 0.5 < run.value("untrained_hits") < run.value("trained_hits")
    assert run.value("trained_mass") > run.value("untrained_mass") + 0.1
    of_hits = run.value("untrained_hits") / run.value("trained_hits")
    assert run.value("untrained_mass") / run.value("trained_mass") < of_hits  # "the mass tells it apart better"


def test_the_audit_fails_before_the_repair_and_passes_after(run: Run) -> None:
    balance = run.value("balance")
    for name in BOTH:
        assert balance[name]["audit"] == "FAIL"
        assert balance[f"{name}, repaired"]["audit"] == "PASS"


def test_the_repair_costs_points_at_home_and_wins_them_elsewhere(run: Run) -> None:
    balance = run.value("balance")
    assert run.value("lost_at_home") > 0.01
    for name in BOTH:
        was, now = balance[name], balance[f"{name}, repaired"]
        assert now["our hospital"] < was["our hospital"]
        assert now["other hospital"] > was["other hospital"] + 0.1
        assert abs(now["other hospital"] - now["our hospital"]) < 0.06
        assert now["points at lesion"] > 0.85 > 0.2 > was["points at lesion"]


def test_a_chance_is_a_promise_about_one_place(run: Run) -> None:
    cure = run.value("cure")
    assert run.value("sure_and_sick") < run.value("sure_told") - 0.05
    for name in BOTH:
        found = cure[name]
        assert found["error at home"] < 0.06
        assert found["error elsewhere"] > 0.15
        assert found["… cured from home"] > 0.8 * found["error elsewhere"]  # "nothing to mend"
        assert found["… cured from there"] < 0.8 * found["error elsewhere"]  # "modest"
        assert found["the two temperatures"][1] > 2
        assert cure[f"{name}, repaired"]["error elsewhere"] < found["error elsewhere"] - 0.05


def test_rare_diseases_make_false_alarms(run: Run) -> None:
    worth = list(run.value("worth").values())
    assert worth == sorted(worth, reverse=True)
    assert worth[0] > 0.75
    assert worth[2] < 0.3
    assert worth[3] < 0.05


def test_black_is_a_lesion_for_captum(run: Run) -> None:
    hits = run.value("captum_hits")
    for grey in ("integrated gradients from grey", "covered with grey"):
        assert hits[grey] > 0.85
    for black in ("integrated gradients from black", "covered with black"):
        assert hits[black] < 0.2


def test_the_first_picture_comes_soon_and_the_whole_is_quick(run: Run) -> None:
    first = [cell.first_line for cell in run.cells].index("from itertools import pairwise")
    assert sum(cell.cpu_seconds for cell in run.cells[: first + 1]) < 30  # 15 s on two cores
    assert run.cpu_seconds < 120
    assert run.peak_memory_bytes < 3e9


# ---- the tiles -------------------------------------------------------------------------------------------------------


def test_tiles_have_known_lesions_and_marks() -> None:
    some = clinic.tiles(200, "house", marks=(0.9, 0.1), seed=3)
    assert some.pictures.shape == (200, 24, 24, 1)
    assert some.pictures.dtype == np.float32
    assert some.pictures.min() >= 0
    assert some.pictures.max() <= 1
    assert (some.lesions.any((1, 2)) == (some.sick == 1)).all()
    assert some.marked[some.sick == 1].mean() > 0.7 > 0.3 > some.marked[some.sick == 0].mean()
    changed = (some.pictures != some.bare)[..., 0]
    assert (changed.any((1, 2)) == some.marked).all()
    assert not changed[:, ~clinic.where_mark()].any()
    again = clinic.tiles(200, "house", marks=(0.9, 0.1), seed=3)
    assert (again.pictures == some.pictures).all()
    assert len(some.take(some.sick == 1)) == some.sick.sum()


def test_the_parts_share_no_pixel() -> None:
    ends = sorted(clinic.PARTS.values())
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(ends))


def test_a_lesion_is_darker_than_what_was_there() -> None:
    tile = np.full((24, 24), 0.5, np.float32)
    spotted, where = clinic.with_lesion(tile, (10, 12), 3.0, 0.3)
    assert spotted[where].max() < 0.5 - 0.15 + 1e-6
    assert spotted[~where].min() > 0.5 - 0.15 - 1e-6
    assert where[10, 12]
    assert not where[0, 0]


# ---- its arithmetic --------------------------------------------------------------------------------------------------


def test_a_network_that_keeps_its_word_has_no_gap() -> None:
    rng = np.random.default_rng(0)
    chances = rng.random(20_000)
    sick = (rng.random(20_000) < chances).astype(int)
    assert bench.reliability(chances, sick).gap < 0.02
    assert abs(bench.temperature(chances, sick) - 1) < 0.1
    sharper = bench.tempered(chances, 1 / 3)
    assert bench.reliability(sharper, sick).gap > 0.05
    assert abs(bench.temperature(sharper, sick) - 3) < 0.3
    assert ((sharper > 0.5) == (chances > 0.5)).all()


def test_hits_and_share() -> None:
    maps, truth = np.zeros((2, 4, 4)), np.zeros((2, 4, 4), bool)
    maps[0, 1, 1], maps[1, 0, 0], maps[1, 1, 1], maps[1, 2, 2] = 1.0, 3.0, 1.0, -9.0
    truth[:, 1, 1] = True
    assert bench.hits(maps, truth) == 0.5
    assert bench.share(maps, truth) == pytest.approx((1 + 1 / 4) / 2)
    assert bench.share(maps, truth[0]) == bench.share(maps, truth)
    assert np.isnan(bench.share(-np.abs(maps), truth))


# ---- the light box ---------------------------------------------------------------------------------------------------


def _box():
    torch = pytest.importorskip("torch")
    from dlexplain.classroom.lessons.lesson_11.lightbox import LightBox

    class MarkReader(torch.nn.Module):
        """“Sick” where the upright of the mark is white, whatever else there is."""

        def forward(self, x):
            score = 8 * (x[:, 0, 1:5, 1].mean(1) - 0.75)
            return torch.stack([-score, score], 1)

    class Spots(torch.nn.Module):
        """“Sick” where the tile's middle is dark."""

        def forward(self, x):
            score = 8 * (0.4 - x[:, 0, 11:14, 11:14].mean((1, 2)))
            return torch.stack([-score, score], 1)

    grey = np.full((24, 24, 1), clinic.GREY, np.float32)
    return LightBox({"reads the mark": MarkReader().eval(), "sees spots": Spots().eval()}, {"even": grey})


def test_the_light_box_shows_who_reads_the_mark() -> None:
    box = _box()
    box.across.value = box.down.value = 12
    marked, _ = box.asked()
    assert marked > 0.9
    assert bench.share(box.asked()[1][None], clinic.where_mark()) > 0.95
    box.mark.value = "none"
    assert box.asked()[0] < 0.1
    assert "is <b>wrong</b>" in box.view.value  # there is a lesion still
    assert "Nothing in the picture speaks" in box.view.value
    box.mark.value = "in another corner"
    assert box.asked()[0] < 0.1
    box.network.value = "sees spots"
    assert box.asked()[0] > 0.5
    assert bench.share(box.asked()[1][None], box.lesion()) > 0.95
    before = box.view.value
    box.dark.value = 0.0
    assert box.asked()[0] < 0.5
    assert not box.lesion().any()
    assert "In truth: <b>healthy</b>" in box.view.value != before


def test_the_lesion_follows_the_sliders() -> None:
    box = _box()
    box.across.value, box.down.value = 6, 17
    rows, columns = np.nonzero(box.lesion())
    assert (round(rows.mean()), round(columns.mean())) == (17, 6)
    lowest = np.unravel_index(box.picture()[0, ..., 0].argmin(), (24, 24))
    assert box.lesion()[lowest]


def test_the_static_twin_holds_every_network_and_mark() -> None:
    page = _box().to_html()
    for words in ("reads the mark", "sees spots", "in another corner", "where it was in training", 'role="img"'):
        assert words in page
    assert page.count("<image") == 2 + 2 * 3


def test_the_guide_fills_both_lessons() -> None:
    assert sum(minutes for minutes, _ in GUIDE.short) == 45
    assert sum(minutes for minutes, _ in GUIDE.long) == 90
