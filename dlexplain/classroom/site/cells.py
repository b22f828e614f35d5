"""A notebook's cells as HTML: text with its mathematics, coloured code, outputs with static widgets."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from dlexplain.classroom.pages import folded, prose
from dlexplain.errors import MissingPackageError
from dlexplain.figures import showing

_ASKED = re.compile(r"\s*lesson\.(\w+)\(")  # a cell of one call on the learner's desk
_CHECKED = re.compile(r"^lesson\.check\(\s*[\"'](\w+)[\"']", re.MULTILINE)
_LISTS = {"glossary": "Words", "sources": "Sources"}  # shown without the call that makes them: a heading instead
_NOTEBOOK_LINK = re.compile(r'href="(?:\./)?(?:solutions/)?(\d\d_\w+)\.ipynb"')
_CONSOLE = re.compile(r"\x1b\[[0-9;]*m")


def cell_html(cell: Mapping[str, Any], hints: Mapping[str, tuple[str, str, str]]) -> str:
    """One cell of an executed notebook. `hints` by exercise: folded below the exercise's check."""
    source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        return f'<div class="text">{markdown(source)}</div>'
    if cell["cell_type"] != "code" or not source.strip() or "lesson.progress()" in source:
        return ""
    checked = _CHECKED.search(source)
    outputs = "" if checked else "".join(_output(each) for each in cell.get("outputs", ()))
    asked = _ASKED.match(source)
    hidden = asked and asked[1] != "check" and len(source.strip().splitlines()) == 1
    shown = "" if hidden else f'<div class="code">{coloured(source)}</div>'
    if hidden and asked[1] in _LISTS:
        outputs = f"<h3>{_LISTS[asked[1]]}</h3>{outputs}"
    if checked and checked[1] in hints:
        outputs += _hints(hints[checked[1]])
    return f'<div class="cell">{shown}<div class="output">{outputs}</div></div>'


def markdown(text: str) -> str:
    """CommonMark with tables and dollar mathematics; mathematics becomes MathML, which browsers set themselves."""
    return _linked(_reader().render(text))


def _linked(page: str) -> str:
    """Links from notebook to notebook lead from page to page."""
    return _NOTEBOOK_LINK.sub(r'href="\1.html"', page)


@cache
def _reader() -> Any:
    try:
        from latex2mathml.converter import convert
        from markdown_it import MarkdownIt
        from mdit_py_plugins.dollarmath import dollarmath_plugin
    except ImportError as fault:
        raise MissingPackageError(
            "The course's pages need markdown-it-py and latex2mathml: pip install dlexplain[lab]."
        ) from fault

    def mathematics(text: str, options: Mapping[str, Any]) -> str:
        return convert(text, display="block" if options["display_mode"] else "inline")

    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return reader.use(dollarmath_plugin, renderer=mathematics, double_inline=True)


def coloured(code: str) -> str:
    """Python as HTML with Pygments' classes; `code_styles` colours them."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    return highlight(code, PythonLexer(), HtmlFormatter(nowrap=False, cssclass="python"))


def code_styles() -> str:
    """The style sheet of coloured code, on light and on dark paper."""
    from pygments.formatters import HtmlFormatter

    light, dark = (HtmlFormatter(style=style).get_style_defs(".python") for style in ("xcode", "github-dark"))
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n"


def _output(output: Mapping[str, Any]) -> str:
    if output["output_type"] == "stream":
        return f"<pre>{_plain(output['text'])}</pre>" if output["name"] == "stdout" else ""
    if output["output_type"] == "error":
        return f"<pre>{_plain(output['ename'])}: {_plain(output['evalue'])}</pre>"
    data = output.get("data", {})
    if "text/html" in data:
        page = data["text/html"].replace(showing.carrier(), "").replace(showing.drawing_code(), "")
        return f'<div class="page">{_linked(page)}</div>'
    if "image/png" in data:
        alt = html.escape(data.get("text/plain", "A picture"), quote=True)
        return f'<img alt="{alt}" src="data:image/png;base64,{data["image/png"].strip()}">'
    if "text/markdown" in data:
        return f'<div class="text">{markdown(data["text/markdown"])}</div>'
    return f"<pre>{_plain(data['text/plain'])}</pre>" if data.get("text/plain") else ""


def _plain(text: str) -> str:
    return html.escape(_CONSOLE.sub("", text))


def _hints(hints: tuple[str, str, str]) -> str:
    nudge, part, answer = hints
    words, _, code = answer.partition("\n```\n")
    last = prose(words) + (coloured(code.removesuffix("```").strip("`\n")) if code else "")
    steps = folded("Hint 1: a nudge", prose(nudge)) + folded("Hint 2: a part of the way", prose(part))
    return f'<div class="hints">{steps}{folded("The answer (try first)", last)}</div>'
