"""Lesson 13, language models: exercises, predictions, quiz, ordering, words and sources."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlexplain.classroom import Exercise, Lesson, Ordering, Prediction, Question
from dlexplain.classroom.lessons.lesson_13.checks import (
    check_chip_hours,
    check_look_at,
    check_surprise,
    check_with_temperature,
)

_CHANCES = np.array([0.5, 0.25, 1.0, 0.125])


def _warm(scores: np.ndarray, temperature: float) -> np.ndarray:
    powers = np.exp(scores / temperature)
    return powers / powers.sum()


def _hours(weights: float, words: float, peak: float, used: float) -> float:
    return 6 * weights * words / (peak * used) / 3600


def _twin(words: Any, here: int) -> int:
    return words[:here].index(words[here])


EXERCISES = (
    Exercise(
        name="surprise",
        check=check_surprise,
        expects="a number",
        hints=(
            "Four surprises first, one for each word. Then their mean.",
            "`np.log2(given)` takes all four logarithms at once. They are negative.",
            "So:\n```\nsurprise = -np.log2(given).mean()\n```",
        ),
        given={"chances": _CHANCES},
        reference=1.5,
        wrong={
            "no minus": (-1.5, "**minus** in front"),
            "the sum": (6.0, "This is the sum"),
            "mean first": (float(-np.log2(_CHANCES.mean())), "the mean first"),
            "natural logarithm": (float(-np.log(_CHANCES).mean()), "natural logarithm"),
            "mean chance": (float(_CHANCES.mean()), "the mean chance"),
        },
    ),
    Exercise(
        name="with_temperature",
        check=check_with_temperature,
        expects="your function `with_temperature`",
        hints=(
            "Three steps: cool or heat the scores, raise them to powers, make them sum to 1.",
            "`powers = np.exp(scores / temperature)`",
            "So:\n```\npowers = np.exp(scores / temperature)\nreturn powers / powers.sum()\n```",
        ),
        reference=_warm,
        wrong={
            "not normalised": (lambda scores, heat: np.exp(scores / heat), "sum to 1: divide"),
            "ignored": (lambda scores, heat: _warm(scores, 1), "give the same here"),
            "chances divided": (lambda scores, heat: _warm(scores, 1) / heat, "You divided the chances"),
            "multiplied": (lambda scores, heat: _warm(scores, 1 / heat), "You multiplied"),
        },
    ),
    Exercise(
        name="look_at",
        check=check_look_at,
        expects="your function `look_at`",
        hints=(
            "Which note is sung here? Where was it sung before? What interests us is what came after that.",
            "`words[:here]` is all that came before; `.index(note)` finds the first place of a note in it.",
            "One further than the twin:\n```\nreturn words[:here].index(words[here]) + 1\n```",
        ),
        reference=lambda words, here: _twin(words, here) + 1,
        wrong={
            "the twin itself": (_twin, "the **same** note"),
            "here": (lambda words, here: here, "the place itself"),
            "the next place": (lambda words, here: here + 1, "in the **future**"),
            "before the twin": (lambda words, here: _twin(words, here) - 1, "*before* the twin"),
            "a fixed distance": (lambda words, here: here - 3, "wrong for another"),
        },
    ),
    Exercise(
        name="chip_hours",
        check=check_chip_hours,
        expects="your function `chip_hours`",
        hints=(
            "How many operations in all? How many a second are really reached?",
            "Operations: `6 * weights * words`. A second brings `peak * used` of them.",
            "In hours:\n```\nreturn 6 * weights * words / (peak * used) / 3600\n```",
        ),
        reference=_hours,
        wrong={
            "seconds": (lambda n, d, peak, used: 3600 * _hours(n, d, peak, used), "these are seconds"),
            "no six": (lambda n, d, peak, used: _hours(n, d, peak, used) / 6, "the 6 is missing"),
            "reading only": (lambda n, d, peak, used: _hours(n, d, peak, used) / 3, "for reading"),
            "data sheet": (lambda n, d, peak, used: _hours(n, d, peak, 1), "believed the data sheet"),
            "multiplied": (lambda n, d, peak, used: _hours(n, d, peak, 1 / used), "multiplied by `used`"),
        },
    ),
)

PREDICTIONS = (
    Prediction(
        "song",
        "A song that nobody ever sang, ten random notes, then again. In how many of 100 places of the second verse does "
        "the network foretell the next note?",
        low=0,
        high=100,
        step=1,
        unit="of 100",
    ),
    Prediction(
        "never",
        "A town that nobody ever wrote about. What chance does the network give to its favourite answer (the middle one)?",
        low=0,
        high=100,
        step=1,
        unit="%",
    ),
    Prediction(
        "lie",
        "The network knows the river of a town. A letter in front of the question claims another river. What does it answer?",
        choices=("the truth, which it knows", "what the letter claims", "something else"),
    ),
)

WRITING = Ordering(
    "writing",
    "How a model writes. Put the lines in order, and leave out what does not belong.",
    lines=(
        "while len(words) < 30:",
        "    scores = network(words)[-1]",
        "    chances = with_temperature(scores, 1)",
        "    word = rng.choice(vocabulary, p=chances)",
        "    words.append(word)",
    ),
    distractors={
        "    word = truth[word]": "it has no list of what is true.",
        "    network.fit(words, word)": "while writing, nothing is learned.",
    },
    because={
        (0, 1): "each round begins with new scores.",
        (1, 2): "scores come first; chances are made of them.",
        (2, 3): "a draw needs chances.",
        (3, 4): "only a drawn word can be put at the end.",
    },
)

QUIZ = (
    Question(
        "goal",
        "What was the network trained to do?",
        choices={
            "To say what is true.": "No. It never saw the truth, only pages.",
            "To give the word that came next a high chance.": "Yes. Facts came along where the pages held them.",
            "To write good sentences.": "No. They are by-products, as the facts are.",
        },
        answer="To give the word that came next a high chance.",
    ),
    Question(
        "heat",
        "Temperature goes down to nearly 0. What happens to invented answers?",
        choices={
            "They go away.": "No. It then says its favourite invention, every time.",
            "They stay, and are the same every time.": "Yes. Cold makes it steady, not truthful.",
            "There are more of them.": "No. The draw just gets less daring.",
        },
        answer="They stay, and are the same every time.",
    ),
    Question(
        "induction",
        "An induction head stands at a word. Where does it look?",
        choices={
            "At the same word, earlier.": "Nearly. What it needs stands one further.",
            "At the word after the same word, earlier.": "Yes. That is what will probably come next.",
            "At the next word.": "No. That lies in the future.",
        },
        answer="At the word after the same word, earlier.",
    ),
    Question(
        "credit_of_a_lie",
        "The credit lies on the right words. So the answer is true?",
        choices={
            "Yes: it looked in the right place.": "No. Invented answers had just as sensible credit.",
            "No: credit says where it came from, not whether it is so.": "Yes. For truth, ask another source.",
            "Only if it is also sure.": "No. It was nearly as sure of what it made up.",
        },
        answer="No: credit says where it came from, not whether it is so.",
    ),
    Question(
        "page",
        "A chatbot looks up a web page before it answers. Is its answer now safe?",
        choices={
            "Yes: it reads instead of inventing.": "Half of it. It also reads lies.",
            "As safe as the page.": "Yes. What stands in front beats what it remembers.",
            "No: pages change nothing.": "No. The letter decided nearly every answer.",
        },
        answer="As safe as the page.",
    ),
    Question(
        "six",
        "Twice the weights, and twice the words to read. What does training cost?",
        choices={
            "Twice as much.": "No. Each word passes through each weight.",
            "Four times as much.": "Yes: 6 · weights · words.",
            "Eight times as much.": "No. Count again: 6 · weights · words.",
        },
        answer="Four times as much.",
    ),
)

GLOSSARY = {
    "language model": "Gives every word that it knows a chance to come next.",
    "token": "A word or a piece of one: what the model reads and writes.",
    "surprise": "Minus the base-2 logarithm of the chance that a word had. Its mean is what training lowers.",
    "transformer": "A network in which places fetch from each other by attention, block after block.",
    "causal": "Each place sees only what stands before it.",
    "temperature": "Scores are divided by it before the draw. High: daring.",
    "top-k": "Only the k likeliest words stay in the hat.",
    "logit lens": "Reading off the answer after an early block.",
    "activation patching": "Putting numbers from one run into another, to see what they carry.",
    "induction head": "An attention head that looks at what came after the last time.",
    "to make up (hallucinate)": "To state what no source supports, in the same voice as what one does.",
    "control": "A comparison that could have shown you wrong.",
}

SOURCES = (
    ("Vaswani and others, 2017, Attention Is All You Need", "https://arxiv.org/abs/1706.03762"),
    (
        "nostalgebraist, 2020, interpreting GPT: the logit lens",
        "https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru/interpreting-gpt-the-logit-lens",
    ),
    ("Olsson and others, 2022, In-context Learning and Induction Heads", "https://arxiv.org/abs/2209.11895"),
    (
        "Meng and others, 2022, Locating and Editing Factual Associations in GPT (patching)",
        "https://arxiv.org/abs/2202.05262",
    ),
    ("Kalai, Vempala, 2024, Calibrated Language Models Must Hallucinate", "https://arxiv.org/abs/2311.14648"),
    ("Lin, Hilton, Evans, 2022, TruthfulQA: how models mimic human falsehoods", "https://arxiv.org/abs/2109.07958"),
    ("Kaplan and others, 2020, Scaling Laws for Neural Language Models (6 N D)", "https://arxiv.org/abs/2001.08361"),
    (
        "Brown and others, 2020, Language Models are Few-Shot Learners (GPT-3; operations in its appendix D)",
        "https://arxiv.org/abs/2005.14165",
    ),
    (
        "Hoffmann and others, 2022, Training Compute-Optimal Large Language Models (Chinchilla)",
        "https://arxiv.org/abs/2203.15556",
    ),
    (
        "Llama team, 2024, The Llama 3 Herd of Models (weights, words, operations, share of the peak reached)",
        "https://arxiv.org/abs/2407.21783",
    ),
    (
        "Meta, 2024, model card of Llama 3.1 (chip hours, watts)",
        "https://github.com/meta-llama/llama-models/blob/main/models/llama3_1/MODEL_CARD.md",
    ),
    (
        "NVIDIA, data sheet of the H100 SXM (operations a second, watts)",
        "https://www.nvidia.com/en-us/data-center/h100/",
    ),
    ("Rajbhandari and others, 2020, ZeRO (16 bytes a weight while learning)", "https://arxiv.org/abs/1910.02054"),
)

LESSON = Lesson(
    number=13,
    title="Language models",
    question="How does a model write, and why does it make things up?",
    goals=(
        "say how a model writes, and set temperature and top-k on purpose",
        "find out which words, places and heads an answer came from, with controls",
        "measure how it makes things up, judge three remedies, and work out what a model costs",
    ),
    minutes=(50, 1),
    know_first=("lesson 00: training and scores", "lesson 04: credit and its start"),
    exercises=EXERCISES,
    predictions=PREDICTIONS,
    quiz=QUIZ,
    orders=(WRITING,),
    recall=((0, "control"), (2, "untrained"), (4, "completeness"), (7, "faithful")),
    glossary=GLOSSARY,
    sources=SOURCES,
)
