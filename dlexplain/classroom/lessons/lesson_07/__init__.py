"""Lesson 07, can you trust an explanation: exercises with their checks, predictions, quiz, ordering, words, sources."""

from __future__ import annotations

import numpy as np

from dlexplain.classroom import Exercise, Lesson, Made, Ordering, Prediction, Question
from dlexplain.classroom.lessons.lesson_07.checks import (
    check_faithfulness,
    check_flipped,
    check_likeness,
    check_moved,
)

_NOW = np.array([3, 3, 3, 0, 3, 3, 7, 3])
_TRULY = np.array([1, 8, 0, 0, 9, 5, 7, 2])
_NAMED = np.array([-1.0, 0.5, 1.0, 2.5, 3.0])
_AFTER = np.array([9.0, 8.5, 6.0, 6.5, 2.0])
_OWN = np.array([[3.0, -2.0, 1.0, -4.0, 0.5, 2.0], [1.0, -3.0, 2.0, 0.5, -1.5, 4.0]])
_FRESH = np.array([[-2.5, 2.2, 0.8, 3.0, -0.1, -1.0], [-0.5, -2.0, 3.0, 1.0, 1.2, 2.5]])


def _likeness(first: str, second: str) -> Made:
    """Two mean likenesses: of the maps as they are ("signs"), of their sizes, of one size, of the result's size."""

    def make() -> list[float]:
        from dlexplain.classroom.lessons.lesson_07.bench import rank_correlation as alike

        known = {
            "signs": alike(_OWN, _FRESH),
            "sizes": alike(np.abs(_OWN), np.abs(_FRESH)),
            "one size": alike(np.abs(_OWN), _FRESH),
            "size of the result": np.abs(alike(_OWN, _FRESH)),
            "itself": alike(_OWN, _OWN),
        }
        return [float(known[first].mean()), float(known[second].mean())]

    return Made(make)


_WANTED = float(np.corrcoef(_NAMED, 9.5 - _AFTER)[0, 1])

EXERCISES = (
    Exercise(
        name="flipped",
        check=check_flipped,
        expects="a number between 0 and 1",
        hints=(
            "For each digit there are two cases: Hans calls it a three, or he does not.",
            "`now == 3` is true where he does. True counts as 1, false as 0.",
            "The mean of true and false is a share:\n```\nflipped = (now == 3).mean()\n```",
        ),
        given={"now": _NOW, "truly": _TRULY},
        reference=0.75,
        wrong={
            "count": (6, "This is how many"),
            "per cent": (75.0, "in per cent"),
            "the others": (Made(lambda: (_NOW != 3).mean()), "share that is"),
            "among the labels": (0.0, "among the true labels"),
            "one a digit": (_NOW == 3, "mean"),
        },
    ),
    Exercise(
        name="faithfulness",
        check=check_faithfulness,
        expects="a number between −1 and 1",
        hints=(
            "Two lists of a hundred: what the map says of each try, and how far the score fell.",
            "The fall is `before - after`. `np.corrcoef(named, before - after)` is a table of 2 by 2.",
            "The number beside the diagonal:\n```\nfaithfulness = np.corrcoef(named, before - after)[0, 1]\n```",
        ),
        given={"named": _NAMED, "before": 9.5, "after": _AFTER},
        reference=_WANTED,
        wrong={
            "whole table": (np.corrcoef(_NAMED, 9.5 - _AFTER), "a table of four"),
            "sign turned": (-_WANTED, "sign is turned round"),
            "with itself": (1.0, "with itself"),
            "squared": (_WANTED**2, "the square"),
            "steepness": (float(np.polyfit(_NAMED, 9.5 - _AFTER, 1)[0]), "how steep"),
            "sizes": (float(np.corrcoef(np.abs(_NAMED), 9.5 - _AFTER)[0, 1]), "keep the sign"),
        },
    ),
    Exercise(
        name="likeness",
        check=check_likeness,
        expects="two numbers, `[with signs, sizes only]`",
        hints=(
            "The same comparison twice. What changes is what goes in.",
            "With signs: `bench.rank_correlation(own, fresh).mean()`. For the sizes, `np.abs` goes round each map.",
            "Both, in this order:\n```\nlikeness = [bench.rank_correlation(own, fresh).mean(),\n"
            "            bench.rank_correlation(np.abs(own), np.abs(fresh)).mean()]\n```",
        ),
        given={"own": _OWN, "fresh": _FRESH},
        reference=_likeness("signs", "sizes"),
        wrong={
            "swapped": (_likeness("sizes", "signs"), "in the wrong order"),
            "both with signs": (_likeness("signs", "signs"), "Both are with signs"),
            "size of the result": (_likeness("signs", "size of the result"), "size of the **result**"),
            "one map only": (_likeness("signs", "one size"), "Only one of the two"),
            "with itself": (_likeness("itself", "sizes"), "compared with itself"),
            "one number": (0.5, "is wanted"),
        },
    ),
    Exercise(
        name="moved",
        check=check_moved,
        expects='a letter, such as "P"',
        hints=(
            "Moving a map changes no value. Which question asks only for the sum of the values?",
            "Two letters have a bill that adds up (completeness error 0). One of them is honest.",
            'Of R and S, the honest one has the high faithfulness:\n```\nmoved = "S"\n```',
        ),
        reference="S",
        wrong={
            "the honest one": ("R", "R is honest"),
            "signs turned": ("Q", "Its signs were turned"),
            "signs dropped": ("T", "Its signs were dropped"),
            "halved": ("P", "halved"),
            "a number": (4, "in quotation marks"),
        },
    ),
)

