"""What a check must be able to answer: things that learners hand in by mistake, and some only on purpose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np


class _Hostile:
    """Fails at whatever is asked of it."""

    def _fail(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("I will not be asked")

    __repr__ = __str__ = __len__ = __iter__ = __float__ = __array__ = __bool__ = __eq__ = __lt__ = _fail
    __getitem__ = __call__ = __add__ = __sub__ = __mul__ = _fail
    __hash__ = None


def _raises(*_: Any, **__: Any) -> None:
    raise ZeroDivisionError("division by zero")


def _leaves(*_: Any, **__: Any) -> None:
    raise SystemExit(1)


def _without_end(*arguments: Any, **named: Any) -> Any:
    return _without_end(*arguments, **named)


def _inside_itself() -> list[Any]:
    around: list[Any] = []
    around.append(around)
    return around


JUNK: Mapping[str, Callable[[], Any]] = MappingProxyType(
    {
        "dots": lambda: ...,
        "dots in a list": lambda: [1, ...],
        "nothing": lambda: None,
        "true": lambda: True,
        "empty text": lambda: "",
        "text": lambda: "\u00fcml\u00e4ut `code` <script>alert(1)</script>",
        "bytes": lambda: b"\xff",
        "empty list": list,
        "empty array": lambda: np.zeros((0, 3)),
        "nan": lambda: float("nan"),
        "infinity": lambda: float("inf"),
        "array with nan": lambda: np.array([1.0, np.nan]),
        "huge whole number": lambda: 10**400,
        "complex": lambda: 1 + 2j,
        "ragged": lambda: [[1, 2], [3]],
        "array of objects": lambda: np.array([object(), None], dtype=object),
        "array of text": lambda: np.array(["a", "b"]),
        "scalar array": lambda: np.array(3),
        "array of many axes": lambda: np.zeros((1,) * 12),
        "dictionary": lambda: {"a": 1},
        "set": lambda: {1, 2},
        "generator": lambda: (each for each in range(3)),
        "list inside itself": _inside_itself,
        "object": object,
        "hostile object": _Hostile,
        "class": lambda: dict,
        "module": lambda: np,
        "error": lambda: ValueError("x"),
        "function that raises": lambda: _raises,
        "function that leaves": lambda: _leaves,
        "function without end": lambda: _without_end,
        "function of no argument": lambda: lambda: 1,
        "function that gives nothing": lambda: lambda *_, **__: None,
        "function that gives dots": lambda: lambda *_, **__: ...,
        "function that gives infinity": lambda: lambda *_, **__: float("inf"),
        "function that gives text": lambda: lambda *_, **__: "x",
    }
)
