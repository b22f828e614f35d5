"""The course's pages: one a lesson, and the index."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from dlexplain.classroom.executed import Executed
from dlexplain.classroom.site import contents
from dlexplain.classroom.site.cells import cell_html
from dlexplain.classroom.site.contents import Entry

# At once, in the body: the page's own scripts hand their figures to this one. The filter waits until its cards are there.
_FIGURES = '<script src="assets/figures.js"></script>'
_FILTER = '<script src="assets/course.js" defer></script>'
_HEADING = re.compile(r"<h2>(.*?)</h2>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")


def lesson_page(done: Executed, entry: Entry, entries: Sequence[Entry]) -> str:
    """A lesson as it looks after a run: sections at the side, the lessons before and after at the end."""
    hints = {name: exercise.hints for name, exercise in entry.lesson.exercises.items()}
    body = "\n".join(filter(None, (cell_html(cell, hints) for cell in done.notebook["cells"])))
    sections: list[str] = []

    def numbered(found: re.Match[str]) -> str:
        sections.append(_TAG.sub("", found[1]))
        return f'<h2 id="s{len(sections)}">{found[1]}</h2>'

    body = _HEADING.sub(numbered, body)
    side = "".join(f'<li><a href="#s{k}">{name}</a></li>' for k, name in enumerate(sections, 1))
    place = entries.index(entry)
    before = _neighbour(entries[place - 1], "before", "←") if place else ""
    after = _neighbour(entries[place + 1], "after", "→") if place + 1 < len(entries) else ""
    told = (
        '<p class="told">This page shows a run of the lesson. Its controls rest: to move them, answer the exercises and '
        f"keep your predictions, open <code>notebooks/{entry.stem}.ipynb</code> with <code>make lab</code>.</p>"
    )
    main = f'<article>{told}{body}</article><nav class="way" aria-label="Other lessons">{before}{after}</nav>'
    aside = f'<aside><p><a href="index.html">The course</a></p><ol aria-label="Sections">{side}</ol></aside>'
    return _page(f"{entry.number:02d} · {entry.lesson.title}", f"{aside}<main>{main}</main>", kind="lesson")


def index_page(entries: Sequence[Entry], version: str) -> str:
    """The index: by question, by what to know first, by method, by word; a filter over the cards."""
    parts = (
        ("question", "By question", contents.by_question(entries)),
        ("first", "By what to know first", contents.by_prerequisite(entries)),
        ("method", "By method", contents.by_method(entries)),
        ("word", "By word", contents.words(entries)),
    )
    ways = " · ".join(f'<a href="#{name}">{title[3:]}</a>' for name, title, _ in parts)
    body = "".join(f'<section id="{name}"><h2>{title}</h2>{page}</section>' for name, title, page in parts)
    head = (
        "<header><h1>Deep learning, opened</h1><p>Train networks in Keras and in Torch, open them up, and judge what you "
        f"see. {len(entries)} lessons, without the internet.</p>"
        f"<p>Find a lesson by {ways}.</p>"
        '<p><label>Only lessons with <input id="filter" type="search" autocomplete="off"></label> '
        '<output id="found" aria-live="polite"></output></p></header>'
    )
    foot = f"<footer><p>dlexplain {html.escape(version)}. Each page shows a run; nothing is sent anywhere.</p></footer>"
    return _page("Deep learning, opened", f"<main>{head}{body}{foot}</main>", kind="index", script=_FILTER)


def _neighbour(entry: Entry, word: str, sign: str) -> str:
    name, arrow = f"{entry.number:02d} · {html.escape(entry.lesson.title)}", f"<span>{sign}</span>"
    said = f"{arrow} {name}" if word == "before" else f"{name} {arrow}"
    return f'<a class="{word}" href="{entry.stem}.html">{said}</a>'


def _page(title: str, body: str, *, kind: str, script: str = _FIGURES) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>{html.escape(title)}</title><link rel="stylesheet" href="assets/course.css">'
        f'<link rel="icon" href="data:,"></head>'
        f'<body class="dlexplain-page {kind}">{script}{body}</body></html>\n'
    )
