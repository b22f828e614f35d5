"""Lesson 02: what each layer of a network of digits sees, and how much of it training made."""

from __future__ import annotations

from collections.abc import Mapping

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
from dlexplain.classroom.lessons.lesson_02.bench import slid

_TOO_SMALL = {
    "strokes": "A unit of `strokes` sees 3 by 3 pixels: a piece of the loop's line, never the loop.",
    "parts": "A unit of `parts` sees 5 by 5 pixels: a corner of the loop. Seven do not fit.",
    "pool": "A place of `pool` joins 2 by 2 places of `parts`: it sees 6 by 6 pixels. Near, but not seven.",
}


def check_by_hand(answer: object, *, pixels: np.ndarray, weights: np.ndarray) -> Check:
    value = number(answer)
    products = np.asarray(pixels) * np.asarray(weights)
    if close(value, products.sum()):
        return right("Right column less left column. Ink begins here: the left edge of a stroke is near.")
    if close(value, np.abs(products).sum()):
        return wrong("You dropped the minus signs. The left column counts against.")
    if close(value, -products.sum()):
        return wrong("The size is right, the sign is not. The filter lies as it is written, not turned.")
    if close(value, np.sum(pixels)):
        return wrong("This is the sum of the pixels. Multiply each by the filter's number first.")
    if close(value, products.mean()):
        return wrong("This is the mean of the nine products. They are added up, and not divided.")
    return wrong("Multiply place by place, nine times, then add the nine products.")


def check_upper_edges(answer: object) -> Check:
    weights = array(answer, shape=(3, 3), what="your filter")
    size = np.abs(weights).sum()
    if size == 0:
        return wrong("Nine zeros find nothing: every sum is 0.")
    if abs(weights.sum()) > 1e-6 * size:
        return wrong(
            "Where all pixels are alike, your filter does not give 0: its nine numbers must add up to 0. "
            "What counts for on one side must count against on the other."
        )
    scene = np.zeros((9, 9))
    scene[3:6] = 1.0  # a level stroke: it begins at row 3 and ends at row 5
    upper, lower = slid(scene, weights)[[3, 5], 4]
    upright = slid(scene.T, weights)[4, [3, 5]]
    quiet = bool(np.abs(upright).max() <= 1e-6 * size)
    if upper > 0 > lower and quiet:
        return right("Above zero where ink begins, below zero where it ends, quiet elsewhere.")
    if upper > 0 > lower:
        return wrong("It finds upper edges, but upright ones as well. Let the numbers of a row be alike.")
    if upper < 0 < lower:
        return wrong("Upside down: it is above zero at lower edges. The bottom row must count ink.")
    if not quiet and np.abs([upper, lower]).max() <= 1e-6 * size:
        return wrong("This finds upright edges, left or right. Turn the filter by a quarter.")
    return wrong("At an upper edge there is ink below and none above: bottom row for, top row against.")


def check_which_layer(answer: object) -> Check:
    chosen = option(answer, (*_TOO_SMALL, "shapes"))
    if chosen in _TOO_SMALL:
        return wrong(_TOO_SMALL[chosen])
    return right("Only there does a unit see the whole loop. Whether one finds loops is another question.")


def check_added(answer: object, *, trained: Mapping[str, float], untrained: Mapping[str, float]) -> Check:
    value = number(answer)
    share, control, pixels = trained["shapes"], untrained["shapes"], trained["pixels"]
    points = 100 * (share - control)
    if close(value, points, absolute=1e-3):
        return right("This much is training's own. The rest was in the pixels; random filters pass it on.")
    if close(value, 100 * share, absolute=1e-3):
        return wrong("This gives training all the credit. Take off what the untrained layer gives.")
    if close(value, points / 100, absolute=1e-5):
        return wrong("This is a share. Percentage points are a hundred times as much.")
    if close(value, -points, absolute=1e-3):
        return wrong("The sign is turned round: take trained less untrained.")
    if close(value, 100 * (share - pixels), absolute=1e-3):
        return wrong(
            "This compares with the pixels. The control is the same layer without training, since the "
            "building plan alone may change the reading."
        )
    if close(value, 100 * (share - 0.1), absolute=1e-3):
        return wrong("This compares with guessing. The untrained layer does far better than guessing.")
    return wrong("Take the share of the trained layer `shapes` less that of the untrained one, times 100.")


