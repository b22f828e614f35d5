"""From a lesson's source, `notebooks/source/NN_title.py`, to the students' and the teachers' notebook.

Everything happens on the source's text, before it becomes cells: what students get never held a solution.
"""

from __future__ import annotations

import ast
import hashlib
import io
import re
import sys
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlexplain.errors import InputError, MissingPackageError

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
KEPT_METADATA = ("tags",)
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}

_CELL = re.compile(r"^# %%(.*)$")
_TEXT_CELL = re.compile(r"^# %%.*\[(markdown|md|raw)\]")
_LOOKS_LIKE_MARKER = re.compile(r"#+\s*(begin|end)\W*sol|###\s*(BEGIN|END)\b", re.IGNORECASE)
_NAME = re.compile(r"\d\d_[a-z0-9_]+\.py")


@dataclass(frozen=True)
class Region:
    """A solution in the source: the indices of its marker lines, its indentation, whether it is text."""

    first: int
    last: int
    indent: str
    is_text: bool


def student_text(source: str, name: str = "source") -> str:
    """The source without its solutions; InputError names the line of a marker that is not as it must be."""
    lines = source.splitlines()
    found = regions(source, name)
    bodies = [_statements(lines[region.first + 1 : region.last], region, name) for region in found]
    wanted = _names_read(lines, found)
    for region, body in reversed(list(zip(found, bodies, strict=True))):
        put = ["# *Your answer here.*"] if region.is_text else _placeholder(body, region.indent, wanted)
        lines[region.first : region.last + 1] = put
    return "\n".join(lines) + "\n"


def teacher_text(source: str, name: str = "source") -> str:
    """The source as it is, once its markers are found to be in order."""
    regions(source, name)
    return source if source.endswith("\n") else source + "\n"


def regions(source: str, name: str = "source") -> list[Region]:
    """The solutions in a source, in order."""
    lines = source.splitlines()
    comments = _comments(source, name)
    found: list[Region] = []
    opened: tuple[int, str, bool] | None = None
    is_text = False
    for index, line in enumerate(lines):
        if _CELL.match(line):
            if opened:
                raise _fault(name, opened[0], f"{BEGIN!r} is not closed in its cell; write {END!r} below it")
            is_text = bool(_TEXT_CELL.match(line))
            continue
        sort, indent = _marker(line, index, is_text, comments, name)
        if sort == BEGIN:
            if opened:
                raise _fault(name, index, f"a solution begins inside the one of line {opened[0] + 1}")
            opened = (index, indent, is_text)
        elif sort == END:
            if not opened:
                raise _fault(name, index, f"{END!r} without {BEGIN!r} above it in this cell")
            if indent != opened[1]:
                raise _fault(
                    name, index, f"the marker is not indented like its {BEGIN!r} of line {opened[0] + 1}"
                )
            found.append(Region(opened[0], index, indent, is_text))
            opened = None
    if opened:
        raise _fault(name, opened[0], f"{BEGIN!r} is never closed; write {END!r} below the solution")
    return found


def _marker(
    line: str, index: int, is_text: bool, comments: dict[int, tuple[int, str]], name: str
) -> tuple[str | None, str]:
    if not _LOOKS_LIKE_MARKER.search(line):
        return None, ""
    indent = line[: len(line) - len(line.lstrip())]
    bare = line.strip()
    if is_text:
        bare = bare.removeprefix("#").strip()
    if index not in comments:
        raise _fault(
            name, index, "a solution marker stands inside a string; students would see what it marks"
        )
    if bare not in (BEGIN, END):
        raise _fault(
            name, index, f"this looks like a solution marker; write {BEGIN!r} or {END!r} alone on its line"
        )
    return bare, indent


def _comments(source: str, name: str) -> dict[int, tuple[int, str]]:
    """The comments by line index. The whole source is Python: in py:percent, magics are comments."""
    try:
        _parse(source)
    except SyntaxError as fault:
        raise _fault(name, (fault.lineno or 1) - 1, f"this is not Python ({fault.msg})") from fault
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {
        token.start[0] - 1: (token.start[1], token.string)
        for token in tokens
        if token.type == tokenize.COMMENT
    }


def _parse(source: str) -> ast.Module:
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    return compile(source, "<lesson>", "exec", flags)


def _names_read(lines: list[str], found: list[Region]) -> set[str]:
    """The names that code outside all solutions reads."""
    rest = list(lines)
    for region in found:
        count = region.last - region.first + 1
        rest[region.first : region.last + 1] = [f"{region.indent}pass", *[""] * (count - 1)]
    tree = _parse("\n".join(rest))
    return {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Load, ast.Del))
    }


def _statements(body: list[str], region: Region, name: str) -> list[ast.stmt]:
    # As the body of a function: a solution may stand in one, where `return` is lawful.
    if region.is_text:
        return []
    level = "\n".join(f" {line.removeprefix(region.indent)}" for line in body)
    try:
        tree = _parse(f"async def _():\n pass\n{level}")
    except SyntaxError as fault:
        line = region.first + max((fault.lineno or 3) - 2, 1)
        raise _fault(name, line, f"the solution is not whole statements ({fault.msg})") from fault
    return tree.body[0].body[1:]


