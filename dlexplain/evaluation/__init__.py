"""Is an explanation true? Metrics in six families, each beside a random and a model-blind row."""

from __future__ import annotations

from dlexplain.evaluation.agreement import Agreement, agreement
from dlexplain.evaluation.evaluate import evaluate
from dlexplain.evaluation.explainer import Examinee, of_method
from dlexplain.evaluation.metric import Metric, metric
from dlexplain.evaluation.registry import metrics
from dlexplain.evaluation.result import Evaluation
from dlexplain.evaluation.trial import Trial

__all__ = [
    "Agreement",
    "Evaluation",
    "Examinee",
    "Metric",
    "Trial",
    "agreement",
    "evaluate",
    "metric",
    "metrics",
    "of_method",
]
