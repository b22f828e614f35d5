"""Lesson 11's checks: each names the misconception behind a wrong answer."""

from __future__ import annotations

import numpy as np

from dlexplain.classroom import Check, array, call, close, number, right, wrong


def check_measures(answer: object, *, says_sick: np.ndarray, sick: np.ndarray) -> Check:
    said, truth = np.asarray(says_sick, bool), np.asarray(sick) == 1
    sensitivity, specificity = array(answer, shape=(2,))
    caught, cleared = float(said[truth].mean()), float((~said)[~truth].mean())
    if close(sensitivity, caught) and close(specificity, cleared):
        return right(f"{caught:.0%} of the sick are found, {cleared:.0%} of the healthy are left in peace.")
    if close(sensitivity, cleared) and close(specificity, caught):
        return wrong("You turned the two round. Sensitivity is about the **sick**: which share of them is found?")
    if close(sensitivity, truth[said].mean()):
        return wrong(
            "This is the share of **alarms** that are true. Sensitivity asks the other way round: of all the sick, "
            "how many got an alarm?"
        )
    if close(sensitivity, (said == truth).mean()):
        return wrong("This is the accuracy, over everybody. Look at the sick alone, then at the healthy alone.")
    if close(specificity, said[~truth].mean()):
        return wrong(
            "The first holds. The second is the share of healthy with a **false alarm**; specificity is the rest."
        )
    if close(sensitivity, 100 * caught, relative=1e-2):
        return wrong("Give shares from 0 to 1, not per cents.")
    return wrong("Choose the sick with `sick`, the healthy with `~sick`, and take the mean of what was said.")


def _planted() -> tuple[np.ndarray, np.ndarray]:
    """Four maps: two hit, one has its largest size (negative) on the truth, one has a small value there."""
    maps, truth = np.full((4, 6, 6), 0.1), np.zeros((4, 6, 6), bool)
    truth[:, 1:3, 1:3] = True
    maps[0, 1, 1], maps[1, 2, 2] = 9.0, 2.0
    maps[2, 1, 2], maps[2, 5, 5] = -3.0, 1.0
    maps[3, 2, 1], maps[3, 0, 5] = 0.5, 1.5
    return maps, truth


def check_pointing(answer: object) -> Check:
    maps, truth = _planted()
    value = number(call(answer, maps.copy(), truth.copy()), what="the result of `pointing`")
    positive = np.maximum(maps, 0)
    if close(value, 0.5):
        return right("Two of four test maps have their largest value on the lesion.")
    if close(value, 0.75):
        return wrong("One hit too many: you took sizes. The strongest value **against** “sick” is no hit.")
    if close(value, ((positive * truth).sum((1, 2)) / positive.sum((1, 2))).mean()):
        return wrong("This is the **share** of the map on the lesion. Here only the one largest value counts.")
    if close(value, 1.0):
        return wrong(
            "All four maps “hit”. Is it enough that some value on the lesion is above zero, or did one map decide "
            "for all? Find the largest value of **each** map: axis 1."
        )
    if close(value, 2.0):
        return wrong("You counted the hits. The share is the count divided by the number of maps.")
    if close(value, truth.mean()):
        return wrong("This is the size of the lesion: what a blind guess would hit. Ask where each map is largest.")
    return wrong(
        "Flatten each map, find its largest value with `.argmax(axis=1)`, and look that place up in the truth."
    )


def check_deal(answer: object, *, sick: np.ndarray, marked: np.ndarray) -> Check:
    truth, had = np.asarray(sick) == 1, np.asarray(marked, bool)
    extra = array(answer, shape=(len(truth),), what="`extra`")
    now = had | extra.astype(bool)
    of_sick, of_healthy = float(now[truth].mean()), float(now[~truth].mean())
    said = f"Now {of_sick:.0%} of the sick and {of_healthy:.0%} of the healthy bear the mark."
    if of_healthy - of_sick > 0.02:
        return wrong(f"{said} The shortcut is turned round: “no mark” now means sick.")
    if not extra.any():
        return wrong(f"{said} Nothing has changed.")
    if of_sick - of_healthy > 0.02 and (extra.astype(bool) & truth).any():
        if (extra.astype(bool) & ~truth).any():
            return wrong(f"{said} Luck for everybody leaves the shares apart. Mark **only healthy** tiles.")
        return wrong(f"{said} You marked the **sick**. They have it already; the healthy lack it.")
    if of_sick - of_healthy > 0.02:
        return wrong(f"{said} Still apart. The share of the healthy must reach that of the sick.")
    return right(f"{said} The mark tells nothing any more. A network that reads it gains nothing.")


def check_gap(answer: object, *, told: np.ndarray, found: np.ndarray, count: np.ndarray) -> Check:
    apart = np.asarray(told) - np.asarray(found)
    share = np.asarray(count) / np.sum(count)
    value, goal = number(answer), float((np.abs(apart) * share).sum())
    if close(value, goal):
        return right(f"On average a chance that it tells is {100 * goal:.1f} points away from the truth.")
    if close(value, float((apart * share).sum())) or close(value, abs(float((apart * share).sum()))):
        return wrong("Too high here and too low there must not cancel: take the **sizes** first, `np.abs`.")
    if close(value, float(np.abs(apart).mean())):
        return wrong(
            "Every group counted the same. A group of ten patients must not weigh as much as one of a thousand."
        )
    if close(value, float(np.abs(apart).max())):
        return wrong("This is the worst group. Asked is the mean over all patients.")
    if close(value, float((np.abs(apart) * count).sum())):
        return wrong("Divide by the number of all patients.")
    return wrong("Size of (told - found) in each group, times its count; the sum, divided by all patients.")


def check_true_alarms(answer: object) -> Check:
    value = number(call(answer, 0.9, 0.8, 0.01), what="the result of `true_alarms`")
    where = "On a test (sensitivity 0.9, specificity 0.8, 1 in 100 sick)"
    goal = 0.009 / (0.009 + 0.198)
    if close(value, goal):
        return right("Of 10,000 people 90 alarms are true and 1,980 false: only 4 of 100 alarms are true.")
    if close(value, 0.9):
        return wrong(
            f"{where} you gave the sensitivity: of the sick, how many get an alarm. Asked: of the **alarms**, ..."
        )
    if close(value, 0.009):
        return wrong(f"{where} this is the share of **all people** with a true alarm. Divide by all alarms.")
    if close(value, 0.009 / (0.009 + 0.8 * 0.99)):
        return wrong(f"{where} the false alarms are wrong: the healthy that get one are `1 - specificity`.")
    if close(value, 0.9 / (0.9 + 0.2)):
        return wrong(f"{where} you counted as many sick as healthy. Weigh with `rate` and `1 - rate`.")
    if close(value, 1 - goal):
        return wrong(f"{where} this is the share of **false** alarms. Asked is the share of true ones.")
    return wrong(f"{where} true alarms: 0.9 x 0.01. False ones: (1 - 0.8) x 0.99. Which share is true?")
