"""Arithmetic on Torch's tensors for the two *many* questions: points placed, inputs masked."""

from __future__ import annotations

import numpy as np
import torch

from dlexplain.frameworks.questions import Points


def place(x: tuple[torch.Tensor, ...], baseline, points: Points, ns: slice, ks: slice):
    """For a block: inputs `(n, 1, ...)`, baselines that broadcast to `(n, k, ...)`, and the points."""
    n, k = len(x[0]), ks.stop - ks.start
    noise = None if points.noise is None else points.noise(ks.start, ks.stop)
    starts, ends, placed = [], [], []
    for i, entry in enumerate(x):
        entry = entry[:, None]
        begin = torch.zeros_like(entry)
        point = entry
        if baseline is not None:
            b = baseline[i]
            begin = (
                b[torch.as_tensor(points.draws[ks])][None]
                if points.draws is not None
                else b[:, None]
                if len(b) == 1
                else b[ns][:, None]
            )
            alpha = torch.as_tensor(points.alphas[ks], dtype=entry.dtype, device=x[0].device)
            point = begin + alpha.reshape(1, k, *[1] * (entry.ndim - 2)) * (entry - begin)
        if noise is not None:
            scale = torch.as_tensor(points.scale[i][ns], dtype=entry.dtype, device=x[0].device)
            shift = torch.as_tensor(noise[i], dtype=entry.dtype, device=x[0].device)[None]
            point = point + scale.reshape(n, 1, *[1] * (entry.ndim - 2)) * shift
        starts.append(entry), ends.append(begin), placed.append(point.expand(n, k, *entry.shape[2:]))
    return starts, ends, placed


def numpy_of(tensor: torch.Tensor) -> np.ndarray:
    tensor = tensor.detach().cpu()
    return (tensor.float() if tensor.dtype in (torch.bfloat16, torch.float16) else tensor).contiguous().numpy()


def mixed_by(tensor: torch.Tensor, fill: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    tensor, fill = tensor[:, None], fill.to(tensor.dtype)
    # addcmul runs along broadcast axes in vectors; lerp takes them one number at a time and three times as long.
    mixed = (
        torch.where(mask, tensor, fill)
        if mask.dtype == torch.bool
        else torch.addcmul(fill, mask.to(tensor.dtype), tensor - fill)
    )
    shape = (len(tensor), mask.shape[1], *tensor.shape[2:])
    return mixed.expand(shape).flatten(0, 1)


def heap_kept(size: int) -> None:
    """Has glibc keep so many bytes of freed memory twice over. As it starts, it hands a pass's memory back to the system
    and is given it anew, page by page, at every pass: twice the time. It learns from the largest block that was ever
    freed (`mallopt(3)`, M_MMAP_THRESHOLD, up to 32 MiB); this one is never written to, and so takes no memory."""
    torch.empty(size, dtype=torch.uint8)


def channels_last(pictures: torch.Tensor) -> torch.Tensor:
    """`(n, channels, height, width)` laid out as the convolutions are fastest. Of one channel both orders are the same in
    memory, and only the strides tell Torch which is meant."""
    laid = pictures.contiguous(memory_format=torch.channels_last)
    if laid.shape[1] != 1 or laid.requires_grad:
        return laid
    _, _, height, width = laid.shape
    return laid.as_strided(laid.shape, (height * width, 1, width, 1))
