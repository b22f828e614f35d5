"""Lesson 05, SHAP: exercises with their checks, predictions, quiz, ordering, words and sources."""

from __future__ import annotations

from dlexplain.classroom import Exercise, Lesson, Ordering, Prediction, Question
from dlexplain.classroom.lessons.lesson_05.checks import (
    check_cleo,
    check_reading,
    check_rules,
    check_straight,
)

_EARNS = {
    frozenset(): 0,
    frozenset({"Ana"}): 60,
    frozenset({"Ben"}): 30,
    frozenset({"Cleo"}): 0,
    frozenset({"Ana", "Ben"}): 120,
    frozenset({"Ana", "Cleo"}): 90,
    frozenset({"Ben", "Cleo"}): 60,
    frozenset({"Ana", "Ben", "Cleo"}): 210,
}

EXERCISES = (
    Exercise(
        name="cleo",
        check=check_cleo,
        expects="a number",
        hints=(
            "Write down the six orders. In each one: how much was there before Cleo came, and how much after?",
            "In two orders she comes last and lifts 120 to 210. In two she comes first, and lifts 0 to 0.",
            "After Ana alone she adds 30, after Ben alone 30:\n```\ncleo = (90 + 30 + 90 + 30 + 0 + 0) / 6\n```",
        ),
        given={"earns": _EARNS},
        reference=40,
        wrong={
            "loss without her": (90, "only when she comes last"),
            "alone": (0, "earns alone"),
            "equal shares": (70, "equal shares"),
            "sum of the lifts": (240, "divide by the number of orders"),
            "mean over the sets": (37.5, "four different lifts"),
            "first and last": (45, "first and last"),
            "text": ("40", "without quotation marks"),
        },
    ),
    Exercise(
        name="rules",
        check=check_rules,
        expects='three rules, such as `["symmetry", "dummy", "efficiency"]`',
        hints=(
            "Ask each way three questions. Is everything paid out? Do twins get the same? Does a passenger get nothing?",
            "On evening 1 Cleo adds nothing: who pays her all the same? On evening 2 all are alike: who treats them "
            "differently, and who leaves money on the table?",
            'A pays a passenger, B leaves money over, C treats twins differently:\n```\nbroken_rules = ["dummy", '
            '"efficiency", "symmetry"]\n```',
        ),
        reference=["dummy", "efficiency", "symmetry"],
        wrong={
            "equal shares leave money over": (["efficiency", "dummy", "symmetry"], "A pays out the whole sum"),
            "equal shares treat twins differently": (["symmetry", "efficiency", "dummy"], "A gives everybody the same"),
            "alone pays a passenger": (["dummy", "dummy", "symmetry"], "B pays Cleo nothing"),
            "an order leaves money over": (["dummy", "efficiency", "efficiency"], "C pays out the whole sum"),
            "text": ("dummy", "three rules"),
        },
    ),
    Exercise(
        name="reading",
        check=check_reading,
        expects='a letter, such as "A"',
        hints=(
            "What was compared with what, when the lifts were averaged? Who changed, a woman or a row of numbers?",
            "A share is the mean lift over all orders, with the absent columns filled in from the 50 others.",
            'It speaks of a fair share of a difference, not of removing or of treating:\n```\nreading = "C"\n```',
        ),
        reference="C",
        wrong={
            "negative means unimportant": ("A", "negative is not unimportant"),
            "effect of removing": ("B", "effect of removing"),
            "causal": ("D", "not a cause"),
            "a number": (3, "in quotation marks"),
        },
    ),
    Exercise(
        name="straight",
        check=check_straight,
        expects="two numbers, `[for a, for b]`",
        hints=(
            "What is the score with `a` and `b` of the background? How much does it change when the patient's `a` comes in?",
            "From a = 1 to a = 4 the score rises by 2 · 3. From b = 2 to b = 1: mind both signs.",
            "Slope times difference from the background, for each:\n```\nstraight = [2 * (4 - 1), -3 * (1 - 2)]\n```",
        ),
        reference=(6, 3),
        wrong={
            "no background": ((8, -3), "forgot the background"),
            "slopes": ((2, -3), "slopes themselves"),
            "differences": ((3, -1), "differences"),
            "sign lost": ((6, -3), "minus times minus"),
            "equal shares": ((4.5, 4.5), "its own share"),
            "the whole": (9, "is wanted, but your answer has shape"),
        },
    ),
)

