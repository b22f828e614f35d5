"""`dlexplain class …`: papers and slides, a set to carry into a room, collection and marking, nbgrader."""

from __future__ import annotations

import argparse
import html
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dlexplain.classroom import lessons, whole
from dlexplain.classroom.building import root
from dlexplain.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The commands below `dlexplain class`."""
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    papers = _command(commands, "papers", "guides and workbooks to print, and slides", _papers)
    papers.add_argument("--out", metavar="FOLDER", default="build/class", help="where they go (default: build/class)")
    papers.add_argument(
        "--no-slides", action="store_true", help="slides are made from a run of each lesson; leave them"
    )
    _only(papers)
    carried = _command(commands, "set", "a folder of notebooks, data and wheels that needs no internet", _set)
    carried.add_argument("out", metavar="FOLDER", help="a new folder")
    carried.add_argument("--data", metavar="NAME", nargs="+", default=(), help="data sets of the catalogue to put in")
    carried.add_argument("--no-wheels", action="store_true", help="for computers that have dlexplain already")
    carried.add_argument(
        "--platform", metavar="TAG", nargs="+", default=(), help="the learners' system as pip names it, as in win_amd64"
    )
    carried.add_argument("--python", metavar="VERSION", help="the learners' Python, as in 3.12")
    _only(carried)
    collected = _command(commands, "collect", "a table of the notebooks that learners handed in", _collect)
    collected.add_argument("handed_in", metavar="FOLDER", help="a folder of notebooks, or of a folder a learner")
    collected.add_argument("--out", metavar="FOLDER", default="build/results", help="default: build/results")
    collected.add_argument(
        "--run", action="store_true", help="run each notebook again; this runs the learners' code here"
    )
    course = _command(commands, "nbgrader", "the lessons as a course that nbgrader reads", _nbgrader)
    course.add_argument("out", metavar="FOLDER", help="a folder for the course")
    _only(course)


def write_papers(out: Path, only: Sequence[int] = (), *, slides: bool = True, folder: Path | None = None) -> int:
    """Guides, workbooks and slides of all lessons, or of some, with a page that leads to them; 1 after a run's fault."""
    from dlexplain.classroom.executed import executed, notebooks
    from dlexplain.classroom.teaching.papers import guide_page, paper, workbook_page
    from dlexplain.classroom.teaching.slides import slides_page

    folder = folder or root()
    paths, failed, rows = notebooks(folder, only), 0, []
    for path in paths:
        number, source = int(path.name[:2]), folder / "notebooks" / "source" / f"{path.stem}.py"
        whole.write(out / f"{path.stem}_guide.html", guide_page(number, source))
        whole.write(out / f"{path.stem}_workbook.html", workbook_page(number, source))
        sorts = ("guide", "workbook", "slides") if slides else ("guide", "workbook")
        links = " · ".join(f'<a href="{path.stem}_{sort}.html">{sort}</a>' for sort in sorts)
        rows.append(
            f"<tr><td>{number:02d}</td><td>{html.escape(lessons.declared(number).title)}</td><td>{links}</td></tr>"
        )
    for done in executed(paths, folder / "build" / "executed") if slides else ():
        for fault in done.faults:
            print(f"lesson {done.number:02d}: {fault}", file=sys.stderr)
        failed += bool(done.faults)
        whole.write(out / f"{done.title}_slides.html", slides_page(done, lessons.declared(done.number)))
    head = f"<p class='sort'>For teachers</p><h1>{'Guides, workbooks, slides' if slides else 'Guides, workbooks'}</h1>"
    whole.write(out / "index.html", paper("For teachers", f"{head}<table>{''.join(rows)}</table>"))
    print(f"wrote {out / 'index.html'}, for {len(paths)} lessons" + (f"; {failed} had faults" if failed else ""))
    return 1 if failed else 0


def _command(commands: Any, name: str, what: str, run: Any) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
    parser.set_defaults(command=run)
    return parser


def _only(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", metavar="NUMBER", type=int, nargs="+", default=(), help="these lessons alone")


def _papers(arguments: argparse.Namespace) -> int:
    return write_papers(Path(arguments.out), arguments.only, slides=not arguments.no_slides)


def _set(arguments: argparse.Namespace) -> int:
    from dlexplain.classroom.teaching.class_set import class_set

    if arguments.no_wheels and (arguments.platform or arguments.python):
        raise InputError("--platform and --python choose wheels; they do not go with --no-wheels.")
    print("Gathering; with wheels this takes some minutes and some gigabytes.", file=sys.stderr)
    made = class_set(
        Path(arguments.out),
        only=arguments.only,
        data=arguments.data,
        wheels=not arguments.no_wheels,
        platform=arguments.platform,
        python=arguments.python,
    )
    size = sum(path.stat().st_size for path in made.rglob("*") if path.is_file())
    print(f"wrote {made} ({size / 1e6:,.0f} MB). On each computer: python start.py")
    return 0


def _collect(arguments: argparse.Namespace) -> int:
    from dlexplain.classroom.teaching.marking import collect

    out = Path(arguments.out)
    marks = collect(Path(arguments.handed_in), out, run=arguments.run)
    for mark in marks:
        row = mark.row()
        score = f"{row['exercises right']} of {row['of']}" if row["exercises right"] != "" else "-"
        print(f"{row['lesson'] or '--'}  {row['learner']:24} {score:10} {row['remark']}".rstrip())
    print(f"wrote {out / 'results.html'} and results.csv: {len(marks)} notebooks")
    return 0


def _nbgrader(arguments: argparse.Namespace) -> int:
    from dlexplain.classroom.teaching.nbgrader_course import nbgrader_course

    written = nbgrader_course(Path(arguments.out), only=arguments.only)
    print(f"wrote {len(written)} lessons under {Path(arguments.out) / 'source'}; next: nbgrader generate_assignment")
    return 0
