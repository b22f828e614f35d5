"""Lesson 09's checks: each names the misconception behind a wrong answer."""

from __future__ import annotations

import numpy as np

from dlexplain.classroom import Check, array, call, close, option, right, wrong

_PERSON = np.array([1.0, -2.0])
_FILMS = np.array([[2.0, 1.0], [-1.0, 0.5], [0.5, -1.0]])
_FAME = np.array([0.5, 2.0, -1.0])


def check_score(answer: object) -> Check:
    given = array(call(answer, _PERSON.copy(), _FILMS.copy(), _FAME.copy()), what="the result of your function")
    products = _FILMS @ _PERSON
    if close(given, products + _FAME):
        return right("The person's numbers times the film's, summed, and the fame on top. That is the whole network.")
    if close(given, products):
        return wrong("The products are right. But you left the **fame** out: each film has one number on top.")
    if given.shape == _FILMS.shape:
        return wrong("You multiplied number by number, but did not **sum up**: one score for each film is wanted.")
    if close(given, _FILMS.sum(1) + _FAME) or close(given, _FAME):
        return wrong("Your scores do not depend on the **person**. Everybody would get the same films.")
    norms = np.linalg.norm(_FILMS, axis=1) * np.linalg.norm(_PERSON)
    if close(given, products / norms + _FAME) or close(given, products / norms):
        return wrong("You divided by the **lengths**. That is the angle alone; our score does not divide.")
    if given.size == 1:
        return wrong("You gave one number. A score for **each film** is wanted.")
    return wrong("Multiply each film's numbers by the person's, sum along the row, and add the film's fame.")


def check_because(answer: object) -> Check:
    genres = ("space", "crime", "horror")
    credit = np.array([0.3, 0.3, 0.3, 0.9, -0.1, 0.1, 0.1, 0.1, 0.1])
    genre = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2])
    found = option(call(answer, credit.copy(), genre.copy(), genres), genres, what="the result of your function")
    where = "On a test, with credits of three times 0.3 for space, 0.9 and −0.1 for crime, four times 0.1 for horror,"
    if found == "space":
        return right(
            "Space gets 0.9 in all, crime 0.8. The single largest credit is a crime film's, but another one takes from it."
        )
    if found == "crime":
        return wrong(
            f"{where} you chose crime. It has the **single largest** credit, the largest **mean**, and the largest sum "
            "without signs. Sum each genre's credits, with their signs."
        )
    return wrong(f"{where} you chose horror: the most films. **Counting** films is not credit. Sum the credits.")


def check_click(answer: object) -> Check:
    chances, rate = np.array([0.2, 0.5, 0.3]), 0.5
    given = array(
        call(answer, _PERSON.copy(), _FILMS.copy(), chances.copy(), 2, rate), what="the result of your function"
    )
    expected = chances @ _FILMS
    step = _FILMS[2] - expected
    if close(given, _PERSON + rate * step):
        return right("Towards the film clicked, away from what was expected. A click that surprises, moves most.")
    if close(given, _PERSON - rate * step):
        return wrong("The sign is turned round: this person moves **away** from the film that they clicked.")
    if close(given, _PERSON + rate * _FILMS[2]):
        return wrong(
            "Towards the film: yes. But the film **expected** is not taken away; the numbers would grow for ever."
        )
    if close(given, _PERSON + step):
        return wrong("The direction is right. Multiply the step by `rate`.")
    if close(given, rate * step):
        return wrong("This is the step alone. **Add** it to the person.")
    if close(given, _PERSON + rate * (_FILMS[2] - _FILMS.mean(0))):
        return wrong("You took the plain mean of all films. Weigh each film by its **chance**: `chances @ films`.")
    if given.shape == _FILMS.shape:
        return wrong("You moved the **films**. One click moves the person only; the films are everybody's.")
    return wrong("The expected film is `chances @ films`. Then: person plus rate times (film clicked minus expected).")


def check_fair(answer: object) -> Check:
    scores, views = np.array([[3.0, 2.0, 1.0], [0.5, 2.5, 1.0]]), np.array([99, 9, 0])
    given = array(call(answer, scores.copy(), views.copy()), what="the result of your function")
    if close(given, scores - np.log(views + 1)):
        return right("Watching is liking times fame. The fame is gone; the liking is left.")
    if close(given, scores + np.log(views + 1)):
        return wrong("You added the fame once more. **Subtract** it.")
    if close(given, scores - views) or close(given, scores - (views + 1)):
        return wrong(
            "You subtracted the views themselves. A score is a **logarithm**: subtract the logarithm of the views."
        )
    if close(given, scores / (views + 1)) or close(given, scores / np.log(views + 2)):
        return wrong(
            "You divided. For chances that would be right. Scores are logarithms: there, dividing is **subtracting**."
        )
    if close(given, scores - np.log(views + 1).mean()):
        return wrong("You took the same number from all films. That changes no order.")
    return wrong("Subtract `np.log(views + 1)` from the scores.")
