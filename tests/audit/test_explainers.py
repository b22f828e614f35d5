"""The explainers' exam: sound methods pass in both frameworks, and every planted fault of an explainer fails."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import dlexplain as dlx
from dlexplain.audit.check import CHECKS
from dlexplain.audit.criteria import CRITERIA
from dlexplain.audit.examined import (
    DEFAULTS,
    controls,
    examine,
    examined,
    maps,
    own_choice,
    relied_on,
    trusted,
    trusted_explainers,
)
from dlexplain.audit.preparing import subject
from dlexplain.audit.sections.explainers import explainers
from dlexplain.audit.sections.explainers_reported import METRICS_SHOWN
from dlexplain.audit.setting import setting
from dlexplain.evaluation.explainer import Examinee, of_method
from dlexplain.frameworks import training
from dlexplain.frameworks.questions import Target

TRAINED = ("digits_torch", "digits_keras", "cancer_torch", "cancer_keras")


@pytest.fixture(scope="module")
def subjects(request):
    """Subjects by fixture and methods, made once for all tests of the module."""
    made = {}

    def get(name: str, methods=None):
        key = (name, None if methods is None else tuple(methods))
        if key not in made:
            made[key] = subject(**request.getfixturevalue(name).told(methods=methods))
        return made[key]

    return get


def checked(asked) -> dict[str, str]:
    return {name: CHECKS[name].function(asked).status for name in (*CRITERIA, "usable_explainers")}


def planted(asked, function) -> dict[str, str]:
    """The answers where the audit was asked to rely on this explainer and on a sound method."""
    examinee = Examinee(name="planted", function=function, complete=True)
    both = {"deeplift": examined(asked)["deeplift"], "planted": examine(asked, setting(asked), examinee)}
    kept = {**shared(asked), "examined": both}
    return checked(replace(asked, methods=("deeplift",), explainers={"planted": examinee}, kept=kept))


def shared(asked) -> dict:
    """The exam's setting and controls do not depend on who is examined."""
    examined(asked), controls(asked)
    return {k: v for k, v in asked.kept.items() if k in ("exam setting", "examined controls")}


def sound(asked) -> Examinee:
    return of_method("deeplift", asked.baseline[0])


@pytest.mark.parametrize("name", TRAINED)
def test_the_audits_own_methods_pass_on_a_sound_model(subjects, name):
    asked = subjects(name)
    assert own_choice(asked)
    assert trusted(asked) == DEFAULTS[asked.kind]
    assert set(checked(asked).values()) == {"PASS"}


@pytest.mark.parametrize("name", TRAINED)
def test_the_controls_fail(subjects, name):
    rows = controls(subjects(name))
    assert not any(exam.passed for exam in rows.values())
    assert {"faithfulness_correlation", "completeness"} <= set(rows["random"].failed)
    assert "randomisation" in rows["model-blind"].failed


@pytest.mark.parametrize("name", TRAINED)
def test_the_wrong_target_is_caught(subjects, name):
    asked = subjects(name)
    method, classes = sound(asked), asked.outputs.shape[1]
    found = planted(asked, lambda m, x, t, s: method(m, x, Target((t.index + 1) % classes), s))
    assert found["wrong_target"] == found["faithfulness_correlation"] == found["completeness"] == "FAIL"


@pytest.mark.parametrize("name", TRAINED)
def test_the_flipped_sign_is_caught(subjects, name):
    asked = subjects(name)
    method = sound(asked)
    found = planted(asked, lambda m, x, t, s: tuple(-v for v in method(m, x, t, s)))
    assert found["faithfulness_correlation"] == found["deletion_lift"] == found["completeness"] == "FAIL"


