"""Lesson 06 in a classroom."""

from __future__ import annotations

from dlexplain.classroom.teaching.guide import Guide

GUIDE = Guide(
    before="Run the notebook once on the room's computers. Bring three blank cards for everybody.",
    short=(
        (
            4,
            "Everybody draws “hole” on three cards, without talking. Meanwhile the page runs as far as the unit bench.",
        ),
        (
            13,
            "“Ask a unit”: guess, then the bench in pairs. Name a unit, switch it off: who suffers? Then the table of names.",
        ),
        (
            10,
            "The mark: the honest network and the cheat. Guess what can be read; then exercise 2 by show of hands, "
            "with reasons.",
        ),
        (8, "“Ask about an idea of your own”: the ordering in pairs; read the table of “mark” beside the truth."),
        (
            7,
            "“Whose concept is it?”: collect the cards and lay them out. How many sorts of hole? Guess, then the two teachers.",
        ),
        (3, "In five lines. The other exercises, CKA and the quiz are homework."),
    ),
    long=(
        (5, "Everybody draws “hole” on three cards, without talking. Collect the cards for later."),
        (15, "The networks; guess; the unit bench in pairs: name a unit, switch it off, then a second and a third."),
        (9, "Does the name hold? Feature pictures beside real digits; dead units; exercise 1."),
        (15, "The mark: what does the cheat live by? Guess what can be read; both controls; exercise 2, with reasons."),
        (
            14,
            "“Have two networks learned the same?”: CKA and its control; exercise 3 in pairs; guess for the shuffled "
            "units; exercise 4 by show of hands.",
        ),
        (13, "TCAV: the ordering; exercise 5 on paper; “mark” beside “nothing” and beside the truth."),
        (10, "“Significant is not important”; then the cards on the table, and the two teachers."),
        (5, "“Concepts that nobody named”: would you have found the mark without knowing of it?"),
        (4, "Quiz; in five lines. “Straight from the library” is homework."),
    ),
    misconceptions=(
        (
            "If a probe reads it from a layer, the network uses it.",
            "Show the honest network: the mark is read there as well. Put the mark in: its answers stay.",
        ),
        (
            "The eight strongest pictures say what a unit is.",
            "Let them look at all pictures that excite it half as much: other digits come in. Then switch it off.",
        ),
        (
            "CKA 1 means the same weights, or the same answers.",
            "Show the shuffled units: CKA 1, and hardly a weight in its place. The layers behind may differ, too.",
        ),
        (
            "A TCAV score of 0.95 is much, and significant means important.",
            "Show Captum's six concepts of nothing; then layer “third” of the honest ones: some are significant, and hardly an answer moves.",
        ),
    ),
    questions=(
        (
            "A probe reads the applicant's sex from a bank's network. Does the bank discriminate?",
            "Not shown yet: readable is not used. Change only that in the application, and look at the decision.",
        ),
        (
            "Why did we train a cheat that nobody would ever use?",
            "So that the truth is known. Only then can we see which tools tell “used” from “there”.",
        ),
        (
            "Two teachers tested “hole” and got opposite results. Who made the mistake?",
            "Neither. The machine knows the examples, not the word. Show the examples with every result.",
        ),
        (
            "First layers are alike even with a network that was never trained. What is CKA worth, then?",
            "It tells something where it lies above that control: further up, in this lesson.",
        ),
    ),
    outcomes={"shuffled": "1: CKA does not ask in which order the units stand."},
)
