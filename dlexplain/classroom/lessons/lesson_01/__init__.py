"""Lesson 01: how neurons that draw straight lines come to draw complex borders, and what that does not show."""

from __future__ import annotations

import numpy as np

from dlexplain.classroom import Exercise, Lesson, Ordering, Prediction, Question
from dlexplain.classroom.lessons.lesson_01.checks import (
    check_bends,
    check_collapse,
    check_depth,
    check_kept,
    check_neuron,
    check_strip,
)

FIRST, FIRST_BIAS = np.array([[1.0, 2.0], [0.0, -1.0]]), np.array([1.0, -2.0])
SECOND, SECOND_BIAS = np.array([[3.0], [1.0]]), np.array([0.5])

EXERCISES = (
    Exercise(
        name="neuron",
        check=check_neuron,
        expects="a number",
        hints=(
            "Three numbers are added up. Two of them are products.",
            "First product: 2 × 1. Second product: −1 × 4. Then the bias, 0.5.",
            "Weigh, add, shift:\n```\nscore_by_hand = 2 * 1 + -1 * 4 + 0.5\n```",
        ),
        given={"point": np.array([1.0, 4.0]), "weights": np.array([2.0, -1.0]), "bias": 0.5},
        reference=-1.5,
        wrong={
            "no bias": (-2.0, "left out the bias"),
            "bias taken off": (-2.5, "added, not taken off"),
            "sign dropped": (6.5, "dropped a minus sign"),
            "weights swapped": (7.5, "changed places"),
            "multiplied": (-7.5, "not multiplied"),
            "text": ("-1.5", "without quotation marks"),
        },
    ),
    Exercise(
        name="strip",
        check=check_strip,
        expects="three numbers: two weights and a bias",
        hints=(
            "At x1 = 0 both units answer 0. What must the score be there: above or below zero?",
            "The units count for orange on their sides, the bias against. At x1 = 1 the score must be 0.",
            "For example:\n```\nstrip = [1, 1, -1]\n```",
        ),
        reference=[1, 1, -1],
        wrong={
            "cancelled": ([1, -1, 0], "cancel each other"),
            "inside out": ([-1, -1, 1], "turned round"),
            "no pull": ([1, 1, 1], "one colour"),
            "one side": ([1, 0, -1], "only the right side"),
            "too wide": ([1, 1, -2], "not at"),
            "two numbers": ([1, 1], "shape"),
        },
    ),
    Exercise(
        name="enough",
        check=check_depth,
        expects="a number of layers",
        hints=(
            "Two shares are known for each depth. Which of the two tells about new points?",
            "Take the best share of new points, less 0.02. Which is the first depth that reaches it?",
            "In one line:\n```\nenough = min(depth for depth, share in new_mean.items()\n"
            "             if share >= max(new_mean.values()) - 0.02)\n```",
        ),
        given={
            "learned": {0: 0.64, 1: 0.84, 2: 0.97, 3: 0.98, 6: 0.97, 12: 0.54},
            "new": {0: 0.64, 1: 0.83, 2: 0.96, 3: 0.965, 6: 0.85, 12: 0.53},
        },
        reference=2,
        wrong={
            "the deepest": (12, "do not always help"),
            "the smallest": (0, "one straight line"),
            "the best, not the smallest": (3, "fewer layers"),
            "judged by what was learned": (6, "held back"),
            "never trained": (5, "no such network"),
        },
    ),
    Exercise(
        name="collapse",
        check=check_collapse,
        expects="three numbers: the weight of x1, the weight of x2, the bias",
        hints=(
            "Put h1 = x1 + 1 and h2 = 2·x1 − x2 − 2 into score = 3·h1 + h2 + 0.5.",
            "Before x1: 3 × 1 + 1 × 2. Before x2: 3 × 0 + 1 × (−1). Left over: 3 × 1 + 1 × (−2) + 0.5.",
            "With NumPy:\n```\nweights, bias = first @ second, first_bias @ second + second_bias\n"
            "collapsed = [*weights[:, 0], bias[0]]\n```",
        ),
        given={"first": FIRST, "first_bias": FIRST_BIAS, "second": SECOND, "second_bias": SECOND_BIAS},
        reference=[5.0, -1.0, 1.5],
        wrong={
            "first biases lost": ([5.0, -1.0, 0.5], "pass through the second"),
            "biases added": ([5.0, -1.0, -0.5], "before you add them"),
            "second layer alone": ([3.0, 1.0, 0.5], "second layer's weights alone"),
            "rows added up": ([3.0, -1.0, 0.5], "added up the first weights"),
            "turned table": ([3.0, 5.0, 1.5], "turned the table"),
        },
    ),
    Exercise(
        name="bends",
        check=check_bends,
        expects="one of the four, in quotation marks",
        hints=(
            "Three of the four leave a sum of weighted sums. Which one does not?",
            "The line was bent first in section 2. What was put on the sum there?",
            'The bend comes from there:\n```\nbends = "an activation"\n```',
        ),
        reference="an activation",
        wrong={
            "more layers": ("more layers", "depth still gives one straight line"),
            "more units": ("more units", "straight stays straight"),
            "longer training": ("longer training", "no weights at all"),
            "something else": ("more data", "is wanted"),
        },
    ),
    Exercise(
        name="kept",
        check=check_kept,
        expects="a number",
        hints=(
            "Not the points. What does a unit need to do its sum?",
            "A layer of 8 that gets 2 numbers: (2 + 1) × 8. Next: (8 + 1) × 8, twice. Last: (8 + 1) × 1.",
            "Layer by layer:\n```\nkept = (2 + 1) * 8 + (8 + 1) * 8 + (8 + 1) * 8 + (8 + 1) * 1\n```",
        ),
        given={"widths": (2, 8, 8, 8, 1), "points": 300},
        reference=177,
        wrong={
            "the points": (600, "stores no memory"),
            "points and labels": (900, "stores no memory"),
            "no biases": (152, "left out the biases"),
            "one a unit": (25, "one number a unit"),
            "some other count": (64, "layer to layer"),
        },
    ),
)

