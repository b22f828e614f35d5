"""The Free Spoken Digit Dataset (Z. Jackson and others): reading its recordings, and pictures of sound."""

from __future__ import annotations

import io
import re
import tarfile
import wave
import zlib
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from dlexplain.data.dataset import Dataset
from dlexplain.data.entries import Entry
from dlexplain.data.fetch import obtain
from dlexplain.errors import DataError, InputError

RATE = 8000  # samples a second
TEST_TAKES = 5  # by the publisher's rule takes 0 to 4 are the test part
_NAME = re.compile(r"(?P<digit>\d)_(?P<speaker>[a-z]+)_(?P<take>\d+)\.wav")
_MOST = 1 << 20  # bytes in one recording, many times the longest


def recordings(
    entry: Entry, *, split: str | None = None, seconds: float = 1.0, progress: bool = True
) -> Dataset:
    """`(n, seconds x 8000)` in -1..1, cut or padded with silence at the end.

    Extras: `length` (the recording's own number of samples), `speaker`, `take`. `split` is the publisher's:
    takes 0 to 4 are the test part.
    """
    if not 0.05 <= seconds <= 10:
        raise InputError(f"`seconds` is the length of each recording, between 0.05 and 10, not {seconds!r}.")
    if split:
        entry = replace(entry, files=tuple(file for file in entry.files if _belongs(file.name, split)))
    paths = obtain(entry, progress=progress)
    sounds = {name: wav for name, wav in _read_all(paths) if _belongs(name, split)}
    names = sorted(sounds, key=_key)
    if not names:
        raise DataError(f"The files of {entry.name!r} hold no recording of the {split or 'whole'} part.")
    keys = [_key(name) for name in names]
    extras = {
        "length": np.array([len(sounds[name]) for name in names]),
        "speaker": np.array([key[1] for key in keys]),
        "take": np.array([key[2] for key in keys]),
    }
    inputs = np.stack([_fit(sounds[name], round(seconds * RATE)) for name in names])
    return Dataset.of(entry, inputs, np.array([key[0] for key in keys], np.int64), split=split, extras=extras)


def _key(name: str) -> tuple[int, str, int]:
    match = _NAME.fullmatch(name)
    if match is None:
        raise DataError(f"{name} is not named as the data set names its files: DIGIT_SPEAKER_TAKE.wav.")
    return int(match["digit"]), match["speaker"], int(match["take"])


def _belongs(name: str, split: str | None) -> bool:
    """Whether a recording is of the split. Archives belong to every split."""
    if split is None or not name.endswith(".wav"):
        return True
    return (_key(name)[2] < TEST_TAKES) == (split == "test")


def _read_all(paths: dict[str, Path]):
    """(name, samples) of each recording, loose or in an archive."""
    for name, path in paths.items():
        if name.endswith(".wav"):
            yield name, read_wav(path)
        else:
            yield from _read_archive(path)


def _read_archive(path: Path):
    """Recordings straight out of a tar archive: nothing is written anywhere."""
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                name = PurePosixPath(member.name).name
                if member.isfile() and _NAME.fullmatch(name) and member.size < _MOST:
                    yield name, read_wav(io.BytesIO(archive.extractfile(member).read()), name=name)
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be unpacked: {error}. Fetch it again.") from error


def read_wav(source: Path | str | io.BytesIO, *, name: str | None = None, rate: int = RATE) -> np.ndarray:
    """Samples `(time,)` float32 in -1..1 of a PCM WAV file; several channels are averaged.

    Raises DataError where the file is cut, damaged, not PCM of 8, 16 or 32 bits, or at another rate.
    """
    name = name or str(source)
    try:
        with wave.open(str(source) if isinstance(source, Path) else source, "rb") as opened:
            promised, width, channels = opened.getnframes(), opened.getsampwidth(), opened.getnchannels()
            found_rate, frames = opened.getframerate(), opened.readframes(promised)
    except (wave.Error, EOFError, OSError) as error:
        raise DataError(
            f"{name} cannot be read as WAV: {error or 'it is cut short'}. Fetch it again."
        ) from error
    if found_rate != rate:
        raise DataError(f"{name} has {found_rate} samples a second, expected {rate}.")
    if width not in (1, 2, 4):
        raise DataError(f"{name} has {8 * width} bits a sample; 8, 16 and 32 can be read.")
    if len(frames) != promised * width * channels:
        raise DataError(
            f"{name} is cut short: {len(frames) // (width * channels):,} of {promised:,} samples."
        )
    # WAV counts 8 bits from 0 to 255 and more bits as signed numbers.
    samples = np.frombuffer(frames, {1: "u1", 2: "<i2", 4: "<i4"}[width]).astype(np.float64)
    samples = (samples - 128) / 128 if width == 1 else samples / 2.0 ** (8 * width - 1)
    return samples.reshape(-1, channels).mean(1).astype(np.float32)


def _fit(samples: np.ndarray, length: int) -> np.ndarray:
    return np.pad(samples[:length], (0, max(0, length - len(samples))))


def spectrogram(
    waveforms: np.ndarray, *, window: int = 256, hop: int = 128, floor: float = -80.0
) -> np.ndarray:
    """How loud each pitch is at each time, `(n, frequencies, times)` in decibels (0: a full-scale sine).

    What is softer than `floor` counts as it. `window` and `hop` are in samples (Hann window). The
    `window // 2 + 1` frequencies run from 0 to half the rate.
    """
    waveforms = np.asarray(waveforms, np.float32)
    if waveforms.ndim != 2 or waveforms.shape[1] < window:
        raise InputError(
            f"`waveforms` should have shape (n, time) with time >= {window}, not {waveforms.shape}."
        )
    if window < 2 or hop < 1:
        raise InputError(f"`window` must be 2 or more and `hop` 1 or more, not {window!r} and {hop!r}.")
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    frames = np.lib.stride_tricks.sliding_window_view(waveforms, window, axis=1)[:, ::hop]
    loudness = np.abs(np.fft.rfft(frames * hann, axis=-1)) / (hann.sum() / 2)
    decibels = 20 * np.log10(np.maximum(loudness, 10 ** (floor / 20)))
    return decibels.swapaxes(1, 2).astype(np.float32)


def spectrograms(sounds: Dataset, *, window: int = 256, hop: int = 128, floor: float = -80.0) -> Dataset:
    """A data set of sound as images `(n, frequencies, times, 1)`: 0 at `floor` decibels, 1 at full scale."""
    if sounds.kind != "sound":
        raise InputError(f"{sounds.name!r} is of kind {sounds.kind!r}; spectrograms are made of sound.")
    decibels = spectrogram(sounds.inputs, window=window, hop=hop, floor=floor)
    images = ((decibels - floor) / -floor).clip(0, 1)[..., None]
    return replace(sounds, inputs=images, kind="image", layout="channels_last")
