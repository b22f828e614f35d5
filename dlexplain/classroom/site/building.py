"""`dlexplain lessons site`: runs the lessons and writes the course's pages into a folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import dlexplain
from dlexplain.classroom import lessons, whole
from dlexplain.classroom.building import root
from dlexplain.classroom.executed import executed, notebooks
from dlexplain.classroom.site import cells, contents, pages
from dlexplain.figures import showing


def command_site(out: Path, only: Sequence[int] = (), *, folder: Path | None = None, jobs: int = 2) -> int:
    """Write the pages of all lessons, or of some; 1 where a lesson's run had faults, which are printed."""
    folder = folder or root()
    paths = notebooks(folder, only)
    entries = [
        contents.Entry(
            lessons.declared(int(path.name[:2])),
            path.stem,
            contents.used(folder / "notebooks" / "source" / f"{path.stem}.py"),
        )
        for path in paths
    ]
    _assets(out / "assets")
    failed = 0
    for done, entry in zip(executed(paths, folder / "build" / "executed", jobs=jobs), entries, strict=True):
        for fault in done.faults:
            print(f"lesson {done.number:02d}: {fault}", file=sys.stderr)
        failed += bool(done.faults)
        whole.write(out / f"{entry.stem}.html", pages.lesson_page(done, entry, entries))
    whole.write(out / "index.html", pages.index_page(entries, dlexplain.__version__))
    print(f"wrote {out / 'index.html'} and {len(entries)} lessons" + (f"; {failed} had faults" if failed else ""))
    return 1 if failed else 0


def _assets(folder: Path) -> None:
    """The style sheet and the code that the pages share; plotly.js once for all of them."""
    here = resources.files("dlexplain.classroom.site")
    whole.write(folder / "course.css", (here / "course.css").read_text(encoding="utf-8") + cells.code_styles())
    whole.write(folder / "course.js", (here / "course.js").read_text(encoding="utf-8"))
    library = showing.carrier().removeprefix("<script>").removesuffix("</script>")
    whole.write(folder / "figures.js", f"{showing.drawing_code()}\n{library}\n")
