"""Opening Keras's files: the configuration may ask for Keras's own parts only, the weights hold no links."""

from __future__ import annotations

import importlib
import io
import json
import re
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from dlexplain.errors import InputError, UnsafeFileError
from dlexplain.frameworks.load import SAFE

# Layers that hold Python code, run foreign programs or open further files.
_CODE = {
    "Lambda": "a Lambda layer holds Python code that runs when the file is opened",
    "__lambda__": "it holds a Python lambda, code that runs when the file is opened",
    "TorchModuleWrapper": "a TorchModuleWrapper holds a pickle that runs code when the file is opened",
    "TFSMLayer": "a TFSMLayer opens a further model by its path",
    "JaxLayer": "a JaxLayer holds Python functions",
    "FlaxLayer": "a FlaxLayer holds Python functions",
    "__typespec__": "it holds a TensorFlow type specification, which no plain model needs",
}
_MODULES = re.compile(
    r"keras|builtins|keras\.(layers|models|initializers|regularizers|constraints|activations|dtype_policies|random|ops)"
    r"|keras\.src\.(layers|models|ops|initializers|regularizers|constraints|activations|dtype_policies|random)(\.\w+)*"
)
_VALUES = {"__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__"}
_PLACES = ("layers", "models", "initializers", "regularizers", "constraints", "dtype_policies")


def archive(data: bytes, file: Path, trust: bool) -> Any:
    """A `.keras` archive; its optimiser and losses stay unread."""
    kept: dict[str, bytes] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        for part in source.namelist():
            kept[part] = source.read(part)
    if not trust:
        for part in kept:
            if part not in ("config.json", "metadata.json", "model.weights.h5") and not part.startswith("assets/"):
                raise _unsafe(file, f"it has the member {part!r}, which Keras does not write")
        config = _parsed(kept["config.json"], file)
        check_config(config, file)
        kept["config.json"] = json.dumps(config).encode()
        if "model.weights.h5" in kept:
            check_hdf5(kept["model.weights.h5"], file)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as target:
        for part, value in kept.items():
            target.writestr(part, value)
    return _opened(out.getvalue(), ".keras", file, trust)


def hdf5(data: bytes, file: Path, trust: bool) -> Any:
    """A legacy `.h5` model. Keras's own safe mode has been passed over for these files; the check is ours."""
    import h5py

    if not trust:
        check_hdf5(data, file)
    with _hdf5(data, file) as store:
        config = store.attrs.get("model_config")
    if config is None:
        raise InputError(f"{file.name} holds Keras weights alone. Load them into the model: model.load_weights(path).")
    if trust:
        return _opened(data, ".h5", file, trust)
    parsed = _parsed(config, file)
    check_config(parsed, file)
    buffer = io.BytesIO(data)
    with h5py.File(buffer, "r+") as store:
        store.attrs["model_config"] = json.dumps(parsed)
        if "training_config" in store.attrs:
            del store.attrs["training_config"]
    return _opened(buffer.getvalue(), ".h5", file, trust)


def _opened(data: bytes, suffix: str, file: Path, trust: bool) -> Any:
    import keras

    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / f"model{suffix}"
        copy.write_bytes(data)
        try:
            return keras.saving.load_model(copy, compile=False, safe_mode=not trust)
        except Exception as error:
            raise InputError(
                f"{file.name} could not be opened by Keras: {type(error).__name__}: {str(error)[:500]}"
            ) from error


def _unsafe(file: Path, why: str) -> UnsafeFileError:
    return UnsafeFileError(f"{file.name} was not opened: {why}. {SAFE}")


def _parsed(text: bytes | str, file: Path) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise InputError(f"{file.name} has a damaged configuration ({error}). Save the model again.") from error


def check_config(config: Any, file: Path) -> None:
    """Every object in a configuration is one of Keras's own or one that this process has registered."""
    pending = [config]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, dict):
            value.pop("compile_config", None)  # losses and optimisers: not needed, and a way in
            if "class_name" in value:
                _check_object(value, file)
            pending.extend(value.values())


def _check_object(value: dict[str, Any], file: Path) -> None:
    import keras

    name, module, registered = str(value["class_name"]), value.get("module"), value.get("registered_name")
    if name in _CODE:
        raise _unsafe(file, _CODE[name])
    if name in _VALUES:
        return
    own = keras.saving.get_custom_objects()
    if registered in own or name in own:
        return  # a class that the user's own program has registered
    if name == "function":
        _check_function(value, file)
        return
    if module is not None and not _MODULES.fullmatch(str(module)):
        raise _unsafe(
            file, f"it asks for {module}.{name}, which is not one of Keras's layers; register the class first"
        )
    if not _is_keras_part(name, module):
        raise _unsafe(file, f"it asks for {name!r}, which is not a layer of this Keras; register the class first")
    inner = value.get("config")
    vocabulary = inner.get("vocabulary") if isinstance(inner, dict) else None
    if vocabulary is not None and not isinstance(vocabulary, list):
        raise _unsafe(file, f"its {name} reads the file {vocabulary!r} when it is opened")


def _check_function(value: dict[str, Any], file: Path) -> None:
    """A function must be one of Keras's activations, by its plain name."""
    import keras

    foreign = not _MODULES.fullmatch(str(value.get("module", "keras")))
    for name in (value.get("config"), value.get("registered_name")):
        known = not foreign and isinstance(name, str) and hasattr(keras.activations, name)
        if name is not None and (not known or name in ("get", "serialize", "deserialize")):
            raise _unsafe(
                file,
                f"it asks for the function {value.get('module')!s}.{name}, which is no activation of Keras",
            )


def _is_keras_part(name: str, module: Any) -> bool:
    """Whether this is a class of Keras that only computes: a layer or operation, an initialiser, ..."""
    import keras

    kinds = (
        keras.Operation, keras.initializers.Initializer, keras.regularizers.Regularizer,
        keras.constraints.Constraint,
        keras.dtype_policies.DTypePolicy, keras.random.SeedGenerator,
    )  # fmt: skip
    if not name.isidentifier():
        return False
    places: list[Any] = [getattr(keras, place) for place in _PLACES] + [keras]
    if isinstance(module, str) and module != "builtins":
        try:
            places = [importlib.import_module(module)]  # one of Keras's own modules: the caller has checked
        except ImportError:
            return False
    found = [getattr(place, name, None) for place in places]
    if name == "Functional" and not any(found):
        return True
    return any(isinstance(item, type) and issubclass(item, kinds) for item in found)


def _hdf5(data: bytes, file: Path) -> Any:
    import h5py

    try:
        return h5py.File(io.BytesIO(data), "r")
    except OSError as error:
        raise InputError(f"{file.name} is a damaged HDF5 file ({error}). Fetch it again.") from error


def check_hdf5(data: bytes, file: Path) -> None:
    """Weights must lie in the file itself: a link, or a data set kept elsewhere, would read other files."""
    import h5py

    with _hdf5(data, file) as store:
        pending: list[Any] = [store]
        seen: set[Any] = set()
        while pending:
            group = pending.pop()
            for name in group:
                if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                    raise _unsafe(file, f"its weights hold the link {name!r} to another place or file")
                item = group[name]
                if isinstance(item, h5py.Group):
                    key = h5py.h5o.get_info(item.id).addr
                    if key not in seen:  # a group may hold itself
                        seen.add(key)
                        pending.append(item)
                elif isinstance(item, h5py.Dataset) and (item.external or item.is_virtual):
                    raise _unsafe(file, f"its weights {name!r} lie in another file")