def _placeholder(body: list[ast.stmt], indent: str, wanted: set[str]) -> list[str]:
    lines = [f"{each} = ..." for each in _assigned(body) if each in wanted]
    if _returns(body):
        lines.append("return ...")
    if not lines and indent:
        lines.append("...")
    return [f"{indent}{line}" for line in ["# Your code here", *lines]]


def _assigned(statements: Iterable[ast.stmt]) -> list[str]:
    """The names that statements bind in their own scope, in order of appearance."""
    names: dict[str, None] = {}
    for node in _own_scope(statements):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.setdefault(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.setdefault(node.id)
        elif isinstance(node, ast.alias):
            names.setdefault((node.asname or node.name).split(".")[0])
    return list(names)


def _returns(statements: Iterable[ast.stmt]) -> bool:
    return any(isinstance(node, ast.Return) for node in _own_scope(statements))


def _own_scope(nodes: Iterable[ast.AST]) -> Iterable[ast.AST]:
    inner = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    comprehensions = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    for node in nodes:
        yield node
        if not isinstance(node, (*inner, *comprehensions)):
            yield from _own_scope(ast.iter_child_nodes(node))


def _fault(name: str, index: int, what: str) -> InputError:
    return InputError(f"{name}, line {index + 1}: {what}.")


def notebook(text: str, number: int) -> str:
    """A py:percent text as the bytes of a notebook: no outputs, a kernel named, the same every time."""
    jupytext, nbformat = _packages()
    book = jupytext.reads(text, fmt="py:percent")
    seen: dict[str, int] = {}
    for cell in book.cells:
        cell.metadata = {key: value for key, value in cell.metadata.items() if key in KEPT_METADATA}
        key = f"{number}/{cell.cell_type}/{cell.source}"
        seen[key] = seen.get(key, 0) + 1
        cell.id = hashlib.sha256(f"{key}/{seen[key]}".encode()).hexdigest()[:12]
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    book.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    book.nbformat, book.nbformat_minor = 4, 5
    nbformat.validate(book)
    return nbformat.writes(book, version=nbformat.NO_CONVERT).rstrip("\n") + "\n"


def _packages() -> tuple[Any, Any]:
    try:
        import jupytext
        import nbformat
    except ImportError as fault:
        raise MissingPackageError("Building lessons needs Jupytext: pip install dlexplain[lab].") from fault
    return jupytext, nbformat


def root() -> Path:
    """The checkout that holds `notebooks/source`: the one round this package, else the working folder."""
    for folder in (Path(__file__).resolve().parents[2], Path.cwd()):
        if (folder / "notebooks" / "source").is_dir():
            return folder
    raise InputError(
        "There is no folder notebooks/source here. Lessons are built in a checkout of the repository: "
        "run this command at its root."
    )


def sources(folder: Path) -> list[Path]:
    """The sources of the lessons under a checkout; InputError for a file whose name is not `NN_title.py`."""
    found = sorted((folder / "notebooks" / "source").glob("*.py"))
    for path in found:
        if not _NAME.fullmatch(path.name):
            raise InputError(
                f"{path.name} is not named like a lesson: two digits, `_`, small letters, `.py`."
            )
    numbers = [path.name[:2] for path in found]
    for number in numbers:
        if numbers.count(number) > 1:
            raise InputError(f"Two sources bear the number {number}.")
    return found


def built(source: Path) -> dict[Path, str]:
    """What a source becomes: path to text, for the students' and the teachers' notebook."""
    text = source.read_text(encoding="utf-8")
    number = int(source.name[:2])
    books = source.parents[1]
    file = source.with_suffix(".ipynb").name
    return {
        books / file: notebook(student_text(text, source.name), number),
        books / "solutions" / file: notebook(teacher_text(text, source.name), number),
    }


def command_build(folder: Path | None = None) -> int:
    """Write all notebooks from their sources; 0, or InputError with the file and the line at fault."""
    folder = folder or root()
    everything = {path: text for source in sources(folder) for path, text in built(source).items()}
    for path, text in everything.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        changed = not path.exists() or path.read_bytes() != text.encode()
        if changed:
            path.write_bytes(text.encode())
        print(f"{'wrote' if changed else 'as before'}  {path.relative_to(folder)}")
    for path in _orphans(folder, everything):
        print(f"no source for {path.relative_to(folder)}: remove it", file=sys.stderr)
    return 0


def command_check(folder: Path | None = None) -> int:
    """0 where every notebook is what its source makes, else 1 with the names of those that are not."""
    folder = folder or root()
    everything = {path: text for source in sources(folder) for path, text in built(source).items()}
    stale = [
        path for path, text in everything.items() if not path.exists() or path.read_bytes() != text.encode()
    ]
    for path in stale:
        print(f"out of step with its source: {path.relative_to(folder)}; run dlexplain lessons build")
    orphans = _orphans(folder, everything)
    for path in orphans:
        print(f"no source for {path.relative_to(folder)}: remove it")
    return 1 if stale or orphans else 0


def _orphans(folder: Path, everything: dict[Path, str]) -> list[Path]:
    books = folder / "notebooks"
    return sorted(
        path for path in {*books.glob("*.ipynb"), *books.glob("solutions/*.ipynb")} if path not in everything
    )
