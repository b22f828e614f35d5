"""Lesson 09 in a classroom."""

from __future__ import annotations

from dlexplain.classroom.teaching.guide import Guide

GUIDE = Guide(
    before="Run the notebook once on the room's computers. Ask the class to bring one suggestion that surprised them.",
    short=(
        (5, "Collect surprising suggestions. Ask: what could the screen have known?"),
        (8, "Data and two towers: the room scores two films for one person by hand, with two numbers each."),
        (8, "Predict the hits, then run both networks. Look at the map and its control."),
        (8, "Why was this suggested: predict, then the credit in both frameworks."),
        (12, "The cinema in pairs: one clicks two genres in turn, one keeps count of the genres on the shelf."),
        (4, "Summary; the quiz is homework."),
    ),
    long=(
        (8, "Collect surprising suggestions; what the screen could have known; what is planted here."),
        (15, "Two towers by hand and exercise 1; half of the room runs Keras, the other half Torch."),
        (12, "The map, its control, and what it does not show."),
        (18, "Why was this suggested: predict, exercise 2, and the control over many people."),
        (17, "The cinema in pairs; exercise 3 and the ordering. One table: clicks until one genre is left."),
        (15, "Popularity: predict, exercise 4, the table. Then the bubble and its control. Debate: who should fix it?"),
        (5, "Quiz, summary."),
    ),
    misconceptions=(
        (
            "The network knows the genres.",
            "Ask where a genre is handed to it. Show the control: shuffled answers give no groups.",
        ),
        (
            "“Because you watched” is the whole reason.",
            "Read the line under the cinema's shelf: fame has a part of its own, before any click.",
        ),
        (
            "More hits mean better suggestions.",
            "Show the table: the fair list is liked better and hits less. The records hold fame.",
        ),
        (
            "People in a bubble have narrow tastes.",
            "Show the control: the shelf closes round people who love everything alike.",
        ),
    ),
    questions=(
        (
            "Why may a film of another genre get credit below zero?",
            "The tower reads shares. What goes to one genre is taken from another.",
        ),
        (
            "Two places of eight are drawn by lot. Who pays for that, and who gains?",
            "Each evening some places are wasted; later evenings gain, for other tastes are found again.",
        ),
        (
            "You run a cinema. Which number would you put on the wall: hits, or something else?",
            "Hits reward fame. Say what you want to raise (liking, variety) and how you would measure it: by showing some "
            "films by lot and asking.",
        ),
    ),
)
