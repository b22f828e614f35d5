"""Lesson 14, transfer learning: exercises, predictions, quiz, ordering, words and sources."""

from __future__ import annotations

import numpy as np

from dlexplain.classroom import Exercise, Lesson, Ordering, Prediction, Question
from dlexplain.classroom.lessons.lesson_14.checks import (
    check_break_even,
    check_difference,
    check_draw,
    check_trained,
)

_FROZEN, _SCRATCH = np.array([0.85, 0.88, 0.9, 0.86, 0.91]), np.array([0.83, 0.85, 0.89, 0.82, 0.88])
_APART = _FROZEN - _SCRATCH


def _draw(labels: np.ndarray, count: int, seed: int, *, replace: bool = False) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.concatenate(
        [rng.choice(np.flatnonzero(labels == each), count, replace=replace) for each in np.unique(labels)]
    )


EXERCISES = (
    Exercise(
        name="draw",
        check=check_draw,
        expects="your function `draw`",
        hints=(
            "A fair draw takes the same number from each digit. So go through the digits one by one.",
            "`np.flatnonzero(labels == digit)` lists the places of one digit; `rng.choice(places, count, "
            "replace=False)` draws from them.",
            "Then put the ten draws together:\n```\nrng = np.random.default_rng(seed)\nreturn np.concatenate([\n"
            "    rng.choice(np.flatnonzero(labels == digit), count, replace=False)\n    for digit in range(10)\n])\n```",
        ),
        reference=_draw,
        wrong={
            "a few in all": (lambda labels, count, seed: np.arange(count), "4 pictures in all"),
            "from all at once": (
                lambda labels, count, seed: np.random.default_rng(seed).choice(len(labels), 10 * count, replace=False),
                "leaves some digits short",
            ),
            "put back": (lambda labels, count, seed: np.tile(_draw(labels, 1, seed), count), "drawn twice"),
            "always the same": (lambda labels, count, seed: _draw(labels, count, 0), "one draw five times"),
            "labels for places": (
                lambda labels, count, seed: labels[_draw(labels, count, seed)] - 1,
                "not labels",
            ),
        },
    ),
    Exercise(
        name="trained",
        check=check_trained,
        expects="a number",
        hints=(
            "Only the head learns. What goes in, and what comes out?",
            "Each of the scores has a weight for each feature, and one number of its own.",
            "So:\n```\ntrained = features * classes + classes\n```",
        ),
        given={"features": 64, "classes": 10, "whole": 18_962},
        reference=650,
        wrong={
            "without bias": (640, "its **bias**"),
            "everything": (18_962, "the whole network"),
            "the frozen part": (18_312, "the part that **learns**"),
            "added": (74, "multiply, do not add"),
        },
    ),
    Exercise(
        name="difference",
        check=check_difference,
        expects="two numbers, `[mean, standard error]`",
        hints=(
            "Both rows had the same five draws. So first take the difference, draw by draw.",
            "`apart = frozen - scratch`. Its mean is what pre-training adds. How far might that mean be off?",
            "The spread over the root of their number:\n```\napart = frozen - scratch\n"
            "difference = [apart.mean(), apart.std(ddof=1) / np.sqrt(len(apart))]\n```",
        ),
        given={"frozen": _FROZEN, "scratch": _SCRATCH},
        reference=(float(_APART.mean()), float(_APART.std(ddof=1) / np.sqrt(5))),
        wrong={
            "the spread": ((float(_APART.mean()), float(_APART.std(ddof=1))), "sure are you of their **mean**"),
            "turned round": ((-float(_APART.mean()), float(_APART.std(ddof=1) / np.sqrt(5))), "turned round"),
            "divided by all": ((float(_APART.mean()), float(_APART.std() / np.sqrt(5))), "divide by one less"),
            "unrelated": (
                (float(_APART.mean()), float(np.sqrt(_FROZEN.var(ddof=1) / 5 + _SCRATCH.var(ddof=1) / 5))),
                "**same draws**",
            ),
            "a mean alone": ((float(_FROZEN.mean()), 0.0), "draw by draw"),
        },
    ),
    Exercise(
        name="break_even",
        check=check_break_even,
        expects="your function `break_even`",
        hints=(
            "Pre-training is paid once. What does every task give back?",
            "A task saves `scratch - tuned`.",
            "How often must that be saved to make up for the start?\n```\nreturn pretraining / (scratch - tuned)\n```",
        ),
        reference=lambda pretraining, scratch, tuned: pretraining / (scratch - tuned),
        wrong={
            "tuning is free": (lambda pretraining, scratch, tuned: pretraining / scratch, "Tuning is not free"),
            "by the tuned task": (lambda pretraining, scratch, tuned: pretraining / tuned, "what a task **saves**"),
            "at once": (lambda pretraining, scratch, tuned: 1, "One task does not pay"),
            "the saving": (lambda pretraining, scratch, tuned: scratch - tuned, "How many of these"),
        },
    ),
)