PREDICTIONS = (
    Prediction(
        "hans",
        "You have 100 new threes, without a stamp. Of these, how many will Hans (Keras) read as a three?",
        low=0,
        high=100,
        step=1,
        unit="of 100",
    ),
    Prediction("real", "Which kind of map was made by asking the network?", choices=("A", "B", "C")),
    Prediction(
        "steady",
        "All pixels tremble a little, so little that you hardly see it. Whose map will move least?",
        choices=("integrated gradients", "saliency", "SmoothGrad", "occlusion", "random", "model-blind"),
    ),
)

EXAM = Ordering(
    "exam",
    "How to test an explainer, in order. Leave out what does not belong.",
    lines=(
        "marked, truth = plant_a_mark(pictures)",
        "network = train(marked, labels)",
        "assert answers_change(network, when_the_mark_moves)",
        "maps = explain(network, marked)",
        "rows = [maps, random_maps, model_blind_maps]",
        "scores = [ask(row, every_question, truth) for row in rows]",
        "passed = maps_beat_both_controls(scores)",
    ),
    after={1: (0,), 2: (1,), 3: (1,), 4: (3,), 5: (2, 4), 6: (5,)},
    distractors={
        "maps = [m for m in maps if looks_right(m)]": "a map that looks right shows the picture. Whoever sorts by looks "
        "tests his own taste.",
        "maps = average(maps_of_all_methods)": "the methods answer different questions. Their mean answers none.",
    },
    because={
        (0, 1): "it learns from the marked pictures: without a planted truth nothing can be checked.",
        (2, 5): "the mark is the truth only if the network uses it. Prove that before you score.",
        (1, 3): "it asks the trained network.",
        (3, 4): "the maps must be there before they stand beside the controls.",
        (4, 5): "every row sits the same exam, the controls too.",
        (5, 6): "the verdict compares scores.",
    },
)

QUIZ = (
    Question(
        "blind_wins",
        "In a paper, method X has “the best robustness of all”. What do you ask first?",
        choices={
            "How steady a map is that never asks the model.": "Yes. It is steadier still. Steadiness alone is no merit.",
            "How long it takes.": "A fair question, but not the first: a stopped clock is quick, too.",
            "Nothing. Robust is what we want.": "No. A map that never changes is the most robust of all.",
        },
        answer="How steady a map is that never asks the model.",
    ),
    Question(
        "chance_passes",
        "A map changes wholly when the network gets random weights. What follows?",
        choices={
            "It is faithful.": "No. Pure chance changes wholly, too.",
            "It is not made from the picture alone. Ask on.": "Yes. One suspicion is gone, the others stand.",
            "It is useless.": "No. It should change: the network knows nothing any more.",
        },
        answer="It is not made from the picture alone. Ask on.",
    ),
    Question(
        "signs",
        "“Integrated gradients fail: 0.9 of the map is left with random weights.” What may have gone wrong?",
        choices={
            "Sizes were compared. They follow the ink; the knowledge is in the signs.": "Yes. Count again with signs.",
            "The network was too small.": "No. The ink is the same for every network.",
            "Nothing. The method is a fraud.": "No. With signs, next to nothing was left.",
        },
        answer="Sizes were compared. They follow the ink; the knowledge is in the signs.",
    ),
    Question(
        "localise",
        "A map does not lie on the tumour that the doctor marked. Is the map wrong?",
        choices={
            "Yes. The tumour is the evidence.": "Only if the **network** uses it. Perhaps it reads a stamp.",
            "Unknown: perhaps the network looks elsewhere. Change the picture and see.": "Yes. First an experiment on "
            "the network, then a verdict on the map.",
            "No. Doctors err.": "They may. But that is not what decides about the map.",
        },
        answer="Unknown: perhaps the network looks elsewhere. Change the picture and see.",
    ),
    Question(
        "faithful",
        "A map passes every question of the exam. What do you know of the network?",
        choices={
            "It is sound.": "No. Hans had the most faithful maps of all.",
            "It is accurate.": "No. The exam never looked at right and wrong.",
            "How it decided, as far as the exam can see. Not whether that is right.": "Yes. The exam is about the map.",
        },
        answer="How it decided, as far as the exam can see. Not whether that is right.",
    ),
)

