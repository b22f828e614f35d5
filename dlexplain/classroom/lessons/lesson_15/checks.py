"""Lesson 15's checks: each names the misconception behind a wrong answer."""

from __future__ import annotations

import numpy as np

from dlexplain.classroom import Check, call, close, number, right, wrong


def check_way_back(answer: object) -> Check:
    """`way_back(bend, offset)`: degrees for the bend, and 2 degrees back for each metre off the middle."""
    asked = ((0.0, 1.0), (3.0, 0.0), (3.0, 1.0), (0.0, -1.5))
    found = [number(call(answer, bend, offset), what="the result of `way_back`") for bend, offset in asked]
    if all(close(value, bend - 2 * offset) for value, (bend, offset) in zip(found, asked, strict=True)):
        return right("Left of the middle, steer to the right; and never forget the bend.")
    if all(close(value, bend) for value, (bend, _) in zip(found, asked, strict=True)):
        return wrong("This is the **perfect driver**: he knows only the bend. Where is the way back to the middle?")
    if all(close(value, bend + 2 * offset) for value, (bend, offset) in zip(found, asked, strict=True)):
        return wrong("A car 1 m to the left would be steered farther left, **into the grass**. Left is positive.")
    if all(close(value, -2 * offset) for value, (_, offset) in zip(found, asked, strict=True)):
        return wrong(
            "This leads back to the middle, but it **forgets the bend**: on the middle it always goes straight."
        )
    if all(close(value, bend - 2 * abs(offset)) for value, (bend, offset) in zip(found, asked, strict=True)):
        return wrong("You took the size of the offset. **The side counts**: right of the middle, steer to the left.")
    return wrong(f"On a straight road (bend 0), 1 m to the left, −2 is wanted; you gave {found[0]:g}.")


def check_metres(answer: object) -> Check:
    """`metres(offsets)`: metres until the car is more than 3 m from the middle; all of them where it never is."""
    rides = (
        np.array([0.0, 0.5, 1.5, -3.5, -5.0, -2.0]),
        np.array([0.1, -0.2, 0.4, 0.0]),
        np.array([0.0, -1.0, 4.0]),
    )
    found = [number(call(answer, ride.copy()), what="the result of `metres`") for ride in rides]
    if found == [3, 4, 2]:
        return right("The ride ends where the car first leaves the road, on whichever side.")
    if found[1] == 0 and found[0] == 3:
        return wrong("A ride that **never leaves** the road got 0 metres. `argmax` gives 0 where nothing is true.")
    if found[0] == 6:
        return wrong(
            "The first ride leaves the road **on the right**, at −3.5. Compare the size of the offset: `np.abs`."
        )
    if found[:2] == [4, 4]:
        return wrong(
            "You counted the metres on the road. After the crash **nothing counts** any more, even if it comes back."
        )
    if found[0] == 2:
        return wrong("Nearly: the car is off at row 3, so it drove 3 metres. Rows are **counted from 0**.")
    return wrong(f"For offsets 0, 0.5, 1.5, −3.5, … the car drove 3 metres; you gave {found[0]:g}.")


def check_share(answer: object) -> Check:
    """`share(credit, mask)`: the share of the size of a map that lies under a mask."""
    credit = np.array([[0.0, -3.0, 1.0], [0.5, 2.0, -1.5]])
    mask = np.array([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    value = number(call(answer, credit.copy(), mask.copy()), what="the result of `share`")
    where = "On a test, 5 of all 8 lie under the mask"
    if close(value, 5 / 8):
        return right("5 of 8: sizes, under the mask, over all.")
    if close(value, (credit * mask).sum() / credit.sum()):
        return wrong(f"{where}. You **summed with signs**: left and right cancel there, and the share makes no sense.")
    if close(value, 5):
        return wrong(f"{where}. You gave the 5 alone; a share is **divided by the whole**.")
    if close(value, 62.5):
        return wrong(f"{where}. Give a share from 0 to 1, **not per cents**.")
    if close(value, 3 / 8):
        return wrong(f"{where}. You gave what lies **beside the mask**.")
    if close(value, 5 / 2) or close(value, mask.mean()):
        return wrong(f"{where}. You **counted pixels**. Sum the sizes: `np.abs(credit)`.")
    return wrong(f"{where}: sizes first, then those under the mask, then divide. You gave {value:g}.")


def check_effect(answer: object, *, before: np.ndarray, after: np.ndarray) -> Check:
    value = number(answer)
    change = np.asarray(after, np.float64) - np.asarray(before, np.float64)
    size = float(np.abs(change).mean())
    if close(value, size, relative=1e-2):  # rounded to two digits is right, too
        return right(f"The mean change is {size:.2f} degrees, to whichever side.")
    if close(value, abs(change.mean()), relative=1e-3) or close(value, change.mean(), relative=1e-3):
        return wrong("You averaged with signs: a pull to the left and one to the right **cancel**. Take sizes first.")
    if close(value, np.abs(change).sum(), relative=1e-3):
        return wrong("This is the **sum** over all pictures. Take the mean.")
    if close(value, np.abs(after).mean(), relative=1e-3):
        return wrong("This is the size of the steering **afterwards**. How far is it from before?")
    if close(value, np.abs(change).max(), relative=1e-3):
        return wrong("This is the **largest** change, of one picture. Take the mean of all.")
    return wrong("Take `after - before`, a number a picture; its size; the mean.")
