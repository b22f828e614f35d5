"""Lesson 03, features by hand or learned: exercises, predictions, quiz, ordering, words and sources."""

from __future__ import annotations

import numpy as np

from dlexplain.classroom import Exercise, Lesson, Ordering, Prediction, Question
from dlexplain.classroom.lessons.lesson_03.checks import check_advice, check_histogram, check_lead, check_twins


def _lead(by_hand: np.ndarray, network: np.ndarray) -> tuple[float, float]:
    each = network - by_hand
    return each.mean(), each.std(ddof=1) / np.sqrt(len(each))


def _apart(by_hand: np.ndarray, network: np.ndarray) -> tuple[float, float]:
    error = np.hypot(by_hand.std(ddof=1), network.std(ddof=1)) / np.sqrt(len(network))
    return (network - by_hand).mean(), error


_ADVICE = {"loans": "by hand", "pets": "network", "chips": "by hand", "reviews": "network"}

EXERCISES = (
    Exercise(
        name="histogram",
        check=check_histogram,
        expects="your function `histogram`",
        hints=(
            "For each bin: which pixels have this direction? How strong are they together?",
            "`strength[which == 0].sum()` is the first bin.",
            "The same for each bin:\n```\nreturn np.array([strength[which == b].sum() for b in range(bins)])\n```",
        ),
        reference=lambda strength, which, bins: np.array([strength[which == b].sum() for b in range(bins)]),
        wrong={
            "counting": (lambda s, w, bins: np.bincount(w.ravel(), minlength=bins), "counted pixels"),
            "shares": (
                lambda s, w, bins: np.bincount(w.ravel(), s.ravel(), minlength=bins) / s.sum(),
                "These are **shares**",
            ),
            "means": (
                lambda s, w, bins: np.array([s[w == b].mean() if (w == b).any() else 0 for b in range(bins)]),
                "the **mean** of each bin",
            ),
            "empty bins dropped": (
                lambda s, w, bins: np.array([s[w == b].sum() for b in np.unique(w)]),
                "its bin stays",
            ),
        },
    ),
    Exercise(
        name="twins",
        check=check_twins,
        expects="a pair of texts, `(praise, complaint)`",
        hints=(
            "Begin with the praise: a lovely soup and an awful waiter.",
            "The complaint has the very same words. Two of them change places.",
            'So:\n```\ntwins = ("lovely soup and awful waiter", "awful soup and lovely waiter")\n```',
        ),
        reference=("lovely soup and awful waiter", "awful soup and lovely waiter"),
        wrong={
            "other words": (("lovely soup", "awful soup"), "word counts differ"),
            "the same text": (("lovely soup awful waiter", "lovely soup, awful waiter"), "the same text"),
            "the clauses moved": (
                ("lovely soup awful waiter", "awful waiter lovely soup"),
                "not what is said of the soup",
            ),
            "turned round": (("awful soup lovely waiter", "lovely soup awful waiter"), "turned round"),
            "one text": ("lovely soup", "a pair of texts"),
        },
    ),
    Exercise(
        name="lead",
        check=check_lead,
        expects="your function `lead`",
        hints=(
            "In each repeat both sides learned from the same examples. So compare them repeat by repeat.",
            "`each = network - by_hand` has a lead for every repeat. How sure is its mean?",
            "Spread of the leads, over the root of their number:"
            "\n```\neach = network - by_hand\nreturn each.mean(), each.std(ddof=1) / np.sqrt(len(each))\n```",
        ),
        reference=_lead,
        wrong={
            "spread": (lambda a, b: ((b - a).mean(), (b - a).std(ddof=1)), "spread of single repeats"),
            "strangers": (_apart, "strangers"),
            "turned round": (lambda a, b: _lead(b, a), "turned round"),
            "ddof": (lambda a, b: ((b - a).mean(), (b - a).std() / np.sqrt(len(a))), "where 3 belongs"),
        },
    ),
    Exercise(
        name="advice",
        check=check_advice,
        expects="a dict of four choices",
        hints=(
            "Ask of each: how many examples? And do I know in advance what matters?",
            "Loans: named columns. Pets: anywhere, in any pose. Chips: few, always in one place. Reviews: order decides.",
            'So:\n```\nadvice = {"loans": "by hand", "pets": "network", "chips": "by hand", "reviews": "network"}\n```',
        ),
        reference=_ADVICE,
        wrong={
            "always a network": (dict.fromkeys(_ADVICE, "network"), "Always a network"),
            "never a network": (dict.fromkeys(_ADVICE, "by hand"), "Never a network"),
            "loans": ({**_ADVICE, "loans": "network"}, "named columns"),
            "chips": ({**_ADVICE, "chips": "network"}, "Only 40 pictures"),
            "pets": ({**_ADVICE, "pets": "by hand"}, "any pose"),
            "reviews": ({**_ADVICE, "reviews": "by hand"}, "throw away just that"),
        },
    ),
)