@pytest.mark.parametrize("name", ["digits_torch", "digits_keras"])
def test_a_map_shifted_by_one_pixel_is_caught_though_it_is_complete(subjects, name):
    asked = subjects(name)
    method, axis = sound(asked), 3 if asked.model.layout == "channels_first" else 2
    found = planted(asked, lambda m, x, t, s: tuple(np.roll(v, 1, axis) for v in method(m, x, t, s)))
    assert found["faithfulness_correlation"] == "FAIL"
    assert found["completeness"] == found["repeatability"] == found["randomisation"] == "PASS"


@pytest.mark.parametrize("name", TRAINED)
def test_a_map_of_chance_is_caught(subjects, name):
    asked, rng = subjects(name), np.random.default_rng(0)
    found = planted(asked, lambda m, x, t, s: tuple(rng.standard_normal(a.shape) for a in x))
    assert found["repeatability"] == found["faithfulness_correlation"] == "FAIL"


@pytest.mark.parametrize("name", TRAINED)
def test_a_model_blind_map_is_caught(subjects, name):
    asked = subjects(name)
    found = planted(asked, lambda m, x, t, s: tuple(np.abs(a).astype(np.float64) for a in x))
    assert found["randomisation"] == "FAIL"
    assert found["repeatability"] == found["sensitivity"] == "PASS"


@pytest.mark.parametrize("name", TRAINED)
def test_a_probability_explained_for_its_logit_is_caught_by_completeness(subjects, name):
    asked = subjects(name)
    method = sound(asked)

    def of_the_probability(model, inputs, target, seed):
        return method(dlx.wrap(training.with_softmax(model.raw)), inputs, target, seed)

    found = planted(asked, of_the_probability)
    assert found["completeness"] == "FAIL"
    assert found["repeatability"] == found["randomisation"] == "PASS"


def test_an_asked_method_that_fails_fails_the_audit_and_is_not_trusted(subjects):
    asked = subjects("digits_torch", ("saliency", "deeplift"))
    found = checked(asked)
    assert found["deletion_lift"] == "FAIL"
    assert trusted(asked) == ("deeplift",)
    assert found["usable_explainers"] == "PASS"
    check = CHECKS["deletion_lift"].function(asked)
    assert "saliency" in check.reason
    assert "saliency" in check.advice


def test_a_method_that_cannot_explain_the_model_is_named_and_not_trusted(subjects):
    asked = subjects("cancer_torch", ("gradcam", "deeplift"))
    assert trusted(asked) == ("deeplift",)
    assert examined(asked)["gradcam"].refused
    assert "gradcam could not explain this model" in CHECKS["usable_explainers"].function(asked).reason


