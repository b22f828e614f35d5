"""Lesson 08 in a classroom."""

from __future__ import annotations

from dlexplain.classroom.teaching.guide import Guide

GUIDE = Guide(
    before="Run the notebook once on the room's computers. Have a broken bearing or a picture of one to pass round.",
    short=(
        (5, "Ask: who has been stranded by a machine that broke? What would an hour's warning have been worth?"),
        (10, "Sections on the fleet: everybody finds by eye the cycle in which the pump of the first figure turns bad."),
        (10, "Predict, then run both networks. Read one forecast together."),
        (10, "Credit by sensor and time: the room names the worn part before the truth is shown."),
        (7, "The bench: pairs look for the cheapest threshold when a breakdown costs ten repairs."),
        (3, "Summary; the quiz is homework."),
    ),
    long=(
        (8, "The story of a stranded machine; what waiting costs and what haste costs."),
        (15, "The fleet and its sensors; everybody reads one life; exercise 1."),
        (20, "Networks in Keras and Torch, half of the room each; compare the errors at the board."),
        (20, "Credit by sensor and time, with its control; exercise 2."),
        (20, "The bench in pairs, each with other prices; collect the cheapest thresholds in one table; exercise 3."),
        (7, "Quiz, summary, and what the explanation did not show."),
    ),
    misconceptions=(
        (
            "The network knows which part is worn.",
            "It only knows sensors. Ask what it would say of a pump with two worn parts.",
        ),
        (
            "A sensor with much credit causes the breakdown.",
            "It tells of it. Cooling a thermometer mends no bearing.",
        ),
        (
            "The most exact forecast saves the most money.",
            "Show the bench: with dear breakdowns a cruder but earlier alarm wins.",
        ),
        (
            "A threshold of one half is right.",
            "Let them set the prices to 1 to 1 and to 1 to 50, and read off the cheapest threshold.",
        ),
    ),
    questions=(
        (
            "Why must the test machines be others than the training machines, not other hours of the same ones?",
            "Hours of one life know each other: the network could remember the machine in place of the wear.",
        ),
        (
            "The credit lies on the last few cycles only. Is the network wrong to ignore the first hundred?",
            "No: wear shows late. But the explanation says nothing about what slow signs it may have missed.",
        ),
        (
            "Who should set the threshold: the data scientist, the workshop or the customer?",
            "Whoever bears the costs. The network gives chances; the threshold is a decision about money and risk.",
        ),
    ),
)