PREDICTIONS = (
    Prediction(
        "ana",
        "What is Ana's mean lift over all six orders?",
        low=0,
        high=210,
        step=5,
        unit="€",
    ),
    Prediction(
        "copy",
        "Texture stands in the table twice now. After training anew, what do the two columns earn?",
        choices=(
            "each as much as the one before",
            "the two copies share what the one had",
            "the second copy gets nothing",
        ),
    ),
    Prediction(
        "without",
        "We leave out the radius and train anew. Of 100 new patients, how many will the network still get right?",
        choices=("about as many as before", "5 to 15 fewer", "more than 15 fewer"),
    ),
)

SHAPLEY = Ordering(
    "shapley",
    "Shapley's algorithm for one player. Put the lines in order, and leave out what does not belong.",
    lines=(
        "total = 0",
        "for order in permutations(players):",
        "    before = frozenset(order[: order.index(player)])",
        "    lift = worth[before | {player}] - worth[before]",
        "    total += lift",
        "share = total / number_of_orders",
    ),
    after={1: (0,), 2: (1,), 3: (2,), 4: (0, 3), 5: (4,)},
    distractors={
        "    lift = worth[everybody] - worth[everybody - {player}]": "that is the lift in one case only: when the "
        "player comes last.",
        "    total += abs(lift)": "a lift may be negative. Without signs the bill does not add up.",
    },
    because={
        (1, 2): "who came before hangs on the order.",
        (2, 3): "the lift is measured from those who are there already.",
        (3, 4): "there must be a lift before it can be added.",
        (4, 5): "the mean is taken at the end, over all orders.",
    },
)

QUIZ = (
    Question(
        "order",
        "A player lifts the sum by 10 in one order and by 90 in another. Which lift is right?",
        choices={
            "The larger one: it shows what the player can do.": "No. It shows it for one order only.",
            "Neither alone. The mean over all orders is the share.": "Yes. No order is better than another.",
            "The one where the player comes last.": "No. That is what is lost without the player, not the fair share.",
        },
        answer="Neither alone. The mean over all orders is the share.",
    ),
    Question(
        "bill_of_nonsense",
        "A network learned shuffled answers. Do its SHAP values add up?",
        choices={
            "No, it knows nothing.": "It knows nothing, and still it gives a score. That score is shared out.",
            "Yes. The bill says that the sharing is right, not the network.": "Yes. You saw its gap.",
            "Only against a benign background.": "No. Against every background.",
        },
        answer="Yes. The bill says that the sharing is right, not the network.",
    ),
    Question(
        "two_copies",
        "A column has a small SHAP value for all patients. May you say that it does not matter?",
        choices={
            "Yes, SHAP is fair.": "Fair to the players that sit at the table. A copy takes half.",
            "No. A column like it may have taken its share.": "Yes. Look at columns that go together as a team.",
            "Yes, if it is above the noise column.": "No. Above noise means that it does matter to the network.",
        },
        answer="No. A column like it may have taken its share.",
    ),
    Question(
        "background",
        "Against all patients a share is +2, against malignant patients −1. Which is wrong?",
        choices={
            "The second: a background must be the average of all.": "No. It must fit the question.",
            "The first: it compares with too many.": "No. It is a fair question, too.",
            "Neither. They answer different questions.": "Yes. Compared with whom? Always say it.",
        },
        answer="Neither. They answer different questions.",
    ),
    Question(
        "cause",
        "Concavity has the largest share. Would smoothing the cells' outlines heal the patient?",
        choices={
            "Yes, it has the largest share.": "No. Painting a thermometer blue does not cool the room.",
            "No. The share is about the network's score, not about the tumour.": "Yes. Credit is not cause.",
            "Yes, but only against a benign background.": "No. No background turns credit into cause.",
        },
        answer="No. The share is about the network's score, not about the tumour.",
    ),
    Question(
        "impossible",
        "SHAP filled in a small perimeter beside a large radius. Why does that matter?",
        choices={
            "The network was never trained on such patients; yet its answer decides the shares.": "Yes. "
            "It is called off the manifold: away from all real data.",
            "Such rows slow the computation down.": "No. A row is a row.",
            "It does not: the mean takes care of it.": "No. A mean of answers about the impossible is not better.",
        },
        answer="The network was never trained on such patients; yet its answer decides the shares.",
    ),
)

