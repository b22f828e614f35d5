"""What lesson 09 says of tastes, reasons, fame and the bubble, held against one run of its teachers' notebook."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dlexplain.classroom import building
from dlexplain.classroom.lessons.lesson_09 import bench
from dlexplain.classroom.lessons.lesson_09.cinema import Cinema, two_in_turn
from dlexplain.classroom.lessons.lesson_09.drawing import shelf_curves, two_towers
from dlexplain.classroom.running import Run
from dlexplain.classroom.running import run as run_book
from dlexplain.classroom.teaching.guide import guide

pytestmark = pytest.mark.lessons

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def run(run_lesson: Callable[..., Run]) -> Run:
    done = run_lesson(9)
    assert not done.faults, done.summary()
    return done


def test_the_networks_come_near_the_prophet(run: Run) -> None:
    hits = run.value("hits")
    for name in ("Keras", "Torch"):
        assert hits[name] > hits["best-seller list"] + 0.05
        assert hits[name] > 0.75 * hits["prophet"]
    assert hits["best-seller list"] > 3 * hits["lot"]  # "knows nobody, and hits often"


def test_genres_lie_together_and_not_in_the_control(run: Run) -> None:
    alike = run.value("alike")
    assert min(alike["Keras"], alike["Torch"]) > 0.8
    assert alike["shuffled"] < 0.25


def test_the_suggestion_is_credited_to_its_own_genre(run: Run) -> None:
    assert run.value("outcome") == "the two films of its own genre"
    for name in ("Keras", "Torch"):
        assert run.value("own_credit")[name] > 0.5
        assert run.value("own_credit")[name] > run.value("other_credit")[name] + 0.5


def test_only_trained_networks_name_the_planted_taste(run: Run) -> None:
    found = run.value("found")
    trained = min(found["Keras"], found["Torch"])
    assert trained > 0.7
    for name, share in found.items():
        if name not in ("Keras", "Torch"):
            assert share < trained - 0.2, name
    for reasons in (run.value("reasons_keras"), run.value("reasons_torch")):
        assert reasons["own up"] > 0.8
        assert reasons["other down"] > 0.55


def test_one_step_a_click_learns_and_large_steps_overshoot(run: Run) -> None:
    for ways in run.value("online").values():
        none, small, large, tower = ways.values()
        assert none + 0.02 < small < tower + 0.02
        assert large < small - 0.04


def test_the_fame_is_handed_on_and_added_to(run: Run) -> None:
    assert min(run.value("shown_famous").values()) > run.value("seen_famous") + 0.08


def test_fair_is_liked_better_and_hits_less_and_has_fewer_genres(run: Run) -> None:
    found = run.value("before_after")
    for name in ("Keras", "Torch"):
        plain, fair = found[name], found[f"{name}, fair"]
        assert fair["true liking"] > plain["true liking"] + 0.08
        assert fair["hits in the records"] < 0.7 * plain["hits in the records"]
        assert fair["from the famous tenth"] < 0.2 * plain["from the famous tenth"]
        assert fair["genres among the ten"] < plain["genres among the ten"] - 1


def test_the_shelf_gets_narrower_than_the_people(run: Run) -> None:
    ends = {way: values[-2:].mean() for way, values in ((w, np.array(v)) for w, v in run.value("two").items())}
    assert ends["learns, shows its best"] < 1.6
    assert run.value("lowest") < 1.4
    assert ends["learns, 2 of 8 places by lot"] > ends["learns, shows its best"] + 0.4
    assert ends["control: does not learn"] > 3
    best, lot, without = run.value("missed").values()
    assert lot < best - 0.1
    assert without > best + 0.1  # "misses the mood most of all"


def test_the_loop_closes_round_people_without_preference_later(run: Run) -> None:
    two, six = run.value("two"), run.value("six_loved")
    learns, control = "learns, shows its best", "control: does not learn"
    assert six[learns][-1] < six[control][-1] - 0.7
    assert six[learns][4] > two[learns][4] + 1  # "only later"


def test_shap_agrees_and_other_people_as_background_answer_another_question(run: Run) -> None:
    assert run.value("shap_gap") < 1e-4
    assert run.value("unseen_share") > 0.4


def test_input_times_gradient_hands_out_nothing(run: Run) -> None:
    assert abs(run.value("captum_sum")) < 1e-3
    assert run.value("real_change") > 0.4


def test_without_the_file_real_people_are_left_out(run: Run) -> None:
    assert (run.value("real") == {}) == (bench.movielens() is None)


def test_the_first_picture_comes_soon_and_the_whole_is_quick(run: Run) -> None:
    lines = [cell.first_line for cell in run.cells]
    first = lines.index("import numpy as np")
    assert sum(cell.cpu_seconds for cell in run.cells[: first + 1]) < 30  # 15 s on two cores
    assert run.cpu_seconds < 120
    assert run.peak_memory_bytes < 3e9


def test_the_same_notebook_runs_on_a_folder_of_movielens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _made_movielens(tmp_path / "data" / "ml-latest-small")
    monkeypatch.setenv("DLEXPLAIN_DATA", str(tmp_path / "data"))
    source = next(path for path in building.sources(ROOT) if path.name.startswith("09_"))
    text = next(text for path, text in building.built(source).items() if path.parent.name == "solutions")
    book = tmp_path / "real.ipynb"
    book.write_text(text, encoding="utf-8")
    done = run_book(book, sweep=False, folder=ROOT / "notebooks")
    assert not done.faults, done.summary()
    real = done.value("real")
    assert real["network"] > real["best-seller list"] + 0.1  # two camps that never watch each other's films
    assert real["neighbours share a genre"] > 0.9 > real["chance"]


def _made_movielens(folder: Path) -> None:
    """240 people of two camps, 40 films of two genres, in the form of ml-latest-small."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    films = [f"{k},Film {k} (1990),{'Comedy' if k <= 20 else 'Horror|Thriller'}" for k in range(1, 41)]
    (folder / "movies.csv").write_text("movieId,title,genres\n" + "\n".join(films) + "\n", encoding="utf-8")
    lines = ["userId,movieId,rating,timestamp"]
    for person in range(1, 241):
        mine = rng.permutation(np.arange(1, 21) + 20 * (person % 2))[:8]
        lines += [f"{person},{film},4.5,{1000 + when}" for when, film in enumerate(mine)]
    (folder / "ratings.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


# ---- the arithmetic of the cinema ----


def _towers() -> bench.Towers:
    rng = np.random.default_rng(3)
    genre = np.repeat(np.arange(3), 8)
    films = np.eye(3)[genre] + 0.1 * rng.normal(size=(24, 3))
    return bench.Towers(films, rng.normal(size=24), [f"Film {k}" for k in range(24)], genre, ("sea", "sky", "soil"))


def test_a_click_moves_the_person_uphill_for_that_film() -> None:
    visitor = bench.Visitor(_towers())
    film, tiny = 5, 1e-5
    before = np.log(bench.chances(visitor.scores())[film])
    slope = np.array([
        (np.log(bench.chances(visitor.towers.films @ (tiny * axis) + visitor.towers.fame))[film] - before) / tiny
        for axis in np.eye(3)
    ])  # fmt: skip
    visitor.watch(film, 0.5)
    np.testing.assert_allclose(visitor.person, 0.5 * slope, atol=1e-4)


def test_the_reason_adds_up_to_the_score_exactly() -> None:
    visitor = bench.Visitor(_towers())
    for film in (3, 9, 20):
        visitor.watch(film, 1.0)
    for fame in (0.0, 1.0):
        assert sum(visitor.why(7, fame).values()) == pytest.approx(visitor.scores(fame)[7])
    assert list(visitor.why(7)) == ["its fame", "Film 3", "Film 9", "Film 20"]


def test_the_belief_starts_even_and_follows_the_clicks() -> None:
    visitor = bench.Visitor(_towers())
    np.testing.assert_allclose(visitor.taste(), 1 / 3)
    for film in (8, 9, 10):
        visitor.watch(film, 1.5)
    assert visitor.taste().argmax() == 1
    assert visitor.taste().sum() == pytest.approx(1)


def test_the_shelf_never_repeats_and_draws_by_lot_what_was_asked() -> None:
    visitor, rng = bench.Visitor(_towers()), np.random.default_rng(0)
    for _ in range(22):
        shown, own = visitor.shelf(2, rng)
        assert len(set(shown)) == len(shown)
        assert not set(shown) & set(visitor.watched)
        scores = visitor.scores()
        rest = np.setdiff1d(np.arange(24), [*shown[:own], *visitor.watched])
        assert not len(rest) or scores[shown[:own]].min() >= scores[rest].max()
        visitor.watch(int(shown[0]), 1.0)
    assert len(visitor.shelf(2, rng)[0]) == 2  # the films run out


def test_variety_counts_equal_parts() -> None:
    assert bench.variety(np.zeros(8, int)) == pytest.approx(1)
    assert bench.variety(np.repeat([0, 4], 5)) == pytest.approx(2)
    assert 1 < bench.variety(np.array([0] * 9 + [1])) < 2


def test_reasons_are_judged_by_the_planted_genre() -> None:
    genre = np.repeat(np.arange(6), 5)
    histories, asked = bench.mixed_histories(genre, people=10)
    assert (histories.sum(1) == 6).all()
    assert not histories[np.arange(10), asked].any()

    def knows(history, film, groups):
        assert sorted(film for group in groups for film in group) == list(range(30))
        return np.where(genre == genre[film], 1.0, -1.0)

    assert bench.reasons(knows, histories, asked, genre) == {"named": 1.0, "own up": 1.0, "other down": 1.0}
    wrong = bench.reasons(lambda *case: -knows(*case), histories, asked, genre)
    assert wrong == {"named": 0.0, "own up": 0.0, "other down": 0.0}


def test_neighbours_alike_tells_order_from_chance() -> None:
    genres = np.eye(3)[np.repeat(np.arange(3), 20)]
    assert bench.neighbours_alike(genres + 0.01, genres) == 1
    lot = np.random.default_rng(0).normal(size=(60, 8))
    assert bench.neighbours_alike(lot, genres) < 0.5


def test_the_worked_score_adds_up_and_says_so_in_words() -> None:
    said = two_towers().text
    rows = [[float(value) for value in part.split(":")[1].replace("−", "-").split(",")] for part in said.split(";")[:3]]
    person, film, products = map(np.array, rows)
    np.testing.assert_allclose(products, person * film)
    assert f"sum {products.sum():.1f} + fame 0.6 = score {products.sum() + 0.6:.1f}" in said
    assert 'role="img"' in two_towers().html


def test_both_pictures_of_the_shelf_have_one_scale() -> None:
    for values in ([5.6, 1.0], [5.6, 3.0]):
        figure = shelf_curves([1, 4], {"a": values}, {"a": [0.1, 0.1]}, title="A shelf")
        assert tuple(figure.layout.yaxis.range) == (0.8, 6.2)


# ---- the widget ----


def test_the_cinema_follows_every_control() -> None:
    made = Cinema({"one": _towers(), "other": _towers()})
    first = made.posters[0].description
    made.posters[0].click()
    assert made.visitor.watched == [int(made.visitor.towers.titles.index(first.split(" · ")[0]))]
    assert first not in [poster.description for poster in made.posters]
    assert "<b>1</b> click." in made.view.value
    for control, value in ((made.explore, 3), (made.fame, 0.0)):
        before = [poster.description for poster in made.posters]
        control.value = value
        assert [poster.description for poster in made.posters] != before, control
    assert sum(poster.description.startswith("? ") for poster in made.posters) == 3
    assert len(made.screening.on_shelf) == 2  # one entry a click, and the start
    made.rate.value = 0
    person = made.visitor.person.copy()
    made.posters[1].click()
    np.testing.assert_array_equal(made.visitor.person, person)  # a cinema that does not learn
    made.network.value = "other"
    assert not made.visitor.watched
    made.posters[2].click()
    made.again.click()
    assert not made.visitor.watched
    assert len(made.screening.on_shelf) == 1


def test_the_cinema_outlives_its_last_film() -> None:
    made = Cinema({"one": _towers()})
    for _ in range(30):
        made.posters[0].click()
    assert len(made.visitor.watched) == 24
    assert all(poster.disabled for poster in made.posters)
    assert "no film left" in made.posters[0].description
    assert 'role="img"' in made.to_html()


def test_the_static_twin_shows_the_shelf_and_the_belief() -> None:
    page = Cinema({"one": _towers()}).to_html()
    assert page.count("border-radius") == 2 * bench.PLACES  # now, and twelve clicks later
    for word in ("sea", "sky", "soil", "its fame", "on the shelf"):
        assert word in page


def test_two_genres_in_turn_are_played_for_the_page_without_a_kernel() -> None:
    towers = _towers()
    played = two_in_turn(towers, seed=0, rate=1.0, clicks=6)
    assert len(played.visitor.watched) == 6
    assert {int(towers.genre[film]) for film in played.visitor.watched} == {0, 2}
    assert len(played.on_shelf) == len(played.believed) == 7
    made = Cinema({"one": towers})
    made.posters[0].click()
    assert "clicks later" not in made.to_html()  # who has clicked sees their own


def test_the_teachers_guide_is_there() -> None:
    assert len(guide(9).questions) >= 3
