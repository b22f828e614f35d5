"""Lesson 10, documents: exercises, predictions, quiz, ordering, words and sources."""

from __future__ import annotations

import itertools

import numpy as np

from dlexplain.classroom import Exercise, Lesson, Ordering, Prediction, Question
from dlexplain.classroom.lessons.lesson_10.checks import (
    check_adds_up,
    check_collapse,
    check_count_lines,
    check_routed,
)


def _count_lines(busy: np.ndarray) -> int:
    return int((np.diff(busy.astype(int), prepend=0) == 1).sum())


def _collapse(steps: list[str]) -> str:
    return "".join(sign for sign, _ in itertools.groupby(steps) if sign != "·")


def _dropped_first(steps: list[str]) -> str:
    return "".join(sign for sign, _ in itertools.groupby(sign for sign in steps if sign != "·"))


def _adds_up(items: list[float], total: float) -> bool:
    return round(100 * sum(items)) == round(100 * total)


_CHANCES = np.array([0.99, 0.95, 0.5, 0.97, 0.8, 0.92, 0.99, 0.99, 0.6, 0.98])
_CORRECT = np.array([1, 1, 0, 1, 1, 0, 1, 1, 0, 1], bool)

EXERCISES = (
    Exercise(
        name="count_lines",
        check=check_count_lines,
        expects="your function `count_lines`",
        hints=(
            "A line begins in a busy row whose row above is empty.",
            "`np.diff(busy.astype(int), prepend=0)` is 1 where a line begins, and -1 behind its end.",
            "So count the ones:\n```\nreturn (np.diff(busy.astype(int), prepend=0) == 1).sum()\n```",
        ),
        reference=_count_lines,
        wrong={
            "busy rows": (lambda busy: busy.sum(), "busy **rows**"),
            "every change": (lambda busy: (np.diff(busy.astype(int)) != 0).sum(), "**every change**"),
            "the first row": (lambda busy: (np.diff(busy.astype(int)) == 1).sum(), "**first row**"),
            "gaps": (lambda busy: _count_lines(~busy), "**gaps**"),
            "a number": (3, "A function is wanted"),
        },
    ),
    Exercise(
        name="collapse",
        check=check_collapse,
        expects="your function `collapse`",
        hints=(
            "Two rules, and their order matters. Which one must come first so that 100 stays 100?",
            "`itertools.groupby(steps)` gives each run of equal signs once, as `(sign, run)`.",
            "Merge with it, and leave the dots out:"
            '\n```\nreturn "".join(sign for sign, run in groupby(steps) if sign != "·")\n```',
        ),
        reference=_collapse,
        wrong={
            "dots first": (_dropped_first, "**before** merging"),
            "no merging": (lambda steps: "".join(sign for sign in steps if sign != "·"), "**Merge** repeats"),
            "dots kept": (lambda steps: "".join(sign for sign, _ in itertools.groupby(steps)), "**dots**"),
            "each sign once": (lambda steps: "".join(dict.fromkeys(s for s in steps if s != "·")), "only once"),
            "a list": (lambda steps: [sign for sign in steps if sign != "·"], "no text but"),
        },
    ),
    Exercise(
        name="adds_up",
        check=check_adds_up,
        expects="your function `adds_up`",
        hints=(
            "How much may the two differ? Not a cent. But fractions in a computer are rounded.",
            "`round(100 * money)` makes whole cents of it.",
            "Compare whole cents:\n```\nreturn round(100 * sum(items)) == round(100 * total)\n```",
        ),
        reference=_adds_up,
        wrong={
            "exact fractions": (lambda items, total: sum(items) == total, "**whole cents**"),
            "to the whole coin": (lambda items, total: abs(sum(items) - total) < 1, "**too generous**"),
            "one side only": (lambda items, total: round(100 * (total - sum(items))) < 1, "**size**"),
            "a cent": (lambda items, total: abs(sum(items) - total) <= 0.01, "**too generous**. Compare whole"),
            "cut off": (
                lambda items, total: sum(int(100 * each) for each in items) == int(100 * total),
                "**cuts off**",
            ),
            "always": (lambda items, total: True, "too generous"),
            "a number": (lambda items, total: sum(items) - total, "yes or no"),
        },
    ),
    Exercise(
        name="routed",
        check=check_routed,
        expects="two numbers, `[share routed, share wrong among the rest]`",
        hints=(
            "Who goes to a person? And who is left, whose errors nobody mends?",
            "`kept = chances >= 0.9` marks what the machine keeps; `correct[kept]` are its verdicts.",
            "So:\n```\nrouted = [(~kept).mean(), (~correct[kept]).mean()]\n```",
        ),
        given={"chances": _CHANCES, "correct": _CORRECT},
        reference=(0.3, 1 / 7),
        wrong={
            "kept for routed": ((0.7, 1 / 7), "the machine **keeps**"),
            "divided by all": ((0.3, 0.1), "divided the errors by **all**"),
            "all errors": ((0.3, 0.3), "errors among **all**"),
            "right for wrong": ((0.3, 6 / 7), "share **right**"),
            "per cents": ((30.0, 100 / 7), "not per cents"),
        },
    ),
)

