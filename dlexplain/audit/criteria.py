"""The criteria of the explainers' exam: one figure each, from an examinee's answers to the shared setting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from dlexplain.audit.setting import Setting, deletion_area
from dlexplain.evaluation.correlation import pearson, ranks
from dlexplain.evaluation.explainer import Examinee
from dlexplain.frameworks.questions import Inputs, Target

if TYPE_CHECKING:
    from dlexplain.frameworks.model import Model

NOISE, NOISY = 0.05, 3
ON_NOISE = ON_COPIES = 12  # samples
NO_VALUE, MOVED = 1e-6, 0.2


@dataclass(frozen=True, eq=False)
class Answers:
    """An examinee's maps of the setting's samples, and what it says when asked again under changed conditions."""

    examinee: Examinee
    rough: Examinee  # the same to a hundredth, where changes of tenths are looked for
    setting: Setting
    seed: int

    @cached_property
    def values(self) -> Inputs:
        return self._ask(self.examinee, self.setting.trial.inputs, self.seed)

    @cached_property
    def features(self) -> np.ndarray:
        """`(n, features)`."""
        return self.setting.trial.per_feature(self.values)

    def again(self) -> Inputs:
        """Asked a second time; a method that draws nothing gets another seed and a random state gone on."""
        trial = self.setting.trial
        seed = self.seed if self.examinee.random else self.seed + 1
        with trial.model.preserved(self.seed + 1):
            return self._ask(self.examinee, trial.inputs, seed)

    def of_copy(self, copy: int) -> np.ndarray:
        """`(ON_COPIES, features)`: maps of the first samples with another model of the same shape."""
        trial = self.setting.trial
        inputs = tuple(a[:ON_COPIES] for a in trial.inputs)
        return trial.per_feature(self._ask(self.rough, inputs, self.seed, self.setting.copies[copy]))

    def at_noise(self) -> Inputs:
        """`(NOISY * ON_NOISE, ...)`: maps of the first samples with a twentieth of each feature's deviation as noise."""
        rng, inputs = np.random.default_rng([self.seed, 7]), []
        for array, deviation in zip(self.setting.trial.inputs, self.setting.deviation, strict=True):
            repeated = np.concatenate([array[:ON_NOISE]] * NOISY)
            if deviation is not None:
                noise = rng.standard_normal(repeated.shape) * NOISE * deviation
                repeated = (repeated + noise).astype(np.float32)
            inputs.append(repeated)
        return self._ask(self.rough, tuple(inputs), self.seed, times=NOISY)

    def _ask(self, examinee: Examinee, inputs: Inputs, seed: int, model: Model | None = None, times: int = 1) -> Inputs:
        """Maps of the setting's first samples, given `times` over, for their own targets."""
        trial = self.setting.trial
        index = np.concatenate([trial.target.index[: len(inputs[0]) // times]] * times)
        values = examinee(model or trial.model, inputs, Target(index, trial.target.head), seed)
        return tuple(np.asarray(v, np.float64) for v in values)


def repeatability(answers: Answers) -> float:
    """The largest change between two calls, as a share of the largest value."""
    first, second = answers.values, answers.again()
    largest = max(np.abs(v).max(initial=0) for v in first)
    change = max(np.abs(a - b).max(initial=0) for a, b in zip(first, second, strict=True))
    return float(change / largest) if largest else float(change)


def completeness(answers: Answers) -> float:
    """Median share of the claimed output's change that the values miss; NaN for a method that does not claim it."""
    if not answers.examinee.complete:
        return float("nan")
    trial = answers.setting.trial
    total = answers.features.sum(1)
    gaps = []
    for lower in (trial.baseline_output, answers.setting.embedded_output):
        change = trial.output - lower
        gaps.append(float(np.median(np.abs(total - change) / np.maximum(np.abs(change), 1e-3))))
    return min(gaps)  # token ids may go to the baseline as ids or as their embeddings


def faithfulness_correlation(answers: Answers) -> float:
    """Median over samples of Pearson's correlation between the values removed and the fall of the output (Bhatt 2020).

    Samples whose output never falls are left out. NaN for a method whose values are not contributions.
    """
    own, _ = _follows(answers)
    return float(np.median(own)) if answers.examinee.contribution and len(own) else float("nan")


def wrong_target(answers: Answers) -> float:
    """Share of samples whose values follow the fall of another output better than that of the one explained."""
    own, others = _follows(answers)
    if not others.size or not answers.examinee.contribution:
        return float("nan")
    return float((others.max(1) > own).mean())


def deletion_lift(answers: Answers) -> float:
    """1 - area between the deletion curve and the baseline's output / that of a random order, over all samples.

    Where a sample's output lies below the baseline's, what speaks against it goes first. NaN where chance takes no area.
    """
    setting, signed = answers.setting, answers.examinee.signed
    way = setting.direction if signed else np.ones(len(setting.direction))
    usable = way * setting.by_chance > 0
    if not usable.any():
        return float("nan")
    area = way * deletion_area(setting.trial, way[:, None] * answers.features)
    return float(1 - area[usable].sum() / (way * setting.by_chance)[usable].sum())


def randomisation(answers: Answers) -> float:
    """Spearman's correlation of signed values with those of fully re-initialised models, the mean over samples, taken
    absolutely: for pictures the largest over the copies (Adebayo 2018).

    In tables and series a few features or sensors rule each map, so two random models agree or disagree by chance; what
    is left of that in the mean over more copies is the method's. NaN where no layer can be re-initialised, or with fewer
    than four features.
    """
    setting, found = answers.setting, []
    for copy in range(len(setting.copies) if setting.trial.count >= 4 else 0):
        other = answers.of_copy(copy)
        found.append(float(_correlation(ranks(answers.features[: len(other)]), ranks(other)).mean()))
    if not found:
        return float("nan")
    return float(np.abs(found).max()) if setting.copies_alone else float(abs(np.mean(found)))


def sensitivity(answers: Answers) -> float:
    """Median over samples of the largest relative change of the values under noise of 5 % of each feature's deviation.

    NaN where every input is token ids.
    """
    if all(d is None for d in answers.setting.deviation):
        return float("nan")
    noisy = answers.at_noise()
    n = len(noisy[0]) // NOISY
    change, size = np.zeros((NOISY, n)), np.zeros(n)
    for a, b in zip(answers.values, noisy, strict=True):
        change += np.square(b.reshape(NOISY, n, -1) - a[:n].reshape(1, n, -1)).sum(2)
        size += np.square(a[:n].reshape(n, -1)).sum(1)
    return float(np.median(np.sqrt(change.max(0)) / np.maximum(np.sqrt(size), 1e-12)))


def sensitivity_axiom(answers: Answers) -> float:
    """Share of features that move the output when removed although their value is nothing (Sundararajan 2017)."""
    if not answers.examinee.contribution:
        return float("nan")
    setting = answers.setting
    moved = np.abs(setting.moves) > MOVED * setting.unit
    silent = np.abs(answers.features[:, setting.ablated]) < NO_VALUE * setting.unit
    return float((moved & silent).mean())


CRITERIA: dict[str, Callable[[Answers], float]] = {
    function.__name__: function
    for function in (
        repeatability,
        completeness,
        faithfulness_correlation,
        deletion_lift,
        wrong_target,
        sensitivity_axiom,
        sensitivity,
        randomisation,
    )
}


def _follows(answers: Answers) -> tuple[np.ndarray, np.ndarray]:
    """How well the values removed follow the fall of the target `(m,)`, and of every other output `(m, others)`, for the
    samples whose target falls."""
    setting = answers.setting
    summed = answers.features @ setting.removed.T.astype(np.float64)
    width = setting.falls.shape[2]
    every = np.stack([_correlation(summed, setting.falls[:, :, j]) for j in range(width)], 1)
    place = np.zeros(len(every), int) if width == 1 else answers.setting.trial.target.index[:, -1]
    own = every[np.arange(len(every)), place]
    others = np.ones_like(every, bool)
    others[np.arange(len(every)), place] = False
    falling = np.ptp(setting.falls[np.arange(len(every)), :, place], 1) > 0
    return own[falling], every[others].reshape(len(every), -1)[falling]


def _correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """`(n,)`: a constant row follows nothing."""
    return np.nan_to_num(pearson(a, b))
