"""Planted tastes are as they say; MovieLens is read as GroupLens packs it, from a folder or a zip."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

import dlexplain as dlx
from dlexplain.data.tastes import GENRES, seen_before, tastes, titles
from dlexplain.errors import DataError, InputError


def test_titles_are_unique_and_thirty_a_genre() -> None:
    assert len(set(titles())) == len(titles()) == 30 * len(GENRES)


def test_histories_hold_all_but_the_last_film() -> None:
    made = tastes(people=50)
    watched = made.extras["watched"]
    assert all(len(set(row)) == 12 for row in watched.tolist())
    assert (made.inputs.sum(1) == 11).all()
    assert (made.labels == watched[:, -1]).all()
    assert not made.inputs[np.arange(50), made.labels].any()
    np.testing.assert_allclose(made.extras["taste"].sum(1), 1, atol=1e-5)
    assert made.truth["film_genres"].sum(0).tolist() == [30] * 6


def test_people_watch_by_taste_times_fame_and_fame_is_the_same_in_each_genre() -> None:
    made = tastes(people=4000, watched=2, seed=1)
    genre, fame = made.truth["film_genres"].argmax(1), made.truth["fame"]
    first = made.extras["watched"][:, 0]
    for k in range(6):
        assert made.extras["taste"][genre[first] == k, k].mean() == pytest.approx(0.43, abs=0.05)  # by lot: 1 of 6
        np.testing.assert_allclose(np.sort(fame[genre == k]), np.sort(fame[genre == 0]))
    views = np.bincount(first, minlength=180)
    assert np.corrcoef(views, fame)[0, 1] > 0.9
    alike = np.bincount(tastes(people=4000, watched=2, fame=0, seed=1).extras["watched"][:, 0], minlength=180)
    assert alike.std() < 0.3 * views.std()


def test_the_same_seed_gives_the_same_people() -> None:
    np.testing.assert_array_equal(tastes(people=20, seed=5).inputs, tastes(people=20, seed=5).inputs)
    assert (tastes(people=20, seed=5).inputs != tastes(people=20, seed=6).inputs).any()


@pytest.mark.parametrize("options", [{"people": 0}, {"people": 2.5}, {"watched": 1}, {"watched": 181}, {"fame": -1}])
def test_bad_options_are_refused_by_name(options: dict) -> None:
    with pytest.raises(InputError, match=f"`{next(iter(options))}`"):
        tastes(**options)


def test_places_filled_up_count_for_nothing() -> None:
    np.testing.assert_array_equal(seen_before(np.array([[0, 2, -1]]), 4), [[1, 0, 1, 0]])


# ---- MovieLens, in both of its forms ----

# Person 1 likes films 1, 2, 3 in the order 3, 1, 2; person 2 likes 2, 3, 1; person 3 likes too few.
_RATED = [
    (1, 1, 5, 20),
    (1, 2, 4, 30),
    (1, 3, 4, 10),
    (1, 4, 2, 5),
    (2, 2, 5, 1),
    (2, 3, 4, 2),
    (2, 1, 4, 3),
    (3, 1, 5, 1),
]


def _latest(folder: Path) -> Path:
    folder.mkdir(parents=True)
    rows = "\n".join(f"{u},{f},{s}.0,{t}" for u, f, s, t in _RATED)
    (folder / "ratings.csv").write_text(f"userId,movieId,rating,timestamp\n{rows}\n", encoding="utf-8")
    (folder / "movies.csv").write_text(
        'movieId,title,genres\n1,"Moon, The (1990)",Sci-Fi|Drama\n2,Amélie (2001),Comedy\n'
        "3,Fog (1980),Horror\n4,Nil (1999),(no genres listed)\n",
        encoding="utf-8",
    )
    return folder


def _hundred_thousand(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "u.data").write_text("\n".join("\t".join(map(str, row)) for row in _RATED) + "\n", encoding="utf-8")
    (folder / "u.genre").write_text("unknown|0\nComedy|1\nDrama|2\nHorror|3\nSci-Fi|4\n\n", encoding="utf-8")
    (folder / "u.item").write_text(
        "1|Moon, The (1990)|01-Jan-1990||url|0|0|1|0|1\n2|Amélie (2001)|||url|0|1|0|0|0\n"
        "3|Fog (1980)|||url|0|0|0|1|0\n4|Nil (1999)|||url|1|0|0|0|0\n",
        encoding="latin-1",
    )
    return folder


def _zipped(folder: Path) -> Path:
    target = folder.with_suffix(".zip")
    with zipfile.ZipFile(target, "w") as opened:
        for file in folder.iterdir():
            opened.write(file, f"{folder.name}/{file.name}")
    return target


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
@pytest.mark.parametrize(("name", "make"), [("movielens_small", _latest), ("movielens_100k", _hundred_thousand)])
def test_movielens_is_read(name: str, make, packed: bool, tmp_path: Path, no_network: None) -> None:
    folder = make(tmp_path / "ml")
    data = dlx.data.load(name, path=_zipped(folder) if packed else folder)
    assert data.feature_names == ("Moon, The (1990)", "Amélie (2001)", "Fog (1980)")  # nobody likes film 4
    assert data.extras["watched"][:, :4].tolist() == [[2, 0, 1, -1], [1, 2, 0, -1]]
    assert data.labels.tolist() == [1, 0]
    np.testing.assert_array_equal(data.inputs, [[1, 0, 1], [0, 1, 1]])
    assert data.truth["genres"] == ("Comedy", "Drama", "Horror", "Sci-Fi")
    np.testing.assert_array_equal(data.truth["film_genres"], [[0, 1, 0, 1], [1, 0, 0, 0], [0, 0, 1, 0]])


def test_the_most_liked_films_and_the_last_of_a_person_are_kept(tmp_path: Path) -> None:
    folder = _latest(tmp_path / "ml")
    data = dlx.data.load("movielens_small", path=folder, films=3, longest=3, liked=2)
    assert len(data.feature_names) == 3
    assert data.extras["watched"].shape == (2, 3)


def test_what_is_not_movielens_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not there"):
        dlx.data.load("movielens_small", path=tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="ml-latest-small"):
        dlx.data.load("movielens_small", path=tmp_path / "empty")
    (tmp_path / "cut.zip").write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(DataError, match="cannot be unpacked"):
        dlx.data.load("movielens_small", path=tmp_path / "cut.zip")
    folder = _latest(tmp_path / "ml")
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,99,5.0,1\n", encoding="utf-8")
    with pytest.raises(DataError, match="film 99 is rated and has no title"):
        dlx.data.load("movielens_small", path=folder)
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,1,5.0,1\n", encoding="utf-8")
    with pytest.raises(DataError, match="nobody"):
        dlx.data.load("movielens_small", path=folder)


def test_without_the_file_it_is_said_what_to_put_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_network: None
) -> None:
    monkeypatch.setenv("DLEXPLAIN_OFFLINE", "1")
    monkeypatch.setenv("DLEXPLAIN_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"ml-latest-small\.zip"):
        dlx.data.load("movielens_small")
