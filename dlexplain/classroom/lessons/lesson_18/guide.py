"""Lesson 18 in a classroom."""

from __future__ import annotations

from dlexplain.classroom.teaching.guide import Guide

GUIDE = Guide(
    before="Run the notebook once on the room's computers. Print the form of Network 1 from the page, and write the four "
    "words PASS, FAIL, INCONCLUSIVE and NOT RUN on cards. Start the cell of the sealed networks early: they train for a "
    "while. For you alone: of the eight sealed networks three are sound, and the verdict alone signs one "
    "that is faulty. The 45 minutes of a case are play money, not the clock.",
    short=(
        (4, "Hand out the form. Everybody signs or refuses, in ink, with a name. Keep the forms."),
        (9, "Network 1: guess the verdict; read the check that failed. When is that column filled in? Guess for use."),
        (4, "The mended network: fewer right answers, and a PASS. Which of the two would you have bought?"),
        (6, "Maps A to D: vote for the one to show to a doctor. Then the exam's table; exercise 2."),
        (4, "“What does a PASS say?”: guess, then move the slider until the audit is silent. Who is still missed?"),
        (
            15,
            "The desk in teams of three, two or three cases each: choose evidence, decide, say how sure. All decisions go on the board.",
        ),
        (
            3,
            "Your score beside the machine's. Give the forms back: who takes the signature away? The other exercises are homework.",
        ),
    ),
    long=(
        (5, "Hand out the form. Everybody signs or refuses, in ink, with a name."),
        (12, "Network 1: guess the verdict; find the check that failed. When is that column filled in? Guess for use."),
        (8, "The four words and the gates: exercise 1, first with cards on the table, then in code."),
        (8, "The mended network; one section of the record for each pair, told to the room in a sentence."),
        (8, "Maps A to D: vote for the one to show to a doctor, strike out letters column by column, exercise 2."),
        (
            8,
            "Fairlearn: guess which two columns to cross. Then look at columns of pure chance: how bad can a group look?",
        ),
        (10, "“What does a PASS say?”: guess, slider; exercise 3 by counting 100 networks at the board."),
        (20, "The desk in teams of three, all eight cases; a table of decisions and sureness on the board."),
        (
            7,
            "Your score beside the machine's. What could you see that it could not? Give the forms back: who still signs?",
        ),
        (4, "Quiz; in five lines. Exercise 4 and the ordering are homework."),
    ),
    misconceptions=(
        (
            "PASS means that there is no fault.",
            "Stop the slider at the first silence and read how many sick are missed in use. Not detected is not absent.",
        ),
        (
            "Right for nearly all new patients: what can be wrong?",
            "The test rows were collected in the same way. Ask when “clinic visits” is filled in.",
        ),
        (
            "INCONCLUSIVE is a polite FAIL, or nearly a PASS.",
            "Neither: nobody knows yet. Ask what the check says is missing, and get that.",
        ),
        (
            "The map that agrees with the textbook is the one to show.",
            "Give the network random weights: map B stays the same. It shows the textbook, not the network.",
        ),
    ),
    questions=(
        (
            "The mended network is right less often. How do you tell the head of the hospital that it is better?",
            "The old figure came from a column that is filled in afterwards. In use, the old network missed more sick.",
        ),
        (
            "After the PASS of exercise 3, two in 78 have a fault. When would that figure be far worse?",
            "When more are faulty to begin with. If half of all are, nearly one in ten that passed has a fault.",
        ),
        (
            "What does a person see at the desk that no check can?",
            "When a column is filled in, what a wrong answer costs, and groups for which there is no column.",
        ),
        (
            "The verdict alone accused no sound network and missed one fault of five. Would you let it sign?",
            "As a first reader, yes. But eight cases are few, it cannot weigh harm, and nobody answers for its mistake.",
        ),
    ),
)
