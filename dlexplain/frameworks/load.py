"""Opening model files: what a file is, is told by its content, and what could run code is refused unread."""

from __future__ import annotations

import io
import os
import pickletools
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from dlexplain.errors import InputError, UnsafeFileError, suggest

Builder = Callable[[], Any]

SAFE = (
    "Safe to share: .keras without Lambda layers, .pt2 (torch.export.save), TorchScript, and .safetensors "
    "weights with "
    "builder=. If you made the file yourself, or trust its maker as you trust a program, pass trust=True."
)
MEMBERS = 20_000  # files in one archive
EXPANDS = 200  # an archive member that grows more than this, beyond a size that hurts, is no model
HURTS = 64 * 2**20  # bytes
_BUILDERS: dict[str, Builder] = {}


def register_builder(name: str, builder: Builder) -> None:
    """Give the maker of an architecture a name, for `load(path, builder=name)`."""
    if not callable(builder):
        raise InputError(f"builder of {name!r} must be a function without arguments that returns the untrained model.")
    _BUILDERS[name] = builder


def load(
    path: str | os.PathLike[str],
    *,
    builder: Builder | str | None = None,
    trust: bool = False,
    **wrap_options: Any,
) -> Any:
    """Open a model file as a `dlx.Model`: `.keras`, Keras `.h5`, `.pt2`, TorchScript, weights with a builder.

    `builder`: makes the untrained model for a file that holds only weights (`.safetensors`, a Torch state
    dict). `wrap_options` go to `wrap`. Raises `UnsafeFileError` for a file that could run code when
    opened (never executed, unless `trust=True`), `InputError` for a file that is absent, cut short or not
    a model.
    """
    file = Path(path)
    data = content(file)
    if builder is not None:
        builder = found_builder(builder)
    raw = opened(data, file, builder, trust)
    from dlexplain.frameworks.wrap import wrap

    return wrap(raw, **wrap_options)


def opened(data: bytes, file: Path, builder: Builder | None, trust: bool) -> Any:
    """The raw model in a file. What is examined is what is opened: the file is read once."""
    from dlexplain.frameworks import load_keras, load_torch
    from dlexplain.frameworks.present import require

    kind = kind_of(data, file)
    if kind in ("keras", "h5"):
        require("keras", f"Opening {file.name}")
    elif kind in ("pt2", "torchscript"):
        require("torch", f"Opening {file.name}")
    if kind == "safetensors":
        return load_torch.filled(load_torch.safetensors(data, file), builder, file)
    if kind in ("torch", "pickle"):
        held = load_torch.pickled(data, file, trust)
        return load_torch.filled(held, builder, file) if isinstance(held, dict) else held
    if builder is not None:
        raise InputError(
            f"{file.name} holds a whole model ({kind}); builder= is only for files that hold weights alone."
        )
    openers = {
        "keras": load_keras.archive,
        "h5": load_keras.hdf5,
        "pt2": load_torch.exported,
        "torchscript": load_torch.script,
    }
    return openers[kind](data, file, trust)


def content(file: Path) -> bytes:
    """The file's bytes, or a clear error."""
    if file.is_dir():
        saved = " It looks like a TensorFlow SavedModel: load it with keras.layers.TFSMLayer and wrap that."
        hint = saved if (file / "saved_model.pb").exists() else " Give the path of the model file in it."
        raise InputError(f"{file} is a folder, not a model file.{hint}")
    if not file.exists():
        near = suggest(file.name, [item.name for item in file.parent.iterdir()] if file.parent.is_dir() else [])
        raise InputError(f"{file} does not exist. {near}".rstrip())
    data = file.read_bytes()
    if not data:
        raise InputError(f"{file.name} is empty: the copy or download was cut short. Fetch it again.")
    return data


def found_builder(builder: Builder | str) -> Builder:
    if isinstance(builder, str):
        if builder not in _BUILDERS:
            known = ", ".join(sorted(_BUILDERS)) or "none yet"
            raise InputError(
                f"builder={builder!r} is not registered. {suggest(builder, _BUILDERS)}Known: {known}. "
                "Register one with register_builder(name, function), or give the function itself."
            )
        return _BUILDERS[builder]
    if not callable(builder):
        raise InputError("builder must be a function without arguments that returns the untrained model, or its name.")
    return builder


