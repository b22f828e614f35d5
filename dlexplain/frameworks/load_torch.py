"""Opening Torch's files: weights, exported programs and TorchScript, each examined before Torch sees it."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dlexplain.errors import InputError, MissingPackageError, UnsafeFileError
from dlexplain.frameworks.load import SAFE, Builder, pickle_globals


def safetensors(data: bytes, file: Path) -> dict[str, np.ndarray]:
    """The arrays of a `.safetensors` file: a JSON header and raw numbers, nothing that runs."""
    try:
        from safetensors.numpy import load as read
    except ImportError as error:
        raise MissingPackageError("safetensors reads this file. Install it with: pip install safetensors") from error
    try:
        return read(data)
    except Exception as error:
        raise InputError(f"{file.name} is a damaged .safetensors file ({error}). Fetch it again.") from error


def pickled(data: bytes, file: Path, trust: bool) -> Any:
    """A state dict of `torch.save`, read by Torch's restricted unpickler; anything else only with `trust`."""
    import torch

    state = None
    if zipfile.is_zipfile(io.BytesIO(data)):
        try:
            state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        except Exception:
            state = None
    if state is None and trust:
        state = _unpickled(data)
        return dict(state) if isinstance(state, Mapping) else state
    if state is None:
        names = archived_globals(data, file)
        raise UnsafeFileError(
            f"{file.name} is a pickle, which can run any code when opened; it asks for "
            f"{', '.join(names[:8]) or 'nothing'}. It "
            "was not opened. Save the weights alone with safetensors.torch.save_file(model.state_dict(), "
            "path) and give "
            f"builder=, or the whole model with torch.export.save. {SAFE}"
        )
    if not isinstance(state, Mapping) or not all(isinstance(item, torch.Tensor) for item in state.values()):
        held = (
            f"the entries {', '.join(map(str, list(state)[:5]))}"
            if isinstance(state, Mapping)
            else type(state).__name__
        )
        raise InputError(
            f"{file.name} is a checkpoint with {held}, not a state dict. Take the weights out, for example "
            "state = torch.load(path, weights_only=True)['model'], and save those with safetensors."
        )
    return dict(state)


def _unpickled(data: bytes) -> Any:
    """Runs whatever the file says: only for files that the caller trusts."""
    import pickle

    import torch

    if not zipfile.is_zipfile(io.BytesIO(data)) and b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19" not in data[:32]:
        return pickle.loads(data)
    return torch.load(io.BytesIO(data), map_location="cpu", weights_only=False)


def archived_globals(data: bytes, file: Path) -> list[str]:
    """What the pickle, or each pickle in the archive, would look up."""
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return pickle_globals(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [
            name for part in archive.namelist() if part.endswith(".pkl") for name in pickle_globals(archive.read(part))
        ]


def filled(state: Mapping[str, Any], builder: Builder | None, file: Path) -> Any:
    """The builder's model with these weights: every name and shape must fit."""
    if builder is None:
        some = ", ".join(list(state)[:5])
        raise InputError(
            f"{file.name} holds weights alone ({some}, ...), not the network. Give builder=, a function "
            "that returns the "
            "untrained model, for example builder=lambda: MyNet(10)."
        )
    model = builder()
    keras = any(base.__module__.startswith("keras.") for base in type(model).__mro__)
    own = _keras_weights(model) if keras else model.state_dict()
    _check_fit(state, {name: tuple(value.shape) for name, value in own.items()}, file)
    if keras:
        for name, value in own.items():
            value.assign(np.asarray(state[name]))
        return model
    import torch

    ready = {
        name: value if isinstance(value, torch.Tensor) else torch.from_numpy(value.copy())
        for name, value in state.items()
    }
    model.load_state_dict(ready, strict=True)
    return model.eval()


def _keras_weights(model: Any) -> dict[str, Any]:
    """By path inside the model, without the model's own name, which Keras numbers afresh."""
    return {weight.path.removeprefix(f"{model.name}/"): weight for weight in model.weights}


def _check_fit(state: Mapping[str, Any], own: dict[str, tuple[int, ...]], file: Path) -> None:
    wrong = [
        f"{name} is {tuple(state[name].shape)}, the model has {shape}"
        for name, shape in own.items()
        if name in state and tuple(state[name].shape) != shape
    ]
    faults = {
        "missing in the file": sorted(set(own) - set(state)),
        "not in the model": sorted(set(state) - set(own)),
        "of another shape": wrong,
    }
    said = [
        f"{what}: {', '.join(names[:10])}" + (", ..." if len(names) > 10 else "")
        for what, names in faults.items()
        if names
    ]
    if said:
        raise InputError(f"The weights in {file.name} do not fit the builder's model. " + "; ".join(said) + ".")


# TorchScript's own file functions, and what lies outside Torch's tensor operations.
_FILE_CALLS = re.compile(r"\b(?:save|load|from_file|\w*(?:read|write)_file|rpc_\w+|open|eval|exec|system)\s*\(")
_FOREIGN = re.compile(
    r"\bops\.(?!aten\.|prim\.|quantized\.|prims\.)(\w+)\.(\w+)|\btorch\.classes\b|\b__torch__\.torch\.classes\b"
)
_SCRIPT_GLOBALS = ("__torch__", "torch.", "collections.OrderedDict")


def script(data: bytes, file: Path, trust: bool) -> Any:
    """TorchScript runs in Torch's interpreter, which knows no Python but has operations that touch files.

    Its `__setstate__` runs while it is opened, so the code is read before.
    """
    import torch

    if not trust:
        data = _checked_script(data, file)
    try:
        return torch.jit.load(io.BytesIO(data), map_location="cpu").eval()
    except RuntimeError as error:
        raise InputError(f"{file.name} could not be opened as TorchScript: {str(error).splitlines()[0]}") from error


def _checked_script(data: bytes, file: Path) -> bytes:
    """The archive written anew, so that Torch reads the very members that were examined."""
    foreign = [name for name in archived_globals(data, file) if not name.startswith(_SCRIPT_GLOBALS)]
    if foreign:
        raise UnsafeFileError(
            f"{file.name} asks for {', '.join(foreign[:5])}, which no TorchScript model needs. {SAFE}"
        )
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as target:
        for part in source.namelist():
            value = source.read(part)
            if part.endswith(".py"):
                _check_script(value.decode("utf-8", "replace"), part, file)
            if not part.endswith(".debug_pkl"):
                target.writestr(part, value)
    return out.getvalue()


def _check_script(source: str, part: str, file: Path) -> None:
    found = _FILE_CALLS.search(source) or _FOREIGN.search(source)
    if found:
        raise UnsafeFileError(
            f"{file.name} is TorchScript whose code ({part}) uses {found.group(0).rstrip('( ')!r}, which "
            "reaches files or "
            f"operations outside Torch. It was not opened. {SAFE}"
        )


def exported(data: bytes, file: Path, trust: bool) -> Any:
    """An exported program, rebuilt without the parts that Torch would unpickle or evaluate."""
    import torch

    from dlexplain.frameworks.load_exported import cleaned

    safe = data if trust else cleaned(data, file)
    try:
        program = torch.export.load(io.BytesIO(safe))
    except Exception as error:
        raise InputError(
            f"{file.name} could not be opened as an exported program: {type(error).__name__}: {error}. "
            "Export it again with this version of Torch."
        ) from error
    return program
