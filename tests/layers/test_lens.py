"""The lens against the end of the network applied by hand."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch

import dlexplain as dlx
from tests.layers.transformers import IDS, Decoder, Encoder, keras_encoder
from tests.networks import BY_NAME


def softmax(scores):
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def test_a_decoders_blocks_are_read_through_norm_and_head():
    model = Decoder().eval()
    found = dlx.logit_lens(model, IDS, top=3, names=[f"w{i}" for i in range(11)])
    assert found.layers == ("blocks.0", "blocks.1", "blocks.2")
    with torch.no_grad():
        x, read = model.words(torch.tensor(IDS)) + model.places, []
        for block in model.blocks:
            x = block(x)
            read.append(model.head(model.norm(x)).numpy())
    best = read[-1].argmax(-1)
    for i, scores in enumerate(read):
        order = np.argsort(-scores, -1)[..., :3]
        np.testing.assert_array_equal(found.top[i], order)
        np.testing.assert_allclose(found.scores[i], np.take_along_axis(scores, order, -1), atol=1e-5)
        share = softmax(scores.astype(np.float64))
        np.testing.assert_allclose(found.probabilities[i], np.take_along_axis(share, order, -1), atol=1e-5)
        own = np.take_along_axis(share, best[..., None], -1)[..., 0]
        np.testing.assert_allclose(found.final_probability[i], own, atol=1e-5)
        np.testing.assert_array_equal(found.final_rank[i], (share > own[..., None]).sum(-1))
    assert (found.final_rank[-1] == 0).all()
    assert found.table.token.iloc[0] == f"w{found.top[0, 0, 0, 0]}"
    assert len(found.table) == 3 * 3 * 6 * 3
    np.testing.assert_array_equal(dlx.logit_lens(model, IDS, batch_size=1).top[..., :3], found.top)
    assert "blocks.2 100%" in repr(found)


def test_an_encoders_layers_are_read_as_classes():
    model = Encoder().eval()
    found = dlx.logit_lens(dlx.wrap(model, class_names=("a", "b", "c")), IDS)
    assert found.layers == ("encoder.layers.0", "encoder.layers.1")
    with torch.no_grad():
        ids = torch.tensor(IDS)
        first = model.encoder.layers[0](model.words(ids), src_key_padding_mask=ids == 0)
        np.testing.assert_allclose(found.scores[0, :, 0, 0], model.head(first[:, 0]).max(-1).values, atol=1e-5)
    assert found.top.shape == (2, 3, 1, 3)
    assert set(found.table.token) == {"a", "b", "c"}


def test_keras_sums_are_the_stream_where_there_are_no_blocks():
    model = keras_encoder(True)
    found = dlx.logit_lens(model, IDS, top=11)
    assert found.layers == ("first_0", "second_0", "first_1", "second_1")
    stream = np.array(keras.Model(model.inputs[0], model.get_layer("second_0").output)(IDS))
    norm, head = model.layers[-2:]
    scores = np.array(head(norm(stream)))
    np.testing.assert_allclose(found.scores[1], -np.sort(-scores, -1), atol=1e-5)


def test_streams_that_are_none_are_refused():
    model = Decoder().eval()
    with pytest.raises(dlx.InputError, match="shape of the last"):
        dlx.logit_lens(model, IDS, ["blocks.0.wide.0", "blocks.2"])
    with pytest.warns(UserWarning, match=r"not everything passes through 'blocks.2.wide.2'"):
        dlx.logit_lens(model, IDS, ["blocks.1.wide.2", "blocks.2.wide.2"])
    network = BY_NAME["torch-sequential"]
    with pytest.raises(dlx.InputError, match="Name the layers"):
        dlx.logit_lens(network.make(), network.inputs()[0])
    with pytest.raises(dlx.InputError, match="top"):
        dlx.logit_lens(model, IDS, top=0)
