"""Making an exported Torch program (`.pt2`) safe to open.

Torch's loader (2.13: `torch/export/pt2_archive/_package.py`, `torch/_export/serde/serialize.py`) can run
code in these ways: it unpickles opaque constants and weights marked `use_pickle`; it unpickles sample
inputs freely when the restricted unpickler fails; it opens compiled libraries (`data/aotinductor`); it
gives symbolic sizes to `sympy.sympify`, which evaluates them; it looks operations up by dotted name; it
imports the modules of enums in tree specifications; it executes guards as Python, and the graph's names
become Python code. Here everything that remains in the archive is checked against a list of what a plain
tensor program needs; the rest is dropped or refused.
"""

from __future__ import annotations

import ast
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

from dlexplain.errors import UnsafeFileError
from dlexplain.frameworks.load import SAFE
from dlexplain.frameworks.load_torch import archived_globals

_PLAIN = re.compile(r"[\w.+\-]*")
_NAME = re.compile(r"\w*")
_TARGETS = re.compile(
    r"torch\.ops\.(aten|prims)\.(?!from_file|save|load)\w+\.\w+|torch\.sym_\w+|math\.(ceil|floor|trunc)"
    r"|_operator\.(add|sub|mul|floordiv|truediv|mod|neg|pos|pow|getitem|eq|ne|lt|le|gt|ge|and_|or_|not_)"
)
_SYMBOLIC = {
    "Symbol", "Integer", "Float", "Rational", "Add", "Mul", "Pow", "Min", "Max", "Mod", "FloorDiv",
    "CeilDiv", "CleanDiv",
    "PythonMod", "IntTrueDiv", "FloatTrueDiv", "ToFloat", "TruncToInt", "CeilToInt", "FloorToInt", "ceiling",
    "floor", "Eq",
    "Ne", "Equality", "Unequality", "StrictLessThan", "StrictGreaterThan", "LessThan", "GreaterThan", "And",
    "Or", "Not",
}  # fmt: skip
_EXPRESSION = (
    ast.Expression, ast.Call, ast.Name, ast.Load, ast.Constant, ast.keyword, ast.BinOp, ast.UnaryOp,
    ast.operator,
    ast.unaryop, ast.Compare, ast.cmpop,
)  # fmt: skip
_TREE_TYPES = {None, "builtins.tuple", "builtins.list", "builtins.dict", "collections.OrderedDict"}
_REFUSED = {"as_graph", "as_custom_obj", "as_opaque"}


def cleaned(data: bytes, file: Path) -> bytes:
    """The archive with only what was checked. Raises `UnsafeFileError` that says which part was not plain."""
    import torch

    kept: dict[str, bytes] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if "serialized_exported_program.json" in archive.namelist():
            raise _unsafe(file, "it has the form of Torch before 2.8, whose parts are pickles; export it again")
        for part in archive.namelist():
            inner = part.partition("/")[2]
            if inner.startswith("models/"):
                kept[part] = json.dumps(_program(archive.read(part), file)).encode()
            elif inner.startswith("data/sample_inputs/"):
                kept[part] = _restricted(archive.read(part), file, torch)
            elif inner.endswith("_config.json") and inner.startswith(("data/weights/", "data/constants/")):
                _config(json.loads(archive.read(part)), file)
                kept[part] = archive.read(part)
            elif re.fullmatch(r"data/(weights/weight|constants/tensor)_\d+", inner) or inner in (
                "archive_format",
                "archive_version",
                "byteorder",
                ".data/version",
                ".data/serialization_id",
            ):
                kept[part] = archive.read(part)
            elif not inner.startswith("extra/"):
                raise _unsafe(file, f"it has the member {inner!r}, which a program of tensors does not need")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for part, value in kept.items():
            archive.writestr(part, value)
    return out.getvalue()


def _unsafe(file: Path, why: str) -> UnsafeFileError:
    return UnsafeFileError(f"{file.name} is an exported Torch program that was not opened: {why}. {SAFE}")


