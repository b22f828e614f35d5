"""A whole audit of every style of network: no check ends with an error of ours, and nothing goes missing."""

from __future__ import annotations

import json

import jsonschema
import numpy as np
import pytest

import dlexplain as dlx
from dlexplain.audit.check import CHECKS, SECTIONS
from dlexplain.audit.report import as_json
from dlexplain.errors import UnsupportedModelError
from tests.networks import NETWORKS, one_or_all

REGRESSIONS = ("residual", "series")


@pytest.mark.slow
@pytest.mark.parametrize("network", [n for n in NETWORKS if n.name != "two outputs"], ids=str)
def test_every_style_of_network_has_a_whole_record(network):
    inputs = network.inputs(48)
    rng = np.random.default_rng(0)
    labels = rng.standard_normal(48) if network.name in REGRESSIONS else rng.integers(0, 2, 48)
    record = dlx.audit(network.make(), one_or_all(inputs), labels, columns={"site": np.array(["x", "y"] * 24)})
    assert [part.number for part in record.parts] == sorted(SECTIONS)
    assert set(CHECKS) <= {c.name for c in record.checks}
    broken = [(c.name, c.reason) for c in record.checks if "ended with an error" in c.reason]
    untold = [
        part.summary
        for part in record.parts
        if any(line.startswith("This section could not be told") for line in part.summary)
    ]
    assert not broken
    assert not untold
    jsonschema.Draft202012Validator(as_json.schema()).validate(json.loads(as_json.write(record)))


@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_a_model_of_two_outputs_is_refused(framework):
    network = next(n for n in NETWORKS if n.name == "two outputs" and n.framework == framework)
    with pytest.raises(UnsupportedModelError, match="has 2 outputs"):
        dlx.audit(network.make(), network.inputs(8)[0], np.zeros(8))
