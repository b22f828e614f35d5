"""Tables as data of an audit: every bad cell is named by row and column, empty ones are counted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from torch import nn

import dlexplain as dlx
from dlexplain.audit.reading import read
from dlexplain.errors import InputError


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "age": rng.integers(20, 70, 20),
            "dose": rng.normal(size=20).round(3),
            "sex": ["f", "m"] * 10,
            "label": rng.integers(0, 2, 20),
        }
    )


def csv(folder, frame, name="data.csv", **options):
    path = folder / name
    frame.to_csv(path, index=False, **options)
    return path


def two() -> dlx.Model:
    return dlx.wrap(nn.Linear(2, 2), input_shape=(2,))


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_features_labels_and_slices(tmp_path, frame, kind):
    path = tmp_path / f"data.{kind}"
    frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path)
    data = read(path, model=two(), slices=["sex"])
    assert data.feature_names == ("age", "dose")
    assert np.allclose(data.inputs, frame[["age", "dose"]].to_numpy())
    assert np.array_equal(data.labels, frame["label"])
    assert data.columns["sex"].tolist() == frame["sex"].tolist()
    assert "Labels: column 'label'." in data.notes


def test_a_category_is_refused_with_advice(tmp_path, frame):
    with pytest.raises(InputError, match=r"row 1 .*column 'sex': 'f' is not a number.*2 different texts.*--slices sex"):
        read(csv(tmp_path, frame), model=two())


def test_a_bad_cell_is_named_by_row_and_column(tmp_path, frame):
    frame = frame.astype({"dose": object})
    frame.loc[6, "dose"] = "0,5"
    path = csv(tmp_path, frame)
    with pytest.raises(
        InputError, match=r"data\.csv, row 7 \(after the header\), column 'dose': '0,5'.*Decimal commas"
    ):
        read(path, model=two(), slices=["sex"])


def test_empty_cells_are_counted_and_their_rows_set_aside(tmp_path, frame):
    frame = frame.astype({"age": float, "label": object})
    frame.loc[[2, 3], "age"] = np.nan
    frame.loc[3, "dose"] = np.nan
    frame.loc[9, "label"] = None
    data = read(csv(tmp_path, frame), model=two(), slices=["sex"])
    assert data.missing == {"age": 2, "dose": 1, "label": 1}
    assert data.set_aside == 3
    assert len(data) == len(data.columns["sex"]) == 17
    assert any("3 of 20 rows" in note and "age: 2" in note for note in data.notes)


def test_a_column_of_labels_is_never_guessed_by_its_place(tmp_path, frame):
    frame = frame.drop(columns="sex").rename(columns={"label": "outcome"})
    path = csv(tmp_path, frame)
    with pytest.raises(InputError, match=r"which column holds the known answers.*--labels COLUMN.*outcome"):
        read(path, model=two())
    assert np.array_equal(read(path, model=two(), labels="outcome").labels, frame["outcome"])
    with pytest.raises(InputError, match="Did you mean 'outcome'"):
        read(path, model=two(), labels="outcom")


def test_words_are_numbered_alike_in_both_files(tmp_path, frame):
    frame = frame.drop(columns="sex").assign(label=["b", "c"] * 10)
    train = csv(tmp_path, frame.assign(label=["a", "c"] * 10), "train.csv")
    data = read(csv(tmp_path, frame), model=two(), train=train)
    assert data.class_names == ("a", "b", "c")
    assert data.labels.tolist() == [1, 2] * 10
    assert data.train[1].tolist() == [0, 2] * 10


def test_columns_in_another_order_are_refused(tmp_path, frame):
    frame = frame.drop(columns="sex")
    train = csv(tmp_path, frame[["dose", "age", "label"]], "train.csv")
    with pytest.raises(InputError, match="'dose' where 'age' is expected"):
        read(csv(tmp_path, frame), model=two(), train=train)


def test_a_number_of_columns_that_does_not_fit_is_told(tmp_path, frame):
    path = csv(tmp_path, frame.drop(columns="sex").assign(extra=1.0))
    with pytest.raises(
        InputError, match=r"takes 2 features; beside the label 'label' there are 3 columns: age, dose, extra"
    ):
        read(path, model=two())


def test_a_numeric_slice_that_the_model_was_not_trained_on(tmp_path, frame):
    path = csv(tmp_path, frame.drop(columns="sex").assign(year=2000 + np.arange(20)))
    data = read(path, model=two(), slices=["year"])
    assert data.feature_names == ("age", "dose")
    assert data.columns["year"].tolist() == list(range(2000, 2020))


def test_a_saved_index_is_left_out(tmp_path, frame):
    path = tmp_path / "data.csv"
    frame.drop(columns="sex").to_csv(path)
    data = read(path, model=two())
    assert data.feature_names == ("age", "dose")
    assert any("only counts the rows" in note for note in data.notes)


def test_semicolons_are_seen(tmp_path, frame):
    data = read(csv(tmp_path, frame.drop(columns="sex"), sep=";"), model=two())
    assert data.feature_names == ("age", "dose")
    assert any("semicolons" in note for note in data.notes)


def test_values_of_a_regression_stay_numbers(tmp_path, frame):
    frame = frame.drop(columns="sex").assign(label=np.linspace(0, 1.5, 20))
    data = read(csv(tmp_path, frame), model=two())
    assert np.allclose(data.labels, np.linspace(0, 1.5, 20))
    assert data.class_names is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("age,dose,label\n", "holds no rows"),
        ("", "cannot be read as a table"),
        ("age,age,label\n1,2,0\n", None),
        ("age,dose,label\n1,inf,0\n1,2,1\n", r"row 1, column 'dose': the value is infinite"),
    ],
)
def test_odd_files(tmp_path, text, said):
    path = tmp_path / "odd.csv"
    path.write_text(text)
    if said is None:  # pandas gives the second column a name of its own
        assert read(path, model=two()).feature_names == ("age", "age.1")
        return
    with pytest.raises(InputError, match=said):
        read(path, model=two())


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "odd.csv"
    path.write_bytes("größe,label\n1,0\n".encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8"):
        read(path)


def test_a_broken_parquet_file_is_named(tmp_path):
    path = tmp_path / "odd.parquet"
    path.write_bytes(b"PAR1 and nothing more")
    with pytest.raises(InputError, match=r"odd\.parquet cannot be read"):
        read(path)


def test_a_table_for_a_model_of_pictures_is_refused(tmp_path, frame):
    model = dlx.wrap(nn.Conv2d(1, 2, 3), input_shape=(1, 8, 8))
    with pytest.raises(InputError, match=r"is a table; the model takes samples of shape \(1, 8, 8\)"):
        read(csv(tmp_path, frame), model=model)
