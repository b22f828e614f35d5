"""Lesson 15 in a classroom."""

from __future__ import annotations

from dlexplain.classroom.teaching.guide import Guide

GUIDE = Guide(
    before="Run the notebook once. Mark a winding line on the floor with tape; bring a scarf as a blindfold.",
    short=(
        (
            5,
            "The tape: one walks it looking at the feet, one with closed eyes after two steps. Who needs to look again?",
        ),
        (10, "The road and the camera; predict how far the clone of a perfect driver gets; run both networks."),
        (10, "Closed loop: the room says from the ways seen from above where each ride began to go wrong."),
        (10, "The driver's seat in pairs: three worlds each; write down what ends a ride and what does not."),
        (7, "The lamps: vote which network to buy by its loss; then watch it drive."),
        (3, "Summary; the quiz is homework."),
    ),
    long=(
        (10, "The tape on the floor; why walking is not a list of photographs."),
        (15, "Road, camera, expert; exercise 1 on the board: which way must the wheel turn?"),
        (20, "Half of the room trains in Keras, half in Torch; collect losses and metres in one table; exercise 2."),
        (20, "The saliency film with its controls; exercise 3; why does the bad driver score well, too?"),
        (15, "Driver's seat and table of interventions in pairs; exercise 4."),
        (10, "The lamps, the ordering, the quiz; what would you ask of someone who sells a driver?"),
    ),
    misconceptions=(
        (
            "The network with the smallest loss drives best.",
            "Show the table of loss and metres: the order is turned round.",
        ),
        (
            "The map lies on the line, so the line is needed.",
            "Take the middle line away in the driver's seat. What happens to the ride?",
        ),
        (
            "More perfect driving would have helped.",
            "Ask: in which of those pictures does the car stand a metre beside the middle? In none.",
        ),
        (
            "A changed steering angle means a crash.",
            "In a closed loop the next picture corrects it. Compare both columns of the table of interventions.",
        ),
    ),
    questions=(
        (
            "Why does a small error in each picture grow on the road, though it does not grow in the test?",
            "On the road each picture depends on the last answer; in the test the expert brings the car back every time.",
        ),
        (
            "The network never looks at trees here. May we say so of all roads?",
            "No: only of roads like these. Trees stood at random; where they mark bends, a network may use them.",
        ),
        (
            "Real cars have a steering wheel in view of the driver's camera. What would you do about it?",
            "Cover it, cut it out of the picture, or train with wheels that lie; then test in a closed loop.",
        ),
    ),
    outcomes={
        "distance": "under 190 of the 240 metres, on average over ten roads.",
        "looks": "the lines, and the asphalt between them.",
        "line": "nothing much: it drives on.",
        "lamps": "it leaves the road soon.",
    },
)
