"""The catalogue, `load`, and what a data set can do."""

from __future__ import annotations

import builtins
import hashlib
import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import dlexplain as dlx
from dlexplain.data import Dataset, listing
from dlexplain.data.entries import DOWNLOAD, GENERATED
from dlexplain.errors import DataError, InputError, MissingPackageError

HERE = [entry for entry in listing.ENTRIES if entry.how != DOWNLOAD]
BUNDLED = [entry for entry in HERE if entry.how != GENERATED]
DOWNLOADS = [entry for entry in listing.ENTRIES if entry.how == DOWNLOAD]


def named(entries: list) -> list:
    return [pytest.param(entry, id=entry.name) for entry in entries]


@pytest.mark.parametrize("entry", named(HERE))
def test_what_needs_no_download_loads_as_the_catalogue_says(entry, no_network: None) -> None:
    data = dlx.data.load(entry.name)
    assert len(data) == entry.samples
    assert data.inputs.dtype == np.float32
    assert np.isfinite(data.inputs).all()
    assert len(data.inputs.shape[1:]) == len(entry.shape)
    for size, promised in zip(data.inputs.shape[1:], entry.shape, strict=True):
        assert promised in (None, size)
    assert (data.kind, data.licence, data.source) == (entry.kind, entry.licence, entry.source)
    if entry.class_names:
        assert data.labels.dtype == np.int64
        assert np.unique(data.labels).tolist() == list(range(len(entry.class_names)))
    if entry.kind == "image":
        assert data.layout == "channels_last"
        assert 0 <= data.inputs.min() < 0.5 < data.inputs.max() <= 1
    if data.feature_names:
        assert len(data.feature_names) == data.inputs.shape[-1]
    assert entry.name in repr(data)
    assert entry.licence in repr(data)


@pytest.mark.parametrize("entry", named(BUNDLED))
def test_bundled_files_are_those_of_the_catalogue(entry) -> None:
    roots = [
        Path(importlib.import_module(name).__file__).parent for name in ("sklearn.datasets", "skimage.data")
    ]
    for file in entry.files:
        path = next(place for root in roots for place in root.rglob(file.name))
        assert path.stat().st_size == file.size
        assert hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256


def test_the_catalogue_is_a_table_with_all_that_is_asked() -> None:
    table = dlx.data.catalogue()
    assert isinstance(table, pd.DataFrame)
    assert list(table["name"]) == [entry.name for entry in listing.ENTRIES]
    assert table["name"].is_unique
    assert set(table["kind"]) == {"image", "table", "series", "sound"}
    for column in ("what", "how", "licence", "source"):
        assert table[column].str.strip().ne("").all(), column
    digits = table.set_index("name").loc["digits"]
    assert (digits["samples"], digits["shape"], digits["classes"], digits["bytes"]) == (
        1797,
        (8, 8, 1),
        10,
        57523,
    )
    assert list(digits["sha256"]) == ["digits.csv.gz"]


@pytest.mark.parametrize("entry", named(DOWNLOADS))
def test_every_download_has_size_checksum_and_address(entry) -> None:
    assert entry.folder
    assert entry.files
    for file in (*entry.files, *entry.archives):
        assert file.size > 0
        assert len(bytes.fromhex(file.sha256)) == 32
        assert file.urls or entry.archives
        assert all(url.startswith("http") for url in file.urls)
    assert len({file.name for file in entry.files}) == len(entry.files)


@pytest.mark.parametrize(
    ("package", "name"),
    [
        *(("sklearn", name) for name in ("digits", "wine", "china")),
        *(("skimage", name) for name in ("photos", "cat", "faces", "textures")),
    ],
)
def test_a_missing_package_is_named_with_the_way_to_install_it(
    monkeypatch: pytest.MonkeyPatch, package: str, name: str
) -> None:
    original = builtins.__import__

    def without(wanted: str, *rest: object) -> object:
        if wanted.split(".")[0] == package:
            raise ImportError(f"No module named {wanted!r}")
        return original(wanted, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingPackageError, match=r"scikit-.*not installed\. pip install dlexplain\[data\]"):
        dlx.data.load(name)


