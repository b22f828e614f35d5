"""Lesson 06: what a layer has learned, and what of that the network uses."""

from __future__ import annotations

import numpy as np

from dlexplain.classroom import Exercise, Lesson, Ordering, Prediction, Question
from dlexplain.classroom.lessons.lesson_06.checks import (
    check_by_hand,
    check_cka_one,
    check_score,
    check_silent,
    check_used,
)


def _cka(x: np.ndarray, y: np.ndarray) -> float:
    x, y = x - x.mean(0), y - y.mean(0)
    return float(((y.T @ x) ** 2).sum() / np.sqrt(((x.T @ x) ** 2).sum() * ((y.T @ y) ** 2).sum()))


def _uncentred(x: np.ndarray, y: np.ndarray) -> float:
    return float(((y.T @ x) ** 2).sum() / np.sqrt(((x.T @ x) ** 2).sum() * ((y.T @ y) ** 2).sum()))


def _rooted(x: np.ndarray, y: np.ndarray) -> float:
    return _cka(x, y) ** 0.5


def _raw(x: np.ndarray, y: np.ndarray) -> float:
    x, y = x - x.mean(0), y - y.mean(0)
    return float(((y.T @ x) ** 2).sum())


def _pairwise(x: np.ndarray, y: np.ndarray) -> float:
    width = min(x.shape[1], y.shape[1])
    return float(np.mean([np.corrcoef(x[:, k], y[:, k])[0, 1] for k in range(width)]))


EXERCISES = (
    Exercise(
        name="silent",
        check=check_silent,
        expects="a list of unit numbers",
        hints=(
            "A unit is dead if it is zero for **every** picture. One picture is not enough.",
            "`outputs.max(axis=0)` is each unit's largest output over all pictures.",
            "Where the largest is zero, all are:\n```\nsilent = np.flatnonzero(outputs.max(axis=0) == 0)\n```",
        ),
        given={
            "outputs": np.array([[0, 0, 0.02, 5, 0], [0, 3, 0, 5, 0], [0, 0, 0.03, 4, 0.0]]),
            "labels": np.array([1, 7, 1]),
        },
        reference=np.array([0, 4]),
        wrong={
            "silent for one picture": ([0, 1, 4], "first picture"),
            "silent somewhere": ([0, 1, 2, 4], "some picture"),
            "quiet ones as well": ([0, 2, 4], "quiet is not dead"),
            "the living": ([1, 2, 3], "living"),
            "how many": (2, "number of a unit"),
            "the living, as true and false": (np.array([False, True, True, True, False]), "living"),
        },
    ),
    Exercise(
        name="used",
        check=check_used,
        expects='one letter, "A" to "D"',
        hints=(
            "Which of the four changes something in the picture and then asks the network itself?",
            "A probe is a reader of ours. It tells what is there, not what the network does with it.",
            'Only an intervention shows use:\n```\nevidence = "C"\n```',
        ),
        reference="C",
        wrong={
            "the probe succeeds": ("A", "proves that the network uses it"),
            "beats shuffled labels": ("B", "learn by heart"),
            "beats the untrained": ("D", "made it easier"),
            "another": ("E", "is wanted"),
        },
    ),
    Exercise(
        name="by_hand",
        check=check_by_hand,
        expects="a function of two arrays",
        hints=(
            "Three steps: centre each column, multiply, divide so that a layer with itself gives 1.",
            "The size of a table of products is the sum of its squares. Divide by the roots of the two own sizes.",
            "In full:\n```\nx, y = x - x.mean(0), y - y.mean(0)\n"
            "both = ((y.T @ x) ** 2).sum()\n"
            "return both / np.sqrt(((x.T @ x) ** 2).sum() * ((y.T @ y) ** 2).sum())\n```",
        ),
        reference=_cka,
        wrong={
            "not centred": (_uncentred, "did not centre"),
            "a root too many": (_rooted, "root"),
            "not divided": (_raw, "with itself"),
            "unit by unit": (_pairwise, "unit with unit"),
        },
    ),
    Exercise(
        name="cka_one",
        check=check_cka_one,
        expects='one letter, "A" to "D"',
        hints=(
            "You have just seen two networks with CKA 1. What was different in them?",
            "Think of the shuffled units. And think of two readers behind one layer: can they answer differently?",
            'Only the arrangement of the pictures is held:\n```\nsays = "D"\n```',
        ),
        reference="D",
        wrong={
            "same weights": ("A", "shuffled"),
            "same units": ("B", "turned"),
            "same answers": ("C", "layers behind"),
            "another": ("F", "is wanted"),
        },
    ),
    Exercise(
        name="score",
        check=check_score,
        expects="a number from 0 to 1",
        hints=(
            "For each picture: does the score rise or fall when its layer moves along the direction?",
            "`slopes @ direction` is one number a picture. TCAV looks at its sign only.",
            "The share that rises:\n```\nscore = (slopes @ direction > 0).mean()\n```",
        ),
        given={
            "slopes": np.array([[1.0, 0.2], [2.0, -1.0], [-8.0, 1.0], [0.5, -0.2], [0.3, 2.0]]),
            "direction": np.array([0.8, 0.6]),
        },
        reference=0.8,
        wrong={
            "mean slope": (float(np.mean([0.92, 1.0, -5.8, 0.28, 1.44])), "how steep"),
            "a count": (4, "share"),
            "in per cent": (80, "in per cent"),
            "the falling": (0.2, "fall"),
            "no direction": (0.7, "direction"),
        },
    ),
)

