"""Lesson 01 in a classroom."""

from __future__ import annotations

from dlexplain.classroom.teaching.guide import Guide

GUIDE = Guide(
    before="Run the notebook once on the room's computers. Bring a long string, scissors and a sheet of paper a pair. "
    "Draw the two moons on the board with crosses and rings.",
    short=(
        (
            5,
            "Two people hold a string across the moons on the board. The room steers them, then counts the wrong ones.",
        ),
        (8, "“One neuron”: exercise “by hand” on paper, alone. Guess how good a line can get; run both; compare."),
        (
            8,
            "“A bend”: fold a sheet, cut it once, unfold it: one straight cut has become two. Then exercise “a strip”.",
        ),
        (
            12,
            "The playground in pairs: who parts the moons with the fewest units? Then the spirals. Records on the board.",
        ),
        (6, "“More and more layers?”: guess for twelve layers, then read the curve from left to right aloud."),
        (4, "“Is it the depth, or the bend?”: vote by hands on six layers without activation, then look."),
        (2, "In five lines. Sections 6 to 9 and the quiz are homework."),
    ),
    long=(
        (8, "The string across the moons. Where does one straight line have to fail?"),
        (12, "“One neuron”: “by hand” on paper; half of the room explains the Keras cell, half the Torch cell."),
        (12, "“A bend”: fold and cut paper; “a strip”. Who finds another right answer?"),
        (15, "“Layers” and the playground in pairs: fewest units for the moons, then the spirals; add noise."),
        (12, "“More and more layers?”: guess, the curve, the slopes; exercise “how deep is deep enough?”."),
        (11, "Vote on six layers without activation; “two layers into one” on paper in pairs; “what bends?”."),
        (10, "Shuffled colours: guess, look, and say what full marks prove. “What is kept?” on paper."),
        (6, "“What each unit draws” and “how the plane is folded”: one sentence from each pair about one picture."),
        (4, "The ordering or the quiz; in five lines. Section 9, on credit, is homework."),
    ),
    misconceptions=(
        (
            "More layers are always better.",
            "Show the right end of the depth curve. Ask how much of the slope arrives at the first of twelve layers.",
        ),
        (
            "Many layers bend by themselves; the activation is decoration.",
            "Let them put h1 and h2 into the score by hand. Two layers become one neuron, and six do, too.",
        ),
        (
            "A neuron remembers points, and the network keeps its data.",
            "Count the numbers it keeps: 177, with ten points or ten million. Switch a unit off: most points stay.",
        ),
        (
            "A winding border with all points right has understood something.",
            "Show the shuffled colours: nearly full marks on the points learned, and guessing on new ones.",
        ),
    ),
    questions=(
        (
            "One wide hidden layer can draw any border. Why do people stack layers, then?",
            "Each layer works on what the ones before have folded, so fewer units may do. Try the spirals both ways.",
        ),
        (
            "The network of twelve layers could draw the spirals. Why does it not?",
            "A way to do it exists, but training does not find it: the slope is nearly flat in the first layers.",
        ),
        (
            "Keras and Torch colour the corners differently, and firmly. Who is right there?",
            "Nobody can say: there are no points. A strong colour is not knowledge.",
        ),
        (
            "The network of twelve layers is bad on new points. Did it learn the others by heart?",
            "No: it is bad on the points learned, too. By heart is section 6: nearly full marks there, guessing on new ones.",
        ),
    ),
    outcomes={"linear": "a straight line: without a bend, layers of straight lines make a straight line."},
)