EXERCISES = (
    Exercise(
        name="by_hand",
        check=check_by_hand,
        expects="a number",
        hints=(
            "Lay the filter on the pixels. Which column counts against, which not at all, which for?",
            "The left column is multiplied by −1, the middle one by 0, the right one by 1.",
            "Right column less left column:\n```\nby_hand = (16 + 12 + 16) - (2 + 4 + 0)\n```",
        ),
        given={
            "pixels": np.array([[2, 8, 16], [4, 8, 12], [0, 8, 16]]),
            "weights": np.array([[-1, 0, 1]] * 3),
        },
        reference=38,
        wrong={
            "minus signs dropped": (50, "dropped the minus signs"),
            "filter turned round": (-38, "sign is not"),
            "filter forgotten": (74, "sum of the pixels"),
            "mean": (38 / 9, "mean of the nine"),
            "text": ("38", "without quotation marks"),
        },
    ),
    Exercise(
        name="upper_edges",
        check=check_upper_edges,
        expects="an array of 3 by 3 numbers",
        hints=(
            "At an upper edge there is ink below and none above. Which row should count for ink?",
            "The bottom row counts for, the top row against, and all nine add up to 0.",
            "For example:\n```\nupper_edges = np.array([[-1, -1, -1], [0, 0, 0], [1, 1, 1]])\n```",
        ),
        reference=np.array([[-1, -1, -1], [0, 0, 0], [1, 1, 1]]),
        wrong={
            "upside down": (np.array([[1, 1, 1], [0, 0, 0], [-1, -1, -1]]), "upside down"),
            "left edges": (np.array([[-1, 0, 1]] * 3), "by a quarter"),
            "all ones": (np.ones((3, 3)), "add up to 0"),
            "a corner": (np.array([[-2, -1, 0], [-1, 0, 1], [0, 1, 2]]), "upright ones as well"),
            "a level line": (np.array([[-1, -1, -1], [2, 2, 2], [-1, -1, -1]]), "bottom row for"),
            "nine in a row": (np.array([-1, -1, -1, 0, 0, 0, 1, 1, 1]), "shape"),
        },
    ),
    Exercise(
        name="which_layer",
        check=check_which_layer,
        expects="the name of a layer, in quotation marks",
        hints=(
            "A unit cannot find what it cannot see. How many pixels high is what each layer sees?",
            "The pictures above: 3 by 3, 5 by 5, all. Pooling joins 2 by 2 windows of 5 by 5 into 6 by 6.",
            'Only one of them sees seven pixels and more:\n```\nloop_layer = "shapes"\n```',
        ),
        reference="shapes",
        wrong={
            "first layer": ("strokes", "3 by 3"),
            "second layer": ("parts", "5 by 5"),
            "pooling": ("pool", "6 by 6"),
            "another layer": ("digit", "is wanted"),
        },
    ),
    Exercise(
        name="added",
        check=check_added,
        expects="a number of percentage points",
        hints=(
            "Two networks have a layer `shapes`. What does the one have that the other has not?",
            "Compare the same layer, trained and never trained. Then from shares to points: times 100.",
            "Trained less untrained:\n```\n"
            "added = 100 * (trained_torch['shapes'] - untrained_torch['shapes'])\n```",
        ),
        given={
            "trained": {"pixels": 0.88, "shapes": 0.95},
            "untrained": {"pixels": 0.88, "shapes": 0.85},
        },
        reference=10.0,
        wrong={
            "all the credit": (95.0, "all the credit"),
            "a share": (0.1, "times as much"),
            "turned round": (-10.0, "turned round"),
            "compared with the pixels": (7.0, "compares with the pixels"),
            "compared with guessing": (85.0, "compares with guessing"),
        },
    ),
)

PREDICTIONS = (
    Prediction(
        "ghosts",
        "We climb from grey noise to the picture that raises a score most: ten scores, ten pictures. How "
        "many of them will resemble the mean of their own digit most? (By chance: one.)",
        low=0,
        high=10,
        step=1,
        unit="of 10",
    ),
    Prediction(
        "untrained",
        "This network never saw a digit; its filters are random. We read new digits from its layer `shapes` "
        "by the nearest mean. Of 100 digits, how many are read right? (By chance: 10.)",
        low=0,
        high=100,
        step=1,
        unit="of 100",
    ),
    Prediction(
        "switched_off",
        "One unit of 24 answers more strongly to sevens than all others. We switch it off. Of 100 sevens, "
        "how many are still read right?",
        low=0,
        high=100,
        step=1,
        unit="of 100",
    ),
)

NETWORK = Ordering(
    "network",
    "A picture goes through a small convolution network. Put the steps in order. Two do not belong.",
    lines=(
        "maps = slide_all(picture, filters)",
        "maps = np.maximum(maps, 0)",
        "maps = strongest_of_2_by_2(maps)",
        "numbers = maps.reshape(-1)",
        "scores = numbers @ weights + biases",
        "digit = scores.argmax()",
    ),
    after={1: (0,), 2: (0,), 3: (1, 2), 4: (3,), 5: (4,)},  # ReLU and max-pooling may change places
    distractors={
        "filters = np.sort(filters)": "in a filter, the place of each number counts; sorting destroys it.",
        "picture = picture.mean()": "one mean grey cannot tell a digit; the pattern would be lost at once.",
    },
    because={
        (0, 1): "it cuts off negative sums, and sliding makes the sums.",
        (0, 2): "it takes the strongest of the maps, and sliding makes the maps.",
        (1, 3): "because the row goes straight into the scores; negative sums must be gone by then.",
        (2, 3): "because a row of numbers has no 2 by 2 neighbours left.",
        (3, 4): "it multiplies a row of numbers, not maps.",
        (4, 5): "it looks for the highest score.",
    },
)

