"""The playground without a browser: what it trains, draws, records, and how it answers to its controls."""

from __future__ import annotations

import json
import re
from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

import dlexplain as dlx
from dlexplain.widgets import Playground
from dlexplain.widgets.playground_film import COARSE, FINE, MOST_ROUNDS, Film, Points

BENDS = {"tanh": nn.Tanh, "relu": nn.ReLU, "sigmoid": nn.Sigmoid, "none": nn.Identity}


def maker(layers: int, units: int, activation: str, seed: int):
    torch.manual_seed(seed)
    steps, width = OrderedDict(), 2
    for k in range(1, layers + 1):
        steps[f"sum{k}"], steps[f"hidden{k}"] = nn.Linear(width, units), BENDS[activation]()
        width = units
    net = nn.Sequential(OrderedDict(**steps, score=nn.Linear(width, 1)))
    optimizer = torch.optim.Adam(net.parameters())

    def one_round(points: np.ndarray, labels: np.ndarray, rate: float) -> float:
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        goal = torch.tensor(labels, dtype=torch.float32)
        loss = nn.functional.binary_cross_entropy_with_logits(net(torch.tensor(points))[:, 0], goal)
        loss.backward()
        optimizer.step()
        return loss.item()

    return net, one_round


@pytest.fixture
def playground() -> Playground:
    return Playground({"First": maker, "Second": maker}, most_layers=2, most_units=5, units=5)


def values(cells: bytes) -> np.ndarray:
    """What the front end reads."""
    raw = np.frombuffer(cells, np.uint8).astype(float) - 128
    return raw * np.abs(raw) / 127**2


def test_training_lowers_the_loss_and_moves_the_border(playground) -> None:
    before = playground.scene
    playground.rate = 0.1
    playground.advance(150)
    after = playground.scene
    assert playground.errors == []
    assert after["rounds"] == playground.rounds == 150
    assert after["losses"][-1][1] < 0.5 * before["losses"][-1][1]
    assert after["border"] != before["border"]
    assert min(playground.accuracy) > 0.9
    assert f"{100 * playground.accuracy[1]:.0f} % of those held back" in after["summary"]


def test_the_border_is_the_model_s_own(playground) -> None:
    playground.advance(30)
    points = Points.of(dlx.data.two_moons(samples=400, noise=0.1, seed=0), False)
    grid = points.grid(FINE)
    with torch.no_grad():
        score = playground.model(torch.tensor(grid))[:, 0].numpy()
    drawn = values(playground.scene["border"])
    np.testing.assert_allclose(drawn, np.tanh(score / 2), atol=0.02)
    far = np.abs(score) > 1e-3
    assert (np.sign(drawn) == np.sign(score))[far].all()
    # Row by row from the upper left.
    assert grid[0, 0] < grid[1, 0]
    assert grid[0, 1] > grid[-1, 1]


def test_the_losses_are_those_of_the_points(playground) -> None:
    points = Points.of(dlx.data.two_moons(samples=400, noise=0.1, seed=0), False)
    for column, part in ((1, points.seen), (2, points.held)):
        with torch.no_grad():
            score = playground.model(torch.tensor(part.inputs))[:, 0]
            wanted = nn.functional.binary_cross_entropy_with_logits(score, torch.tensor(part.labels).float())
        assert playground.scene["losses"][0][column] == pytest.approx(wanted.item(), rel=1e-4)


@pytest.mark.parametrize("activation", BENDS)
def test_each_hidden_unit_is_drawn_after_its_activation(playground, activation) -> None:
    playground.activation = activation
    playground.layers = 2
    hidden = playground.scene["hidden"]
    assert [layer["count"] for layer in hidden] == [5, 5]
    grid = torch.tensor(Points.of(dlx.data.two_moons(samples=400, noise=0.1, seed=0), False).grid(COARSE))
    with torch.no_grad():
        first = playground.model[:2](grid).numpy().T
    drawn = values(hidden[0]["cells"]).reshape(5, -1)
    most = np.abs(first).max(axis=1, keepdims=True)
    np.testing.assert_allclose(drawn, first / np.where(most > 0, most, 1), atol=0.02)


def test_without_a_hidden_layer_there_is_no_unit_to_draw(playground) -> None:
    playground.layers = 0
    assert playground.scene["hidden"] == []
    playground.advance(5)
    assert playground.errors == []