PREDICTIONS = (
    Prediction(
        "untrained",
        "We ask a network that has learned **nothing** for its map of one letter. Where will its credit lie?",
        choices=("all over the line", "nowhere: the map is empty", "on the letter, like the trained network's"),
    ),
    Prediction(
        "page",
        "Our networks have seen nonsense only, made by a computer. Of the letters on a **real photographed page**, what "
        "share will they read right?",
        low=0,
        high=100,
        step=1,
        unit="%",
    ),
    Prediction(
        "rules",
        "Some invoices are misread somewhere. What share of them will break a rule (the sum, the calendar, the form)?",
        low=0,
        high=100,
        step=1,
        unit="%",
    ),
)

STEPS = Ordering(
    "steps",
    "From the scanner to the books. Put the lines in order, and leave out what does not belong.",
    lines=(
        "page = straighten(scan)",
        "strips, rows = lines(page)",
        "chances = reader(strips)",
        "texts = [collapse(best(each)) for each in chances]",
        "found = fields(texts)",
        "send_to_a_person = doubtful(found) or complaints(found)",
    ),
    distractors={
        "letters = [cut_out_each_letter(strip) for strip in strips]": "CTC needs no cut letters: it slides over the line.",
        "reader.fit(strips, texts)": "what a network has read itself must not be its teacher.",
    },
    because={
        (0, 1): "on a tilted page the lines run into each other.",
        (1, 2): "the reader takes one line at a time.",
        (2, 3): "the text is made from the chances of each step.",
        (3, 4): "fields are looked for in the text.",
        (4, 5): "doubts and rules are about fields.",
    },
)

