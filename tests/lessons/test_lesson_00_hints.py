"""The last hint is an answer that runs: it uses the page's own names, and fills the name that the check reads."""

from __future__ import annotations

import ast
import builtins
import textwrap

import pytest

from dlexplain.classroom import lesson
from dlexplain.classroom.building import root, sources

PAGES = {int(page.name[:2]): page for page in sources(root())}


def _code(hint: str) -> str:
    return hint.split("```")[1].strip("\n") if "```" in hint else ""


def _parsed(code: str) -> ast.Module:
    """A hint may end a function of the page: there it stands with `return`."""
    return ast.parse("def answer():\n" + textwrap.indent(code, "    "))


def _bound(tree: ast.AST) -> set[str]:
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).split(".")[0])
    return names


def _handed_in(page: ast.Module) -> dict[str, str]:
    """For each exercise: the name that the page gives to its check."""
    return {
        node.args[0].value: node.args[1].id
        for node in ast.walk(page)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "check"
        if len(node.args) > 1 and isinstance(node.args[0], ast.Constant) and isinstance(node.args[1], ast.Name)
    }


@pytest.mark.parametrize("number", range(5))
def test_the_answer_in_the_last_hint_runs_on_the_page(number: int) -> None:
    page = ast.parse(PAGES[number].read_text(encoding="utf-8"))
    known, handed_in = _bound(page) | set(dir(builtins)), _handed_in(page)
    for name, exercise in lesson(number).lesson.exercises.items():
        code = _code(exercise.hints[-1])
        tree = _parsed(code)
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        assert used <= known | _bound(tree), f"{name}: the page has no {sorted(used - known - _bound(tree))}"
        if not any(isinstance(node, ast.Return) for node in ast.walk(tree)):
            assert handed_in[name] in _bound(tree), f"{name}: the page hands in {handed_in[name]!r}"
