"""What every attribution method returns: the values, and all that is needed to make and to judge them again."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np

from dlexplain.errors import InputError, MissingPackageError

Arrays = np.ndarray | tuple[np.ndarray, ...]
Kind = Literal["image", "table", "series", "tokens"]

_ARRAY_FIELDS = ("values", "inputs", "target", "baseline", "output", "baseline_output", "gap", "relative_gap")
_FORMAT = 1


@dataclass(frozen=True, eq=False)
class Attribution:
    """Signed attributions of one output to the inputs.

    `values`: float32, the shape of `inputs` (a tuple for several inputs), never normalised.
    `output`, `baseline_output`: `(n,)`, in the units of the explained output.
    `gap`, `relative_gap`: `(n,)`, not negative; None where the method does not claim completeness.
    """

    values: Arrays
    inputs: Arrays
    target: np.ndarray
    baseline: Arrays | None
    method: str
    options: Mapping[str, Any]
    seed: int
    framework: str
    fingerprint: str
    output: np.ndarray
    baseline_output: np.ndarray | None = None
    gap: np.ndarray | None = None
    relative_gap: np.ndarray | None = None
    tolerance: float | None = None
    kind: tuple[Kind, ...] = ("table",)
    layout: str | None = None
    class_names: tuple[str, ...] | None = None
    feature_names: tuple[str, ...] | None = None
    warnings: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        for name in _ARRAY_FIELDS:
            value = getattr(self, name)
            frozen = tuple(map(_read_only, value)) if isinstance(value, tuple) else _read_only(value)
            object.__setattr__(self, name, frozen)

    def __len__(self) -> int:
        return len(self.output)

    def __getitem__(self, index: int | slice | np.ndarray) -> Attribution:
        """The attribution of one sample or of some, still with a sample axis."""
        rows = np.arange(len(self))[index]
        rows = rows[None] if rows.ndim == 0 else rows

        def take(value: Any) -> Any:
            if isinstance(value, tuple):
                return tuple(array[rows] for array in value)
            return None if value is None else value[rows]

        sampled = ("values", "inputs", "target", "output", "baseline_output", "gap", "relative_gap")
        return self._replace(**{name: take(getattr(self, name)) for name in sampled})

    def _replace(self, **changes: Any) -> Attribution:
        return Attribution(**{f.name: changes.get(f.name, getattr(self, f.name)) for f in fields(self)})

    def heatmap(self, channels: Literal["sum", "abs_max", "l2"] = "sum", *, input: int = 0) -> np.ndarray:
        """One map a sample, `(n, height, width)`, whichever the layout; for `input` of several inputs."""
        values, _ = self._image(input)
        if channels == "sum":
            return values.sum(-1)
        if channels == "abs_max":
            return np.abs(values).max(-1)
        if channels == "l2":
            return np.sqrt(np.square(values).sum(-1))
        raise InputError(f"heatmap: channels={channels!r} is not one of 'sum', 'abs_max', 'l2'.")

    def image(self, *, input: int = 0) -> np.ndarray:
        """The explained pictures as `(n, height, width, channels)`, whichever the layout."""
        return self._image(input)[1]

    def _image(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        values, inputs = _pick(self.values, index), _pick(self.inputs, index)
        if self.kind[index] != "image":
            raise InputError(
                f"heatmap: input {index} has shape {inputs.shape[1:]} and is read as a {self.kind[index]}, not as "
                "an image. Use .values, or wrap the model with layout='channels_last' or 'channels_first'."
            )
        if inputs.ndim == 3:
            return values[..., None], inputs[..., None]
        if self.layout == "channels_first":
            return np.moveaxis(values, 1, -1), np.moveaxis(inputs, 1, -1)
        return values, inputs

    def target_label(self, sample: int = 0) -> str:
        """The explained output of one sample in words: a class name where there is one."""
        index = np.atleast_1d(self.target[sample])
        if len(index) == 1 and self.class_names is not None and index[0] < len(self.class_names):
            return str(self.class_names[index[0]])
        if len(index) == 1:
            return f"output {int(index[0])}"
        return "output (" + ", ".join(str(int(i)) for i in index) + ")"

    def baseline_label(self) -> str:
        """The baseline in a few words."""
        if self.baseline is None:
            return "none"
        first = _pick(self.baseline, 0)
        sample_rank = _pick(self.inputs, 0).ndim - 1
        if first.ndim == 0:
            return f"{float(first):g}"
        if first.ndim > sample_rank:
            return f"{len(first)} background samples"
        low, high = float(first.min()), float(first.max())
        return f"{low:g}" if low == high else f"one sample ({low:.3g} to {high:.3g})"

    def plot(self, **options: Any):
        """A Plotly figure fit for the data, with the target, the baseline and the gap on it."""
        from dlexplain import figures

        return figures.attribution(self, **options)

    def to_shap(self):
        """The same as a `shap.Explanation`, so that every SHAP plot works."""
        try:
            import shap
        except ImportError as error:
            raise MissingPackageError(
                "to_shap: the package shap is not installed. Install it with: pip install 'dlexplain[shap]'."
            ) from error
        if isinstance(self.values, tuple):
            raise InputError("to_shap: a shap.Explanation holds one input; this model has several. Use .values[i].")
        base = self.baseline_output if self.baseline_output is not None else np.full(len(self), np.nan, np.float32)
        names = list(self.feature_names) if self.feature_names is not None else None
        return shap.Explanation(np.array(self.values), np.array(base), np.array(self.inputs), feature_names=names)

    def save(self, path: str | os.PathLike) -> Path:
        """Writes one file, without pickle; `Attribution.load` reads it. Returns the path."""
        path = Path(path)
        meta: dict[str, Any] = {"format": _FORMAT, "arrays": {}}
        temporary = path.with_name(path.name + ".part")
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            for f in fields(self):
                value = getattr(self, f.name)
                if f.name not in _ARRAY_FIELDS:
                    meta[f.name] = _plain(value)
                    continue
                parts = value if isinstance(value, tuple) else () if value is None else (value,)
                meta["arrays"][f.name] = {"tuple": isinstance(value, tuple), "count": len(parts)}
                for i, array in enumerate(parts):
                    buffer = io.BytesIO()
                    np.save(buffer, np.asarray(array), allow_pickle=False)
                    archive.writestr(f"{f.name}.{i}.npy", buffer.getvalue())
            archive.writestr("attribution.json", json.dumps(meta))
        os.replace(temporary, path)
        return path

    @classmethod
    def load(cls, path: str | os.PathLike) -> Attribution:
        """Reads what `save` wrote. Raises `InputError` for any other file."""
        try:
            with zipfile.ZipFile(path) as archive:
                meta = json.loads(archive.read("attribution.json"))
                arrays = {}
                for name, how in meta.pop("arrays").items():
                    parts = tuple(
                        np.load(io.BytesIO(archive.read(f"{name}.{i}.npy")), allow_pickle=False)
                        for i in range(how["count"])
                    )
                    arrays[name] = parts if how["tuple"] else parts[0] if parts else None
        except FileNotFoundError:
            raise
        except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
            raise InputError(
                f"Attribution.load: {path} is not a file written by Attribution.save ({error})."
            ) from error
        if meta.pop("format") != _FORMAT:
            raise InputError(f"Attribution.load: {path} was written by another version; make the attribution again.")
        for name in ("kind", "class_names", "feature_names", "warnings"):
            meta[name] = None if meta[name] is None else tuple(meta[name])
        return cls(**arrays, **meta)

    def __repr__(self) -> str:
        shape = " + ".join(str(_pick(self.values, i).shape) for i in range(_count(self.values)))
        lines = [
            f"Attribution: {self.method}, values {shape}, {self.framework}",
            f"  target {self._targets()}, baseline {self.baseline_label()}",
        ]
        if self.relative_gap is None:
            lines.append("  gap: this method does not claim that its values sum to the output's change")
        elif len(self):
            lines.append(f"  gap: at most {float(np.max(self.relative_gap)):.2g} of the output's change")
        lines += [f"  WARNING: {text}" for text in self.warnings]
        return "\n".join(lines)

    def _targets(self) -> str:
        labels = list(dict.fromkeys(self.target_label(i) for i in range(len(self))))
        return ", ".join(labels[:5]) + (", …" if len(labels) > 5 else "")


def _read_only(array: np.ndarray | None) -> np.ndarray | None:
    """A view that cannot be written to; whoever made the array keeps it as it was."""
    if array is None:
        return None
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view


def _pick(value: Arrays, index: int) -> np.ndarray:
    return value[index] if isinstance(value, tuple) else value


def _count(value: Arrays) -> int:
    return len(value) if isinstance(value, tuple) else 1


def _plain(value: Any) -> Any:
    """JSON's own types, for options and names."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return repr(value)
