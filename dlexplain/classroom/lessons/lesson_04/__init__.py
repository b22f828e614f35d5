"""Lesson 04, saliency: exercises with their checks, predictions, quiz, ordering, words and sources."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlexplain.classroom import Exercise, Lesson, Ordering, Prediction, Question
from dlexplain.classroom.lessons.lesson_04.checks import (
    check_by_hand,
    check_impostor,
    check_path_sum,
    check_slope,
)


def _path_sum(picture: Any, start: Any, steps: int, slopes_at: Any, ending: Any) -> np.ndarray:
    places = (np.arange(steps) + 0.5) / steps
    points = start + np.multiply.outer(places, picture - start)
    return ending(picture, start, slopes_at(points))


def _ending(ending: Any) -> Any:
    """A learner's `path_sum` that ends in this line."""
    return lambda picture, start, steps, slopes_at: _path_sum(picture, start, steps, slopes_at, ending)


EXERCISES = (
    Exercise(
        name="slope",
        check=check_slope,
        expects="a number",
        hints=(
            "A slope says how far up for each step to the side.",
            "Up: `after - before`. To the side: the pixel got brighter by 0.01.",
            "Divide the one by the other:\n```\nslope = (after - before) / 0.01\n```",
        ),
        given={"before": 9.0, "after": 9.06},
        reference=6.0,
        wrong={
            "only the change": (0.06, "divide by 0.01"),
            "sign turned": (-6.0, "sign is turned round"),
            "multiplied": (0.0006, "You multiplied"),
            "upside down": (1 / 6, "upside down"),
            "text": ("6.0", "without quotation marks"),
        },
    ),
    Exercise(
        name="path_sum",
        check=check_path_sum,
        expects="your function `path_sum`",
        hints=(
            "Each pixel gets a slope, averaged over the way, times a distance.",
            "`slopes` has a row for each step: `slopes.mean(axis=0)` averages over the steps.",
            "The distance of each pixel is `picture - start`:"
            "\n```\nreturn (picture - start) * slopes.mean(axis=0)\n```",
        ),
        reference=_ending(lambda picture, start, slopes: (picture - start) * slopes.mean(axis=0)),
        wrong={
            "slopes only": (_ending(lambda picture, start, slopes: slopes.mean(axis=0)), "mean slopes"),
            "sum for mean": (
                _ending(lambda picture, start, slopes: (picture - start) * slopes.sum(axis=0)),
                "4 times",
            ),
            "times the picture": (
                _ending(lambda picture, start, slopes: picture * slopes.mean(axis=0)),
                "by the picture itself",
            ),
            "slope at the end": (
                lambda picture, start, steps, slopes_at: (picture - start) * slopes_at(picture),
                "slope at the end only",
            ),
            "one slope for all": (
                _ending(lambda picture, start, slopes: (picture - start) * slopes.mean()),
                "one common slope",
            ),
            "nothing returned": (lambda picture, start, steps, slopes_at: None, "gave nothing back"),
        },
    ),
    Exercise(
        name="by_hand",
        check=check_by_hand,
        expects="two numbers, `[for a, for b]`",
        hints=(
            "Value of an input: its mean slope on the way, times how far it walked.",
            "The slope of `a` is 0 on one half and 1 on the other: mean 0.5. It walked 3. Now `b`.",
            "The same for both, with its sign:\n```\nby_hand = [3 * 0.5 * 1, 1 * 0.5 * -1]\n```",
        ),
        reference=(1.5, -0.5),
        wrong={
            "slopes at the end": ((1, -1), "slopes at the end"),
            "slope times input": ((3, -1), "slope times input"),
            "mean slopes": ((0.5, -0.5), "mean slopes"),
            "sign lost": ((1.5, 0.5), "minus"),
            "equal shares": ((0.5, 0.5), "its own share"),
            "the sum": (1.0, "is wanted, but your answer has shape"),
        },
    ),
    Exercise(
        name="impostor",
        check=check_impostor,
        expects='a letter, such as "A"',
        hints=(
            "A map that shows the network must change when the network changes.",
            "Go column by column: compare the upper figure with the lower one, colours included.",
            'One column is the same to the last pixel:\n```\nimpostor = "C"\n```',
        ),
        reference="C",
        wrong={
            "saliency": ("A", "noticed"),
            "integrated gradients": ("B", "keeps its outline"),
            "SmoothGrad": ("D", "changed with the network"),
            "a number": (3, "in quotation marks"),
        },
    ),
)

