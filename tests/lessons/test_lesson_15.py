"""What lesson 15 says of its drivers, held against one run of its teachers' notebook; the road and the seat."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

import dlexplain as dlx
from dlexplain.classroom.lessons.lesson_15 import drawing, seat
from dlexplain.classroom.running import Run
from dlexplain.data.driving import drive
from dlexplain.data.road import HALF_ROAD, PARTS, Cars, Scene, camera, winding_road
from dlexplain.errors import InputError

lessons = pytest.mark.lessons


@pytest.fixture(scope="module")
def run(run_lesson: Callable[..., Run]) -> Run:
    done = run_lesson(15)
    assert not done.faults, done.summary()
    return done


@lessons
def test_perfect_driving_gives_the_smaller_error_and_the_worse_driver(run: Run) -> None:
    off_by, driven = run.value("off_by"), run.value("driven")
    for framework in ("Keras", "Torch"):
        assert off_by[f"{framework}, perfect"] < off_by[f"{framework}, mishaps"] < 1
        assert driven[f"{framework}, mishaps"] > 225
        assert driven[f"{framework}, perfect"] < 190
    assert max(off_by.values()) < 0.4 * run.value("straight_on")
    assert run.value("ended") < 120


@lessons
def test_the_maps_lie_on_the_lines_and_those_of_controls_do_not(run: Run) -> None:
    on = run.value("on_lines")
    trained = [on[name] for name in ("Keras, mishaps", "Torch, mishaps", "Keras, perfect")]
    assert min(trained) > 1.4 * on["control: untrained"]
    assert min(trained) > 2 * on["control: random map"]
    assert min(trained) > 2 * on["no network: edge finder"]
    assert on["Keras, perfect"] > 0.15  # "the bad driver looks at the lines, too"
    looks = run.value("looks")
    assert looks["the lines, and the asphalt between them"] > 0.5
    assert max(looks["the trees"], looks["the sky"]) < 0.2


@lessons
def test_what_ends_a_ride_and_what_does_not(run: Run) -> None:
    for name in ("Keras, mishaps", "Torch, mishaps"):
        still, loops = run.value("still")[name], run.value("loops")[name]
        assert loops["as built"] > 225
        assert loops["no middle line"] > 200
        assert loops["trees moved"] > 225
        assert loops["no lines at all"] < 60
        assert still["no middle line"] > 2 * still["trees moved"]
        assert still["no edge lines"] == max(still.values())  # "jerks more than without any line"
        assert loops["no edge lines"] > 2 * loops["no lines at all"]
        assert still["shadows across"] > 2 * still["trees moved"]


@lessons
def test_the_lamps_give_the_answer_away(run: Run) -> None:
    assert run.value("off_lamps") < 0.7 * run.value("off_by")["Keras, mishaps"]
    assert run.value("driven_lamps") < 80
    on = run.value("on_dashboard")
    assert on["network with lamps"] > 0.25
    assert on["network with lamps"] > 2 * on["no network: edge finder"]
    assert on["network without lamps"] < 0.05


@lessons
def test_captum_from_black_finds_less_on_the_lines(run: Run) -> None:
    black, mean = run.value("captum_shares").values()
    assert black["lines"] < 0.85 * mean["lines"]
    assert mean["lines"] > 0.2


@lessons
def test_the_first_picture_comes_soon_and_the_whole_is_quick(run: Run) -> None:
    lines = [cell.first_line for cell in run.cells]
    first = lines.index("import numpy as np")
    assert sum(cell.cpu_seconds for cell in run.cells[: first + 1]) < 15
    assert run.cpu_seconds < 120
    assert run.peak_memory_bytes < 3e9


# ---- the road, its camera and the car ----


def test_every_pixel_belongs_to_its_parts() -> None:
    view = drive([winding_road(2, metres=30)], keep=True, lamps=True)
    whole = sum(view.parts[part] for part in PARTS if part != "shadow")
    np.testing.assert_allclose(whole, 1, atol=1e-5)
    assert view.pictures.shape == (30, 1, 24, 40, 1)
    assert 0 <= view.pictures.min() <= view.pictures.max() <= 1


def test_in_grey_only_lines_part_road_from_grass() -> None:
    roads = [winding_road(2, metres=30)]
    view = camera(roads, Cars.at(roads, 10, 0, 0), scene=Scene(line=False, edges=False, trees=0))
    ground = view.grey[0, 7:22, :, 0]
    assert np.ptp(ground) < 0.02
    assert np.ptp(view.colour[0, 7:22], axis=(0, 1)).max() > 0.1


def test_each_scene_changes_only_what_it_names() -> None:
    roads = [winding_road(4, metres=60)] * 2
    cars = Cars.at(roads, 20, np.zeros(2), 0)
    for scene, gone in (
        (Scene(line=False), "middle line"),
        (Scene(edges=False), "edge lines"),
        (Scene(trees=0), "tree"),
    ):
        view = camera(roads, cars, scene=[Scene(), scene])
        assert view.parts[gone][0].sum() > 1
        assert view.parts[gone][1].sum() == 0
        changed = np.abs(view.grey[0] - view.grey[1])[..., 0] > 1e-6
        assert not (changed & (view.parts[gone][0] == 0)).any()
    dark = camera(roads, cars, scene=[Scene(), Scene(shadows=True)])
    assert (dark.grey[1] <= dark.grey[0] + 1e-6).all()


def test_a_car_to_the_left_sees_the_line_to_the_right_and_is_steered_back() -> None:
    roads = [winding_road(0, metres=30, sharpest=0)] * 3
    cars = Cars.at(roads, 10, np.array([1.0, 0.0, -1.0]), 0)
    line = camera(roads, cars).parts["middle line"][:, 20]
    columns = (line * np.arange(40)).sum(1) / line.sum(1)
    assert columns[0] > columns[1] + 3 > columns[2] + 6
    np.testing.assert_allclose(cars.on(roads)[0], [1, 0, -1], atol=1e-9)


def test_the_expert_stays_in_the_middle_and_mends_mishaps() -> None:
    roads = [winding_road(k, metres=80) for k in range(4)]
    perfect, kicked = drive(roads), drive(roads, kicks=1.5)
    assert np.abs(perfect.offsets).max() < 0.5
    assert np.abs(kicked.offsets).max() > 0.8
    assert perfect.complete.all()
    assert kicked.complete.all()


def test_a_pilot_that_never_steers_ends_in_the_grass() -> None:
    roads = [winding_road(k, metres=200) for k in range(3)]
    rides = drive(roads, lambda pictures: np.zeros(len(pictures)))
    assert not rides.complete.any()
    for k, metres in enumerate(rides.driven):
        assert abs(rides.offsets[metres, k]) > HALF_ROAD
        assert (np.abs(rides.offsets[:metres, k]) <= HALF_ROAD).all()
    assert not rides.steering.any()
    with pytest.raises(InputError, match="one finite number"):
        drive(roads, lambda pictures: np.zeros(2))


def test_lamps_show_the_experts_wheel_now_and_a_networks_wheel_of_before() -> None:
    roads = [winding_road(1, metres=60)]
    expert = drive(roads, lamps=True, keep=True)
    lit = expert.parts["lamps"][:, 0, 23].sum(1)
    np.testing.assert_allclose(lit, np.abs(expert.steering[:, 0]) * 20 / 8, atol=1e-4)
    turned = drive(roads, lambda pictures: np.full(len(pictures), 2.0), lamps=True, keep=True, metres=3)
    np.testing.assert_allclose(turned.parts["lamps"][:, 0, 23].sum(1), [0, 5, 5], atol=1e-4)


def test_a_way_ends_where_the_drawn_road_ends() -> None:
    road = winding_road(1, metres=200)
    note = drawing.ways_note(
        road, {"far": road.xy, "near": road.xy[:20]}, 40, {"far": False, "near": True}, "Two ways."
    )
    lines = re.findall(r'<polyline points="([^"]+)"[^>]*stroke-dasharray', note.html)
    assert [len(line.split()) for line in lines] == [48, 20]
    assert note.html.count("l12,12") == 1  # one of them ends in the grass


def test_the_catalogue_gives_the_road() -> None:
    data = dlx.data.load("road", rides=2, metres=20)
    assert data.inputs.shape == (40, 24, 40, 1)
    assert data.labels.shape == (40,)
    assert data.extras["mask_middle_line"].shape == (40, 24, 40)
    with pytest.raises(InputError, match="metres"):
        winding_road(0, metres=5)


# ---- the seat ----


@pytest.fixture(scope="module")
def chair() -> seat.DriversSeat:
    worlds = {"as built": Scene(), "no lines": Scene(line=False, edges=False)}
    road = winding_road(0, metres=80)

    def straight(pictures: np.ndarray) -> np.ndarray:
        return np.zeros(len(pictures))

    def left(pictures: np.ndarray) -> np.ndarray:
        return np.full(len(pictures), 4.0)

    def maps(pictures: np.ndarray) -> np.ndarray:
        return pictures[..., 0] - 0.5

    pilots = {"straight": straight, "left": left}
    return seat.DriversSeat({name: seat.films(pilot, maps, road, worlds, metres=60) for name, pilot in pilots.items()})


def test_every_control_of_the_seat_redraws(chair: seat.DriversSeat) -> None:
    for control, value in ((chair.frame, 2), (chair.network, "left"), (chair.world, "no lines"), (chair.player, 1)):
        before = chair.view.value
        control.value = value
        assert chair.view.value != before, control
    assert chair.frame.value == 1
    assert "ends in the grass" in chair.to_html()
    assert 'role="img"' in chair.to_html()
    for step in chair.sweep():
        step()
        assert chair.frame.value in (0, len(chair.film.metre) - 1)


def test_shares_count_sizes_on_the_named_parts() -> None:
    maps = np.array([[[1.0, -3.0], [0.0, 4.0]]])
    parts = {"a": np.array([[[0.0, 1.0], [0.0, 0.0]]]), "b": np.array([[[1.0, 0.0], [0.0, 0.5]]])}
    assert seat.shares(maps, parts, ["a"]) == pytest.approx(3 / 8)
    assert seat.shares(maps, parts, ["a", "b"]) == pytest.approx(6 / 8)


def test_the_tint_tells_left_from_right() -> None:
    shown = drawing.tinted(np.full((1, 3), 0.5), np.array([[1.0, 0.0, -1.0]]), 1.0)
    assert shown[0, 0, 0] > shown[0, 0, 2]  # orange
    assert shown[0, 2, 2] > shown[0, 2, 0]  # blue
    assert np.ptp(shown[0, 1]) == 0