PREDICTIONS = (
    Prediction(
        "few",
        "The network knows letters only. It is frozen. A new head on top sees **five** of each digit. What share of "
        "new digits will it read right?",
        low=0,
        high=100,
        step=1,
        unit="%",
    ),
    Prediction(
        "nonsense",
        "Another network learned the same letters with **shuffled** names: nonsense, though thoroughly. Frozen, with a "
        "new head: how will it do beside a network that was **never trained**?",
        choices=("better: it has seen letters", "about the same", "worse"),
    ),
    Prediction(
        "layer",
        "We tune the whole network on digits. Which layer will see digits most differently afterwards?",
        choices=("first", "second", "third"),
    ),
)

STEPS = Ordering(
    "steps",
    "Freeze, learn a head, thaw, tune (in Keras). Put the lines in order, and leave out what does not belong.",
    lines=(
        "network = body_of(letters_network) + new_head(10)",
        "for layer in body: layer.trainable = False",
        "network.compile(Adam(0.01), loss)",
        "network.fit(digits, labels)  # the head learns",
        "for layer in body: layer.trainable = True",
        "network.compile(Adam(0.0005), loss)",
        "network.fit(digits, labels)  # everything learns, gently",
    ),
    distractors={
        "network.set_weights(random_weights)": "that would throw away what the letters taught.",
        "network.fit(test_digits, test_labels)": "the test digits must stay unseen.",
    },
    because={
        (1, 2): "Keras reads what may learn when it compiles.",
        (2, 3): "a network must be compiled before it learns.",
        (3, 4): "thaw once the head makes sense: a random head would shake the body to pieces.",
        (4, 5): "thawing counts from the next compile on.",
        (5, 6): "a network must be compiled before it learns.",
    },
)

