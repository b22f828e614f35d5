"""Open the black box of Keras and Torch models: one call, either framework.

    import dlexplain as dlx
    dlx.explain(model, images).plot()

Importing this package imports neither TensorFlow nor Torch; each comes in with the first model of its kind.
"""

from __future__ import annotations

import importlib

from dlexplain.errors import (
    DataError,
    DlexplainError,
    GapWarning,
    InputError,
    MissingPackageError,
    UnsafeFileError,
    UnsupportedModelError,
)
from dlexplain.frameworks import guard

guard.install()  # before any framework comes in: see the module

__version__ = "0.1.0"

_FRONT = {
    "dlexplain.frameworks": ("wrap", "Model"),
    "dlexplain.frameworks.load": ("load",),
    "dlexplain.frameworks.convert": ("convert",),
    "dlexplain.attribution": ("explain", "compare", "methods", "Attribution", "Comparison"),
    "dlexplain.audit": ("AuditRecord",),
    "dlexplain.evaluation": ("agreement", "evaluate", "metrics", "Agreement", "Evaluation"),
    "dlexplain.attribution.inside": ("layer_attribution", "neuron_attribution", "LayerAttribution"),
    "dlexplain.layers": (
        "activations",
        "attention",
        "concept_sensitivity",
        "discover_concepts",
        "logit_lens",
        "patch",
        "probe",
        "similarity",
        "visualise_feature",
        "Activations",
        "Attention",
        "ConceptSensitivity",
        "DiscoveredConcepts",
        "FeatureVisualisation",
        "LogitLens",
        "Patching",
        "Probes",
        "Similarity",
    ),
}
_HOME = {name: module for module, names in _FRONT.items() for name in names}
_ROOMS = ("audit", "classroom", "data", "evaluation", "figures", "layers", "widgets")
# `dlx.layers` and `dlx.audit` are both the room and the question: the room answers a call itself (see its __init__.py).

__all__ = [
    *_HOME,
    *_ROOMS,
    "DataError",
    "DlexplainError",
    "GapWarning",
    "InputError",
    "MissingPackageError",
    "UnsafeFileError",
    "UnsupportedModelError",
]


def __getattr__(name: str):
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
    elif name in _ROOMS:
        value = importlib.import_module(f"dlexplain.{name}")
    else:
        raise AttributeError(f"module 'dlexplain' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
