"""Arrays in a `.npz` archive, never unpickled."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from dlexplain.audit.reading.data import AuditData, numbered
from dlexplain.errors import InputError, UnsafeFileError, suggest

_KNOWN = ("inputs", "labels", "feature_names", "class_names", "train_inputs", "train_labels")


def archive(path: Path) -> AuditData:
    """`inputs`, `labels`; `feature_names`, `class_names`, `train_inputs`, `train_labels` and any array with one value a
    row, as a column for slices."""
    arrays = _arrays(path)
    inputs, labels = (_needed(arrays, name, path) for name in ("inputs", "labels"))
    _check_rows(inputs, labels, "inputs", "labels", path)
    class_names = _names(arrays, "class_names", path)
    feature_names = _names(arrays, "feature_names", path)
    _check_numbers(inputs, "inputs", path)
    numbers, class_names = numbered(labels, class_names, f"{path.name}, labels")
    train = None
    if ("train_inputs" in arrays) != ("train_labels" in arrays):
        raise InputError(f"{path.name}: `train_inputs` and `train_labels` go together; one of them is not there.")
    if "train_inputs" in arrays:
        given = arrays["train_inputs"], arrays["train_labels"]
        _check_rows(*given, "train_inputs", "train_labels", path)
        _check_numbers(given[0], "train_inputs", path)
        if given[0].shape[1:] != inputs.shape[1:]:
            raise InputError(
                f"{path.name}: samples of `train_inputs` have shape {given[0].shape[1:]}, those of `inputs` "
                f"{inputs.shape[1:]}."
            )
        train = given[0], numbered(given[1], class_names, f"{path.name}, train_labels")[0]
    kept, notes, missing = _without_gaps(inputs, feature_names)
    return AuditData(
        inputs=inputs[kept],
        labels=numbers[kept],
        feature_names=feature_names,
        class_names=class_names,
        columns={name: values[kept] for name, values in _columns(arrays, len(inputs), path).items()},
        train=train,
        source=path.name,
        notes=tuple(notes),
        missing=missing,
        set_aside=int((~kept).sum()),
    )


def _arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as store:
            if isinstance(store, np.ndarray):
                raise InputError(f"{path.name} is a single array. Save it with np.savez(path, inputs=..., labels=...).")
            found = {}
            for name in store.files:
                try:
                    found[name] = store[name]
                except ValueError as error:
                    if "pickle" not in str(error).lower() and "Object arrays" not in str(error):
                        raise
                    raise UnsafeFileError(
                        f"{path.name}: `{name}` is an array of Python objects, a pickle that can run code when opened. "
                        "It was not opened. Save numbers or words: "
                        f"np.savez(path, {name}=np.array({name}, dtype=float or str))."
                    ) from error
            return found
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, MemoryError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{path.name} cannot be read as a .npz archive ({type(error).__name__}: {error}). It may be cut short; save "
            "it again with np.savez(path, inputs=..., labels=...)."
        ) from error


def _needed(arrays: dict[str, np.ndarray], name: str, path: Path) -> np.ndarray:
    if name in arrays:
        return arrays[name]
    several = sorted(other for other in arrays if other.startswith(name) and other != name)
    if name == "inputs" and len(several) > 1:
        raise InputError(
            f"{path.name} holds {', '.join(several)}: models of several inputs are audited from Python, "
            "dlx.audit(model, (first, second), labels)."
        )
    raise InputError(
        f"{path.name} has no array `{name}`. {suggest(name, arrays)}It holds: {', '.join(sorted(arrays)) or 'nothing'}. "
        "Save it with np.savez(path, inputs=..., labels=...)."
    )


def _check_rows(inputs: np.ndarray, labels: np.ndarray, first: str, second: str, path: Path) -> None:
    if inputs.ndim < 2:
        raise InputError(f"{path.name}: `{first}` has shape {inputs.shape}; it needs a row a sample, (n, ...).")
    if labels.ndim == 2 and labels.shape[1] == 1:
        raise InputError(f"{path.name}: `{second}` has shape {labels.shape}; give (n,), that is labels[:, 0].")
    if labels.ndim != 1:
        raise InputError(
            f"{path.name}: `{second}` has shape {labels.shape}; it needs one label a row, (n,). One-hot labels: "
            "labels.argmax(1)."
        )
    if len(inputs) != len(labels):
        raise InputError(f"{path.name}: {len(inputs)} rows of `{first}` and {len(labels)} `{second}`.")
    if not len(inputs):
        raise InputError(f"{path.name}: `{first}` holds no rows.")


def _check_numbers(array: np.ndarray, name: str, path: Path) -> None:
    if array.dtype.kind not in "fiub":
        raise InputError(f"{path.name}: `{name}` holds {array.dtype}, not numbers. Encode it as the model was trained.")


def _names(arrays: dict[str, np.ndarray], name: str, path: Path) -> tuple[str, ...] | None:
    if name not in arrays:
        return None
    if arrays[name].ndim != 1:
        raise InputError(f"{path.name}: `{name}` has shape {arrays[name].shape}; it needs a list of names.")
    return tuple(str(value) for value in arrays[name])


def _columns(arrays: dict[str, np.ndarray], n: int, path: Path) -> dict[str, np.ndarray]:
    columns = {}
    for name, values in arrays.items():
        if name in _KNOWN:
            continue
        if values.shape != (n,):
            raise InputError(
                f"{path.name}: `{name}` has shape {values.shape}. {suggest(name, _KNOWN)}Known: {', '.join(_KNOWN)}; any "
                f"other array is a column for slices and needs shape ({n},)."
            )
        columns[name] = values
    return columns


def _without_gaps(inputs: np.ndarray, names: tuple[str, ...] | None) -> tuple[np.ndarray, list[str], dict[str, int]]:
    """Which rows have all their values, and what the others lack."""
    if inputs.dtype.kind != "f":
        return np.ones(len(inputs), bool), [], {}
    gaps = ~np.isfinite(inputs)
    kept = ~gaps.reshape(len(inputs), -1).any(1)
    if kept.all():
        return kept, [], {}
    if not kept.any():
        raise InputError("Every row of `inputs` has a missing or infinite value. Fill them as the model was trained.")
    missing = {"inputs": int(gaps.sum())}
    if inputs.ndim == 2:
        label = names if names and len(names) == inputs.shape[1] else [f"feature {i}" for i in range(inputs.shape[1])]
        missing = {label[i]: int(c) for i, c in enumerate(gaps.sum(0)) if c}
    note = f"{int((~kept).sum())} of {len(kept)} rows have missing or infinite values and were set aside, not audited."
    return kept, [note], missing
