"""From whatever the user trained to a `Model`, without importing the framework that is not in use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlexplain.errors import InputError, UnsupportedModelError
from dlexplain.frameworks.model import Model

_LAYOUTS = ("channels_last", "channels_first")


def wrap(
    model: Any,
    *,
    class_names: Sequence[str] | None = None,
    feature_names: Sequence[str] | None = None,
    input_shape: Sequence | None = None,
    layout: str | None = None,
    device: str | None = None,
) -> Model:
    """A Keras 3 model, a Torch module or a `Model` as a `Model`.

    `input_shape`: of one sample, or a tuple of shapes for several inputs. `layout`: of pictures, `"channels_last"` or
    `"channels_first"`; None: the framework's own. Raises `InputError`, `UnsupportedModelError`.
    """
    if layout not in (None, *_LAYOUTS):
        raise InputError(f"layout={layout!r} is not one of {', '.join(map(repr, _LAYOUTS))}.")
    shapes = None
    if input_shape is not None:
        several = len(input_shape) > 0 and isinstance(input_shape[0], (tuple, list))
        shapes = tuple(tuple(s) for s in input_shape) if several else (tuple(input_shape),)
    asked = {
        "class_names": _names(class_names),
        "feature_names": _names(feature_names),
        "input_shapes": shapes,
        "layout": layout,
        "device": device,
    }
    if isinstance(model, Model):
        if not any(value is not None for value in asked.values()):
            return model
        kept = {**model.options(), "input_shapes": model.input_shapes, "device": model.device}
        return type(model)(model.raw, **{k: v if v is not None else kept[k] for k, v in asked.items()})
    return _class_for(model)(_module(model), **asked)


def _class_for(model: Any) -> type[Model]:
    bases = {(base.__module__, base.__name__) for base in type(model).__mro__}
    roots = {module.partition(".")[0] for module, _ in bases}
    if "keras" in roots and any(name == "Model" for module, name in bases if module.startswith("keras")):
        import keras

        if keras.backend.backend() != "tensorflow":
            raise UnsupportedModelError(
                f"Keras runs on {keras.backend.backend()!r} in this process; dlexplain explains Keras models on "
                "TensorFlow. Set the environment variable KERAS_BACKEND=tensorflow and restart, or convert the model."
            )
        from dlexplain.frameworks.keras_model import KerasModel

        return KerasModel
    if ("torch.nn.modules.module", "Module") in bases or _exported(model):
        from dlexplain.frameworks.torch_model import TorchModel

        return TorchModel
    if "tf_keras" in roots or "tensorflow" in roots:
        raise UnsupportedModelError(
            f"{type(model).__module__}.{type(model).__name__} is a TensorFlow object but no Keras 3 model. Load or rebuild "
            "it with Keras 3, for example keras.Sequential([keras.layers.TFSMLayer(path, call_endpoint='serve')])."
        )
    raise InputError(
        f"model: {type(model).__module__}.{type(model).__name__} is neither a keras.Model nor a torch.nn.Module. "
        "Give the model itself, or open a file with dlx.load(path)."
    )


def _exported(model: Any) -> bool:
    return type(model).__name__ == "ExportedProgram" and type(model).__module__.startswith("torch.")


def _module(model: Any) -> Any:
    return model.module() if _exported(model) else model


def _names(names: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(str(name) for name in names)
