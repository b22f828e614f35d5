"""Ways into the course: by question, by method, by what must be known first, by word."""

from __future__ import annotations

import ast
import html
import inspect
import re
import textwrap
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
# What the front door's functions ask, in a learner's words; `METHODS` says it of its own.
_QUESTIONS = {
    "dlx.activations": "What does each layer hand on?",
    "dlx.agreement": "How far do two explanations of the same samples agree?",
    "dlx.attention": "At which places does each head of an attention look?",
    "dlx.audit": "May this model and its explanations be relied on?",
    "dlx.concept_sensitivity": "Does a concept, given by examples, move the answer?",
    "dlx.discover_concepts": "From which patterns does a layer put its pictures together?",
    "dlx.evaluate": "How good is an explanation, beside ones that know nothing?",
    "dlx.layer_attribution": "Which values of a layer decided the answer?",
    "dlx.logit_lens": "What would the network answer if it stopped after this block?",
    "dlx.neuron_attribution": "Which inputs excite this unit?",
    "dlx.patch": "Which layer carries what makes two inputs differ in their answer?",
    "dlx.probe": "What can be read from a layer by a straight cut?",
    "dlx.similarity": "How alike do two layers arrange the same samples?",
    "dlx.visualise_feature": "Which picture excites this unit most?",
}


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
            told = (inspect.getdoc(member) or "").partition("\n")[0]
            found[f"dlx.{name}"] = _QUESTIONS.get(f"dlx.{name}", told)
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
            rows.append(
                f"<tr><th scope='row'><code>{name}</code></th><td>{_sentence(what)}</td>"
                f"<td class='lessons'>{_links(found)}</td></tr>"
            )
    head = "<tr><th scope='col'>method</th><th scope='col'>what it asks</th><th scope='col'>lessons</th></tr>"
    return f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"


def by_prerequisite(entries: Sequence[Entry]) -> str:
    """Rows of lessons, each above those that build on it, with lines between; a list where the page is narrow."""
    depth = depths(entries)
    rows = [[entry for entry in entries if depth[entry.number] == level] for level in range(max(depth.values()) + 1)]
    wide, high, gap = 124, 60, 46
    most = max(len(row) for row in rows)
    width = most * (wide + 8)
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
            f'<text class="number" x="{x:.0f}" y="{y + 17:.0f}">{entry.number:02d}</text>'
            + "".join(
                f'<text x="{x:.0f}" y="{y + 34 + 15 * k:.0f}">{html.escape(line)}</text>'
                for k, line in enumerate(textwrap.wrap(entry.lesson.title, 17)[:2])
            )
            + "</a>"
        )
    height = len(rows) * (high + gap) - gap + 8
    said = "; ".join(f"{e.number:02d} after {_numbers(e.before) or 'nothing'}" for e in entries)
    return (
        f'<svg class="map" role="group" aria-label="What to know first: {said}." viewBox="0 0 {width} {height}">'
        f'<g class="lines">{"".join(lines)}</g>{"".join(boxes)}</svg>{_in_a_list(entries)}'
    )


def _in_a_list(entries: Sequence[Entry]) -> str:
    links = {entry.number: f'<a href="{entry.stem}.html">{entry.number:02d}</a>' for entry in entries}
    items = []
    for entry in entries:
        before = ", ".join(links.get(number, f"{number:02d}") for number in entry.before)
        items.append(f"<li>{entry.link}<br><small>{f'after {before}' if before else 'to begin with'}</small></li>")
    return f'<ul class="map-list">{"".join(items)}</ul>'


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
    """Every word that a lesson defines, once, in order of the alphabet; what it means, and in which lessons."""
    found: dict[str, dict[str, list[Entry]]] = {}
    for entry in entries:
        for word, meaning in entry.lesson.glossary.items():
            found.setdefault(word, {}).setdefault(meaning, []).append(entry)
    rows = []
    for word in sorted(found, key=str.casefold):
        meanings = "".join(
            f"<dd>{prose(meaning).removesuffix('</p>')} <span>{_links(defining)}</span></p></dd>"
            for meaning, defining in found[word].items()
        )
        rows.append(f"<div><dt>{html.escape(word)}</dt>{meanings}</div>")
    return f"<dl class='words'>{''.join(rows)}</dl>"


def _links(entries: Sequence[Entry]) -> str:
    return " · ".join(
        f'<a href="{entry.stem}.html" title="{html.escape(entry.lesson.title, quote=True)}">{entry.number:02d}</a>'
        for entry in entries
    )


def _numbers(numbers: Sequence[int]) -> str:
    return ", ".join(f"{n:02d}" for n in numbers)


def _sentence(text: str) -> str:
    return prose(text[:1].upper() + text[1:])
