"""A case seen from the embeddings of its token ids: between two ids there is nowhere to stand, between two embeddings there is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dlexplain.attribution.case import Case
from dlexplain.errors import UnsupportedModelError
from dlexplain.frameworks.model import Model
from dlexplain.frameworks.questions import Inputs


def embedded(case: Case, method: str) -> tuple[Case, tuple[int, ...]]:
    """The case with the embeddings as inputs of their own before the ids, which stay and tell the padding.

    With it, to which of the user's inputs each of its inputs belongs. A case without ids is given back as it is.
    Raises `UnsupportedModelError`.
    """
    model, known = case.model, case.model.token_inputs(case.inputs)
    owners = tuple(range(len(case.inputs)))
    if all(vocabulary is None for vocabulary in known):
        return case, owners
    begin, end = model.entries(case.baseline), model.entries(case.inputs)
    baseline = tuple(b if v is None else x for b, x, v in zip(case.baseline, case.inputs, known, strict=True))
    inputs, views = case.inputs, [model]
    for i, columns, call in _calls(model, case.inputs, known, method):
        for view in views[:-1]:
            call = view.within(call)
        views.append(views[-1].entering_at(call))
        inputs, baseline = (end[i][..., columns], *inputs), (begin[i][..., columns], *baseline)
        owners = (i, *owners)
    seen = replace(case, model=views[-1], inputs=inputs, baseline=baseline)
    _same(case, seen, method)
    return seen, owners


def moving(case: Case) -> list[bool]:
    """For each input whether a path can move it: all but token ids."""
    return [vocabulary is None for vocabulary in case.model.token_inputs(case.inputs)]


def _same(case: Case, seen: Case, method: str) -> None:
    """Seen from its embeddings the model says what it says: else some other input reads the ids as well."""
    first = seen.take(np.arange(1))
    try:
        said = seen.model.scores(first.inputs, first.target, case.rows)[0]
    except (RuntimeError, TypeError, ValueError) as error:
        raise _refusal(method, f"the model does not run from its embeddings on ({error})") from error
    if not np.isclose(said, case.output[0], rtol=1e-4, atol=1e-6):
        raise _refusal(method, "seen from its embeddings the model gives another output")


def _refusal(method: str, why: str) -> UnsupportedModelError:
    return UnsupportedModelError(
        f"{method}: {why}. Methods that work: integrated_gradients, expected_gradients, deeplift."
    )


def _calls(model: Model, inputs: Inputs, known: tuple[int | None, ...], method: str) -> list[tuple[int, slice, str]]:
    """Which call of which embedding reads each input of ids, and where its numbers stand in the input's entry.

    Ids of one kind, another for each input, are told again by what the embeddings make of them.
    """
    probe = tuple(
        x[:1] if v is None else np.full_like(x[:1], (i + 1) % v)
        for i, (x, v) in enumerate(zip(inputs, known, strict=True))
    )
    shapes, entries, found = model.shapes(probe), model.entries(probe), []
    names = [
        f"{layer.name}:{call}"
        for layer in model.layers
        if "Embed" in layer.type and layer.name in shapes
        for call in range(1, layer.calls + 1)
    ]
    caught = model.inside(probe, names)
    for i, entry in enumerate(entries):
        first, left = 0, list(caught)
        while known[i] is not None and first < entry.shape[-1]:
            name = next((n for n in left if _stands(caught[n], entry, first)), None)
            if name is None:
                raise _refusal(
                    method,
                    f"the embedding of input {i} adds up its tokens inside, or is no layer of its own, so no path can "
                    "run through it",
                )
            left.remove(name)
            columns = slice(first, first + caught[name].shape[-1])
            found.append((i, columns, name))
            first = columns.stop
    return found


def _stands(values: np.ndarray, entry: np.ndarray, first: int) -> bool:
    part = entry[..., first : first + values.shape[-1]]
    return values.shape == part.shape and np.array_equal(values, part)