@pytest.mark.parametrize(
    ("words", "options", "message"),
    [
        ("digit", {}, r"no data set 'digit' in the catalogue\. Did you mean 'digits'\? Known: astronaut, "),
        ("fashion-mnist", {}, "Did you mean 'fashion_mnist'"),
        (
            "digits",
            {"split": "tests"},
            r"no split 'tests'\. Did you mean 'test'\? Known: 'train' and 'test', or None",
        ),
        ("cat", {"split": "train"}, "It comes in one piece"),
        ("two_moons", {"split": "train"}, r"divide it with its own \.split\(\)"),
        ("two_moons", {"sample": 9}, "no option 'sample'. Did you mean 'samples'"),
        ("digits", {"size": 9}, "no option 'size'. Known: none"),
        ("photos", {"size": 3}, "between 8 and 1024, not 3"),
    ],
)
def test_a_wrong_request_is_answered_with_the_right_one(words: str, options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        dlx.data.load(words, **options)


def test_offline_mnist_names_its_missing_files(no_network: None, cache: Path) -> None:
    with pytest.raises(DataError) as caught:
        dlx.data.load("mnist", split="train", progress=False)
    message = str(caught.value)
    assert f"Put by hand into {cache / 'mnist'}" in message
    assert "train-images-idx3-ubyte.gz  9,912,422 bytes  SHA-256 440fcabf" in message
    assert "train-labels-idx1-ubyte.gz  28,881 bytes  SHA-256 3552534a" in message
    assert "t10k" not in message


def test_offline_engines_name_their_files_and_the_archives(no_network: None) -> None:
    with pytest.raises(DataError) as caught:
        dlx.data.load("cmapss_fd002", split="test", progress=False)
    for part in ("test_FD002.txt", "RUL_FD002.txt", "CMAPSSData.zip", "12,425,978 bytes", "phm-datasets"):
        assert part in str(caught.value)
    assert "train_FD002.txt" not in str(caught.value)


def test_photos_come_in_the_size_asked_for() -> None:
    assert dlx.data.load("photos", size=48).inputs.shape == (6, 48, 48, 3)


def test_digits_train_and_test_share_no_sample_and_all_classes() -> None:
    whole = dlx.data.load("digits")
    train, test = dlx.data.load("digits", split="train"), dlx.data.load("digits", split="test")
    assert (train.part, test.part) == ("train", "test")
    assert len(train) + len(test) == 1797
    rows = {image.tobytes() for image in train.inputs}
    assert not rows & {image.tobytes() for image in test.inputs}
    share = np.bincount(test.labels) / np.bincount(whole.labels)
    assert np.abs(share - 0.25).max() < 0.005
    np.testing.assert_array_equal(train.inputs, dlx.data.load("digits", split="train").inputs)


def toy(count: int = 40, **more: object) -> Dataset:
    images = np.arange(count * 24, dtype=np.float32).reshape(count, 2, 4, 3)
    return Dataset(
        "toy", images, np.arange(count) % 4, "image", class_names=tuple("abcd"), layout="channels_last",
        extras={"place": np.arange(count), "who": np.arange(count) // 8}, **more,
    )  # fmt: skip


def test_split_is_seeded_whole_and_even() -> None:
    train, test = toy().split(0.3, seed=4)
    assert sorted([*train.extras["place"], *test.extras["place"]]) == list(range(40))
    assert np.bincount(test.labels).tolist() == [3, 3, 3, 3]
    np.testing.assert_array_equal(test.inputs[:, 0, 0, 0], test.extras["place"] * 24)
    np.testing.assert_array_equal(toy().split(0.3, seed=4)[1].extras["place"], test.extras["place"])
    assert not np.array_equal(toy().split(0.3, seed=5)[1].extras["place"], test.extras["place"])


def test_split_by_group_keeps_groups_whole() -> None:
    for train, test in (toy().split(0.4, by="who"), toy(group="who").split(0.4)):
        assert sorted({*train.extras["who"], *test.extras["who"]}) == [0, 1, 2, 3, 4]
        assert len(set(test.extras["who"])) == 2
        assert not set(train.extras["who"]) & set(test.extras["who"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda data: data.split(1.0), "between 0 and 1, not 1.0"),
        (
            lambda data: data.split(0.3, by="whom"),
            r"no extra 'whom'\. Did you mean 'who'\? Known: place, who",
        ),
        (lambda data: data.take([0]).split(0.3), "1 samples are too few"),
        (lambda data: data.sample(0), "between 1 and 40, not 0"),
        (lambda data: data.sample(41), "between 1 and 40, not 41"),
        (lambda data: data.channels("frist"), r"'first' or 'last', not 'frist'\. Did you mean 'first'"),
        (lambda data: data.standardised(), "only tables and series"),
        (lambda data: dlx.data.load("wine").channels("first"), "'wine' is a table without channels"),
    ],
)
def test_a_data_set_refuses_clearly(call, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call(toy())


def test_sample_is_even_over_classes_and_without_repeats() -> None:
    chosen = toy().sample(10, seed=1)
    assert len(set(chosen.extras["place"])) == 10
    assert sorted(np.bincount(chosen.labels)) == [2, 2, 3, 3]
    np.testing.assert_array_equal(toy().sample(10, seed=1).extras["place"], chosen.extras["place"])
    assert len(set(toy().sample(40).extras["place"])) == 40


def test_channels_feed_both_frameworks_and_come_back() -> None:
    last = toy()
    first = last.channels("first")
    assert first.inputs.shape == (40, 3, 2, 4)
    assert first.inputs.flags.c_contiguous
    assert first.inputs[5, 2, 1, 3] == last.inputs[5, 1, 3, 2]
    assert first.channels("first") is first
    np.testing.assert_array_equal(first.channels("last").inputs, last.inputs)


def test_standardised_measures_on_the_training_part_only() -> None:
    train, test = dlx.data.load("breast_cancer").split()
    ready, held = train.standardised(), test.standardised(train)
    np.testing.assert_allclose(ready.inputs.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(ready.inputs.std(0), 1, atol=1e-5)
    mean, deviation = train.inputs.mean(0, dtype=np.float64), train.inputs.std(0, dtype=np.float64)
    np.testing.assert_allclose(held.inputs, (test.inputs - mean) / deviation, rtol=1e-3, atol=1e-4)
    flat = Dataset("flat", np.full((5, 2), 518.67, np.float32), None, "table")
    assert (flat.standardised().inputs == 0).all()


def test_the_command_line_lists_and_gets(capsys: pytest.CaptureFixture[str], no_network: None) -> None:
    assert dlx.data.command_list() == 0
    listed = capsys.readouterr().out
    for entry in listing.ENTRIES:
        assert entry.name in listed
    assert dlx.data.command_get("digits") == 0
    said = capsys.readouterr().out
    assert "nothing needs to be downloaded" in said
    assert "Licence: CC BY 4.0" in said


@pytest.mark.parametrize(
    ("name", "message"), [("digit", "Did you mean 'digits'"), ("fashion_mnist", "t10k-labels-idx1-ubyte.gz")]
)
def test_the_command_line_refuses_without_a_traceback(
    name: str, message: str, capsys: pytest.CaptureFixture[str], no_network: None
) -> None:
    assert dlx.data.command_get(name) == 1
    said = capsys.readouterr()
    assert message in said.err
    assert "Traceback" not in said.err
    assert not said.out
