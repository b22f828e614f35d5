"""Slides of a lesson, made from its run: a heading and few words, a figure, a prediction, a question; no code."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

from dlexplain.classroom.declare import Lesson
from dlexplain.classroom.executed import Executed
from dlexplain.classroom.site.cells import cell_html, markdown
from dlexplain.classroom.teaching.papers import scale_of
from dlexplain.figures import showing

WORDS = 45  # a slide is read from the last row
_HEAD = re.compile(r"^##\s+(.*)$", re.MULTILINE)
_PREDICT = re.compile(r"lesson\.predict\(\s*[\"'](\w+)[\"']")
_FIGURE, _WIDGET = "application/vnd.plotly.v1+json", "application/vnd.jupyter.widget-view+json"
_PICTURE = re.compile(r'\s*<(?:div|figure|svg)\b[^>]*role="img"')
_SKIPPED = re.compile(r"<details>.*?</details>|^\|.*$|^```.*?^```", re.DOTALL | re.MULTILINE)


def slides_page(done: Executed, lesson: Lesson) -> str:
    """The slides as one page, turned by keys, a click or a swipe; its figures need no network."""
    told = [_title(lesson), *_body(done, lesson), *_questions(lesson)]
    sections = "".join(
        f'<section class="{kind}" aria-label="slide {k} of {len(told)}">{body}</section>'
        for k, (kind, body) in enumerate(told, 1)
    )
    figures = f"<script>{showing.drawing_code()}</script>{showing.carrier()}"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{lesson.number:02d} · {html.escape(lesson.title)}: slides</title><style>{_STYLE}</style></head>"
        f'<body class="dlexplain-page">{figures}<main>{sections}</main><p id="place" aria-live="polite"></p><script>{_SCRIPT}</script>'
        "</body></html>\n"
    )


def _title(lesson: Lesson) -> tuple[str, str]:
    goals = "".join(f"<li>{html.escape(goal)}</li>" for goal in lesson.goals)
    return "title", (
        f"<p>Lesson {lesson.number:02d}</p><h1>{html.escape(lesson.title)}</h1>"
        f'<p class="asked">{html.escape(lesson.question)}</p><ul>{goals}</ul>'
    )


def _body(done: Executed, lesson: Lesson) -> Iterator[tuple[str, str]]:
    head, waiting = html.escape(lesson.title), ""
    for cell in done.notebook["cells"]:
        source = cell["source"]
        if cell["cell_type"] == "markdown":
            found = _HEAD.search(source)
            if found:
                if waiting:
                    yield "words", waiting
                head = html.escape(found[1].replace("*", "").replace("`", ""))
                said = shortened(source[found.end() :])
                waiting = f"<h2>{head}</h2>{said}" if said else ""
            continue
        predicted = _PREDICT.search(source)
        if predicted and predicted[1] in lesson.predictions:
            if waiting:
                yield "words", waiting
                waiting = ""
            each = lesson.predictions[predicted[1]]
            choices = "".join(f"<li>{html.escape(choice)}</li>" for choice in each.choices)
            scale = f"<ul>{choices}</ul>" if choices else f"<p>{html.escape(scale_of(each))}</p>"
            yield "asked", f"<h2>Predict first</h2><p>{_plain(each.question)}</p>{scale}"
        for output in cell.get("outputs", ()):
            if _shows(output.get("data", {})):
                if waiting:
                    yield "words", waiting
                    waiting = ""
                yield "figure", f"<h2>{head}</h2>" + cell_html({**cell, "source": "pass", "outputs": [output]}, {})
    if waiting:
        yield "words", waiting


def _shows(data: Mapping[str, Any]) -> bool:
    """Whether an output is a figure, or a picture that a lesson made of HTML; what has controls is none."""
    return _FIGURE in data or (_WIDGET not in data and _PICTURE.match(data.get("text/html", "")) is not None)


def _questions(lesson: Lesson) -> Iterator[tuple[str, str]]:
    for each in lesson.quiz.values():
        choices = "".join(f"<li>{_plain(choice)}</li>" for choice in each.choices)
        yield "asked", f"<h2>What do you remember?</h2><p>{_plain(each.text)}</p><ul>{choices}</ul>"


def shortened(text: str, most: int = WORDS) -> str:
    """The first whole paragraphs and lists of a text, as HTML, up to `most` words; the first one whatever its length."""
    kept: list[str] = []
    for part in re.split(r"\n\s*\n", _SKIPPED.sub("", text).strip()):
        if not part.strip() or part.startswith(("**Exercise", "#", "**Play")):
            break
        if kept and len(" ".join([*kept, part]).split()) > most:
            break
        kept.append(part)
    return markdown(re.sub(r":$", ".", "\n\n".join(kept)))  # what the colon led to is in the notebook


def _plain(text: str) -> str:
    return html.escape(text.replace("`", "").replace("**", ""))


_STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; background: #fff; color: #1d2330; font: clamp(18px, 2.5vw, 32px)/1.45 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
@media (prefers-color-scheme: dark) { body { background: #14171d; color: #e4e7ec; } a { color: #7cc4f4; } }
section { position: absolute; top: 0; left: 0; width: 100%; height: 100vh; overflow: hidden; visibility: hidden; }
section { display: flex; flex-direction: column; justify-content: center; box-sizing: border-box; padding: 5vh 7vw 8vh; }
section.now { position: static; height: auto; min-height: 100vh; overflow: visible; visibility: visible; }
section.figure { justify-content: flex-start; }
h1 { font-size: 2em; line-height: 1.15; margin: .1em 0; } h2 { font-size: 1.35em; line-height: 1.2; margin: 0 0 .6em; }
.title .asked { font-size: 1.2em; } .title > p:first-child { color: #5b7390; margin: 0; }
.asked h2 { color: #0072b2; } @media (prefers-color-scheme: dark) { .asked h2 { color: #7cc4f4; } }
li { margin: .35em 0; } .figure .code { display: none; } .figure .output { font-size: 16px; } table { border-collapse: collapse; } td, th { padding: .2em .8em .2em 0; text-align: left; }
#place { position: fixed; right: 1.2em; bottom: .6em; margin: 0; font-size: .55em; opacity: .7; }
@page { size: A4 landscape; margin: 0; }
@media print {
  :root { color-scheme: light; } body { font-size: 20pt; background: #fff; color: #1d2330; } #place { display: none; }
  section, section.now { position: static; height: 100vh; min-height: 0; overflow: hidden; visibility: visible; break-after: page; }
  section:last-of-type { break-after: auto; }
}
"""
# A figure is made as large as its slide takes, so that its words are read from the last row. Slides that wait are laid
# out, though not seen: a figure drawn where nothing has a size puts its title over its facts, and so it would print.
_SCRIPT = """
(function () {
  const slides = [...document.querySelectorAll("section")], place = document.getElementById("place");
  let now = Math.min(Math.max((parseInt(location.hash.slice(1)) || 1) - 1, 0), slides.length - 1);
  function show(next) {
    slides[now].classList.remove("now");
    now = Math.min(Math.max(next, 0), slides.length - 1);
    slides[now].classList.add("now");
    place.textContent = (now + 1) + " / " + slides.length;
    history.replaceState(null, "", "#" + (now + 1));
    window.scrollTo(0, 0);
    const page = slides[now].classList.contains("figure") && slides[now].querySelector(".output");
    if (page) {
      page.style.zoom = 1;
      const room = innerHeight - page.getBoundingClientRect().top - 0.06 * innerHeight;
      let zoom = Math.min(1.8, Math.max(0.6, room / page.scrollHeight));
      page.style.zoom = zoom;
      // larger, its lines may break anew and grow: smaller then, until the slide fits
      while (zoom > 0.6 && document.documentElement.scrollHeight > innerHeight) page.style.zoom = zoom *= 0.94;
    }
    window.dispatchEvent(new Event("resize"));
  }
  addEventListener("beforeprint", function () {  // a figure keeps its size and is made to fit the sheet
    for (const page of document.querySelectorAll(".figure .output")) {
      page.style.zoom = 1;
      page.style.zoom = Math.min(1.3, 920 / page.scrollWidth, 560 / page.scrollHeight);
    }
  });
  addEventListener("afterprint", () => show(now));
  const on = { ArrowRight: 1, ArrowDown: 1, PageDown: 1, " ": 1, Enter: 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1, Backspace: -1 };
  addEventListener("resize", function (event) { if (event.isTrusted) show(now); });
  addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Home") show(0);
    else if (event.key === "End") show(slides.length - 1);
    else if (on[event.key]) show(now + on[event.key]);
    else return;
    event.preventDefault();
  });
  let from = null;
  addEventListener("pointerdown", (event) => { from = event.pointerType === "touch" ? event.clientX : null; });
  addEventListener("pointerup", function (event) {
    if (from !== null && Math.abs(event.clientX - from) > 60) show(now + (event.clientX < from ? 1 : -1));
  });
  show(now);
})();
"""
