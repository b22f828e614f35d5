"""What is audited: a model, data with known answers, and what the auditor said of them. Checks only read it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import numpy as np

from dlexplain.attribution import Attribution, explain
from dlexplain.audit.profile import Profile
from dlexplain.audit.record import Check, Part, Status
from dlexplain.evaluation.explainer import Examinee
from dlexplain.frameworks.model import Model
from dlexplain.frameworks.questions import Inputs, Target

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Subject:
    """A model of one output head and its data.

    `inputs`: arrays `(n, *shape)`. `labels`: `(n,)`, class numbers or values. `outputs`: `(n, classes)`; `(n, 1)` for a
    regression or one logit. `predicted`: `(n,)` class numbers or values. `probabilities`: `(n, classes)`, None for a
    regression. `background`: what stands for the data when features are removed, `(m, *shape)`. `feature_names`: one a
    column of a table (through all inputs) or a channel of a series; empty for pictures and tokens, unless given.
    `columns`: values for slices, `{name: (n,)}`. `train`: the model's training inputs and labels where they were given.
    `card`: the auditor's words on the use of the model. `assumed`: what was taken as given when the data were read.
    """

    model: Model
    inputs: Inputs
    labels: np.ndarray
    kind: str
    task: Literal["classification", "regression"]
    outputs: np.ndarray
    predicted: np.ndarray
    probabilities: np.ndarray | None
    background: Inputs
    profile: Profile
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...]
    methods: tuple[str, ...]
    explainers: Mapping[str, Examinee] = field(default_factory=dict)  # beside `methods`, those given as functions
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)
    train: tuple[Inputs, np.ndarray] | None = None
    card: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    rows: int = 256
    assumed: tuple[str, ...] = ()
    noisy: bool = False  # the model itself answers the same sample differently, in inference mode
    kept: dict[str, Any] = field(default_factory=dict)  # results that several checks share

    def __len__(self) -> int:
        return len(self.labels)

    def once(self, name: str, make: Callable[[], T]) -> T:
        """A result that several checks share, made by the first that asks."""
        if name not in self.kept:
            self.kept[name] = make()
        return self.kept[name]

    @property
    def told(self) -> dict[int, Part]:
        """The parts of the record made so far, by number; all but the closing ones when section 16, 17 or 0 asks."""
        return self.once("told", dict)

    def rng(self, name: str) -> np.random.Generator:
        """Random numbers for one check, whichever others run."""
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])

    def sample(self, name: str, most: int) -> np.ndarray:
        """Numbers of at most `most` rows, drawn without regard to the answer, in order."""
        n = len(self)
        return np.arange(n) if n <= most else np.sort(self.rng(name).choice(n, most, replace=False))

    @property
    def baseline(self) -> Any:
        """What a removed feature becomes, `(1, *shape)`: the background's mean; for token ids the padding."""
        return tuple(
            b.mean(0, keepdims=True).astype(np.float32)
            if vocabulary is None
            else np.full((1, *b.shape[1:]), self.model.padding(i) or 0, b.dtype)
            for i, (b, vocabulary) in enumerate(
                zip(self.background, self.model.token_inputs(self.background), strict=True)
            )
        )

    def given(self, part: np.ndarray) -> Any:
        """The inputs of some rows, as `dlx.explain` takes them."""
        return self.inputs[0][part] if len(self.inputs) == 1 else tuple(a[part] for a in self.inputs)

    def target(self, part: np.ndarray) -> Target:
        """The predicted class of some rows (output 0 of a regression or of one logit)."""
        wide = self.outputs.shape[1] > 1
        index = self.predicted[part] if wide and self.task == "classification" else np.zeros(len(part))
        return Target(index.astype(np.int64)[:, None])

    def explained(self, method: str, part: np.ndarray, **options: Any) -> Attribution:
        """`dlx.explain` of the predicted class of some rows; the same call is made once."""
        key = f"explained {method} {zlib.crc32(np.ascontiguousarray(part).tobytes())} {sorted(options.items())!r}"
        return self.once(key, lambda: self._explain(method, part, options))

    def _explain(self, method: str, part: np.ndarray, options: Mapping[str, Any]) -> Attribution:
        import warnings

        from dlexplain.attribution import registry

        if registry.get(method).baseline != "none" and "baseline" not in options:
            baseline = tuple(b[0] for b in self.baseline)
            options = {**options, "baseline": baseline if len(baseline) > 1 else baseline[0]}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a gap over tolerance stands in the result's own warnings
            return explain(self.model, self.given(part), method, target=None, seed=self.seed, **options)

    def judged(
        self,
        name: str,
        figure: float | None,
        *,
        reason: str,
        advice: str = "",
        interval: tuple[float, float] | None = None,
        evidence: tuple[str, ...] = (),
        status: Status | None = None,
    ) -> Check:
        """A check's answer: the figure against the profile's threshold, unless `status` says otherwise.

        A figure that is None or not finite, or that the profile has no threshold for, is INCONCLUSIVE.
        """
        return self.profile.judge(
            name, figure, reason=reason, advice=advice, interval=interval, evidence=evidence, status=status
        )