QUIZ = (
    Question(
        "control",
        "A paper says: “With our pre-trained features, 20 pictures are enough.” What do you ask first?",
        choices={
            "How many do the plain pixels, or an untrained network, need?": "Yes. Perhaps 20 were always enough.",
            "How large is the network?": "No. Size says nothing about what pre-training added.",
            "How long did the pre-training take?": "That is a price. First: did it add anything?",
        },
        answer="How many do the plain pixels, or an untrained network, need?",
    ),
    Question(
        "frozen",
        "You have two pictures a class. Frozen or thawed?",
        choices={
            "Frozen: few weights can be learned from few pictures.": "Yes. Thaw when you have more, and compare.",
            "Thawed: every weight must know the new task.": "No. Twenty pictures cannot teach thousands of weights.",
            "It makes no difference.": "It did here. Look at the left end of the curves.",
        },
        answer="Frozen: few weights can be learned from few pictures.",
    ),
    Question(
        "moving",
        "In Torch, all `requires_grad` of the body are false. Can the body still change while you train the head?",
        choices={
            "Yes: batch normalisation goes on counting in training mode.": "Yes. Set the frozen part to `eval()`.",
            "No: no weight gets a slope.": "No. Running means are not weights. They move without slopes.",
            "Only in Keras.": "It is the other way round: Keras stops them with `trainable = False`.",
        },
        answer="Yes: batch normalisation goes on counting in training mode.",
    ),
    Question(
        "kept",
        "After tuning, the first layer has CKA 0.99 with what it was. What follows?",
        choices={
            "It still arranges the pictures nearly as before.": "Yes. And look at the control before you call it news.",
            "It was useful for the new task.": "No. It may just not have been moved. Take it away and look.",
            "Its weights are the same.": "No. Other weights can arrange the pictures alike.",
        },
        answer="It still arranges the pictures nearly as before.",
    ),
    Question(
        "money",
        "Who pays for pre-training?",
        choices={
            "Nobody: the weights are free.": "Somebody paid. If it was not you, count yourself lucky, and say so.",
            "Whoever does it; it is spread over all tasks that use it.": "Yes. One small task alone rarely pays for it.",
            "Each new task, in full.": "No. It is paid once. That is the whole point.",
        },
        answer="Whoever does it; it is spread over all tasks that use it.",
    ),
)

GLOSSARY = {
    "transfer learning": "Learn one thing first, and use what was learned for another.",
    "pre-train": "The first learning, on plenty of data of another kind.",
    "tune": "The second learning, on a few pictures of the task at hand. Also: fine-tune.",
    "body": "All layers but the last: they turn a picture into features.",
    "head": "The last layer: it turns features into scores of the classes.",
    "feature": "One of the numbers that the body gives for a picture.",
    "frozen": "May not learn. Only the head does.",
    "thawed": "May learn again, from where pre-training left it.",
    "from scratch": "From random weights, without pre-training.",
    "draw": "A choice of a few pictures by chance. Another draw, another result.",
    "standard error": "How far the mean of a few draws may well be off by chance.",
    "break-even": "How many tasks it takes until pre-training has paid for itself.",
    "CKA": "From 0 to 1: how alike two layers arrange the same pictures.",
}

SOURCES = (
    (
        "Yosinski, Clune, Bengio, Lipson, 2014, How transferable are features in deep neural networks?",
        "https://arxiv.org/abs/1411.1792",
    ),
    (
        "Kornblith, Shlens, Le, 2019, Do better ImageNet models transfer better?",
        "https://arxiv.org/abs/1805.08974",
    ),
    (
        "Raghu, Zhang, Kleinberg, Bengio, 2019, Transfusion: understanding transfer learning for medical imaging",
        "https://arxiv.org/abs/1902.07208",
    ),
    (
        "Neyshabur, Sedghi, Zhang, 2020, What is being transferred in transfer learning?",
        "https://arxiv.org/abs/2008.11687",
    ),
    (
        "Kumar, Raghunathan, Jones, Ma, Liang, 2022, Fine-tuning can distort pretrained features",
        "https://arxiv.org/abs/2202.10054",
    ),
    (
        "Kornblith, Norouzi, Lee, Hinton, 2019, Similarity of neural network representations revisited (CKA)",
        "https://arxiv.org/abs/1905.00414",
    ),
)

LESSON = Lesson(
    number=14,
    title="Transfer learning",
    question="How little data and money suffice?",
    goals=(
        "pre-train on one thing and tune on another, frozen and thawed, in Keras and in Torch",
        "say with error bars what pre-training added, and beside which control",
        "say what tuning kept and what it changed, and who pays for it all",
    ),
    minutes=(40, 1),
    know_first=("lesson 02: layers", "lesson 04: integrated gradients", "lesson 06: CKA"),
    exercises=EXERCISES,
    predictions=PREDICTIONS,
    quiz=QUIZ,
    orders=(STEPS,),
    recall=((2, "untrained"), (4, "same_map"), (6, "cka"), (8, "split")),
    glossary=GLOSSARY,
    sources=SOURCES,
)
