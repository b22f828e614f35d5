"""Lesson 12 in a classroom."""

from __future__ import annotations

from dlexplain.classroom.teaching.guide import Guide

GUIDE = Guide(
    before="Run the notebook once on the room's computers. Ask who speaks a language with genders or with the verb last.",
    short=(
        (5, "On the board: one sentence in two languages of the room. Somebody draws the lines between the words."),
        (8, "The first picture; exercise 1 in pairs."),
        (10, "Attention as fit, weigh, mix. Predict where it will lie for the article; run both networks."),
        (10, "The riddle of the article, and the swap test. Read one pair of maps together."),
        (8, "The network that must look elsewhere: predict, run, and be astonished."),
        (4, "Summary; the quiz is homework."),
    ),
    long=(
        (10, "Sentences in two languages of the room, lines drawn on the board; where does one word need two?"),
        (15, "The first picture; exercises 1 and 2; the ordering."),
        (20, "Keras and Torch, half of the room each; exercise 3; compare attention with its controls."),
        (20, "The article, the swap test, the word-by-word reader. Pairs explain each picture to each other."),
        (15, "The network that must look elsewhere; then the bench: who finds a sentence that a network gets wrong?"),
        (10, "Captum, dates, quiz, summary."),
    ),
    misconceptions=(
        (
            "Attention shows which words are important.",
            "It shows which places were mixed. Show the network that looks elsewhere: same translation, other map.",
        ),
        (
            "If the map may be wrong, attention does nothing.",
            "Show the column with even weights: every network breaks down. It is needed; it is just no explanation.",
        ),
        (
            "The place of a word holds that word.",
            "Ask how the article got its ending though the noun was not looked at. The encoder had mixed it in.",
        ),
        (
            "Somebody taught the network the alignment.",
            "Nobody did: look for the alignment in the training cell. It is only used for marking.",
        ),
    ),
    questions=(
        (
            "When is a map of attention good evidence?",
            "When changing the words confirms it. Without mixing, a word's place must get some weight, but how much is open.",
        ),
        (
            "Why does the swap test use other words of the same kind?",
            "So that the network stays on sentences like those it learned from. A hole asks what it was never taught.",
        ),
        (
            "A vendor shows you an attention map as proof that the system reads a contract rightly. What do you ask for?",
            "Swap the clause and see whether the answer changes; a control; and how it fares on contracts never seen.",
        ),
    ),
)
