"""Lesson 10 in a classroom."""

from __future__ import annotations

from dlexplain.classroom.teaching.guide import Guide

GUIDE = Guide(
    before="Run the notebook once on the room's computers. Print one invoice and photocopy a copy of a copy of it.",
    short=(
        (5, "Pass the worn photocopy round. Everybody writes down the total. How sure are you of each digit?"),
        (8, "From page to lines: the room predicts the profile of a tilted page, then looks. Exercise 1."),
        (12, "Steps, blanks and the collapse: play CTC at the board with cards, `1·0·0`. Exercise 2."),
        (12, "Routing at the desk, in pairs: spoil the page until a person must look; then change one digit."),
        (5, "The real page: what was read, what was not, and why."),
        (3, "Summary; exercises 3 and 4 and the quiz are homework."),
    ),
    long=(
        (8, "The worn photocopy; how a clerk works: read, find, sort, check, ask."),
        (12, "Lines and tilt; exercise 1."),
        (20, "CTC at the board with cards, then both networks, half of the room each; exercise 2."),
        (15, "Fields and rules by hand on one printed page; exercise 3."),
        (15, "The desk in pairs; collect in a table which pages each pair would send to a person; exercise 4."),
        (12, "Credit on a letter: the untrained network's map first, without saying whose it is."),
        (8, "The real page, quiz, summary."),
    ),
    misconceptions=(
        (
            "The network sees where each letter stands because somebody marked the letters for it.",
            "Ask what it was given: a picture and a text. No position. CTC tries out all of them.",
        ),
        (
            "Confidence 99 % means that 99 of 100 such readings are right.",
            "Let them compare with the share truly right, and ask for the page's confidence after heavy blur.",
        ),
        (
            "If the sum adds up, everything was read right.",
            "Change a digit of the number or the date at the desk: no sum will notice.",
        ),
        (
            "A map that lies on the right letter proves that the network knows the letter.",
            "Show the untrained network's map: it lies there, too. The window puts it there.",
        ),
    ),
    questions=(
        (
            "The rule says that the sum is wrong. Is the reader to blame?",
            "Not surely: the sender may have miscounted, or cheated. The rule says only that a person must look.",
        ),
        (
            "Which is the better alarm, the least chance of a field or the mean? The curves hardly differ. Why?",
            "Fields are short, so one doubtful sign moves both. In a whole page of text the mean would hide it.",
        ),
        (
            "Who should choose the threshold, and from what numbers?",
            "Whoever pays: a person's minutes against the cost of a wrongly booked bill, read off the curve.",
        ),
    ),
)