PREDICTIONS = (
    Prediction(
        "faces",
        "Faces, all in the middle of the picture, and few of them. Who reads new ones better?",
        choices=("features by hand", "the network", "no clear winner"),
    ),
    Prediction(
        "ceiling",
        "The word counts learn from 400 reviews whether the soup was good. What share of new ones will be right?",
        low=0.5,
        high=1,
        step=0.01,
    ),
    Prediction(
        "table",
        "A table of 30 columns. The network's training costs how many times the processor time of the classical one?",
        low=1,
        high=100,
        step=1,
        unit="times",
    ),
)

STEPS = Ordering(
    "steps",
    "An honest comparison. Put the lines in order, and leave out what does not belong.",
    lines=(
        "order = rng.permutation(len(labels))",
        "learn, final = order[:size], order[-500:]",
        "svm.fit(features[learn], labels[learn])",
        "train(network, pictures[learn], labels[learn])",
        "lead = right(network, final) - right(svm, final)",
        "repeat all of this with other examples",
    ),
    after={1: (0,), 2: (1,), 3: (1,), 4: (2, 3), 5: (4,)},
    distractors={
        "train until right(network, final) is best": "the examples held back would help to train: that is cheating.",
        "keep the best of the four repeats": "luck would pass for skill. All repeats count.",
    },
    because={
        (0, 1): "there must be an order to cut.",
        (1, 2): "it learns from these examples only.",
        (1, 3): "it learns from these examples only.",
        (2, 4): "only a trained learner can be scored.",
        (3, 4): "only a trained network can be scored.",
        (4, 5): "there must be something to repeat.",
    },
)

QUIZ = (
    Question(
        "bet",
        "What is a feature made by hand?",
        choices={
            "A bet about what matters; the rest is thrown away.": "Yes. A good bet saves data. A bad one cannot be healed.",
            "The truth about the data.": "No. A person chose it, and may have chosen badly.",
            "Something that only old programs use.": "No. In this lesson it won more than once.",
        },
        answer="A bet about what matters; the rest is thrown away.",
    ),
    Question(
        "flat",
        "A learning curve has gone flat far below 100 %, and labels are clean. What helps most?",
        choices={
            "Ten times as much data.": "Hardly. The curve is flat.",
            "Other features, or a network that sees the raw data.": "Yes. What the feature threw away is gone for good.",
            "More repeats.": "No. They make the error bars shorter, not the score better.",
        },
        answer="Other features, or a network that sees the raw data.",
    ),
    Question(
        "paired",
        "Why do both sides learn from the same examples in each repeat?",
        choices={
            "It saves computing time.": "No. Two models are trained either way.",
            "A lucky draw then helps both, and cancels.": "Yes. So a small lead can be told from luck.",
            "Otherwise they could not be scored.": "They could. But luck would hide the difference.",
        },
        answer="A lucky draw then helps both, and cancels.",
    ),
    Question(
        "architecture",
        "Does a network make no bet?",
        choices={
            "None: it learns everything.": "No. Its layers decide what it can learn from few examples.",
            "It does: convolution bets that a stroke means the same anywhere.": "Yes. That bet won on digits that move.",
            "Only if it is small.": "No. Size is not the point. What the layers share is.",
        },
        answer="It does: convolution bets that a stroke means the same anywhere.",
    ),
    Question(
        "tidy",
        "SHAP gives a tidy picture of a model, and its bill adds up. Is the model right?",
        choices={
            "Yes, or the bill would not add up.": "No. The bill of a model that guesses adds up just as well.",
            "That must be tested apart, on data held back.": "Yes. An explanation is no score.",
            "Only if the picture is simple.": "No. Looks prove nothing.",
        },
        answer="That must be tested apart, on data held back.",
    ),
)

