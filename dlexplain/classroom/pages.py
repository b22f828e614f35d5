"""The few pieces of HTML that checks, hints and widgets share; they read well on light and on dark paper."""

from __future__ import annotations

import html
import re

# Half-transparent backgrounds over the page's own, and the page's own text colour: legible in both themes.
# The colours are Okabe and Ito's, safe for colour-blind readers; sign and word say the same without colour.
TONES = {
    "right": ("#009E73", "0,158,115", "\u2713"),
    "wrong": ("#D55E00", "213,94,0", "\u2717"),
    "open": ("#0072B2", "0,114,178", "\u2026"),
    "hint": ("#E69F00", "230,159,0", "?"),
    "plain": ("#7f7f7f", "127,127,127", "\u2022"),
}


def prose(text: str) -> str:
    """Plain text as HTML: escaped, `code` between backticks as code, **strong** words, blank lines as
    paragraphs."""
    parts = [part.strip() for part in re.split(r"\n\s*\n", text.strip())]
    return "".join(f'<p style="margin:.25em 0">{_marked(part)}</p>' for part in parts)


def _marked(text: str) -> str:
    codes: list[str] = []

    def put_by(found: re.Match[str]) -> str:
        codes.append(found[1])
        return "\0"

    # Code is taken out first: the stars in `x**2 + y**2` are powers.
    bare = re.sub(r"`([^`]+)`", put_by, html.escape(text.replace("\0", ""), quote=False))
    strong = re.sub(r"\*\*(?=\S)(.+?)(?<=\S)\*\*", r"<strong>\1</strong>", bare, flags=re.DOTALL)
    return re.sub("\0", lambda _: f"<code>{codes.pop(0)}</code>", strong)


def code_block(code: str) -> str:
    """A block of code; scrolls sideways instead of breaking."""
    style = (
        "margin:.4em 0;padding:.5em .7em;overflow-x:auto;background:rgba(127,127,127,.12);border-radius:4px"
    )
    text = html.escape(code.strip("\n"))
    return f'<pre style="{style}"><code style="background:none">{text}</code></pre>'


def box(tone: str, title: str, body: str, *, live: bool = False) -> str:
    """A framed note with a sign and a title; `live` has a screen reader announce it."""
    colour, rgb, sign = TONES[tone]
    role = ' role="status" aria-live="polite"' if live else ""
    style = (
        f"border-left:5px solid {colour};background:rgba({rgb},.11);color:inherit;"
        "padding:.5em .9em;margin:.4em 0;border-radius:0 6px 6px 0;max-width:52em;line-height:1.45"
    )
    head = f'<strong><span aria-hidden="true">{sign}</span> {html.escape(title)}</strong>'
    return f'<div{role} style="{style}">{head}{body}</div>'


def folded(summary: str, body: str) -> str:
    """Something that stays hidden until it is asked for; opens with the keyboard, needs no kernel."""
    return f'<details style="margin:.3em 0"><summary>{html.escape(summary)}</summary>{body}</details>'


def listing(rows: list[tuple[str, str]]) -> str:
    """Words and their explanations."""
    indented = '<dd style="margin:0 0 .4em 1.2em">'
    items = "".join(
        f'<dt style="font-weight:600">{html.escape(word)}</dt>{indented}{prose(text)}</dd>'
        for word, text in rows
    )
    return f'<dl style="margin:.3em 0">{items}</dl>'


def table(head: list[str], rows: list[list[str]], caption: str) -> str:
    """A table of ready-made HTML cells."""
    cell = 'style="padding:.3em .9em;text-align:left;border-bottom:1px solid rgba(127,127,127,.35)"'
    top = "".join(f'<th scope="col" {cell}>{html.escape(word)}</th>' for word in head)
    body = "".join("<tr>" + "".join(f"<td {cell}>{value}</td>" for value in row) + "</tr>" for row in rows)
    label = (
        f'<caption style="text-align:left;font-weight:600;padding:.3em 0">{html.escape(caption)}</caption>'
    )
    style = "border-collapse:collapse;color:inherit"
    return f'<table style="{style}">{label}<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'
