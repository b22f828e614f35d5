"""Lesson 11, medical images: exercises, predictions, quiz, ordering, words and sources."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlexplain.classroom import Exercise, Lesson, Ordering, Prediction, Question
from dlexplain.classroom.lessons.lesson_11.checks import (
    check_deal,
    check_gap,
    check_measures,
    check_pointing,
    check_true_alarms,
)

# 10 sick, of whom 8 get an alarm; 30 healthy, of whom 3 do.
_SICK = np.arange(40) < 10
_SAYS = np.isin(np.arange(40), [*range(8), 20, 21, 22])
_MARKED = np.isin(np.arange(40), [*range(9), 30, 31, 32])  # 9 of the sick, 3 of the healthy
_ENOUGH = ~_SICK & ~_MARKED & (np.arange(40) < 37)  # 24 more of the healthy
_TOLD, _FOUND, _COUNT = np.array([0.1, 0.6, 0.9]), np.array([0.2, 0.4, 0.8]), np.array([10, 20, 70])


def _pointing(maps: np.ndarray, lesions: np.ndarray) -> float:
    flat = maps.reshape(len(maps), -1)
    return lesions.reshape(len(lesions), -1)[np.arange(len(flat)), flat.argmax(1)].mean()


def _mass(maps: np.ndarray, lesions: np.ndarray) -> float:
    positive = np.maximum(maps, 0)
    return ((positive * lesions).sum((1, 2)) / positive.sum((1, 2))).mean()


def _true_alarms(sensitivity: Any, specificity: Any, rate: Any) -> float:
    true, false = sensitivity * rate, (1 - specificity) * (1 - rate)
    return true / (true + false)


EXERCISES = (
    Exercise(
        name="measures",
        check=check_measures,
        expects="two numbers, `[sensitivity, specificity]`",
        hints=(
            "Look at the sick alone. Which share of them got an alarm? Then at the healthy alone.",
            "`says_sick[sick]` holds what was said of the sick; `.mean()` of true and false is a share.",
            "The healthy are `~sick`, no alarm is `~says_sick`:"
            "\n```\nmeasures = [says_sick[sick].mean(), (~says_sick)[~sick].mean()]\n```",
        ),
        given={"says_sick": _SAYS, "sick": _SICK.astype(int)},
        reference=(0.8, 0.9),
        wrong={
            "turned round": ((0.9, 0.8), "turned the two round"),
            "share of alarms": ((8 / 11, 0.9), "share of **alarms**"),
            "accuracy": ((0.875, 0.9), "This is the accuracy"),
            "false alarms": ((0.8, 0.1), "with a **false alarm**"),
            "per cents": ((80.0, 90.0), "not per cents"),
            "one number": (0.8, "is wanted, but your answer has shape"),
        },
    ),
    Exercise(
        name="pointing",
        check=check_pointing,
        expects="your function `pointing`",
        hints=(
            "For each map you need one place: where is it largest?",
            "`flat.argmax(axis=1)` gives the place in each row. Then ask `on_lesion` about that place in that row.",
            "A row number and a place for each:"
            "\n```\nstrongest = flat.argmax(axis=1)\nreturn on_lesion[np.arange(len(flat)), strongest].mean()\n```",
        ),
        reference=_pointing,
        wrong={
            "sizes": (lambda maps, lesions: _pointing(np.abs(maps), lesions), "you took sizes"),
            "mass": (_mass, "the **share** of the map"),
            "any positive value": (
                lambda maps, lesions: ((maps > 0) & lesions).any((1, 2)).mean(),
                "All four maps",
            ),
            "counted": (lambda maps, lesions: _pointing(maps, lesions) * len(maps), "You counted the hits"),
            "size of the lesion": (lambda maps, lesions: lesions.mean(), "what a blind guess would hit"),
        },
    ),
    Exercise(
        name="deal",
        check=check_deal,
        expects="an array of true and false, one a tile",
        hints=(
            "Nearly all of the sick have the mark. Nearly none of the healthy. Which group lacks marks?",
            "Choose the healthy without a mark: `~sick & ~marked`. Of these take as many as the sick have: "
            "`marked[sick].mean()` is their share.",
            "A number of `luck` lies below that share just so often:"
            "\n```\nextra = ~sick & ~marked & (luck < marked[sick].mean())\n```",
        ),
        given={"sick": _SICK.astype(int), "marked": _MARKED},
        reference=_ENOUGH,
        wrong={
            "all healthy": (~_SICK, "turned round"),
            "nobody": (np.zeros(40, bool), "Nothing has changed"),
            "the sick": (_SICK, "You marked the **sick**"),
            "a coin for all": (np.arange(40) % 2 == 1, "Mark **only healthy** tiles"),
            "too few": (~_SICK & (np.arange(40) < 30), "Still apart"),
            "one number": (0.9, "is wanted, but"),
        },
    ),
    Exercise(
        name="gap",
        check=check_gap,
        expects="a number",
        hints=(
            "How far is each group from its word? Then take the mean over all patients, not over the groups.",
            "`np.abs(told_in - found_in)` is the distance of each group; multiply by `count`, the patients in it.",
            "Sum, and divide by all patients:"
            "\n```\ngap = (np.abs(told_in - found_in) * count).sum() / count.sum()\n```",
        ),
        given={"told": _TOLD, "found": _FOUND, "count": _COUNT},
        reference=0.12,
        wrong={
            "signs kept": (0.1, "must not cancel"),
            "groups alike": (0.4 / 3, "Every group counted the same"),
            "the worst": (0.2, "the worst group"),
            "not divided": (12.0, "Divide by the number"),
            "text": ("0.12", "without quotation marks"),
        },
    ),
    Exercise(
        name="true_alarms",
        check=check_true_alarms,
        expects="your function `true_alarms`",
        hints=(
            "Think of 10,000 people. How many are sick? How many of them get an alarm? How many healthy ones do?",
            "True alarms: `sensitivity * rate`. False alarms: the share of healthy, times their false alarms.",
            "So:\n```\ntrue = sensitivity * rate\nfalse = (1 - specificity) * (1 - rate)\nreturn true / (true + false)\n```",
        ),
        reference=_true_alarms,
        wrong={
            "the sensitivity": (lambda s, c, p: s, "you gave the sensitivity"),
            "of all people": (lambda s, c, p: s * p, "of **all people**"),
            "specificity as false alarms": (
                lambda s, c, p: s * p / (s * p + c * (1 - p)),
                "the false alarms are wrong",
            ),
            "as many sick as healthy": (lambda s, c, p: s / (s + 1 - c), "as many sick as healthy"),
            "false ones": (lambda s, c, p: 1 - _true_alarms(s, c, p), "share of **false** alarms"),
        },
    ),
)

PREDICTIONS = (
    Prediction(
        "field",
        "In the other hospital the mark says nothing. Of 100 pictures there, how many will the Keras network get right?",
        low=0,
        high=100,
        step=1,
        unit="of 100",
    ),
    Prediction(
        "where",
        "A sick tile with a mark. Where will the strongest value of the map lie, most often?",
        choices=("on the lesion", "on the mark"),
    ),
    Prediction(
        "verdict",
        "The audit sees pictures of our own hospital only, and knows nothing of a mark. What will it say?",
        choices=("PASS", "FAIL", "INCONCLUSIVE"),
    ),
    Prediction(
        "repaired",
        "The repaired network on new pictures of our own hospital: how will it do, beside the one before?",
        choices=("better", "about the same", "worse"),
    ),
    Prediction(
        "sure",
        "In the other hospital the network before the repair says “over 90 % sick” to some. Of 100 of these, how "
        "many are sick?",
        low=0,
        high=100,
        step=1,
        unit="of 100",
    ),
)

STEPS = Ordering(
    "steps",
    "An honest study of a network for hospitals. Put the steps in order, and leave out what does not belong.",
    lines=(
        "learn, house, field = cut_apart(hospitals)",
        "network = train(learn)",
        "threshold = choose(network, house)",
        "record = dlx.audit(network, house.pictures, house.sick)",
        "result = measure(network, threshold, field)",
        "worth = true_alarms(*result, rate)",
    ),
    after={1: (0,), 2: (1,), 3: (1,), 4: (2, 3), 5: (4,)},
    distractors={
        "threshold = choose(network, field)": "the other hospital is the examiner. It must not help to choose.",
        "field = [tile for tile in field if network.is_sure(tile)]": "whoever drops the hard patients measures nothing.",
    },
    because={
        (0, 1): "the piles come first: no picture of the test may be learned from.",
        (1, 2): "there must be a network before its threshold.",
        (1, 3): "the audit asks the trained network.",
        (2, 4): "the threshold is fixed before the other hospital is opened.",
        (3, 4): "a network that fails the audit is not tried on patients.",
        (4, 5): "what an alarm is worth follows from what was measured there.",
    },
)

QUIZ = (
    Question(
        "own_house",
        "A network is right in 97 % of new pictures of the hospital that it learned in. What follows for another one?",
        choices={
            "It will be right in about 97 % there.": "No. It may live on a sign that only this hospital has.",
            "Nothing yet. Test there, and change the picture.": "Yes. New pictures of the same house share its signs.",
            "It will be worse everywhere.": "Not for sure. Measure it.",
        },
        answer="Nothing yet. Test there, and change the picture.",
    ),
    Question(
        "clean_maps",
        "On pictures without a mark, all maps point at the lesion. Is the network sound?",
        choices={
            "Yes: it looks at the disease.": "On these pictures. With a mark, the same network looked at the mark.",
            "Unknown: look at pictures as they come, marks and all.": "Yes. A map speaks of the picture it was made for.",
            "No: maps are useless.": "No. On marked pictures they named the mark.",
        },
        answer="Unknown: look at pictures as they come, marks and all.",
    ),
    Question(
        "modest",
        "What does a temperature above 1 do to a network's answers?",
        choices={
            "It makes them right more often.": "No. The order stays, and so does every decision at one half.",
            "It makes them less sure, and changes no decision at one half.": "Yes. Modest, not right.",
            "It removes the shortcut.": "No. It divides the scores, whatever they rest on.",
        },
        answer="It makes them less sure, and changes no decision at one half.",
    ),
    Question(
        "rare",
        "A test finds 90 % of the sick and spares 90 % of the healthy. One in 1,000 is sick. An alarm comes. How likely is it true?",
        choices={
            "About 90 %.": "No. That is of the sick. Count the false alarms of 999 healthy people.",
            "About 50 %.": "No. About 100 healthy people get an alarm, for one who is sick.",
            "About 1 %.": "Yes. Of 1,000 people 0.9 alarms are true, and 99.9 false.",
        },
        answer="About 1 %.",
    ),
    Question(
        "absent",
        "Dark spots are the disease. Why must the walk of integrated gradients not start at black?",
        choices={
            "Black is outside the range of pictures.": "No. It is an ordinary value. That is the trouble.",
            "Black looks like a lesion, so the lesion is where least changes.": "Yes. “Absent” must look healthy.",
            "Captum cannot compute it.": "It can, and it says nothing.",
        },
        answer="Black looks like a lesion, so the lesion is where least changes.",
    ),
)

GLOSSARY = {
    "lesion": "A place where tissue is changed by disease. Here: a dark spot that we planted.",
    "tile": "A small square cut from a large picture.",
    "scanner mark": "Something that the machine puts into the picture: letters, a logo, a ruler.",
    "shortcut": "A sign that goes with the answer in the training data and is not the thing itself.",
    "sensitivity": "Of all the sick, the share that gets an alarm. Also: recall.",
    "specificity": "Of all the healthy, the share that gets none.",
    "pointing game": "How often the strongest value of a map lies on the known place.",
    "relevance mass": "The share of all that speaks for the class that lies on the known place.",
    "model-blind": "A control: a map made of the picture's edges, which never asks the network.",
    "calibrated": "Of all patients who are told 80 %, 80 % are sick.",
    "calibration error": "How far told and found lie apart, on average over the patients.",
    "temperature": "A number that all scores are divided by. Above 1: less sure, the same order.",
    "audit": "A list of questions with thresholds, written down before anyone saw the network.",
}

SOURCES = (
    (
        "Zech, Badgeley, Liu, Costa, Titano, Oermann, 2018, Variable generalization performance of a deep learning model "
        "to detect pneumonia in chest radiographs (the markers)",
        "https://doi.org/10.1371/journal.pmed.1002683",
    ),
    (
        "Geirhos, Jacobsen, Michaelis, Zemel, Brendel, Bethge, Wichmann, 2020, Shortcut learning in deep neural networks",
        "https://doi.org/10.1038/s42256-020-00257-z",
    ),
    (
        "Zhang, Bargal, Lin, Brandt, Shen, Sclaroff, 2018, Top-down neural attention by excitation backprop (the pointing game)",
        "https://arxiv.org/abs/1608.00507",
    ),
    (
        "Arras, Osman, Samek, 2022, CLEVR-XAI (relevance mass)",
        "https://arxiv.org/abs/2003.07258",
    ),
    (
        "Guo, Pleiss, Sun, Weinberger, 2017, On calibration of modern neural networks (temperature)",
        "https://arxiv.org/abs/1706.04599",
    ),
    (
        "Sundararajan, Taly, Yan, 2017, Axiomatic Attribution for Deep Networks",
        "https://arxiv.org/abs/1703.01365",
    ),
    (
        "The pictures: retina and immunohistochemistry, as they come with scikit-image",
        "https://scikit-image.org/docs/stable/api/skimage.data.html",
    ),
)

LESSON = Lesson(
    number=11,
    title="Medical images",
    question="May a hospital rely on this?",
    goals=(
        "catch a network that reads the scanner instead of the patient",
        "count where maps point when the lesion is known, beside rows that know nothing",
        "say what a chance, and what an alarm, is worth in another hospital",
    ),
    minutes=(50, 1),
    know_first=("lesson 04: integrated gradients and their start", "lesson 07: shortcuts and control rows"),
    exercises=EXERCISES,
    predictions=PREDICTIONS,
    quiz=QUIZ,
    orders=(STEPS,),
    recall=((4, "where_not_what"), (7, "localise"), (8, "split"), (8, "baseline")),
    glossary=GLOSSARY,
    sources=SOURCES,
)
