"""The questions of the explainers' exam: samples, what is removed from them and how the outputs fall, shared by all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dlexplain.attribution.baselines import with_padding
from dlexplain.errors import DlexplainError
from dlexplain.evaluation.trial import Trial

if TYPE_CHECKING:
    from dlexplain.audit.subject import Subject
    from dlexplain.frameworks.model import Model
    from dlexplain.frameworks.questions import Inputs

SAMPLES = 24
DRAWS = 100
QUARTER = 0.25
STEPS = 20
MOST_ABLATED = 256
COPIES = 3


@dataclass(frozen=True, eq=False)
class Setting:
    """What every examinee is asked on. `trial`: its values are zeros. `removed`: bool `(draws, features)`. `falls`:
    `(n, draws, outputs)`, by how much each output falls when those features go to the baseline. `ablated`: features
    removed one at a time, `(k,)`, and `moves`, `(n, k)`, by how much the target changes. `by_chance`: `(n,)`, the area
    under the deletion curve of a random order; `direction`: -1 where the sample's output lies below the baseline's.
    `copies`: fully re-initialised models, each told alone or only in their mean, without the layers `unreset`. `unit`: what a large change of the output is.
    """

    trial: Trial
    part: np.ndarray
    embedded_output: np.ndarray
    deviation: Inputs
    removed: np.ndarray
    falls: np.ndarray
    ablated: np.ndarray
    moves: np.ndarray
    by_chance: np.ndarray
    direction: np.ndarray
    copies: tuple[Model, ...]
    copies_alone: bool
    unreset: tuple[str, ...]
    unit: float


def setting(subject: Subject) -> Setting:
    """The same for every method, made once."""
    return subject.once("exam setting", lambda: _setting(subject))


def _setting(subject: Subject) -> Setting:
    part = subject.sample("exam", SAMPLES)
    trial = trial_of(subject, part)
    embedded = embedded_output(trial)
    if not np.isfinite(trial.baseline_output).all():  # padding alone, where a mean over what is no padding is asked
        trial = replace(trial, baseline_output=embedded)
    rng = subject.rng("exam removals")
    count = trial.count
    quarter = max(1, round(QUARTER * count))
    removed = np.zeros((DRAWS, count), bool)
    np.put_along_axis(removed, rng.random((DRAWS, count)).argpartition(quarter - 1, 1)[:, :quarter], True, 1)
    falls = _falls(trial, removed, odds=bounded(subject))
    ablated = np.sort(rng.choice(count, min(count, MOST_ABLATED), replace=False))
    alone = np.ones((1, len(ablated), count), bool)
    alone[0, np.arange(len(ablated)), ablated] = False
    moves = trial.output[:, None] - trial.scores(lambda _, a, b: alone[:, a:b], len(ablated), shared=True)
    orders = [rng.random((len(trial), count)) for _ in range(3)]
    by_chance = np.mean([deletion_area(trial, order) for order in orders], 0)
    direction = np.where(trial.output < trial.baseline_output, -1.0, 1.0)
    copies, unreset = reinitialised(subject, trial.inputs, COPIES if plain(subject) else COPIES + 1)
    tokens = [v is not None for v in subject.model.token_inputs(trial.inputs)]
    deviation = tuple(a.std(0) if not t else None for a, t in zip(subject.inputs, tokens, strict=True))
    unit = 1.0 if subject.task == "classification" else float(subject.outputs.std()) or 1.0
    return Setting(
        trial,
        part,
        embedded,
        deviation,
        removed,
        falls,
        ablated,
        moves,
        by_chance,
        direction,
        copies,
        plain(subject),
        unreset,
        unit,
    )


def embedded_output(trial: Trial) -> np.ndarray:
    """`(n,)`: the output with the embeddings of the baseline's token ids in the place of the samples' own."""
    if all(v is None for v in trial.model.token_inputs(trial.inputs)):
        return trial.baseline_output
    return trial.model.embedded_scores(trial.inputs, trial.baseline, trial.target, trial.rows, background=False)


def trial_of(subject: Subject, part: np.ndarray) -> Trial:
    """A trial of some rows, with zeros for values."""
    model = subject.model
    inputs = tuple(a[part] for a in subject.inputs)
    baseline = with_padding(subject.baseline, model, inputs)
    target = subject.target(part)
    lower = tuple(np.broadcast_to(b, a.shape) for a, b in zip(inputs, baseline, strict=True))
    return Trial(
        model=model,
        inputs=inputs,
        target=target,
        values=tuple(np.zeros(a.shape) for a in inputs),
        baseline=baseline,
        output=model.scores(inputs, target, subject.rows).astype(np.float64),
        baseline_output=model.scores(lower, target, subject.rows).astype(np.float64),
        kinds=model.kinds(inputs),
        features=feature_numbers(model, inputs),
        rows=subject.rows,
        seed=subject.seed,
    )


def feature_numbers(model: Model, inputs: Inputs) -> Inputs:
    """Which feature each value is of: the channels of a pixel go together, every other value is a feature."""
    numbers = []
    for array, kind in zip(inputs, model.kinds(inputs), strict=True):
        shape = list(array.shape[1:])
        if kind == "image" and len(shape) == 3:
            shape[0 if model.layout == "channels_first" else 2] = 1
        numbers.append(np.arange(int(np.prod(shape))).reshape(shape))
    return tuple(numbers)


def deletion_area(trial: Trial, order: np.ndarray) -> np.ndarray:
    """`(n,)`: the mean height above the baseline's output while features go, the largest of `order` `(n, count)` first."""
    rank = (-order).argsort(1, kind="stable").argsort(1)
    steps = min(STEPS, trial.count)
    gone = np.linspace(0, trial.count, steps + 1)[1:-1].round() if steps > 1 else np.zeros(1)

    def masks(samples: slice, start: int, stop: int) -> np.ndarray:
        return rank[samples, None] >= gone[None, start:stop, None]

    return trial.scores(masks, len(gone)).mean(1) - trial.baseline_output