PREDICTIONS = (
    Prediction(
        "line",
        "One neuron may draw one straight line between the two moons. Training looks for the best one. Of 100 new "
        "points, how many will lie on the right side?",
        low=50,
        high=100,
        step=1,
        unit="of 100",
    ),
    Prediction(
        "deep",
        "Three layers of eight units draw the spirals well. Now twelve layers of eight, trained in the same way. Of "
        "100 new points, how many will be right? (By chance: 50.)",
        low=0,
        high=100,
        step=1,
        unit="of 100",
    ),
    Prediction(
        "linear",
        "Six layers of eight units, but no activation. What border will they draw between the moons?",
        choices=("a straight line", "a line with a few bends", "a smooth curve"),
    ),
    Prediction(
        "shuffled",
        "We shuffle the colours of 100 points, so that there is nothing to be learned. A network of three layers of 32 "
        "units trains on them. Of these 100 points, how many will it get right?",
        low=0,
        high=100,
        step=1,
        unit="of 100",
    ),
)

STEP = Ordering(
    "step",
    "One step of training in Torch. Put the lines in order. Two do not belong.",
    lines=(
        "optimizer.zero_grad()",
        "scores = net(points)",
        "loss = wrongness(scores, labels)",
        "loss.backward()",
        "optimizer.step()",
    ),
    after={1: (), 2: (1,), 3: (0, 2), 4: (3,)},  # the old slopes may be cleared at any time before the new ones
    distractors={
        "net = torch_network()": "a new network at every step would forget all that was learned.",
        "labels = net(points) > 0": "the network's own answers would become the truth; nothing would be left to learn.",
    },
    because={
        (1, 2): "the loss compares scores with labels, and the network makes the scores.",
        (0, 3): "`backward` adds to the slopes that are there; the old ones must be gone.",
        (2, 3): "the slopes are slopes of the loss.",
        (3, 4): "the step goes down the slopes, and `backward` finds them.",
    },
)

