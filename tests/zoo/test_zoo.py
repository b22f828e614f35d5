"""Every architecture of the zoo: it runs, its gaps close, its twin agrees; and the matrix's judge finds what is wrong."""

from __future__ import annotations

import dataclasses
import warnings
from functools import lru_cache

import numpy as np
import pytest

import dlexplain as dlx
from tests.zoo import matrix, report, twins
from tests.zoo.specimen import load, one_or_all

# Whole networks, marked slow: thousands of kinks on a line leave integrated gradients a gap, of which it must warn.
DEEP = ("ResNet", "MobileNetV2", "EfficientNet", "DenseNet121")
# Functions that jump: no integral of a gradient sees a jump, and the method has to say so.
JUMPS = ("threshold (jumps)", "sparsemax (jumps)")
# A reference at which the network all but divides by zero: shares may be lost in rounding, never silently.
SINGULAR = ("norm on the raw input",)
# Its outputs in single precision differ by more than 1e-4 of themselves between a graph and the layers run one by one.
NOISY = ("keras.applications EfficientNetB0",)
# What rounds apart in twins: exponentials, and norms at zeros, where a convolution's map is even.
ROUGH = {"instance norm CNN": 1e-4, "group norm CNN": 1e-4, "perceptron exponential": 1e-4, "highway": 2e-5}
# Between two token ids there is none at which a piece of the line could begin, so a kink is not closed in on.
COARSE = ("embedding, convolution, max over time",)


def _every():
    for framework in ("torch", "keras"):
        for name in load(framework):
            deep = any(word in name for word in DEEP)
            yield pytest.param(framework, name, id=f"{framework}-{name}", marks=[pytest.mark.slow] if deep else [])


@lru_cache(maxsize=4)
def _specimen(framework, name):
    return load(framework)[name]()


def test_there_are_at_least_forty_of_each():
    assert min(len(load("keras")), len(load("torch"))) >= 40


@pytest.mark.slow
@pytest.mark.parametrize(("framework", "name"), _every())
def test_deeplift_is_exact_on_every_architecture(framework, name):
    specimen = _specimen(framework, name)
    outputs = dlx.wrap(specimen.model).predict(one_or_all(specimen.inputs))
    for output in outputs if isinstance(outputs, tuple) else (outputs,):
        assert np.isfinite(output).all()
        assert output.std() > 0
    found = matrix.cell(specimen, "deeplift")
    allowed = {"exact"} | ({"warned", "refused"} if name in SINGULAR + NOISY else set())
    # Sorting has no rule where the order differs, and says so.
    allowed |= {"refused"} if "sparsemax" in name else set()
    assert found.kind in allowed, found


@pytest.mark.slow
@pytest.mark.parametrize(("framework", "name"), _every())
def test_integrated_gradients_closes_its_gap(framework, name):
    found = matrix.cell(_specimen(framework, name), "integrated_gradients")
    if any(word in name for word in JUMPS):
        assert found.kind == "warned", found
    else:
        coarse = name in COARSE or any(word in name for word in DEEP)
        assert found.kind in (("exact", "converged", "warned") if coarse else ("exact", "converged")), found


# At a singular reference the network all but divides by zero, and twins round apart.
@pytest.mark.slow
@pytest.mark.parametrize(("framework", "name"), [one for one in _every() if one.values[1] not in SINGULAR + NOISY])
def test_twins_have_equal_contributions_or_there_is_none(framework, name):
    specimen = _specimen(framework, name)
    try:
        other, sides = twins.twin(specimen)
    except dlx.UnsupportedModelError:
        with pytest.raises(dlx.UnsupportedModelError, match=r"convert|twin"):
            twins.twin(specimen)
        return
    with warnings.catch_warnings():
        if name in ROUGH:  # and they say so
            warnings.simplefilter("ignore", dlx.GapWarning)
        ours = dlx.explain(specimen.model, one_or_all(specimen.inputs), "deeplift", target=specimen.target)
        theirs = dlx.explain(other.model, one_or_all(other.inputs), "deeplift", target=other.target)
    size = max(float(np.abs(ours.output).max()), float(np.abs(ours.baseline_output).max()))
    pairs = zip(*(v if isinstance(v, tuple) else (v,) for v in (ours.values, theirs.values)), sides, strict=True)
    for here, there, side in pairs:
        there = twins.moved(there, side, framework)
        # A hundred layers of single precision round a few times further apart than one.
        share = 1e-4 if any(word in name for word in DEEP) else ROUGH.get(name, 1e-5)
        np.testing.assert_allclose(there, here, rtol=0, atol=share * max(float(np.abs(here).max()), size))


