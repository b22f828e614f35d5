"""Lesson 17, the life of a model: exercises, predictions, quiz, ordering, words and sources."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlexplain.classroom import Exercise, Lesson, Ordering, Prediction, Question
from dlexplain.classroom.lessons.lesson_17.checks import check_index, check_roll_back, check_shares, check_usable


def _index(before: np.ndarray, now: np.ndarray) -> float:
    return ((now - before) * np.log(now / before)).sum()


def _shares(credit: np.ndarray) -> np.ndarray:
    sizes = np.abs(credit).mean(axis=0)
    return sizes / sizes.sum()


def _usable(now: int, since: int, delay: int) -> list[int]:
    return list(range(since, now - delay + 1))


def _roll_back(version: str, notes: dict[str, Any]) -> str:
    version = notes[version]["parent"]
    while not notes[version]["good"]:
        version = notes[version]["parent"]
    return version


EXERCISES = (
    Exercise(
        name="index",
        check=check_index,
        expects="your function `index`",
        hints=(
            "The formula stands above the exercise. NumPy computes all parts at once.",
            "`(now - before) * np.log(now / before)` gives a number for each part.",
            "Sum them:\n```\nreturn ((now - before) * np.log(now / before)).sum()\n```",
        ),
        reference=_index,
        wrong={
            "plain differences": (lambda before, now: (now - before).sum(), "always cancel"),
            "one turned round": (lambda before, now: ((before - now) * np.log(now / before)).sum(), "turned round"),
            "mean": (lambda before, now: ((now - before) * np.log(now / before)).mean(), "the **mean**"),
            "sizes": (lambda before, now: np.abs(now - before).sum(), "logarithm is missing"),
            "weighed by one": (lambda before, now: (before * np.log(before / now)).sum(), "by **one** of the two"),
            "no sum": (lambda before, now: (now - before) * np.log(now / before), "one number"),
        },
    ),
    Exercise(
        name="shares",
        check=check_shares,
        expects="your function `shares`",
        hints=(
            "Some credits are negative. A sensor that pushes up some pumps and pushes down others is still important.",
            "`np.abs(credit).mean(axis=0)` is the mean size of each sensor's credit.",
            "Divide by the sum:\n```\nsizes = np.abs(credit).mean(axis=0)\nreturn sizes / sizes.sum()\n```",
        ),
        reference=_shares,
        wrong={
            "with signs": (lambda credit: credit.mean(axis=0) / credit.mean(axis=0).sum(), "with signs"),
            "sizes of means": (
                lambda credit: np.abs(credit.mean(axis=0)) / np.abs(credit.mean(axis=0)).sum(),
                "**before** the mean",
            ),
            "not divided": (lambda credit: np.abs(credit).mean(axis=0), "add up to 1"),
            "wrong axis": (lambda credit: np.abs(credit).mean(axis=1), "axis 0"),
            "squares": (lambda credit: (credit**2).mean(axis=0) / (credit**2).mean(axis=0).sum(), "You squared"),
        },
    ),
    Exercise(
        name="usable",
        check=check_usable,
        expects="your function `usable`",
        hints=(
            "Which is the last week whose outcomes you know today?",
            "Week `now - delay` is the last one. The first one is `since`.",
            "`range` stops one early:\n```\nreturn list(range(since, now - delay + 1))\n```",
        ),
        reference=_usable,
        wrong={
            "up to now": (lambda now, since, delay: list(range(since, now)), "learn from the **future**"),
            "one short": (lambda now, since, delay: list(range(since, now - delay)), "leave out week 26"),
            "old world": (lambda now, since, delay: list(range(1, now - delay + 1)), "the old world"),
            "none": (lambda now, since, delay: list(range(since + delay, since)), "no week at all"),
            "delay at the start": (lambda now, since, delay: list(range(since + delay, now - delay + 1)), "qualify"),
        },
    ),
    Exercise(
        name="roll_back",
        check=check_roll_back,
        expects="your function `roll_back`",
        hints=(
            "Go to the parent first. Then look whether it is good.",
            '`back = notes[version]["parent"]` is the parent. Repeat with `while not notes[back]["good"]`.',
            'So:\n```\nback = notes[version]["parent"]\nwhile not notes[back]["good"]:\n'
            '    back = notes[back]["parent"]\nreturn back\n```',
        ),
        reference=_roll_back,
        wrong={
            "the parent": (lambda version, notes: notes[version]["parent"], "**bad, too**"),
            "newest good one": (lambda version, notes: [v for v in notes if notes[v]["good"]][-1], "no **ancestor**"),
            "stay": (lambda version, notes: version, "the bad one"),
            "the first": (lambda version, notes: next(iter(notes)), "the **first** version"),
            "good ones stay": (
                lambda version, notes: version if notes[version]["good"] else _roll_back(version, notes),
                "you must leave, too",
            ),
        },
    ),
)

PREDICTIONS = (
    Prediction(
        "controller",
        "Week 18: the new controller sends “slow” for fast. Which monitor rings first?",
        choices=("the readings", "the count of alarms", "the explanations", "the outcomes"),
    ),
    Prediction(
        "calm",
        "A year in which nothing happens. In how many of 40 weeks will the monitor of explanations ring?",
        low=0,
        high=20,
        step=1,
        unit="weeks",
    ),
    Prediction(
        "seals",
        "Week 31: new seals. The readings stay, their meaning changes. When will the explanations ring?",
        choices=("in the first week", "after four weeks, with the outcomes", "not at all"),
    ),
)

STEPS = Ordering(
    "steps",
    "From an alarm to a release. Put the lines in order, and leave out what does not belong.",
    lines=(
        "alarm = drift > limit",
        "cause = go_and_look(alarm)",
        "rows, repaired = year.rows(usable(now, since=cause.week, delay=4))",
        "new = train(rows, repaired)",
        "view = agreement(explain(old), explain(new))",
        "release(new, parent=old)",
    ),
    distractors={
        "rows, repaired = year.rows(range(now, now + 4))": "nobody knows the outcomes of weeks to come.",
        "delete(old)": "without the old version there is no way back.",
    },
    because={
        (0, 1): "without an alarm there is nothing to look at.",
        (1, 2): "the cause says since when the world is another one.",
        (2, 3): "training needs the rows.",
        (3, 4): "there must be a new network to compare.",
        (4, 5): "the comparison stands before the release, or it stops nothing.",
    },
)

QUIZ = (
    Question(
        "ring",
        "The monitor of readings rings. What do you know?",
        choices={
            "The network is wrong now.": "No. The thermometer rang, and no answer got worse.",
            "The readings look otherwise. Go and see whether it matters.": "Yes. An alarm is a question.",
            "The network must be retrained.": "No. A broken sensor wants mending, not learning.",
        },
        answer="The readings look otherwise. Go and see whether it matters.",
    ),
    Question(
        "blind",
        "The readings stay as they are; what they mean changes. Which monitor can see it?",
        choices={
            "The explanations.": "No. The same network explains the same reading in the same way.",
            "The readings, sensor by sensor.": "No. They have not changed.",
            "Only the outcomes.": "Yes. So get them, and soon.",
        },
        answer="Only the outcomes.",
    ),
    Question(
        "together",
        "Each sensor alone is as before, and the explanations ring. How can that be?",
        choices={
            "The sensors no longer go together as they did.": "Yes. The network works on all of them at once.",
            "Explanations are noise.": "No. In the calm year they hardly rang.",
            "Somebody changed the network.": "Then its fingerprint would be another. It was not.",
        },
        answer="The sensors no longer go together as they did.",
    ),
    Question(
        "fingerprint",
        "The fingerprint of a version is right. What does that prove?",
        choices={
            "It is the file that was released.": "Yes. Good or bad.",
            "The network is good.": "No. The bad release had a fingerprint, too.",
            "It was trained on good data.": "No. It only names the data.",
        },
        answer="It is the file that was released.",
    ),
    Question(
        "own_test",
        "A retrained version has fewer errors on its newest weeks than the one at work. Release it?",
        choices={
            "Yes: fewer errors.": "No. If the lists are broken, the test is broken in the same way.",
            "First ask whether the outcomes are sound, and whether its view changed without a reason.": "Yes.",
            "Never retrain.": "No. Then the new controller would have been the end.",
        },
        answer="First ask whether the outcomes are sound, and whether its view changed without a reason.",
    ),
)

GLOSSARY = {
    "data drift": "The readings change.",
    "concept drift": "What the readings mean changes.",
    "PSI": "Population stability index: how far this week's readings lie from those of training. 0: not at all.",
    "share": "A sensor's part of all credit, signs left out.",
    "explanation drift": "The shares change: the network decides by other sensors, or by the same in another way.",
    "outcome": "What really happened. It comes late.",
    "limit": "The value from which a monitor rings.",
    "false alarm": "It rings, and nothing has happened.",
    "register": "The shelf of all versions with their notes. Also: registry.",
    "fingerprint": "A long number computed from all bytes of a file. Also: hash, SHA-256.",
    "model card": "A page for people: what a network is for, how it was tested, where it must not be used.",
    "release": "To put a version to work.",
    "parent": "The version that a new one replaces.",
    "roll back": "To put an earlier version to work again.",
    "twin": "A control: the same training data, another start.",
}

SOURCES = (
    (
        "Gama, Žliobaitė, Bifet, Pechenizkiy, Bouchachia, 2014, A survey on concept drift adaptation",
        "https://doi.org/10.1145/2523813",
    ),
    (
        "Sculley and others, 2015, Hidden technical debt in machine learning systems",
        "https://papers.nips.cc/paper/5656-hidden-technical-debt-in-machine-learning-systems",
    ),
    ("Breck, Cai, Nielsen, Salib, Sculley, 2017, The ML test score", "https://doi.org/10.1109/BigData.2017.8258038"),
    (
        "Mougan, Broelemann, Kasneci, Tiropanis, Staab, 2022, Explanation shift: detecting distribution shifts on "
        "tabular data via the explanation space",
        "https://arxiv.org/abs/2210.12369",
    ),
    ("Mitchell and others, 2019, Model cards for model reporting", "https://arxiv.org/abs/1810.03993"),
    (
        "Yurdakul, Naranjo, 2020, Statistical properties of the population stability index",
        "https://econpapers.repec.org/article/rskjourn5/7725371.htm",
    ),
    ("MLflow: a register that others maintain", "https://mlflow.org/docs/latest/"),
)

LESSON = Lesson(
    number=17,
    title="The life of a model",
    question="How is a network kept honest in production?",
    goals=(
        "keep versions in a register, refuse a file that was changed, and go back to an earlier one",
        "watch readings, alarms, explanations and outcomes, and say what each of them cannot see",
        "retrain on the right weeks, and stop a release whose view changed without a reason",
    ),
    minutes=(45, 1),
    know_first=("lesson 04: integrated gradients and their start", "lesson 08: sensors, alarms and their price"),
    exercises=EXERCISES,
    predictions=PREDICTIONS,
    quiz=QUIZ,
    orders=(STEPS,),
    recall=((0, "control"), (4, "completeness"), (5, "background"), (8, "price")),
    glossary=GLOSSARY,
    sources=SOURCES,
)
