"""Lesson 07 in a classroom."""

from __future__ import annotations

from dlexplain.classroom.teaching.guide import Guide

GUIDE = Guide(
    before="Run the notebook once on the room's computers. Print the figure “Which map asked the network?”, one a pair. "
    "Agree with one person on a small nod: this is your horse.",
    short=(
        (
            5,
            "The horse: your helper taps out sums and stops at your nod. The room may test in any way. How long until "
            "they find out?",
        ),
        (9, "The office and the four networks. Guess how many threes Hans reads without the stamp; run; exercise 1."),
        (5, "The printed maps A, B, C: vote by hands, with a reason. Then reveal."),
        (5, "“Do not look. Ask.”: read the three clouds of dots aloud. Which map foretells the fall?"),
        (8, "“The exam”: guess the steadiest map; then find, panel by panel, a row that knows nothing and does well."),
        (8, "“Play”: the bench in pairs, tasks 1 and 4. Faithful to whom?"),
        (3, "The line-up: which letter was moved? A vote; then exercise 4."),
        (2, "In five lines. Exercises 2 and 3 and the quiz are homework."),
    ),
    long=(
        (8, "The horse, played by your helper; what made the room find out? An experiment, not a closer look."),
        (
            14,
            "The office; half of the room follows Keras, half Torch. Guess for Hans; exercise 1; then the moved stamp.",
        ),
        (6, "The printed maps: vote, reveal. Why did B win so many votes?"),
        (10, "“Do not look. Ask.”: each pair describes one cloud of dots in words; exercise 2."),
        (
            12,
            "“The exam”: guess the steadiest map; each pair explains one panel; which rows that know nothing do well?",
        ),
        (8, "“Take the knowledge away”: exercise 3. Why do the sizes follow the ink?"),
        (14, "Does the map point at the stamp? Then the bench in pairs, one task each; report to the room."),
        (10, "“When the methods disagree”: why is neither wrong? The line-up in pairs, exercise 4; then the ordering."),
        (8, "The most faithful maps are those of Hans: what does the exam examine? Quiz; in five lines."),
    ),
    misconceptions=(
        (
            "Many right answers on new pictures show that the network is sound.",
            "They came from the same office. Take the stamp off, or move it, and count again.",
        ),
        (
            "A map that looks like the digit is a good map.",
            "Show B, the edges. It would be the same for any network, and for none.",
        ),
        (
            "The steadier the map, the better.",
            "Ask which row is the steadiest of all: the one that never asks the network. A stopped clock is steady.",
        ),
        (
            "A faithful map speaks for the network.",
            "The maps of Hans are the most faithful of all. And random weights have faithful maps, too.",
        ),
    ),
    questions=(
        (
            "Why did the clerk have to stamp wrong digits, too, and file them as threes?",
            "Else stamp and shape would both tell a three, and a network may use either. The slips make the stamp the only sure sign.",
        ),
        (
            "Two good methods name different pixels. Shall we print the mean of both?",
            "No. They answer different questions, and their mean answers none. Say which question you asked.",
        ),
        (
            "Why do two rows that know nothing sit every exam?",
            "They show what a score is worth. What chance or mere edges reach is no merit.",
        ),
        (
            "All maps of a network point at sensible places. Is it free of shortcuts?",
            "Not found is not “not there”. Grad-CAM would have cleared Hans. Move the things that you suspect.",
        ),
    ),
)
