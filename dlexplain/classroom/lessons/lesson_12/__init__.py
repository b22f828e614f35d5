"""Lesson 12, translation: exercises, predictions, quiz, ordering, words and sources."""

from __future__ import annotations

import numpy as np

from dlexplain.classroom import Exercise, Lesson, Ordering, Prediction, Question
from dlexplain.classroom.lessons.lesson_12.checks import (
    TRANSLATES,
    check_alignment,
    check_attend,
    check_hits,
)


def _weights(query: np.ndarray, keys: np.ndarray) -> np.ndarray:
    fit = np.exp(keys @ query)
    return fit / fit.sum()


def _hits(weights: np.ndarray, truth: np.ndarray) -> float:
    return float((weights.argmax(axis=-1) == truth)[truth >= 0].mean())


EXERCISES = (
    Exercise(
        name="alignment",
        check=check_alignment,
        expects="seven places, one for each Melo word",
        hints=(
            "Take the Melo words one after the other. What does `la` translate?",
            "`la` is “the”, place 1. `veda` is “ship”, place 3. The adjective follows its noun; the verb comes late.",
            "So:\n```\nby_hand = [1, 3, 2, 5, 6, 4, 0]\n```",
        ),
        reference=TRANSLATES,
        wrong={
            "place by place": (range(7), "place by place"),
            "from one": ([2, 4, 3, 6, 7, 5, 1], "count places from **0**"),
            "the other way": ([6, 0, 2, 1, 5, 3, 4], "the other way"),
            "adjective first": ([1, 2, 3, 5, 6, 4, 0], "**behind** its noun"),
            "by the ending": ([3, 3, 2, 6, 6, 4, 0], "decides the **ending**"),
            "verb early": ([1, 3, 2, 4, 5, 6, 0], "the verb comes late"),
            "too few": ([1, 3, 2], "is wanted, but your answer has shape"),
        },
    ),
    Exercise(
        name="attend",
        check=check_attend,
        expects="your function `attend`",
        hints=(
            "`keys @ query` gives one fit for each place. How do fits become weights?",
            "`np.exp` makes them positive; divided by their sum, they sum to 1.",
            "Then mix:\n```\nfit = keys @ query\nweights = np.exp(fit) / np.exp(fit).sum()\nreturn weights @ values\n```",
        ),
        reference=lambda query, keys, values: _weights(query, keys) @ values,
        wrong={
            "weights only": (lambda query, keys, values: _weights(query, keys), "These are the weights"),
            "fits only": (lambda query, keys, values: keys @ query, "a fit or a weight"),
            "no weights": (lambda query, keys, values: (keys @ query) @ values, "do not sum to 1. Turn them"),
            "not divided": (lambda query, keys, values: np.exp(keys @ query) @ values, "**Divide by their sum.**"),
            "root of the width": (
                lambda query, keys, values: _weights(query / 3**0.5, keys) @ values,
                "leave that out",
            ),
            "best place": (lambda query, keys, values: values[(keys @ query).argmax()], "the best place alone"),
            "all alike": (lambda query, keys, values: values.mean(axis=0), "all places alike"),
            "not summed": (lambda query, keys, values: _weights(query, keys)[:, None] * values, "did not add them up"),
        },
    ),
    Exercise(
        name="hits",
        check=check_hits,
        expects="your function `hits`",
        hints=(
            "For each word written there is a row of weights. At which place is it largest?",
            "`weights.argmax(axis=-1)` gives that place; `truth >= 0` says where a word is written at all.",
            "So:\n```\nstrongest = weights.argmax(axis=-1)\nreturn (strongest == truth)[truth >= 0].mean()\n```",
        ),
        reference=_hits,
        wrong={
            "nothing counted, too": (lambda w, t: (w.argmax(axis=-1) == t).mean(), "**nothing is written**"),
            "not the first place": (lambda w, t: (w.argmax(axis=-1) == t)[t > 0].mean(), "Place **0**"),
            "a count": (lambda w, t: (w.argmax(axis=-1) == t).sum(), "a **share** from 0 to 1"),
            "how large": (lambda w, t: w.max(axis=-1)[t >= 0].mean(), "how **large**"),
            "misses": (lambda w, t: (w.argmax(axis=-1) != t)[t >= 0].mean(), "share of misses"),
            "wrong axis": (lambda w, t: (w.argmax(axis=0)[:, 0] == t[0, 0]).mean(), "Where is the strongest look"),
        },
    ),
)

PREDICTIONS = (
    Prediction(
        "order",
        "Suppose you simply went along: first word to first word, second to second. "
        "What share of the Melo words would you tie to the right English word?",
        low=0,
        high=1,
        step=0.05,
    ),
    Prediction(
        "article",
        "“the” becomes `la` or `lo`, as the noun wants it. When the network writes that article, where will its "
        "attention lie?",
        choices=("nearly all on the article", "half on the article, half on the noun", "nearly all on the noun"),
    ),
    Prediction(
        "elsewhere",
        "We train a second network, and punish it for looking where the first one looked. How well will it translate?",
        choices=("as well as the first", "about half as well", "not at all"),
    ),
)

