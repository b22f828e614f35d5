"""The fleet's truth holds in its numbers: what wears, since when, and which sensors feel it."""

from __future__ import annotations

import numpy as np
import pytest

import dlexplain as dlx
from dlexplain.data.fleet import _lagging, by_machine, fleet
from dlexplain.errors import InputError


@pytest.fixture(scope="module")
def still() -> dlx.data.EngineDataset:
    """A fleet whose sensors measure without noise."""
    return fleet(machines=60, noise=0, seed=5)


def test_the_same_seed_gives_the_same_fleet() -> None:
    first, again, other = fleet(machines=6, seed=3), fleet(machines=6, seed=3), fleet(machines=6, seed=4)
    np.testing.assert_array_equal(first.inputs, again.inputs)
    assert len(first) != len(other)
    np.testing.assert_array_equal(fleet(machines=6, seed=np.random.default_rng(3)).inputs, first.inputs)


def test_every_life_is_counted_down_to_its_end(still: dlx.data.EngineDataset) -> None:
    assert len(still.engines) == 60
    for number in still.engines:
        machine = still.engine(number)
        assert machine.extras["cycle"].tolist() == list(range(1, len(machine) + 1))
        assert machine.labels.tolist() == list(range(len(machine)))[::-1]


def test_wear_begins_with_the_onset_and_ends_short_of_breakdown(still: dlx.data.EngineDataset) -> None:
    for number in still.engines:
        extras = still.engine(number).extras
        wear, onset = extras["wear"], extras["onset"][0]
        assert (extras["onset"] == onset).all()
        worn = extras["cycle"] >= onset
        assert (wear[~worn] == 0).all()
        assert wear[worn].min() > 0
        assert (np.diff(wear) >= 0).all()
        assert 0.8 < wear[-1] < 1


def test_more_load_wears_faster(still: dlx.data.EngineDataset) -> None:
    load = [still.engine(n).inputs[:, 0].mean() for n in still.engines]
    life = [len(still.engine(n)) for n in still.engines]
    assert np.corrcoef(load, life)[0, 1] < -0.4


def test_each_fault_moves_its_sensors_and_no_idle_one(still: dlx.data.EngineDataset) -> None:
    at = dict(zip(still.feature_names, range(8), strict=True))
    rows, extras = still.inputs.astype(float), still.extras
    weather = np.column_stack([np.ones(len(still)), rows[:, at["load"]], rows[:, at["outside"]]])
    bearing = np.where(extras["fault"] == 0, extras["wear"], 0)
    filter_ = np.where(extras["fault"] == 1, extras["wear"], 0)
    known = np.column_stack([weather, bearing, filter_])

    def effects(sensor: str) -> tuple[float, float]:
        """What a full wear of bearing and of filter adds, in deviations of the healthy sensor."""
        fitted = np.linalg.lstsq(known, rows[:, at[sensor]], rcond=None)[0]
        healthy = rows[extras["wear"] == 0, at[sensor]].std()
        return fitted[-2] / healthy, fitted[-1] / healthy

    assert effects("vibration")[0] > 5
    assert abs(effects("vibration")[1]) < 0.5
    assert effects("pressure")[1] < -5
    assert abs(effects("pressure")[0]) < 0.5
    assert effects("temperature")[0] > 1
    assert abs(effects("temperature")[1]) < 0.5
    for sensor in ("humidity", "voltage"):
        assert max(map(abs, effects(sensor))) < 1.2  # chance: the site's own level
    assert still.truth["causes"] == ("vibration", "pressure")
    assert set(still.truth["idle"]) < set(still.feature_names)


def test_the_casing_warms_later_than_the_bearing_shakes() -> None:
    step = np.r_[np.zeros(20), np.ones(40)]
    warm = _lagging(step)
    assert warm[0] == 0
    assert 0.1 < warm[20] < 0.3
    assert warm[-1] == pytest.approx(1, abs=1e-3)


def test_one_kind_of_fault_can_be_had_alone() -> None:
    only = fleet(machines=4, faults=("clogged filter",))
    assert (only.extras["fault"] == 0).all()
    assert only.truth["causes"] == ("pressure",)


def test_windows_and_parts_keep_machines_whole() -> None:
    data = fleet(machines=20)
    parts = by_machine(data, (0.5, 0.25, 0.25), seed=1)
    owned = [set(part.engines) for part in parts]
    assert [len(each) for each in owned] == [10, 5, 5]
    assert not set.intersection(*owned)
    assert set.union(*owned) == set(data.engines)
    assert sum(map(len, parts)) == len(data)
    windows = parts[0].windows(30)
    assert windows.inputs.shape[1:] == (30, 8)
    assert set(windows.extras) == set(data.extras)
    np.testing.assert_array_equal(windows.inputs[-1], parts[0].inputs[-30:])


def test_the_catalogue_knows_it() -> None:
    data = dlx.data.load("fleet", machines=3, seed=9)
    np.testing.assert_array_equal(data.inputs, fleet(machines=3, seed=9).inputs)
    assert data.group == "engine"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"machines": 1}, "whole number, 2 or more, not 1"),
        ({"machines": True}, "whole number"),
        ({"noise": -1}, "`noise` scales"),
        ({"faults": ()}, "each once"),
        ({"faults": ("flat tyre",)}, "worn bearing"),
    ],
)
def test_the_fleet_refuses(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        fleet(**wrong)


@pytest.mark.parametrize("shares", [(), (0.5, 0.4), (1.5, -0.5)])
def test_shares_must_make_a_whole(shares: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="sum to 1"):
        by_machine(fleet(machines=4), shares)


def test_too_few_machines_for_the_shares() -> None:
    with pytest.raises(InputError, match="too few"):
        by_machine(fleet(machines=2), (0.5, 0.25, 0.25))
