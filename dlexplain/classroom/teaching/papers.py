"""What a teacher prints: a guide with answers for the desk, a workbook for each learner."""

from __future__ import annotations

import html
import random
import textwrap
from collections.abc import Sequence
from pathlib import Path

from dlexplain.classroom import lessons
from dlexplain.classroom.checks import examine
from dlexplain.classroom.declare import Exercise, Lesson, Made, Ordering, Prediction, Question
from dlexplain.classroom.pages import prose
from dlexplain.classroom.site.cells import coloured, markdown
from dlexplain.classroom.teaching.guide import Plan, guide
from dlexplain.classroom.teaching.tasks import Task, tasks


def guide_page(number: int, source: Path) -> str:
    """The teacher's guide of a lesson: plans, misconceptions, questions, and all answers."""
    lesson, told = lessons.declared(number), guide(number)
    found = tasks(source.read_text(encoding="utf-8"))
    parts = [
        _head(lesson, "Teacher's guide"),
        f"<p class='before'><strong>Before the lesson.</strong> {_inline(told.before)}</p>" if told.before else "",
        "<h2>In 45 minutes</h2>" + _plan(told.short) + "<h2>In 90 minutes</h2>" + _plan(told.long),
        _pairs("What learners come to believe", ("they say", "ask or show"), told.misconceptions),
        _pairs("Questions for the room", ("ask", "a good answer"), told.questions),
        _section(
            "Answers: predictions",
            [_predicted(each, told.outcomes.get(name, "")) for name, each in lesson.predictions.items()],
        ),
        _section("Answers: exercises", [_answered(each, found.get(name)) for name, each in lesson.exercises.items()]),
        _section("Answers: orderings", [_ordered(each) for each in lesson.orders.values()]),
        _section("Answers: quiz", [_quizzed(each) for each in lesson.quiz.values()]),
    ]
    return paper(f"{number:02d} · {lesson.title}: teacher's guide", "".join(parts))


def workbook_page(number: int, source: Path) -> str:
    """A learner's sheets: predictions to tick, exercises with room, lines to number, a quiz."""
    lesson = lessons.declared(number)
    found = tasks(source.read_text(encoding="utf-8"))
    shuffled = random.Random(number)
    words = "".join(
        f"<div><dt>{html.escape(word)}</dt><dd>{prose(text)}</dd></div>" for word, text in lesson.glossary.items()
    )
    parts = [
        _head(lesson, "Workbook"),
        "<p class='name'>Name <span></span> Date <span></span></p>",
        _section(
            "Before the result shows: what do you predict?", [_to_predict(p) for p in lesson.predictions.values()]
        ),
        _section("Exercises", [_FIGURES, *(_to_solve(name, found.get(name)) for name in lesson.exercises)]),
        _section(
            "Number the lines; cross out those that do not belong",
            [_to_order(each, shuffled) for each in lesson.orders.values()],
        ),
        _section("What do you remember?", [_to_answer(each, shuffled) for each in lesson.quiz.values()]),
        f"<h2>Words</h2><dl>{words}</dl>",
        "<h2>In my own words</h2><p>What surprised me, and what I would ask next:</p>" + _room(5),
    ]
    return paper(f"{number:02d} · {lesson.title}: workbook", "".join(parts))


