"""Every method by name. A family enters its methods when it is imported here; their order is the table's."""

from __future__ import annotations

from importlib import import_module

from dlexplain.attribution.method import METHODS, Method
from dlexplain.errors import InputError, suggest

_FAMILIES = (
    "gradients",
    "paths",
    "blurred",
    "guided_path",
    "deeplift",
    "lrp",
    "cam",
    "cam_forward",
    "modified",
    "perturbation",
    "shapley",
    "rise",
    "lime",
    "regions",
)
for _family in _FAMILIES:
    import_module(f"dlexplain.attribution.families.{_family}")


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