GLOSSARY = {
    "Clever Hans": "A model that is right for a wrong reason; after the horse that read faces.",
    "shortcut": "Something in the data that gives the answer away without being the matter. Here: the stamp.",
    "control row": "A map that knows nothing and sits the same exam.",
    "random map": "Values drawn by chance.",
    "model-blind": "Made without asking the network; here, the picture's edges.",
    "faithfulness": "Whether the score moves as the map says.",
    "deletion, insertion": "Erase, or add, pixels in the map's order and follow the score.",
    "faithfulness correlation": "Sum of the map over pixels, against the fall of the score when they go.",
    "completeness": "The values sum to the change of the score. The rest is the gap.",
    "sensitivity (of a map)": "How far the map moves when the picture trembles. Also: robustness, turned round.",
    "parameter randomisation": "Give layers fresh random weights and see how much of the map is left.",
    "rank correlation": "How far two lists put their members in the same order: 1 the same, 0 none, −1 reversed.",
    "localisation": "Whether the map lies where the evidence is known to be.",
    "pointing game": "Whether the strongest pixel lies there.",
    "guided backpropagation": "Slopes with every negative part cut away on the way back. Crisp, and half blind.",
}

SOURCES = (
    (
        "Pfungst, 1911, Clever Hans (the horse of Mr. von Osten)",
        "https://www.gutenberg.org/ebooks/33936",
    ),
    (
        "Lapuschkin and others, 2019, Unmasking Clever Hans predictors",
        "https://doi.org/10.1038/s41467-019-08987-4",
    ),
    ("Adebayo and others, 2018, Sanity Checks for Saliency Maps", "https://arxiv.org/abs/1810.03292"),
    (
        "Nie, Zhang, Patel, 2018, A Theoretical Explanation for Perplexing Behaviors of Backpropagation-based "
        "Visualizations",
        "https://arxiv.org/abs/1805.07039",
    ),
    ("Petsiuk, Das, Saenko, 2018, RISE (deletion, insertion)", "https://arxiv.org/abs/1806.07421"),
    (
        "Bhatt, Weller, Moura, 2020, Evaluating and Aggregating Feature-based Model Explanations (faithfulness "
        "correlation)",
        "https://arxiv.org/abs/2005.00631",
    ),
    ("Yeh and others, 2019, On the (In)fidelity and Sensitivity of Explanations", "https://arxiv.org/abs/1901.09392"),
    ("Zhang and others, 2016, Top-down Neural Attention (pointing game)", "https://arxiv.org/abs/1608.00507"),
    ("Krishna and others, 2022, The Disagreement Problem", "https://arxiv.org/abs/2202.01602"),
    ("Hedström and others, 2023, Quantus (a collection of such questions)", "https://arxiv.org/abs/2202.06861"),
    ("Lundberg, Lee, 2017, SHAP", "https://arxiv.org/abs/1705.07874"),
    (
        "Springenberg and others, 2014, Striving for Simplicity (guided backpropagation)",
        "https://arxiv.org/abs/1412.6806",
    ),
)

LESSON = Lesson(
    number=7,
    title="Can you trust an explanation?",
    question="How would I know that the map is wrong?",
    goals=(
        "plant a shortcut, and prove by an experiment that a network takes it",
        "put maps through an exam, beside two rows that know nothing",
        "say what each question of the exam cannot see",
        "tell a test of the map from a test of the network",
    ),
    minutes=(50, 1),
    know_first=("lesson 04: saliency, integrated gradients, completeness",),
    exercises=EXERCISES,
    predictions=PREDICTIONS,
    quiz=QUIZ,
    orders=(EXAM,),
    recall=((0, "control"), (2, "favourite"), (4, "same_map"), (4, "completeness")),
    glossary=GLOSSARY,
    sources=SOURCES,
)
