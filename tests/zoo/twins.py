"""A specimen's twin in the other framework, with its samples in the twin's own order of axes."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np

import dlexplain as dlx
from tests.zoo.specimen import Specimen, one_or_all


def twin(specimen: Specimen) -> tuple[Specimen, list[bool]]:
    """The twin, and which inputs have their channels on the other side there. Raises `UnsupportedModelError`."""
    to = "torch" if specimen.framework == "keras" else "keras"
    shapes = tuple(a.shape[1:] for a in specimen.inputs)
    options = {"input_shape": one_or_all(shapes)} if specimen.framework == "torch" else {}
    model = dlx.convert(specimen.model, to=to, **options)
    expected = _outputs(specimen)
    for sides in product(*[(True, False) if a.ndim > 2 else (False,) for a in specimen.inputs]):
        other = replace(
            specimen,
            framework=to,
            model=model,
            inputs=tuple(moved(a, side, to) for a, side in zip(specimen.inputs, sides, strict=True)),
            background=tuple(moved(a, side, to) for a, side in zip(specimen.background, sides, strict=True)),
        )
        try:
            found = _outputs(other)
        except (dlx.DlexplainError, ValueError, RuntimeError):
            continue  # the axes do not fit that way round
        for turned in (False, True):
            given = tuple(moved(o, turned and o.ndim > 2, specimen.framework) for o in found)
            if all(
                a.shape == b.shape and np.allclose(a, b, rtol=1e-3, atol=1e-4)
                for a, b in zip(expected, given, strict=True)
            ):
                return replace(other, target=_turned(specimen.target, turned, to)), list(sides)
    raise AssertionError(f"the twin of {specimen.name} gives other outputs whichever way its inputs are turned")


def moved(array: np.ndarray, side: bool, to: str) -> np.ndarray:
    """Channels moved to where the framework has them, when `side`."""
    if not side:
        return array
    return np.ascontiguousarray(np.moveaxis(array, -1, 1) if to == "torch" else np.moveaxis(array, 1, -1))


def _turned(target, turned: bool, to: str):
    if not turned or not isinstance(target, tuple):
        return target
    return (target[-1], *target[:-1]) if to == "torch" else (*target[1:], target[0])


def _outputs(specimen: Specimen) -> tuple[np.ndarray, ...]:
    outputs = dlx.wrap(specimen.model).predict(one_or_all(specimen.inputs))
    return outputs if isinstance(outputs, tuple) else (outputs,)
