"""Lesson 04 in a classroom."""

from __future__ import annotations

from dlexplain.classroom.teaching.guide import Guide

GUIDE = Guide(
    before="Run the notebook once on the room's computers. Print the three of the first figure large, one a pair. "
    "Have a photo of a face and two strips of card, one grey, one black.",
    short=(
        (
            5,
            "Each pair marks on the printed three the five pixels that decide. Then the guess about empty paper. "
            "Meanwhile the page runs as far as the pixel bench.",
        ),
        (9, "“Wiggle one pixel”: the bench in pairs; who finds the steepest pixel uphill, who downhill? Exercise 1."),
        (
            7,
            "“Wiggle them all”: compare the map with the marked pixels. Which digit does the ink on blue make of it?",
        ),
        (5, "The lamp: two people play the dimmers. Who lights it? Ask saliency, then occlusion, then the room."),
        (9, "“Walk instead of standing still”: bench in pairs, gaps for 1 to 32 steps on the board. Guess for black."),
        (7, "Shuffled faces: guess, run, and read the table of the cured network."),
        (3, "Exercise 4 by show of hands; in five lines. The rest and the quiz are homework."),
    ),
    long=(
        (7, "Each pair marks five pixels on the printed three. Then the guess about empty paper."),
        (
            12,
            "Half of the room explains the Keras cell, half the Torch cell. The pixel bench in pairs: steepest uphill, "
            "steepest downhill; exercise 1.",
        ),
        (8, "The saliency map beside the marks: who was near? Ink on blue. Why do the two networks differ?"),
        (10, "Snow on the photo and SmoothGrad; then two people play the lamp; then the score and the percentage."),
        (
            17,
            "The walk at the bench in pairs, gaps for 1 to 32 steps on the board; the ordering; exercise 2; exercise 3 on "
            "paper, alone.",
        ),
        (6, "“Where does the walk start?”: guess, then each pair says in words what one start asks."),
        (
            8,
            "“Cover and see”: grey and black card on the eyes of the photo, then the figure. Which map would you show?",
        ),
        (10, "Shuffled faces: guess, run. The cured network. What had the maps not told?"),
        (10, "“Can you catch a map lying?”: exercise 4; then blacken the named pixels. Who chose which map before?"),
        (2, "In five lines. “Straight from the library” and the quiz are homework."),
    ),
    misconceptions=(
        (
            "The map shows what the network saw.",
            "It shows where, not what. Shuffle the tiles of a face: the network still says “face”.",
        ),
        (
            "No colour means that a pixel does not matter.",
            "Show the lamp: both dimmers are up, every slope is zero, and it is bright.",
        ),
        (
            "The neatest map is the truest.",
            "Show map C: it follows every line of the digit, and it never asked the network.",
        ),
        (
            "Black stands for nothing, so black is neutral.",
            "Show the eyes under a black and under a grey cover: the sign turns round.",
        ),
    ),
    questions=(
        (
            "Why did the first network take anything busy for a face? Who is to blame?",
            "Its “no face” pictures were smooth walls, so busy was enough. Other examples cured it, no other map.",
        ),
        (
            "Two pixels matter only together. What can a map say about them?",
            "One number each, sometimes zero for both, as with the dimmers. It cannot say that they work together.",
        ),
        (
            "Three starts of the walk give three maps. Which one belongs in a report?",
            "The one that asks your question. And its start must be written beside it.",
        ),
        (
            "Grad-CAM hardly beats chance here. Shall we never use it again?",
            "That does not follow. It fails on this network, whose last layer weighs every place differently. Test yours.",
        ),
    ),
    outcomes={"black": "none at all: a pixel that does not move gets nothing."},
)
