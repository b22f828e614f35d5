"""Lesson 08, predictive maintenance: exercises, predictions, quiz, ordering, words and sources."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlexplain.classroom import Exercise, Lesson, Ordering, Prediction, Question
from dlexplain.classroom.lessons.lesson_08.checks import (
    check_cost_of,
    check_culprit,
    check_held_back,
    check_never,
)

_BREAKS = np.arange(400) % 100 == 99


def _fifth(machine: np.ndarray) -> np.ndarray:
    return np.isin(machine, np.unique(machine)[::5])


def _at_random(machine: np.ndarray) -> np.ndarray:
    return np.random.default_rng(1).random(len(machine)) < 0.2


def _last_part(machine: np.ndarray) -> np.ndarray:
    return np.arange(len(machine)) >= 0.8 * len(machine)


def _cost_of(used: Any, broke: Any, breakdown: float, repair: float) -> float:
    return 100 * np.where(broke, breakdown, repair).sum() / np.sum(used)


EXERCISES = (
    Exercise(
        name="never",
        check=check_never,
        expects="two numbers, `[accuracy, caught]`",
        hints=(
            "Someone who always says “no breakdown” is right wherever none comes.",
            "`breaks` is true where a breakdown comes; `~breaks` turns it round, and `.mean()` gives the share.",
            "And of the breakdowns, none is caught:\n```\nnever = [(~breaks).mean(), 0.0]\n```",
        ),
        given={"breaks": _BREAKS},
        reference=(0.99, 0.0),
        wrong={
            "accuracy twice": ((0.99, 0.99), "**caught**"),
            "the rare share": ((0.01, 0.0), "share of breakdowns"),
            "per cents": ((99.0, 0.0), "not per cents"),
            "turned round": ((0.0, 0.99), "turned the two round"),
            "never right": ((0.0, 0.0), "nearly always right"),
            "one number": (0.99, "is wanted, but your answer has shape"),
        },
    ),
    Exercise(
        name="held_back",
        check=check_held_back,
        expects="your function `held_back`",
        hints=(
            "Choose some machines first. Their windows follow them.",
            "`np.unique(machine)` lists the machines; `[::5]` takes every fifth.",
            "Then ask each window whether its machine is among them:"
            "\n```\nreturn np.isin(machine, np.unique(machine)[::5])\n```",
        ),
        reference=_fifth,
        wrong={
            "windows at random": (_at_random, "at random is not fair"),
            "every fifth window": (lambda machine: np.arange(len(machine)) % 5 == 0, "on **both** sides"),
            "the last part": (_last_part, "in the middle of it"),
            "the machines themselves": (lambda machine: np.unique(machine)[::5], "for each window"),
            "everything": (lambda machine: machine > 0, "on one side"),
            "one machine only": (lambda machine: machine == machine[0], "A fifth was asked for"),
        },
    ),
    Exercise(
        name="culprit",
        check=check_culprit,
        expects="your function `culprit`",
        hints=(
            "Not the readings decide, but the credit. How much does each sensor get over all moments?",
            "`credit.sum(axis=0)` gives one number a sensor; `.argmax()` tells where the largest stands.",
            "So:\n```\nreturn names[credit.sum(axis=0).argmax()]\n```",
        ),
        reference=lambda credit, readings, names: names[credit.sum(axis=0).argmax()],
        wrong={
            "largest readings": (
                lambda credit, readings, names: names[readings.sum(axis=0).argmax()],
                "largest values",
            ),
            "magnitudes": (
                lambda credit, readings, names: names[np.abs(credit).sum(axis=0).argmax()],
                "with its signs",
            ),
            "one moment": (lambda credit, readings, names: names[credit.max(axis=0).argmax()], "**single** credit"),
            "wrong axis": (lambda credit, readings, names: names[credit.sum(axis=1).argmin()], "axis 0"),
            "a number": (lambda credit, readings, names: 1, "Text in quotation marks"),
        },
    ),
    Exercise(
        name="cost_of",
        check=check_cost_of,
        expects="your function `cost_of`",
        hints=(
            "Money first: each machine costs a breakdown or a repair. Then put it on the work done.",
            "`paid = np.where(broke, breakdown, repair)` is the bill of each machine.",
            "All the money over all the work, for 100 cycles:\n```\nreturn 100 * paid.sum() / used.sum()\n```",
        ),
        reference=_cost_of,
        wrong={
            "only the money": (lambda u, b, much, little: np.where(b, much, little).sum(), "you gave the sum"),
            "one cycle": (lambda u, b, much, little: np.where(b, much, little).sum() / u.sum(), "of one cycle"),
            "mean of rates": (
                lambda u, b, much, little: (100 * np.where(b, much, little) / u).mean(),
                "mean of three rates",
            ),
            "repairs are free": (lambda u, b, much, little: 100 * (b * much).sum() / u.sum(), "breakdown only"),
            "prices turned": (lambda u, b, much, little: _cost_of(u, b, little, much), "turned round"),
        },
    ),
)

PREDICTIONS = (
    Prediction(
        "leak",
        "On held-back windows the copycat is off by a cycle or two. On pumps that it has never seen, "
        "by how many cycles will it be off?",
        low=0,
        high=40,
        step=1,
        unit="cycles",
    ),
    Prediction(
        "sensor",
        "A pump with a worn bearing is about to break down. Which sensor will get most of the credit for the alarm?",
        choices=("temperature", "vibration", "voltage: it has the largest numbers"),
    ),
    Prediction(
        "threshold",
        "A breakdown costs ten times a repair. From which chance on should we call the crew?",
        choices=("at the first suspicion, below 30 %", "at about half", "only when sure, above 70 %"),
    ),
)

STEPS = Ordering(
    "steps",
    "From raw rows to an honest score. Put the lines in order, and leave out what does not belong.",
    lines=(
        'rows = dlx.data.load("fleet")',
        "train, final = by_machine(rows, (0.75, 0.25))",
        "windows = train.standardised(like=train).windows(30)",
        "network.fit(windows.inputs, within(windows))",
        "new = final.standardised(like=train).windows(30)",
        "network.evaluate(new.inputs, within(new))",
    ),
    after={1: (0,), 2: (1,), 3: (2,), 4: (1,), 5: (3, 4)},
    distractors={
        "train, final = windows[::2], windows[1::2]": "every machine would stand on both sides.",
        "rows = rows.standardised(like=final)": "the machines held back must not have a say in anything.",
    },
    because={
        (0, 1): "there must be rows before they can be dealt out.",
        (1, 2): "the split comes first: the training machines alone set the scale.",
        (2, 3): "the network learns from those windows.",
        (1, 4): "it needs the machines held back.",
        (3, 5): "only a trained network can be scored.",
        (4, 5): "it is scored on those windows.",
    },
)

QUIZ = (
    Question(
        "rare",
        "A network for breakdowns is right in 99 % of all windows. How good is it?",
        choices={
            "Very good.": "No. If 1 % of the windows break down, “never” scores 99 %, too.",
            "Unknown, until I see how many breakdowns it caught.": "Yes. And how many false alarms it gave.",
            "Perfect, up to noise.": "No. It may have missed every single breakdown.",
        },
        answer="Unknown, until I see how many breakdowns it caught.",
    ),
    Question(
        "split",
        "Why do we hold back whole machines?",
        choices={
            "Because neighbouring windows of one machine are nearly the same.": "Yes. Copying would pass for skill.",
            "Because it gives more training data.": "No. The share is the same.",
            "Because machines break down at random.": "No. What matters is that windows of one machine overlap.",
        },
        answer="Because neighbouring windows of one machine are nearly the same.",
    ),
    Question(
        "cause",
        "Vibration gets most of the credit for an alarm. What may you say?",
        choices={
            "The bearing broke because of vibration.": "No. The wear shook the machine, not the other way round.",
            "Vibration moved this network's score most.": "Yes. For the cause, ask a mechanic, or the simulator.",
            "Temperature is not affected.": "No. The network may just not need it.",
        },
        answer="Vibration moved this network's score most.",
    ),
    Question(
        "baseline",
        "Captum's default start is zero for every input. Why was that a trap here?",
        choices={
            "Zero is not a number that a sensor can show.": "It can. But it would show an odd machine.",
            "It asks what parts this machine from one at 0 volts and 0 bar.": "Yes. Nobody wanted to know that.",
            "Captum computes it wrongly.": "No. Its bill adds up. The question was wrong.",
        },
        answer="It asks what parts this machine from one at 0 volts and 0 bar.",
    ),
    Question(
        "price",
        "Breakdowns get much dearer; repairs do not. What happens to the best threshold?",
        choices={
            "It falls: call the crew earlier.": "Yes. A false alarm is cheap beside a breakdown.",
            "It rises: be surer.": "No. Waiting for certainty has become dearer.",
            "It stays, for the network is the same.": "No. The network gives chances. Prices make the decision.",
        },
        answer="It falls: call the crew earlier.",
    ),
)

GLOSSARY = {
    "cycle": "One round of work of a machine: an hour, a flight. Its life is counted in them.",
    "remaining life": "How many cycles are left until the machine breaks down.",
    "window": "The last 30 cycles of all sensors: what a network sees.",
    "onset": "The cycle in which a fault began.",
    "horizon": "How far ahead we ask: will it break down within 10 cycles?",
    "leak": "When something of the test has slipped into the training.",
    "credit": "How far an input moved the network's score from that of the start of the walk.",
    "caught": "The share of breakdowns that were announced. Also: recall.",
    "threshold": "The chance above which we act.",
    "decision curve": "The cost of acting, for each threshold.",
    "calendar": "Repair at a fixed age, whatever the sensors say.",
    "control": "A comparison that could have shown you wrong.",
}

SOURCES = (
    (
        "Saxena, Goebel, Simon, Eklund, 2008, Damage propagation modeling for aircraft engine run-to-failure "
        "simulation (C-MAPSS)",
        "https://doi.org/10.1109/PHM.2008.4711414",
    ),
    (
        "Li, Ding, Sun, 2018, Remaining useful life estimation in prognostics using deep convolution neural networks",
        "https://doi.org/10.1016/j.ress.2017.11.021",
    ),
    (
        "Kapoor, Narayanan, 2023, Leakage and the reproducibility crisis in machine-learning-based science",
        "https://doi.org/10.1016/j.patter.2023.100804",
    ),
    (
        "Barlow, Hunter, 1960, Optimum preventive maintenance policies (the calendar)",
        "https://doi.org/10.1287/opre.8.1.90",
    ),
    (
        "Vickers, Elkin, 2006, Decision curve analysis",
        "https://doi.org/10.1177/0272989X06295361",
    ),
    (
        "Sundararajan, Taly, Yan, 2017, Axiomatic Attribution for Deep Networks",
        "https://arxiv.org/abs/1703.01365",
    ),
    (
        "Shrikumar, Greenside, Kundaje, 2017, Learning Important Features (DeepLIFT)",
        "https://arxiv.org/abs/1704.02685",
    ),
)

LESSON = Lesson(
    number=8,
    title="Predictive maintenance",
    question="When will this machine fail, which sensor says so, what does waiting cost?",
    goals=(
        "train networks that see a breakdown coming, and test them on machines they have never seen",
        "say which sensor raised an alarm, and since when, and check it against the known fault",
        "turn a chance into a decision with your own prices",
    ),
    minutes=(45, 1),
    know_first=("lesson 00: training and scores", "lesson 04: integrated gradients and their start"),
    exercises=EXERCISES,
    predictions=PREDICTIONS,
    quiz=QUIZ,
    orders=(STEPS,),
    recall=((0, "control"), (2, "untrained"), (4, "completeness"), (4, "where_not_what")),
    glossary=GLOSSARY,
    sources=SOURCES,
)
