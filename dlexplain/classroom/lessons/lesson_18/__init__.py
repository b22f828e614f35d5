"""Lesson 18, the audit: exercises with their checks, predictions, quiz, ordering, words and sources."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dlexplain.classroom import Exercise, Lesson, Ordering, Prediction, Question
from dlexplain.classroom.lessons.lesson_18.checks import (
    check_after_pass,
    check_clauses,
    check_evidence,
    check_verdict,
)

Checks = Sequence[tuple[str, bool]]


def _verdict(checks: Checks) -> str:
    gates = [status for status, gate in checks if gate]
    if "FAIL" in gates:
        return "FAIL"
    return "PASS" if "PASS" in gates and "INCONCLUSIVE" not in gates else "INCONCLUSIVE"


def _of(rule: Callable[[list[str]], str], *, gates_only: bool = True) -> Callable[[Checks], str]:
    return lambda checks: rule([status for status, gate in checks if gate or not gates_only])


def _majority(found: list[str]) -> str:
    return max(("PASS", "FAIL", "INCONCLUSIVE"), key=found.count)


EXERCISES = (
    Exercise(
        name="verdict",
        check=check_verdict,
        expects="your function `verdict`",
        hints=(
            "Which checks may decide at all? Keep those first.",
            "Among the statuses that are left: is there a `FAIL`? If not, an `INCONCLUSIVE`? If not, a `PASS`?",
            "In this order:\n```\n"
            'if "FAIL" in gates:\n    return "FAIL"\n'
            'if "INCONCLUSIVE" in gates or "PASS" not in gates:\n    return "INCONCLUSIVE"\n'
            'return "PASS"\n```',
        ),
        reference=_verdict,
        wrong={
            "majority vote": (_of(_majority), "no majority vote"),
            "every check gates": (
                _of(lambda s: "FAIL" if "FAIL" in s else "PASS", gates_only=False),
                "does not gate",
            ),
            "INCONCLUSIVE means fail": (
                _of(lambda s: "FAIL" if {"FAIL", "INCONCLUSIVE"} & set(s) else "PASS"),
                "nobody knows yet",
            ),
            "open means pass": (_of(lambda s: "FAIL" if "FAIL" in s else "PASS"), "An open question"),
            "not run counts": (
                _of(lambda s: "FAIL" if "FAIL" in s else "PASS" if set(s) == {"PASS"} else "INCONCLUSIVE"),
                "NOT RUN does not count",
            ),
            "nothing returned": (lambda checks: None, "gave nothing back"),
        },
    ),
    Exercise(
        name="evidence",
        check=check_evidence,
        expects='a list of letters, such as `["A", "D"]`',
        hints=(
            "Do not look at the maps. Look at the table below them, and at its last row.",
            "Go column by column and strike out every letter that is on the wrong side of the threshold.",
            'One letter is left:\n```\nevidence = ["C"]\n```',
        ),
        reference=["C"],
        wrong={
            "the nicest": (["B"], "the nicest map is not the best"),
            "the nicest beside the right one": (["B", "C"], "the nicest map is not the best"),
            "another class": (["A", "C"], "another class"),
            "chance": (["D"], "One criterion never decides"),
            "nothing": ([], "At least one"),
            "no such letter": (["E"], "none of the four"),
            "a number": (3, "A list of letters"),
        },
    ),
    Exercise(
        name="after_pass",
        check=check_after_pass,
        expects="a number from 0 to 1",
        hints=(
            "Think of 100 networks: 20 faulty, 80 sound. Audit them all.",
            "Of the 20 faulty ones a tenth passes: 2. Of the 80 sound ones 95 % pass: 76.",
            "The faulty among all that passed:\n```\nafter_pass = 2 / (2 + 76)\n```",
        ),
        reference=2 / 78,
        wrong={
            "PASS means no faults": (0, "does not mean"),
            "share that slips through": (0.1, "of the **faulty** that pass"),
            "share before the audit": (0.2, "before the audit"),
            "not divided": (0.02, "Divide by those that **passed**"),
            "nobody accused": (2 / 82, "5% of them are accused"),
            "by the sound": (2 / 80, "divided by the sound"),
            "rounded": (0.03, "was it rounded"),
            "a count": (2, "So many faulty networks pass"),
            "in per cent": (100 * 2 / 78, "in per cent"),
            "text": ("0.026", "without quotation marks"),
        },
    ),
    Exercise(
        name="clauses",
        check=check_clauses,
        expects="a dictionary with a section number, or None, for each demand",
        hints=(
            "Ask of each demand: which section **measures** this?",
            "Figures: 4. Groups: 5. Examined explainers: 7. Misled: 10 or 11. What happens after today: ?",
            "After today nothing is measured here:\n```\n"
            'clauses = {"accuracy": 4, "groups": 5, "attack": 11, "explanation": 7, "monitoring": None}\n```',
        ),
        reference={"accuracy": 4, "groups": 5, "attack": 10, "explanation": 7, "monitoring": None},
        wrong={
            "a photograph for a film": (
                {"accuracy": 4, "groups": 5, "attack": 10, "explanation": 7, "monitoring": 4},
                "a photograph",
            ),
            "shown for examined": (
                {"accuracy": 4, "groups": 5, "attack": 10, "explanation": 9, "monitoring": None},
                "put to a test",
            ),
            "average for groups": (
                {"accuracy": 4, "groups": 4, "attack": 10, "explanation": 7, "monitoring": None},
                "An average hides a group",
            ),
            "explainers for the model": (
                {"accuracy": 4, "groups": 5, "attack": 7, "explanation": 7, "monitoring": None},
                "can be misled",
            ),
            "one left out": ({"accuracy": 4}, "Fill in all five"),
            "a list": ([4, 5, 10, 7, None], "A dictionary is wanted"),
        },
    ),
)

PREDICTIONS = (
    Prediction(
        "first_verdict",
        "The audit asks some thirty questions about Network 1. Which word will stand on top?",
        choices=("PASS", "INCONCLUSIVE", "FAIL"),
    ),
    Prediction(
        "in_use",
        "In use, nobody has been to the tumour clinic yet: the column is low for everyone. "
        "Of 100 sick, how many will Network 1 still find?",
        low=0,
        high=100,
        step=1,
        unit="of 100",
    ),
    Prediction(
        "silence",
        "We blur the leak step by step. At some blur the audit falls silent. Is the harm gone by then?",
        choices=("Yes, the threshold stands where harm begins", "No, some harm is left"),
    ),
    Prediction(
        "machine",
        "The verdict alone decides on the eight: sign at PASS. How many faulty networks does it sign?",
        choices=("none", "one", "two or more"),
    ),
)

STEPS = Ordering(
    "steps",
    "You audit from scratch. Put the steps in order, and leave out what does not belong.",
    lines=(
        "write down what the model is for, and what a wrong answer costs",
        "hold back data that the model has never seen",
        "run dlx.audit on the model and these data",
        "check which explainers passed their own exam",
        "read what the model looks at, by those explainers only",
        "ask a person who knows the data when each column is filled in",
        "sign, or do not sign, and say what was not tested",
    ),
    after={2: (0, 1), 3: (2,), 4: (3,), 5: (4,), 6: (5,)},
    distractors={
        "pick the explainer with the neatest maps": "neat is not true. The exam picks.",
        "raise the thresholds until nothing fails": "then the thermometer is broken, and the patient is still ill.",
    },
    because={
        (0, 2): "because what is good enough depends on the use. Decided afterwards, it bends to the result.",
        (1, 2): "it needs rows that the model could not learn by heart.",
        (2, 3): "it is the audit that examines them.",
        (3, 4): "because a map that fails its exam is no evidence.",
        (4, 5): "because what the model leans on tells you which columns to ask about.",
        (5, 6): "because no check can know what that person knows.",
    },
)

QUIZ = (
    Question(
        "not_detected",
        "The check on leakage says “not detected”. What follows?",
        choices={
            "There is no leak.": "No. A weaker leak than the threshold passes, and does harm.",
            "No leak as strong as those it was tested on was found here.": "Yes. The power statement says how strong.",
            "Nothing at all.": "Too little. Strong leaks are caught nearly always, so these are unlikely.",
        },
        answer="No leak as strong as those it was tested on was found here.",
    ),
    Question(
        "inconclusive",
        "A check is INCONCLUSIVE: too few rows in each group. What do you do?",
        choices={
            "Refuse for good: it failed.": "No. Nothing was found against the model.",
            "Sign: nothing failed.": "No. The question is open, and it is one that gates.",
            "Get what it asks for, then audit again.": "Yes. The check says what is missing.",
        },
        answer="Get what it asks for, then audit again.",
    ),
    Question(
        "accuracy_hides",
        "A network is right on 100 % of new rows. Which fault can it still have?",
        choices={
            "A leak: the test rows know the answer, too.": "Yes. The test is then as wrong as the training.",
            "None: new rows cannot lie.": "They can, if they were collected in the same way.",
            "Only one in its code.": "No. Network 1 had no mistake in its code.",
        },
        answer="A leak: the test rows know the answer, too.",
    ),
    Question(
        "control_rows",
        "Why do a random and a model-blind map stand in the exam's table?",
        choices={
            "To show what a score is worth: what knows nothing gets so much.": "Yes. A score alone says little.",
            "To make the other rows look good.": "No. Now and then they win, and that is the point.",
            "They are methods for everyday use.": "No. They are wrong for sure. That is their use.",
        },
        answer="To show what a score is worth: what knows nothing gets so much.",
    ),
    Question(
        "who_signs",
        "The record says PASS. Who answers for the use of the model?",
        choices={
            "The program.": "No. A program answers for nothing.",
            "Whoever wrote the checks.": "No. They did not know your use.",
            "Whoever signs.": "Yes. The record is evidence, not a decision.",
        },
        answer="Whoever signs.",
    ),
)

GLOSSARY = {
    "audit": "Questions to a model and its explanations, set down before, with figures, and a verdict.",
    "check": "One question with a figure, a threshold and a status.",
    "gate": "A check that may decide the verdict. Others only warn.",
    "INCONCLUSIVE": "The question is open. It is neither good nor bad news; something is missing.",
    "NOT RUN": "The check does not apply here, or was not asked for. The record names it.",
    "leak": "A column that knows the answer, because it is filled in afterwards.",
    "shortcut": "A sign that goes with the answer in these data only, such as a mark in the picture.",
    "slice": "A group of rows by one or two columns.",
    "exam of the explainers": "Tests that a map must pass before it may serve as evidence.",
    "power": "The share of planted faults that an audit catches.",
    "false accusation": "A sound model that is refused.",
    "calibrated": "As often right as sure.",
    "Brier score": "Mean squared distance of your sureness from the truth. 0 is perfect; a coin earns 0.25.",
}

SOURCES = (
    ("Raji and others, 2020, Closing the AI Accountability Gap (audits within a company)",
     "https://arxiv.org/abs/2001.00973"),
    ("Kapoor and Narayanan, 2023, Leakage and the Reproducibility Crisis in ML-based Science",
     "https://arxiv.org/abs/2207.07048"),
    ("Geirhos and others, 2020, Shortcut Learning in Deep Neural Networks", "https://arxiv.org/abs/2004.07780"),
    ("Adebayo and others, 2018, Sanity Checks for Saliency Maps", "https://arxiv.org/abs/1810.03292"),
    ("Benjamini and Hochberg, 1995, Controlling the False Discovery Rate",
     "https://doi.org/10.1111/j.2517-6161.1995.tb02031.x"),
    ("Wilson, 1927, Probable Inference, the Law of Succession, and Statistical Inference",
     "https://doi.org/10.1080/01621459.1927.10502953"),
    ("Brier, 1950, Verification of Forecasts Expressed in Terms of Probability",
     "https://doi.org/10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2"),
    ("Weerts and others, 2023, Fairlearn: Assessing and Improving Fairness of AI Systems",
     "https://arxiv.org/abs/2303.16626"),
    ("Mitchell and others, 2019, Model Cards for Model Reporting", "https://arxiv.org/abs/1810.03993"),
    ("Regulation (EU) 2024/1689, the AI Act: Articles 13 and 15, Annex IV",
     "https://eur-lex.europa.eu/eli/reg/2024/1689/oj"),
    ("NIST AI 100-1, 2023, AI Risk Management Framework 1.0", "https://doi.org/10.6028/NIST.AI.100-1"),
    ("NISTIR 8312, 2021, Four Principles of Explainable Artificial Intelligence",
     "https://doi.org/10.6028/NIST.IR.8312"),
    ("Street, Wolberg and Mangasarian, 1993, the breast cancer data", "https://doi.org/10.1117/12.148698"),
)  # fmt: skip

LESSON = Lesson(
    number=18,
    title="Audit",
    question="Would you sign?",
    goals=(
        "run an audit of a Keras and of a Torch network, and read its record",
        "tell PASS from “no faults”, and INCONCLUSIVE from FAIL",
        "admit only explanations that passed their own exam",
        "decide under limited time, and know how often you and the machine are wrong",
    ),
    minutes=(60, 2),
    know_first=(
        "lesson 00: training, new data, controls",
        "lesson 02: dead units",
        "lessons 04 and 07: maps, and their exam",
    ),
    exercises=EXERCISES,
    predictions=PREDICTIONS,
    quiz=QUIZ,
    orders=(STEPS,),
    recall=((0, "control"), (2, "untrained"), (4, "same_map"), (7, "chance_passes"), (7, "faithful")),
    glossary=GLOSSARY,
    sources=SOURCES,
)
