"""Token ids read by nn.EmbeddingBag are explained at their embeddings, like those of nn.Embedding."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import dlexplain as dlx


@pytest.mark.parametrize("padding", [None, 0])
@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_a_bag_of_tokens_is_what_its_embeddings_make(mode, padding):
    torch.manual_seed(0)
    model = nn.Sequential(nn.EmbeddingBag(12, 4, mode=mode, padding_idx=padding), nn.Tanh(), nn.Linear(4, 3)).eval()
    ids = np.array([[1, 2, 3, 0, 5, 0], [4, 4, 7, 8, 9, 11]])
    asked = dlx.wrap(model, input_shape=(6,))
    assert asked.token_inputs(asked.inputs(ids)) == (12,)
    arrays = asked.inputs(ids)
    np.testing.assert_allclose(asked.fed(arrays, asked.entries(arrays))[0], asked.predict(ids), atol=1e-6)
    for method in ("integrated_gradients", "deeplift"):
        found = dlx.explain(asked, ids, method, target=1)
        assert found.values.shape == ids.shape
        assert found.relative_gap.max() <= found.tolerance
        if padding == 0:
            assert not found.values[0][ids[0] == 0].any()


def test_bags_with_offsets_have_no_sample_a_row():
    class Flat(nn.Module):
        def __init__(self):
            super().__init__()
            self.bag, self.out = nn.EmbeddingBag(12, 4), nn.Linear(4, 2)

        def forward(self, ids):
            ids = ids.long()
            return self.out(self.bag(ids.flatten(), torch.arange(0, ids.numel(), ids.shape[1])))

    ids = np.array([[1, 2, 3], [4, 5, 6]])
    with pytest.raises(dlx.UnsupportedModelError, match="differentiable"):
        dlx.explain(dlx.wrap(Flat(), input_shape=(3,)), ids, "saliency", target=0)
