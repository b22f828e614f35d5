"""Lesson 10's checks: each names the misconception behind a wrong answer."""

from __future__ import annotations

import numpy as np

from dlexplain.classroom import Check, array, call, close, number, right, wrong


def check_count_lines(answer: object) -> Check:
    first = np.array([0, 0, 1, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0], bool)
    upper = np.array([1, 1, 0, 0, 1, 0, 1, 1, 1], bool)
    said = [number(call(answer, rows.copy()), what="the result of `count_lines`") for rows in (first, upper)]
    if said == [3, 3]:
        return right("Three and three. A line begins where a busy row follows an empty one, or at the top of the page.")
    if said == [9, 6]:
        return wrong("You counted busy **rows**. A line of print is several rows high: count where one begins.")
    if said[0] == 6:
        return wrong("You counted **every change**. Each line has two: one where it begins, one where it ends.")
    if said == [3, 2]:
        return wrong("The first test holds. In the second, a line begins in the very **first row**: nothing before it.")
    if said[0] == 4:
        return wrong("You counted the **gaps** between lines, margins included. Count where busy rows begin.")
    return wrong(
        f"On two tests with three lines each you found {said[0]:g} and {said[1]:g}. Count where busy rows begin."
    )


def check_collapse(answer: object) -> Check:
    tests = {"··TT·oo·t·a·lll·": "Total", "1·0·0": "100", "11··00·0": "100"}
    said = {steps: call(answer, list(steps)) for steps in tests}
    for steps, text in said.items():
        if not isinstance(text, str):
            return wrong(f"For `{steps}` you gave no text but {type(text).__name__}. Join the signs: `''.join(...)`.")
    if said == tests:
        return right("Merge first, then drop the dots. The dot is what keeps the two zeros of 100 apart.")
    bare = {steps: steps.replace("·", "") for steps in tests}
    if said == bare:
        return wrong("You dropped the dots, but every sign still stands once a step. **Merge** repeats, too.")
    if said["1·0·0"] == "10":
        return wrong(
            "From `1·0·0` you made `10`. You dropped the dots **before** merging (or each sign stands only once). "
            "Then the two zeros run together, and the bill is ten times too small."
        )
    if any("·" in text for text in said.values()):
        return wrong("Repeats are merged, but the **dots** are still there. They mean “nothing new here”: drop them.")
    steps = next(steps for steps in tests if said[steps] != tests[steps])
    return wrong(f"For `{steps}` you gave `{said[steps][:40]}`; wanted is `{tests[steps]}`.")


def check_adds_up(answer: object) -> Check:
    cases = {
        ((12.50, 8.90, 23.00), 44.40): True,
        ((0.10, 0.20), 0.30): True,
        ((0.57, 0.29), 0.86): True,
        ((10.00, 20.00), 30.01): False,
        ((0.10, 0.20), 0.31): False,
        ((10.00, 20.00), 39.00): False,
        ((5.00, 5.00), 4.00): False,
    }
    said = {}
    for (items, total), truth in cases.items():
        given = call(answer, list(items), total)
        if not isinstance(given, bool | np.bool_):
            return wrong("Say yes or no: the result of `adds_up` must be `True` or `False`.")
        said[items, total] = bool(given)
        if said[items, total] == truth:
            continue
        if total == 0.30:
            return wrong(
                "For 0.10 + 0.20 = 0.30 you said no. A computer's fractions are rounded: 0.1 + 0.2 is "
                "0.30000000000000004. Compare **whole cents**."
            )
        if total == 0.86:
            return wrong(
                "For 0.57 + 0.29 = 0.86 you said no. Whole cents are a good idea, but 100 × 0.29 is 28.999999999999996, "
                "and `int` **cuts off**. Use `round`."
            )
        if total == 0.31:
            return wrong(
                "0.10 + 0.20 = 0.31 passed. A cent comes out as 0.0099999 here: a little **too generous**. Compare whole "
                "cents, or allow half a cent."
            )
        if total == 4.00:
            return wrong("5 + 5 = 4 passed. Look at the **size** of the difference: a total too small is wrong, too.")
        if total == 30.01:
            return wrong("10 + 20 = 30.01 passed. You are **too generous**: one cent is a misread digit as well.")
        return wrong(f"For items {items} and total {total} you said {bool(given)}.")
    return right("To the cent. One misread digit anywhere in the column breaks the sum.")


def check_routed(answer: object, *, chances: np.ndarray, correct: np.ndarray) -> Check:
    to_person = np.asarray(chances) < 0.9
    kept_wrong = ~to_person & ~np.asarray(correct, bool)
    share, left = array(answer, shape=(2,))
    true_share, true_left = float(to_person.mean()), float(kept_wrong.sum() / max((~to_person).sum(), 1))
    if close(share, true_share) and close(left, true_left):
        return right(f"{true_share:.0%} go to a person. Of those that the machine keeps, {true_left:.1%} are wrong.")
    if close(share, 1 - true_share):
        return wrong("The first number is the share that the machine **keeps**. Doubtful is what lies **below** 0.9.")
    if close(share, true_share) and close(left, float(kept_wrong.mean())):
        return wrong(
            "The share goes well. But you divided the errors by **all** fields: divide by those that are kept."
        )
    if close(share, true_share) and close(left, float((~np.asarray(correct, bool)).mean())):
        return wrong("The second number counts the errors among **all** fields. A person mends those that are routed.")
    if close(share, true_share) and close(left, 1 - true_left):
        return wrong("The second number is the share **right** among those that are kept. Asked is the share wrong.")
    if close(share, 100 * true_share):
        return wrong("Give shares from 0 to 1, not per cents.")
    return wrong("First `(chances < 0.9).mean()`; then, among `chances >= 0.9` only, the share not `correct`.")