PREDICTIONS = (
    Prediction(
        "empty",
        "What share of the whole map's strength will lie on empty paper, where there is no ink at all?",
        low=0,
        high=1,
        step=0.01,
    ),
    Prediction(
        "black",
        "We walk from a black picture to the three. How much of the map will go to pixels that are "
        "black in the three, too?",
        choices=("none at all", "a little", "about its share"),
    ),
    Prediction(
        "shuffled",
        "Whole, nearly all of these people are “face” to the network. Of 100 shuffled ones, how many will it "
        "still call a face?",
        low=0,
        high=100,
        step=1,
        unit="of 100",
    ),
)

STEPS = Ordering(
    "steps",
    "Integrated gradients, line by line. Put the lines in order, and leave out what does not belong.",
    lines=(
        "start = np.zeros_like(three)",
        "places = (np.arange(8) + 0.5) / 8",
        "points = [start + place * (three - start) for place in places]",
        "slopes = [slope_at(point) for point in points]",
        "mean_slope = np.mean(slopes, axis=0)",
        "values = (three - start) * mean_slope",
    ),
    after={2: (0, 1), 3: (2,), 4: (3,), 5: (4,)},
    distractors={
        "net_keras.fit(points, labels)": "nothing is trained while explaining. We only ask.",
        "values = np.abs(values)": "without signs the values no longer sum to the change of the score.",
    },
    because={
        (0, 2): "it walks away from the start.",
        (1, 2): "it needs to know where on the way to stand.",
        (2, 3): "it asks for the slope at each of those points.",
        (3, 4): "it averages those slopes.",
        (4, 5): "it multiplies the mean slope by the distance.",
    },
)

QUIZ = (
    Question(
        "blue_on_black",
        "In the saliency map of a three, a pixel of empty paper is deep blue. What does it say?",
        choices={
            "Ink there would lower the score of three.": "Yes. A little more brightness, a lower score.",
            "The network overlooked this pixel.": "No. Overlooked would be a slope of zero: no colour.",
            "There is ink of another digit.": "No. The paper is empty; the map speaks of what would happen.",
        },
        answer="Ink there would lower the score of three.",
    ),
    Question(
        "empty_map",
        "A network is 100 % sure, and the saliency map of its percentage is empty. What is going on?",
        choices={
            "No pixel mattered.": "No. It could not be sure without the pixels.",
            "The percentage is on a plateau: small changes do not move it.": "Yes. Explain the score.",
            "The network is broken.": "No. It reads well; the question was asked in a blind spot.",
        },
        answer="The percentage is on a plateau: small changes do not move it.",
    ),
    Question(
        "completeness",
        "Integrated gradients are complete. What must the values add up to?",
        choices={
            "The score of the picture.": "Only where the score of the start is zero.",
            "One hundred per cent.": "No. They have the unit of the score and may be negative.",
            "The score of the picture minus the score of the start.": "Yes. What is missing is the gap.",
        },
        answer="The score of the picture minus the score of the start.",
    ),
    Question(
        "same_map",
        "You put random weights into a network. The map of a method stays the same. What follows?",
        choices={
            "The method is robust.": "No. Robust against having no knowledge at all is no virtue.",
            "The map shows the picture, not the network.": "Yes. Mere edges would pass for it, too.",
            "The network had learned nothing before.": "No. New pictures tell that, not the map.",
        },
        answer="The map shows the picture, not the network.",
    ),
    Question(
        "where_not_what",
        "All maps of a face lie on eyes, nose and forehead. Does the network know what a face is?",
        choices={
            "Yes, it looks at the right parts.": "Ours did, and called shuffled faces faces.",
            "The map cannot tell: it says where, not what was seen there.": "Yes. Shuffle, and ask again.",
            "No, it should look at the whole picture.": "Where it looks does not decide that.",
        },
        answer="The map cannot tell: it says where, not what was seen there.",
    ),
)

