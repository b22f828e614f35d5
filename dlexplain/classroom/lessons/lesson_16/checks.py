"""Lesson 16's checks: each names the misconception behind a wrong answer."""

from __future__ import annotations

import numpy as np

from dlexplain.classroom import Check, array, call, close, number, right, wrong

PAIRS = ((6, 4), (4, 3))


def check_operations(answer: object) -> Check:
    value = number(call(answer, list(PAIRS)), what="the result of `operations`")
    where = "On layers of 6 to 4 and 4 to 3"
    if close(value, 72):
        return right("2 × (6 × 4 + 4 × 3) = 72. For dense layers, a pass costs **two operations a weight**.")
    if close(value, 36):
        return wrong(f"{where} you counted each weight once. It **multiplies and then adds**: two operations.")
    if close(value, 43):
        return wrong(f"{where} you gave the number of weights and biases. Operations were asked for.")
    if close(value, 79) or close(value, 86):
        return wrong(f"{where} you counted the biases, too. They are few: we leave them out, and say so.")
    if close(value, 2 * 36 * 12) or close(value, 2 * 24 * 12) or close(value, 24 * 12):
        return wrong(f"{where} you multiplied the layers. They run one after the other: **sum** them.")
    if close(value, 48) or close(value, 24):
        return wrong(f"{where} the second layer is missing.")
    return wrong(f"{where}, each layer multiplies and adds once for each pair of an input and an output.")


def check_electricity(answer: object) -> Check:
    value = number(call(answer, 7200.0, 500.0, 0.25), what="the result of `electricity`")
    where = "Two hours at 500 W, and 0.25 for a kWh"
    if close(value, 0.25):
        return right("2 h × 0.5 kW = 1 kWh, which costs 0.25.")
    if close(value, 250):
        return wrong(f"{where}: you priced **watt-hours**. A kilowatt-hour is 1,000 of them.")
    if close(value, 900):
        return wrong(f"{where}: you priced kilowatt-**seconds**. An hour has 3,600 seconds.")
    if close(value, 900_000):
        return wrong(f"{where}: watts × seconds are joules. A kWh has 3,600 × 1,000 of them.")
    if close(value, 1.0):
        return wrong(f"{where}: this is the energy in kWh. Now multiply by the price.")
    if close(value, 15):
        return wrong(f"{where}: you divided the seconds by 60. That gives minutes.")
    return wrong(f"{where}: first hours, then kilowatts, then their product times the price.")


def noisy_case() -> tuple[np.ndarray, np.ndarray]:
    """Confidences `(9, 3)` and labels: of class 0 the network is sure, of class 2 it never is."""
    chances = np.array(
        [
            [0.90, 0.05, 0.05],
            [0.80, 0.15, 0.05],
            [0.04, 0.06, 0.90],
            [0.10, 0.80, 0.10],
            [0.48, 0.42, 0.10],
            [0.05, 0.90, 0.05],
            [0.30, 0.25, 0.45],
            [0.46, 0.09, 0.45],
            [0.20, 0.40, 0.40],
        ]
    )
    return chances, np.array([0, 0, 0, 1, 1, 1, 2, 2, 2])


def suspects(chances: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Confident learning: `(rows,)`, true where another class than the label is reached surely enough."""
    usual = np.array([chances[labels == k, k].mean() for k in range(chances.shape[1])])
    sure = np.where(chances >= usual, chances, 0)
    return (sure.max(axis=1) > 0) & (sure.argmax(axis=1) != labels)


def check_suspects(answer: object) -> Check:
    chances, labels = noisy_case()
    given = array(call(answer, chances.copy(), labels.copy()), what="the result of `suspects`")
    if given.shape != labels.shape:
        return wrong(f"One true or false is wanted for each of the {len(labels)} rows; you gave shape {given.shape}.")
    found = given.astype(bool)

    def same(other: np.ndarray) -> bool:
        return bool((found == other).all())

    usual = np.array([chances[labels == k, k].mean() for k in range(3)])
    if same(suspects(chances, labels)):
        return right("Only what is **as sure as usual for its class**, and of another class, is suspect.")
    if same(chances.argmax(1) != labels):
        return wrong(
            "You took every row where the network disagrees. A weak network disagrees often: ask whether it is as sure "
            "as it usually is of that class."
        )
    if same(chances[np.arange(len(labels)), labels] < 0.5):
        return wrong(
            "You took every row whose label gets less than half. One limit for all classes punishes the hard ones."
        )
    if same((chances >= usual).any(1)):
        return wrong("These rows are sure, but mostly of their **own** label. Suspect means: sure of another one.")
    if same(chances[np.arange(len(labels)), labels] < usual[labels]):
        return wrong(
            "These rows are less sure of their label than usual. That is no suspicion: of what *else* is it sure?"
        )
    if same(~suspects(chances, labels)):
        return wrong("You have it the wrong way round: true marks the suspects.")
    return wrong("First set to zero what is under the usual confidence of its class. Which class is largest then?")


def check_alarms(answer: object, *, columns: int) -> Check:
    expected, limit = array(answer, shape=(2,))
    # rounded to two digits, or shared by the product of chances (Šidák), the limit is right, too
    if close(expected, 0.05 * columns) and close(limit, 0.05 / columns, relative=0.03):
        return right(
            f"{0.05 * columns:g} false alarms from chance alone. With the limit 0.05/{columns} they all but vanish."
        )
    if close(expected, 0.05):
        return wrong(f"0.05 is for **one** column. There are {columns}: the chances add up.")
    if close(expected, 5) or close(expected, columns):
        return wrong("Each column gives a false alarm in 5 of 100 cases. So expect 0.05 for each column.")
    if close(expected, 1 - 0.95**columns):
        return wrong("This is the chance of at least one false alarm. How **many** do you expect?")
    if close(limit, 0.05):
        return wrong(
            "The first number holds. But with the limit still at 0.05, it stays so. Share the 0.05 among the columns."
        )
    if close(limit, 0.05 * columns):
        return wrong(f"The first number holds. The limit must become **stricter**: divide by {columns}.")
    return wrong("The number of false alarms is columns × 0.05. The new limit is 0.05 shared among the columns.")
