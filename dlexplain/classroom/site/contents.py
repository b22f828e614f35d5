"""Ways into the course: by question, by method, by what must be known first, by word."""

from __future__ import annotations

import ast
import html
import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import dlexplain
from dlexplain.attribution.registry import METHODS
from dlexplain.classroom.declare import Lesson
from dlexplain.classroom.pages import prose

# Of the front door's functions, those that ask a model nothing, or ask what `METHODS` lists.
_NO_QUESTION = ("compare", "convert", "explain", "load", "methods", "metrics", "wrap")
_NUMBER = re.compile(r"\b\d\d\b")


@dataclass(frozen=True)
class Entry:
    """A lesson as the index knows it. `stem`: the name of its notebook without its ending."""

    lesson: Lesson
    stem: str
    uses: frozenset[str]  # names of `asked`

    @property
    def number(self) -> int:
        return self.lesson.number

    @property
    def before(self) -> tuple[int, ...]:
        """The lessons to know first."""
        named = (said for said in self.lesson.know_first if said.startswith("lesson"))
        return tuple(sorted({int(n) for said in named for n in _NUMBER.findall(said)}))

    @property
    def link(self) -> str:
        """A link to the lesson's page."""
        return f'<a href="{self.stem}.html">{self.number:02d} · {html.escape(self.lesson.title)}</a>'


def asked() -> dict[str, str]:
    """What can be asked of a model, `{name: what it asks}`: the methods of `dlx.explain`, then the other questions."""
    found = {name: method.answers for name, method in METHODS.items()}
    for name in sorted(dlexplain.__all__):
        member = getattr(dlexplain, name)
        if name not in _NO_QUESTION and name.islower() and (inspect.isfunction(member) or name == "audit"):
            found[f"dlx.{name}"] = (inspect.getdoc(member) or "").partition("\n")[0]
    return found


def used(source: Path) -> frozenset[str]:
    """Which of `asked` a lesson's source asks, by the name of a method or as `dlx.probe(...)`."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    said = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return frozenset((said | called) & asked().keys())


def by_question(entries: Sequence[Entry]) -> str:
    """A card a lesson."""
    cards = []
    for entry in entries:
        lesson = entry.lesson
        read, run = lesson.minutes
        cards.append(
            f'<a class="card" data-words="{_searched(entry)}" href="{entry.stem}.html"><span class="number">{entry.number:02d}</span>'
            f"<strong>{html.escape(lesson.title)}</strong><span>{html.escape(lesson.question)}</span>"
            f"<small>{read} min to read, {run} to run</small></a>"
        )
    return f'<div class="cards">{"".join(cards)}</div>'


def _searched(entry: Entry) -> str:
    """What the filter looks through beside what the card shows."""
    return html.escape(" ".join([*entry.lesson.goals, *entry.lesson.glossary, *sorted(entry.uses)]), quote=True)


def by_method(entries: Sequence[Entry]) -> str:
    """A row a method: what it asks, and the lessons that use it."""
    rows = []
    for name, what in asked().items():
        found = [entry for entry in entries if name in entry.uses]
        if found:
            links = " · ".join(
                f'<a href="{entry.stem}.html" title="{html.escape(entry.lesson.title, quote=True)}">{entry.number:02d}</a>'
                for entry in found
            )
            rows.append(
                f"<tr><th scope='row'><code>{name}</code></th><td>{_sentence(what)}</td>"
                f"<td class='lessons'>{links}</td></tr>"
            )
    head = "<tr><th scope='col'>method</th><th scope='col'>what it asks</th><th scope='col'>lessons</th></tr>"
    return f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"


def by_prerequisite(entries: Sequence[Entry]) -> str:
    """Rows of lessons, each above those that build on it, with lines between; in words for a screen reader."""
    depth = depths(entries)
    rows = [[entry for entry in entries if depth[entry.number] == level] for level in range(max(depth.values()) + 1)]
    wide, high, gap = 148, 46, 44
    most = max(len(row) for row in rows)
    width = most * (wide + 18)
    place: dict[int, tuple[float, float]] = {}
    for level, row in enumerate(rows):
        for index, entry in enumerate(row):
            place[entry.number] = (width * (index + 0.5) / len(row), level * (high + gap) + 4)
    lines, boxes, direct = [], [], _direct(entries)
    for entry in entries:
        x, y = place[entry.number]
        for before in direct[entry.number]:
            if before in place:
                a, b = place[before][0], place[before][1] + high
                lines.append(f'<path d="M{a:.0f} {b:.0f}C{a:.0f} {b + 28:.0f} {x:.0f} {y - 28:.0f} {x:.0f} {y:.0f}"/>')
        boxes.append(
            f'<a href="{entry.stem}.html"><rect x="{x - wide / 2:.0f}" y="{y:.0f}" width="{wide}" height="{high}" rx="7"/>'
            f'<text x="{x:.0f}" y="{y + 19:.0f}"><tspan class="number">{entry.number:02d}</tspan></text>'
            f'<text x="{x:.0f}" y="{y + 36:.0f}">{html.escape(_short(entry.lesson.title))}</text></a>'
        )
    height = len(rows) * (high + gap) - gap + 8
    said = "; ".join(f"{e.number:02d} after {_numbers(e.before) or 'nothing'}" for e in entries)
    return (
        f'<svg class="map" role="group" aria-label="What to know first: {said}." viewBox="0 0 {width} {height}">'
        f'<g class="lines">{"".join(lines)}</g>{"".join(boxes)}</svg>'
    )


def depths(entries: Sequence[Entry]) -> dict[int, int]:
    """How many lessons lie before each one, along the longest way."""
    found: dict[int, int] = {}
    for entry in sorted(entries, key=lambda each: each.number):  # a lesson builds on earlier ones only
        found[entry.number] = 1 + max((found[n] for n in entry.before if n in found), default=-1)
    return found


def _direct(entries: Sequence[Entry]) -> dict[int, list[int]]:
    """What comes first without the lessons that another of them needs anyway: fewer lines to follow."""
    whole: dict[int, set[int]] = {}
    for entry in sorted(entries, key=lambda each: each.number):
        whole[entry.number] = set(entry.before).union(*(whole.get(n, set()) for n in entry.before))
    return {
        entry.number: [n for n in entry.before if not any(n in whole.get(other, ()) for other in entry.before)]
        for entry in entries
    }


def words(entries: Sequence[Entry]) -> str:
    """Every word that a lesson defines, in order of the alphabet."""
    found: list[tuple[str, str, Entry]] = [
        (word, meaning, entry) for entry in entries for word, meaning in entry.lesson.glossary.items()
    ]
    rows = [
        f'<dt>{html.escape(word)} <a href="{entry.stem}.html">{entry.number:02d}</a></dt><dd>{prose(meaning)}</dd>'
        for word, meaning, entry in sorted(found, key=lambda each: (each[0].casefold(), each[2].number))
    ]
    return f"<dl class='words'>{''.join(rows)}</dl>"


def _numbers(numbers: Sequence[int]) -> str:
    return ", ".join(f"{n:02d}" for n in numbers)


def _short(title: str, longest: int = 22) -> str:
    return title if len(title) <= longest else f"{title[: longest - 1].rstrip()}…"


def _sentence(text: str) -> str:
    return prose(text[:1].upper() + text[1:])
