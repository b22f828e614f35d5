"""Lesson 16, cost and data: exercises, predictions, quiz, ordering, words and sources."""

from __future__ import annotations

import numpy as np

from dlexplain.classroom import Exercise, Lesson, Ordering, Prediction, Question
from dlexplain.classroom.lessons.lesson_16.checks import (
    check_alarms,
    check_electricity,
    check_operations,
    check_suspects,
    suspects,
)

EXERCISES = (
    Exercise(
        name="operations",
        check=check_operations,
        expects="your function `operations`",
        hints=(
            "How often does a dense layer multiply? Once for each weight.",
            "Each product is then added to a sum. So: two operations for each pair of an input and an output.",
            "So:\n```\nreturn sum(2 * inputs * outputs for inputs, outputs in layers)\n```",
        ),
        reference=lambda layers: sum(2 * a * b for a, b in layers),
        wrong={
            "once": (lambda layers: sum(a * b for a, b in layers), "multiplies and then adds"),
            "weights": (lambda layers: sum(a * b + b for a, b in layers), "number of weights and biases"),
            "biases": (lambda layers: sum(2 * a * b + b for a, b in layers), "counted the biases"),
            "product": (lambda layers: 2 * layers[0][0] * layers[0][1] * 12, "one after the other"),
            "first only": (lambda layers: 2 * layers[0][0] * layers[0][1], "second layer is missing"),
        },
    ),
    Exercise(
        name="electricity",
        check=check_electricity,
        expects="your function `electricity`",
        hints=(
            "What does a kilowatt-hour count? Kilowatts times hours.",
            "Hours are `seconds / 3600`; kilowatts are `watts / 1000`.",
            "So:\n```\nreturn seconds / 3600 * watts / 1000 * price\n```",
        ),
        reference=lambda seconds, watts, price: seconds / 3600 * watts / 1000 * price,
        wrong={
            "watt-hours": (lambda s, w, p: s / 3600 * w * p, "watt-hours"),
            "kilowatt-seconds": (lambda s, w, p: s * w / 1000 * p, "seconds"),
            "joules": (lambda s, w, p: s * w * p, "joules"),
            "no price": (lambda s, w, p: s / 3600 * w / 1000, "multiply by the price"),
            "minutes": (lambda s, w, p: s / 60 * w / 1000 * p, "gives minutes"),
        },
    ),
    Exercise(
        name="suspects",
        check=check_suspects,
        expects="your function `suspects`",
        hints=(
            "A row is suspect if the network is surely of *another* mind. Sure means: as sure as usual for that class.",
            "`sure = np.where(chances >= usual, chances, 0)` leaves only what is sure. Its `argmax` is the network's mind.",
            "Then compare:\n```\nsure = np.where(chances >= usual, chances, 0)\n"
            "return (sure.max(axis=1) > 0) & (sure.argmax(axis=1) != labels)\n```",
        ),
        reference=suspects,
        wrong={
            "disagrees": (lambda chances, labels: chances.argmax(1) != labels, "where the network disagrees"),
            "under half": (
                lambda chances, labels: chances[np.arange(len(labels)), labels] < 0.5,
                "less than half",
            ),
            "sure of anything": (
                lambda chances, labels: (chances >= [chances[labels == k, k].mean() for k in range(3)]).any(1),
                "their **own** label",
            ),
            "the wrong way round": (lambda chances, labels: ~suspects(chances, labels), "wrong way round"),
            "numbers of rows": (
                lambda chances, labels: np.flatnonzero(suspects(chances, labels)),
                "each of the 9 rows",
            ),
        },
    ),
    Exercise(
        name="alarms",
        check=check_alarms,
        expects="two numbers",
        hints=(
            "A single honest column gives a false alarm in 5 of 100 comparisons.",
            "Expect `0.05` for each column, so `columns * 0.05`. To be safe, each column may use only its share of 0.05.",
            "So:\n```\nalarms = [columns * 0.05, 0.05 / columns]\n```",
        ),
        given={"columns": 30},
        reference=[1.5, 0.05 / 30],
        wrong={
            "one column": ([0.05, 0.05 / 30], "for **one** column"),
            "all": ([30, 0.05 / 30], "5 of 100"),
            "at least one": ([1 - 0.95**30, 0.05 / 30], "at least one"),
            "limit as before": ([1.5, 0.05], "still at 0.05"),
            "looser": ([1.5, 1.5], "stricter"),
        },
    ),
)

DEAREST = ("people's time for labels", "the computer's hours", "electricity")
SLOWER = ("about as many times longer", "far fewer times longer", "even more times longer")
BY_HEART = ("more of them", "about as many", "far fewer")

PREDICTIONS = (
    Prediction(
        "dearest",
        "A digit reader: 1,200 labels at 10 cents, trained once, 1,000 answers a month for a year. What is dearest?",
        choices=DEAREST,
    ),
    Prediction(
        "slower",
        "A network does many hundred times the operations of another. How much longer does it take?",
        choices=SLOWER,
    ),
    Prediction(
        "by_heart",
        "Now the network learns **all** rows for long, and is then asked about the same rows. "
        "How many wrong labels does it find?",
        choices=BY_HEART,
    ),
)

STEPS = Ordering(
    "steps",
    "Find wrong labels. Put the steps in order, and leave out what does not belong.",
    lines=(
        "fold = np.arange(len(labels)) % 4",
        "network = train(rows[fold != k], labels[fold != k])",
        "chances[fold == k] = network(rows[fold == k])",
        "found = suspects(chances, labels)",
        "a person looks at every row in found",
        "network = train(rows, corrected)",
    ),
    distractors={
        "chances = train(rows, labels)(rows)": "a network asked about its own training rows has learned the errors by heart.",
        "labels[found] = chances[found].argmax(1)": "the network would then be judge in its own case: a person decides.",
    },
    because={
        (0, 1): "the parts must be cut before one is held back.",
        (1, 2): "only a trained network can be asked.",
        (2, 3): "suspicion needs the chances of every row.",
        (3, 4): "the list tells where to look.",
        (4, 5): "the repair comes before the last training.",
    },
)