PREDICTIONS = (
    Prediction(
        "needed",
        "Keras's layer `third` has 32 units. We switch off one at a time, and ask for all 450 new digits again. For "
        "how many of the 32 units does **no** answer change?",
        low=0,
        high=32,
        step=1,
        unit="of 32",
    ),
    Prediction(
        "readable",
        "In training, the mark told the honest network nothing. From its layer `second`, in how many of 100 new "
        "pictures can our reader tell whether the mark is there? (By chance: 50.)",
        low=0,
        high=100,
        step=1,
        unit="of 100",
    ),
    Prediction(
        "shuffled",
        "We shuffle the 32 units of layer `third`, and take care that all answers stay the same. How alike will CKA "
        "call the layer before and after? (1: the same.)",
        low=0,
        high=1,
        step=0.05,
    ),
)

TCAV = Ordering(
    "tcav",
    "Put the steps of TCAV in order. Two do not belong.",
    lines=(
        "examples, others = pictures_with_concept, random_pictures",
        "inside, outside = layer(examples), layer(others)",
        "direction = reader(inside, outside).normal",
        "slopes = gradient_of_class_score_at_layer(pictures_of_a_class)",
        "score = (slopes @ direction > 0).mean()",
        "believe = differs(score, scores_of_random_concepts)",
    ),
    after={1: (0,), 2: (1,), 4: (2, 3), 5: (4,)},  # the slopes need no concept: they may come at any time
    distractors={
        "network.fit(examples, labels)": "the network stays as it is; only our reader learns.",
        "score = accuracy(reader)": "how well the reader parts the examples is not what the class makes of them.",
    },
    because={
        (0, 1): "the layer needs pictures.",
        (1, 2): "the border is drawn in the layer, not in the pixels.",
        (2, 4): "it asks for slopes along the direction.",
        (3, 4): "it counts the slopes that rise.",
        (4, 5): "a score means little until random concepts have been scored as well.",
    },
)

