"""Lesson 00, the door: train, explain and audit a reader of digits, once round."""

from __future__ import annotations

import numpy as np

from dlexplain.classroom import (
    Check,
    Exercise,
    Lesson,
    Ordering,
    Prediction,
    Question,
    array,
    close,
    number,
    option,
    right,
    wrong,
)
from dlexplain.classroom.lessons.lesson_00.figures import QUARTERS


def check_share_right(answer: object, *, scores: np.ndarray, labels: np.ndarray) -> Check:
    value = number(answer)
    read = scores.argmax(1)
    share = float(np.mean(read == labels))
    if close(value, share):
        return right(f"{value:.1%} of the new digits are read right.")
    if close(value, (read == labels).sum()):
        return wrong("This is how many are right. A share is that number divided by how many there are.")
    if close(value, 100 * share):
        return wrong("This is in per cent. A share lies between 0 and 1: leave out the factor 100.")
    if close(value, 1 - share):
        return wrong("This is the share that is wrong. Compare with `==`, not with `!=`.")
    if close(value, scores.max(1).mean()):
        return wrong(
            "This is the mean of the highest scores. Use `argmax`: it tells where the highest stands."
        )
    return wrong("Take each row's place of the highest score, compare it with the label, and take the mean.")


def check_missing_credit(
    answer: object, *, credits: np.ndarray, blank_score: float, full_score: float
) -> Check:
    value = number(answer)
    known = array(credits, shape=(3,), what="credits")
    missing = full_score - blank_score - known.sum()
    if close(value, missing, absolute=1e-3):
        return right("Blank score and four credits make the full score. The bill leaves nothing open.")
    if close(value, -missing, absolute=1e-3):
        return wrong(
            "The size is right, the sign is not. A credit may be negative: that quarter speaks against. "
            "Take full score minus blank score minus the three credits."
        )
    if close(value, full_score - known.sum(), absolute=1e-3):
        return wrong("You forgot the blank score. Only what lies above it is shared out.")
    if close(value, (full_score - blank_score) / 4, absolute=1e-3):
        return wrong("This shares equally, but they did not help equally. Take off what the other three got.")
    if close(value, full_score - blank_score, absolute=1e-3):
        return wrong("This is what all four share. Take off what the other three got.")
    return wrong("Full score minus blank score is what there is to share. Three credits of it are known.")


def check_mystery(answer: object) -> Check:
    chosen = option(answer, ("A", "B", "C"))
    if chosen == "B":
        return right("Hide what B names and most readings break. B was made from this very network.")
    if chosen == "A":
        return wrong(
            "A is the picture itself: bright pixels, and no network was asked. It looks right because it is "
            "the digit. Hide its pixels, count what breaks, and compare with the others."
        )
    return wrong(
        "C comes from the network that learned shuffled answers. It lies on the ink, so the eye believes it. "
        "Hide its pixels, count what breaks, and compare with the others."
    )


_SCORES = np.array([[2.0, 0.5, 1.0], [0.0, 3.0, 1.0], [1.0, 0.0, 4.0], [0.2, 2.0, 0.1], [5.0, 1.0, 0.0]])
_LABELS = np.array([0, 1, 2, 1, 2])