QUIZ = (
    Question(
        "three",
        "An example costs how many forward passes in one epoch of training?",
        choices={
            "1": "No. The way back is missing.",
            "About 3": "Yes. One there, and about two back: slopes of the weights and of the inputs.",
            "As many as there are weights": "No. All slopes come from one way back. That is what makes training possible.",
        },
        answer="About 3",
    ),
    Question(
        "reuse",
        "Two networks have equally many weights. One needs ten times the operations. How?",
        choices={
            "It uses each weight at many places.": "Yes. A convolution slides; a transformer takes every token.",
            "It is written badly.": "It may be, but operations are counted, not timed.",
            "That cannot be.": "No. See the table: operations for each weight.",
        },
        answer="It uses each weight at many places.",
    ),
    Question(
        "noise",
        "Why is a row judged by a network that did not learn from it?",
        choices={
            "It is faster.": "No. It takes several trainings in place of one.",
            "A network that learned it may repeat its wrong label.": "Yes. It has learned the error by heart.",
            "Only then do the chances add up to 1.": "No. They always do.",
        },
        answer="A network that learned it may repeat its wrong label.",
    ),
    Question(
        "leak",
        "A column alone nearly tells the answer. Is it a leak?",
        choices={
            "Yes.": "Not always. An honest measurement can be that good.",
            "No.": "Not always. It may have been written down after the answer was known.",
            "Ask when and by whom it is recorded.": "Yes. No statistic can tell the two apart.",
        },
        answer="Ask when and by whom it is recorded.",
    ),
    Question(
        "halves",
        "Why did we also compare two halves of the same data?",
        choices={
            "To count alarms where nothing drifted.": "Yes. A test that cries there, too, tells nothing.",
            "To have more rows.": "No. Halves have fewer.",
            "To find drift within the clinic.": "No. They were halved at random: there is none.",
        },
        answer="To count alarms where nothing drifted.",
    ),
)

GLOSSARY = {
    "operation": "One multiplication or one addition of two numbers. Also: floating-point operation, FLOP.",
    "pass": "One way of one example through the network: forward to the answer, backward for the slopes.",
    "activation": "A value that a layer computes on the way. Training keeps them for the way back.",
    "kilowatt-hour": "1,000 watts for an hour: the unit of the electricity bill, kWh.",
    "label": "The right answer that someone wrote beside an example.",
    "label noise": "Labels that are wrong.",
    "confident learning": "A row is suspect when the network is, for another class, as sure as it usually is.",
    "held back": "Not learned from, so that it can be asked about.",
    "by heart": "Learned with its errors; right on rows that it has seen, and only there.",
    "leak": "A column that knows the answer when you train and does not when you use the network.",
    "drift": "New data are distributed otherwise than those that were learned from.",
    "p": "How often chance alone gives a difference this large, when nothing differs.",
    "control": "A comparison that could have shown you wrong.",
    "scaling law": "A measured rule for how something grows: errors with labels, time with operations.",
}

SOURCES = (
    ("Kaplan and others, 2020, Scaling Laws for Neural Language Models (6 operations a weight and token)", "https://arxiv.org/abs/2001.08361"),
    ("Hestness and others, 2017, Deep Learning Scaling is Predictable, Empirically (errors over data)", "https://arxiv.org/abs/1712.00409"),
    ("Brown and others, 2020, Language Models are Few-Shot Learners (GPT-3: weights, tokens, operations)", "https://arxiv.org/abs/2005.14165"),
    ("Patterson and others, 2021, Carbon Emissions and Large Neural Network Training (speed, watts, energy)", "https://arxiv.org/abs/2104.10350"),
    ("NVIDIA, H100 Tensor Core GPU data sheet (989 million million operations a second, 700 W)", "https://www.nvidia.com/en-us/data-center/h100/"),
    ("Gebru and others, 2021, Datasheets for Datasets", "https://arxiv.org/abs/1803.09010"),
    ("Northcutt, Jiang, Chuang, 2021, Confident Learning (the package cleanlab)", "https://arxiv.org/abs/1911.00068"),
    ("Kaufman and others, 2012, Leakage in Data Mining", "https://doi.org/10.1145/2382577.2382579"),
    ("Rabanser, Günnemann, Lipton, 2019, Failing Loudly (tests for drift, column by column)", "https://arxiv.org/abs/1810.11953"),
    ("Courty and others, CodeCarbon: measures a program's energy", "https://github.com/mlco2/codecarbon"),
)  # fmt: skip

LESSON = Lesson(
    number=16,
    title="Cost and data",
    question="What does it cost, and is the data fit?",
    goals=(
        "count what a network costs: passes, operations, memory, seconds, energy, money",
        "find wrong labels, a leaking column and drift, each with a control",
        "answer “can we afford it?”, and say what the answer assumes",
    ),
    minutes=(45, 1),
    know_first=("lesson 00: training and scores", "lesson 05: SHAP", "lesson 08: a leak, prices and decisions"),
    exercises=EXERCISES,
    predictions=PREDICTIONS,
    quiz=QUIZ,
    orders=(STEPS,),
    recall=((0, "control"), (3, "flat"), (5, "cause"), (8, "split")),
    glossary=GLOSSARY,
    sources=SOURCES,
)
