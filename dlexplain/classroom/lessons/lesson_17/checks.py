"""Lesson 17's checks: each names the misconception behind a wrong answer."""

from __future__ import annotations

import numpy as np

from dlexplain.classroom import Check, array, call, close, number, option, right, wrong

BEFORE, NOW = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])
CREDIT = np.array([[0.6, -0.2, 0.0], [-0.6, -0.2, 0.0], [0.3, -0.2, 0.2], [-0.3, -0.2, 0.0]])
NOTES = {
    "a": {"parent": None, "good": True},
    "b": {"parent": "a", "good": True},
    "c": {"parent": "a", "good": False},
    "d": {"parent": "c", "good": False},
}


def check_index(answer: object) -> Check:
    value = number(call(answer, BEFORE.copy(), NOW.copy()), what="the result of `index`")
    terms = (NOW - BEFORE) * np.log(NOW / BEFORE)
    where = "On a test (0.5, 0.3, 0.2 became 0.2, 0.3, 0.5)"
    if close(value, terms.sum()):
        return right(f"{where} the PSI is {value:.2f}: a great change. Parts that stayed add nothing.")
    if close(value, 0):
        return wrong(f"{where} you gave 0. Plain differences always cancel: what one part loses, another one gains.")
    if close(value, -terms.sum()):
        return wrong(
            f"{where} your PSI is negative: one of the two is turned round. Take now − before and now / before."
        )
    if close(value, terms.sum() / np.log(2)) or close(value, terms.sum() / np.log(10)):
        return wrong(f"{where} you took a logarithm to another base. The **natural** one is meant: `np.log`.")
    if close(value, terms.mean()):
        return wrong(f"{where} you took the **mean** over the parts. The PSI is their sum.")
    if close(value, np.abs(NOW - BEFORE).sum()):
        return wrong(
            f"{where} you summed sizes of differences. The logarithm is missing: it weighs parts that nearly vanish."
        )
    if any(close(value, (a * np.log(a / b)).sum()) for a, b in ((NOW, BEFORE), (BEFORE, NOW))):
        return wrong(f"{where} you weighed the logarithm by **one** of the two. Weigh it by their difference.")
    return wrong(
        f"{where} {terms.sum():.3f} is right, and you gave {value:.3f}. Sum (now − before) × log(now / before)."
    )


def check_shares(answer: object) -> Check:
    found = array(call(answer, CREDIT.copy()), what="the result of `shares`")
    sizes = np.abs(CREDIT).mean(0)
    if found.shape != (3,):
        return wrong(
            f"On a test with four pumps and three sensors, your result has shape {found.shape}. One share a **sensor** is "
            "wanted: average over axis 0, the pumps."
        )
    if close(found, sizes / sizes.sum()):
        return right("The shares sum to 1. The first sensor leads, though its credit cancels to zero over the pumps.")
    if close(found, sizes) or close(found, np.abs(CREDIT).sum(0)):
        return wrong(
            "These are the sizes. Divide by their sum: **shares** add up to 1, in a week of many alarms as in one of few."
        )
    if close(found, 100 * sizes / sizes.sum()):
        return wrong("These are per cents. Shares add up to **1**.")
    signed = CREDIT.mean(0)
    if (
        close(found, signed)
        or close(found, signed / signed.sum())
        or close(found, np.abs(signed) / np.abs(signed).sum())
    ):
        return wrong(
            "You averaged with signs. The first sensor decides most, up for some pumps and down for others, and it gets "
            "nothing. Take sizes **before** the mean."
        )
    squares = (CREDIT**2).mean(0)
    if close(found, squares / squares.sum()):
        return wrong("You squared. Then few large credits drown all others. Take sizes: `np.abs`.")
    return wrong(
        "Take the size of each credit, the mean over the pumps (axis 0), and divide by the sum over the sensors."
    )


def check_usable(answer: object) -> Check:
    found = array(call(answer, 30, 20, 4), what="the result of `usable`")
    weeks = sorted(int(week) for week in found.ravel())
    where = "On a test (now 30, changed in week 20, delay 4)"
    if weeks == list(range(20, 27)):
        return right("Weeks 20 to 26: of the new world, and with known outcomes.")
    if not weeks:
        return wrong(f"{where} you found no week at all. Weeks 20 to 26 qualify.")
    if max(weeks) > 26:
        return wrong(
            f"{where} you use week {max(weeks)}. Its outcomes come in week {max(weeks) + 4}: you would learn from the "
            "**future**. In a test on old data that works, and in production it does not."
        )
    if min(weeks) < 20:
        return wrong(f"{where} you use week {min(weeks)}, from **before** the change. It teaches the old world.")
    if weeks == list(range(20, 26)):
        return wrong(
            f"{where} you leave out week 26. Its outcomes came in week 30: they are there. `range` stops one early."
        )
    return wrong(f"{where} weeks 20 to 26 qualify, and you gave {weeks}.")


def check_roll_back(answer: object) -> Check:
    notes = {version: dict(note) for version, note in NOTES.items()}
    found = option(call(answer, "d", notes), list(NOTES), what="the result of `roll_back`")
    if found == "d":
        return wrong("You stay at version `d`, which is the bad one.")
    if found == "c":
        return wrong("You went to the parent of `d`. But `c` is **bad, too**: go on until you meet a good one.")
    if found == "b":
        return wrong("`b` is the newest good version, but it is no **ancestor** of `d`: its parents are `c` and `a`.")
    other = option(
        call(answer, "b", {k: dict(v) for k, v in NOTES.items()}), list(NOTES), what="the result of `roll_back`"
    )
    if other != "a":
        return wrong(
            "From `d` you come to `a`, as you should. But from `b` you must leave, too: a roll-back goes to an ancestor."
        )
    notes = {
        "e": {"parent": None, "good": True},
        "f": {"parent": "e", "good": True},
        "g": {"parent": "f", "good": False},
    }
    if option(call(answer, "g", notes), list(notes), what="the result of `roll_back`") != "f":
        return wrong(
            "You went back to the **first** version of all. The nearest good ancestor knows more of today's world."
        )
    return right("From `d` past the bad `c` to `a`. The notes alone were enough: that is what a register is for.")
