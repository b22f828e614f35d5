"""Archives as data of an audit: what is read, what is refused, and where the fault is said to be."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn

import dlexplain as dlx
from dlexplain.audit.reading import read
from dlexplain.errors import InputError, UnsafeFileError


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {"inputs": rng.normal(size=(12, 3)).astype(np.float32), "labels": np.arange(12) % 2}


def saved(folder, **arrays):
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return path


def test_arrays_names_columns_and_training_part(tmp_path, arrays):
    path = saved(
        tmp_path,
        **arrays,
        feature_names=np.array(["a", "b", "c"]),
        class_names=np.array(["no", "yes"]),
        region=np.array(["north", "south"] * 6),
        train_inputs=arrays["inputs"] + 1,
        train_labels=arrays["labels"],
    )
    data = read(path)
    assert np.array_equal(data.inputs, arrays["inputs"])
    assert data.feature_names == ("a", "b", "c")
    assert data.class_names == ("no", "yes")
    assert list(data.columns) == ["region"]
    assert np.array_equal(data.train[0], arrays["inputs"] + 1)
    assert data.source == "data.npz"


def test_words_as_labels_are_numbered_as_named(tmp_path, arrays):
    words = np.array(["yes", "no"])[arrays["labels"]]
    data = read(saved(tmp_path, inputs=arrays["inputs"], labels=words, class_names=np.array(["yes", "no"])))
    assert np.array_equal(data.labels, arrays["labels"])
    with pytest.raises(InputError, match=r"the label 'yes' of row 1 is none of the classes 'no', 'nope'"):
        read(saved(tmp_path, inputs=arrays["inputs"], labels=words, class_names=np.array(["no", "nope"])))


class Marks:
    """Unpickling it would leave a file behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("name", ["labels", "inputs", "class_names", "extra"])
def test_an_array_of_objects_is_never_unpickled(tmp_path, arrays, name):
    mark = tmp_path / "ran"
    trap = np.array([Marks(mark)] + [None] * 11, dtype=object)
    path = tmp_path / "trap.npz"
    np.savez(path, **{**arrays, name: trap}, allow_pickle=True)
    with pytest.raises(UnsafeFileError, match=f"`{name}` is an array of Python objects"):
        read(path)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"labels": None}, "has no array `labels`"),
        ({"inputs": None, "input": np.zeros((12, 3))}, "Did you mean 'input'"),
        ({"inputs": None, "inputs_0": np.zeros((12, 3)), "inputs_1": np.zeros((12, 3))}, "models of several inputs"),
        ({"labels": np.zeros(11)}, "12 rows of `inputs` and 11 `labels`"),
        ({"labels": np.eye(12)}, r"labels.argmax\(1\)"),
        ({"inputs": np.array(["a"] * 12)[:, None]}, "not numbers"),
        ({"labels": np.r_[np.nan, np.zeros(11)]}, "the first in row 1"),
        ({"odd": np.zeros((3, 2))}, r"`odd` has shape \(3, 2\)"),
        ({"train_inputs": np.zeros((5, 3))}, "go together"),
        ({"train_inputs": np.zeros((5, 4)), "train_labels": np.zeros(5)}, r"have shape \(4,\)"),
        ({"inputs": np.zeros(12)}, "needs a row a sample"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, arrays, change, said):
    given = {name: value for name, value in {**arrays, **change}.items() if value is not None}
    with pytest.raises(InputError, match=said):
        read(saved(tmp_path, **given))


def test_a_file_cut_short_is_named(tmp_path, arrays):
    path = saved(tmp_path, **arrays)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match=r"data\.npz cannot be read"):
        read(path)


def test_missing_values_are_set_aside_and_counted(tmp_path, arrays):
    inputs = arrays["inputs"].copy()
    inputs[3, 1] = inputs[5, 1] = np.nan
    inputs[5, 2] = np.inf
    data = read(saved(tmp_path, inputs=inputs, labels=arrays["labels"], feature_names=np.array(["a", "b", "c"])))
    assert len(data) == 10
    assert data.set_aside == 2
    assert data.missing == {"b": 2, "c": 1}
    assert "2 of 12 rows" in data.notes[0]


def test_a_limit_draws_rows_with_all_that_belongs_to_them(tmp_path, arrays):
    path = saved(tmp_path, **arrays, row=np.arange(12))
    data = read(path, limit=5, seed=3)
    rows = data.columns["row"].astype(int)
    assert len(rows) == len(set(rows)) == 5
    assert np.array_equal(data.inputs, arrays["inputs"][rows])
    assert np.array_equal(data.labels, arrays["labels"][rows])
    assert np.array_equal(read(path, limit=5, seed=3).inputs, data.inputs)
    assert "5 of 12 rows" in data.notes[-1]


def test_a_model_of_several_inputs_is_refused(tmp_path, arrays):
    class Two(nn.Module):
        def forward(self, a, b):
            return a + b

    model = dlx.wrap(Two(), input_shape=((3,), (3,)))
    with pytest.raises(InputError, match="takes 2 inputs"):
        read(saved(tmp_path, **arrays), model=model)


def test_a_misspelt_file_is_suggested(tmp_path, arrays):
    saved(tmp_path, **arrays)
    with pytest.raises(InputError, match=r"Did you mean 'data\.npz'"):
        read(tmp_path / "date.npz")


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(b"\x80\x04.")
    with pytest.raises(InputError, match=r"'\.pkl' are not read"):
        read(path, model=dlx.wrap(nn.Linear(3, 2)))


def test_training_data_from_a_file_of_its_own(tmp_path, arrays):
    train = tmp_path / "train.npz"
    np.savez(train, inputs=arrays["inputs"] + 1, labels=arrays["labels"])
    data = read(saved(tmp_path, **arrays), train=train)
    assert np.array_equal(data.train[0], arrays["inputs"] + 1)
    np.savez(train, inputs=np.zeros((4, 5)), labels=np.zeros(4))
    with pytest.raises(InputError, match=r"samples of shape \(5,\)"):
        read(saved(tmp_path, **arrays), train=train)


def test_what_was_read_fits_the_model(tmp_path, arrays):
    model = dlx.wrap(nn.Linear(3, 2), input_shape=(3,))
    assert model.predict(read(saved(tmp_path, **arrays), model=model).inputs).shape == (12, 2)
