"""Lesson 09, recommendations: exercises, predictions, quiz, ordering, words and sources."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlexplain.classroom import Exercise, Lesson, Ordering, Prediction, Question
from dlexplain.classroom.lessons.lesson_09.checks import check_because, check_click, check_fair, check_score


def _click(person: Any, films: Any, chances: Any, clicked: int, rate: float) -> np.ndarray:
    return person + rate * (films[clicked] - chances @ films)


EXERCISES = (
    Exercise(
        name="score",
        check=check_score,
        expects="your function `scores_of`",
        hints=(
            "For one film: multiply its 8 numbers by those of the person, sum up, add its fame.",
            "`films @ person` does that for every row at once: a product and a sum.",
            "So:\n```\nreturn films @ person + fame\n```",
        ),
        reference=lambda person, films, fame: films @ person + fame,
        wrong={
            "no fame": (lambda person, films, fame: films @ person, "left the **fame** out"),
            "not summed": (lambda person, films, fame: films * person, "did not **sum up**"),
            "no person": (lambda person, films, fame: films.sum(axis=1) + fame, "do not depend on the **person**"),
            "angle": (
                lambda person, films, fame: films @ person / np.linalg.norm(films, axis=1) / np.linalg.norm(person),
                "divided by the **lengths**",
            ),
            "one number": (lambda person, films, fame: (films @ person).sum(), "**each film** is wanted"),
        },
    ),
    Exercise(
        name="because",
        check=check_because,
        expects="your function `because`",
        hints=(
            "Each genre gets what its films get together.",
            "`np.bincount(genre, credit, len(genres))` sums the credits, genre by genre.",
            "Take the genre where the sum is largest:"
            "\n```\nsums = np.bincount(genre, credit, len(genres))\nreturn genres[sums.argmax()]\n```",
        ),
        reference=lambda credit, genre, genres: genres[np.bincount(genre, credit, len(genres)).argmax()],
        wrong={
            "largest single": (lambda credit, genre, genres: genres[genre[credit.argmax()]], "**single largest**"),
            "without signs": (
                lambda credit, genre, genres: genres[np.bincount(genre, np.abs(credit), len(genres)).argmax()],
                "with their signs",
            ),
            "mean": (
                lambda credit, genre, genres: genres[(np.bincount(genre, credit) / np.bincount(genre)).argmax()],
                "largest **mean**",
            ),
            "most films": (lambda credit, genre, genres: genres[np.bincount(genre).argmax()], "**Counting** films"),
            "a position": (lambda credit, genre, genres: 0, "Text in quotation marks"),
        },
    ),
    Exercise(
        name="click",
        check=check_click,
        expects="your function `click`",
        hints=(
            "First the film expected: the mean of all films, weighed by their chances.",
            "`expected = chances @ films`. The step goes from there to the film clicked.",
            "So:\n```\nexpected = chances @ films\nreturn person + rate * (films[clicked] - expected)\n```",
        ),
        reference=_click,
        wrong={
            "turned round": (lambda p, films, c, k, rate: p - rate * (films[k] - c @ films), "sign is turned round"),
            "nothing expected": (lambda p, films, c, k, rate: p + rate * films[k], "**expected** is not taken away"),
            "no rate": (lambda p, films, c, k, rate: p + films[k] - c @ films, "Multiply the step by `rate`"),
            "step alone": (lambda p, films, c, k, rate: rate * (films[k] - c @ films), "the step alone"),
            "plain mean": (lambda p, films, c, k, rate: p + rate * (films[k] - films.mean(0)), "by its **chance**"),
            "films moved": (lambda p, films, c, k, rate: films + rate * p, "moved the **films**"),
        },
    ),
    Exercise(
        name="fair",
        check=check_fair,
        expects="your function `fair`",
        hints=(
            "Chance of watching = liking × fame. How do you get rid of a factor? And in logarithms?",
            "The logarithm of the fame is about `np.log(views + 1)`.",
            "Take it away from the scores:\n```\nreturn scores - np.log(views + 1)\n```",
        ),
        reference=lambda scores, views: scores - np.log(views + 1),
        wrong={
            "added": (lambda scores, views: scores + np.log(views + 1), "added the fame once more"),
            "no logarithm": (lambda scores, views: scores - views, "A score is a **logarithm**"),
            "divided": (lambda scores, views: scores / (views + 1), "dividing is **subtracting**"),
            "the same for all": (lambda scores, views: scores - np.log(views + 1).mean(), "changes no order"),
        },
    ),
)

PREDICTIONS = (
    Prediction(
        "hits",
        "Ten films out of 180 are suggested to each new person. For how many of 100 people is the film that they really "
        "watched next among the ten? (Ten drawn by lot: for about 6.)",
        low=0,
        high=100,
        step=1,
        unit="people",
    ),
    Prediction(
        "reason",
        "Which of the six watched films will get the most credit for the suggestion?",
        choices=("the two films of its own genre", "the most famous of the six", "all six alike"),
    ),
    Prediction(
        "fame",
        "Take the tenth of the films that was watched most. Of all films that the network suggests, how many of 100 are "
        "from this tenth?",
        low=0,
        high=100,
        step=1,
        unit="suggestions",
    ),
    Prediction(
        "bubble",
        "They love two genres and click nothing else where they can. How many genres will be on the shelf at the "
        "narrowest, on average?",
        choices=("about one", "two", "three or more"),
    ),
)

ONLINE = Ordering(
    "online",
    "One evening in the cinema. Put the lines in order, and leave out what does not belong.",
    lines=(
        "scores = films @ person + fame",
        "shelf = best_unseen(scores, 8)",
        "clicked = visitor.choose(shelf)",
        "expected = chances(scores) @ films",
        "person = person + rate * (films[clicked] - expected)",
    ),
    after={1: (0,), 2: (1,), 3: (0,), 4: (2, 3)},
    distractors={
        "network.fit(histories, answers)": "nobody trains the whole network for one click.",
        "films[clicked] = films[clicked] + rate": "the films are everybody's; a click moves the person.",
    },
    because={
        (0, 1): "the shelf shows the best scores.",
        (1, 2): "only what is on the shelf can be clicked.",
        (0, 3): "the chances come from the scores.",
        (2, 4): "the step goes towards the film clicked.",
        (3, 4): "the step goes away from the film expected.",
    },
)

QUIZ = (
    Question(
        "genres",
        "Films of one genre lie together on the map. How did the network learn the genres?",
        choices={
            "From the titles.": "No. A film is a number in a list for it.",
            "From who watches what together.": "Yes. It never saw a genre.",
            "They were in the training answers.": "No. The answers are films.",
        },
        answer="From who watches what together.",
    ),
    Question(
        "because",
        "“Because you watched Lost Planet.” What does this credit say, at most?",
        choices={
            "That you will like the film.": "No. It is about a score, not about you.",
            "That this film lifted the score most, of those you watched.": "Yes. Fame and the rest stay unsaid.",
            "That without it the film would not be suggested.": "No. A fair share is no lone lift.",
        },
        answer="That this film lifted the score most, of those you watched.",
    ),
    Question(
        "absent",
        "SHAP with other people as background gave credit to films that the person never watched. Why?",
        choices={
            "SHAP made a mistake.": "No. Its sum is right.",
            "It asked what parts this person from those others.": "Yes. Not to have watched a film is a difference.",
            "The network is biased.": "No. It would happen with any network.",
        },
        answer="It asked what parts this person from those others.",
    ),
    Question(
        "hits",
        "A fair list has fewer hits than an unfair one. What follows?",
        choices={
            "The fair list is worse.": "No. With known tastes, it was liked better.",
            "The records favour what was famous, and hits with them.": "Yes. A test is only as fair as its records.",
            "The network must train longer.": "No. It would learn the fame only better.",
        },
        answer="The records favour what was famous, and hits with them.",
    ),
    Question(
        "loop",
        "The shelf closes even round people without any preference. What follows?",
        choices={
            "They have a secret taste.": "No. They were made without one.",
            "The loop of showing and clicking narrows by itself.": "Yes. A few places by lot help.",
            "The network was trained badly.": "No. It hit well. Showing and clicking feed each other.",
        },
        answer="The loop of showing and clicking narrows by itself.",
    ),
)

GLOSSARY = {
    "embedding": "A row of learned numbers that stands for something, such as a film.",
    "two towers": "A network in two parts: one turns a person into numbers, one a film. The score compares both.",
    "history": "The films that a person has watched: ones and zeros.",
    "hit": "The film really watched next is among those suggested.",
    "newcomer": "Somebody who has watched nothing yet. The network can only offer what is famous.",
    "online update": "A small step after each click, without training anew.",
    "popularity bias": "What is famous is suggested more than it is liked.",
    "filter bubble": "The shelf gets narrower than the person's taste.",
    "exploration": "Showing some films by lot, to learn what would not be shown otherwise.",
    "effective number": "As many equal parts as would be equally varied. Two halves count 2; nine and one count less.",
    "t-SNE": "A way to draw a map of rows of numbers: near ones stay near. Far distances mean nothing.",
    "planted taste": "The taste that we built into a made-up person: the truth to check against.",
    "control": "A comparison that could have shown you wrong.",
}

SOURCES = (
    (
        "Covington, Adams, Sargin, 2016, Deep neural networks for YouTube recommendations",
        "https://doi.org/10.1145/2959100.2959190",
    ),
    (
        "Yi and others, 2019, Sampling-bias-corrected neural modeling for large corpus item recommendations (two towers)",
        "https://doi.org/10.1145/3298689.3346996",
    ),
    (
        "Menon and others, 2021, Long-tail learning via logit adjustment (subtracting the logarithm)",
        "https://arxiv.org/abs/2007.07314",
    ),
    (
        "Abdollahpouri, Burke, Mobasher, 2019, Managing popularity bias in recommender systems",
        "https://arxiv.org/abs/1901.07555",
    ),
    (
        "Chaney, Stewart, Engelhardt, 2018, How algorithmic confounding in recommendation systems increases homogeneity",
        "https://doi.org/10.1145/3240323.3240370",
    ),
    (
        "van der Maaten, Hinton, 2008, Visualizing data using t-SNE",
        "https://www.jmlr.org/papers/v9/vandermaaten08a.html",
    ),
    (
        "Harper, Konstan, 2015, The MovieLens datasets: history and context",
        "https://doi.org/10.1145/2827872",
    ),
    (
        "Lundberg, Lee, 2017, A unified approach to interpreting model predictions (SHAP)",
        "https://arxiv.org/abs/1705.07874",
    ),
)

LESSON = Lesson(
    number=9,
    title="Recommendations",
    question="Why was this suggested, and how does taste update while the user clicks?",
    goals=(
        "train a network of two towers, and see what its embeddings have learned",
        "say why a film was suggested, and check the reason against a planted taste",
        "update a person's numbers click by click",
        "measure popularity bias and the filter bubble, and say what helps",
    ),
    minutes=(45, 1),
    know_first=("lesson 00: training and scores", "lesson 05: Shapley values"),
    exercises=EXERCISES,
    predictions=PREDICTIONS,
    quiz=QUIZ,
    orders=(ONLINE,),
    recall=((5, "background"), (5, "order"), (8, "rare"), (0, "control")),
    glossary=GLOSSARY,
    sources=SOURCES,
)