GLOSSARY = {
    "feature": "A number made from the raw data, for a learner to look at.",
    "by hand": "Features that a person wrote down, and a classical learner on top.",
    "classical learner": "Machine learning without layers: nearest neighbours, support vector machine, and others.",
    "gradient of a picture": "How fast and in which direction the brightness changes at a pixel.",
    "histogram of gradients (HOG)": "For each cell of a picture: how much edge in each direction.",
    "support vector machine": "A classical learner. It looks for the widest gap between the classes.",
    "word counts": "How often each word occurs. Their order is forgotten.",
    "naive Bayes": "A classical learner: each word votes, as often as it occurred with each answer.",
    "spectrum": "How loud each pitch is in a sound.",
    "error bar": "How far results spread when the whole thing is repeated.",
    "standard error": "How unsure a mean is: the spread over the root of the number of repeats.",
    "control": "A comparison that could have shown you wrong.",
}

SOURCES = (
    (
        "Dalal, Triggs, 2005, Histograms of oriented gradients for human detection",
        "https://doi.org/10.1109/CVPR.2005.177",
    ),
    (
        "Huang, Ramesh, Berg, Learned-Miller, 2007, Labeled Faces in the Wild (the faces; a part in scikit-image)",
        "https://people.cs.umass.edu/~elm/papers/lfw.pdf",
    ),
    (
        "Peterson, Barney, 1952, Control methods used in a study of the vowels",
        "https://doi.org/10.1121/1.1906875",
    ),
    (
        "Grinsztajn, Oyallon, Varoquaux, 2022, Why do tree-based models still outperform deep learning on tabular data?",
        "https://arxiv.org/abs/2207.08815",
    ),
    (
        "Wang, Manning, 2012, Baselines and bigrams: simple, good sentiment and topic classification",
        "https://aclanthology.org/P12-2018/",
    ),
    (
        "Zeiler, Fergus, 2014, Visualizing and understanding convolutional networks (covering parts of a picture)",
        "https://arxiv.org/abs/1311.2901",
    ),
    (
        "Lundberg, Lee, 2017, A unified approach to interpreting model predictions (SHAP)",
        "https://arxiv.org/abs/1705.07874",
    ),
)

LESSON = Lesson(
    number=3,
    title="Features by hand or learned",
    question="When does deep learning beat classical machine learning, and when not?",
    goals=(
        "make features of pictures, texts and sounds by hand, and say what each throws away",
        "compare a classical learner and a network fairly: same examples, repeats, error bars",
        "open both, and advise when a network is not worth it",
    ),
    minutes=(45, 1),
    know_first=("lesson 00: training and scores", "lesson 02: filters and convolution layers"),
    exercises=EXERCISES,
    predictions=PREDICTIONS,
    quiz=QUIZ,
    orders=(STEPS,),
    recall=((0, "control"), (1, "wild"), (2, "untrained")),
    glossary=GLOSSARY,
    sources=SOURCES,
)
