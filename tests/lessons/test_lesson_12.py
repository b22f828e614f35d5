"""What lesson 12 says of attention and of words, held against one run of its teachers' notebook."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dlexplain.classroom.lessons.lesson_12 import bench, drawing
from dlexplain.classroom.running import Run
from dlexplain.data import pairs as language
from dlexplain.errors import DataError, InputError

pytestmark = pytest.mark.lessons


@pytest.fixture(scope="module")
def run(run_lesson: Callable[..., Run]) -> Run:
    done = run_lesson(12)
    assert not done.faults, done.summary()
    return done


def test_both_translators_write_whole_sentences_never_seen(run: Run) -> None:
    scores = run.value("scores")
    assert min(scores["Keras"], scores["Torch"]) > 0.95


def test_attention_aligns_and_no_control_comes_near(run: Run) -> None:
    aligned = run.value("aligned")
    controls = [value for name, value in aligned.items() if name.startswith("control")]
    assert len(controls) == 3
    assert min(aligned["Keras"], aligned["Torch"]) > 0.8
    assert max(controls) < 0.5
    assert aligned["control: untrained"] < 0.3
    assert run.value("by_place") < 0.35


def test_the_article_needs_a_noun_that_attention_hardly_shows(run: Run) -> None:
    needs, endings = run.value("needs"), run.value("endings_right")
    assert min(endings.values()) > 0.95  # "nearly every ending is right"
    for name in ("Keras", "Torch"):
        assert needs[f"attention, {name}"] < 0.25
        assert needs[f"swap test, {name}"] > max(0.3, 1.5 * needs[f"attention, {name}"])
        assert run.value("on_article")[name][0] > 0.5
    assert needs["control: swap test, untrained"] < 0.25


def test_without_mixing_attention_must_look_at_both_words(run: Run) -> None:
    needs = run.value("needs")
    assert run.value("scores")["word by word"] > 0.9
    assert needs["attention, word by word"] > 0.2
    assert needs["attention, word by word"] > needs["attention, Torch"] + 0.08


def test_a_network_that_looks_elsewhere_translates_as_well(run: Run) -> None:
    compared = run.value("compared")
    right, looks, swaps, part = next(iter(compared.values()))
    first, elsewhere, untrained = compared.values()
    assert run.value("scores")["looks elsewhere"] > 0.93
    assert elsewhere[looks] < 0.05 < 0.8 < first[looks]
    assert min(first[swaps], elsewhere[swaps]) > 0.6
    assert min(first[part], elsewhere[part]) > 0.75
    assert untrained[right] == 0
    assert untrained[swaps] < 0.4
    assert untrained[part] < 0.5


def test_attention_does_the_work_and_a_small_weight_can_be_enough(run: Run) -> None:
    meddled = run.value("meddled")
    true, right, evenly, covered = next(iter(meddled.values()))
    assert all(row[right] > 0.95 and row[evenly] < 0.7 for row in meddled.values())
    assert meddled["mixes first"][true] > 0.6 < meddled["word by word"][true] + 0.1
    elsewhere, whisper = (meddled[f"{name}, looks elsewhere"] for name in ("mixes first", "word by word"))
    assert elsewhere[true] < 0.02 < 0.15 > whisper[true]
    assert elsewhere[covered] > 0.95
    assert whisper[covered] < 0.7


def test_captum_swaps_alike_refuses_numbers_and_inherits_an_empty_start(run: Run) -> None:
    assert run.value("captum_differs") < 1e-3
    assert "Error" in run.value("refused")
    empty, strangers, swaps = run.value("astray").values()
    assert empty > 1.7 * strangers
    assert empty > 3 * swaps


def test_dates_are_read_and_nonsense_is_not_refused(run: Run) -> None:
    assert run.value("scores")["dates"] > 0.95
    said = run.value("nonsense")
    assert said["3 March 2024"] == "2024-03-03"
    assert said["47 June 1950"] != "1950-06-47"
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", each) for each in said.values())


def test_the_first_picture_comes_soon_and_the_whole_is_quick(run: Run) -> None:
    first = [cell.first_line for cell in run.cells].index("import numpy as np")
    assert sum(cell.cpu_seconds for cell in run.cells[: first + 1]) < 30  # 15 s on two cores
    assert run.cpu_seconds < 120
    assert run.peak_memory_bytes < 3e9


# ---- the language, dates and files ----


def test_melo_by_hand() -> None:
    words, links = language.translate(["today", "the", "old", "ship", "follows", "a", "dog"])
    assert " ".join(words) == "la veda veta uno kano sega hodi"
    assert links == ((1, 3), (3, 3), (2, 3), (5, 6), (6, 6), (4, 3), (0, 0))
    assert language.translate(["a", "king", "loves", "the", "cat"])[0] == ("uno", "rego", "la", "mira", "amo")


@pytest.mark.parametrize(
    "english", ["the ship", "the old old ship sees a dog", "cat sees dog", "the cat sees a dog today"]
)
def test_what_is_no_sentence_is_refused(english: str) -> None:
    with pytest.raises(InputError, match="pairs"):
        language.translate(english.split())


def test_generated_pairs_are_all_different_and_their_links_hold() -> None:
    pairs = language.language_pair(sentences=200, seed=3)
    assert len({tuple(row) for row in pairs.inputs.tolist()}) == len(pairs) == 200
    for row in range(50):
        words, links = language.translate(pairs.source(pairs.inputs[row]))
        assert pairs.target(pairs.labels[row]) == words
        assert pairs.alignment[row, : len(links)].tolist() == [list(link) for link in links]
        assert (pairs.alignment[row, len(links) :] == -1).all()
    assert (pairs.so_far[:, 0] == 0).all()
    assert (pairs.so_far[:, 1:] == pairs.labels[:, :-1]).all()
    assert (pairs.encode(pairs.source(pairs.inputs[7])) == pairs.inputs[7]).all()
    learn, new = pairs.split(0.25)
    assert len(learn) + len(new) == 200
    assert not {tuple(row) for row in learn.inputs.tolist()} & {tuple(row) for row in new.inputs.tolist()}
    with pytest.raises(InputError, match="none of the"):
        pairs.encode(["the", "unicorn"])
    with pytest.raises(InputError, match="sentences"):
        language.language_pair(sentences=1)


def test_strangers_are_built_alike_and_differ() -> None:
    pairs = language.language_pair(sentences=20, seed=0)
    made = language.strangers(pairs.inputs[0], pairs, 12, np.random.default_rng(0))
    assert made.shape == (12, pairs.inputs.shape[1])
    kind = {word: k for k, words in enumerate(language.WORD_CLASSES) for word in words}
    own = [kind[word] for word in pairs.source(pairs.inputs[0])]
    for row in made:
        assert [kind[word] for word in pairs.source(row)] == own
    assert len({tuple(row) for row in made.tolist()}) > 6


def test_dates_by_hand() -> None:
    pairs = language.dates(count=300, seed=1)
    for row in range(40):
        day, month, year = "".join(pairs.source(pairs.inputs[row])).split()
        said = f"{year}-{language.MONTHS.index(month) + 1:02d}-{int(day):02d}"
        assert "".join(pairs.target(pairs.labels[row])) == said


def test_pairs_are_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "pairs.txt"
    file.write_text(
        "\ufeffThe Cat\tle chat\tfrom somewhere\n\nthe dog\tle chien\nvery long indeed this is\tlong\n", "utf-8"
    )
    pairs = language.read_pairs(file, longest=3)
    assert pairs.source_words == (".", "cat", "dog", "the")
    assert pairs.inputs.tolist() == [[3, 1, 0], [3, 2, 0]]
    assert pairs.target(pairs.labels[1]) == ("le", "chien")
    assert pairs.alignment is None
    letters = language.read_pairs(file, letters=True)
    assert "".join(letters.source(letters.inputs[0])) == "The Cat"
    assert len(language.read_pairs(file, most=2)) == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no tab here\n", "line 1 of bad.txt is no pair"),
        (b"one\tuno\n\tnothing\n", "line 2"),
        (b"one\tuno\n", "1 pairs"),
        (b"\xff\xfe\x00\tx\n", "not UTF-8"),
        (b"a\t" + b"x" * 900 + b"\n", "longer than"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "bad.txt"
    file.write_bytes(content)
    with pytest.raises(DataError, match=said):
        language.read_pairs(file)
    with pytest.raises(DataError, match="no file"):
        language.read_pairs(tmp_path / "none.txt")


# ---- counting and the bench ----


def _alignment() -> np.ndarray:
    return np.array([[[1, 2], [2, 2], [-1, -1]]])


def test_hits_and_shares_leave_out_what_is_not_written() -> None:
    maps = np.array([[[0.1, 0.6, 0.3], [0.5, 0.2, 0.3], [1.0, 0.0, 0.0]]])
    assert bench.hits(maps, _alignment()) == 0.5
    where = np.array([[True, False, False]])
    assert bench.share_at(maps, _alignment(), 0, where) == pytest.approx(0.6)
    assert bench.share_at(maps, _alignment(), 1, where) == pytest.approx(0.3)
    assert bench.astray(maps, _alignment()) == pytest.approx((0.1 + 0.7) / 2)
    assert bench.shares(np.array([[-1.0, 1.0, 3.0]])).tolist() == [[0, 0.25, 0.75]]


def _table_translator(pairs: language.Pairs):
    """A network that cannot learn: it says of each place how often it looks, and always writes one word."""
    import torch
    from torch import nn

    class Fixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(len(pairs.source_words), 6)
            self.wrote = nn.Embedding(len(pairs.target_words), 6)
            self.answer = nn.Linear(6, len(pairs.target_words))

        def forward(self, source, before):
            seen = self.words(source)
            weights = torch.softmax(self.wrote(before) @ seen.transpose(1, 2), dim=-1)
            return torch.log_softmax(self.answer(weights @ seen), dim=-1)

    torch.manual_seed(0)
    return Fixed().eval()


def test_the_bench_redraws_for_every_menu_and_says_right_and_wrong() -> None:
    import dlexplain as dlx

    pairs = language.language_pair(sentences=60, seed=0)
    network = _table_translator(pairs)

    def truly(_network: object, inputs: np.ndarray) -> np.ndarray:
        labels = np.zeros((len(inputs), pairs.labels.shape[1]), int)
        for row, numbers in enumerate(inputs):
            words = language.translate(pairs.source(numbers))[0]
            labels[row, : len(words)] = [pairs.target_words.index(word) for word in words]
        return labels

    made = bench.SentenceBench({"one": network, "two": network}, truly, pairs)
    assert ", right." in made.to_html()
    assert 'role="img"' in made.to_html()
    for menu in made.words:
        before = made.view.value
        menu.value = next(option for option in menu.options if option != menu.value)
        assert made.view.value != before, menu.description
    asked = made.asked()
    assert asked.looked.shape == asked.needed.shape == (len(asked.written), len(asked.source))
    assert np.allclose(dlx.attention(network, (pairs.inputs[:1], pairs.so_far[:1]))[""].sum(-1), 1)

    wrong = bench.SentenceBench({"one": network}, lambda _n, x: np.full((len(x), pairs.labels.shape[1]), 5), pairs)
    assert "wrong. Right would be: lo rego veto una sola alba sego hodi" in wrong.to_html()
    silent = bench.SentenceBench({"one": network}, lambda _n, x: np.zeros((len(x), 9), int), pairs)
    assert "nothing" in silent.to_html()


def test_swaps_are_the_mean_fall_by_hand() -> None:
    import dlexplain as dlx

    pairs = language.language_pair(sentences=30, seed=0).take(slice(0, 2))
    network = _table_translator(pairs)
    values = bench.swaps(network, pairs, count=4, seed=0)
    rng = np.random.default_rng(0)
    strangers = language.strangers(pairs.inputs[0], pairs, 4, rng)
    model, word = dlx.wrap(network), int(pairs.labels[0, 2])
    own = model.predict((pairs.inputs[:1], pairs.so_far[:1]))[0, 2, word]
    for place in range(4):
        swapped = np.tile(pairs.inputs[0], (4, 1))
        swapped[:, place] = strangers[:, place]
        falls = own - model.predict((swapped, np.tile(pairs.so_far[0], (4, 1))))[:, 2, word]
        assert values[0, 2, place] == pytest.approx(falls.mean(), abs=1e-5)


def test_pictures_say_in_words_what_they_show() -> None:
    note = drawing.ties(["the", "cat"], ["la", "mira"], [(0, 1), (1, 1)])
    assert "la translates the and agrees with cat" in note.html
    both = drawing.grids({"attention": np.eye(2)}, ["the", "cat"], ["la", "mira"], [(0, 1), (1, 1)])
    assert "la at the, mira at cat" in both.text
    assert both.html.count("stroke-dasharray") == 2
