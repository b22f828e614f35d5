"""Every error and warning of the package: each says what was wrong, where, and what to do instead."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class DlexplainError(Exception):
    """Root of all errors of the package."""


class InputError(DlexplainError, ValueError):
    """An argument cannot be taken as it is."""


class UnsupportedModelError(DlexplainError):
    """A method cannot honestly explain this model; names the layer or operation and the methods that can."""


class MissingPackageError(DlexplainError, ImportError):
    """An optional package is not installed; says what it would add and how to install it."""


class UnsafeFileError(DlexplainError):
    """A file could run code when opened and was not opened."""


class DataError(DlexplainError):
    """A data set is absent, cut short or not what its checksum promises."""


class GapWarning(UserWarning):
    """The values do not sum to the difference of the outputs within the method's tolerance."""


def suggest(name: object, known: Iterable[str]) -> str:
    """`"Did you mean 'x'? "` for the known name nearest to `name`, or an empty string."""
    near = difflib.get_close_matches(str(name), list(known), n=1, cutoff=0.5)
    return f"Did you mean {near[0]!r}? " if near else ""