@pytest.mark.parametrize("framework", ["torch", "keras"])
def test_a_model_with_dropout_left_on_is_named_before_its_explainers(framework):
    """Not the method's fault, and no other output: the model answers the same sample differently."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((120, 6)).astype(np.float32)
    y = (x[:, 0] + x[:, 1] > 0).astype(int)
    plan = training.Plan(kind="perceptron", dropout=0.4, dropping=True)
    asked = subject(training.build(framework, plan, (6,), 2, seed=0), x, y)
    assert asked.noisy
    for name in ("repeatability", "completeness", "randomisation", "usable_explainers"):
        check = CHECKS[name].function(asked)
        if check.status != "PASS":
            assert check.advice.startswith("Mend the model before its explainers"), name
            assert "a probability instead of its logit" not in check.reason
    check = CHECKS["repeatability"].function(asked)
    assert check.status == "FAIL"
    assert "the model itself answers the same sample differently" in check.reason
    assert not subject(training.build(framework, replace(plan, dropping=False), (6,), 2, seed=0), x, y).noisy


@pytest.mark.parametrize("name", ["digits_torch", "digits_keras"])
def test_a_method_of_its_own_choice_that_fails_is_put_aside_without_blame(subjects, name, monkeypatch):
    from dlexplain.audit import examined as module

    choice = ("deeplift", "saliency")
    monkeypatch.setitem(module.DEFAULTS, "image", choice)
    asked = replace(subjects(name), methods=choice, kept=dict(shared(subjects(name))))
    assert trusted(asked) == ("deeplift",)
    assert set(checked(asked).values()) == {"PASS"}
    assert "Put aside for it: saliency." in CHECKS["deletion_lift"].function(asked).reason


def test_a_given_explainer_that_fails_blames_none_of_the_audits_own_methods(request, subjects):
    trained = request.getfixturevalue("cancer_torch")
    asked = subject(**trained.told(methods={"mine": lambda m, x, t, s: tuple(np.abs(a) for a in x)}))
    assert relied_on(asked) == ("mine",)
    check = CHECKS["faithfulness_correlation"].function(asked)
    assert check.status == "FAIL"
    assert check.advice.startswith("Do not use the maps of mine")
    assert trusted(asked) == DEFAULTS["table"]


def test_where_none_of_its_own_methods_passes_the_audit_says_so(subjects, monkeypatch):
    from dlexplain.audit import examined as module

    monkeypatch.setitem(module.DEFAULTS, "image", ("saliency",))
    asked = replace(subjects("digits_torch"), methods=("saliency",), kept=dict(shared(subjects("digits_torch"))))
    found = checked(asked)
    assert found["usable_explainers"] == found["deletion_lift"] == "FAIL"
    assert "no map is shown" in " ".join(explainers(asked, ()).summary)


def test_a_given_explainer_is_examined_and_its_maps_can_be_had(subjects, request):
    method = sound(subjects("cancer_torch"))
    asked = subject(**request.getfixturevalue("cancer_torch").told(methods={"mine": lambda *given: method(*given)}))
    assert trusted_explainers(asked) == ("mine",)
    part = np.arange(5)
    np.testing.assert_allclose(maps(asked, "mine", part)[0], maps(asked, "deeplift", part)[0], atol=1e-5)


def test_the_table_has_every_method_and_both_controls(subjects):
    part = explainers(subjects("digits_torch"), ())
    table, _ = part.tables
    assert [row[0] for row in table.rows[:-1]] == [*DEFAULTS["image"], "random (control)", "model-blind (control)"]
    assert len(table.columns) == len(CRITERIA) + 2
    assert all(len(row) == len(table.columns) for row in table.rows)


def test_the_metrics_that_never_gate_are_beside_their_controls(subjects):
    _, table = explainers(subjects("digits_torch"), ()).tables
    rows = {row[0]: dict(zip(table.columns[1:], row[1:], strict=True)) for row in table.rows}
    assert list(rows) == [*DEFAULTS["image"], "random (control)", "model-blind (control)", "which way is better"]
    assert list(table.columns[1:]) == [name.replace("_", " ") for name in METRICS_SHOWN]
    assert rows["which way is better"]["road"] == "lower is better"
    for name in DEFAULTS["image"]:
        assert rows[name]["sensitivity n"] > 0.5 > abs(rows["random (control)"]["sensitivity n"])
        assert rows[name]["infidelity"] < rows["random (control)"]["infidelity"]


def test_the_same_seed_gives_the_same_figures(subjects, request):
    again = subject(**request.getfixturevalue("cancer_torch").told())
    assert repr(examined(again)) == repr(examined(subjects("cancer_torch")))


@pytest.mark.parametrize("framework", ["torch", "keras"])
def test_deeplift_is_left_out_of_its_own_choice_for_recurrent_networks_and_that_is_said(framework):
    x = np.random.default_rng(0).standard_normal((40, 6, 2)).astype(np.float32)
    model = training.build(framework, training.Plan(kind="recurrent", width=8, depth=1, channels=8), (6, 2), 2, seed=0)
    asked = subject(model, training.own_layout(framework, x), np.arange(40) % 2)
    assert "deeplift" in asked.methods
    assert set(examined(asked)) == {"integrated_gradients", "feature_ablation"}
    assert any("deeplift was not tried" in limit for limit in explainers(asked, ()).limits)
