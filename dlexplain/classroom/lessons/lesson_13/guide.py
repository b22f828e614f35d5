"""Lesson 13 in a classroom."""

from __future__ import annotations

from dlexplain.classroom.teaching.guide import Guide

GUIDE = Guide(
    before="Run the notebook once. Cut paper slips and bring a hat: the class will draw words from it.",
    short=(
        (5, "Play the model: one learner says the start of a sentence, each next learner adds one word, without plan."),
        (8, "The land and its towns. Training is already run; read three pages aloud and look at what is known."),
        (
            12,
            "The writing desk in pairs: find the temperature at which the text stops being true, and that at which it "
            "stops being a sentence.",
        ),
        (12, "Predict how sure it is about a town that nobody wrote about; reveal; why did it do nothing wrong?"),
        (5, "The lying letter: show the table, let them name a case from their own life."),
        (3, "Summary; the quiz is homework."),
    ),
    long=(
        (10, "The hat: slips with words after “is”, drawn in turn. Exercise 1 together."),
        (15, "Both networks, half of the room each; the curve of surprise, and where it bends."),
        (15, "Exercise 2, then the writing desk in pairs; collect the temperatures in a table."),
        (15, "Which words decided, lens and transplant. Ask at each: what could have shown it wrong?"),
        (10, "Songs: exercise 3 with fingers on the notes; heads removed."),
        (15, "Made-up towns and the three remedies; each group defends one."),
        (7, "Cost on paper, exercise 4."),
        (3, "Summary; the quiz is homework."),
    ),
    misconceptions=(
        (
            "It looks facts up somewhere.",
            "Ask where the list of rivers is stored. There is none: only weights, trained on the next word.",
        ),
        (
            "When it makes things up, something has broken.",
            "Compare the lens for known and untold towns. The same steps run; only the pages were missing.",
        ),
        (
            "If it sounds sure, it is right.",
            "Show the bar: which share of the inventions passes when nine in ten true answers do.",
        ),
        (
            "Temperature zero makes it truthful.",
            "Set top-k to 1 and begin with the untold town: it invents the same river every time.",
        ),
    ),
    questions=(
        (
            "Songs nobody sang are copied, rivers nobody named are invented. Why the difference?",
            "The song stands on the page and can be read off; the river stands nowhere. Copying is a skill, a fact is not.",
        ),
        (
            "Would more weights have helped with the untold towns?",
            "No: what is in no page cannot be learned from pages. More weights remember more of what was written.",
        ),
        (
            "The search engine puts a web page in front of the question. What new danger does that bring?",
            "Whoever writes the page decides the answer, as the lying letter does.",
        ),
    ),
)
