"""Section 4: how often the model is right, how sure that is, and whether its probabilities mean what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dlexplain.audit.check import check, section
from dlexplain.audit.record import Check, Exhibit, Part, Table
from dlexplain.audit.sections import performance_numbers as numbers

if TYPE_CHECKING:
    from dlexplain.audit.sections.performance_numbers import Calibration, Estimate
    from dlexplain.audit.subject import Subject

TITLE = "Performance"
QUESTION = "How often is the model right, how sure is that figure, and do its probabilities mean what they say?"
FEW = 50  # rows under which a model that is not shown to be better is not called worse either
NEEDED = 100  # rows that calibration needs


@check(section=4, title="Better than the trivial predictor")
def accuracy(subject: Subject) -> Check:
    """By how much the model beats the best constant answer, at the lower end of the interval: balanced accuracy less what
    one class for all would get, or R2."""
    found = figures(subject)
    if subject.task == "regression":
        return _better_than_mean(subject, found["R2"])
    present = len(np.unique(subject.labels))
    if present < 2:
        return subject.judged(
            "accuracy",
            None,
            status="INCONCLUSIVE",
            reason=f"All {len(subject)} rows are of one class, so that no model can be better than naming it.",
            advice="Give rows of every class.",
        )
    got, chance = found["balanced accuracy"], 1 / present
    majority = np.bincount(subject.labels).max() / len(subject)
    reason = (
        f"Balanced accuracy is {got}; naming one class for every row gives {chance:.3g}. Accuracy is "
        f"{found['accuracy'].value:.3g}; always naming the most frequent class gives {majority:.3g}."
    )
    return _judged(subject, got.value - chance, (got.low - chance, got.high - chance), reason)


def _better_than_mean(subject: Subject, got: Estimate) -> Check:
    if not np.isfinite(got.value):
        return subject.judged(
            "accuracy",
            None,
            status="INCONCLUSIVE",
            reason="All known answers are the same number, so that no model can be better than naming it.",
            advice="Give rows with different answers.",
        )
    reason = f"R2 is {got}: the share of the squared error of the mean answer that the model takes away."
    return _judged(subject, got.value, got.interval, reason)


def _judged(subject: Subject, gain: float, interval: tuple[float, float], reason: str) -> Check:
    """The lower end of the interval is what is judged; few rows that leave it open accuse nobody."""
    threshold = subject.profile.thresholds.get("accuracy")
    few = len(subject) < FEW and threshold is not None and threshold.met(gain) and not threshold.met(interval[0])
    return subject.judged(
        "accuracy",
        interval[0],
        interval=interval,
        reason=reason + (f" With {len(subject)} rows the interval is too wide to tell." if few else ""),
        advice=f"Give at least {FEW} rows."
        if few
        else "Do not use the model: it has not learned its task, or the rows are "
        "not prepared as they were in training (scale, order of classes or columns).",
        evidence=("performance",),
        status="INCONCLUSIVE" if few else None,
    )


@check(section=4, title="Probabilities mean what they say", tasks=("classification",))
def calibration(subject: Subject) -> Check:
    """Expected calibration error above what a perfectly calibrated model would show on so many rows."""
    if len(subject) < NEEDED:
        return subject.judged(
            "calibration",
            None,
            status="INCONCLUSIVE",
            reason=f"{len(subject)} rows are too few to tell: bins of them would differ by chance.",
            advice=f"Give at least {NEEDED} rows.",
        )
    found = calibrated(subject)
    return subject.judged(
        "calibration",
        found.excess,
        reason=(
            f"The expected calibration error is {found.error}; on so many rows a perfectly calibrated model would show "
            f"{found.chance:.3g}, so that {found.excess:.3g} is the model's own. {_direction(found)}"
        ),
        advice=_temperature_advice(found),
        interval=found.error.interval,
        evidence=("reliability",),
    )


def _direction(found: Calibration) -> str:
    gap = float(np.average(found.confidence - found.accuracy, weights=found.count))
    if found.excess < 0.01:
        return "Its probabilities can be read as they are."
    return f"It is {'over' if gap > 0 else 'under'}confident: on average it says {abs(gap):.3g} too {'much' if gap > 0 else 'little'}."


def _temperature_advice(found: Calibration) -> str:
    t, (before, after) = found.temperature, found.log_loss
    if t > 19 or t < 0.051:
        return "No temperature mends it: the probabilities carry no more than the class. Train with label smoothing or less long."
    return (
        f"Divide the logits by a temperature near {t:.2g} (log loss {before:.3g} becomes {after:.3g}). It was fitted on these "
        "very rows: fit it anew on rows set aside for that, and audit again."
    )


def figures(subject: Subject) -> dict[str, Estimate]:
    """Every figure with its interval; accuracy with Wilson's."""

    def make() -> dict[str, Estimate]:
        rng, n = subject.rng("performance"), len(subject)
        if subject.task == "regression":
            return numbers.bootstrap(numbers.of_values(subject.labels.astype(float), _values(subject)), n, rng)
        labels = subject.labels.astype(np.int64)
        found = numbers.bootstrap(numbers.of_classes(labels, subject.predicted, subject.probabilities), n, rng)
        return {**found, "accuracy": numbers.wilson(float((labels == subject.predicted).sum()), n)}

    return subject.once("performance", make)