def plain(subject: Subject) -> bool:
    """Whether maps have so many features, each with weights of its own, that those of random models differ by chance."""
    return subject.kind == "image"


def bounded(subject: Subject) -> bool:
    """Whether the model gives probabilities and not logits."""
    low, high = float(subject.outputs.min()), float(subject.outputs.max())
    return subject.task == "classification" and low >= -1e-6 and high <= 1 + 1e-6


def _falls(trial: Trial, removed: np.ndarray, *, odds: bool) -> np.ndarray:
    """`(n, draws, outputs)`: every output at once, so that a map of another class can be told; `odds`: of a probability
    the fall of its log-odds, because the probability of a model that is sure does not move until it moves at once."""
    score = _log_odds if odds else _wide
    n, sizes = len(trial), [int(f.max()) + 1 for f in trial.features]
    parts = np.split(removed, np.cumsum(sizes)[:-1], 1)
    masks = [p[:, f] for p, f in zip(parts, trial.features, strict=True)]
    whole = score(trial.model.all_outputs(trial.inputs, trial.rows)[trial.target.head])
    falls = np.zeros((n, len(removed), whole.shape[1]))
    step = max(1, trial.rows // len(removed))
    for start in range(0, n, step):
        rows = slice(start, min(start + step, n))
        mixed = []
        for array, lower, mask in zip(trial.inputs, trial.baseline, masks, strict=True):
            low = lower if len(lower) == 1 else lower[rows]
            cut = np.where(mask[None], low[:, None], array[rows, None])
            mixed.append(cut.reshape(-1, *array.shape[1:]).astype(array.dtype))
        outputs = score(trial.model.all_outputs(tuple(mixed), trial.rows)[trial.target.head])
        falls[rows] = whole[rows, None] - outputs.reshape(rows.stop - start, len(removed), -1)
    return falls


def _wide(outputs: np.ndarray) -> np.ndarray:
    return outputs.reshape(len(outputs), -1).astype(np.float64)


def _log_odds(outputs: np.ndarray) -> np.ndarray:
    p = np.clip(_wide(outputs), 1e-7, 1 - 1e-7)
    return np.log(p) - np.log1p(-p)


def reinitialised(subject: Subject, inputs: Inputs, number: int) -> tuple[tuple[Model, ...], tuple[str, ...]]:
    """Copies of the model with every layer re-initialised, and the layers that cannot be; no copies where none can."""
    model = subject.model
    leaves = list(model.weighted(inputs))
    if not leaves:
        return (), ()
    seeds = [int(s) for s in subject.rng("exam copies").integers(2**31, size=number)]
    able, unable = leaves, []
    try:
        first = model.reinitialised(leaves, seeds[0])
    except DlexplainError:
        able = [name for name in leaves if _can_reset(model, name)]
        unable = [name for name in leaves if name not in able]
        if not able:
            return (), tuple(unable)
        first = model.reinitialised(able, seeds[0])
    return (first, *(model.reinitialised(able, s) for s in seeds[1:])), tuple(unable)


def _can_reset(model: Model, name: str) -> bool:
    try:
        model.reinitialised([name], 0)
    except DlexplainError:
        return False
    return True
