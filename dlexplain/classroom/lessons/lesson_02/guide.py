"""Lesson 02 in a classroom."""

from __future__ import annotations

from dlexplain.classroom.teaching.guide import Guide

GUIDE = Guide(
    before="Run the notebook once on the room's computers. Print the seven of the filter bench with its numbers, one a "
    "pair, and cut each pair a card with a window that shows 3 × 3 of its pixels.",
    short=(
        (5, "Slide the card over the printed seven. Through nine pixels, can you tell a seven? What can you tell?"),
        (
            12,
            "“Slide a small filter”: exercise “by hand” with the card; the filter bench in pairs; “your own filter”.",
        ),
        (6, "The first layer: look for one filter that both frameworks found. Then “which layer?” by show of hands."),
        (10, "“What excites a unit?”: favourites, then the control. Guess the ghosts; look at all three rows."),
        (
            8,
            "“What does each layer know?”: guess for the untrained network; read the picture; “what did training add?”.",
        ),
        (4, "Guess how many sevens survive without their loudest unit. In five lines; the quiz is homework."),
    ),
    long=(
        (6, "Slide the card over the printed seven in pairs. What can nine pixels tell, and what can they not?"),
        (18, "“Slide a small filter”: “by hand” with the card; the bench in pairs; “your own filter”."),
        (
            10,
            "Half of the room explains the Keras cell, half the Torch cell. First layer: who finds a filter with a name?",
        ),
        (10, "Deeper layers: what a unit can see, “which layer?”; then follow one digit in the explorer."),
        (
            15,
            "“What excites a unit?”: favourites and their control; guess the ghosts; what do the scraps tell of a score?",
        ),
        (
            13,
            "“What does each layer know?”: guess for the untrained network; both controls; “what did training add?”. "
            "Does the cleverer reader agree?",
        ),
        (10, "“Loud is not important”: guess, switch off; read one orange and one blue bar of the five."),
        (5, "Your own digit at the drawing board; then something that is no digit."),
        (3, "In five lines. Section 9, the ordering and the quiz are homework."),
    ),
    misconceptions=(
        (
            "The first layer finds strokes, the next parts, the last digits.",
            "The names are ours. Ask for the meaning of each first filter, and for the same filter in Torch.",
        ),
        (
            "If a digit can be read from a layer, training has put it there.",
            "Show the line of the network that was never trained: random filters pass on what the pixels hold.",
        ),
        (
            "The unit that answers most to sevens is the seven finder.",
            "Switch it off: nearly all sevens are still read. And it answers to another digit more than half as strongly.",
        ),
        (
            "A unit's favourite picture shows what it means, or what it has seen.",
            "Show the favourites of the untrained network, and the scraps that score above real digits.",
        ),
    ),
    questions=(
        (
            "Keras and Torch found other filters and read equally well. What does that mean for names of units?",
            "A name belongs to one unit of one network. Train again, and it is gone. What is left: a set that works.",
        ),
        (
            "A nearest-mean reader says that training added much, a cleverer reader that it added little. Who is right?",
            "Both. Each says what this reader gets out of the layer. Name the reader with the figure.",
        ),
        (
            "A picture of scraps raises a digit's score above every real digit. Has the network gone mad?",
            "No. The score says “much of what I count”, not “like a digit”. Nobody trained it on scraps.",
        ),
        (
            "Some units are zero for every picture. Would you worry?",
            "Not at once: the network reads well. ReLU hands them no slope, so training cannot wake them.",
        ),
    ),
)
