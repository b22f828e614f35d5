"""Reading the publishers' formats: right values from good files, a clear refusal of cut and damaged ones."""

from __future__ import annotations

import gzip
import hashlib
import io
import struct
import tarfile
import wave
from pathlib import Path

import numpy as np
import pytest

from dlexplain.data import Dataset, idx, spectrogram, spectrograms, speech, turbofan
from dlexplain.data.entries import DOWNLOAD, DataFile, Entry
from dlexplain.errors import DataError, InputError


def idx_bytes(array: np.ndarray, code: int = 0x08) -> bytes:
    return bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def packed(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(content))
    return path


@pytest.mark.parametrize(("code", "kind"), [(0x08, ">u1"), (0x0B, ">i2"), (0x0C, ">i4"), (0x0D, ">f4")])
def test_idx_gives_back_what_was_written(tmp_path: Path, code: int, kind: str) -> None:
    array = np.random.default_rng(0).integers(0, 100, (3, 4, 5)).astype(kind)
    read = idx.read_idx(packed(tmp_path, idx_bytes(array, code)))
    assert read.dtype == np.dtype(kind).newbyteorder("=")
    np.testing.assert_array_equal(read, array)


GOOD = idx_bytes(np.arange(60, dtype=np.uint8).reshape(5, 12))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not an IDX file: it begins with the bytes ''"),
        (b"PK\3\4 a zip file", "begins with the bytes '50 4b 03 04'"),
        (GOOD[:2] + b"\x07" + GOOD[3:], "is not an IDX file"),
        (GOOD[:9], "cut short within its header"),
        (GOOD[:-7], r"should hold 60 bytes of values, shape \(5, 12\), and holds only 53"),
        (GOOD + b"!", "and holds more"),
        (b"\0\0\x08\x03" + b"\xff" * 12 + b"\0", "more than any such file holds"),
    ],
    ids=["empty", "zip", "type", "header", "short", "long", "lying"],
)
def test_idx_refuses(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        idx.read_idx(packed(tmp_path, content))


@pytest.mark.parametrize("damage", ["cut", "flipped", "not gzip", "absent"])
def test_idx_refuses_a_damaged_package(tmp_path: Path, damage: str) -> None:
    noise = idx_bytes(np.random.default_rng(0).integers(0, 256, (50, 50)).astype(np.uint8))
    path = packed(tmp_path, noise)
    whole = path.read_bytes()
    changed = {
        "cut": whole[:-30],
        "flipped": whole[:-6] + b"????" + whole[-2:],
        "not gzip": noise,
        "absent": b"",
    }
    path.write_bytes(changed[damage])
    if damage == "absent":
        path.unlink()
    with pytest.raises(DataError, match="cannot be unpacked"):
        idx.read_idx(path)


def wav_bytes(samples: np.ndarray, *, rate: int = 8000, width: int = 2, channels: int = 1) -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as written:
        written.setnchannels(channels)
        written.setsampwidth(width)
        written.setframerate(rate)
        written.writeframes(samples.tobytes())
    return stream.getvalue()


RAMP = np.linspace(-32768, 32767, 400).astype("<i2")


def test_wav_of_each_width_gives_the_same_sound() -> None:
    expected = RAMP / 32768
    eight = (RAMP.astype(int) // 256 + 128).astype("u1")
    np.testing.assert_allclose(speech.read_wav(io.BytesIO(wav_bytes(RAMP))), expected, atol=1e-7)
    np.testing.assert_allclose(speech.read_wav(io.BytesIO(wav_bytes(eight, width=1))), expected, atol=1 / 128)
    wide = RAMP.astype("<i4") << 16
    np.testing.assert_allclose(speech.read_wav(io.BytesIO(wav_bytes(wide, width=4))), expected, atol=1e-7)
    both = np.stack([RAMP, RAMP[::-1]], 1)
    np.testing.assert_allclose(
        speech.read_wav(io.BytesIO(wav_bytes(both, channels=2))), (expected + expected[::-1]) / 2, atol=1e-7
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (wav_bytes(RAMP)[:-100], "one.wav is cut short: 350 of 400 samples"),
        (wav_bytes(RAMP)[:20], "one.wav cannot be read as WAV"),
        (b"not a sound", "one.wav cannot be read as WAV"),
        (wav_bytes(RAMP, rate=44100), "44100 samples a second, expected 8000"),
        (wav_bytes(np.zeros(30, "u1"), width=3), "24 bits a sample"),
    ],
    ids=["cut", "header", "other", "rate", "width"],
)
def test_wav_refuses(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        speech.read_wav(io.BytesIO(content), name="one.wav")


def test_spectrogram_hears_a_sine_at_its_pitch_and_loudness() -> None:
    time = np.arange(8000) / 8000
    waveforms = np.stack([np.sin(2 * np.pi * 1000 * time), 0.1 * np.sin(2 * np.pi * 2000 * time), 0 * time])
    decibels = spectrogram(waveforms, window=256, hop=128)
    assert decibels.shape == (3, 129, 61)
    assert (decibels[0].argmax(0) == 1000 * 256 // 8000).all()
    assert (decibels[1].argmax(0) == 2000 * 256 // 8000).all()
    np.testing.assert_allclose(decibels[0].max(0), 0, atol=1e-3)
    np.testing.assert_allclose(decibels[1].max(0), -20, atol=1e-3)
    assert (decibels[2] == -80).all()


def test_spectrograms_are_images_from_floor_to_full_scale() -> None:
    sine = np.sin(2 * np.pi * 1000 * np.arange(1024) / 8000)[None].astype(np.float32)
    sounds = Dataset("beep", sine, np.array([3]), "sound", extras={"take": np.array([7])})
    images = spectrograms(sounds)
    assert (images.kind, images.layout, images.inputs.shape) == ("image", "channels_last", (1, 129, 7, 1))
    assert images.inputs.max() == pytest.approx(1, abs=1e-3)
    assert images.inputs.min() >= 0
    assert images.extras["take"][0] == 7
    with pytest.raises(InputError, match="of kind 'image'; spectrograms are made of sound"):
        spectrograms(images)
    with pytest.raises(InputError, match=r"time >= 256, not \(2, 100\)"):
        spectrogram(np.zeros((2, 100)))


def spoken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, members: dict[str, bytes]) -> Entry:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(f"../fsdd-1/recordings/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    (tmp_path / "all.tar.gz").write_bytes(stream.getvalue())
    monkeypatch.setenv("DLEXPLAIN_DATA", str(tmp_path))
    file = DataFile("all.tar.gz", len(stream.getvalue()), hashlib.sha256(stream.getvalue()).hexdigest())
    return Entry(
        "toy", "a toy", "sound", DOWNLOAD, "speech:recordings", 3, (None,), "CC0", "-", files=(file,)
    )


def test_recordings_come_straight_out_of_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    members = {"3_ann_12.wav": wav_bytes(RAMP), "1_bob_0.wav": wav_bytes(RAMP[:100]), "readme.md": b"hello"}
    entry = spoken(tmp_path, monkeypatch, members)
    both = speech.recordings(entry, seconds=0.05)
    assert both.inputs.shape == (2, 400)
    assert both.labels.tolist() == [1, 3]
    assert both.extras["speaker"].tolist() == ["bob", "ann"]
    assert both.extras["length"].tolist() == [100, 400]
    assert (both.inputs[0, 100:] == 0).all()
    np.testing.assert_allclose(both.inputs[1], RAMP / 32768, atol=1e-7)
    assert speech.recordings(entry, split="test").extras["take"].tolist() == [0]
    assert speech.recordings(entry, split="train").extras["take"].tolist() == [12]
    assert {path.name for path in tmp_path.iterdir()} == {"all.tar.gz"}, "something was unpacked to disk"
    with pytest.raises(InputError, match=r"`seconds` .* not 0"):
        speech.recordings(entry, seconds=0)


def test_an_archive_without_recordings_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="hold no recording"):
        speech.recordings(spoken(tmp_path, monkeypatch, {"readme.md": b"hello"}))


ENGINES = np.array(
    [
        [engine, cycle, *([engine + cycle / 100] * 24)]
        for engine, n in ((1, 5), (2, 3))
        for cycle in range(1, n + 1)
    ]
)


def test_cycles_left_counts_down_to_failure_or_to_what_is_left() -> None:
    assert turbofan.cycles_left(ENGINES).tolist() == [4, 3, 2, 1, 0, 2, 1, 0]
    assert turbofan.cycles_left(ENGINES, np.array([10, 20])).tolist() == [14, 13, 12, 11, 10, 22, 21, 20]
    with pytest.raises(DataError, match="2 engines and 3 remaining lives"):
        turbofan.cycles_left(ENGINES, np.array([1, 2, 3]))


@pytest.mark.parametrize("content", ["1 2 3\n", "a b\n", "1 2 3\n4 5\n", "1 2 3 4 5 6 7\n" * 3])
def test_a_table_with_other_columns_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "train.txt"
    path.write_text(content)
    with pytest.raises(DataError, match=r"train\.txt (is not a C-MAPSS table|should have 26 columns)"):
        turbofan.read_rows(path)


def fleet() -> turbofan.EngineDataset:
    return turbofan.EngineDataset(
        "toy", ENGINES[:, 2:].astype(np.float32), turbofan.cycles_left(ENGINES).astype(np.float32), "series",
        turbofan.COLUMNS, group="engine",
        extras={"engine": ENGINES[:, 0].astype(int), "cycle": ENGINES[:, 1].astype(int)},
    )  # fmt: skip


def test_windows_end_where_their_label_says_and_stay_in_one_engine() -> None:
    windows = fleet().windows(3)
    assert windows.inputs.shape == (4, 3, 24)
    assert windows.labels.tolist() == [2, 1, 0, 0]
    assert windows.extras["engine"].tolist() == [1, 1, 1, 2]
    np.testing.assert_allclose(windows.inputs[0, :, 0], [1.01, 1.02, 1.03], rtol=1e-6)
    np.testing.assert_allclose(windows.inputs[3, :, 0], [2.01, 2.02, 2.03], rtol=1e-6)
    assert fleet().windows(2, stride=2).extras["cycle"].tolist() == [3, 5, 3]
    assert fleet().windows(4).extras["engine"].tolist() == [1, 1]
    assert fleet().windows(2, last_only=True).labels.tolist() == [0, 0]
    assert fleet().windows(1, cap=2).labels.tolist() == [2, 2, 2, 1, 0, 2, 1, 0]
    assert windows.channels("first").inputs.shape == (4, 24, 3)


def test_no_window_spans_a_gap() -> None:
    gap = fleet().take([0, 1, 3, 4])
    assert gap.windows(2).extras["cycle"].tolist() == [2, 5]


@pytest.mark.parametrize("wrong", [{"length": 0}, {"length": 2.5}, {"stride": 0}, {"length": 9}])
def test_windows_refuse(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"whole number of cycles|No engine here ran for 9 cycles"):
        fleet().windows(**wrong)


def test_one_engine_is_a_table_and_an_unknown_one_is_refused() -> None:
    assert fleet().engine(2).labels.tolist() == [2, 1, 0]
    with pytest.raises(InputError, match="no engine 7 here; the engines are 1 to 2"):
        fleet().engine(7)


def test_a_split_never_tears_an_engine_apart() -> None:
    train, test = fleet().windows(2).split(0.5)
    assert len(train) + len(test) == 6
    assert not set(train.extras["engine"]) & set(test.extras["engine"])