GLOSSARY = {
    "score": "The plain number that a network gives to a class. The highest wins.",
    "slope": "How far the score moves for each unit of a pixel's brightness, just here. Also: derivative.",
    "saliency map": "The slope of every pixel, drawn as a picture.",
    "SmoothGrad": "The mean of many saliency maps of the picture with noise on it.",
    "plateau": "Where small changes do not move the output. Also: saturated.",
    "integrated gradients": "Slopes collected on a walk from a start to the picture, times the distance.",
    "baseline": "The start of that walk: what “nothing there” means.",
    "completeness": "The values sum to the change of the score.",
    "gap": "How far they are from doing so.",
    "occlusion": "Cover a part of the picture; note how far the score falls.",
    "Grad-CAM": "Where a convolution layer found what speaks for the class. As coarse as the layer.",
    "model-blind": "Made without asking the network. A map must be better than that to say something.",
    "control": "A comparison that could have shown you wrong.",
    "twin": "The same network, with the same weights, in the other framework.",
}

SOURCES = (
    (
        "Simonyan, Vedaldi, Zisserman, 2014, Deep Inside Convolutional Networks",
        "https://arxiv.org/abs/1312.6034",
    ),
    (
        "Smilkov and others, 2017, SmoothGrad: removing noise by adding noise",
        "https://arxiv.org/abs/1706.03825",
    ),
    (
        "Sundararajan, Taly, Yan, 2017, Axiomatic Attribution for Deep Networks",
        "https://arxiv.org/abs/1703.01365",
    ),
    (
        "Sturmfels, Lundberg, Lee, 2020, Visualizing the Impact of Feature Attribution Baselines",
        "https://distill.pub/2020/attribution-baselines/",
    ),
    ("Selvaraju and others, 2017, Grad-CAM", "https://arxiv.org/abs/1610.02391"),
    (
        "Zeiler, Fergus, 2014, Visualizing and Understanding Convolutional Networks",
        "https://arxiv.org/abs/1311.2901",
    ),
    ("Adebayo and others, 2018, Sanity Checks for Saliency Maps", "https://arxiv.org/abs/1810.03292"),
    (
        "Samek and others, 2017, Evaluating the Visualization of What a Deep Neural Network Has Learned",
        "https://arxiv.org/abs/1509.06321",
    ),
    (
        "Shrikumar, Greenside, Kundaje, 2017, Learning Important Features (DeepLIFT)",
        "https://arxiv.org/abs/1704.02685",
    ),
    ("Kokhlikyan and others, 2020, Captum", "https://arxiv.org/abs/2009.07896"),
)

LESSON = Lesson(
    number=4,
    title="Saliency",
    question="Which pixels decided?",
    goals=(
        "draw a saliency map from slopes, and say what it means",
        "walk from a baseline to a picture and check that the bill adds up",
        "choose between slopes, walks, covers and layers, and name the question that each answers",
        "catch a map that does not show the network",
    ),
    minutes=(45, 1),
    know_first=("lesson 00: training and scores", "lesson 02: convolutions help, they are not needed"),
    exercises=EXERCISES,
    predictions=PREDICTIONS,
    quiz=QUIZ,
    orders=(STEPS,),
    recall=((0, "looks"), (2, "untrained"), (2, "favourite")),
    glossary=GLOSSARY,
    sources=SOURCES,
)
