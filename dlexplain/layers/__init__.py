"""What the layers learned: activations, features, probes, similarity, concepts, attention, lens, patching.

`dlx.layers` is this room and, called, the table of a model's layers: `dlx.layers(model)`.
"""

import sys
from types import ModuleType
from typing import Any

from dlexplain.layers.activations import activations, table
from dlexplain.layers.attention import Attention, attention
from dlexplain.layers.concepts import ConceptSensitivity, concept_sensitivity
from dlexplain.layers.factorisation import DiscoveredConcepts, discover_concepts
from dlexplain.layers.lens import LogitLens, logit_lens
from dlexplain.layers.patching import Patching, patch
from dlexplain.layers.probes import Probes, probe
from dlexplain.layers.results import Activations, FeatureVisualisation
from dlexplain.layers.similarity import Similarity, similarity
from dlexplain.layers.visualise import visualise_feature

__all__ = [
    "Activations",
    "Attention",
    "ConceptSensitivity",
    "DiscoveredConcepts",
    "FeatureVisualisation",
    "LogitLens",
    "Patching",
    "Probes",
    "Similarity",
    "activations",
    "attention",
    "concept_sensitivity",
    "discover_concepts",
    "logit_lens",
    "patch",
    "probe",
    "similarity",
    "table",
    "visualise_feature",
]


class _Room(ModuleType):
    """Importing this room puts it under the name of the question in the package; so the room answers the question."""

    def __call__(self, model: Any, inputs: Any = None):
        return table(model, inputs)


sys.modules[__name__].__class__ = _Room
