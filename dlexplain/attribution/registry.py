"""Every method by name. A family enters its methods when it is imported here, in the order of the table."""

from __future__ import annotations

from dlexplain.attribution.families import gradients, paths, blurred, guided_path, deeplift, cam, cam_forward, perturbation, shapley, rise, lime, regions  # noqa: F401, I001
from dlexplain.attribution.method import METHODS, Method
from dlexplain.errors import InputError, suggest


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