def test_a_failure_of_shap_leaves_keras_gradients_as_they_were():
    specimen = _specimen("keras", "perceptron gelu")
    assert matrix.cell(specimen, "shap:Deep").kind == "refused"
    assert matrix.cell(_specimen("keras", "perceptron silu"), "saliency").kind == "ok"


def test_the_judge_finds_a_method_that_is_wrong_and_silent():
    specimen = _specimen("torch", "perceptron gelu")

    def planted(*arguments, **given):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            honest = dlx.explain(*arguments, **given)
        return dataclasses.replace(honest, values=1.01 * honest.values)

    found = matrix.cell(specimen, "integrated_gradients", planted)
    assert found.kind == "WRONG"
    assert found.gap == pytest.approx(0.01, rel=0.1)


def test_the_judge_tells_a_warned_gap_an_error_and_a_refusal_apart():
    specimen = _specimen("torch", "perceptron gelu")

    def warned(*arguments, **given):
        honest = dlx.explain(*arguments, **given)
        warnings.warn("over the tolerance", dlx.GapWarning, stacklevel=1)
        return dataclasses.replace(honest, values=2 * honest.values)

    def crashes(*_, **__):
        raise ZeroDivisionError("planted")

    def refuses(*_, **__):
        raise dlx.UnsupportedModelError("planted")

    def infinite(*arguments, **given):
        honest = dlx.explain(*arguments, **given)
        return dataclasses.replace(honest, values=honest.values / 0.0)

    kinds = [matrix.cell(specimen, "integrated_gradients", ask).kind for ask in (warned, crashes, refuses)]
    assert kinds == ["warned", "ERROR", "refused"]
    with np.errstate(divide="ignore"):
        assert matrix.cell(specimen, "saliency", infinite).kind == "WRONG"


def test_refusals_are_excused_only_where_the_method_could_not_apply():
    def refuses(*_, **__):
        raise dlx.UnsupportedModelError("planted")

    assert matrix.cell(_specimen("torch", "perceptron gelu"), "gradcam", refuses).kind == "not applicable"
    assert matrix.cell(_specimen("torch", "CNN, batch norm, max-pool"), "gradcam", refuses).kind == "refused"
    assert matrix.cell(_specimen("torch", "perceptron gelu"), "integrated_gradients", refuses).kind == "refused"


def test_the_report_counts_what_is_wrong():
    cells = [
        matrix.Cell("one", "integrated_gradients", "torch", "WRONG", 0.5).record(),
        matrix.Cell("two", "integrated_gradients", "torch", "exact", 1e-6).record(),
        matrix.Cell("two", "gradcam", "torch", "not applicable").record(),
        matrix.Cell("one", "gradcam", "torch", "refused", reason="planted").record(),
    ]
    text = report.markdown(report.setting(), cells)
    assert "4 cells: 1 silently wrong" in text
    assert "refused 1 of 3 (33.3%)" in text
    assert "| one | WRONG 5e-1 |" in text
    assert "planted (torch one)" in text


def test_the_report_names_the_commit_of_its_cells():
    cells = [matrix.Cell(name, "saliency", "torch", "ok").record() | {"commit": "a1"} for name in ("one", "two")]
    assert "; all cells of commit a1." in report.markdown(report.setting(), cells)
    mixed = [*cells, matrix.Cell("three", "saliency", "torch", "ok").record() | {"commit": "b2 and changes"}]
    assert "; cells of commit a1 (2), b2 and changes (1)." in report.markdown(report.setting(), mixed)
