"""What an Attribution carries: enough to make it again, to judge it, to keep it."""

from __future__ import annotations

import io
import pickle
import zipfile

import numpy as np
import pytest

import dlexplain as dlx
from dlexplain.attribution.registry import METHODS
from tests.attribution.conftest import dense_pair, random_weights
from tests.networks import BY_NAME, NETWORKS, one_or_all


def test_it_holds_all_that_is_needed_to_make_it_again(pictures, framework):
    model, x = pictures[framework]
    asked = dlx.wrap(model, class_names=["a", "b", "c"])
    found = dlx.explain(asked, x, "smoothgrad", target="b", samples=5, seed=3)
    again = dlx.explain(model, found.inputs, found.method, target=found.target, seed=found.seed, **found.options)
    np.testing.assert_array_equal(again.values, found.values)
    assert found.fingerprint == asked.fingerprint
    assert found.framework == framework
    assert found.target_label(0) == "b"
    np.testing.assert_allclose(found.output, asked.predict(x)[:, 1], atol=1e-6)


def test_it_cannot_be_changed(pictures, framework):
    model, x = pictures[framework]
    found = dlx.explain(model, x)
    for array in (found.values, found.inputs, found.output, found.gap):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(AttributeError):
        found.seed = 1
    x[0] = x[0]  # the user's own array stays writable


@pytest.mark.parametrize(
    "name", ["keras-convolution", "torch-two inputs", "torch-recurrent tokens", "keras-two outputs"]
)
def test_saved_loaded_and_pickled_it_is_the_same(name, tmp_path):
    network = BY_NAME[name]
    found = dlx.explain(network.make(), one_or_all(network.inputs()), target=(0, 1) if "outputs" in name else None)
    with zipfile.ZipFile(found.save(tmp_path / "kept.dlx")) as archive:
        assert all(name.endswith(".npy") or name == "attribution.json" for name in archive.namelist())
        for name in archive.namelist():
            if name.endswith(".npy"):
                assert np.load(io.BytesIO(archive.read(name)), allow_pickle=False).dtype.kind != "O"
    for other in (dlx.Attribution.load(tmp_path / "kept.dlx"), pickle.loads(pickle.dumps(found))):
        assert repr(other) == repr(found)
        assert other.kind == found.kind
        for field in ("values", "inputs", "target", "output", "gap", "baseline"):
            one, two = getattr(found, field), getattr(other, field)
            for a, b in zip(*(v if isinstance(v, tuple) else (v,) for v in (one, two)), strict=True):
                np.testing.assert_array_equal(a, b)


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "other.dlx"
    path.write_bytes(b"no archive")
    with pytest.raises(dlx.InputError, match=r"not a file written by Attribution\.save"):
        dlx.Attribution.load(path)
    np.savez(tmp_path / "other.npz", a=np.array([{}], dtype=object))
    with pytest.raises(dlx.InputError, match="not a file written"):
        dlx.Attribution.load(tmp_path / "other.npz")


def test_too_few_steps_are_warned_of_in_words_and_kept():
    model = dense_pair(random_weights((4, 16, 3), 1))["torch"]
    x = 3 * np.random.default_rng(0).standard_normal((6, 4))
    with pytest.warns(dlx.GapWarning, match="Used steps=1: give more"):
        found = dlx.explain(model, x, steps=1)
    assert "gap" in found.warnings[0]
    assert "WARNING" in repr(found)
    assert found.relative_gap.max() > found.tolerance == 1e-3
    total = found.values.sum(1)
    np.testing.assert_allclose(found.gap, np.abs(total - (found.output - found.baseline_output)), atol=1e-5)


def test_a_map_without_channels_comes_back_from_heatmap(pictures, framework):
    model, x = pictures[framework]
    found = dlx.explain(model, x, "occlusion", window=2)
    axis = -1 if framework == "keras" else 1
    parts = np.split(found.values, 2, axis)
    np.testing.assert_array_equal(parts[0], parts[1])
    np.testing.assert_allclose(found.heatmap(), 2 * parts[0].squeeze(axis), atol=1e-6)
    assert found.heatmap("abs_max").shape == found.heatmap("l2").shape == (4, 8, 8)
    with pytest.raises(dlx.InputError, match="abs_max"):
        found.heatmap("mean")


def test_one_sample_taken_out_is_that_sample_explained_alone(pictures, framework):
    model, x = pictures[framework]
    found = dlx.explain(model, x, "smoothgrad", samples=4)
    for part in (found[2], found[2:3]):
        alone = dlx.explain(model, x[2:3], "smoothgrad", samples=4)
        np.testing.assert_allclose(part.values, alone.values, atol=1e-6)
        assert part.target == alone.target


