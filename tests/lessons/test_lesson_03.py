"""What lesson 03 says of features by hand and learned ones, held against one run of its teachers' notebook."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dlexplain.classroom.lessons.lesson_03 import bench, drawing, makers
from dlexplain.classroom.lessons.lesson_03.guide import GUIDE
from dlexplain.classroom.running import Run

pytestmark = pytest.mark.lessons


@pytest.fixture(scope="module")
def run(run_lesson: Callable[..., Run]) -> Run:
    done = run_lesson(3)
    assert not done.faults, done.summary()
    return done


def _last(run: Run, name: str) -> dict[str, float]:
    return {side: values[-1] for side, values in run.value("share_right")[name].items()}


def test_both_frameworks_and_the_edges_read_faces(run: Run) -> None:
    assert min(run.value("face_scores").values()) > 0.9


def test_few_faces_in_their_place_go_to_the_features_by_hand(run: Run) -> None:
    assert "network" not in run.value("won")["faces"]
    assert run.value("won")["faces"][-1] == "by hand"
    assert run.value("faces_say") == "features by hand"


def test_digits_that_move_go_to_the_network(run: Run) -> None:
    assert set(run.value("won")["digits that move"]) == {"network"}
    last = _last(run, "digits that move")
    assert last["network"] > last["by hand"] + 0.1  # "by far"


def test_where_words_alone_decide_counts_win(run: Run) -> None:
    assert "network" not in run.value("won")["texts: words"]
    assert run.value("won")["texts: words"][-2:] == ["by hand", "by hand"]
    assert _last(run, "texts: words")["by hand"] > 0.98  # wrong labels do not harm it


def test_where_order_decides_counts_end_at_three_in_four(run: Run) -> None:
    assert set(run.value("won")["texts: order"][1:]) == {"network"}
    assert 0.68 < run.value("ceiling") < 0.82


def test_pairs_break_the_ceiling_and_stay_behind(run: Run) -> None:
    pairs, counts = _last(run, "texts: order, pairs"), _last(run, "texts: order")
    assert counts["by hand"] + 0.04 < pairs["by hand"] < pairs["network"] - 0.02


def test_sounds_need_enough_examples(run: Run) -> None:
    winners = run.value("won")["sounds"]
    assert winners[0] == "open"  # "nobody leads clearly"
    assert winners[-1] == "network"


def test_on_the_table_the_network_costs_more_and_gives_no_more(run: Run) -> None:
    assert "network" not in run.value("won")["table"]
    assert run.value("table_right")["by hand"] > run.value("table_right")["network"] - 0.01
    assert run.value("times_dearer") > 5


def test_only_what_learned_the_answers_singles_out_the_word_that_decides(run: Run) -> None:
    right, matches = run.value("right_on"), run.value("matches")
    assert min(right["Keras"], right["Torch"], matches["Keras"], matches["Torch"]) > 0.9
    assert right["control: shuffled answers"] < 0.62
    assert 0.35 < matches["control: shuffled answers"] < 0.65
    assert 0.35 < matches["word counts"] < 0.65
    assert right["word counts"] < 0.85


def test_networks_of_one_kind_look_at_similar_places(run: Run) -> None:
    agreement = run.value("agreement")
    assert agreement["Keras"] > 0.6
    assert agreement["by hand"] < agreement["Keras"] - 0.2
    assert abs(agreement["control: shuffled"]) < 0.4


def test_a_black_rim_betrays_many_patches(run: Run) -> None:
    assert run.value("rims")["no faces"] > 3 * run.value("rims")["faces"]
    assert run.value("rims")["no faces"] > 0.3
    scores = run.value("plain_scores")
    assert min(scores["by hand"], scores["Keras"], scores["Torch"]) > 0.8  # they know more than the rim
    assert scores["control: shuffled"] < min(scores["by hand"], scores["Keras"], scores["Torch"]) - 0.1


def test_the_filters_have_hardly_moved(run: Run) -> None:
    assert run.value("stayed") > 0.75


def test_the_libraries_agree_and_a_bill_that_adds_up_is_no_score(run: Run) -> None:
    assert run.value("captum_difference") < 0.05 * run.value("largest")
    assert run.value("shap_gap") < 1e-4
    found = run.value("library_matches")
    assert found["Captum on the network"] > 0.9
    assert 0.35 < found["SHAP on word counts"] < 0.65


def test_the_first_picture_comes_soon_and_the_whole_is_quick(run: Run) -> None:
    lines = [cell.first_line for cell in run.cells]
    first = lines.index("import numpy as np")
    assert sum(cell.cpu_seconds for cell in run.cells[: first + 1]) < 30  # 15 s on two cores
    assert run.cpu_seconds < 120
    assert run.peak_memory_bytes < 3e9


# ---- the data ----


def test_reviews_keep_their_truth() -> None:
    tones = []
    for question in ("words", "order"):
        made = makers.reviews(400, question, seed=0)
        rows, good = np.arange(400), len(makers.GOOD)
        assert np.array_equal(made.words[rows, made.decides] < good, made.labels == 1)
        assert {makers.WORDS[word] for word in made.words[rows, made.decides + 1]} == {"soup"}
        assert {makers.WORDS[word] for word in made.words[rows, made.other + 1]} == {"waiter"}
        tones.append(float(((made.words[rows, made.other] < good) == (made.labels == 1)).mean()))
        again = makers.reviews(400, question, seed=0)
        assert np.array_equal(made.words, again.words)
    assert tones[0] == 1
    assert 0.4 < tones[1] < 0.6  # the waiter's adjective says nothing of the soup
    assert len(set(makers.WORDS)) == len(makers.WORDS)
    assert len(makers.GOOD) == len(makers.BAD)


def test_vowels_sound_where_their_throat_resonates() -> None:
    sounds, labels = makers.vowels(200, seed=0, noise=0)
    power = np.abs(np.fft.rfft(sounds)) ** 2
    hertz = np.fft.rfftfreq(makers.SAMPLES, 1 / makers.RATE)
    loudest = {name: hertz[power[labels == k].mean(0).argmax()] for k, name in enumerate(makers.VOWELS)}
    assert loudest["i"] < 450 < loudest["a"]
    upper = {
        name: power[labels == k][:, hertz > 1500].sum() / power[labels == k].sum()
        for k, name in enumerate(makers.VOWELS)
    }
    assert upper["e"] > 5 * upper["o"]
    assert sounds.dtype == np.float32


def test_moved_digits_lose_nothing() -> None:
    pictures = np.random.default_rng(0).random((20, 8, 8), dtype=np.float32) + 0.1
    pages = makers.moved(pictures, seed=0)
    assert pages.shape == (20, 16, 16)
    assert pages.sum((1, 2)) == pytest.approx(pictures.sum((1, 2)), rel=1e-5)
    assert len({tuple(np.argwhere(page)[0]) for page in pages}) > 8


# ---- the contests and the bench ----


class _Sure:
    """Says class 1 where the feature is large."""

    def fit(self, features: np.ndarray, answers: np.ndarray) -> _Sure:
        self.share = float(np.mean((features[:, 0] > 0) == answers))
        return self


def _contest(name: str, wrong: float = 0.0) -> bench.Contest:
    labels = np.arange(100) % 2
    features = np.where(labels, 1.0, -1.0)[:, None]
    return bench.Contest(name, features, features, labels, (10, 40), _Sure, _Sure, final=30, wrong=wrong)


def _once(contest: bench.Contest, size: int, seed: int, wrong: float | None = None) -> dict[str, tuple[float, float]]:
    learn, answers, _ = contest.deal(size, seed, wrong)
    share = contest.classical().fit(contest.features[learn], answers).share
    return {"by hand": (share, 0.1), "network": (share - 0.01 * seed, 0.2)}


def test_examples_and_what_is_held_back_never_meet() -> None:
    contest = _contest("a", wrong=0.2)
    learn, answers, final = contest.deal(40, 3)
    assert len(learn) == 40
    assert len(final) == 30
    assert not set(learn) & set(final)
    assert (answers != contest.labels[learn]).sum() == 8
    assert np.array_equal(contest.deal(40, 3, 0.0)[1], contest.labels[learn])
    assert np.array_equal(contest.deal(40, 3)[1], answers)


def test_a_winner_needs_two_standard_errors() -> None:
    right = {
        "by hand": np.array([[0.8, 0.8, 0.8, 0.8], [0.8, 0.8, 0.8, 0.8], [0.9, 0.8, 0.7, 0.8], [0.8] * 4]),
        "network": np.array([[0.9, 0.9, 0.9, 0.91], [0.7, 0.71, 0.7, 0.7], [0.9, 0.7, 0.8, 0.82], [0.801] * 4]),
    }
    results = bench.Results("a", (1, 2, 3, 4), right, right)
    assert results.winners == ["network", "by hand", "open", "open"]
    mean, error = results.lead[0]
    assert mean == pytest.approx(0.1025)
    assert error == pytest.approx(0.0025)
    note = drawing.winners([results])
    assert "by hand" in note.html
    assert "a, 3 examples: open" in note.text


def test_the_bench_trains_again_for_every_control() -> None:
    asked = []

    def once(*key: object) -> dict[str, tuple[float, float]]:
        asked.append(key[1:])
        return _once(*key)

    contests = [_contest("a"), _contest("b", wrong=0.1)]
    made = bench.ContestBench(contests, [bench.hold(each, _once, 3) for each in contests], once)
    for control, value in ((made.size, 40), (made.wrong, 0.3), (made.draw, 2)):
        before = made.view.value
        control.value = value
        assert made.view.value != before, control
    assert made.now["by hand"] == pytest.approx(0.7)
    assert "70.0%" in made.to_html()
    made.kind.value = "b"
    assert (made.size.value, made.wrong.value) == (10, 0.1)
    trained = len(asked)
    made.kind.value = "a"
    made.kind.value = "b"
    assert len(asked) == trained + 1  # "a" at its first size without wrong labels and draw 3; "b" is known
    assert 'role="img"' in made.to_html()


def test_the_teachers_plans_make_their_minutes() -> None:
    assert sum(minutes for minutes, _ in GUIDE.short) == 45
    assert sum(minutes for minutes, _ in GUIDE.long) == 90
