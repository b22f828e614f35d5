"""Lesson 16 in a classroom."""

from __future__ import annotations

from dlexplain.classroom.teaching.guide import Guide

GUIDE = Guide(
    before="Run the notebook once. Bring an electricity bill, and print the first figure: twelve digits and their labels.",
    short=(
        (5, "Show the first figure. Who finds the wrong labels? What would it cost to check a million?"),
        (8, "Predict the dearest line. Count the operations of one layer together; exercise 1."),
        (7, "Operations, seconds, electricity: read the tables; exercise 2 with the price on the bill you brought."),
        (
            12,
            "Label noise: the figure of suspects, then the control. Why does the network that learned by heart find little?",
        ),
        (10, "The planner in pairs: what makes “no” of a “yes”? Collect the dearest lines on the board."),
        (3, "Summary. Leak, drift and the quiz are homework."),
    ),
    long=(
        (10, "The first figure, and what a firm must know before it signs. Predict the dearest line."),
        (20, "Operations by hand and counted, exercises 1 and 2; half of the room reads Keras, half Torch."),
        (15, "Label noise with exercise 3 and its control; the ordering."),
        (15, "The leak: who would have seen it in the score? What does the test of single columns miss?"),
        (10, "Drift, false alarms, exercise 4."),
        (15, "The planner: each pair plans a real idea of its own and defends the assumptions."),
        (5, "Quiz, summary."),
    ),
    misconceptions=(
        (
            "A network with more weights costs more operations.",
            "Compare perceptron and conv net: operations per weight.",
        ),
        (
            "Deep learning is dear because of electricity.",
            "Read the bill of the digit reader: people's labels come first.",
        ),
        ("A row where the network disagrees is a wrong label.", "Look at the suspects that were right: hard digits."),
        (
            "A high test score shows that the data are fit.",
            "Show the leak: the score was best just before it failed in use.",
        ),
    ),
    questions=(
        (
            "When does a year of answers cost more than the training?",
            "Answers cost one pass, a training example three in each epoch: when answers pass 3 × examples × epochs.",
        ),
        (
            "Thirty honest columns are tested at 5 %. What do you expect?",
            "One or two alarms from chance alone. So lower the limit, or check what an alarm costs.",
        ),
        (
            "The leak and the best honest column look alike. How do you tell them apart?",
            "Not by statistics. Ask who writes the column, and when: before the answer is known, or after.",
        ),
    ),
    outcomes={
        "dearest": "people's time for labels.",
        "slower": "far fewer times longer.",
        "by_heart": "far fewer.",
    },
)