def test_to_shap_is_plottable(framework):
    model = dlx.wrap(dense_pair(random_weights((4, 6, 3)))[framework], feature_names=list("abcd"))
    x = np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32)
    explanation = dlx.explain(model, x, target=1).to_shap()
    assert explanation.feature_names == list("abcd")
    np.testing.assert_allclose(
        explanation.values.sum(1) + explanation.base_values, dlx.wrap(model).predict(x)[:, 1], atol=1e-2
    )


# Why a method, or all of a family, may decline a network of the twenty.
REFUSALS = {
    "activation map": ("maps over the table", "several inputs", "token ids cannot be shown in part"),
    "modified gradient": ("o ReLU", "maps over the table", "several inputs"),
    "region": ("regions are cut from one picture",),
    "blur_integrated_gradients": ("neighbours in tokens", "neighbours in table"),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_every_method_on_every_network_answers_or_refuses(network, method):
    model, inputs = network.make(), one_or_all(network.inputs(2))
    target = (0, 1) if "two outputs" in str(network) else 0
    options = {"samples": 4} if "grad" in method and method[0] in "sv" else {}
    try:
        found = dlx.explain(model, inputs, method, target=target, **options)
    except dlx.UnsupportedModelError as error:
        refused = str(error)
    else:
        refused = ""
    if refused:
        reasons = REFUSALS.get(method, REFUSALS.get(METHODS[method].family, ()))
        assert any(reason in refused for reason in reasons), refused
        assert any(name in refused for name in METHODS), "the refusal names no method that works"
        return
    values = found.values if isinstance(found.values, tuple) else (found.values,)
    assert [v.shape for v in values] == [a.shape for a in network.inputs(2)]
    assert all(v.dtype == np.float32 and np.isfinite(v).all() for v in values)
    assert (found.relative_gap is not None) == METHODS[method].complete
    if found.relative_gap is not None:
        assert found.relative_gap.max() <= found.tolerance


@pytest.mark.parametrize("method", METHODS)
def test_twins_agree_and_the_same_seed_gives_the_same_values(pictures, method):
    (km, kx), (tm, tx) = pictures["keras"], pictures["torch"]
    one, two = dlx.explain(km, kx, method, target=1, seed=5), dlx.explain(tm, tx, method, target=1, seed=5)
    a, b = one.values, np.moveaxis(two.values, 1, -1)
    # On a path a rounded point can fall on the other side of a kink (methods.md, "Parity and rounding").
    assert np.abs(a - b).max() <= (1e-2 if one.tolerance else 1e-5) * np.abs(a).max()
    assert np.linalg.norm(a - b) <= (1e-3 if one.tolerance else 1e-5) * np.linalg.norm(a)
    np.testing.assert_array_equal(dlx.explain(tm, tx, method, target=1, seed=5).values, two.values)
    if method in ("smoothgrad", "vargrad"):
        assert not np.array_equal(dlx.explain(tm, tx, method, target=1, seed=6).values, two.values)


@pytest.mark.parametrize("method", ["integrated_gradients", "smoothgrad", "occlusion", "expected_gradients", "gradcam"])
def test_the_batch_size_changes_nothing(pictures, framework, method):
    model, x = pictures[framework]
    whole = dlx.explain(model, x, method, target=0).values
    np.testing.assert_allclose(dlx.explain(model, x, method, target=0, batch_size=3).values, whole, atol=1e-5)


def test_the_table_of_methods_says_what_each_answers():
    table = dlx.methods()
    assert set(METHODS) <= set(table.index)
    assert "shap:Kernel" in table.index
    assert (table[["answers", "cost", "cannot", "paper"]].map(len) > 0).all().all()


def test_comparison_of_methods_and_of_twins(pictures):
    (km, kx), (tm, _) = pictures["keras"], pictures["torch"]
    methods = dlx.compare(km, kx, methods=["saliency", "integrated_gradients", "occlusion"], target=0)
    assert len(methods.table) == 3
    assert methods.table.rank_correlation.between(-1, 1).all()
    twins = dlx.compare([km, tm], kx, method="occlusion", target=0)
    assert list(twins.attributions) == ["keras", "torch"]
    assert twins.table.rank_correlation[0] > 0.999
    with pytest.raises(dlx.InputError, match="methods"):
        dlx.compare(km, kx, methods="saliency")
    with pytest.raises(dlx.InputError, match="list of models"):
        dlx.compare(km, kx)
