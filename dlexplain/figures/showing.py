"""How a figure shows itself: JupyterLab, VS Code, exported HTML, a page of its own; without a network.

One output holds two formats: Plotly's own, which JupyterLab and VS Code draw, and HTML, which an export
keeps. The HTML's figure is deflated. plotly.js (1.9 MB deflated) goes once into a notebook: with its first
figure, and again when that cell runs again; `offline` puts it into a chosen cell. Where the user chose
another renderer of Plotly's, or the notebook host needs one (Colab, Kaggle), that renderer draws.
"""

from __future__ import annotations

import base64
import html
import json
import os
import uuid
import zlib
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from dlexplain.figures.canvas import alt_text
from dlexplain.figures.theme import DARK, LIGHT, theme

# plotly.js 4 offers, unless told otherwise, a button that sends the figure with its data to Plotly's server.
CONFIG = {
    "displaylogo": False,
    "responsive": True,
    "showSendToCloud": False,
    "showLink": False,
    "plotlyServerURL": "",
}
_MISSING = (
    "This figure is drawn by plotly.js, which this page lacks: run the notebook again from its first cell, "
    "and export it then."
)

# The cell that carries plotly.js in this kernel, and the run of it that did.
_carrier: dict[str, Any] = {"cell": None, "run": None}


def is_notebook_default() -> bool:
    """Whether Plotly's own choice for this process is the notebook format of JupyterLab and VS Code."""
    import plotly.io as pio

    return "plotly_mimetype" in (pio.renderers.default or "").split("+")


def mimebundle(figure: go.Figure) -> dict[str, Any]:
    """The formats of one output, without plotly.js."""
    return {
        "application/vnd.plotly.v1+json": _plain(figure),
        "text/html": fragment(figure),
        "text/plain": alt_text(figure) or "A figure",
    }


def display(figure: go.Figure) -> None:
    """Shows a figure in a notebook, followed by a script that gives it its alternative text."""
    from IPython.display import display as show

    bundle = {
        **mimebundle(figure),
        "text/html": (carrier() if _carries() else "") + fragment(figure, code=False),
    }
    show(bundle, raw=True)
    alt = _script_safe(alt_text(figure))
    named = f"<script>{drawing_code()}window.dlexplainFigures.describe(document.currentScript, {alt});</script>"
    show({"text/html": named, "text/plain": ""}, raw=True)


def offline() -> None:
    """Puts plotly.js into this cell's output, for all figures of the notebook's export."""
    from IPython.display import display as show

    _carrier.update(cell="offline", run=None)
    show({"text/html": carrier(), "text/plain": ""}, raw=True)


def fragment(figure: go.Figure, *, code: bool = True) -> str:
    """The figure as a piece of HTML; it draws itself when plotly.js or `carrier` is somewhere in the page.

    `code` False: the drawing code comes with another piece of the page.
    """
    name = f"dlexplain-{uuid.uuid4().hex}"
    alt = html.escape(alt_text(figure), quote=True)
    packed = _deflated(json.dumps(_plain(figure), separators=(",", ":"), ensure_ascii=False))
    height = int(figure.layout.height or 450)
    return (
        f'<div id="{name}" class="dlexplain-figure tex2jax_ignore mathjax_ignore" role="figure" tabindex="0" '
        f'aria-label="{alt}" style="width:100%;height:{height}px"><p>{alt}</p>'
        f"<p><small>{_MISSING}</small></p></div>"
        f"<script>{drawing_code() if code else ''}{_ask('draw', name, packed)}</script>"
    )


@cache
def carrier() -> str:
    """plotly.js as a piece of HTML, deflated; once in a page."""
    from plotly.offline import get_plotlyjs

    return f"<script>{_ask('carry', _deflated(get_plotlyjs()))}</script>"


def to_html(figure: go.Figure, *, title: str = "dlexplain") -> str:
    """A page of its own, with plotly.js and the alternative text in it; asks nothing of a network."""
    kind = figure.layout.meta.get("dlexplain", {}).get("theme", "light") if figure.layout.meta else "light"
    dark = f"body{{background:{DARK.paper};color:{DARK.text}}}"
    style = (
        dark if kind == "dark" else f"@media(prefers-color-scheme:dark){{{dark}}}" if kind == "auto" else ""
    )
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>body{{margin:0;background:{LIGHT.paper}}}{style}</style></head>"
        f'<body class="dlexplain-page">{carrier()}{fragment(figure)}</body></html>'
    )


def save_html(figure: go.Figure, path: str | os.PathLike) -> Path:
    """Writes `to_html` to a file and returns its path."""
    path = Path(path)
    path.write_text(to_html(figure, title=path.stem), encoding="utf-8")
    return path


def _carries() -> bool:
    """Whether the output about to be shown must bring plotly.js for the notebook's export."""
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    shell = get_ipython()
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    header = (parent or {}).get("header", {})
    # What a widget's callback shows may be replaced at any moment: nothing to build on.
    if header.get("msg_type", "execute_request") != "execute_request":
        return False
    run = header.get("msg_id")
    cell = (parent.get("metadata") or {}).get("cellId") or run
    if _carrier["cell"] is None or (_carrier["cell"] == cell and _carrier["run"] != run):
        _carrier.update(cell=cell or "unknown", run=run)
        return True
    return False


def _plain(figure: go.Figure) -> dict[str, Any]:
    return {**json.loads(figure.to_json()), "config": CONFIG}


def _ask(task: str, *given: str) -> str:
    """A line of script that does a task of `show.js` now, or once its code is there."""
    return f"(window.dlexplainFigures=window.dlexplainFigures||[]).push({_script_safe([task, *given])});"


def _deflated(text: str) -> str:
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def _script_safe(text: str | list[str]) -> str:
    """A JavaScript value that cannot end the script it stands in."""
    return json.dumps(text).replace("<", "\\u003c").replace(">", "\\u003e")


@cache
def drawing_code() -> str:
    """The drawing code, without its comments and indents, with the dark template."""
    lines = (resources.files("dlexplain.figures") / "show.js").read_text(encoding="utf-8").splitlines()
    code = "\n".join(line.strip() for line in lines if line.strip() and not line.strip().startswith("//"))
    code = code.replace("/*DARK*/null", json.dumps(theme("dark").to_plotly_json(), separators=(",", ":")))
    return code.replace("</", "<\\/")
