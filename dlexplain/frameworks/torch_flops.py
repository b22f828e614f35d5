"""The operations of one forward pass of a Torch module, seen as they are dispatched.

Fused kernels (recurrent layers, attention, the encoder's fast path) are taken apart for this one pass, so that their
matrix products are seen. The formulas are those of `torch.utils.flop_counter`.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from dlexplain.frameworks.flops import Flops, Tally, size
from dlexplain.frameworks.torch_inside import tensors as tensors_of

if TYPE_CHECKING:
    from dlexplain.frameworks.questions import Inputs
    from dlexplain.frameworks.torch_model import TorchModel

# What only moves, names or makes room for values.
_MOVES = {
    "_reshape_alias", "_to_copy", "_unsafe_view", "alias", "arange", "as_strided", "as_strided_", "bitwise_and", "bitwise_not", "cat",
    "chunk", "clone", "constant_pad_nd", "copy", "copy_", "detach", "detach_", "embedding", "empty", "empty_like", "eq",
    "expand", "fill_", "flip", "full", "full_like", "gather", "ge", "gt", "index", "index_select", "le", "lift_fresh", "lt",
    "masked_fill", "masked_fill_", "narrow", "ne", "new_empty", "new_full", "new_ones", "new_zeros", "ones", "ones_like",
    "permute", "pixel_shuffle", "repeat", "roll", "scalar_tensor", "select", "slice", "split", "split_with_sizes", "squeeze",
    "squeeze_", "stack", "t", "transpose", "transpose_", "tril", "triu", "unbind", "unfold", "unsafe_chunk", "unsafe_split", "unsafe_split_with_sizes", "unsqueeze", "unsqueeze_",
    "view", "where", "zeros", "zeros_like", "_is_all_true", "is_same_size", "sym_size",
}  # fmt: skip


class _Watch(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.tally = Tally()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        packet = func._overloadpacket
        # What is made of other operations is taken apart, so that its matrix products are seen.
        if packet not in flop_registry and func is not torch.ops.prim.device.default:
            with self:
                parts = func.decompose(*args, **kwargs)
            if parts is not NotImplemented:
                return parts
        result = func(*args, **kwargs)
        name = packet.__name__
        if packet in flop_registry:
            self.tally.counted[name] += int(flop_registry[packet](*args, **kwargs, out_val=result))
        elif name not in _MOVES:
            self.tally.uncounted[name] += sum(size(t.shape) for t in tensors_of(result))
        return result


def counted(model: TorchModel, inputs: Inputs) -> Flops:
    """Of the first sample."""
    tensors = model._tensors(tuple(a[:1] for a in inputs))
    watch = _Watch()
    with model._asked(), torch.no_grad(), _plain_kernels(), watch:
        model._run(tensors)
    return watch.tally.flops()


@contextlib.contextmanager
def _plain_kernels() -> Iterator[None]:
    """Nothing is fused while the pass is watched; every setting comes back."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with warnings.catch_warnings(), contextlib.ExitStack() as stack:
            warnings.simplefilter("ignore")  # on hardware that no flag of ours asks for
            stack.enter_context(sdpa_kernel(SDPBackend.MATH))
            stack.enter_context(torch.backends.mkldnn.flags(enabled=False))
            stack.enter_context(torch.backends.cudnn.flags(enabled=False))
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
