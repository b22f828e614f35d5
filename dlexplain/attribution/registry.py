"""Every method by name: what it answers, what it costs, what it cannot do."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dlexplain.attribution import cam, gradients, paths, perturbation
from dlexplain.attribution.case import Found
from dlexplain.errors import InputError, suggest


@dataclass(frozen=True)
class Method:
    """One line of the registry. `complete`: claims that the values sum to the output's change from the baseline."""

    name: str
    function: Callable[..., Found]
    family: str
    answers: str
    complete: bool
    baseline: Literal["zeros", "none"]
    cost: str
    cannot: str
    paper: str
    background: bool = False
    # Token ids run through the network with the padding of the sample (gradients at the embedding) or of the baseline.
    at_embedding: bool = False
    tolerance: float | None = None

    @property
    def options(self) -> Mapping[str, Any]:
        """The method's options and their defaults."""
        parameters = inspect.signature(self.function).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Raises `InputError` that names the known ones."""
        for name in options:
            if name not in self.options:
                known = ", ".join(self.options) or "none"
                raise InputError(
                    f"{self.name}: unknown option {name!r}. {suggest(name, self.options)}Its options: {known}."
                )


METHODS = {
    method.name: method
    for method in (
        Method(
            "saliency",
            gradients.saliency,
            "gradient",
            "Which inputs does the output react to most just here?",
            False,
            "none",
            "1 forward, 1 backward",
            "says nothing of inputs where the output is saturated",
            "arXiv:1312.6034",
            at_embedding=True,
        ),
        Method(
            "input_x_gradient",
            gradients.input_x_gradient,
            "gradient",
            "What does each input add, were the model linear?",
            False,
            "none",
            "1 forward, 1 backward",
            "exact for piecewise linear models without bias only",
            "arXiv:1605.01713",
            at_embedding=True,
        ),
        Method(
            "smoothgrad",
            gradients.smoothgrad,
            "gradient",
            "Which inputs does the output react to hereabouts?",
            False,
            "none",
            "samples x (1 forward, 1 backward)",
            "depends on the noise chosen; leaves the data's own shape",
            "arXiv:1706.03825",
            at_embedding=True,
        ),
        Method(
            "vargrad",
            gradients.vargrad,
            "gradient",
            "Where does the reaction change most hereabouts?",
            False,
            "none",
            "samples x (1 forward, 1 backward)",
            "has no sign: does not tell for from against",
            "arXiv:1810.03307",
            at_embedding=True,
        ),
        Method(
            "integrated_gradients",
            paths.integrated_gradients,
            "path",
            "How is the change from the baseline shared among the inputs?",
            True,
            "zeros",
            "16 to 4096 x (1 forward, 1 backward), by the gap",
            "the answer is relative to the baseline",
            "arXiv:1703.01365",
            at_embedding=True,
            tolerance=1e-3,
        ),
        Method(
            "expected_gradients",
            paths.expected_gradients,
            "path",
            "How is the change from typical samples shared among the inputs?",
            True,
            "zeros",
            "64 to 2048 x (1 forward, 1 backward), by the gap",
            "the answer is relative to the background; its sum is a sample mean",
            "doi:10.1038/s42256-021-00343-9",
            background=True,
            at_embedding=True,
            tolerance=1e-2,
        ),
        Method(
            "gradcam",
            cam.gradcam,
            "activation map",
            "Where did the last convolution find what speaks for the target?",
            False,
            "none",
            "1 forward, 1 backward",
            "as coarse as the layer; only what speaks for, never against",
            "arXiv:1610.02391",
        ),
        Method(
            "occlusion",
            perturbation.occlusion,
            "perturbation",
            "How far does the output fall when a window is covered?",
            False,
            "zeros",
            "1 forward a window",
            "misses parts that stand in for each other; the cover is not natural",
            "arXiv:1311.2901",
            background=True,
        ),
        Method(
            "feature_ablation",
            perturbation.feature_ablation,
            "perturbation",
            "How far does the output fall when one feature is taken away?",
            False,
            "zeros",
            "1 forward a feature or group",
            "misses features that stand in for each other",
            "Fisher, Rudin, Dominici (2019), JMLR 20(177)",
            background=True,
        ),
    )
}


def get(name: str) -> Method:
    """The method of that name, or the bridge `"shap:…"` or `"captum:…"`. Raises `InputError` with the near name."""
    if isinstance(name, str) and name.partition(":")[0] in ("shap", "captum") and ":" in name:
        from dlexplain.attribution import captum_bridge, shap_bridge

        bridge = shap_bridge if name.startswith("shap:") else captum_bridge
        return bridge.method(name.partition(":")[2])
    if name in METHODS:
        return METHODS[name]
    raise InputError(
        f"method {name!r} is unknown. {suggest(name, METHODS)}Methods: {', '.join(METHODS)}, and 'shap:…', 'captum:…'."
    )


def methods():
    """A table of the methods: name, family, what it answers, completeness, default baseline, cost, limits, paper."""
    import pandas as pd

    from dlexplain.attribution import shap_bridge

    rows = [*METHODS.values(), *(shap_bridge.method(name) for name in shap_bridge.NAMES)]
    columns = ("name", "family", "answers", "complete", "baseline", "cost", "cannot", "paper")
    return pd.DataFrame([{c: getattr(m, c) for c in columns} for m in rows]).set_index("name")
