"""Lesson 08's checks: each names the misconception behind a wrong answer."""

from __future__ import annotations

import numpy as np

from dlexplain.classroom import Check, array, call, close, number, option, right, wrong


def check_never(answer: object, *, breaks: np.ndarray) -> Check:
    truth = np.asarray(breaks, bool)
    rate = float(truth.mean())
    accuracy, caught = array(answer, shape=(2,))
    if close(caught, 0) and close(accuracy, 1 - rate):
        return right(f"{1 - rate:.1%} right, and not one breakdown caught. **Accuracy alone says nothing here.**")
    if close(accuracy, 1 - rate):
        return wrong(
            "The first number holds. The second asks for breakdowns that were **caught**. Who says never, "
            "catches how many? A high accuracy does not help them."
        )
    if close(accuracy, rate):
        return wrong("This is the share of breakdowns. Whoever says “never” is right in **all other** windows.")
    if close(accuracy, 100 * (1 - rate), relative=1e-2):
        return wrong("Give shares from 0 to 1, not per cents.")
    if close(caught, 1 - rate):
        return wrong("You turned the two round: accuracy first, then the share caught.")
    if close(accuracy, 0):
        return wrong(
            "“Never” is wrong only where a breakdown comes, and that is rare. So it is nearly always right."
        )
    return wrong("Accuracy: the share of windows in which “no breakdown” is true. Look at the mean of `~breaks`.")


def check_held_back(answer: object) -> Check:
    rng = np.random.default_rng(0)
    machine = np.repeat(np.arange(1, 26), rng.integers(30, 90, 25))
    given = array(call(answer, machine.copy()), what="the result of `held_back`")
    if given.shape != machine.shape:
        return wrong(
            f"One true or false is wanted for each of the {len(machine)} windows; you gave shape {given.shape}. "
            "Are these the machines? Ask for each window whether its machine is among them: `np.isin`."
        )
    held = given.astype(bool)
    if not held.any() or held.all():
        return wrong("All windows are on one side. Hold back about a fifth of the machines.")
    both = np.intersect1d(machine[held], machine[~held])
    if len(both) > 20:
        return wrong(
            f"{len(both)} of 25 machines are on **both** sides. Splitting windows at random is not fair: "
            "neighbours overlap, and the network has all but seen the test."
        )
    if len(both):
        return wrong(
            f"{len(both)} machine stands on both sides: you cut in the middle of it. Choose machines, not windows."
            if len(both) == 1
            else f"{len(both)} machines stand on both sides. Choose machines, not windows."
        )
    share = len(np.unique(machine[held])) / 25
    if not 0.1 <= share <= 0.35:
        return wrong(f"No machine is torn apart, but {share:.0%} of them are held back. A fifth was asked for.")
    return right("No machine is on both sides. Only so do you learn what a **new** machine would say.")


def check_culprit(answer: object) -> Check:
    names = ["load", "vibration", "pressure", "voltage"]
    readings = np.array([[0.5, 2.0, 1.0, 401.0], [0.6, 2.5, 1.0, 400.0], [0.5, 4.0, 1.0, 402.0]])
    credit = np.array([[0.0, 0.6, 0.1, -0.9], [0.1, 0.5, 0.1, 0.2], [0.2, 0.6, 0.9, -0.9]])
    found = option(call(answer, credit.copy(), readings.copy(), list(names)), names, what="the result of `culprit`")
    if found == "vibration":
        return right("Its credits sum to 1.7, more than those of any other sensor.")
    if found == "voltage":
        return wrong(
            "On a test, this gave `voltage`, the sensor with the **largest values** (or the largest sizes of "
            "credit). Large readings do not decide, and its credit is negative: it spoke against. Sum `credit`, "
            "with its signs, over time."
        )
    if found == "pressure":
        return wrong("This sensor has the largest **single** credit. Sum over time first: a fault is no single moment.")
    return wrong("`credit` has a row for each moment and a column for each sensor. Sum over axis 0, the moments.")


def check_cost_of(answer: object) -> Check:
    used, broke = np.array([120, 50, 150]), np.array([False, True, False])
    value = number(call(answer, used, broke, 40, 5), what="the result of `cost_of`")
    where = "On a test (120, 50 and 150 cycles; the second broke down; prices 40 and 5)"
    paid = np.array([5, 40, 5])
    if close(value, 100 * 50 / 320):
        return right("50 paid for 320 cycles of work: 15.6 for each 100. Who stops early gets less work for it.")
    if close(value, 50):
        return wrong(f"{where} you gave the sum. Acting early looks free so: put it **per 100 cycles of work**.")
    if close(value, 50 / 320):
        return wrong(f"{where} this is the cost of one cycle. For 100 cycles, multiply.")
    if close(value, (100 * paid / used).mean()):
        return wrong(
            f"{where} you took the mean of three rates. A short life then counts as much as a long one: "
            "divide the sum of the money by the sum of the work."
        )
    if close(value, 100 * 40 / 320):
        return wrong(f"{where} you paid for the breakdown only. The repairs in time cost money, too.")
    if close(value, 100 * (40 + 40 + 5) / 320):
        return wrong(f"{where} the prices are turned round: `broke` is true where the breakdown came.")
    return wrong(f"{where} 50 is paid for 320 cycles of work. How much is that for 100?")
