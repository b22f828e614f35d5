"""Lesson 00 in a classroom."""

from __future__ import annotations

from dlexplain.classroom.teaching.guide import Guide

GUIDE = Guide(
    before="Run the notebook once on the room's computers. For each pair, print the 64 numbers of the first digit "
    "(the figure after “The network gets 64 numbers”) and bring a soft pencil.",
    short=(
        (
            5,
            "Each pair shades the 64 printed numbers: the larger, the darker. Which digit is it? More than this "
            "the network never gets.",
        ),
        (7, "“Data” and “Network”. Everybody commits a guess of how many of 100 are read right; guesses on the board."),
        (8, "“Train”: run both, read the curves aloud. The ordering of one training step, in pairs."),
        (8, "The drawing board in pairs: first be read, then fool it, then show it a face. What does it say?"),
        (7, "“Which pixels decided?”: one person reads out an orange pixel of the nine, another a blue one."),
        (
            8,
            "“May I believe this?”: guess, then hide 8 pixels. Mystery maps: vote by looks, then let the numbers decide.",
        ),
        (2, "In five lines. The quarters (SHAP), the windows and the quiz are homework."),
    ),
    long=(
        (8, "Shade the printed numbers; look at the sixteen digits. Which would you misread yourself?"),
        (10, "“Network”: read the table of layers, then the two cells side by side. Guess the share read right."),
        (
            15,
            "“Train”: half of the room explains the Keras cell, half the Torch cell; the ordering; “the share read right”.",
        ),
        (
            12,
            "The drawing board in pairs. Collect the best fools and the face on the board: what did each network say?",
        ),
        (10, "“Which pixels decided?”: saliency beside integrated gradients. What does each say of blank paper?"),
        (
            15,
            "“How is credit shared?”: vote for a quarter. One order of the four by hand at the board; “the missing credit”.",
        ),
        (13, "“May I believe this?”: three controls, one after the other; guess before the third; the mystery maps."),
        (7, "“Would you sign?” by show of hands; quiz; in five lines. “What did the layers see?” is homework."),
    ),
    misconceptions=(
        (
            "It says 99 per cent, so it is nearly sure to be right.",
            "Draw a face. It names a digit, too. Ask which of its ten answers could say “none of these”.",
        ),
        (
            "The map lies on the strokes, so the network looks at the strokes.",
            "Show the map of the network that learned nonsense: it lies on the strokes as well.",
        ),
        (
            "Blue, or below zero, means that a pixel does not matter.",
            "Ask what more ink there would do to the score of nine. What does not matter is near zero: no colour.",
        ),
        (
            "All credits together make the full score.",
            "Ask for the score of blank paper. Nobody earned that; only what lies above it is shared out.",
        ),
    ),
    questions=(
        (
            "A quarter of the digits is held back. Would the network not learn more if it had them all?",
            "A little more, perhaps. But then nobody could tell how it does on digits that it has never seen.",
        ),
        (
            "Keras and Torch read equally well, and their maps differ. Which map is right?",
            "Both can be. Each explains its own network; they started from other random weights and learned other ways.",
        ),
        (
            "Hiding the brightest pixels breaks many readings, too. Why does that bar stand in the picture?",
            "It asks no network. A map must beat what can be had without one. To beat zero is too easy.",
        ),
        (
            "Eight pixels are hidden and the reading breaks. Are these the pixels that decided?",
            "It speaks for it, if other maps break fewer. But nobody writes digits with holes: hence the random bar.",
        ),
    ),
)
