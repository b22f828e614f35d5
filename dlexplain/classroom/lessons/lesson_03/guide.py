"""Lesson 03 in a classroom."""

from __future__ import annotations

from dlexplain.classroom.teaching.guide import Guide

GUIDE = Guide(
    before="Run the notebook once on the room's computers. Print one 8 × 8 digit a pair, and bring coloured pens.",
    short=(
        (
            5,
            "Ask: how would you tell a computer what a face is? Write the rules on the board; break each with a drawing.",
        ),
        (
            8,
            "“By hand”: everybody draws the edges into the printed digit, cell by cell, then looks at the first figure.",
        ),
        (7, "“Learned” and “An honest comparison”: predict first, then read the curve with its error bars aloud."),
        (8, "Digits that move, then texts: the room writes two reviews with the same words and opposite answers."),
        (
            10,
            "The bench in pairs: find a setting where the network loses, and one where it wins. Collect on the board.",
        ),
        (7, "The table of winners; each pair says in one sentence when it would not use a network."),
    ),
    long=(
        (8, "Rules for a face on the board, broken by drawings."),
        (15, "“By hand”: edges into printed digits; exercise 1."),
        (15, "Networks in Keras and Torch, half of the room each; the honest comparison; exercise 2 and the ordering."),
        (17, "Digits that move, texts, sounds, the table: before each, a vote by hands; exercise 3."),
        (15, "The bench in pairs, with wrong labels too; every pair notes one win for each side."),
        (12, "“Open both boxes”: cover parts of a photograph by hand first, then compare with the maps; the controls."),
        (8, "Exercise 4, quiz, summary."),
    ),
    misconceptions=(
        ("Deep learning is always better.", "Show the row of the table of 569 patients, and what each fit costs."),
        (
            "A network needs no bet about the data.",
            "Ask why the one with global pooling reads digits that move. Its layers are a bet, too.",
        ),
        (
            "More data heals any feature.",
            "Show the word counts on the soup's question: the curve goes flat at three in four.",
        ),
        ("One test run tells who is better.", "Set the bench to the fewest examples and change “which examples”."),
    ),
    questions=(
        (
            "Pairs of words do well on the soup's question. So why learn features at all?",
            "Because we knew what decides: we made the texts. With real texts nobody hands you the right feature.",
        ),
        (
            "The word counts get a tidy SHAP picture although they are half guessing. What is SHAP's fault in that?",
            "None. It explains the model. Whether the model is right must be tested apart.",
        ),
        (
            "Your hospital has 200 patients and 30 columns. What do you try first, and what would change your mind?",
            "A classical learner. Pictures or raw signals, far more patients, or a repeated test that a network wins.",
        ),
    ),
)
