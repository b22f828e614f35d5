"""Attention weights against the layers' own, their gradients against the algebra, and what follows from both."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from torch import nn

import dlexplain as dlx
from tests.layers.transformers import IDS, Decoder, Encoder, Fused, Spelled, keras_encoder
from tests.networks import BY_NAME


def softmax(scores):
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def test_weights_are_the_torch_modules_own():
    model = Encoder().eval()
    ids = IDS.copy()
    ids[0, 4:] = 0
    found = dlx.attention(model, ids)
    assert found.layers == ("encoder.layers.0.self_attn", "encoder.layers.1.self_attn")
    x, padded = model.words(torch.tensor(ids)), torch.tensor(ids == 0)
    _, own = model.encoder.layers[0].self_attn(x, x, x, key_padding_mask=padded, average_attn_weights=False)
    np.testing.assert_allclose(found.maps[found.layers[0]], own.detach(), atol=1e-6)
    assert (found.maps[found.layers[1]][0, :, :, 4:] == 0).all()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"kdim": 5, "vdim": 3},
        {"bias": False, "batch_first": True},
        {"add_bias_kv": True, "add_zero_attn": True, "batch_first": True},
    ],
    ids=str,
)
def test_every_kind_of_the_torch_module_is_seen_and_gives_its_own_output(options):
    torch.manual_seed(0)

    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.mix, self.out = nn.MultiheadAttention(8, 2, **options), nn.Linear(8, 3)

        def forward(self, q, k, v):
            if not options.get("batch_first"):
                q, k, v = (t.transpose(0, 1) for t in (q, k, v))
            mixed = self.mix(q, k, v, need_weights=False)[0]
            return self.out(mixed.mean(1 if options.get("batch_first") else 0))

    model = Both().eval()
    widths = (8, options.get("kdim", 8), options.get("vdim", 8))
    q, k, v = (
        np.random.default_rng(i).standard_normal((3, 4 + (i > 0), w)).astype(np.float32) for i, w in enumerate(widths)
    )
    found = dlx.attention(model, (q, k, v))
    t = [torch.tensor(a if options.get("batch_first") else a.swapaxes(0, 1)) for a in (q, k, v)]
    own = model.mix(*t, average_attn_weights=False)[1].detach().numpy()
    np.testing.assert_allclose(found.maps["mix"], own, atol=1e-6)
    with pytest.raises(dlx.InputError, match="self-attention over the same tokens"):
        found.rollout()


@pytest.mark.parametrize("block", [Fused, Spelled])
def test_attention_written_as_functions_is_seen(block):
    model = Decoder(block).eval()
    found = dlx.attention(model, IDS, target=(5, 3))
    assert found.layers == ("blocks.0", "blocks.1", "blocks.2")
    x = (model.words(torch.tensor(IDS)) + model.places).detach()
    q, k, _ = (
        model.blocks[0].qkv(model.blocks[0].before(x)).detach().numpy().reshape(3, 6, 3, 2, 4).transpose(2, 0, 3, 1, 4)
    )
    scores = q @ k.swapaxes(-1, -2) / 2 + np.triu(np.full((6, 6), -np.inf), 1)
    np.testing.assert_allclose(found.maps["blocks.0"], softmax(scores), atol=1e-5)
    assert np.abs(found.gradients["blocks.1"]).max() > 0


def test_the_two_spellings_have_the_same_gradients():
    fused, spelled = Decoder(Fused).eval(), Decoder(Spelled).eval()
    spelled.load_state_dict(fused.state_dict())
    one, two = (dlx.attention(m, IDS, target=(5, 3)) for m in (fused, spelled))
    for name in one.layers:
        visible = np.tril(np.ones((6, 6), bool))
        np.testing.assert_allclose(one.gradients[name][..., visible], two.gradients[name][..., visible], atol=1e-5)
    np.testing.assert_allclose(one.relevance(), two.relevance(), atol=1e-5)


def test_gradients_are_what_the_algebra_says():
    """One attention, a mean over positions and a linear head: the slope of each weight is its value's own score."""
    network = BY_NAME["torch-attended tokens"]
    model, (ids,) = network.make().eval(), network.inputs()
    found = dlx.attention(model, ids, target=1)
    with torch.no_grad():
        words = model.words(torch.tensor(ids))
        values = (words @ model.mix.in_proj_weight[8:].T + model.mix.in_proj_bias[8:]).unflatten(-1, (2, 2))
        through = model.out.weight[1] @ model.mix.out_proj.weight
        slope = torch.einsum("nkhd,hd->nhk", values, through.reshape(2, 2)) / ids.shape[1]
    expected = np.broadcast_to(slope.numpy()[:, :, None], found.gradients["mix"].shape)
    np.testing.assert_allclose(found.gradients["mix"], expected, atol=1e-6)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_weights_are_the_keras_layers_own(causal, masked, dropout):
    model = keras_encoder(causal, masked, dropout=dropout)
    ids = IDS.copy()
    ids[0, 4:] = 0
    found = dlx.attention(model, ids, target=(2, 3))
    assert found.layers == ("attend_0", "attend_1")
    layer = model.get_layer("attend_0")
    normed = keras.Model(model.inputs[0], layer.input[0] if isinstance(layer.input, list) else layer.input)(ids)
    mask = (ids != 0)[:, None, :] & (ids != 0)[:, :, None] if masked else None
    own = layer(
        np.array(normed), np.array(normed), attention_mask=mask, use_causal_mask=causal, return_attention_scores=True
    )[1]
    seen = np.ones(ids.shape, bool) if not masked else ids != 0  # what a padded position looks at is nobody's business
    rows = np.broadcast_to(seen[:, None, :], own.shape[:3])
    np.testing.assert_allclose(found.maps["attend_0"][rows], np.array(own)[rows], atol=1e-5)
    assert not {"_compute_attention", "call"} & set(layer.__dict__)