def paper(title: str, body: str) -> str:
    """A page to print, that needs no other file."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body><main>{body}</main></body></html>\n"
    )


def scale_of(each: Prediction) -> str:
    """The range of a prediction that asks for a number. A unit such as "of 100" repeats the upper end and is left out."""
    return f"{each.low:g} to {each.high:g} {'' if each.unit.startswith('of ') else each.unit}".strip()


def _head(lesson: Lesson, sort: str) -> str:
    goals = "".join(f"<li>{prose(goal)}</li>" for goal in lesson.goals)
    first = f"<p>Know first: {html.escape('; '.join(lesson.know_first))}.</p>" if lesson.know_first else ""
    return (
        f"<header><p class='sort'>{sort} · lesson {lesson.number:02d}</p><h1>{html.escape(lesson.title)}</h1>"
        f"<p class='question'>{html.escape(lesson.question)}</p><ul>{goals}</ul>{first}</header>"
    )


def _section(title: str, parts: Sequence[str]) -> str:
    return f"<h2>{title}</h2>{''.join(parts)}" if parts else ""


def _plan(plan: Plan) -> str:
    start, rows = 0, []
    for minutes, what in plan:
        rows.append(f"<tr><td class='time'>{start}–{start + minutes}</td><td>{_inline(what)}</td></tr>")
        start += minutes
    return f"<table><thead><tr><th>minute</th><th>the class</th></tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _pairs(title: str, heads: tuple[str, str], pairs: Sequence[tuple[str, str]]) -> str:
    top = "".join(f"<th>{head}</th>" for head in heads)
    rows = "".join(f"<tr><td>{_inline(a)}</td><td>{_inline(b)}</td></tr>" for a, b in pairs)
    return f"<h2>{title}</h2><table class='pairs'><thead><tr>{top}</tr></thead><tbody>{rows}</tbody></table>"


def _predicted(each: Prediction, outcome: str) -> str:
    scale = " / ".join(each.choices) or scale_of(each)
    told = f"The outcome: {outcome}" if outcome else "The outcome hangs on the run."
    return (
        f"<div class='item'>{prose(each.question)}<p class='soft'>{html.escape(scale)}. {html.escape(told)}</p></div>"
    )


def _answered(each: Exercise, task: Task | None) -> str:
    rows = "".join(_wrong(each, name, answer) for name, (answer, _) in each.wrong.items())
    code = (
        "\n".join(filter(None, (task.given, textwrap.indent(task.solution, task.indent))))
        if task and task.solution
        else ""
    )
    solved = coloured(code) if code else prose(each.hints[2].partition("\n```")[0])
    heads = "<thead><tr><th>a wrong answer</th><th>what the check says to it</th></tr></thead>"
    return (
        f"<div class='item'>{markdown(task.text) if task else ''}{solved}</div>"
        f"<table class='wrong'>{heads}<tbody>{rows}</tbody></table>"
    )


def _wrong(each: Exercise, name: str, answer: object) -> str:
    """A named wrong answer, the answer itself where it is short, and what the check says to it."""
    made = answer.make() if isinstance(answer, Made) else answer
    short = isinstance(made, (int, float, str, tuple, list)) and len(repr(made)) <= 24
    shown = f" <code>{html.escape(repr(made))}</code>" if short else ""
    return f"<tr><td>{html.escape(name)}{shown}</td><td>{_inline(examine(each, made, each.given).message)}</td></tr>"


def _ordered(each: Ordering) -> str:
    lines = "\n".join(each.lines)
    astray = "".join(
        f"<li><code>{html.escape(line)}</code>: {_inline(why)}</li>" for line, why in each.distractors.items()
    )
    more = f"<p>Do not belong:</p><ul>{astray}</ul>" if astray else ""
    return f"<div class='item'>{prose(each.question)}{coloured(lines)}{more}</div>"


def _quizzed(each: Question) -> str:
    rows = "".join(
        f"<li class='{'yes' if choice == each.answer else 'no'}'>{_inline(choice)} "
        f"<span class='soft'>{_inline(why)}</span></li>"
        for choice, why in each.choices.items()
    )
    return f"<div class='item'>{prose(each.text)}<ul class='choices'>{rows}</ul></div>"


def _to_predict(each: Prediction) -> str:
    boxes = "".join(f"<li>☐ {html.escape(choice)}</li>" for choice in each.choices)
    scale = f"<p>A number from {html.escape(scale_of(each))}: <span class='blank'></span></p>"
    asked = f"<ul class='boxes'>{boxes}</ul>" if boxes else scale
    return f"<div class='item'>{prose(each.question)}{asked}<p class='soft'>The outcome was: <span class='blank'></span></p></div>"


def _to_solve(name: str, task: Task | None) -> str:
    if task is None:
        return f"<div class='item'>{prose(f'Exercise `{name}`')}{_room(4)}</div>"
    given = coloured(task.given) if task.given else ""
    lines = len(task.solution.splitlines())
    return f"<div class='item'>{markdown(task.text)}{given}{_room(min(8, 1 + lines))}</div>"


def _to_order(each: Ordering, shuffled: random.Random) -> str:
    lines = [*each.lines, *each.distractors]
    shuffled.shuffle(lines)
    rows = "".join(f"<tr><td class='place'></td><td><pre>{html.escape(line)}</pre></td></tr>" for line in lines)
    return f"<div class='item'>{prose(each.question)}<table>{rows}</table></div>"


def _to_answer(each: Question, shuffled: random.Random) -> str:
    choices = list(each.choices)
    shuffled.shuffle(choices)
    boxes = "".join(f"<li>☐ {_inline(choice)}</li>" for choice in choices)
    return f"<div class='item'>{prose(each.text)}<ul class='boxes'>{boxes}</ul></div>"


def _room(lines: int) -> str:
    return "<div class='line'></div>" * lines


def _inline(text: str) -> str:
    return prose(text).replace('<p style="margin:.25em 0">', "").replace("</p>", " ")


_FIGURES = "<p class='soft'>The figures and tables that an exercise speaks of are in the notebook.</p>"
_STYLE = """
body { margin: 0; color: #1d2330; background: #fff; font: 16px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 48rem; margin: 0 auto; padding: 1.5rem; }
h1 { margin: .1em 0; font-size: 1.9rem; } h2 { margin: 1.8em 0 .4em; font-size: 1.3rem; } h3 { margin: 1.5em 0 .3em; }
h2, h3, thead, h2 + .soft, dt { break-after: avoid; } .item, tr, dl div { break-inside: avoid; }
.sort { margin: 0; color: #5b6472; } .question { font-size: 1.15rem; margin: .2em 0 .6em; } .soft { color: #5b6472; }
header ul { margin: .2em 0; } header p { margin: .4em 0; }
table { border-collapse: collapse; width: 100%; margin: .5em 0; }
th, td { text-align: left; vertical-align: top; border-bottom: 1px solid #d9dee6; padding: .35em .9em .35em 0; }
th { color: #5b6472; font-weight: 600; font-size: .85rem; } .pairs td { width: 50%; } .time { width: 5.5rem; white-space: nowrap; }
.item { margin: 1em 0 1.4em; } .item table { font-size: .88rem; }
pre { margin: .4em 0; padding: .5em .7em; background: #f5f7fa; border-radius: 5px; white-space: pre-wrap; font-size: .82rem; }
.item td pre { margin: 0; } td.place { width: 2.6rem; border: 1.5px solid #5b6472; }
.boxes, .choices { list-style: none; padding-left: .4em; } .boxes li, .choices li { margin: .25em 0; padding-left: 1.3em; text-indent: -1.3em; }
.wrong { font-size: .88rem; } .wrong td:first-child { width: 13rem; }
.yes::before { content: "✓ "; color: #00734f; font-weight: 700; } .no::before { content: "✗ "; color: #a33f00; }
.blank { display: inline-block; width: 9rem; border-bottom: 1px solid #1d2330; } .line { height: 2rem; border-bottom: 1px solid #9aa3b0; }
.name span { display: inline-block; width: 16rem; border-bottom: 1px solid #1d2330; margin-right: 1.5rem; }
dl { columns: 2; column-gap: 2rem; } dt { font-weight: 600; } dd { margin: 0 0 .5em 1.2em; }
@media (max-width: 36rem) { dl { columns: 1; } }
.before { border-left: 4px solid #e69f00; padding-left: .8em; }
@media print { main { max-width: none; padding: 0; } body { font-size: 11pt; } pre { font-size: 8.4pt; } @page { margin: 18mm 16mm; } }
"""
