"""Who is evaluated: names, attributions, functions or bare maps, each under a label."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dlexplain.attribution import Attribution, explain, registry
from dlexplain.errors import GapWarning, InputError
from dlexplain.evaluation.controls import BLIND, RANDOM
from dlexplain.evaluation.explainer import Examinee, of_method
from dlexplain.frameworks.model import Model
from dlexplain.frameworks.questions import Inputs


@dataclass(frozen=True, eq=False)
class Contender:
    """One row of an evaluation.

    `attribution`: made before, or None. `method`: of the registry, to be explained or asked again, with its `options`.
    `examinee`: an explainer of the user's own. `values`: a bare map.
    """

    label: str
    attribution: Attribution | None = None
    method: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    examinee: Examinee | None = None
    values: Inputs | None = None

    def explainer(self, baseline: Inputs) -> Examinee | None:
        """The explainer with this baseline, in the layout of the model that will be asked; None for a bare map."""
        return (
            self.examinee
            if self.method is None
            else of_method(self.method, _for(self.method, baseline), **self.options)
        )

    def explained(self, model: Model, inputs: Inputs, baseline: Inputs, **common: Any) -> Attribution | None:
        """The attribution of a row that is one, made now where only the method's name was given."""
        if self.attribution is not None or self.method is None:
            return self.attribution
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GapWarning)  # the gap is what the metrics are to judge
            given = inputs if len(inputs) > 1 else inputs[0]
            return explain(model, given, self.method, baseline=_for(self.method, baseline), **common)


def contenders(given: Any, model: Model, inputs: Inputs) -> list[Contender]:
    """The rows of an evaluation in the order given. Raises `InputError`."""
    named = _named(given, model, inputs)
    if not named:
        raise InputError("evaluate: no explanation was given. Give names of methods, attributions or maps.")
    found = [_one(label, item, model, inputs) for label, item in named]
    labels = [c.label for c in found]
    for label in labels:
        if label in (RANDOM, BLIND):
            raise InputError(f"evaluate: {label!r} is the name of a control row. Give this explanation another label.")
        if labels.count(label) > 1:
            raise InputError(f"evaluate: two rows are called {label!r}. Give a mapping of labels to explanations.")
    return found


def _named(given: Any, model: Model, inputs: Inputs) -> list[tuple[str | None, Any]]:
    if isinstance(given, Mapping):
        return [(str(label), item) for label, item in given.items()]
    if hasattr(given, "attributions") and isinstance(given.attributions, Mapping):  # a Comparison
        return list(given.attributions.items())
    if isinstance(given, (str, Attribution, np.ndarray)) or callable(given) or _is_map(given, inputs):
        return [(None, given)]
    if isinstance(given, Sequence):
        return [(None, item) for item in given]
    raise InputError(
        f"evaluate: {type(given).__name__} is not an explanation. Give the name of a method, an Attribution, a function, "
        "an array of the inputs' shape, a list of these, or a mapping from labels to them."
    )


def _one(label: str | None, item: Any, model: Model, inputs: Inputs) -> Contender:
    if isinstance(item, str):
        registry.get(item)
        return Contender(label or item, method=item)
    if isinstance(item, Attribution):
        _check(label or item.method, item, model, inputs)
        known = registry.get(item.method).options
        options = {k: v for k, v in item.options.items() if k in known}
        return Contender(label or item.method, attribution=item, method=item.method, options=options)
    if isinstance(item, Examinee):
        return Contender(label or item.name, examinee=item)
    if callable(item):
        name = label or getattr(item, "__name__", type(item).__name__)
        return Contender(name, examinee=Examinee(name=name, function=item))
    if _is_map(item, inputs):
        return Contender(label or "map", values=_as_map(item if isinstance(item, tuple) else (item,)))
    shapes = " + ".join(str(a.shape) for a in inputs)
    what = f"an array of shape {item.shape}" if isinstance(item, np.ndarray) else type(item).__name__
    raise InputError(
        f"evaluate: {what}{f' ({label})' if label else ''} is not an explanation of these inputs. Give the name of a "
        f"method, an Attribution, a function, or values of the inputs' shape, {shapes}."
    )


def _for(method: str, baseline: Inputs) -> Any:
    """The baseline as `dlx.explain` takes it under this method: the mean of a background set where it takes one alone."""
    facts = registry.get(method)
    if facts.baseline == "none":
        return None
    parts = [b if len(b) > 1 and facts.background else b.mean(0).astype(b.dtype) for b in baseline]
    return tuple(parts) if len(parts) > 1 else parts[0]


def _check(label: str, attribution: Attribution, model: Model, inputs: Inputs) -> None:
    """Raises `InputError` for an attribution of another model or of other inputs."""
    if attribution.fingerprint != model.fingerprint:
        raise InputError(
            f"evaluate: the attribution {label!r} was made of another model, or of this one before its weights changed "
            f"(fingerprint {attribution.fingerprint[:12]}, this model's is {model.fingerprint[:12]}). Explain this model again."
        )
    known = attribution.inputs if isinstance(attribution.inputs, tuple) else (attribution.inputs,)
    same = len(known) == len(inputs) and all(
        k.shape == a.shape and np.array_equal(k, a) for k, a in zip(known, inputs, strict=True)
    )
    if not same:
        raise InputError(
            f"evaluate: the attribution {label!r} was made of other inputs (shape {' + '.join(str(k.shape) for k in known)}; "
            f"these are {' + '.join(str(a.shape) for a in inputs)}). Explain these inputs, or evaluate with those."
        )


def _is_map(item: Any, inputs: Inputs) -> bool:
    parts = item if isinstance(item, tuple) else (item,)
    return len(parts) == len(inputs) and all(
        hasattr(p, "shape") and tuple(p.shape) == a.shape for p, a in zip(parts, inputs, strict=True)
    )


def _as_map(values: Inputs) -> Inputs:
    arrays = tuple(np.asarray(v, np.float64) for v in values)
    if not all(np.isfinite(a).all() for a in arrays):
        raise InputError("evaluate: a map holds values that are not finite.")
    return arrays