def test_other_attention_layers_of_keras_are_seen():
    found = dlx.attention(keras_encoder(True, layer=keras.layers.GroupQueryAttention), IDS, target=(5, 1))
    assert found.maps["attend_1"].shape == (3, 2, 6, 6)
    np.testing.assert_allclose(found.maps["attend_1"].sum(-1), 1, atol=1e-5)
    assert (np.triu(found.maps["attend_1"], 1) == 0).all()
    for kind in (keras.layers.Attention, keras.layers.AdditiveAttention):
        inputs = keras.Input((6, 4))
        model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(kind(name="mix")([inputs, inputs]))))
        x = np.random.default_rng(0).standard_normal((2, 6, 4)).astype(np.float32)
        own = model.get_layer("mix")([x, x], return_attention_scores=True)[1]
        found = dlx.attention(model, x)
        np.testing.assert_allclose(found.maps["mix"][:, 0], own, atol=1e-6)
        assert np.abs(found.gradients["mix"]).max() > 0


def test_twins_attend_alike():
    network = BY_NAME["keras-attended tokens"]
    model, (ids,) = network.make(), network.inputs()
    twin = dlx.convert(model, to="torch")
    one, two = dlx.attention(model, ids, target=1), dlx.attention(twin, ids, target=1)
    for a, b in zip(one.layers, two.layers, strict=True):
        np.testing.assert_allclose(one.maps[a], two.maps[b], atol=1e-6)
        np.testing.assert_allclose(one.gradients[a], two.gradients[b], atol=1e-6)