QUIZ = (
    Question(
        "alone",
        "What can one neuron draw in the plane?",
        choices={
            "One straight line.": "Yes: the places where its weighted sum is zero.",
            "A curve, if it is trained for long.": "No. Training only turns and shifts its line.",
            "A small patch, where it stores a point.": "No. A neuron stores no points, only weights and a bias.",
        },
        answer="One straight line.",
    ),
    Question(
        "linear",
        "A network of 50 layers has no activation. What can it draw?",
        choices={
            "Fifty bends.": "No. Without activation, no layer bends.",
            "One straight line.": "Yes. It could be written as one neuron.",
            "Nothing: it cannot be trained.": "No. It can be trained, to the best straight line.",
        },
        answer="One straight line.",
    ),
    Question(
        "wild",
        "A network draws a very winding border, and every point it learned is right. What do you know?",
        choices={
            "It has understood the data.": "No. Networks get shuffled labels right, too.",
            "Nothing yet about new points.": "Yes. Only points that were held back can tell.",
            "It has too many layers.": "No. A true border may wind, as that of the spirals does.",
        },
        answer="Nothing yet about new points.",
    ),
    Question(
        "baseline",
        "An explanation gives both inputs the credit 0 at one point. What may be the reason?",
        choices={
            "The point is the baseline itself.": "Yes. Credit is shared out of the change from there, and there is none.",
            "The network is unsure there.": "No. It may be very sure. Ask the score.",
            "Neither input matters to this network.": "No. Next to it, the credits may be large.",
        },
        answer="The point is the baseline itself.",
    ),
)

LESSON = Lesson(
    number=1,
    title="Neurons and layers",
    question="How do simple units draw complex borders?",
    goals=(
        "work out by hand what one neuron answers, and what its border is",
        "bend a border with ReLU, and say why nothing bends without an activation",
        "train networks of growing depth in Keras and in Torch, and tell when depth stops helping",
        "watch each layer fold the plane, and see which input decided where",
    ),
    minutes=(50, 1),
    know_first=("lesson 00: how a small network is trained",),
    exercises=EXERCISES,
    predictions=PREDICTIONS,
    orders=(STEP,),
    quiz=QUIZ,
    recall=((0, "control"), (0, "looks")),
    glossary={
        "neuron": "Weighs its inputs, adds them up, adds a bias. Also called a unit.",
        "weight": "The number by which an input is multiplied.",
        "bias": "The number that is added to the weighted sum: it shifts the border.",
        "score": "What the last neuron answers. Here: above zero means orange.",
        "border": "The places where the score is zero.",
        "activation": "A bend put on a neuron's sum, such as ReLU or tanh; also the number that comes out of it.",
        "ReLU": "Sets negative sums to zero, and leaves the others.",
        "tanh": "Bends smoothly: large sums become nearly 1, very negative ones nearly −1.",
        "hidden layer": "Units side by side, between the inputs and the score.",
        "depth": "The number of hidden layers.",
        "held back": "Points that training never sees. Only they tell how good a border is.",
        "baseline": "The point that credit is counted from.",
        "control": "A comparison that could have shown you wrong: here no activation, shuffled labels, a known truth.",
    },
    sources=(
        ("Rosenblatt, 1958, The Perceptron (the neuron)", "https://doi.org/10.1037/h0042519"),
        ("Minsky and Papert, 1969, Perceptrons (what one layer cannot draw)", "MIT Press"),
        (
            "Cybenko, 1989, Approximation by Superpositions of a Sigmoidal Function (one layer, if wide enough)",
            "https://doi.org/10.1007/BF02551274",
        ),
        (
            "Montúfar, Pascanu, Cho and Bengio, 2014, On the Number of Linear Regions of Deep Networks (folding)",
            "https://arxiv.org/abs/1402.1869",
        ),
        (
            "Olah, 2014, Neural Networks, Manifolds, and Topology (what layers do to the plane)",
            "https://colah.github.io/posts/2014-03-NN-Manifolds-Topology/",
        ),
        (
            "Glorot and Bengio, 2010, Understanding the Difficulty of Training Deep Feedforward Neural Networks",
            "https://proceedings.mlr.press/v9/glorot10a.html",
        ),
        (
            "Zhang and others, 2017, Understanding Deep Learning Requires Rethinking Generalization (shuffled labels)",
            "https://arxiv.org/abs/1611.03530",
        ),
        (
            "Sundararajan, Taly and Yan, 2017, Axiomatic Attribution for Deep Networks (integrated gradients)",
            "https://arxiv.org/abs/1703.01365",
        ),
        (
            "Smilkov and others, 2017, Direct-Manipulation Visualization of Deep Networks (TensorFlow Playground)",
            "https://arxiv.org/abs/1708.03788",
        ),
        ("Kokhlikyan and others, 2020, Captum", "https://arxiv.org/abs/2009.07896"),
    ),
)
