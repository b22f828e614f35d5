"""The figure of an evaluation, from results made by hand: the numbers drawn are the numbers found."""

from __future__ import annotations

import numpy as np
import pytest

from dlexplain import figures
from dlexplain.errors import InputError
from dlexplain.evaluation.metric import Metric
from dlexplain.evaluation.result import Evaluation


def facts(name: str, better: str | None) -> Metric:
    return Metric(
        name=name,
        function=len,
        family="faithfulness",
        answers="?",
        better=better,
        best=None,
        cost="",
        cannot="",
        paper="",
    )


def made(n: int = 30, controls: bool = True, **changes) -> Evaluation:
    rng = np.random.default_rng(0)
    rows, known = ("<b>true</b> $x$", "poor"), ("random", "model-blind")
    means = {"<b>true</b> $x$": (0.1, 0.9), "poor": (0.52, 0.48), "random": (0.5, 0.5), "model-blind": (0.55, 0.45)}
    scores = {
        (row, metric): means[row][i] + 0.05 * rng.standard_normal(n)
        for row in (*rows, *(known if controls else ()))
        for i, metric in enumerate(("deletion", "road"))
    }
    held = {
        "rows": rows,
        "controls": known if controls else (),
        "scores": scores,
        "metrics": {"deletion": facts("deletion", "lower"), "road": facts("road", "higher")},
        "options": {},
        "left_out": {"pointing_game": "needs where the evidence is"},
        "seed": 0,
        "target": np.zeros(n, int),
        "framework": "torch",
    }
    return Evaluation(**{**held, **changes})


def markers(figure, panel: int):
    """The two traces of dots of a panel: explanations, then controls."""
    axis = "x" if panel == 0 else f"x{panel + 1}"
    return [t for t in figure.data if t.mode == "markers" and t.xaxis == axis]


def test_the_dots_are_the_means_and_the_lines_the_intervals():
    result = made()
    figure = result.plot()
    table, intervals = result.table, result.intervals()
    for panel, metric in enumerate(result.metrics):
        explained, controls = markers(figure, panel)
        np.testing.assert_allclose(explained.x, table[metric].iloc[:2])
        np.testing.assert_allclose(controls.x, table[metric].iloc[2:])
        np.testing.assert_allclose(np.array(explained.x) + explained.error_x.array, intervals[metric, "high"].iloc[:2])
        np.testing.assert_allclose(
            np.array(controls.x) - controls.error_x.arrayminus, intervals[metric, "low"].iloc[2:]
        )
        lines = [t for t in figure.data if t.mode == "lines" and t.xaxis == explained.xaxis]
        assert [t.x[0] for t in lines] == list(controls.x)


def test_only_what_is_surely_better_than_both_controls_is_filled():
    explained, controls = markers(made().plot(), 0)
    assert list(explained.marker.symbol) == ["circle", "circle-open"]
    assert set(controls.marker.symbol) == {"diamond"}
    flipped = made(metrics={"deletion": facts("deletion", "higher"), "road": facts("road", None)}).plot()
    assert list(markers(flipped, 0)[0].marker.symbol) == ["circle-open", "circle-open"]
    assert list(markers(flipped, 1)[0].marker.symbol) == ["circle-open", "circle-open"]


def test_it_says_in_words_what_it_shows():
    figure = made().plot()
    panels = [a.text for a in figure.layout.annotations if a.name == "panel"]
    assert panels == ["<b>Deletion</b><br>← lower is better", "<b>ROAD</b><br>higher is better →"]
    assert "Surely better than both controls: <b>true</b> $x$." in figure.alt
    blind = made().table.loc["model-blind", "deletion"]
    assert f"model-blind {blind:.3g}" in figure.alt
    assert "Left out, for some rows or all, for want of what they need: Pointing game." in figure.alt
    assert "30 samples, torch" in figure.alt


def test_a_long_name_is_broken_to_fit_its_panel():
    name = "faithfulness_correlation"
    scores = {(row, name): v for (row, metric), v in made().scores.items() if metric == "road"}
    wide = made(scores=scores, metrics={name: facts(name, "higher")})
    assert wide.plot().layout.annotations[0].text.startswith("<b>Faithfulness correlation</b><br>higher")
    many = {m: facts(m, "higher") for m in (name, "a", "b")}
    three = made(scores={(r, m): v for (r, _), v in scores.items() for m in many}, metrics=many)
    assert three.plot().layout.annotations[0].text.startswith("<b>Faithfulness</b><br><b>correlation</b><br>higher")


def test_labels_are_shown_literally():
    figure = made().plot()
    assert figure.layout.yaxis.ticktext[0] == "&lt;b&gt;true&lt;/b&gt; &#36;x&#36;"
    assert "<b>true" not in figure.data[-2].customdata[0]
    assert figure.layout.yaxis2.showticklabels is False


def test_what_has_no_score_says_so():
    result = made()
    empty = {**result.scores, ("poor", "deletion"): np.full(30, np.nan)}
    figure = made(scores=empty).plot()
    assert len(markers(figure, 0)[0].x) == 1
    (text,) = (t for t in figure.data if t.mode == "text")
    assert (text.text[0], text.y[0]) == ("no score", 1)
    nothing = {key: np.full(30, np.nan) for key in result.scores}
    assert all(np.isfinite(a.range).all() for a in made(scores=nothing).plot().select_xaxes())


def test_one_sample_has_no_interval_and_no_winner():
    figure = made(n=1).plot()
    explained, _ = markers(figure, 0)
    assert set(explained.marker.symbol) == {"circle-open"}
    assert np.all(np.array(explained.error_x.array) == 0)
    assert "1 sample, torch" in figure.alt
    assert "interval" not in figure.alt


def test_without_controls_nothing_is_called_better():
    figure = made(controls=False).plot()
    assert set(markers(figure, 0)[0].marker.symbol) == {"circle-open"}
    assert "diamonds" not in figure.alt


def test_metrics_may_be_chosen_and_panels_laid_out():
    figure = figures.evaluation(made(), metrics=["road"])
    assert [a.text.split("<br>")[0] for a in figure.layout.annotations if a.name == "panel"] == ["<b>ROAD</b>"]
    tall = made().plot(columns=1)
    assert tall.layout.height > made().plot().layout.height
    with pytest.raises(InputError, match="Did you mean 'road'"):
        figures.evaluation(made(), metrics=["roads"])
    with pytest.raises(InputError, match="no metric"):
        figures.evaluation(made(), metrics=[])


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
def test_every_theme_draws(theme):
    figure = made().plot(theme=theme)
    assert figure.layout.template.layout.paper_bgcolor == ("#16181d" if theme == "dark" else "#ffffff")
    assert len(markers(figure, 1)) == 2