def test_rollout_and_relevance_are_their_formulas():
    found = dlx.attention(Encoder().eval(), IDS, target=2)
    first, second = (found.maps[name].astype(np.float64) for name in found.layers)
    eye = np.eye(6)
    for i in range(3):
        expected = (0.5 * second[i].mean(0) + 0.5 * eye) @ (0.5 * first[i].mean(0) + 0.5 * eye)
        np.testing.assert_allclose(found.rollout()[i], expected, atol=1e-6)
        relevance = np.eye(6)
        for name in found.layers:
            useful = np.mean(
                [np.maximum(g * a, 0) for g, a in zip(found.gradients[name][i], found.maps[name][i], strict=True)], 0
            )
            relevance = relevance + useful @ relevance
        np.testing.assert_allclose(found.relevance()[i], relevance - eye, atol=1e-6)
    np.testing.assert_allclose(found.rollout().sum(-1), 1, atol=1e-5)
    np.testing.assert_allclose(found.rollout([found.layers[1]], residual=0)[0], second[0].mean(0), atol=1e-6)


@pytest.mark.parametrize("make", [Encoder, lambda: keras_encoder(masked=True)], ids=["torch", "keras"])
def test_nothing_is_left_behind_and_batches_change_nothing(make):
    model = make()
    before = dlx.wrap(model).predict(IDS)
    state = [set(part.__dict__) for part in (model.modules() if isinstance(model, nn.Module) else model.layers)]
    target = None if before.ndim == 2 else (1, 2)
    whole = dlx.attention(model, IDS, target=target)
    single = dlx.attention(model, IDS, target=target, batch_size=1)
    for name in whole.layers:
        np.testing.assert_allclose(whole.maps[name], single.maps[name], atol=1e-6)
        np.testing.assert_allclose(whole.gradients[name], single.gradients[name], atol=1e-6)
    np.testing.assert_array_equal(dlx.wrap(model).predict(IDS), before)
    assert [set(part.__dict__) for part in (model.modules() if isinstance(model, nn.Module) else model.layers)] == state
    if isinstance(model, nn.Module):
        assert model.training
        assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_nothing_is_left_behind_after_a_failure():
    class Fails(Encoder):
        def forward(self, ids):
            super().forward(ids)
            if self.fail:
                raise ValueError("half way")
            return super().forward(ids)

    model = Fails()
    model.fail = False
    asked = dlx.wrap(model)
    inputs = asked.inputs(IDS)
    model.fail = True
    with pytest.raises(ValueError, match="half way"):
        asked.attended(inputs)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    assert model.training
    kmodel = keras_encoder()
    wrapped = dlx.wrap(kmodel)
    state = [set(layer.__dict__) for layer in kmodel.layers]
    with pytest.raises(ValueError, match="incompatible"):
        wrapped.attended((np.zeros((2, 6, 3, 1)),))
    assert [set(layer.__dict__) for layer in kmodel.layers] == state


def test_models_without_attention_and_chains_that_are_none_are_refused():
    network = BY_NAME["torch-sequential"]
    with pytest.raises(dlx.UnsupportedModelError, match="no attention was seen"):
        dlx.attention(network.make(), network.inputs()[0])
    found = dlx.attention(Decoder().eval(), IDS)
    assert found.gradients is None
    with pytest.raises(dlx.InputError, match="there was no target"):
        found.relevance()
    with pytest.raises(dlx.InputError, match="Did you mean"):
        dlx.attention(Decoder().eval(), IDS, layers=["block.0"])


def test_the_table_tells_spread_and_reach():
    found = dlx.attention(Decoder().eval(), IDS)
    table = found.table
    maps = found.maps["blocks.0"][:, 1]
    expected = np.mean([-(row[row > 0] * np.log2(row[row > 0])).sum() for row in maps.reshape(-1, 6)])
    row = table[(table.layer == "blocks.0") & (table["head"] == 1)].iloc[0]
    assert row.entropy == pytest.approx(expected, abs=1e-5)
    far = np.mean([sum(abs(q - k) * w for k, w in enumerate(maps[n, q])) for n in range(3) for q in range(6)])
    assert row.reach == pytest.approx(far, abs=1e-5)
    assert "3 layers" in repr(found)
