"""Pictures written as sums of waves: gradient ascent on their strengths finds smooth pictures, not high-pitched noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

# How the colours of natural pictures go together: the square root of their covariance, measured on ImageNet
# (Olah, Mordvintsev, Schubert 2017, Feature Visualization, Distill), its longest column set to 1.
_COLOURS = np.array([[0.26, 0.09, 0.02], [0.27, 0.0, -0.05], [0.27, -0.09, 0.03]])
_COLOURS = _COLOURS / np.linalg.norm(_COLOURS, axis=0).max()

Ask = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


class Spectrum:
    """`(count, height, width, channels)` pictures between two values, from waves whose strength falls as 1 / frequency."""

    def __init__(
        self, shape: tuple[int, int, int], low: float, high: float, *, decorrelated: bool, start: np.ndarray
    ) -> None:
        height, width, _ = shape
        self.size, self.low, self.span, self.decorrelated = (height, width), low, high - low, decorrelated
        pitch = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
        self.scale = (1 / np.maximum(pitch, 1 / max(height, width)))[..., None]
        self.waves = np.fft.rfft2(start, axes=(1, 2), norm="ortho") / self.scale
        # All but the first column (and the last of an even width) stand for two waves, one of each sign.
        twice = np.full(self.waves.shape[2], 2.0)
        twice[0] = 1
        if width % 2 == 0:
            twice[-1] = 1
        self._weights = twice[:, None] * self.scale

    def pictures(self) -> np.ndarray:
        flat = np.fft.irfft2(self.waves * self.scale, s=self.size, axes=(1, 2), norm="ortho")
        flat = flat @ _COLOURS.T if self.decorrelated else flat
        self._share = 1 / (1 + np.exp(-flat))
        return (self.low + self.span * self._share).astype(np.float32)

    def slope(self, gradient: np.ndarray) -> np.ndarray:
        """The gradient to the pictures as one to the waves, at the pictures last made."""
        gradient = gradient.astype(np.float64) * self.span * self._share * (1 - self._share)
        gradient = gradient @ _COLOURS if self.decorrelated else gradient
        return np.fft.rfft2(gradient, axes=(1, 2), norm="ortho") * self._weights


def climb(spectrum: Spectrum, ask: Ask, steps: int, rate: float, jitter: int, seed: int) -> np.ndarray:
    """Even steps up the waves with momentum; each sees the pictures shifted by up to `jitter` pixels, round the edge.

    `ask`: `(count,)` scores and the gradient to the pictures. A step of its own size for each wave, as Adam's, would give
    the high-pitched ones back what the spectrum takes from them.
    """
    speed = np.zeros_like(spectrum.waves)
    for step in range(1, steps + 1):
        shift = np.random.default_rng([seed, step]).integers(-jitter, jitter + 1, 2)
        _, gradient = ask(np.roll(spectrum.pictures(), shift, (1, 2)))
        slope = spectrum.slope(np.roll(gradient, -shift, (1, 2)))
        size = np.sqrt(np.square(np.abs(slope)).mean((1, 2, 3), keepdims=True))
        slope = slope / np.where(size > 0, size, 1)  # units answer on scales of their own
        if not size.all():  # a silent unit has no slope: walk at random until it speaks
            noise = np.random.default_rng([seed, step, 1]).standard_normal((2, *slope.shape[1:]))
            slope = np.where(size > 0, slope, noise[0] + 1j * noise[1])
        speed = 0.9 * speed + 0.1 * slope
        spectrum.waves = spectrum.waves + rate * speed
    return spectrum.pictures()