GLOSSARY = {
    "player": "Who earns together with others: a musician, a column, a pixel.",
    "lift": "How much the sum rises when a player joins those who are there.",
    "Shapley value": "A player's mean lift over all orders. Here also: share.",
    "efficiency": "The shares make up the whole sum. In lesson 04: completeness. Here also: the bill adds up.",
    "symmetry": "Players who add the same everywhere get the same.",
    "dummy": "A player who adds nothing anywhere. Here also: passenger. Gets nothing.",
    "additivity": "The shares of two games added up are the shares of the two games in one.",
    "background": "The samples from which absent columns are filled in.",
    "kernel SHAP": "Shapley values from a sample of the sets, by a weighted fit.",
    "DeepSHAP": "A change of the score handed back through the layers, as a mean over the background.",
    "interventional": "Absent columns are filled in whatever the others are. What does the network do?",
    "conditional": "Absent columns are filled in from samples alike in the known ones. What does a column tell?",
    "off the manifold": "Away from all data that can exist.",
    "control": "A comparison that could have shown you wrong.",
}

SOURCES = (
    ("Shapley, 1953, A Value for n-Person Games", "https://doi.org/10.1515/9781400881970-018"),
    (
        "Lundberg, Lee, 2017, A Unified Approach to Interpreting Model Predictions (SHAP)",
        "https://arxiv.org/abs/1705.07874",
    ),
    (
        "Shrikumar, Greenside, Kundaje, 2017, Learning Important Features (DeepLIFT)",
        "https://arxiv.org/abs/1704.02685",
    ),
    (
        "Sundararajan, Najmi, 2019, The many Shapley values for model explanation",
        "https://arxiv.org/abs/1908.08474",
    ),
    (
        "Janzing, Minorics, Blöbaum, 2019, Feature relevance quantification: a causal problem",
        "https://arxiv.org/abs/1910.13413",
    ),
    (
        "Aas, Jullum, Løland, 2019, Explaining predictions when features are dependent",
        "https://arxiv.org/abs/1903.10464",
    ),
    ("Chen, Janizek, Lundberg, Lee, 2020, True to the Model or True to the Data?", "https://arxiv.org/abs/2006.16234"),
    (
        "Wolberg, Mangasarian, Street, Street, 1993, Breast Cancer Wisconsin (the data)",
        "https://doi.org/10.24432/C5DW2B",
    ),
    (
        "Alpaydin, Kaynak, 1998, Optical Recognition of Handwritten Digits (the data)",
        "https://doi.org/10.24432/C50P49",
    ),
)

LESSON = Lesson(
    number=5,
    title="SHAP",
    question="How is credit shared fairly?",
    goals=(
        "compute Shapley values by hand and say which four rules they keep",
        "share a network's score among its inputs: by brute force, by sampling, and from inside",
        "read SHAP's own plots, and name the background behind them",
        "say what columns that go together do to the shares, and why credit is not cause",
    ),
    minutes=(60, 1),
    know_first=("lesson 00: training and scores", "lesson 04: baselines, and bills that add up"),
    exercises=EXERCISES,
    predictions=PREDICTIONS,
    quiz=QUIZ,
    orders=(SHAPLEY,),
    recall=((0, "negative"), (2, "untrained"), (4, "completeness"), (4, "same_map")),
    glossary=GLOSSARY,
    sources=SOURCES,
)
