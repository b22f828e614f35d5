"""Captum's layer attributions through our call are what Captum gives, judged by their gap."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum import attr

import dlexplain as dlx

LAYERS = {
    "LayerActivation": {},
    "LayerGradientXActivation": {},
    "LayerConductance": {"n_steps": 40},
    "LayerIntegratedGradients": {"n_steps": 40},
    "LayerDeepLift": {},
    "InternalInfluence": {"n_steps": 40},
}


@pytest.mark.parametrize("name", LAYERS)
def test_values_are_captums_own(pictures, name):
    model, x = pictures["torch"]
    given = {"steps" if k == "n_steps" else k: v for k, v in LAYERS[name].items()}
    found = dlx.layer_attribution(model, x, "late", f"captum:{name}", target=1, **given)
    tensor = torch.tensor(x, requires_grad=True)
    call = {} if name == "LayerActivation" else {"target": 1}
    direct = getattr(attr, name)(model, model.late).attribute(tensor, **call, **LAYERS[name])
    direct = direct[0] if isinstance(direct, tuple) else direct
    np.testing.assert_allclose(found.values, direct.detach().numpy(), atol=1e-5)
    if found.relative_gap is not None:
        assert found.relative_gap.max() <= found.tolerance


def test_captums_wrong_values_are_told_by_their_gap():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.GELU(), torch.nn.Linear(6, 6), torch.nn.GELU())
    x = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    with pytest.warns(dlx.GapWarning, match=r"captum:LayerDeepLift at '0'"):
        dlx.layer_attribution(model, x, "0", "captum:LayerDeepLift", target=1)
    assert dlx.layer_attribution(model, x, "0", "deeplift", target=1).relative_gap.max() < 1e-4


def test_what_captum_cannot_do_is_refused_with_what_works(pictures):
    model, x = pictures["torch"]
    with pytest.raises(dlx.InputError, match="LayerConductance"):
        dlx.layer_attribution(model, x, "late", "captum:LayerConductanse")
    with pytest.raises(dlx.InputError, match="layer_attribution"):
        dlx.explain(model, x, "captum:LayerConductance")
    with pytest.raises(dlx.UnsupportedModelError, match=r"dlx\.convert"):
        dlx.layer_attribution(pictures["keras"][0], pictures["keras"][1], "late", "captum:LayerConductance")
    with pytest.raises(dlx.InputError, match=r"unknown option 'stepps'.*steps"):
        dlx.layer_attribution(model, x, "late", "captum:LayerConductance", stepps=3)
