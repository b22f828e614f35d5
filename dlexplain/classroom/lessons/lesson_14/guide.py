"""Lesson 14 in a classroom."""

from __future__ import annotations

from dlexplain.classroom.teaching.guide import Guide

GUIDE = Guide(
    before="Run the notebook once on the room's computers. Bring a page of text in three printed fonts.",
    short=(
        (5, "Ask: who learned a second language faster than the first? What exactly was carried over?"),
        (8, "The first picture; exercise 1 at the board: what makes a draw of five digits a class fair?"),
        (
            10,
            "Everybody predicts the share for five digits a class; run to the learning curves; read one bar together.",
        ),
        (10, "Was it the letters? Predict the body that learned nonsense; talk about why it does harm."),
        (9, "The bench in pairs: who reaches 90 % with the fewest digits? Collect the tries in one table."),
        (3, "Summary; the quiz is homework."),
    ),
    long=(
        (8, "First and second languages; what labels cost in the learners' own field."),
        (17, "Letters and digits; exercises 1 and 2; pre-train, half of the room in Keras, half in Torch."),
        (20, "Learning curves with their error bars; plain pixels as the control; exercise 3 at the board."),
        (13, "The nonsense body: predict, run, explain to the neighbour why it is worse than none."),
        (12, "The bench in pairs; then what was kept and what changed, with the controls."),
        (14, "What is saved: everybody puts in prices of their own; exercise 4; who pays for the world's weights?"),
        (6, "Quiz, summary, and what CKA and the maps did not show."),
    ),
    misconceptions=(
        (
            "Pre-training always helps.",
            "Show the body that learned shuffled names: it trained as long, and stands below the body never trained.",
        ),
        (
            "Thawed is better than frozen, for it may change more.",
            "Let them find in the bench what happens with two digits a class, and with a learning rate of 0.1.",
        ),
        (
            "The lead is what the curve shows, so one draw will do.",
            "Press “draw other digits” five times at one digit a class and write down the five shares.",
        ),
        (
            "Pre-trained weights are free.",
            "Read the last row of the bill. Ask who paid for a network trained on millions of photos, and who chose them.",
        ),
    ),
    questions=(
        (
            "Why are plain pixels a harder control than the network from scratch?",
            "They need no learning of features and overfit less. A lead over a weak rival proves little.",
        ),
        (
            "The first layer was kept. Does the digit reader need it?",
            "Unknown. CKA compares arrangements. To know, replace the layer by a random one and measure again.",
        ),
        (
            "You read X-rays and are offered weights from holiday photos. What do you do before you use them?",
            "Compare with scratch and an untrained body over several draws, on patients held back, and ask what is "
            "in the photos.",
        ),
    ),
    outcomes={
        "few": "about 80 to 93 %.",
        "nonsense": "worse.",
        "layer": "third.",
    },
)