def _restricted(data: bytes, file: Path, torch: Any) -> bytes:
    """Sample inputs are a pickle: kept only if the restricted unpickler reads them, as Torch's will."""
    if not data:
        return data
    try:
        torch.load(io.BytesIO(data), weights_only=True)
    except Exception as error:
        names = ", ".join(archived_globals(data, file)[:5]) or "unknown things"
        raise _unsafe(file, f"its sample inputs are a pickle that asks for {names}") from error
    return data


def _config(config: Any, file: Path) -> None:
    for name, entry in config.get("config", {}).items():
        if entry.get("use_pickle") or not re.fullmatch(r"(weight|tensor)_\d+", str(entry.get("path_name"))):
            raise _unsafe(file, f"{name!r} is stored as a pickle or a custom object")


def _program(data: bytes, file: Path) -> dict[str, Any]:
    program = json.loads(data)
    program["guards_code"] = []  # Python source, executed by Torch; what it checks, a wrong shape shows as well
    if program.get("graph_module", {}).get("treespec_namedtuple_fields"):
        raise _unsafe(file, "its inputs or outputs are named tuples of classes of its own; return plain tuples")
    for node in program["graph_module"]["graph"]["nodes"]:
        stack = node.get("metadata", {}).get("nn_module_stack")
        node["metadata"] = {"nn_module_stack": stack} if stack else {}
    _walk(program, "", file)
    return program


def _walk(value: Any, key: str, file: Path) -> None:
    """Every string of the program, by the key that it stands under."""
    if isinstance(value, dict):
        for inner, item in value.items():
            if inner in _REFUSED and item is not None:
                raise _unsafe(file, f"it holds {inner[3:].replace('_', ' ')}s, not only tensor operations")
            if not _PLAIN.fullmatch(inner):
                raise _unsafe(file, f"it has the name {inner[:60]!r}")
            _walk(item, inner, file)
    elif isinstance(value, list):
        for item in value:
            _walk(item, key, file)
    elif isinstance(value, str):
        if key == "expr_str":
            _check_expression(value, file)
        elif key in ("in_spec", "out_spec"):
            _check_tree(json.loads(value), file)
        elif key in ("target", "as_operator"):
            if not _TARGETS.fullmatch(value):
                raise _unsafe(file, f"it calls {value[:80]!r}, which is no tensor operation of Torch's own")
        elif key == "name" and not _NAME.fullmatch(value):
            raise _unsafe(file, f"it names a value {value[:60]!r}")
        # Torch quotes string arguments when it writes the graph as Python, and never runs a module's stack.
        elif key not in ("as_string", "as_strings", "nn_module_stack") and not _PLAIN.fullmatch(value):
            raise _unsafe(file, f"it has the text {value[:60]!r} under {key!r}")


def _check_expression(text: str, file: Path) -> None:
    """Sizes are sums and products of symbols; anything else would be evaluated as Python."""
    try:
        tree = ast.parse(text, mode="eval")
    except SyntaxError as error:
        raise _unsafe(file, f"it has the size {text[:60]!r}") from error
    for node in ast.walk(tree):
        called = isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in _SYMBOLIC)
        quoted = isinstance(node, ast.Constant) and isinstance(node.value, str) and not _NAME.fullmatch(node.value)
        if not isinstance(node, _EXPRESSION) or called or quoted:
            raise _unsafe(file, f"it has the size {text[:60]!r}, which would be evaluated as Python")


def _check_tree(spec: Any, file: Path) -> None:
    tree = spec[1] if isinstance(spec, list) else spec
    pending = [tree]
    while pending:
        node = pending.pop()
        context = node.get("context")
        names = json.loads(context) if isinstance(context, str) else context
        plain = names is None or (
            isinstance(names, list)
            and all(isinstance(name, (str, int)) and _PLAIN.fullmatch(str(name)) for name in names)
        )
        if node.get("type") not in _TREE_TYPES or not plain:
            raise _unsafe(
                file,
                f"its inputs or outputs hold {node.get('type')!r}, not plain tuples, lists and dicts of tensors",
            )
        pending.extend(node.get("children_spec", []))