QUIZ = (
    Question(
        "receptive",
        "Why can a unit of a deeper layer find larger things?",
        choices={
            "It stands on units that see several pixels each.": "Yes. That comes from the building plan; an "
            "untrained network has it as well.",
            "Its filters are larger.": "No. All filters here are 3 by 3. What they lie on has changed.",
            "It was trained for longer.": "No. All layers are trained together.",
        },
        answer="It stands on units that see several pixels each.",
    ),
    Question(
        "untrained",
        "From a layer's maps, 88 of 100 digits can be read. What does this say of training?",
        choices={
            "That the layer has learned digits.": "No. The maps of random filters can be read, too.",
            "Nothing, until the untrained layer is read as well.": "Yes. Only the difference is its own.",
            "That training failed for 12 digits.": "No. Perhaps the reader did: a cleverer one reads more.",
        },
        answer="Nothing, until the untrained layer is read as well.",
    ),
    Question(
        "favourite",
        "The favourite picture of a unit looks like a bar. What may you say?",
        choices={
            "The unit means “bar”.": "No. Other pictures excite it, too, and blur and pull were our choice.",
            "A bar raises this unit's answer.": "Yes. That is what was climbed, and all that was.",
            "Without this unit, no bar is seen.": "No. Only switching it off would tell, and others step in.",
        },
        answer="A bar raises this unit's answer.",
    ),
    Question(
        "relu",
        "You ask for a layer's output behind its ReLU and find negative numbers. What happened?",
        choices={
            "You caught the sums before ReLU.": "Yes. ReLU was a function call, and hooks see layers only.",
            "The units are dead.": "No. Dead units give zeros.",
            "The network has not been trained.": "No. ReLU cuts off negative sums before training, too.",
        },
        answer="You caught the sums before ReLU.",
    ),
)

LESSON = Lesson(
    number=2,
    title="Layers refine patterns",
    question="What does each layer see?",
    goals=(
        "slide a filter over a picture by hand, and find the same in a network's first layer",
        "look into every layer of a Keras and of a Torch network, and see what excites its units",
        "tell what training added from what was there without it",
        "say why a unit that reacts to a stroke need not mean it",
    ),
    minutes=(45, 1),
    know_first=("lesson 00: how a small network is trained",),
    exercises=EXERCISES,
    predictions=PREDICTIONS,
    orders=(NETWORK,),
    quiz=QUIZ,
    recall=((0, "control"), (0, "looks")),
    glossary={
        "filter": "Here nine numbers, laid on nine pixels, multiplied and added up. Also called a kernel.",
        "map": "The picture of all sums that a filter makes. Also called a channel or a feature map.",
        "convolution": "Sliding a filter over a picture.",
        "unit": "One filter with its map; in the last layer, one score.",
        "ReLU": "Sets negative sums to zero, and leaves the others.",
        "pooling": "Keeps the strongest of each 2 by 2 places: the map gets half as wide and high.",
        "activation": "The number that a unit hands on.",
        "receptive field": "The pixels that a unit can see.",
        "feature visualisation": "A picture made by climbing: small changes that raise one unit's answer.",
        "read-out": "A simple reader that gets a layer's maps and must name the digit. Also called a probe.",
        "dead unit": "A unit that is zero for every picture and place.",
        "control": "A comparison that could have shown you wrong: here untrained networks, shuffled labels.",
    },
    sources=(
        ("LeCun and others, 1989, Backpropagation Applied to Handwritten Zip Code Recognition",
         "https://doi.org/10.1162/neco.1989.1.4.541"),
        ("Zeiler and Fergus, 2013, Visualizing and Understanding Convolutional Networks",
         "https://arxiv.org/abs/1311.2901"),
        ("Erhan, Bengio, Courville and Vincent, 2009, Visualizing Higher-Layer Features of a Deep Network",
         "Université de Montréal, technical report 1341"),
        ("Olah, Mordvintsev and Schubert, 2017, Feature Visualization",
         "https://doi.org/10.23915/distill.00007"),
        ("Alain and Bengio, 2016, Understanding Intermediate Layers Using Linear Classifier Probes (readers)",
         "https://arxiv.org/abs/1610.01644"),
        ("Hewitt and Liang, 2019, Designing and Interpreting Probes with Control Tasks (shuffled labels)",
         "https://arxiv.org/abs/1909.03368"),
        ("Morcos and others, 2018, On the Importance of Single Directions for Generalization (switching off)",
         "https://arxiv.org/abs/1803.06959"),
        ("Lundberg and Lee, 2017, A Unified Approach to Interpreting Model Predictions (SHAP)",
         "https://arxiv.org/abs/1705.07874"),
        ("Kokhlikyan and others, 2020, Captum", "https://arxiv.org/abs/2009.07896"),
        ("Alpaydin and Kaynak, 1998, Optical Recognition of Handwritten Digits (the data)",
         "https://doi.org/10.24432/C50P49"),
    ),
)
