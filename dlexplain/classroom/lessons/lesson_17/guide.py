"""Lesson 17 in a classroom."""

from __future__ import annotations

from dlexplain.classroom.teaching.guide import Guide

GUIDE = Guide(
    before="Run the notebook once on the room's computers. Without MLflow one cell says how to install it; that is fine.",
    short=(
        (4, "Ask: your phone recognises your face. What could change without anybody touching the phone?"),
        (8, "The year and its three events; everybody says for each: who would notice, and when?"),
        (6, "The register: a volunteer changes one bit; read the refusal aloud."),
        (12, "Readings, then explanations: predict, run, and fill a table at the board: event by monitor."),
        (10, "The control room in pairs; the cheapest year wins."),
        (5, "The bad release: what should have stopped it? Summary; the quiz is homework."),
    ),
    long=(
        (8, "The story of a network nobody looked at; data drift and concept drift, with the three events."),
        (15, "Version 1 in Keras and in Torch, half of the room each; the register and the model card."),
        (15, "The readings; exercise 1; discuss the limit and false alarms."),
        (17, "The explanations; exercise 2; the control; the table event by monitor at the board."),
        (12, "Retrain; exercise 3; new seals, and why no explanation can see them."),
        (8, "The bad release and the way back; exercise 4."),
        (12, "The control room in pairs; collect bills and strategies in one table."),
        (3, "Quiz, and what a fingerprint does not prove."),
    ),
    misconceptions=(
        (
            "Drift means that the network is wrong now.",
            "Show week 13: the monitor rings, and the errors stay as they were.",
        ),
        (
            "Explanations see every change of the world.",
            "Show week 31. Ask what an unchanged network can say of unchanged readings.",
        ),
        (
            "The limit is a constant of nature (0.1, 0.25).",
            "Let them move it in the control room: missed alarms on one side, false ones on the other.",
        ),
        (
            "Retraining on the newest data always helps.",
            "Show version 4: better on its own lists, and it misses half of all repairs.",
        ),
        (
            "A file with the right fingerprint holds a good network.",
            "Version 4 has one, too.",
        ),
    ),
    questions=(
        (
            "Why not simply wait for the outcomes?",
            "They come late, sometimes never, and can be wrong themselves: here a missing list made a false alarm.",
        ),
        (
            "May an automaton release a new version?",
            "If a gate stands before it that it cannot talk round: outcomes checked by others, a comparison with the version at "
            "work, and a person where the view changed without a reason.",
        ),
        (
            "Which weeks would you train on right after a change?",
            "Only those after it whose outcomes are known. Few weeks make a shaky network: waiting costs errors, haste does, too.",
        ),
        (
            "What belongs on a version's note besides the fingerprints?",
            "The parent, the tests and their weeks, the start of the explanations and the limits, who released it and why.",
        ),
    ),
    outcomes={
        "controller": "the explanations.",
        "seals": "not at all.",
    },
)