LESSON = Lesson(
    number=0,
    title="Start here",
    question="What will I be able to do?",
    goals=(
        "train a small network in Keras and the same one in Torch",
        "see which pixels decided, how credit is shared, and what the layers saw",
        "put an explanation to the test before you believe it",
    ),
    minutes=(45, 1),
    know_first=("a little Python: a list, a loop, a function",),
    exercises=(
        Exercise(
            name="share_right",
            check=check_share_right,
            expects="a number between 0 and 1",
            hints=(
                "A reading is the place of the highest score. Where does it agree with the label?",
                "`scores.argmax(1)` reads every picture. `==` compares that with `labels`, one by one.",
                "The mean of true and false is a share:\n"
                "```\nshare_right = (scores.argmax(1) == labels).mean()\n```",
            ),
            given={"scores": _SCORES, "labels": _LABELS},
            reference=0.8,
            wrong={
                "count": (4, "how many"),
                "per cent": (80.0, "per cent"),
                "share wrong": (0.2, "share that is wrong"),
                "mean of the highest scores": (3.2, "mean of the highest scores"),
                "text": ("0.8", "without quotation marks"),
            },
        ),
        Exercise(
            name="missing_credit",
            check=check_missing_credit,
            expects="a number",
            hints=(
                "The score rises from the blank score to the full score. That rise is shared out.",
                "`full_score - blank_score` is the sum of all four credits. You know three.",
                "Take off what is known:\n```\nmissing = full_score - blank_score - credits.sum()\n```",
            ),
            given={"credits": np.array([3.0, 7.5, -2.0]), "blank_score": -1.0, "full_score": 2.5},
            reference=-5.0,
            wrong={
                "sign lost": (5.0, "sign is not"),
                "blank score forgotten": (-6.0, "forgot the blank score"),
                "equal shares": (0.875, "shares equally"),
                "all four": (3.5, "all four"),
            },
        ),
        Exercise(
            name="mystery",
            check=check_mystery,
            expects='a letter, "A", "B" or "C"',
            hints=(
                "Looks do not decide. What happens to the readings when the named pixels are hidden?",
                "Call `broken(torch_scores, maps[letter])` for each letter. The truest map breaks the most.",
                'Take the letter that breaks the most:\n```\nreal = max("ABC", key=lambda letter: '
                "broken(torch_scores, maps[letter]))\n```",
            ),
            reference="B",
            wrong={
                "the prettiest": ("A", "the picture itself"),
                "on the ink": ("C", "learned shuffled answers"),
                "a number": (1, "in quotation marks"),
                "another letter": ("D", "is wanted"),
            },
        ),
    ),
    predictions=(
        Prediction(
            "accuracy",
            "The network has a few thousand weights to set, and a few seconds to do it. "
            "Of 100 digits that it has never seen, how many will it read right?",
            low=0,
            high=100,
            step=1,
            unit="of 100",
        ),
        Prediction(
            "quarter", "Which quarter of the nine earns the most credit for “nine”?", choices=QUARTERS
        ),
        Prediction(
            "broken",
            "We hide 8 of the 64 pixels: those that the network's own map puts first. Of 100 right readings, "
            "how many break?",
            low=0,
            high=100,
            step=1,
            unit="of 100",
        ),
    ),
    orders=(
        Ordering(
            "training_step",
            "One training step in Torch. The slopes of the step before are still there. "
            "Put the lines in order, and leave out the one that does not belong.",
            lines=(
                "optimizer.zero_grad()",
                "scores = net(pictures)",
                "loss = wrongness(scores, answers)",
                "loss.backward()",
                "optimizer.step()",
            ),
            after={2: (1,), 3: (0, 2), 4: (3,)},
            distractors={
                "answers = scores.argmax(1)": "the network would mark its own work. "
                "The answers come with the data."
            },
            because={
                (1, 2): "it needs the scores: without them nothing can be called wrong.",
                (0, 3): "because `backward` adds to the slopes that are there.",
                (2, 3): "it asks how the loss changes, so the loss must be known.",
                (3, 4): "it moves along the slopes, which `backward` finds.",
            },
        ),
    ),
    quiz=(
        Question(
            "scores",
            "What does the network give out for one picture?",
            choices={
                "Ten scores, one a digit; the highest is its reading.": "Yes. It names one even for a face.",
                "The digit it sees, or nothing if there is none.": "No. It has no word for “none”: "
                "some score is always the highest.",
                "A picture of the digit it thinks of.": "No. It gives ten numbers.",
            },
            answer="Ten scores, one a digit; the highest is its reading.",
        ),
        Question(
            "negative",
            "A pixel has a negative value in the map of “nine”. What does it say?",
            choices={
                "This pixel is blank.": "No. Ink can speak against, too.",
                "This pixel speaks against “nine”.": "Yes. It lowered the score of “nine”.",
                "This pixel does not matter.": "No. That would be a value near zero.",
            },
            answer="This pixel speaks against “nine”.",
        ),
        Question(
            "bill",
            "What must the credits of all pixels add up to?",
            choices={
                "One.": "No. They are not shares of one; they have the unit of the score.",
                "The full score.": "Not quite. Blank paper has a score, too, and nobody earned that.",
                "The full score minus the blank score.": "Yes. What is left over is called the gap.",
            },
            answer="The full score minus the blank score.",
        ),
        Question(
            "control",
            "Why did we explain a network that learned shuffled answers?",
            choices={
                "To have a map that is wrong for sure, and see whether ours differs.": "Yes. "
                "That is a control: a test that could have gone against us.",
                "To make the real network better.": "No. It was never touched.",
                "To save time in training.": "No. It cost as much as the real one.",
            },
            answer="To have a map that is wrong for sure, and see whether ours differs.",
        ),
        Question(
            "looks",
            "A map lies neatly on the strokes of the digit. What does that prove?",
            choices={
                "That the network looks at the strokes.": "No. The plain picture lies there as well, "
                "and no network made it.",
                "Nothing yet.": "Yes. The map of the shuffled network lies on the strokes, too.",
                "That the reading is right.": "No. A wrong reading has a map as neat as a right one.",
            },
            answer="Nothing yet.",
        ),
    ),
    glossary={
        "network": "A function with many numbers inside that were set by training.",
        "weight": "One of those numbers.",
        "training": "Changing the weights step by step, so that the answers get less wrong.",
        "loss": "How wrong the answers are, as one number. Training makes it small.",
        "epoch": "One pass through all training pictures.",
        "score": "What the network gives out for each digit. The highest is its reading.",
        "accuracy": "The share of pictures that are read right; on pictures never seen in training.",
        "saliency": "For each pixel: how strongly the score reacts when the pixel changes a little.",
        "integrated gradients": "Saliency, summed up while the digit fades in from blank paper.",
        "baseline": "What “nothing there” means. Here: blank paper.",
        "gap": "What is missing when the values are summed and compared with the change of the score.",
        "Shapley value": "How much the score rises as a part joins, as a mean over all orders: fair credit.",
        "activation": "What a layer gives on to the next one.",
        "control": "A comparison that could have shown you wrong.",
    },
    sources=(
        (
            "Alpaydin and Kaynak, 1998, Optical Recognition of Handwritten Digits (the data)",
            "https://doi.org/10.24432/C50P49",
        ),
        (
            "Simonyan, Vedaldi and Zisserman, 2013, Deep Inside Convolutional Networks (saliency)",
            "https://arxiv.org/abs/1312.6034",
        ),
        (
            "Sundararajan, Taly and Yan, 2017, Axiomatic Attribution for Deep Networks",
            "https://arxiv.org/abs/1703.01365",
        ),
        (
            "Lundberg and Lee, 2017, A Unified Approach to Interpreting Model Predictions (SHAP)",
            "https://arxiv.org/abs/1705.07874",
        ),
        (
            "Adebayo and others, 2018, Sanity Checks for Saliency Maps (why controls)",
            "https://arxiv.org/abs/1810.03292",
        ),
        (
            "Samek and others, 2015, Evaluating the Visualization of What a Deep Neural Network Has Learned "
            "(hiding what a map names)",
            "https://arxiv.org/abs/1509.06321",
        ),
    ),
)
