"""Words of the report: text that came from elsewhere made harmless, numbers short, statuses, anchors and labels."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from dlexplain.audit.record import Check, Exhibit, Part, Table
from dlexplain.figures.wording import number

STATUSES = ("FAIL", "INCONCLUSIVE", "NOT RUN", "PASS")  # worst first
WORDS = {"FAIL": "failed", "INCONCLUSIVE": "inconclusive", "NOT RUN": "not run", "PASS": "passed"}
# Each status has a shape of its own: it is told on a grey print, and by every kind of colour vision.
SHAPES = {
    "PASS": '<circle cx="8" cy="8" r="7"/><path d="M4.6 8.4l2.3 2.3 4.5-5" class="cut"/>',
    "FAIL": '<path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z"/><path d="M5.4 5.4l5.2 5.2m0-5.2l-5.2 5.2" class="cut"/>',
    "INCONCLUSIVE": '<rect x="1" y="1" width="14" height="14" rx="3"/><path d="M5.7 6.2a2.3 2.3 0 1 1 3.3 2.1c-.7.35-1 .7-1 1.3" '
    'class="cut"/><path d="M8 12v.01" class="cut"/>',
    "NOT RUN": '<circle cx="8" cy="8" r="6.2" class="ring"/><path d="M4.8 8h6.4" class="bar"/>',
}
# Marks that turn the reading direction, and other signs that are not seen: a name must not hide behind them.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


def plain(text: object) -> str:
    """Text in which every sign is seen: controls and marks of direction become `⟨U+202E⟩`."""
    return _UNSEEN.sub(lambda sign: f"⟨U+{ord(sign.group()):04X}⟩", str(text).replace("\r\n", "\n"))


def escaped(text: object) -> str:
    """Text for an element or a quoted attribute."""
    return html.escape(plain(text), quote=True)


def paragraphs(sentences: Iterable[str], kind: str = "") -> str:
    """Each text as a paragraph; its line breaks stay."""
    opening = f'<p class="{kind}">' if kind else "<p>"
    return "".join(f"{opening}{escaped(text).replace(chr(10), '<br>')}</p>" for text in sentences if str(text).strip())


def short(value: str | float | int | bool | None) -> str:
    """A value as people read it; floats to four digits."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return (
            f"{value:,}".replace(",", "\u202f").replace("-", "−")
            if abs(value) >= 10_000
            else f"{value}".replace("-", "−")
        )
    if isinstance(value, float):
        whole = math.isfinite(value) and value == int(value) and 1000 <= abs(value) < 1e15
        return short(int(value)) if whole else number(value, 4)
    return str(value)


def chip(status: str, *, large: bool = False) -> str:
    """A status as shape and word."""
    return (
        f'<span class="chip{" large" if large else ""}" data-status="{escaped(status)}">{shape(status)}'
        f"<span>{escaped(status)}</span></span>"
    )


def shape(status: str) -> str:
    """A status as its shape alone; the word must stand beside it."""
    return f'<svg class="shape" viewBox="0 0 16 16" aria-hidden="true" focusable="false">{SHAPES.get(status, "")}</svg>'


def worst(statuses: Iterable[str]) -> str | None:
    """The status that stands for a section: a fault, then an open question; NOT RUN only where nothing was run."""
    found = set(statuses)
    return next((status for status in ("FAIL", "INCONCLUSIVE", "PASS", "NOT RUN") if status in found), None)


@dataclass
class Index:
    """Where everything of the record stands on the page."""

    evidence: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # anchor, "Table 7.1", title; by identifier
    checks: dict[str, tuple[str, str]] = field(default_factory=dict)  # anchor and title, by name
    titles: dict[str, str] = field(default_factory=dict)
    sections: dict[str, str] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)  # why a check matters, by name: section 16 tells
    _spots: dict[int, tuple[str, str]] = field(default_factory=dict)  # anchor and label, by the piece itself
    _taken: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, parts: Iterable[Part]) -> Index:
        """Of the whole record; where two pieces share an identifier, links lead to the first."""
        made = cls()
        for part in parts:
            made.sections[f"section {part.number}"] = f"section-{part.number}"
            for check in part.checks:
                spot, _ = made._enter(check, "check", check.name, check.title)
                made.checks.setdefault(check.name, (spot, check.title))
                made.titles.setdefault(check.title, spot)
            for piece in part.tables:
                if piece.id == "limits-why":
                    made.why.update((str(row[0]), str(row[-1])) for row in piece.rows)
            for kind, pieces in (("Table", part.tables), ("Figure", part.exhibits)):
                for place, piece in enumerate(pieces, 1):
                    found = made._enter(piece, "evidence", piece.id, f"{kind} {part.number}.{place}")
                    made.evidence.setdefault(piece.id, (*found, piece.title))
        return made

    def _enter(self, piece: Check | Table | Exhibit, kind: str, name: str, label: str) -> tuple[str, str]:
        wanted = spot = f"{kind}-{re.sub(r'[^a-zA-Z0-9]+', '-', name).strip('-').lower() or 'x'}"
        more = 1
        while spot in self._taken:
            spot, more = f"{wanted}-{more + 1}", more + 1
        self._taken.add(spot)
        self._spots[id(piece)] = spot, label
        return spot, label

    def at(self, piece: Check | Table | Exhibit) -> tuple[str, str]:
        """Anchor and label of a piece of the record."""
        return self._spots[id(piece)]

    def place(self, name: str) -> tuple[str, str] | None:
        """Anchor and label of a check, a piece of evidence or `section 7`; None for any other text."""
        if name in self.evidence:
            return self.evidence[name][:2]
        if name in self.checks:
            return self.checks[name]
        if name in self.titles:
            return self.titles[name], name
        spot = self.sections.get(name.lower())
        return (spot, name) if spot else None

    def link(self, identifier: str) -> str:
        """A link to a piece of evidence that also reads well on paper."""
        if identifier in self.evidence:
            spot, label, title = self.evidence[identifier]
            return f'<a href="#{spot}">{label}, {escaped(title)}</a>'
        place = self.place(identifier)
        return (
            f'<a href="#{place[0]}">{escaped(place[1])}</a>' if place else f"{escaped(identifier)} (not in this record)"
        )
