"""Small transformers of both frameworks, in the spellings in which attention is written."""

from __future__ import annotations

import keras
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

IDS = np.array([[3, 5, 2, 9, 1, 4], [7, 7, 1, 2, 8, 3], [1, 2, 3, 4, 5, 6]])


class Fused(nn.Module):
    """A causal block whose attention is one function."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads, self.before, self.after = heads, nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def attend(self, q, k, v):
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)

    def forward(self, x):
        n, length, width = x.shape
        q, k, v = (t.reshape(n, length, self.heads, -1).transpose(1, 2) for t in self.qkv(self.before(x)).chunk(3, -1))
        mixed = self.attend(q, k, v).transpose(1, 2).reshape(n, length, width)
        x = x + self.out(mixed)
        return x + self.wide(self.after(x))


class Spelled(Fused):
    """The same block with its softmax written out, and a dropout between."""

    def attend(self, q, k, v):
        scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
        hidden = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu(1)
        return F.dropout(torch.softmax(scores.masked_fill(hidden, -torch.inf), -1), 0.1, self.training) @ v


class Decoder(nn.Module):
    """Token ids to scores of the next token at every position."""

    def __init__(self, block=Fused, blocks: int = 3, width: int = 8, heads: int = 2, vocabulary: int = 11):
        super().__init__()
        torch.manual_seed(3)
        self.words, self.places = nn.Embedding(vocabulary, width), nn.Parameter(0.3 * torch.randn(6, width))
        self.blocks = nn.ModuleList(block(width, heads) for _ in range(blocks))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary)

    def forward(self, ids):
        x = self.words(ids) + self.places
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


class Encoder(nn.Module):
    """The stock encoder layer with padding, a class a sample."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(4)
        self.words = nn.Embedding(11, 8, padding_idx=0)
        layer = nn.TransformerEncoderLayer(8, 2, 16, 0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(8, 3)

    def forward(self, ids):
        return self.head(self.encoder(self.words(ids), src_key_padding_mask=ids == 0)[:, 0])


def keras_encoder(causal: bool = False, masked: bool = False, layer=keras.layers.MultiHeadAttention, dropout=0.0):
    """Two blocks of pre-normed attention and sums; scores at every position."""
    keras.utils.set_random_seed(5)
    ids = keras.Input((6,), dtype="int32")
    x = keras.layers.Embedding(11, 8, mask_zero=masked, name="words")(ids)
    for i in range(2):
        normed = keras.layers.LayerNormalization()(x)
        if layer is keras.layers.MultiHeadAttention:
            attend = layer(2, 4, dropout=dropout, name=f"attend_{i}")
        else:
            attend = layer(4, 2, 1, dropout=dropout, name=f"attend_{i}")
        x = keras.layers.Add(name=f"first_{i}")([x, attend(normed, normed, use_causal_mask=causal)])
        wide = keras.layers.Dense(16, activation="gelu")(keras.layers.LayerNormalization()(x))
        x = keras.layers.Add(name=f"second_{i}")([x, keras.layers.Dense(8)(wide)])
    return keras.Model(ids, keras.layers.Dense(11)(keras.layers.LayerNormalization()(x)))
