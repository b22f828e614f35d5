"""Lesson 04's checks: each names the misconception behind a wrong answer."""

from __future__ import annotations

import numpy as np

from dlexplain.classroom import Check, array, call, close, number, option, right, wrong

AMOUNT = 0.01


def check_slope(answer: object, *, before: float, after: float) -> Check:
    value, rise = number(answer), float(after) - float(before)
    if close(value, rise / AMOUNT, relative=1e-2):
        return right(
            "So much would the score move for one whole unit of brightness, at the steepness it has here."
        )
    if close(value, rise, relative=1e-2):
        return wrong("This is how far the score moved. A slope is per unit of brightness: divide by 0.01.")
    if close(value, -rise / AMOUNT, relative=1e-2):
        return wrong(
            "The size is right and the sign is turned round. Take the score after, minus the score before."
        )
    if close(value, rise * AMOUNT, relative=1e-2):
        return wrong("You multiplied by 0.01. A slope divides: how far up, for each step to the side.")
    if close(value, AMOUNT / rise if rise else 0.0, relative=1e-2):
        return wrong("This is upside down. Divide the change of the score by the change of the pixel.")
    return wrong("Change of the score, divided by change of the pixel. The pixel changed by 0.01.")


def check_path_sum(answer: object) -> Check:
    picture, start = np.array([3.0, 1.0]), np.array([1.0, 0.0])
    where = "On a test with the score `a² + b²`, from (1, 0) to (3, 1) in 4 steps,"

    def slopes_at(points: np.ndarray) -> np.ndarray:
        return 2 * np.asarray(points, np.float64)

    values = array(call(answer, picture, start, 4, slopes_at), shape=(2,), what="the result of `path_sum`")
    slopes, way = picture + start, picture - start  # midpoints give the mean slope of a parabola exactly
    if close(values, way * slopes):
        return right("The values sum to 9, which is the score's change from 1 to 10. The bill adds up.")
    if close(values, slopes):
        return wrong(
            f"{where} you gave the mean slopes. Multiply each by how far its pixel moved: `picture - start`."
        )
    if close(values, 4 * way * slopes):
        return wrong(f"{where} your values are 4 times too large: take the mean over the steps, not the sum.")
    if close(values, picture * slopes):
        return wrong(
            f"{where} you multiplied by the picture itself. The pixel walked only from `start` to `picture`."
        )
    if close(values, way * 2 * picture):
        return wrong(
            f"{where} you used the slope at the end only. Use all of `slopes`, which holds one row a step."
        )
    if close(values, way * slopes.mean()):
        return wrong(f"{where} both pixels got one common slope. Average over the steps only: `axis=0`.")
    return wrong(f"{where} (8, 1) is right. Mean of `slopes` over the steps, times `picture - start`.")


def check_by_hand(answer: object) -> Check:
    values = array(answer, shape=(2,))
    if close(values, (1.5, -0.5)):
        return right(
            "They sum to 1, and the score climbs from 0 to 1. The bill adds up, without any rounding."
        )
    if close(values, (1, -1)):
        return wrong(
            "These are the slopes at the end of the way. They hold on half of it only. And the distance?"
        )
    if close(values, (3, -1)):
        return wrong(
            "This is slope times input: it takes the end's slope for the whole way. Half of the way is flat."
        )
    if close(values, (0.5, -0.5)):
        return wrong("These are the mean slopes. Multiply each by how far its input walked: 3 and 1.")
    if close(values, (1.5, 0.5)):
        return wrong("The sizes are right. But `b` pushes the score down, so its value has a minus.")
    if close(values.sum(), 1):
        return wrong(
            "The sum is right: 1. Yet each input wants its own share: mean slope, times how far it walked."
        )
    return wrong(
        "For each input: slope on the second half, times one half, times how far it walked (3 and 1)."
    )


def check_impostor(answer: object) -> Check:
    letter = option(answer, ["A", "B", "C", "D"])
    said = {
        "A": "Compare A in both figures: other pixels, other signs. A noticed that the network is gone.",
        "B": "B keeps its outline, well seen. But its colours changed. Which kind changed nothing?",
        "D": "D is smooth, and it changed with the network. Look for what is the same in both figures.",
    }
    if letter == "C":
        return right(
            "Both figures show the same C. It is made of the picture's edges and never met a network."
        )
    return wrong(said[letter])
