"""How a figure shows itself: JupyterLab, VS Code, exported HTML, and a page of its own, all without a network."""

from __future__ import annotations

import plotly.graph_objects as go


def is_notebook_default() -> bool:
    """Whether Plotly's own choice for this process is the notebook format of JupyterLab and VS Code."""
    import plotly.io as pio

    return "plotly_mimetype" in (pio.renderers.default or "")


def mimebundle(figure: go.Figure) -> dict:
    """The formats of one output."""
    import json

    return {"application/vnd.plotly.v1+json": json.loads(figure.to_json()), "text/plain": figure.alt}


def display(figure: go.Figure) -> None:
    """Shows a figure in a notebook."""
    from IPython.display import display as show

    show(mimebundle(figure), raw=True)


def to_html(figure: go.Figure) -> str:
    """A page of its own."""
    return figure.to_html(include_plotlyjs=True)


def save_html(figure: go.Figure, path):
    """Writes a page of its own."""
    from pathlib import Path

    Path(path).write_text(to_html(figure), encoding="utf-8")
    return Path(path)
