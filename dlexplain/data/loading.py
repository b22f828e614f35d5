"""`load`: one call for every data set of the catalogue."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable

from dlexplain.data.dataset import Dataset
from dlexplain.data.entries import GENERATED, Entry
from dlexplain.data.listing import find
from dlexplain.errors import InputError, suggest


def load(name: str, *, split: str | None = None, **options: object) -> Dataset:
    """The data set of that name, from this machine or downloaded and proved.

    `split`: `"train"`, `"test"` or None for everything. `options` are those of the data set, such as `size`
    for `"photos"`, `seconds` for `"spoken_digits"`, `samples` and `seed` for what is generated, and
    `progress`. Raises InputError (no such name, split or option), MissingPackageError, DataError (absent, cut
    or wrong files).
    """
    entry = find(name)
    if split is not None and split not in entry.splits:
        known = " and ".join(repr(part) for part in entry.splits)
        offer = f"{suggest(split, entry.splits)}Known: {known}, or None for everything." if known else (
            "It comes in one piece; load it without `split`, then divide it with its own .split()."
        )  # fmt: skip
        raise InputError(f"{name!r} has no split {split!r}. {offer}")
    reader = _reader(entry)
    _check_options(name, reader, options)
    return reader(**options) if entry.how == GENERATED else reader(entry, split=split, **options)


def _reader(entry: Entry) -> Callable[..., Dataset]:
    module, function = entry.reader.split(":")
    return getattr(importlib.import_module(f"dlexplain.data.{module}"), function)


def _check_options(name: str, reader: Callable[..., Dataset], options: dict[str, object]) -> None:
    options.setdefault("progress", True)
    known = {
        key for key, value in inspect.signature(reader).parameters.items() if value.kind is value.KEYWORD_ONLY
    }
    if "progress" not in known:
        options.pop("progress")  # nothing is downloaded, so there is nothing to show
    unknown = [key for key in options if key not in known]
    if unknown:
        names = ", ".join(sorted(known - {"split"})) or "none"
        raise InputError(
            f"{name!r} has no option {unknown[0]!r}. {suggest(unknown[0], known)}Known: {names}."
        )
