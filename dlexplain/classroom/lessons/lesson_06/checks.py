"""The checks of lesson 06's exercises."""

from __future__ import annotations

import numpy as np

from dlexplain.classroom import Check, array, call, close, number, option, right, wrong

EVIDENCE = {
    "A": "our reader finds the mark in the layer, 100 of 100 times",
    "B": "our reader does far better than on shuffled labels",
    "C": "put the mark on the same picture, and the answer changes",
    "D": "the mark is easier to read than in an untrained network",
}
CKA_SAYS = {
    "A": "the two layers have the same weights",
    "B": "unit 5 of the one does what unit 5 of the other does",
    "C": "the two networks give the same answers",
    "D": "both layers arrange the pictures alike, up to turning and scaling",
}


def check_silent(answer: object, *, outputs: np.ndarray, labels: np.ndarray) -> Check:
    given = _units(answer, np.shape(outputs)[1])
    if given.ndim != 1:
        return wrong("This is one number. What is wanted is the number of a unit, of each that is dead: a list.")
    found = set(given.astype(int).tolist())
    largest = np.asarray(outputs).max(axis=0)
    dead = set(np.flatnonzero(largest == 0).tolist())
    if found == dead and len(given) == len(dead):
        return right("What is always zero adds nothing. Is a dead unit always a fault, then? See below.")
    if found == set(np.flatnonzero(np.asarray(outputs)[0] == 0).tolist()):
        return wrong("These are silent for the first picture. Others may wake them: look at all pictures.")
    if found == set(np.flatnonzero((np.asarray(outputs) == 0).any(axis=0)).tolist()):
        return wrong("These are zero for some picture. That is what ReLU is for. Dead means: for **every** picture.")
    if found == set(range(len(largest))) - dead:
        return wrong("These are the living units. The dead ones are the others.")
    if dead < found:
        return wrong("Some of these answer now and then. A unit that is quiet is not dead.")
    return wrong("Take each unit's largest output over all pictures. Where it is zero, the unit is dead.")


def _units(answer: object, count: int) -> np.ndarray:
    """The numbers of units, however NumPy handed them out: by `where`, `argwhere`, or as true and false for each."""
    if isinstance(answer, (set, frozenset)):
        answer = sorted(answer)
    if isinstance(answer, tuple) and len(answer) == 1:  # what `np.where` gives back
        answer = answer[0]
    given = array(answer, what="your list")
    if given.shape == (count,) and np.asarray(answer).dtype == bool:
        return np.flatnonzero(given)
    return given[:, 0] if given.ndim == 2 and given.shape[1] == 1 else given


def check_used(answer: object) -> Check:
    chosen = option(answer, EVIDENCE)
    if chosen == "C":
        return right("You changed one thing and nothing else, and asked the network itself.")
    if chosen == "A":
        return wrong(
            "You take it that a probe that succeeds proves that the network uses it. The honest network's layer is read "
            "just as well, and its answers do not care. The reader is ours."
        )
    if chosen == "B":
        return wrong("That shows that the reader did not learn by heart: the mark is **there**. There is not used.")
    return wrong("That shows that training made it easier to read. Many things get easier to read along the way.")


def check_by_hand(answer: object) -> Check:
    rng = np.random.default_rng(6)
    x = rng.normal(size=(30, 4)) + 2.0
    y = x[:, :3] @ rng.normal(size=(3, 5)) + rng.normal(size=(30, 5)) + 1.0
    value = number(call(answer, x.copy(), y.copy()), what="the result of your function")
    a, b = x - x.mean(0), y - y.mean(0)
    truth, raw = _ratio(a, b), ((b.T @ a) ** 2).sum()
    if close(value, truth):
        return right("Turn all units of a layer round, or shuffle them: this number stays.")
    if close(value, _ratio(x, y)):
        return wrong("You did not centre the columns. What all pictures share would count as likeness.")
    if close(value, np.sqrt(truth)):
        return wrong("There is a root too many above the line: the products are squared and added up, no more.")
    if close(value, raw):
        return wrong("Not divided: a layer compared with itself must give 1.")
    pairs = [np.corrcoef(x[:, k], y[:, k])[0, 1] for k in range(4)]
    if close(value, np.mean(pairs)):
        return wrong("You compare unit with unit. Unit 5 of another network is another unit. Compare all with all.")
    return wrong("Centre both. Above the line: the sum of the squares of `y.T @ x`. Below: the two own sizes.")


def _ratio(x: np.ndarray, y: np.ndarray) -> float:
    return float(((y.T @ x) ** 2).sum() / np.sqrt(((x.T @ x) ** 2).sum() * ((y.T @ y) ** 2).sum()))


def check_cka_one(answer: object) -> Check:
    chosen = option(answer, CKA_SAYS)
    if chosen == "D":
        return right("Which pictures lie near which: that is all it looks at.")
    if chosen == "A":
        return wrong("CKA 1 does not mean same weights: the shuffled network has others, and CKA 1.")
    if chosen == "B":
        return wrong("Units may be shuffled or even turned into mixtures of each other, and CKA stays 1.")
    return wrong("It compares two layers. What the layers behind make of them may differ.")


def check_score(answer: object, *, slopes: np.ndarray, direction: np.ndarray) -> Check:
    value = number(answer)
    along = np.asarray(slopes) @ np.asarray(direction)
    share = float((along > 0).mean())
    if close(value, share):
        return right("TCAV counts signs. How steep it goes is lost on the way; remember that.")
    if close(value, float((along > 0).sum())):
        return wrong("This is a count. A share is wanted: divide by the number of pictures.")
    if close(value, 100 * share):
        return wrong("This is in per cent. A share lies between 0 and 1.")
    if close(value, float((along < 0).mean())):
        return wrong("This is the share of pictures whose score would fall along the concept.")
    if close(value, float(along.mean())):
        return wrong("This is how steep the slopes are on average. TCAV only counts how many rise.")
    if close(value, float((np.asarray(slopes) > 0).mean())):
        return wrong("You counted the slopes of single units. First `slopes @ direction`: along the direction.")
    return wrong("One number a picture, `slopes @ direction`; then the share of those above zero.")