def calibrated(subject: Subject) -> Calibration:
    return subject.once(
        "calibration",
        lambda: numbers.calibration(
            subject.labels.astype(np.int64), subject.predicted, subject.probabilities, subject.rng("calibration")
        ),
    )


def _values(subject: Subject) -> np.ndarray:
    return np.asarray(subject.predicted, np.float64).reshape(len(subject))


@section(
    4,
    "Performance",
    "How often is the model right, how sure is that figure, and do its probabilities mean what they say?",
)
def performance_part(subject: Subject, checks: tuple[Check, ...]) -> Part:
    found = figures(subject)
    rows = tuple((name, e.value, e.low, e.high) for name, e in found.items())
    tables = [
        Table(
            id="performance",
            title="Figures with their 95 % intervals",
            columns=("figure", "value", "from", "to"),
            rows=rows,
            note="Accuracy: Wilson; the others: percentile bootstrap over rows.",
        )
    ]
    exhibits: list[Exhibit] = []
    if subject.task == "classification":
        tables.append(_by_class(subject))
        exhibits += _class_exhibits(subject)
        lead = f"The model is right on {found['accuracy'].value:.1%} of {len(subject)} rows"
        lead += f" (95 % interval {found['accuracy'].low:.1%} to {found['accuracy'].high:.1%})."
        if "AUC" not in found:
            lead += " No AUC: only one class is present."
    else:
        tables.append(_by_fifth(subject))
        exhibits.append(_value_exhibit(subject))
        lead = f"The model misses the known answer by {found['mean absolute error'].value:.3g} on average over {len(subject)} rows"
        lead += f" (95 % interval {found['mean absolute error'].low:.3g} to {found['mean absolute error'].high:.3g})."
    return Part(
        number=4,
        title=TITLE,
        question=QUESTION,
        summary=(lead, *(c.reason for c in checks if c.status in ("FAIL", "INCONCLUSIVE"))),
        facts=tuple((name, str(e)) for name, e in found.items()),
        checks=checks,
        tables=tuple(tables),
        exhibits=tuple(exhibits),
        limits=(
            "The intervals hold for rows drawn independently; rows of one patient, machine or source make them too narrow.",
            "They say nothing of data other than these: see section 3 on drift and section 13 on knowledge limits.",
        ),
    )


def _by_class(subject: Subject) -> Table:
    labels, predicted, rows = subject.labels.astype(int), subject.predicted, []
    for k, name in enumerate(subject.class_names):
        truly, said = labels == k, predicted == k
        both = int((truly & said).sum())
        recall, precision = numbers.wilson(both, int(truly.sum())), numbers.wilson(both, int(said.sum()))
        rows.append(
            (
                name,
                int(truly.sum()),
                *((recall.value, recall.low, recall.high) if truly.any() else (None, None, None)),
                *((precision.value, precision.low, precision.high) if said.any() else (None, None, None)),
            )
        )
    columns = ("class", "rows", "recall", "from", "to", "precision", "from", "to")
    return Table(
        id="performance_by_class",
        title="By class",
        columns=columns,
        rows=tuple(rows),
        note="Recall: the share of the class's rows that are found. Precision: the share of rows named so that are of the class.",
    )


def _class_exhibits(subject: Subject) -> list[Exhibit]:
    from dlexplain.audit.sections.performance_figures import exhibit, reliability
    from dlexplain.figures import confusion

    found = []
    names = [str(n) for n in subject.class_names]
    if len(names) <= 40:
        matrix = np.zeros((len(names), len(names)), int)
        np.add.at(matrix, (subject.labels.astype(int), subject.predicted), 1)
        found.append(exhibit("confusion", "Which class is taken for which", confusion(matrix, names)))
    if len(subject) >= NEEDED:
        found.append(
            exhibit("reliability", "Is the model as often right as it says?", reliability(calibrated(subject)))
        )
    return found


def _value_exhibit(subject: Subject) -> Exhibit:
    from dlexplain.audit.sections.performance_figures import POINTS, exhibit, predicted_against_known

    chosen = subject.sample("predicted against known", POINTS)
    figure = predicted_against_known(subject.labels, _values(subject), chosen)
    return exhibit("predicted_against_known", "Predicted against known", figure)


def _by_fifth(subject: Subject) -> Table:
    """Where on the scale of the answers the model errs."""
    labels, error = subject.labels.astype(float), _values(subject) - subject.labels
    rows = []
    for part in np.array_split(np.argsort(labels, kind="stable"), 5):
        if len(part):
            middle = (float(np.mean(error[part])), float(np.mean(np.abs(error[part]))))
            rows.append((f"{labels[part].min():.4g} to {labels[part].max():.4g}", len(part), *middle))
    return Table(
        id="performance_by_fifth",
        title="By the size of the known answer",
        columns=("known answer", "rows", "mean error", "mean absolute error"),
        rows=tuple(rows),
        note="A mean error above zero: the model answers too high.",
    )
