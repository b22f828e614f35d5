"""One look in light and dark that every reader can read."""

from __future__ import annotations

import numpy as np
import pytest

from dlexplain import figures
from dlexplain.errors import InputError
from dlexplain.figures.theme import (
    CATEGORIES,
    DARK,
    LIGHT,
    WARNING_PAPER,
    WARNING_TEXT,
    diverging,
    rgb,
    theme,
)

PALETTES = {"light": LIGHT, "dark": DARK}

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
SEEN = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
    "all colours": np.eye(3),
}


def linear(colour: str) -> np.ndarray:
    part = np.array(rgb(colour)) / 255
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)


def contrast(a: str, b: str) -> float:
    """WCAG 2.2."""
    bright, dim = sorted((float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (a, b)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def lab(light: np.ndarray) -> np.ndarray:
    """CIELAB of linear RGB, D65."""
    xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]] @ light.clip(0, 1)
    part = xyz / [0.9505, 1.0, 1.089]
    f = np.where(part > (6 / 29) ** 3, np.cbrt(part), part / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def apart(a: str, b: str, vision: str) -> float:
    """Delta E 1976 of two colours as a kind of vision sees them."""
    return float(np.linalg.norm(np.subtract(*(lab(np.array(SEEN[vision]) @ linear(c)) for c in (a, b)))))


def test_the_simulation_takes_red_and_green_for_alike():
    assert apart("#a05000", "#607000", "deuteranopia") < 0.5 * apart("#a05000", "#607000", "all colours")


@pytest.mark.parametrize("vision", SEEN)
@pytest.mark.parametrize("name", PALETTES)
def test_the_ends_of_the_signed_scale_stay_apart(name, vision):
    palette = PALETTES[name]
    assert apart(palette.negative, palette.positive, vision) > 40
    for end in (palette.negative, palette.positive):
        assert apart(end, palette.paper, vision) > 35


@pytest.mark.parametrize("name", PALETTES)
def test_text_is_readable_on_paper_and_on_both_ends(name):
    palette = PALETTES[name]
    for text in (palette.text, palette.quiet):
        assert contrast(text, palette.paper) >= 4.5
    for end in (palette.negative, palette.positive):
        assert contrast(palette.text, end) >= 4.5
        assert contrast(end, palette.paper) >= 3
    assert contrast(WARNING_TEXT, WARNING_PAPER) >= 4.5


def test_categories_stay_apart_for_every_kind_of_vision():
    first = CATEGORIES[:4]
    for vision in SEEN:
        for i, a in enumerate(first):
            for b in first[i + 1 :]:
                assert apart(a, b, vision) > 12, (vision, a, b)


def test_the_signed_scale_is_clear_in_the_middle():
    scale = diverging(LIGHT)
    assert [stop for stop, _ in scale] == [0, 0.5, 0.5, 1]
    assert all(colour.endswith(",0)") for stop, colour in scale if stop == 0.5)


def test_the_template_alone_turns_a_figure_dark(each_kind):
    light = figures.attribution(each_kind["last"], sample=0, theme="light")
    dark = figures.attribution(each_kind["last"], sample=0, theme="dark")
    light.update_layout(template=theme("dark"))
    a, b = (figure.to_plotly_json() for figure in (light, dark))
    a["layout"].pop("meta"), b["layout"].pop("meta")
    assert repr(a) == repr(b)


def test_a_theme_that_is_not_there_is_refused(each_kind):
    with pytest.raises(InputError, match="'light', 'dark', 'auto'"):
        figures.attribution(each_kind["last"], theme="sepia")


def test_the_users_templates_and_renderers_stay_as_they_are():
    import plotly.io as pio

    before = (pio.templates.default, pio.renderers.default, tuple(pio.templates))
    figures.bars([1.0, 2.0], ["a", "b"])
    assert (pio.templates.default, pio.renderers.default, tuple(pio.templates)) == before
