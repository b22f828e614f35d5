"""Pictures as sums of waves: their slopes against finite differences; units at one place; twins."""

from __future__ import annotations

import numpy as np
import pytest

import dlexplain as dlx
from dlexplain.layers.spectrum import Spectrum
from tests.attribution.conftest import dense_pair, image_pair, random_weights
from tests.networks import BY_NAME


@pytest.mark.parametrize("size", [(6, 8), (7, 5), (8, 7)], ids=str)
@pytest.mark.parametrize("decorrelated", [False, True])
def test_the_slope_to_the_waves_is_what_small_steps_say(size, decorrelated):
    generator = np.random.default_rng(0)
    start = generator.standard_normal((1, *size, 3))
    spectrum = Spectrum((*size, 3), -1.0, 2.0, decorrelated=decorrelated, start=start)
    direction = generator.standard_normal((1, *size, 3))

    def score(waves):
        spectrum.waves = waves
        return float((spectrum.pictures().astype(np.float64) * direction).sum())

    whole = spectrum.waves.copy()
    score(whole)
    slope = spectrum.slope(direction)
    for _ in range(20):
        # A small step that leaves the picture real: any picture's own spectrum.
        step = np.fft.rfft2(generator.standard_normal((1, *size, 3)), axes=(1, 2), norm="ortho")
        told = (np.conj(slope) * step).real.sum()
        seen = (score(whole + 1e-2 * step) - score(whole - 1e-2 * step)) / 2e-2
        assert told == pytest.approx(seen, rel=2e-2, abs=5e-3)


def test_the_waves_start_at_the_picture_given():
    start = np.random.default_rng(1).standard_normal((2, 6, 7, 1))
    spectrum = Spectrum((6, 7, 1), 0.0, 1.0, decorrelated=False, start=start)
    np.testing.assert_allclose(spectrum.pictures(), 1 / (1 + np.exp(-start)), atol=1e-6)


@pytest.mark.parametrize("framework", ["keras", "torch"])
@pytest.mark.parametrize(
    "options", [{"parametrisation": "fourier"}, {"parametrisation": "fourier", "jitter": 1}], ids=str
)
def test_a_picture_of_waves_excites_its_unit_more_than_any_noise(framework, options):
    model, x = image_pair()[framework]
    found = dlx.visualise_feature(model, "late", [0, 3], input_shape=x.shape[1:], seed=1, **options)
    noise = np.random.default_rng(0).random((200, *x.shape[1:]), np.float32)
    reached = dlx.activations(model, noise, "late").units("late").mean(1)
    assert (found.activation > reached[:, [0, 3]].max(0)).all()
    again = dlx.activations(model, found.images, "late").units("late").mean(1)
    np.testing.assert_allclose(found.activation, again[[0, 1], [0, 3]], atol=1e-4)
    assert found.images.min() >= 0
    assert found.images.max() <= 1
    assert found.options["parametrisation"] == "fourier"


@pytest.mark.parametrize("parametrisation", ["pixels", "fourier"])
@pytest.mark.parametrize("place", ["mean", "middle"])
def test_twins_find_the_same_pictures(parametrisation, place):
    found = {}
    for framework in ("keras", "torch"):
        model, x = image_pair()[framework]
        found[framework] = dlx.visualise_feature(
            model, "early", [1, 2], input_shape=x.shape[1:], parametrisation=parametrisation, place=place, steps=24
        )
    np.testing.assert_allclose(found["keras"].pictures(), found["torch"].pictures(), atol=2e-2)
    if parametrisation == "fourier":
        np.testing.assert_allclose(found["keras"].start_activation, found["torch"].start_activation, atol=1e-4)


@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_the_middle_place_alone_is_excited(framework):
    model, x = image_pair()[framework]
    found = dlx.visualise_feature(model, "early", [0, 2], input_shape=x.shape[1:], place="middle")
    maps = dlx.activations(model, found.images, "early").maps("early")
    np.testing.assert_allclose(found.activation, maps[[0, 1], [0, 2], 3, 3], atol=1e-4)
    anywhere = dlx.visualise_feature(model, "early", [0, 2], input_shape=x.shape[1:])
    there = dlx.activations(model, anywhere.images, "early").maps("early")[[0, 1], [0, 2], 3, 3]
    assert (found.activation >= there - 1e-3).all()
    with pytest.raises(dlx.InputError, match="units 0 to 3"):
        dlx.visualise_feature(model, "early", 4, input_shape=x.shape[1:], place="middle")


def test_requests_that_cannot_be_met_are_refused_in_words():
    dense = dense_pair(random_weights((6, 10, 3)))["torch"]
    with pytest.raises(dlx.InputError, match="not pictures"):
        dlx.visualise_feature(dense, "0", input_shape=(6,), parametrisation="fourier")
    network = BY_NAME["torch-convolution"]
    for options, message in (
        ({"parametrisation": "wavelets"}, "'pixels', 'fourier'"),
        ({"place": "corner"}, "'mean', 'middle'"),
        ({"parametrisation": "fourier", "jitter": -1}, "jitter"),
        ({"parametrisation": "fourier", "decorrelated": True}, "three colours"),
    ):
        with pytest.raises(dlx.InputError, match=message):
            dlx.visualise_feature(network.make(), "0", input_shape=network.shapes[0], **options)