QUIZ = (
    Question(
        "blank",
        "What is the blank of CTC for?",
        choices={
            "It stands for the space between words.": "No. The space is a sign of its own.",
            "It says “nothing new here”, and keeps double letters apart.": "Yes. Without it, 100 would become 10.",
            "It marks letters that the network cannot read.": "No. Doubt is in the chances.",
        },
        answer="It says “nothing new here”, and keeps double letters apart.",
    ),
    Question(
        "window",
        "The map of a letter lies on that letter, and so does the map of an untrained network. What follows?",
        choices={
            "The place alone proves no knowledge: the window of the network puts it there.": "Yes. Ask what is inside.",
            "The untrained network can read.": "No. It reads rubbish.",
            "Maps are useless.": "No. The map's place was the wrong test. A better one: do the telling strokes stand out?",
        },
        answer="The place alone proves no knowledge: the window of the network puts it there.",
    ),
    Question(
        "least",
        "A total has eight signs. Seven have a chance of 100 %, one of 40 %. Which number tells you to look?",
        choices={
            "The mean, 92 %.": "No. With a threshold of 90 % it would let this total pass.",
            "The least, 40 %.": "Yes. One wrong digit makes the whole total wrong.",
            "Neither: look at the length.": "No. Length says nothing about doubt.",
        },
        answer="The least, 40 %.",
    ),
    Question(
        "rule",
        "The items do not add up to the total. What do you know?",
        choices={
            "A digit was misread.": "Perhaps. But the sender may have miscounted.",
            "Something is wrong, on paper or in the reading. A person should look.": "Yes. The rule cannot tell which.",
            "The network needs more training.": "Not from one page.",
        },
        answer="Something is wrong, on paper or in the reading. A person should look.",
    ),
    Question(
        "positions",
        "What was the network told about where each letter stands?",
        choices={
            "Nothing. It was given a picture and its text.": "Yes. CTC sums over all ways to lay the text along the steps.",
            "The column where each letter begins.": "No. Nobody marked any letter.",
            "The width of the font.": "No. It met two fonts in three sizes.",
        },
        answer="Nothing. It was given a picture and its text.",
    ),
)

GLOSSARY = {
    "profile": "The ink in each row of a page. Lines of print are its peaks.",
    "step": "A place along a line where the network says which sign it sees. Here: every two columns of pixels.",
    "blank": "The answer “nothing new here” at a step. Shown as a dot.",
    "CTC": "Connectionist temporal classification: training from a picture and its text alone, without positions.",
    "collapse": "Steps to text: merge repeats, then drop blanks.",
    "field": "A piece of text with a meaning: a date, a total.",
    "confidence": "The chance that the network gives to what it read. Not yet a promise.",
    "routing": "Who handles a page: the machine or a person.",
    "rule": "Something that must hold on every right page: the items add up, the day exists.",
    "window": "The part of the line that can reach one step of the network. Also: receptive field.",
    "control": "A comparison that could have shown you wrong.",
}

SOURCES = (
    (
        "Graves, Fernández, Gomez, Schmidhuber, 2006, Connectionist temporal classification",
        "https://doi.org/10.1145/1143844.1143891",
    ),
    (
        "Shi, Bai, Yao, 2017, An end-to-end trainable neural network for image-based sequence recognition (CRNN)",
        "https://arxiv.org/abs/1507.05717",
    ),
    ("Postl, 1986, Detection of linear oblique structures and skew scan in digitized documents", ""),
    ("Chow, 1970, On optimum recognition error and reject tradeoff", "https://doi.org/10.1109/TIT.1970.1054406"),
    (
        "Adebayo and others, 2018, Sanity checks for saliency maps",
        "https://arxiv.org/abs/1810.03292",
    ),
    (
        "Sundararajan, Taly, Yan, 2017, Axiomatic Attribution for Deep Networks",
        "https://arxiv.org/abs/1703.01365",
    ),
    (
        "The photographed page: from scikit-image's collection of test pictures",
        "https://scikit-image.org/docs/stable/api/skimage.data.html#skimage.data.page",
    ),
)

LESSON = Lesson(
    number=10,
    title="Documents",
    question="How does a machine read, extract, sort and verify a form?",
    goals=(
        "find the lines of a page, and train networks that read them without being told where a letter stands",
        "extract fields, sort pages, and verify sums and dates",
        "choose, by a curve, what goes to a person; and test whether a map of a letter shows knowledge",
    ),
    minutes=(45, 1),
    know_first=("lesson 02: convolution", "lesson 04: integrated gradients and their start"),
    exercises=EXERCISES,
    predictions=PREDICTIONS,
    quiz=QUIZ,
    orders=(STEPS,),
    recall=((0, "control"), (2, "untrained"), (4, "completeness"), (8, "price")),
    glossary=GLOSSARY,
    sources=SOURCES,
)