def test_building_anew_starts_anew_and_the_rate_does_not(playground) -> None:
    playground.advance(20)
    playground.rate = 0.2
    assert playground.rounds == 20
    for trait, value in (("units", 3), ("layers", 2), ("noise", 0.3), ("activation", "relu"), ("data", "spirals"),
                         ("framework", "Second"), ("shuffled", True)):  # fmt: skip
        playground.advance(1)
        setattr(playground, trait, value)
        assert playground.rounds == 0, trait


def test_the_front_end_asks_by_counting_up(playground) -> None:
    playground.pace = 7
    playground.asked += 1
    assert playground.rounds == 7
    assert playground.scene["choice"]["asked"] == playground.asked
    weights = playground.model[0].weight.detach().clone()
    playground.restarts += 1
    assert playground.rounds == 0
    assert not torch.equal(weights, playground.model[0].weight)
    playground.reset()
    assert playground.restarts == 2


def test_shuffled_colours_keep_their_places(playground) -> None:
    data = dlx.data.two_moons(samples=400, noise=0.1, seed=0)
    plain, shuffled = Points.of(data, False), Points.of(data, True)
    assert (plain.seen.labels == shuffled.seen.labels).mean() < 0.7 or len(plain.seen) != len(shuffled.seen)
    every = [np.sort(np.concatenate([p.seen.inputs, p.held.inputs]), axis=0) for p in (plain, shuffled)]
    np.testing.assert_array_equal(*every)
    playground.shuffled = True
    playground.advance(100)
    assert playground.accuracy[1] < 0.65


def test_numbers_that_run_away_are_told_and_not_drawn() -> None:
    film = Film(Points.of(dlx.data.two_moons(samples=40, seed=0), False), maker(1, 3, "relu", 0))
    assert film.train(0, 0.1).scene()["hidden"]
    with torch.no_grad():
        film.raw.score.weight.fill_(float("nan"))
    scene = film.train(1, 0.1).scene()
    assert "run away" in scene["summary"]
    assert scene["hidden"] == []
    assert None in scene["losses"][-1]


def test_training_ends_at_the_limit() -> None:
    rounds = []
    film = Film(
        Points.of(dlx.data.two_moons(samples=40, seed=0), False),
        (maker(0, 1, "none", 0)[0], lambda *_: rounds.append(1)),
    )
    film.train(MOST_ROUNDS + 50, 0.1)
    assert film.rounds == len(rounds) == MOST_ROUNDS


def test_what_does_not_fit_is_told(playground) -> None:
    with pytest.raises(dlx.InputError, match="dict is empty"):
        Playground({})
    with pytest.raises(dlx.InputError, match="at most 4 and 8"):
        Playground({"a": maker}, layers=5)
    playground.layers = 9
    assert "at most 2 of 5" in playground.error
    playground.layers = 1
    assert playground.error == ""
    playground.data = "stars"
    assert "'stars' is not here: two moons, spirals" in playground.error
    bare = Playground({"a": lambda **_: (nn.Sequential(nn.Tanh()), None)})
    assert "networks of dense layers" in bare.error
    two = Playground({"a": lambda **_: (nn.Sequential(nn.Linear(2, 2)), None)})
    assert "end in one score" in two.error
    three = dlx.data.spirals(samples=60, arms=3)
    with pytest.raises(dlx.InputError, match="classes 0 and 1"):
        Points.of(three, False)


def test_a_sweep_works_every_control_and_puts_them_back(playground) -> None:
    names = ("data", "framework", "layers", "units", "activation", "noise", "rate", "shuffled", "pace")
    before = {name: getattr(playground, name) for name in names}
    touched = set()
    playground.observe(lambda change: touched.add(change["name"]), names=[*names, "asked", "restarts"])
    for step in playground.sweep():
        step()
    assert touched == {*names, "asked", "restarts"}
    assert {name: getattr(playground, name) for name in names} == before


def test_the_page_holds_films_and_the_twin_is_small(playground) -> None:
    text = playground.to_html()
    record = json.loads(re.search(r'id="record">(.*?)</script>', text, re.DOTALL)[1])
    films = record["state"]["menu"]["films"]
    assert [film["label"] for film in films] == ["1 × 5 units, tanh", "no hidden layer", "2 × 5 units, tanh"]
    rounds = [scene["rounds"] for scene in films[0]["scenes"]]
    assert rounds == sorted(rounds)
    assert rounds[0] == 0
    assert films[0]["scenes"][-1]["losses"][-1][1] < films[0]["scenes"][0]["losses"][-1][1]
    assert playground.rounds == 0, "recording leaves the live network alone"
    data, _ = playground._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert len(data["text/html"]) < 300_000
    assert playground.errors == []
    with pytest.raises(dlx.InputError, match="unknown option"):
        playground.to_html(frames=3)
