"""Lesson 15, autonomous driving: exercises, predictions, quiz, ordering, words and sources."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlexplain.classroom import Exercise, Lesson, Ordering, Prediction, Question
from dlexplain.classroom.lessons.lesson_15.checks import check_effect, check_metres, check_share, check_way_back


def _metres(offsets: np.ndarray) -> Any:
    off = np.abs(offsets) > 3
    return off.argmax() if off.any() else len(offsets)


_BEFORE, _AFTER = np.array([1.0, -2.0, 0.5, 4.0]), np.array([2.0, -3.0, 0.0, 6.0])

EXERCISES = (
    Exercise(
        name="way_back",
        check=check_way_back,
        expects="your function `way_back`",
        hints=(
            "Left is positive. Who stands too far left must steer to the right.",
            "To the right is negative: 2 degrees a metre are **taken away** from what the bend needs.",
            "So:\n```\nreturn bend - 2 * offset\n```",
        ),
        reference=lambda bend, offset: bend - 2 * offset,
        wrong={
            "the perfect driver": (lambda bend, offset: bend, "perfect driver"),
            "into the grass": (lambda bend, offset: bend + 2 * offset, "into the grass"),
            "no bend": (lambda bend, offset: -2 * offset, "forgets the bend"),
            "size of the offset": (lambda bend, offset: bend - 2 * abs(offset), "The side counts"),
        },
    ),
    Exercise(
        name="metres",
        check=check_metres,
        expects="your function `metres`",
        hints=(
            "First: in which rows is the car off the road, on either side? Then: which is the first of them?",
            "`off = np.abs(offsets) > 3`; `off.argmax()` is the first true row. But what if there is none?",
            "So:\n```\noff = np.abs(offsets) > 3\nreturn off.argmax() if off.any() else len(offsets)\n```",
        ),
        reference=_metres,
        wrong={
            "argmax alone": (lambda o: (np.abs(o) > 3).argmax(), "never leaves"),
            "one side only": (lambda o: (o > 3).argmax() if (o > 3).any() else len(o), "on the right"),
            "rows on the road": (lambda o: (np.abs(o) <= 3).sum(), "After the crash"),
            "one too few": (lambda o: max(_metres(o) - 1, 0), "counted from 0"),
        },
    ),
    Exercise(
        name="share",
        check=check_share,
        expects="your function `share`",
        hints=(
            "A share: the part over the whole. Both of sizes, for signs would cancel.",
            "`np.abs(credit) * mask` keeps what lies under the mask; `.sum()` adds it up.",
            "Divide by the whole:\n```\nreturn (np.abs(credit) * mask).sum() / np.abs(credit).sum()\n```",
        ),
        reference=lambda credit, mask: (np.abs(credit) * mask).sum() / np.abs(credit).sum(),
        wrong={
            "with signs": (lambda c, m: (c * m).sum() / c.sum(), "summed with signs"),
            "the part alone": (lambda c, m: (np.abs(c) * m).sum(), "divided by the whole"),
            "per cents": (lambda c, m: 100 * (np.abs(c) * m).sum() / np.abs(c).sum(), "not per cents"),
            "beside the mask": (lambda c, m: (np.abs(c) * (1 - m)).sum() / np.abs(c).sum(), "beside the mask"),
            "pixels": (lambda c, m: m.mean(), "counted pixels"),
        },
    ),
    Exercise(
        name="effect",
        check=check_effect,
        expects="a number, in degrees",
        hints=(
            "How far is `after` from `before` in each picture?",
            "`after - before` has signs: left and right would cancel in the mean. `np.abs` gives sizes.",
            "So:\n```\neffect = np.abs(after - before).mean()\n```",
        ),
        given={"before": _BEFORE, "after": _AFTER},
        reference=1.125,
        wrong={
            "with signs": (0.375, "averaged with signs"),
            "the sum": (4.5, "the **sum**"),
            "afterwards": (2.75, "afterwards"),
            "the largest": (2.0, "largest"),
        },
    ),
)

PREDICTIONS = (
    Prediction(
        "distance",
        "The clone of perfect driving errs by a fraction of a degree. How far does it drive before it leaves the road?",
        low=0,
        high=240,
        step=10,
        unit="metres",
    ),
    Prediction(
        "looks",
        "Where will most of the map lie?",
        choices=("the lines, and the asphalt between them", "the trees", "the sky"),
    ),
    Prediction(
        "line",
        "We wipe the middle line off the road. What becomes of the Keras network that learned with mishaps?",
        choices=(
            "it leaves the road within 100 m",
            "it gets a little less far",
            "nothing much: it drives on",
        ),
    ),
    Prediction(
        "lamps",
        "Its error is smaller. How will the network with lamps drive?",
        choices=(
            "it drives farther than the others",
            "about as far as the others",
            "it leaves the road soon",
        ),
    ),
)

LOOP = Ordering(
    "loop",
    "How do you test a driver in a closed loop? Put the lines in order, and leave out what does not belong.",
    lines=(
        "car = start_of(road)",
        "while car.is_on(road):",
        "    picture = camera(car, road)",
        "    angle = network(picture)",
        "    car = car.moved(angle)",
        "print(car.metres)",
    ),
    distractors={
        "    angle = expert(car, road)": "then the expert drives, and the network only comments.",
        "pictures = recorded_by_the_expert": "a closed loop has no recording: each picture depends on the last answer.",
    },
    because={
        (0, 1): "there must be a car before it can be on the road.",
        (1, 2): "it looks again each time, as long as it is on the road.",
        (2, 3): "it looks before it steers.",
        (3, 4): "it moves as the network steers.",
        (4, 5): "the metres are counted at the end.",
    },
)

QUIZ = (
    Question(
        "loss",
        "Network A errs by 0.2 degrees on the expert's pictures, network B by 0.4. Which drives better?",
        choices={
            "A: its error is smaller.": "No. That test has only the pictures that the expert came to see.",
            "Unknown, until both have driven in a closed loop.": "Yes. Here the smaller error drove worse.",
            "They drive alike.": "No. Errors feed on errors, and only one of them may know the way back.",
        },
        answer="Unknown, until both have driven in a closed loop.",
    ),
    Question(
        "way_back",
        "Why did mishaps in the recording help?",
        choices={
            "They show the expert's answer off the middle.": "Yes. There the network will find itself one day.",
            "They are more pictures.": "No. Both recordings had the same number of pictures.",
            "They make the network careful.": "No. It knows no fear. It learned other answers.",
        },
        answer="They show the expert's answer off the middle.",
    ),
    Question(
        "proof",
        "A map lies on the middle line. What follows?",
        choices={
            "The network cannot drive without the line.": "No. Here it drove on: the edge lines were enough.",
            "A suspicion. Take the line away and see.": "Yes. Here the bad driver looked at the lines, too.",
            "The network understands roads.": "No. A map says where, not what is understood.",
        },
        answer="A suspicion. Take the line away and see.",
    ),
    Question(
        "lamps",
        "Why did the network with lamps fail?",
        choices={
            "The lamps dazzled the camera.": "No. It read them very well.",
            "They show what steering did, and it took them for why.": "Yes: causal confusion.",
            "It was trained too briefly.": "No. Its error was the smaller one. More training makes it copy better.",
        },
        answer="They show what steering did, and it took them for why.",
    ),
)

GLOSSARY = {
    "behaviour cloning": "Learning to act by learning an expert's answers to what the expert saw.",
    "steering angle": "How far the front wheels are turned, in degrees; here left is positive.",
    "closed loop": "What the network does decides what it sees next.",
    "mishap": "Something sets the car aside, so that the way back can be shown.",
    "offset": "Metres from the middle of the road, to the left.",
    "intervention": "One thing in the world is changed, all else stays; then one looks what follows.",
    "causal confusion": "An effect of an action is taken for its cause.",
    "DAgger": "The network drives, the expert says what he would have done, and that is learned, too.",
    "control": "A comparison that could have shown you wrong.",
}

SOURCES = (
    (
        "Pomerleau, 1989, ALVINN: an autonomous land vehicle in a neural network",
        "https://proceedings.neurips.cc/paper/1988/hash/812b4ba287f5ee0bc9d43bbf5bbe87fb-Abstract.html",
    ),
    (
        "Bojarski and others, 2016, End to end learning for self-driving cars (shifted cameras as mishaps)",
        "https://arxiv.org/abs/1604.07316",
    ),
    (
        "Bojarski and others, 2017, Explaining how a deep neural network trained with end-to-end learning steers a car",
        "https://arxiv.org/abs/1704.07911",
    ),
    (
        "Ross, Gordon, Bagnell, 2011, A reduction of imitation learning to no-regret online learning (DAgger)",
        "https://arxiv.org/abs/1011.0686",
    ),
    ("de Haan, Jayaraman, Levine, 2019, Causal confusion in imitation learning", "https://arxiv.org/abs/1905.11979"),
    (
        "Codevilla and others, 2018, On offline evaluation of vision-based driving models",
        "https://arxiv.org/abs/1809.04843",
    ),
)

LESSON = Lesson(
    number=15,
    title="Autonomous driving",
    question="What does the driver look at?",
    goals=(
        "train networks that steer by watching an expert, and let them drive in a closed loop",
        "say why a smaller error can drive worse, and what to do about it",
        "test what a map says by changing the world, and find an answer that was given away",
    ),
    minutes=(45, 1),
    know_first=("lesson 04: integrated gradients and their start", "lesson 07: controls"),
    exercises=EXERCISES,
    predictions=PREDICTIONS,
    quiz=QUIZ,
    orders=(LOOP,),
    recall=((4, "where_not_what"), (5, "cause"), (7, "blind_wins"), (8, "baseline")),
    glossary=GLOSSARY,
    sources=SOURCES,
)
