"""Lesson 05 in a classroom."""

from __future__ import annotations

from dlexplain.classroom.teaching.guide import Guide

GUIDE = Guide(
    before="Run the notebook once on the room's computers. Write the seven line-ups, and what each earns, on cards. Bring "
    "21 beans or coins: each stands for 10 €.",
    short=(
        (
            8,
            "Three people play Ana, Ben and Cleo. They come on stage in all six orders; the room notes each lift on the "
            "board. Before Ana's column is added up: guess.",
        ),
        (6, "Exercise 1 on paper, alone. Then share out the 21 beans."),
        (8, "The game board in pairs: make twins, make a passenger, make a share below zero."),
        (6, "“Four rules”: exercise 2 in pairs. Which rule would you have given up?"),
        (8, "One patient as a staircase; vote A, B, C or D in exercise 3 before anybody checks."),
        (6, "“Compared with whom?”: the background board; find a step that turns round, and patient 17."),
        (3, "Guess what two copies of texture earn; look. In five lines; the rest and the quiz are homework."),
    ),
    long=(
        (
            10,
            "Three people play the band and come on stage in all six orders, every lift on the board. Guess Ana's mean.",
        ),
        (10, "Exercise 1 on paper; share the beans; the ordering in pairs."),
        (8, "The game board in pairs: twins, passenger, below zero."),
        (8, "“Four rules”: exercise 2; the fourth rule on numbers."),
        (
            15,
            "Half of the room explains the Keras cell, half the Torch cell. What does “absent” mean? The three teams; the "
            "staircase; vote in exercise 3.",
        ),
        (6, "“When players are many”: read the curve of kernel SHAP; why did SHAP's own explainer refuse?"),
        (8, "“Many patients”: the network of shuffled answers and its perfect bill; which curve falls first?"),
        (10, "Exercise 4 on paper; the background board: each pair asks “compared with whom?” in its own words."),
        (12, "“Columns that go together”: guess for the copy, then for the radius; draw a patient that cannot exist."),
        (3, "In five lines. Noise, pictures and the quiz are homework."),
    ),
    misconceptions=(
        (
            "The fair share is what is lost without the player.",
            "That is Cleo's 90 €, when she comes last. Ask for the four orders in which she does not.",
        ),
        (
            "A small share, or a negative one, means that a column does not matter.",
            "Negative pulls down. Small may have company: show the two copies of texture, and the team “size”.",
        ),
        (
            "The values add up, so the explanation is right, and the network too.",
            "Show the network that learned shuffled answers. Its bill adds up just as well.",
        ),
        (
            "The largest share is the cause of the illness.",
            "Ask whether smoothing the cells on the slide would heal her. Credit is about the network's score.",
        ),
    ),
    questions=(
        (
            "Four rules sound fair. Would you share a family's bread by them?",
            "Perhaps not: a passenger gets nothing. Fair is a choice. For the score of a network these rules fit well.",
        ),
        (
            "The radius has a good share, and without it the network is right about as often. Has SHAP erred?",
            "No. The share says what this network did with it. Trained anew, other columns know what it knew.",
        ),
        (
            "SHAP asked about patients that cannot exist. Could we not simply avoid that?",
            "Yes, with patients like her. But then a column that is never read gets paid. Two questions: choose one.",
        ),
        (
            "The tumour of patient 17 was benign; both networks say malignant. What is the staircase good for?",
            "It shows what led them there, so that a person can check it. It does not show that they are wrong.",
        ),
    ),
    outcomes={"ana": "100 €."},
)