QUIZ = (
    Question(
        "probe",
        "A probe reads a patient's age from a layer. What follows?",
        choices={
            "The network uses the age.": "No. It may pass it on unused. Change the age and look.",
            "The age is there to be read, if the shuffled control fails.": "Yes. There. Not: used.",
            "The network was trained to tell ages.": "No. Random filters pass on a lot.",
        },
        answer="The age is there to be read, if the shuffled control fails.",
    ),
    Question(
        "cka",
        "Two layers have CKA 0.99. Which control do you ask for first?",
        choices={
            "The same with a network that was never trained.": "Yes. In first layers it comes near as well.",
            "Their weights.": "No. Equal layers may have quite different weights.",
            "A longer training.": "No. That changes the layers, and controls nothing.",
        },
        answer="The same with a network that was never trained.",
    ),
    Question(
        "tcav",
        "The TCAV score of “striped” for “zebra” is 0.95. Is that much?",
        choices={
            "Yes, 0.95 is near 1.": "No. Random concepts may reach it too: neighbours share a slope.",
            "Only if random concepts score differently.": "Yes. Without them the number says nothing.",
            "No, it must be 1.": "No. There is no such limit.",
        },
        answer="Only if random concepts score differently.",
    ),
    Question(
        "dead",
        "Twelve of 32 units are zero for all your pictures. What do you do?",
        choices={
            "Retrain: the network is broken.": "No. It reads as well without them. Dead is not always a fault.",
            "Note it: the layer could be smaller, and other data may wake them.": "Yes. Dead for these pictures.",
            "Turn them up by hand.": "No. That would change answers that are right.",
        },
        answer="Note it: the layer could be smaller, and other data may wake them.",
    ),
    Question(
        "name",
        "The eight strongest pictures of a unit are all sevens. What is it?",
        choices={
            "A seven finder.": "No. Look at its weaker pictures, and switch it off.",
            "A unit whose strongest pictures are sevens.": "Yes. More was not seen.",
            "A unit that only sevens need.": "No. Who needs it shows when it is off.",
        },
        answer="A unit whose strongest pictures are sevens.",
    ),
)

LESSON = Lesson(
    number=6,
    title="Units and concepts",
    question="What has a layer learned?",
    goals=(
        "look at single units, switch them off, and say what that shows",
        "ask a layer what can be read from it, and with which control",
        "compare layers of different networks and frameworks",
        "test whether a network uses a concept that you name",
    ),
    minutes=(45, 1),
    know_first=("lesson 02: layers and units", "lesson 04: slopes"),
    exercises=EXERCISES,
    predictions=PREDICTIONS,
    orders=(TCAV,),
    quiz=QUIZ,
    recall=((0, "control"), (2, "untrained"), (2, "favourite"), (4, "same_map"), (4, "where_not_what")),
    glossary={
        "unit": "One number of a layer, or one filter with its map.",
        "ablation": "Switching a unit off, and looking at what becomes of the answers.",
        "dead unit": "A unit that is zero for every picture shown.",
        "feature picture": "A picture made by climbing: it excites one unit. Also: activation maximisation.",
        "probe": "A simple reader that must tell something from a layer's numbers.",
        "CKA": "How alike two layers arrange the same pictures; 1 is alike up to turning and scaling. In full: "
        "centred kernel alignment.",
        "twin": "The same network, with the same weights, in the other framework.",
        "concept": "What a set of example pictures has in common. The set is all that the machine knows of it.",
        "TCAV": "The share of pictures whose class score rises along a concept's direction in a layer.",
        "random concept": "Examples that have nothing in common: the control of TCAV.",
        "significant": "Hard to explain by chance. It does not mean large, nor important.",
        "control": "A comparison that could have shown you wrong.",
    },
    sources=(
        ("Alain, Bengio, 2016, Understanding Intermediate Layers Using Linear Classifier Probes",
         "https://arxiv.org/abs/1610.01644"),
        ("Hewitt, Liang, 2019, Designing and Interpreting Probes with Control Tasks",
         "https://arxiv.org/abs/1909.03368"),
        ("Kornblith and others, 2019, Similarity of Neural Network Representations Revisited",
         "https://arxiv.org/abs/1905.00414"),
        ("Kim and others, 2018, Interpretability Beyond Feature Attribution (TCAV)",
         "https://arxiv.org/abs/1711.11279"),
        ("Erhan and others, 2009, Visualizing Higher-Layer Features of a Deep Network",
         "Université de Montréal, technical report 1341"),
        ("Morcos and others, 2018, On the Importance of Single Directions for Generalization",
         "https://arxiv.org/abs/1803.06959"),
        ("Fel and others, 2023, CRAFT: Concept Recursive Activation Factorization",
         "https://arxiv.org/abs/2211.10154"),
        ("Kokhlikyan and others, 2020, Captum", "https://arxiv.org/abs/2009.07896"),
    ),
)  # fmt: skip
