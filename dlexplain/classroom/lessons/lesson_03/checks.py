"""Lesson 03's checks: each names the misconception behind a wrong answer."""

from __future__ import annotations

import re

import numpy as np

from dlexplain.classroom import Check, array, call, close, right, words, wrong

STRENGTH = np.array([[1.0, 2.0], [0.5, 4.0]])
WHICH = np.array([[0, 3], [3, 1]])


def check_histogram(answer: object) -> Check:
    found = array(call(answer, STRENGTH.copy(), WHICH.copy(), 4), shape=(None,), what="the result of `histogram`")
    wanted = np.array([1.0, 4.0, 0.0, 2.5])
    where = "On a test cell (directions 0, 3, 3, 1 with strengths 1, 2, 0.5, 4; four bins)"
    if len(found) == 3:
        return wrong(f"{where} you gave three numbers. Direction 2 does not occur, but its bin stays, with a zero.")
    if len(found) != 4:
        return wrong(f"{where} {len(found)} numbers came out. One for each of the four bins is wanted.")
    if np.allclose(found, wanted):
        return right("Strong edges count more than faint ones. All else about the cell is forgotten: that is the bet.")
    if np.allclose(found, [1, 1, 0, 2]):
        return wrong(
            f"{where} you **counted pixels**. A faint pixel then weighs as much as a strong edge: add up the strengths."
        )
    if np.allclose(found, wanted / wanted.sum()):
        return wrong(f"{where} these are **shares**. The strengths themselves are wanted; scaling comes later.")
    if np.allclose(found, [1, 4, 0, 1.25]):
        return wrong(f"{where} you took the **mean** of each bin. Two edges of one direction should count as two: add.")
    return wrong(f"{where} bin 3 should hold 2 + 0.5. For each bin, add up `strength` where `which` is that bin.")


def check_twins(answer: object) -> Check:
    if not isinstance(answer, list | tuple) or len(answer) != 2:
        return wrong("Give a pair of texts: `(praises the soup, complains of the soup)`.")
    praise, complaint = (re.findall(r"[a-z]+", words(text).casefold()) for text in answer)
    if praise == complaint:
        return wrong("Both texts are **the same text**. Keep the words, and change their order.")
    if sorted(praise) != sorted(complaint):
        more = sorted(set(praise) ^ set(complaint))
        told = f"Only one of them has: {', '.join(more)}." if more else "Some word occurs more often in one of them."
        return wrong(f"Their word counts differ, so counts **can** tell them apart. {told}")
    said = [_soup(text) for text in (praise, complaint)]
    if None in said:
        return wrong("Each text needs a word right before “soup”: `lovely` in one of them, `awful` in the other.")
    if said == ["awful", "lovely"]:
        return wrong("Good texts, but the pair is **turned round**: the praise comes first.")
    if said != ["lovely", "awful"]:
        return wrong(
            "The order has changed, but **not what is said of the soup**. Exchange `lovely` and `awful`, nothing else."
        )
    return right("The same counts, and different answers. Whoever sees only counts must give both the same answer.")


def _soup(text: list[str]) -> str | None:
    places = [k for k, word in enumerate(text) if word == "soup" and k]
    before = [text[k - 1] for k in places if text[k - 1] in ("lovely", "awful")]
    return before[0] if len(before) == 1 else None


def check_lead(answer: object) -> Check:
    by_hand, network = np.array([0.90, 0.80, 0.85, 0.89]), np.array([0.93, 0.84, 0.87, 0.92])
    found = array(call(answer, by_hand.copy(), network.copy()), shape=(2,), what="the result of `lead`")
    each = network - by_hand
    mean, error = each.mean(), each.std(ddof=1) / 2
    where = "On a test of four repeats"
    if close(found[0], -mean):
        return wrong(f"{where} the sign is **turned round**: the network's share minus that by hand.")
    if not close(found[0], mean):
        return wrong(f"{where} the first number should be the mean of `network - by_hand`, a repeat each.")
    if close(found[1], error):
        return right(
            "Both learned from the same examples in each repeat. So a lucky draw helps both, and cancels in the difference."
        )
    if close(found[1], each.std(ddof=1)) or close(found[1], each.std()):
        return wrong(
            f"{where} this is the **spread of single repeats**. The mean of four is surer: divide by the root of four."
        )
    if close(found[1], each.std() / 2):
        return wrong(
            f"{where} this divides by 4 where 3 belongs: `std(ddof=1)`, for the mean came from the same numbers."
        )
    apart = [np.hypot(by_hand.std(ddof=k), network.std(ddof=k)) / 2 for k in (0, 1)]
    if any(close(found[1], value) for value in apart):
        return wrong(
            f"{where} you treated the two as **strangers**. They shared their examples: take differences first, "
            "then their spread."
        )
    return wrong(f"{where} the second number should be the spread of the differences over the root of their number.")


PROJECTS = {
    "loans": "by hand",
    "pets": "network",
    "chips": "by hand",
    "reviews": "network",
}
_WHY = {
    "loans": "A few hundred rows of named columns: the classical learner is as good, cheaper, and easier to explain.",
    "pets": "Pets stand anywhere, in any pose, and there are many photographs: nobody can write those features.",
    "chips": "Only 40 pictures, always in the same place: there a good feature by hand wins.",
    "reviews": "Much text, and the order of words decides: counts throw away just that.",
}


def check_advice(answer: object) -> Check:
    if not isinstance(answer, dict) or set(answer) != set(PROJECTS):
        return wrong(f"Give a dict with a choice for each of: {', '.join(PROJECTS)}.")
    given = {name: words(choice).casefold().strip() for name, choice in answer.items()}
    odd = [name for name, choice in given.items() if choice not in ("by hand", "network")]
    if odd:
        return wrong(f'For {odd[0]}, write "by hand" or "network".')
    if set(given.values()) == {"network"}:
        return wrong(
            "**Always a network?** Two of these have few examples or plain columns. Look at the table of winners."
        )
    if set(given.values()) == {"by hand"}:
        return wrong("**Never a network?** In two of these, nobody can say in advance which features matter.")
    missed = [name for name, choice in given.items() if choice != PROJECTS[name]]
    if missed:
        return wrong(f"Think again about **{missed[0]}**. {_WHY[missed[0]]}")
    return right("And in real life: try the classical learner first. It takes a minute, and the network must beat it.")