def kind_of(data: bytes, file: Path) -> str:
    """What a file is, by its first bytes and, for an archive, its members."""
    if data[:4] == b"PK\x03\x04":
        return kind_of_archive(zip_members(data, file), file)
    if data[:8] == b"\x89HDF\r\n\x1a\n":
        return "h5"
    if data[:6] == b"\x93NUMPY":
        raise not_a_model(file, "a NumPy array", unsafe=b"'|O'" in data[:256] or b"'O'" in data[:256])
    if _is_safetensors(data):
        return "safetensors"
    if _is_pickle(data):
        return "pickle"
    if data[:2] in (b"\x1f\x8b", b"x\x9c", b"x\x01", b"x^", b"BZ") or data[:5] in (
        b"\xfd7zXZ",
        b"\x04\x22\x4d\x18",
    ):
        raise UnsafeFileError(
            f"{file.name} is compressed, as joblib's and other pickles are, which can run code when opened. {SAFE}"
        )
    raise InputError(
        f"{file.name} is not a model file that is known (it begins with {data[:8]!r}), or it was cut short. {SAFE}"
    )


def _is_safetensors(data: bytes) -> bool:
    """Eight bytes of length, then a JSON header."""
    length = int.from_bytes(data[:8], "little")
    return len(data) > 9 and data[8:9] == b"{" and length < 2**32


def _is_pickle(data: bytes) -> bool:
    """Protocol 2 and later begin with a mark; for older ones the first operations must read as a pickle's."""
    if data[:1] == b"\x80":
        return True
    try:
        for count, _ in enumerate(pickletools.genops(data)):
            if count > 20:
                return True
    except Exception:
        return False
    return True


def zip_members(data: bytes, file: Path) -> dict[str, zipfile.ZipInfo]:
    """The members of an archive, refused where a name, a double or a size is a trap."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise InputError(
            f"{file.name} is a damaged archive ({error}): the copy was cut short. Fetch it again."
        ) from error
    if not infos or min(info.header_offset for info in infos) != 0:
        raise InputError(f"{file.name} is a damaged archive (its list of members is cut off). Fetch it again.")
    names = [info.filename for info in infos]
    if len(names) > MEMBERS or len(set(names)) != len(names):
        raise UnsafeFileError(f"{file.name} has doubled or far too many members, which hides what is opened. {SAFE}")
    for info in infos:
        place = PurePosixPath(info.filename)
        link = (info.external_attr >> 16) & 0o170000 == 0o120000
        if place.is_absolute() or ".." in place.parts or "\\" in info.filename or ":" in info.filename or link:
            raise UnsafeFileError(
                f"{file.name} has the member {info.filename!r}, which would be written outside. {SAFE}"
            )
        if info.file_size > HURTS and info.file_size > EXPANDS * max(info.compress_size, 1):
            raise UnsafeFileError(
                f"{file.name}: member {info.filename!r} grows from {info.compress_size} to {info.file_size} "
                "bytes, as only "
                f"an archive does that is made to fill the memory. {SAFE}"
            )
    return {info.filename: info for info in infos}


def kind_of_archive(members: dict[str, zipfile.ZipInfo], file: Path) -> str:
    inner = {name.partition("/")[2] for name in members}
    if "config.json" in members:
        return "keras"
    if (
        "archive_format" in inner
        or "serialized_exported_program.json" in members
        or any(name.startswith("models/") for name in inner)
    ):
        return "pt2"
    if any(name.startswith("code/") for name in inner) and "data.pkl" in inner:
        return "torchscript"
    if "data.pkl" in inner:
        return "torch"
    if any(name.endswith(".npy") for name in members):
        raise not_a_model(file, "a NumPy archive of arrays")
    raise InputError(f"{file.name} is an archive, but of no kind of model that is known. {SAFE}")


def not_a_model(file: Path, what: str, unsafe: bool = False) -> Exception:
    if unsafe:
        return UnsafeFileError(
            f"{file.name} is {what} of Python objects, a pickle that can run code when opened. {SAFE}"
        )
    return InputError(f"{file.name} is {what}, not a model. {SAFE}")


def pickle_globals(data: bytes) -> list[str]:
    """The functions and classes that a pickle would look up, found without running it."""
    found: list[str] = []
    texts: list[str] = []
    try:
        for code, argument, _ in pickletools.genops(data):
            if code.name in ("GLOBAL", "INST"):
                found.append(str(argument).replace(" ", "."))
            elif code.name == "STACK_GLOBAL":
                found.append(".".join(texts[-2:]))
            elif isinstance(argument, str):
                texts.append(argument)
    except Exception as error:
        found.append(f"(unreadable from there on: {error})")
    return list(dict.fromkeys(found))
