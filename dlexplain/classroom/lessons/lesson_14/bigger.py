"""Networks that others pre-trained: fetched only when the learner says so, and a plain word where they cannot be."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from dlexplain.classroom.desk import Note

OFF = (
    "Not fetched: `network` is `False`, so this part is skipped. Nothing else depends on it. With a network "
    "connection, set `network = True` and run the cell again."
)


def enlarged(pictures: np.ndarray, side: int) -> np.ndarray:
    """Small grey pictures `(n, height, width, 1)` of 0 to 1 as smooth colour pictures `(n, side, side, 3)`."""
    from PIL import Image

    grown = [
        np.asarray(Image.fromarray(picture[:, :, 0]).resize((side, side), Image.Resampling.BICUBIC))
        for picture in np.asarray(pictures, np.float32)
    ]
    return np.repeat(np.clip(np.stack(grown), 0, 1)[..., None], 3, axis=-1)


def tried(
    makers: Mapping[str, Callable[[], Any]], score: Callable[[Any], float], *, network: bool
) -> tuple[dict[str, float], Note]:
    """The score of each network that could be had, and a note of what could not, and why.

    Off unless `network`. Libraries tell of a missing connection by OSError, ValueError or a bare Exception
    (keras.utils.get_file), so any of them becomes words here; nothing is hidden.
    """
    if not network:
        return {}, _note([OFF.replace("`", "")])
    scores, lines = {}, []
    for name, make in makers.items():
        try:
            body = make()
        except Exception as fault:
            reason = str(fault).strip().splitlines()[0][:160] if str(fault).strip() else "no reason given"
            lines.append(
                f"{name}: could not be fetched. Is this computer online? Nothing else depends on it. "
                f"({type(fault).__name__}: {reason})"
            )
            continue
        scores[name] = score(body)
        lines.append(f"{name}, frozen: {scores[name]:.0%} of new digits right.")
    return scores, _note(lines)


def _note(lines: list[str]) -> Note:
    return Note("".join(f"<p>{html.escape(line)}</p>" for line in lines), "\n".join(lines))
