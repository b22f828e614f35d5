"""Words on figures: names from data shown literally, numbers short, long lines broken."""

from __future__ import annotations

import math
import textwrap

# Plotly reads a small HTML in every text, TeX between dollars, %{...} as a template: all three switched off.
_LITERAL = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;", "%": "&#37;"})


def literal(text: object, *, longest: int | None = None) -> str:
    """`text` as Plotly shows it, character by character, cut to `longest` characters."""
    plain = " ".join(str(text).split())
    if longest is not None and len(plain) > longest:
        plain = plain[: longest - 1] + "…"
    return plain.translate(_LITERAL)


def number(value: float, digits: int = 3) -> str:
    """A number in a few characters, with a true minus sign."""
    value = float(value)
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else ("infinite" if value > 0 else "−infinite")
    return f"{value:.{digits}g}".replace("-", "−")


def share(value: float) -> str:
    """A part of one as per cent."""
    value = float(value)
    if not math.isfinite(value):
        return number(value)
    if value != 0 and abs(value) < 1e-4:
        return "under 0.01 %"
    return f"{100 * value:.2g} %" if abs(value) < 1 else f"{100 * value:.0f} %"


def broken(text: str, width: int = 92) -> list[str]:
    """Plain text as literal lines of at most `width` characters."""
    return [literal(line) for line in textwrap.wrap(text, width)] or [""]


def listed(words: list[str]) -> str:
    """`a, b and c`."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1] if words else "none"


def method_title(method: str) -> str:
    """`integrated_gradients` as `Integrated gradients`; a name of another library stays as it is."""
    return method if ":" in method else method.replace("_", " ").capitalize()
