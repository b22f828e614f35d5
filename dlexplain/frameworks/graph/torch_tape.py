"""A record of every operation between the entries of a Torch model and its outputs, for one run of one batch.

Operations are seen at the ATen level, below autograd and in this thread only. In-place operations are recorded as
their functional twins: a storage that was written to is read again through the last value written to it.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from dlexplain.errors import UnsupportedModelError

WORKING = "Methods that work on this model: integrated_gradients, expected_gradients, occlusion, feature_ablation."


class Refusal(Exception):
    """An operation without a rule; becomes an `UnsupportedModelError` that also names the layer."""

    def __init__(self, operation: str, why: str, index: int = -1) -> None:
        super().__init__(f"{operation}: {why}")
        self.operation, self.why, self.index = operation, why, index

    def told(self, layer: str | None) -> UnsupportedModelError:
        where = f" in layer {layer!r}" if layer else ""
        return UnsupportedModelError(f"Operation {self.operation}{where}: {self.why} {WORKING}")


class Value:
    """A tensor at one moment. `active`: it depends on the entries."""

    __slots__ = ("active", "tensor")

    def __init__(self, tensor: torch.Tensor, active: bool) -> None:
        self.tensor, self.active = tensor, active


class Step:
    """One operation: `args` and `kwargs` hold a `Value` in the place of each tensor; `outs` those that it gave."""

    __slots__ = ("args", "kwargs", "name", "op", "outs")

    def __init__(self, op: Any, name: str, args: tuple, kwargs: dict, outs: list[Value | None]) -> None:
        self.op, self.name, self.args, self.kwargs, self.outs = op, name, args, kwargs, outs

    def values(self) -> Iterable[Value]:
        """Its inputs, in order."""
        for arg in (*self.args, *self.kwargs.values()):
            if isinstance(arg, Value):
                yield arg
            elif isinstance(arg, (list, tuple)):
                yield from (part for part in arg if isinstance(part, Value))


class _Storage:
    __slots__ = ("held", "root", "values", "version")

    def __init__(self, held: torch.UntypedStorage) -> None:
        self.held, self.version = held, 0
        self.root: Value | None = None  # the last value written, laid out as the storage is
        self.values: list[Value] = []  # those whose tensor shares the storage, since it was last written to


Rewrite = Callable[..., Any]

_CHANCE = (
    "rand",
    "normal",
    "bernoulli",
    "multinomial",
    "uniform",
    "poisson",
    "exponential",
    "native_dropout",
    "geometric",
)
_ROOM = "new_empty new_empty_strided new_zeros new_ones new_full empty_like zeros_like ones_like full_like resize_ resize_as_"
# They take a shape from their input and nothing else, or only make room.
_SHAPED = frozenset(_ROOM.split())


class Tape(TorchDispatchMode):
    """Records while it is entered. `rewritten`: for an operation's name, other operations that do the same."""

    def __init__(self, rewritten: dict[str, Rewrite]) -> None:
        super().__init__()
        self._rewritten = rewritten
        # Not bound to the tape: a circle of references would keep what it holds until the collector comes.
        compiles = "torch._dynamo" in sys.modules
        self._meet = torch._disable_dynamo(lambda *met: Tape._met(*met), recursive=True) if compiles else Tape._met
        self.steps: list[Step] = []
        self.decided: list[tuple[int, Any]] = []  # numbers that left the graph: after which step, and which
        self._seen: dict[int, tuple[torch.Tensor, Value, _Storage, int, int]] = {}
        self._storages: dict[int, _Storage] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # to be shielded from the compiler would import it: it is shielded below, where it is loaded

    # ---- what the caller asks ------------------------------------------------------------------------------------

    def enter(self, tensor: torch.Tensor) -> Value:
        """The tensor is an entry from now on."""
        return self._keep(tensor, Value(tensor.detach(), True))

    def value(self, tensor: torch.Tensor) -> Value:
        """What the tensor holds at this moment."""
        seen = self._seen.get(id(tensor))
        if seen is not None and seen[2].version == seen[3] and tensor.data_ptr() == seen[4]:
            return seen[1]
        if tensor.layout is not torch.strided:  # sparse constants have no storage to follow
            return Value(tensor.detach(), False)
        storage = self._storages.get(tensor.untyped_storage()._cdata)
        found = None if storage is None else self._read(tensor, storage)
        if found is None:
            return self._keep(tensor, Value(tensor.detach(), False))
        self._seen[id(tensor)] = (tensor, found, storage, storage.version, tensor.data_ptr())
        return found

    def close(self) -> None:
        """Lets go of the model's own tensors; steps and values stay."""
        self._seen.clear()
        self._storages.clear()

    # ---- recording -----------------------------------------------------------------------------------------------

    def __torch_dispatch__(self, op: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        return self._meet(self, op, args, kwargs or {})

    def _met(self, op: Any, args: tuple, kwargs: dict) -> Any:
        facts = _facts(op)
        held = _mapped(self.value, args), {k: _mapped(self.value, (v,))[0] for k, v in kwargs.items()}
        if facts.chance or facts.shaped or not _any_active((*held[0], *held[1].values())):
            if facts.writes:
                self._written(op, args, kwargs)
            made = op(*args, **kwargs)
            if facts.name == "unsafe_split":  # as its rewrite: what is written to one part does not reach the others
                made = [part.clone() for part in made]
            if facts.chance:  # what it gives is active and has no rule: it is refused if it is met on the way back
                self._record(op, facts.name, ((), {}), made)
            return made
        rewrite = self._rewritten.get(facts.name)
        if facts.writes and rewrite is None:
            return self._in_place(op, facts.name, args, kwargs)
        for spelled in (rewrite, op.decompose if facts.composite else None):
            if spelled is not None:
                try:
                    with self:
                        made = spelled(*args, **kwargs)
                except TypeError as error:
                    why = f"it is called in a way that is not known ({error})."
                    raise Refusal(facts.name, why, len(self.steps)) from error
                if made is not NotImplemented:
                    return made
        made = op(*args, **kwargs)
        self._record(op, facts.name, held, made)
        return made

    def _record(self, op: Any, name: str, held: tuple[tuple, dict], made: Any) -> None:
        if not isinstance(made, (torch.Tensor, tuple, list)):
            self.decided.append((len(self.steps), made))
            return
        parts = [made] if isinstance(made, torch.Tensor) else list(made)
        outs = [self._keep(p, Value(p.detach(), True)) if isinstance(p, torch.Tensor) else None for p in parts]
        self.steps.append(Step(op, name, *held, outs))

    # ---- in-place operations and the storages that they write to -------------------------------------------------

    def _in_place(self, op: Any, name: str, args: tuple, kwargs: dict) -> Any:
        """The operation's functional twin is recorded, and what it gives is written where the operation writes."""
        target = kwargs.get("out", args[0])
        if name == "as_strided_" and _same_place(target, *args[1:3], (args[3:] or (target.storage_offset(),))[0]):
            held = self.value(target)
            return self._keep(op(*args), held) and target
        twin = getattr(torch.ops.aten, name.removesuffix("_"), None)
        if twin is None or not isinstance(target, torch.Tensor) or not (name[-1] == "_" or "out" in kwargs):
            raise Refusal(name, "it writes into a tensor in a way that cannot be followed.", len(self.steps))
        twin = getattr(twin, op._overloadname, twin) if name[-1] == "_" else twin
        rest = {k: v for k, v in kwargs.items() if k != "out"}
        with self:
            # The twin of `copy_` has no derivative: what is copied is the new value.
            new = args[1] if name == "copy_" else twin(*args, **rest)
            if torch.Tag.inplace_view not in op.tags:
                if "out" in kwargs and new.shape != target.shape:
                    target.resize_(new.shape)
                if new.dtype != target.dtype:
                    new = torch.ops.aten._to_copy(new, dtype=target.dtype)
                new = new.expand(target.shape) if new.shape != target.shape else new
        held = self.value(new)
        if torch.Tag.inplace_view in op.tags:  # only the shape changes
            op(*args, **kwargs)
            return self._keep(target, held) and target
        self._write(target, held)
        return target

    def _write(self, target: torch.Tensor, new: Value) -> None:
        storage = self._storage(target)
        if _covers(target):
            if new.tensor.stride() != target.stride() or new.tensor.untyped_storage().nbytes() != storage.held.nbytes():
                laid = torch.empty_strided(target.shape, target.stride(), dtype=target.dtype, device=target.device)
                new = self._derived(torch.ops.aten.clone.default, (new,), laid.copy_(new.tensor))
            root = new
        else:
            flat = self._flat(target, storage)
            place = (list(target.shape), list(target.stride()), target.storage_offset())
            made = torch.ops.aten.as_strided_scatter.default(flat.tensor, new.tensor, *place)
            root = self._derived(torch.ops.aten.as_strided_scatter.default, (flat, new, *place), made)
        self._part(storage)
        target.detach().copy_(new.tensor)
        storage.version += 1
        storage.root = root
        self._seen[id(target)] = (target, new, storage, storage.version, target.data_ptr())

    def _written(self, op: Any, args: tuple, kwargs: dict) -> None:
        """Something that does not depend on the entries is about to be overwritten."""
        given = dict(zip((a.name for a in op._schema.arguments), args, strict=False)) | kwargs
        for argument in op._schema.arguments:
            arg = given.get(argument.name)
            if argument.alias_info is None or not argument.alias_info.is_write or not isinstance(arg, torch.Tensor):
                continue
            storage = self._storages.get(arg.untyped_storage()._cdata)
            if storage is not None:
                self._part(storage)
                storage.version += 1
                storage.root = None

    def _part(self, storage: _Storage) -> None:
        """The values recorded so far get a copy of the storage, which is about to change."""
        if not storage.values:
            return
        kept = storage.held.clone()
        for value in storage.values:
            t = value.tensor
            empty = torch.empty(0, dtype=t.dtype, device=t.device)
            value.tensor = empty.set_(kept, t.storage_offset(), t.shape, t.stride())
        storage.values.clear()

    def _read(self, tensor: torch.Tensor, storage: _Storage) -> Value | None:
        """A tensor never met that shares a known storage, or one whose storage was written to since."""
        size, stride, offset = list(tensor.shape), list(tensor.stride()), tensor.storage_offset()
        for value in (storage.root, *storage.values):
            if value is not None and _same_place(value.tensor, size, stride, offset):
                return value
        whole = storage.root or next((v for v in storage.values if v.active and _covers(v.tensor)), None)
        if whole is None:
            if any(v.active for v in storage.values):
                raise Refusal("alias", "a tensor shares memory in a way that cannot be followed.", len(self.steps))
            return None
        made = torch.as_strided(whole.tensor, size, stride, offset)
        return self._derived(torch.ops.aten.as_strided.default, (whole, size, stride, offset), made)

    def _flat(self, target: torch.Tensor, storage: _Storage) -> Value:
        """The whole storage as it stands, in one axis."""
        length = storage.held.nbytes() // target.element_size()
        plain = torch.empty(0, dtype=target.dtype, device=target.device).set_(storage.held, 0, (length,), (1,))
        found = self._read(plain, storage)
        return found if found is not None else Value(plain.clone(), False)

    def _derived(self, op: Any, args: tuple, tensor: torch.Tensor) -> Value:
        active = any(isinstance(a, Value) and a.active for a in args)
        value = Value(tensor.detach(), active)
        if active:
            self.steps.append(Step(op, op._opname, args, {}, [value]))
        return value

    def _storage(self, tensor: torch.Tensor) -> _Storage:
        held = tensor.untyped_storage()
        return self._storages.setdefault(held._cdata, _Storage(held))

    def _keep(self, tensor: torch.Tensor, value: Value) -> Value:
        storage = self._storage(tensor)
        storage.values.append(value)
        self._seen[id(tensor)] = (tensor, value, storage, storage.version, tensor.data_ptr())
        return value


def _mapped(change: Callable[[torch.Tensor], Any], parts: Iterable[Any]) -> tuple:
    return tuple(
        change(p)
        if isinstance(p, torch.Tensor)
        else [change(q) if isinstance(q, torch.Tensor) else q for q in p]
        if isinstance(p, (list, tuple))
        else p
        for p in parts
    )


def _any_active(parts: Iterable[Any]) -> bool:
    for p in parts:
        if isinstance(p, Value):
            if p.active:
                return True
        elif isinstance(p, (list, tuple)) and any(isinstance(q, Value) and q.active for q in p):
            return True
    return False


class _Facts(NamedTuple):
    name: str
    writes: bool
    chance: bool
    shaped: bool
    composite: bool


def _composite(op: Any) -> bool:
    key = torch._C.DispatchKey.CompositeImplicitAutograd
    return key in op.py_kernels or torch._C._dispatch_has_kernel_for_dispatch_key(op.name(), key)


@functools.lru_cache(maxsize=1024)
def _facts(op: Any) -> _Facts:
    """What is known of an operation whatever it is called with."""
    name = op._opname if op.namespace in ("aten", "prims") else str(op)
    chance = torch.Tag.nondeterministic_seeded in op.tags and any(word in name for word in _CHANCE)
    return _Facts(name, name[-1:] == "_" or op._schema.is_mutable, chance, name in _SHAPED, _composite(op))


def _covers(tensor: torch.Tensor) -> bool:
    """Every element of its storage is the tensor's, once."""
    if tensor.storage_offset() or tensor.numel() * tensor.element_size() != tensor.untyped_storage().nbytes():
        return False
    dense = 1
    for stride, size in sorted((s, n) for s, n in zip(tensor.stride(), tensor.shape, strict=True) if n > 1):
        if stride != dense:
            return False
        dense *= size
    return True


def _same_place(tensor: torch.Tensor, size: list[int], stride: list[int], offset: int) -> bool:
    """Strides of axes of one place say nothing."""
    return (
        list(tensor.shape) == size
        and tensor.storage_offset() == offset
        and all(a == b for a, b, length in zip(tensor.stride(), stride, size, strict=True) if length > 1)
    )