STEPS = Ordering(
    "steps",
    "How the network writes one word. Put the lines in order, and leave out what does not belong.",
    lines=(
        "places = read(source)",
        "query = ask(written_so_far)",
        "weights = softmax(query @ keys(places).T)",
        "found = weights @ values(places)",
        "word = answer(query, found).argmax()",
        "written_so_far = written_so_far + [word]",
    ),
    after={2: (0, 1), 3: (2,), 4: (3,), 5: (4,)},
    distractors={
        "query = ask(whole_translation)": "what is not yet written cannot be asked.",
        "weights = alignment_truth": "the network never sees the alignment. It has to find it.",
    },
    because={
        (0, 2): "the keys come from the places read.",
        (1, 2): "the query must be there before anything can fit it.",
        (2, 3): "the weights mix the values.",
        (3, 4): "the answer uses what was found.",
        (4, 5): "only a chosen word can be written down.",
    },
)

QUIZ = (
    Question(
        "weights",
        "The weights of one row of attention always …",
        choices={
            "sum to 1.": "Yes. More weight for one place is less for the others.",
            "show what is important.": "No. They show what was mixed. What it was worth, they do not say.",
            "are 0 or 1.": "No. A little of every place is mixed in.",
        },
        answer="sum to 1.",
    ),
    Question(
        "place_or_word",
        "The encoder has read the whole sentence. Attention lies on the place of “the”. What stands at that place?",
        choices={
            "Only the word “the”.": "No. The encoder has mixed the neighbours in.",
            "Something of the whole sentence, as read from there.": "Yes. So a place is not a word.",
            "Nothing, it is only a position.": "No. It holds the numbers that the encoder made.",
        },
        answer="Something of the whole sentence, as read from there.",
    ),
    Question(
        "other_map",
        "Two networks give the same translations, but their attention maps have nothing in common. What follows?",
        choices={
            "One of them is broken.": "No. Both translate.",
            "The map alone does not say which words the translation needs.": "Yes. Ask by changing the words.",
            "Attention does nothing.": "No. With even weights, all our networks broke down.",
        },
        answer="The map alone does not say which words the translation needs.",
    ),
    Question(
        "strangers",
        "Why do we swap a word for another of its kind, and not for an empty place?",
        choices={
            "Empty places cost more time.": "No. Time is not the point.",
            "A sentence with a hole is like none that the network has learned from.": "Yes. Its answer there means little.",
            "The network cannot take empty places.": "It can. It just never saw one in the middle.",
        },
        answer="A sentence with a hole is like none that the network has learned from.",
    ),
)

GLOSSARY = {
    "alignment": "Which word of the source each word of the translation comes from.",
    "agreement": "When one word takes its form from another, such as an article from its noun.",
    "encoder": "The part that reads the source and makes numbers for each place.",
    "decoder": "The part that writes the translation, one word at a time.",
    "query": "What the decoder asks for, as a row of numbers.",
    "key": "What a place offers to be found by.",
    "value": "What a place hands over when it is looked at.",
    "attention": "Weights for the places of the source, by how well their keys fit the query; and the mix they give.",
    "softmax": "Turns any numbers into weights above zero that sum to 1.",
    "teacher forcing": "In training, the true words so far are given, whatever the network would have written.",
    "swap test": "Swap a source word for others of its kind; how much does the chance of the written word fall?",
    "stranger": "A sentence of the same build with other words; what a sentence is compared with.",
    "word-by-word reader": "An encoder that does not mix places: each place knows its own word only.",
    "control": "A comparison that could have shown you wrong.",
}

SOURCES = (
    (
        "Bahdanau, Cho, Bengio, 2015, Neural Machine Translation by Jointly Learning to Align and Translate",
        "https://arxiv.org/abs/1409.0473",
    ),
    ("Luong, Pham, Manning, 2015, Effective Approaches to Attention-based Neural Machine Translation",
     "https://arxiv.org/abs/1508.04025"),
    ("Vaswani and others, 2017, Attention Is All You Need", "https://arxiv.org/abs/1706.03762"),
    ("Jain, Wallace, 2019, Attention is not Explanation", "https://arxiv.org/abs/1902.10186"),
    ("Wiegreffe, Pinter, 2019, Attention is not not Explanation", "https://arxiv.org/abs/1908.04626"),
    (
        "Bastings, Filippova, 2020, The elephant in the interpretability room",
        "https://arxiv.org/abs/2010.05607",
    ),
    ("Lundberg, Lee, 2017, A Unified Approach to Interpreting Model Predictions", "https://arxiv.org/abs/1705.07874"),
)  # fmt: skip

LESSON = Lesson(
    number=12,
    title="Translation",
    question="How does attention align two languages?",
    goals=(
        "build a translator with attention in Keras and in Torch, and read its map",
        "test the map against a known alignment, with controls",
        "say why attention is not explanation, and what to ask in its place",
    ),
    minutes=(45, 1),
    know_first=("lesson 00: training and controls", "lesson 05: a background to compare with"),
    exercises=EXERCISES,
    predictions=PREDICTIONS,
    quiz=QUIZ,
    orders=(STEPS,),
    recall=((0, "control"), (2, "untrained"), (5, "background"), (7, "faithful"), (8, "cause")),
    glossary=GLOSSARY,
    sources=SOURCES,
)
