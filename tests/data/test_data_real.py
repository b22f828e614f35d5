"""The publishers' real files, read through the code that users run, with the network blocked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import dlexplain as dlx
from dlexplain.errors import DataError


def test_mnist_test_part_without_the_training_part(real: Path) -> None:
    data = dlx.data.load("mnist", split="test")
    assert data.inputs.shape == (10_000, 28, 28, 1)
    assert (data.inputs.min(), data.inputs.max()) == (0, 1)
    assert data.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    # The counts of the ten digits in the test part, as many have published them.
    assert np.bincount(data.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert data.inputs.mean() == pytest.approx(0.1325, abs=1e-4)
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz  9,912,422 bytes"):
        dlx.data.load("mnist", progress=False)


def test_engines_of_fd001(real: Path) -> None:
    train, test = (dlx.data.load("cmapss_fd001", split=part) for part in ("train", "test"))
    assert train.inputs.shape == (20_631, 24)
    assert test.inputs.shape == (13_096, 24)
    assert len(train.engines) == len(test.engines) == 100
    assert train.engine(1).labels[[0, -1]].tolist() == [191, 0]
    assert test.engine(1).labels[-1] == 112  # the first line of RUL_FD001.txt
    first = dict(zip(train.feature_names, train.inputs[0], strict=True))
    assert first["setting_3"] == 100
    assert first["sensor_2"] == pytest.approx(641.82)
    assert first["sensor_21"] == pytest.approx(23.4190)


def test_windows_of_fd001_follow_the_benchmark(real: Path) -> None:
    train, test = (dlx.data.load("cmapss_fd001", split=part) for part in ("train", "test"))
    windows = train.windows(30, cap=125)
    assert len(windows) == 20_631 - 100 * 29
    assert (windows.labels.min(), windows.labels.max()) == (0, 125)
    scored = test.windows(30, last_only=True)
    assert scored.inputs.shape == (100, 30, 24)
    assert scored.labels[:4].tolist() == [112, 98, 69, 82]


def test_both_parts_of_fd001_number_engines_apart(real: Path) -> None:
    both = dlx.data.load("cmapss_fd001")
    assert both.engines.tolist() == list(range(1, 201))
    assert both.engine(101).labels[-1] == 112


def test_spoken_digits(real: Path) -> None:
    data = dlx.data.load("spoken_digits_small")
    assert data.inputs.shape == (360, 8000)
    assert np.bincount(data.labels).tolist() == [36] * 10
    assert set(data.extras["speaker"]) == {"jackson", "nicolas", "theo"}
    # 0_jackson_0.wav has 10,340 bytes, 44 of them header, two a sample.
    first = (data.extras["speaker"] == "jackson") & (data.extras["take"] == 0) & (data.labels == 0)
    assert data.extras["length"][first] == [5148]
    assert np.abs(data.inputs[first, :5148]).max() > 0.01
    assert (data.inputs[first, 5148:] == 0).all()
    assert len(dlx.data.load("spoken_digits_small", split="test")) == 150
    images = dlx.data.spectrograms(data.take(first))
    assert images.inputs.shape == (1, 129, 61, 1)


def test_the_command_line_proves_what_is_here(real: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dlx.data.command_get("cmapss_fd001") == 0
    assert "3 files, 5.7 MB, checksums right" in capsys.readouterr().out


def test_nothing_is_written_beside_the_real_files_or_into_the_cache(real: Path, cache: Path) -> None:
    before = sorted(real.rglob("*"))
    dlx.data.load("mnist", split="test")
    dlx.data.load("spoken_digits_small", split="test")
    assert sorted(real.rglob("*")) == before
    assert not cache.exists()


def test_one_changed_byte_in_a_real_file_is_found(
    real: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytearray((real / "cmapss" / "RUL_FD001.txt").read_bytes())
    content[0] ^= 1
    (tmp_path / "RUL_FD001.txt").write_bytes(content)
    monkeypatch.setenv("DLEXPLAIN_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"RUL_FD001\.txt is not the RUL_FD001\.txt of 'cmapss_fd001'"):
        dlx.data.load("cmapss_fd001", split="test", progress=False)
