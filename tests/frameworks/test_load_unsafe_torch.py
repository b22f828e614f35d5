"""Exported programs and TorchScript made to run code: refused, and the marker never appears.

The armed cases are opened once more with `trust=True`, where the marker does appear: the traps are real.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
import zipfile

import pytest
import torch
from torch import nn

from dlexplain.errors import DlexplainError, InputError, UnsafeFileError
from dlexplain.frameworks.load import load


class Trap:
    """Makes a folder when unpickled."""

    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return os.mkdir, (self.marker,)


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path, parts):
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in parts.items():
            archive.writestr(name, value)
    return path


# Torch's exported programs.


def program_parts(folder):
    program = torch.export.export(
        nn.Sequential(nn.Linear(2, 3), nn.ReLU()),
        (torch.zeros(2, 2),),
        dynamic_shapes=({0: torch.export.Dim("batch")},),
    )
    torch.export.save(program, folder / "plain.pt2")
    return members(folder / "plain.pt2")


def changed_program(folder, change):
    parts = program_parts(folder)
    place = next(name for name in parts if name.endswith("models/model.json"))
    program = json.loads(parts[place])
    change(program)
    return packed(folder / "changed.pt2", {**parts, place: json.dumps(program)})


def first_node(program):
    return program["graph_module"]["graph"]["nodes"][0]


def pt2_sample_inputs(folder, marker):
    parts = program_parts(folder)
    place = next(name for name in parts if "sample_inputs" in name)
    buffer = io.BytesIO()
    torch.save(((torch.zeros(2, 2), Trap(marker)), {}), buffer)
    return packed(folder / "changed.pt2", {**parts, place: buffer.getvalue()})


def pt2_pickled_weight(folder, marker):
    parts = program_parts(folder)
    place = next(name for name in parts if name.endswith("model_weights_config.json"))
    config = json.loads(parts[place])
    config["config"]["0.bias"]["use_pickle"] = True
    buffer = io.BytesIO()
    torch.save(Trap(marker), buffer)
    weight = place.rpartition("/")[0] + "/" + config["config"]["0.bias"]["path_name"]
    return packed(folder / "changed.pt2", {**parts, place: json.dumps(config), weight: buffer.getvalue()})


def pt2_opaque_constant(folder, marker):
    parts = program_parts(folder)
    place = next(name for name in parts if name.endswith("model_constants_config.json"))
    config = {
        "config": {
            "c": {"path_name": "opaque_obj_0", "is_param": False, "use_pickle": True, "tensor_meta": None}
        }
    }
    constant = place.rpartition("/")[0] + "/opaque_obj_0"
    return packed(
        folder / "changed.pt2", {**parts, place: json.dumps(config), constant: pickle.dumps(Trap(marker))}
    )


def pt2_size(folder, marker):
    code = f"__import__('os').mkdir({str(marker)!r})"

    def change(program):
        values = program["graph_module"]["graph"]["tensor_values"]
        sizes = next(
            value["sizes"] for value in values.values() if any("as_expr" in size for size in value["sizes"])
        )
        next(size for size in sizes if "as_expr" in size)["as_expr"]["expr_str"] = code

    return changed_program(folder, change)


def pt2_operation(folder, marker):
    return changed_program(
        folder, lambda program: first_node(program).update(target="torch.serialization.os.system")
    )


def pt2_file_operation(folder, marker):
    return changed_program(
        folder, lambda program: first_node(program).update(target="torch.ops.aten.from_file.default")
    )


def pt2_name(folder, marker):
    code = f"x=__import__('os').mkdir({str(marker)!r})"
    return changed_program(folder, lambda program: first_node(program).update(name=code))


def pt2_enum(folder, marker):
    def change(program):
        call = program["graph_module"]["module_call_graph"][0]["signature"]
        context = json.dumps({"__enum__": True, "fqn": "antigravity:geohash", "name": "x"})
        call["in_spec"] = json.dumps([1, {"type": "builtins.dict", "context": context, "children_spec": []}])

    return changed_program(folder, change)


def pt2_library(folder, marker):
    parts = program_parts(folder)
    return packed(folder / "changed.pt2", {**parts, "plain/data/aotinductor/model/code.so": b"\x7fELF"})


# TorchScript.


class Saves(nn.Module):
    def __init__(self, path: str):
        super().__init__()
        self.path = path

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        torch.save(x, self.path)
        return x


class Reads(nn.Module):
    def __init__(self, path: str):
        super().__init__()
        self.path = path

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.from_file(self.path, False, 4)


def script_saves(folder, marker):
    torch.jit.script(Saves(str(marker))).save(folder / "m.pt")
    return folder / "m.pt"


def script_reads(folder, marker):
    torch.jit.script(Reads(str(marker))).save(folder / "m.pt")
    return folder / "m.pt"


def script_with_pickle(folder, marker):
    torch.jit.script(nn.Linear(2, 2)).save(folder / "plain.pt")
    parts = members(folder / "plain.pt")
    place = next(name for name in parts if name.endswith("/data.pkl"))
    return packed(folder / "m.pt", {**parts, place: pickle.dumps(Trap(marker), protocol=2)})


TRAPS = {
    "pt2 sample inputs": (pt2_sample_inputs, "posix.mkdir"),
    "pt2 pickled weight": (pt2_pickled_weight, "stored as a pickle"),
    "pt2 opaque constant": (pt2_opaque_constant, "opaque_obj_0|stored as a pickle"),
    "pt2 size": (pt2_size, "evaluated as Python"),
    "pt2 operation": (pt2_operation, "os.system"),
    "pt2 file operation": (pt2_file_operation, "from_file"),
    "pt2 name": (pt2_name, "names a value"),
    "pt2 enum": (pt2_enum, "plain tuples"),
    "pt2 library": (pt2_library, "aotinductor"),
    "script that saves": (script_saves, "'save'"),
    "script that reads": (script_reads, "'from_file'"),
    "script with a pickle": (script_with_pickle, "posix.mkdir"),
}
ARMED = ("pt2 sample inputs", "pt2 pickled weight", "pt2 opaque constant", "pt2 size")


@pytest.mark.parametrize("name", TRAPS)
def test_trap_is_refused_and_never_runs(tmp_path, name):
    make, said = TRAPS[name]
    folder, marker = tmp_path / "files", tmp_path / "MARKER"
    folder.mkdir()
    path = make(folder, marker)
    assert not marker.exists()
    with pytest.raises(UnsafeFileError, match=said) as caught:
        load(path)
    assert "trust=True" in str(caught.value)
    with pytest.raises(DlexplainError):
        load(path, builder=lambda: nn.Linear(2, 2))
    assert not marker.exists()


@pytest.mark.parametrize("name", ARMED)
def test_the_same_trap_runs_where_the_caller_trusts_the_file(tmp_path, name):
    folder, marker = tmp_path / "files", tmp_path / "MARKER"
    folder.mkdir()
    path = TRAPS[name][0](folder, marker)
    # What a trap leaves is rarely a model: opening it may fail in any way after the trap has run.
    with contextlib.suppress(Exception):
        load(path, trust=True)
    assert marker.exists()


def test_guards_are_dropped_not_executed(tmp_path):
    marker = tmp_path / "MARKER"
    code = f"__import__('os').mkdir({str(marker)!r})"
    path = changed_program(tmp_path, lambda program: program.update(guards_code=[code]))
    model = load(path, input_shape=(2,))
    with torch.no_grad():
        model.raw(torch.zeros(3, 2))
    assert not marker.exists()
    trusted = load(path, input_shape=(2,), trust=True)
    with contextlib.suppress(AssertionError):  # the guard runs, then counts as failed
        trusted.raw(torch.zeros(3, 2))
    assert marker.exists()


def test_script_that_never_opens_files_may_have_attributes_of_those_names(tmp_path):
    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            self.save, self.load = nn.Linear(2, 2), 3

        def forward(self, x):
            return self.save.weight.sum() * self.load + x

    torch.jit.script(Named()).save(tmp_path / "m.pt")
    assert load(tmp_path / "m.pt", input_shape=(2,)).framework == "torch"
    with pytest.raises(InputError, match="builder"):
        load(tmp_path / "m.pt", builder=Named)
