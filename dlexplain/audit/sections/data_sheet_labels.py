"""Of the data sheet: labels that are likely wrong, and classes with few rows."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from dlexplain.audit.check import check
from dlexplain.audit.record import Check
from dlexplain.errors import MissingPackageError

if TYPE_CHECKING:
    from dlexplain.audit.subject import Subject

LEAST = 5  # rows of a class that label noise can be judged by


@check(section=3, title="Labels are likely right", tasks=("classification",))
def label_noise(subject: Subject) -> Check:
    """The share of rows whose label confident learning takes for wrong (Northcutt 2021), by the model's probabilities."""
    present, counts = np.unique(subject.labels, return_counts=True)
    if len(present) < 2 or counts.min() < LEAST:
        thin = [subject.class_names[int(k)] for k, c in zip(present, counts, strict=True) if c < LEAST]
        return subject.judged(
            "label_noise",
            None,
            status="INCONCLUSIVE",
            reason=f"Too few rows of {', '.join(thin[:5])} to judge labels by."
            if thin
            else "All rows are of one class.",
            advice=f"Give at least {LEAST} rows of each class.",
        )
    found = suspects(subject)
    return subject.judged(
        "label_noise",
        len(found) / len(subject),
        reason=(
            f"{len(found)} of {len(subject)} labels {'is' if len(found) == 1 else 'are'} likely wrong, judged by the audited model's own probabilities, which "
            "know these rows only if they were trained on."
        ),
        advice="Have a person look at the rows in the table; correct labels that are wrong. Where the model itself is weak, "
        "it suspects labels that are right.",
        evidence=("suspects",) if len(found) else (),
    )


def suspects(subject: Subject) -> np.ndarray:
    """Rows whose label is likely wrong, the likeliest first."""
    return subject.once("label suspects", lambda: _suspects(subject))


def _suspects(subject: Subject) -> np.ndarray:
    try:
        from cleanlab.filter import find_label_issues
    except ImportError as error:
        raise MissingPackageError(
            "Judging labels needs cleanlab, which is not installed. Install it with: pip install 'dlexplain[audit]'."
        ) from error
    present, labels = np.unique(subject.labels, return_inverse=True)
    probabilities = subject.probabilities[:, present.astype(int)]
    total = probabilities.sum(1, keepdims=True)
    probabilities = np.where(total > 0, probabilities / np.maximum(total, 1e-30), 1 / len(present))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the library's own house
        found = find_label_issues(labels, probabilities, return_indices_ranked_by="self_confidence", n_jobs=1)
    return np.asarray(found, int)


@check(section=3, title="Every class has enough rows", tasks=("classification",))
def class_balance(subject: Subject) -> Check:
    """The rows of the smallest class over those of the largest."""
    counts = np.bincount(subject.labels.astype(int), minlength=len(subject.class_names))
    small, large = int(counts.argmin()), int(counts.argmax())
    empty = [subject.class_names[k] for k in np.flatnonzero(counts == 0)]
    if empty:
        reason = f"No row of {', '.join(empty[:8])}: nothing is known of the model there."
    else:
        reason = (
            f"The smallest class, {subject.class_names[small]}, has {counts[small]} rows, the largest, "
            f"{subject.class_names[large]}, {counts[large]}."
        )
    return subject.judged(
        "class_balance",
        counts[small] / counts[large],
        reason=reason,
        advice="Read accuracy class by class (section 4), and give more rows of the small classes.",
        evidence=("classes",),
    )
