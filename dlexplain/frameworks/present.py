"""Says clearly which framework is absent, what it would add, and how to install it."""

from __future__ import annotations

import importlib

from dlexplain.errors import MissingPackageError

_PACKAGES = {"keras": ("tensorflow", "keras"), "torch": ("torch",)}
_ADDS = {
    "keras": "Keras models on TensorFlow: opening, explaining and making twins of them",
    "torch": "Torch models: opening, explaining and making twins of them",
}


def require(framework: str, what: str) -> None:
    """Imports the framework. Raises `MissingPackageError` that names `what` needs it."""
    for package in _PACKAGES[framework]:
        try:
            importlib.import_module(package)
        except ModuleNotFoundError as error:
            raise MissingPackageError(
                f"{what} needs {package}, which is not installed. It adds {_ADDS[framework]}. Install it with: "
                f"pip install 'dlexplain[{framework}]'."
            ) from error
