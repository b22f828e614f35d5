"""Plotly figures: functions from results to figures, one theme in light and dark, no state.

Each returns a `plotly.graph_objects.Figure` with alternative text in `layout.meta["alt"]`, which shows itself
in JupyterLab, in VS Code and in exported HTML without a network. `save_html` writes one as a page of its own.
"""

from __future__ import annotations

from dlexplain.figures.attending import attention, logit_lens
from dlexplain.figures.attributions import attribution
from dlexplain.figures.borders import Window, credit_maps, depth_curve, plane_borders, planes, unit_pictures
from dlexplain.figures.canvas import Figure
from dlexplain.figures.comparisons import agreement, comparison
from dlexplain.figures.evaluations import evaluation
from dlexplain.figures.inside import concept_sensitivity, discovered_concepts, patching, probes, similarity
from dlexplain.figures.layered import layer_attribution
from dlexplain.figures.learning import confusion, decision_border, training_curves
from dlexplain.figures.network import activation_histograms, activations, dead_units, feature_visualisation
from dlexplain.figures.pictures import images
from dlexplain.figures.showing import offline, save_html, to_html
from dlexplain.figures.tables import bars
from dlexplain.figures.theme import theme
from dlexplain.figures.timeseries import sensors
from dlexplain.figures.tokenised import tokens

__all__ = [
    "Figure",
    "Window",
    "activation_histograms",
    "activations",
    "agreement",
    "attention",
    "attribution",
    "bars",
    "comparison",
    "concept_sensitivity",
    "confusion",
    "credit_maps",
    "dead_units",
    "decision_border",
    "depth_curve",
    "discovered_concepts",
    "evaluation",
    "feature_visualisation",
    "images",
    "layer_attribution",
    "logit_lens",
    "offline",
    "patching",
    "plane_borders",
    "planes",
    "probes",
    "save_html",
    "sensors",
    "similarity",
    "theme",
    "to_html",
    "tokens",
    "training_curves",
    "unit_pictures",
]
