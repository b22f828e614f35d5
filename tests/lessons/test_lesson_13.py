"""What lesson 13 says of its networks, held against one run of its teachers' notebook; its land and its desk."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from dlexplain.classroom.lessons.lesson_13 import desk, land, reading
from dlexplain.classroom.running import Run

pytestmark = pytest.mark.lessons

BOTH = ("Keras", "Torch")


@pytest.fixture(scope="module")
def run(run_lesson: Callable[..., Run]) -> Run:
    done = run_lesson(13)
    assert not done.faults, done.summary()
    return done


def test_both_networks_learn_the_land_by_foretelling_words(run: Run) -> None:
    counting, found, knows = run.value("surprise_counting"), run.value("surprise_of"), run.value("knows_share")
    assert counting < 0.6 * run.value("surprise_blind")
    for name in BOTH:
        assert found[name] < 0.7 * counting
        assert knows[name] > 0.9


def test_heat_takes_truth_before_grammar(run: Run) -> None:
    heat = run.value("heat")
    kind, true = heat["a word of the right kind"], heat["the true word"]
    assert kind[0] > 0.95
    assert true[0] > 0.95
    assert all(a > b for a, b in zip(kind[2:], true[2:], strict=True))
    assert 1 - true[4] > 1.25 * (1 - kind[4])  # at temperature 2


def test_credit_finds_the_town_asked_about_even_where_the_answer_is_made_up(run: Run) -> None:
    for row in run.value("on_town").values():
        assert row["known towns"] > 0.7
        assert row["never told"] > 0.7
        assert row["integrated gradients"] > 0.55
        assert row["control: untrained"] < row["known towns"] - 0.12


def test_with_a_letter_credit_moves_from_the_town_to_the_letter(run: Run) -> None:
    found = run.value("by_letter")
    assert found["town asked about"] < 0.5 * run.value("by_memory")
    assert found["town asked about"] < found["letter"] + found["claim"]


def test_the_answer_appears_block_by_block_and_inventions_do_so_too(run: Run) -> None:
    settled = run.value("settled")
    for name in BOTH:
        for who, last in (("known towns", 0.85), ("never told", 0.6)):
            row = settled[f"{name}, {who}"]
            assert row["start"] < 0.25
            assert row["start"] < row["block_1"] < row["block_2"]
            assert row["block_2"] > last
        assert settled[f"{name}, untrained network"]["block_2"] < 0.15


def test_a_transplant_moves_the_answer_and_harmless_places_do_nothing(run: Run) -> None:
    for rows in run.value("carried").values():
        rows = {layer: np.asarray(row) for layer, row in rows.items()}
        for row in rows.values():
            assert np.abs(row[:3]).max() < 1e-3  # the words before the town
        assert rows["start"][3:5].sum() > 0.25
        assert abs(rows["start"][6]) < 1e-3
        assert rows["block_1"][6] > 0.5
        assert rows["block_1"][3:5].sum() < 0.5 * rows["block_1"][6]


def test_new_songs_are_copied_by_induction_heads(run: Run) -> None:
    for name in BOTH:
        assert run.value("sung")[name] > 0.85
        assert run.value("sung_foreign")[name] < 0.2
        heads, blank = (np.asarray(run.value(part)[name]) for part in ("heads", "blank_heads"))
        assert heads[1].max() > 0.4
        assert heads[1].max() > 4 * blank.max()
        assert heads[0].max() < 0.3


def test_without_those_heads_songs_are_lost_and_most_facts_stay(run: Run) -> None:
    broken = run.value("broken")
    whole, cut = broken["nothing removed"], broken["block 2, both heads"]
    assert cut["songs copied"] < 0.3 < 0.85 < whole["songs copied"]
    assert cut["facts known"] > 0.55
    assert broken["block 1, both heads"]["facts known"] < 0.5


def test_it_makes_things_up_fluently_and_surely(run: Run) -> None:
    judged = run.value("judged")
    for name in BOTH:
        known, made_up = (judged[f"{name}, towns {who}"] for who in ("it read about", "nobody wrote about"))
        assert known["right kind of word"] > 0.97
        assert made_up["right kind of word"] > 0.9
        assert made_up["how sure (the middle one)"] > 0.65
        assert known["true"] > 0.9
        assert made_up["true"] < 0.3


def test_it_repeats_the_popular_error(run: Run) -> None:
    for row in run.value("rumoured").values():
        wrong, true = row.values()
        assert wrong > 0.55
        assert wrong > 2 * true


def test_each_remedy_helps_and_none_heals(run: Run) -> None:
    for share in run.value("passes").values():
        assert 0.05 < share < 0.8
    before, after = run.value("admits").values()
    assert before["says unknown"] < 0.02
    assert 0.12 < after["says unknown"] < 0.9
    assert after["facts known"] > 0.85
    for row in run.value("follows").values():
        assert row["a true letter, unknown town"] > 0.7
        assert row["a false letter, known town"] > 0.7


def test_captum_starts_at_word_zero(run: Run) -> None:
    credit = run.value("last_credit")
    assert credit["as it comes (start: word 0)"] == 0
    assert credit["start: “unknown”"] > 0.5
    ours, theirs = run.value("ours"), run.value("by_captum")["start: “unknown”"]
    assert np.corrcoef(ours, theirs)[0, 1] > 0.98


def test_the_cost_on_paper_meets_what_was_published(run: Run) -> None:
    assert 0.5 < run.value("counted") / run.value("by_rule") < 1.5
    for row in run.value("cost").values():
        if row["published"]:
            assert row["operations"] == pytest.approx(row["published"], rel=0.05)
    assert 0.75 < run.value("off") < 1.1


def test_the_first_picture_comes_soon_and_the_whole_is_quick(run: Run) -> None:
    first = [cell.first_line for cell in run.cells].index("import numpy as np")
    assert sum(cell.cpu_seconds for cell in run.cells[: first + 1]) < 30  # 15 s on two cores
    assert run.cpu_seconds < 120
    assert run.peak_memory_bytes < 3e9


# ---- the land ----


def test_towns_are_two_words_and_come_back_whole() -> None:
    text = "the river at Balana is the Esk ."
    assert land.pieces(text)[3:5] == ["Bal", "-ana"]
    assert land.text(land.ids(text)) == "the river at Balana is the Esk."
    with pytest.raises(ValueError, match="'London' is no word"):
        land.ids("the river at London")


def test_nobody_ever_writes_of_the_other_towns_though_their_pieces_are_known() -> None:
    country = land.Land()
    pages = country.writings(800)
    assert pages.shape == (800, land.LENGTH + 1)
    assert pages.tobytes() == land.Land().writings(800).tobytes()
    pairs = {(int(a), int(b)) for page in pages for a, b in itertools.pairwise(page)}
    assert not pairs & {tuple(map(int, land.ids(town))) for town in country.never}
    assert not (pages == land.ID["unknown"]).any()
    seen = set(pages.ravel().tolist())
    assert {int(piece) for town in country.never for piece in land.ids(town)} <= seen
    assert len(country.told) == 24
    assert not set(country.told) & set(country.never)


def test_a_letter_keeps_to_its_claims_and_a_song_to_its_melody() -> None:
    for page in land.Land().writings(300):
        words = [land.WORDS[number] for number in page]
        if words[0] == "song":
            twin = next(k for k in range(3, 13) if words[k] == words[2])
            assert words[2:20] == words[twin : twin + 18]
        if words[0] == "letter":
            lines = " ".join(words[2:]).split(" . ")
            assert len(set(lines[:-1])) <= 2


def test_new_songs_are_sung_twice() -> None:
    songs = land.songs(5, 10)
    assert songs.shape == (5, 22)
    assert (songs[:, 2:12] == songs[:, 12:]).all()
    assert all(len(set(row[2:12].tolist())) == 10 for row in songs)


# ---- reading and writing, with a model whose answers are known ----


class _Knows:
    """Scores 4 for the word after the last time this word stood, else 4 for `Esk`; wordless elsewhere."""

    def predict(self, ids: np.ndarray) -> np.ndarray:
        scores = np.zeros((*ids.shape, len(land.WORDS)))
        for row, page in zip(scores, ids, strict=True):
            for place, number in enumerate(page):
                before = np.flatnonzero(page[:place] == number)
                row[place, page[before[0] + 1] if len(before) else land.ID["Esk"]] = 4
        return scores


def test_answers_are_held_against_the_facts() -> None:
    found = reading.answers(_Knows(), [("river", "Balana", "Esk"), ("river", "Droeth", "Birk")])
    # the last word, "the", has stood before: after it came "river"
    assert not found.true.any()
    assert not found.fluent.any()
    made = reading.answers(_Knows(), [("mayor", "Balana", "Ada")])
    assert made.sure[0] == pytest.approx(np.exp(4) / (np.exp(4) + len(land.WORDS) - 1))
    cold = reading.answers(_Knows(), [("mayor", "Balana", "Ada")], temperature=0.25)
    assert cold.sure[0] > made.sure[0]


def test_copying_and_the_induction_score_are_measured_at_the_right_places() -> None:
    songs = land.songs(4, 6)
    assert reading.copied(_Knows(), songs) == 1
    maps = np.zeros((4, 1, 14, 14))
    for place in range(8, 14):
        maps[:, 0, place, place - 5] = 0.75
    seen = type("Seen", (), {"maps": {"only": maps}})()
    assert reading.induction(seen, length=6).tolist() == [[0.75]]


def test_large_numbers_are_said_shortly() -> None:
    assert reading.short(405e9) == "405 G"
    assert reading.short(15.6e12) == "15.6 T"
    assert reading.short(0.5).strip() == "0.5"
    assert reading.short(2e-7).strip() == "under 0.001"


# ---- the desk ----


@pytest.fixture
def bench() -> desk.WritingDesk:
    return desk.WritingDesk({"A": _Knows(), "B": _Knows()}, ["song : do re mi do", "letter :"])


def test_the_desk_writes_and_every_control_redraws(bench: desk.WritingDesk) -> None:
    for control, value in ((bench.temperature, 3.0), (bench.place, 4), (bench.start, "letter :"), (bench.top_k, 3)):
        before = bench.view.value
        control.value = value
        assert bench.view.value != before, control
    before = bench.written.ids
    bench.again.click()
    assert bench.written.ids != before
    assert 'role="img"' in bench.to_html()


def test_with_top_k_of_one_the_desk_always_writes_its_favourite(bench: desk.WritingDesk) -> None:
    bench.top_k.value = 1
    first = bench.written
    assert (first.chances.max(1) == 1).all()
    bench.again.click()
    assert bench.written.ids == first.ids
    assert land.text(first.ids).startswith("song: do re mi do re mi do re")
    assert len(first.ids) <= land.LENGTH


def test_a_text_comes_back(bench: desk.WritingDesk) -> None:
    before = bench.to_html()
    bench.temperature.value = 2.0
    bench.temperature.value = 1.0
    assert bench.to_html() == before
