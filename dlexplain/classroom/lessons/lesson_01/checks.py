"""What lesson 01 says to an answer: right, or which misconception stands behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from dlexplain.classroom import Check, array, close, number, option, right, wrong

_WITHOUT_BEND = {
    "more layers": "Without activation, depth still gives one straight line: a weighted sum of weighted sums is a "
    "weighted sum. You saw six layers of it.",
    "more units": "Each unit is a weighted sum of straight things. However many you add up, straight stays straight.",
    "longer training": "Training can turn and shift the line. No weights at all would bend it.",
}


def check_neuron(answer: object, *, point: np.ndarray, weights: np.ndarray, bias: float) -> Check:
    value = number(answer)
    point, weights = np.asarray(point, float), np.asarray(weights, float)
    products = point * weights
    if close(value, products.sum() + bias):
        return right("Below zero: this point lies on the blue side.")
    if close(value, products.sum()):
        return wrong("You left out the bias. It is added last, and shifts the line.")
    if close(value, products.sum() - bias):
        return wrong("The bias is added, not taken off.")
    if close(value, np.abs(products).sum() + bias):
        return wrong("You dropped a minus sign: the second weight counts against.")
    if close(value, point @ weights[::-1] + bias):
        return wrong("The weights have changed places. The first weight belongs to x1.")
    if close(value, products.prod() + bias) or close(value, products.prod()):
        return wrong("The two products are added up, not multiplied.")
    return wrong("Weight times number, for both numbers. Add the two, then add the bias.")


def check_strip(answer: object) -> Check:
    first, second, last = array(answer, shape=(3,), what="your three numbers")
    places = np.linspace(-3, 3, 121)
    score = first * np.maximum(places, 0) + second * np.maximum(-places, 0) + last
    orange, outside = score > 0, np.abs(places) > 1.0 + 1e-9
    sure = np.abs(np.abs(places) - 1) > 0.03
    if np.array_equal(orange[sure], outside[sure]):
        return right("Two straight pieces with a bend between them: the plane is folded along x1 = 0.")
    if np.array_equal(orange[sure], ~outside[sure]):
        return wrong("Turned round: the strip in the middle is orange now. Change all three signs.")
    if close(first, -second, absolute=1e-9) and first:
        return wrong(
            "These two cancel each other's bend: relu(x1) − relu(−x1) is plain x1, and one straight line is left."
        )
    if orange.all() or not orange.any():
        return wrong("The whole plane has one colour. The last number must pull the middle below zero.")
    if orange[places > 1.03].all() and not orange[places < 0].any():
        return wrong("Only the right side is orange. The second unit, which answers on the left, has no say yet.")
    if orange[places < -1.03].all() and not orange[places > 0].any():
        return wrong("Only the left side is orange. The first unit, which answers on the right, has no say yet.")
    return wrong("Both sides are there, but the border is not at −1 and 1. What is the score where x1 = 1?")


def check_depth(answer: object, *, learned: Mapping[int, float], new: Mapping[int, float]) -> Check:
    depth = number(answer)
    best = max(new.values())
    enough = min(d for d, share in new.items() if share >= best - 0.02)
    if depth not in new:
        return wrong(f"No such network was trained. Choose one of {', '.join(str(d) for d in new)}.")
    if depth == enough:
        return right("From here on, more layers cost more and bring nothing here.")
    if depth == max(new):
        return wrong("More layers do not always help: look at the right end of the curve. The deepest is no good.")
    if depth == 0:
        return wrong("The smallest network of all, but far from the best: it draws one straight line.")
    if new[int(depth)] >= best - 0.02:
        return wrong("It is among the best. But a network with fewer layers is within two points of it.")
    if learned[int(depth)] >= max(learned.values()) - 0.02:
        return wrong("It is good on the points it learned. Judge by the points that were held back.")
    return wrong("Find the best share first. Then the smallest number of layers that comes within 0.02 of it.")


def check_kept(answer: object, *, widths: Sequence[int], points: int) -> Check:
    value = number(answer)
    pairs = list(pairwise(widths))
    weights, biases = sum(a * b for a, b in pairs), sum(widths[1:])
    if close(value, weights + biases):
        return right("The same number before and after training, with ten points or with ten million.")
    if close(value, points) or close(value, 2 * points) or close(value, 3 * points):
        return wrong(
            "A neuron stores no memory of points. After training, the points can be thrown away: count weights."
        )
    if close(value, weights):
        return wrong("You left out the biases: one for each unit, and one for the score.")
    if close(value, biases):
        return wrong("This counts one number a unit. Each unit has a weight for every number that it gets, and a bias.")
    if close(value, weights + biases + points):
        return wrong("A neuron stores no memory of points: they are not part of the network. Leave them out.")
    return wrong("From layer to layer: (numbers that come in + 1 bias) × units. Then add up the four.")


def check_collapse(
    answer: object, *, first: np.ndarray, first_bias: np.ndarray, second: np.ndarray, second_bias: np.ndarray
) -> Check:
    w1, w2, b = array(answer, shape=(3,), what="the three numbers")
    weights = np.asarray(first) @ np.asarray(second)
    bias = float(np.ravel(np.asarray(first_bias) @ np.asarray(second) + second_bias)[0])
    wanted = np.append(np.ravel(weights), bias)
    given = np.array([w1, w2, b])
    if np.allclose(given, wanted):
        return right("Two layers, one neuron: without activation, depth is only a longer way to write a straight line.")
    if np.allclose(given[:2], wanted[:2]) and close(b, float(np.ravel(second_bias)[0])):
        return wrong("The weights are right. The first layer's biases pass through the second layer, too.")
    if np.allclose(given[:2], wanted[:2]) and close(b, float(np.sum(first_bias) + np.ravel(second_bias)[0])):
        return wrong("The weights are right. Multiply the first biases by the second weights before you add them.")
    if np.allclose(given[:2], np.ravel(second)[:2]):
        return wrong("These are the second layer's weights alone. They weigh the hidden units, not x1 and x2.")
    if np.allclose(given[:2], np.asarray(first).sum(axis=1)):
        return wrong("You added up the first weights. Multiply each by the weight of its unit in the second layer.")
    if np.allclose(given[:2], np.ravel(np.asarray(first).T @ np.asarray(second))):
        return wrong("You turned the table: a row of `first` belongs to one input, a column to one unit.")
    return wrong("Put h1 and h2 into the score, and sort: what stands before x1, what before x2, what is left?")


def check_bends(answer: object) -> Check:
    chosen = option(answer, (*_WITHOUT_BEND, "an activation"))
    if chosen in _WITHOUT_BEND:
        return wrong(_WITHOUT_BEND[chosen])
    return right("One bend in each unit is all it takes. The layers after it bend what is bent already.")
