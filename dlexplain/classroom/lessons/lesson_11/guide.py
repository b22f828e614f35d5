"""Lesson 11 in a classroom."""

from __future__ import annotations

from dlexplain.classroom.teaching.guide import Guide

GUIDE = Guide(
    before="Run the notebook once on the room's computers. Print six tiles, three with the mark, to pass round.",
    short=(
        (5, "Pass round the printed tiles, sorted into sick and healthy. Ask: how do you tell them apart?"),
        (10, "The three piles and the networks. Everybody commits a guess for the other hospital, then runs."),
        (10, "The experiment with the mark, then the maps. The room says what the map shows before the count."),
        (12, "The audit before and after the repair. Light box in pairs: fool the network, then fool your neighbour."),
        (6, "One in a hundred: count 10,000 people at the board; exercise 5."),
        (2, "Summary; calibration and the quiz are homework."),
    ),
    long=(
        (8, "The printed tiles. Somebody will use the mark: keep that for later."),
        (17, "The piles, the networks, exercise 1; the other hospital; the four groups."),
        (20, "Maps, the pointing game (exercise 2), the table beside the controls, and the rows that know nothing."),
        (20, "The audit, the repair (exercise 3), the table after it. Light box in pairs."),
        (15, "How sure is sure: exercise 4 and the temperature. One in a hundred: exercise 5."),
        (10, "May a hospital rely on this? A vote with reasons; quiz, summary."),
    ),
    misconceptions=(
        (
            "A test on new pictures shows whether the network is sound.",
            "New pictures of the same house share its signs. Ask what house and field have in common, and what not.",
        ),
        (
            "A map on the lesion proves that the network knows the disease.",
            "Show the row without a mark: the cheat points at lesions, too. Then show model-blind.",
        ),
        (
            "A network that says 97 % is right in 97 of 100.",
            "Show the points of the other hospital. The promise was made at home.",
        ),
        (
            "90 % sensitivity: nine of ten alarms are true.",
            "Let ten people stand for the sick and the whole school for the healthy, and count the alarms.",
        ),
    ),
    questions=(
        (
            "The repaired network has a lower score in our hospital. How do you explain that to its head?",
            "The lost points were the scanner's. Where the scanner stands elsewhere, they turn into missed patients.",
        ),
        (
            "Would you rather cover the corner in every picture, or put the mark on everybody?",
            "Covering is sure for this place, and blind there. The mark on everybody keeps the corner, and "
            "works only for a mark that is known.",
        ),
        (
            "The audit says PASS. What would you still ask before a patient is touched?",
            "Other hospitals, other cameras, real lesions; how rare the disease is; who watches it, and when it stops.",
        ),
    ),
)
