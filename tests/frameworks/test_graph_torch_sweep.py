"""Every module of torch.nn that holds activations, one by one between two dense layers: exact, or refused by name."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

import dlexplain as dlx
from dlexplain.errors import UnsupportedModelError

VECTOR, SERIES, PICTURE, VOLUME = (8,), (4, 10), (4, 6, 6), (4, 4, 4, 4)


@dataclass(frozen=True)
class Part:
    """A module, a sample's shape, and how it is called. `refused`: the operation that has no rule, and why."""

    build: Callable[[], nn.Module]
    shape: tuple[int, ...] = VECTOR
    call: Callable[[nn.Module, torch.Tensor], torch.Tensor] = lambda layer, x: layer(x)
    refused: str | None = None


def _first(layer, x):
    return layer(x)[0]


def _pair(layer, x):
    return layer(x, x.flip(-1) * 0.5 + 0.1)


def _unpooled(pool):
    def call(layer, x):
        y, places = pool(x)
        return layer(y, places)

    return call


def _in_time(layer, x):
    return layer(x.transpose(1, 2))[0]


def _cell(layer, x):
    state = layer(x)
    state = layer(x * 0.5, state)
    return state[0] if isinstance(state, tuple) else state


def _attended(**masks):
    def call(layer, x):
        x = x.transpose(1, 2)
        return layer(x, x.flip(1), x * 0.7 - 0.2, **masks)[0]

    return call


def _decoded(layer, x):
    x = x.transpose(1, 2)
    return layer(x[:, :6], x[:, 3:], tgt_mask=nn.Transformer.generate_square_subsequent_mask(6))


def _encoded(layer, x):
    return layer(x.transpose(1, 2))


def _ids(layer, x):
    return layer(x.argmax(-1, keepdim=True))


def _encoder(**options):
    return nn.TransformerEncoderLayer(4, 2, 12, batch_first=True, **options)


def _decoder(**options):
    return nn.TransformerDecoderLayer(4, 2, 12, batch_first=True, **options)


CAUSAL = torch.ones(10, 10, dtype=torch.bool).triu(1)


def _padded(layer, x):
    last = torch.arange(10) >= 8
    return _attended(key_padding_mask=last.expand(len(x), 10))(layer, x)


PARTS: dict[str, Part] = {
    # activations
    **{
        name: Part(getattr(nn, name))
        for name in [
            "CELU",
            "ELU",
            "GELU",
            "Hardshrink",
            "Hardsigmoid",
            "Hardswish",
            "Hardtanh",
            "LeakyReLU",
            "LogSigmoid",
            "Mish",
            "PReLU",
            "RReLU",
            "ReLU",
            "ReLU6",
            "SELU",
            "SiLU",
            "Sigmoid",
            "Softplus",
            "Softshrink",
            "Softsign",
            "Tanh",
            "Tanhshrink",
            "Identity",
            "Dropout",
            "AlphaDropout",
            "FeatureAlphaDropout",
        ]
    },
    "ReLU in place": Part(lambda: nn.ReLU(inplace=True)),
    "ELU in place": Part(lambda: nn.ELU(inplace=True)),
    "SiLU in place": Part(lambda: nn.SiLU(inplace=True)),
    "Hardtanh in place": Part(lambda: nn.Hardtanh(inplace=True)),
    "GELU tanh": Part(lambda: nn.GELU("tanh")),
    "GLU": Part(nn.GLU),
    "Threshold": Part(lambda: nn.Threshold(0.1, 0.3)),
    "PReLU by channel": Part(lambda: nn.PReLU(4), SERIES),
    "Softmax": Part(lambda: nn.Softmax(-1)),
    "Softmin": Part(lambda: nn.Softmin(-1)),
    "LogSoftmax": Part(lambda: nn.LogSoftmax(-1)),
    "Softmax2d": Part(nn.Softmax2d, PICTURE),
    # dense, convolutions, embeddings
    "Linear": Part(lambda: nn.Linear(8, 5)),
    "Linear over time": Part(lambda: nn.Linear(10, 5), SERIES),
    "Bilinear": Part(lambda: nn.Bilinear(8, 8, 5), VECTOR, _pair),
    "Embedding": Part(
        lambda: nn.Embedding(8, 3),
        VECTOR,
        _ids,
        "embedding: the token is chosen by the activations, and another one is",
    ),
    "EmbeddingBag": Part(lambda: nn.EmbeddingBag(8, 3), VECTOR, _ids, "_embedding_bag: as Embedding"),
    "Conv1d": Part(lambda: nn.Conv1d(4, 6, 3, groups=2, dilation=2), SERIES),
    "Conv2d": Part(lambda: nn.Conv2d(4, 6, 3, padding="same"), PICTURE),
    "Conv2d reflect": Part(lambda: nn.Conv2d(4, 6, 3, padding=1, padding_mode="reflect", stride=2), PICTURE),
    "Conv2d depthwise": Part(lambda: nn.Conv2d(4, 8, 3, groups=4, bias=False), PICTURE),
    "Conv3d": Part(lambda: nn.Conv3d(4, 3, 2), VOLUME),
    "ConvTranspose1d": Part(lambda: nn.ConvTranspose1d(4, 6, 3, stride=2, dilation=2), SERIES),
    "ConvTranspose2d": Part(lambda: nn.ConvTranspose2d(4, 6, 3, stride=2, output_padding=1, groups=2), PICTURE),
    "ConvTranspose3d": Part(lambda: nn.ConvTranspose3d(4, 2, 2), VOLUME),
    "Fold": Part(lambda: nn.Fold((4, 5), 2), (16, 12)),
    "Unfold": Part(lambda: nn.Unfold(3), PICTURE),
    # pooling
    **{
        f"{kind}{rank}d": Part(lambda kind=kind, rank=rank: getattr(nn, f"{kind}{rank}d")(2), shape)
        for kind in ("AvgPool", "MaxPool", "AdaptiveAvgPool", "AdaptiveMaxPool")
        for rank, shape in ((1, SERIES), (2, PICTURE), (3, VOLUME))
    },
    "MaxPool2d overlapping": Part(lambda: nn.MaxPool2d(3, 2, padding=1, ceil_mode=True), PICTURE),
    "MaxPool2d dilated": Part(lambda: nn.MaxPool2d(2, 1, dilation=2), PICTURE),
    "AvgPool2d padded": Part(lambda: nn.AvgPool2d(3, 2, padding=1, count_include_pad=False), PICTURE),
    "AdaptiveAvgPool2d one": Part(lambda: nn.AdaptiveAvgPool2d(1), PICTURE),
    "AdaptiveMaxPool2d one": Part(lambda: nn.AdaptiveMaxPool2d(1), PICTURE),
    "LPPool1d": Part(lambda: nn.LPPool1d(2, 2), SERIES),
    "LPPool2d": Part(lambda: nn.LPPool2d(2, 2), PICTURE),
    "LPPool3d": Part(lambda: nn.LPPool3d(2, 2), VOLUME),
    "FractionalMaxPool2d": Part(
        lambda: nn.FractionalMaxPool2d(2, output_ratio=0.6),
        PICTURE,
        refused="fractional_max_pool2d: draws its windows at every call",
    ),
    "FractionalMaxPool2d drawn": Part(
        lambda: nn.FractionalMaxPool2d(2, output_ratio=0.6, _random_samples=torch.full((3, 4, 2), 0.3)), PICTURE
    ),
    "FractionalMaxPool3d": Part(
        lambda: nn.FractionalMaxPool3d(2, output_ratio=0.6),
        VOLUME,
        refused="fractional_max_pool3d: draws its windows at every call",
    ),
    "MaxUnpool1d": Part(
        lambda: nn.MaxUnpool1d(2),
        SERIES,
        _unpooled(nn.MaxPool1d(2, return_indices=True)),
        "max_unpool2d: the places differ on the reference",
    ),
    "MaxUnpool2d": Part(
        lambda: nn.MaxUnpool2d(2),
        PICTURE,
        _unpooled(nn.MaxPool2d(2, return_indices=True)),
        "max_unpool2d: the places differ on the reference",
    ),
    "MaxUnpool3d": Part(
        lambda: nn.MaxUnpool3d(2),
        VOLUME,
        _unpooled(nn.MaxPool3d(2, return_indices=True)),
        "max_unpool3d: the places differ on the reference",
    ),
    # padding, shape, up-sampling
    **{
        f"{kind}Pad{rank}d": Part(
            lambda kind=kind, rank=rank: getattr(nn, f"{kind}Pad{rank}d")(*((1, 0.5) if kind == "Constant" else (1,))),
            shape,
        )
        for kind in ("Circular", "Constant", "Reflection", "Replication", "Zero")
        for rank, shape in ((1, SERIES), (2, PICTURE), (3, VOLUME))
    },
    "Flatten": Part(nn.Flatten, PICTURE),
    "Unflatten": Part(lambda: nn.Unflatten(1, (2, 2)), PICTURE),
    "ChannelShuffle": Part(lambda: nn.ChannelShuffle(2), PICTURE),
    "PixelShuffle": Part(lambda: nn.PixelShuffle(2), PICTURE),
    "PixelUnshuffle": Part(lambda: nn.PixelUnshuffle(2), PICTURE),
    **{
        f"Upsample {mode}": Part(lambda mode=mode: nn.Upsample(scale_factor=2, mode=mode), shape)
        for mode, shape in (
            ("nearest", PICTURE),
            ("nearest-exact", PICTURE),
            ("linear", SERIES),
            ("bilinear", PICTURE),
            ("bicubic", PICTURE),
            ("trilinear", VOLUME),
        )
    },
    "Upsample aligned": Part(lambda: nn.Upsample(size=(9, 7), mode="bilinear", align_corners=True), PICTURE),
    "UpsamplingBilinear2d": Part(lambda: nn.UpsamplingBilinear2d(scale_factor=2), PICTURE),
    "UpsamplingNearest2d": Part(lambda: nn.UpsamplingNearest2d(scale_factor=2), PICTURE),
    **{f"Dropout{r}d": Part(getattr(nn, f"Dropout{r}d"), s) for r, s in ((1, SERIES), (2, PICTURE), (3, VOLUME))},
    # normalisations
    **{
        f"BatchNorm{r}d": Part(lambda r=r: getattr(nn, f"BatchNorm{r}d")(4), s)
        for r, s in ((1, SERIES), (2, PICTURE), (3, VOLUME))
    },
    "BatchNorm1d of vectors": Part(lambda: nn.BatchNorm1d(8, affine=False)),
    "SyncBatchNorm": Part(lambda: nn.SyncBatchNorm(4), PICTURE),
    **{
        f"InstanceNorm{r}d": Part(lambda r=r: getattr(nn, f"InstanceNorm{r}d")(4, affine=True), s)
        for r, s in ((1, SERIES), (2, PICTURE), (3, VOLUME))
    },
    "InstanceNorm2d tracked": Part(lambda: nn.InstanceNorm2d(4, track_running_stats=True), PICTURE),
    "GroupNorm": Part(lambda: nn.GroupNorm(2, 4), PICTURE),
    "LayerNorm": Part(lambda: nn.LayerNorm(8)),
    "LayerNorm of pictures": Part(lambda: nn.LayerNorm([4, 6, 6], bias=False), PICTURE),
    "RMSNorm": Part(lambda: nn.RMSNorm(8)),
    "LocalResponseNorm": Part(lambda: nn.LocalResponseNorm(3, alpha=0.5), PICTURE),
    "CrossMapLRN2d": Part(lambda: nn.CrossMapLRN2d(3, alpha=0.5), PICTURE),
    # distances
    "CosineSimilarity": Part(lambda: nn.CosineSimilarity(-1), SERIES, _pair),
    "PairwiseDistance": Part(nn.PairwiseDistance, SERIES, _pair),
    "PairwiseDistance p=1": Part(lambda: nn.PairwiseDistance(1), SERIES, _pair),
    # recurrent
    "RNN": Part(lambda: nn.RNN(4, 5, batch_first=True), SERIES, _in_time),
    "RNN relu": Part(lambda: nn.RNN(4, 5, 2, "relu", batch_first=True, bidirectional=True), SERIES, _in_time),
    "LSTM": Part(lambda: nn.LSTM(4, 5, batch_first=True), SERIES, _in_time),
    "LSTM deep both ways": Part(lambda: nn.LSTM(4, 5, 2, batch_first=True, bidirectional=True), SERIES, _in_time),
    "LSTM projected": Part(lambda: nn.LSTM(4, 5, 2, batch_first=True, proj_size=3), SERIES, _in_time),
    "LSTM without bias": Part(lambda: nn.LSTM(4, 5, bias=False, batch_first=True), SERIES, _in_time),
    "GRU": Part(lambda: nn.GRU(4, 5, batch_first=True), SERIES, _in_time),
    "GRU deep both ways": Part(lambda: nn.GRU(4, 5, 2, batch_first=True, bidirectional=True), SERIES, _in_time),
    "RNNCell": Part(lambda: nn.RNNCell(8, 5), VECTOR, _cell),
    "LSTMCell": Part(lambda: nn.LSTMCell(8, 5), VECTOR, _cell),
    "GRUCell": Part(lambda: nn.GRUCell(8, 5), VECTOR, _cell),
    # attention
    "MultiheadAttention": Part(lambda: nn.MultiheadAttention(4, 2, batch_first=True), SERIES, _attended()),
    "MultiheadAttention without weights": Part(
        lambda: nn.MultiheadAttention(4, 2, batch_first=True), SERIES, _attended(need_weights=False)
    ),
    "MultiheadAttention causal": Part(
        lambda: nn.MultiheadAttention(4, 2, batch_first=True), SERIES, _attended(attn_mask=CAUSAL, need_weights=False)
    ),
    "MultiheadAttention padded": Part(lambda: nn.MultiheadAttention(4, 2, batch_first=True), SERIES, _padded),
    "MultiheadAttention with extra rows": Part(
        lambda: nn.MultiheadAttention(4, 2, batch_first=True, add_bias_kv=True, add_zero_attn=True), SERIES, _attended()
    ),
    "TransformerEncoderLayer": Part(_encoder, SERIES, _encoded),
    "TransformerEncoderLayer norm first": Part(
        lambda: _encoder(norm_first=True, activation="gelu"), SERIES, lambda t, x: t(x.transpose(1, 2), src_mask=CAUSAL)
    ),
    "TransformerEncoder": Part(lambda: nn.TransformerEncoder(_encoder(), 2), SERIES, _encoded),
    "TransformerDecoderLayer": Part(_decoder, SERIES, _decoded),
    "TransformerDecoder": Part(lambda: nn.TransformerDecoder(_decoder(norm_first=True), 2), SERIES, _decoded),
    "Transformer": Part(
        lambda: nn.Transformer(4, 2, 1, 1, 12, batch_first=True),
        SERIES,
        lambda t, x: t(x.transpose(1, 2), x[:, :, :5].transpose(1, 2)),
    ),
    "AdaptiveLogSoftmaxWithLoss": Part(
        lambda: nn.AdaptiveLogSoftmaxWithLoss(8, 10, [4, 7]), VECTOR, lambda layer, x: layer.log_prob(x)
    ),
}

# What torch.nn holds beside them.
NO_ACTIVATIONS = {
    *[
        "Container",
        "DataParallel",
        "Module",
        "ModuleDict",
        "ModuleList",
        "ParameterDict",
        "ParameterList",
        "Sequential",
    ],
    *["RNNBase", "RNNCellBase"],
}


class Between(nn.Module):
    """dense, the part, dense: the part's inputs vary in every place."""

    def __init__(self, part: Part) -> None:
        super().__init__()
        size = int(np.prod(part.shape))
        self.part, self.call, self.shape = part.build(), part.call, part.shape
        self.stem = nn.Linear(size, size)
        with torch.no_grad():
            shape = self.eval().called(torch.randn(3, size)).shape
        self.head = nn.Linear(int(np.prod(shape[1:])), 2)

    def called(self, x):
        made = self.call(self.part, self.stem(x).reshape(-1, *self.shape))
        return made if made.ndim > 1 else made[:, None]

    def forward(self, x):
        return self.head(self.called(x.flatten(1)).flatten(1))


def made(part: Part) -> tuple[nn.Module, np.ndarray]:
    torch.manual_seed(3)
    network = Between(part)
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._NormBase) and module.running_mean is not None:
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
        if (
            isinstance(module, (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm))
            and module.weight is not None
        ):
            nn.init.normal_(module.weight)
    return network.eval(), np.random.default_rng(5).standard_normal((3, int(np.prod(part.shape)))).astype(np.float32)


@pytest.mark.parametrize("name", PARTS)
def test_every_module_is_exact_or_refused_by_name(name):
    part = PARTS[name]
    network, x = made(part)
    if part.refused is not None:
        operation = part.refused.partition(":")[0]
        with pytest.raises(UnsupportedModelError, match=f"{operation}.*in layer 'part'.*integrated_gradients"):
            _explained(network, x)
        return
    explained = _explained(network, x)
    # A change under a hundredth of the output holds too few digits in float32 for a relative gap of 1e-4.
    size = np.maximum(np.abs(explained.output), np.abs(explained.baseline_output))
    change = np.abs(explained.output - explained.baseline_output)
    assert np.max(explained.gap / np.maximum(change, 1e-2 * size)) <= 1e-4
    assert np.abs(explained.values).max() > 0


def _explained(network, x):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dlx.explain(network, x, "deeplift", target=0, baseline=0.1)


def test_the_sweep_leaves_no_module_out():
    every = {n for n, c in vars(nn).items() if isinstance(c, type) and issubclass(c, nn.Module)}
    # A lazy module becomes its plain class at the first call; a loss gives no score of a sample.
    rest = {n for n in every if n.startswith("Lazy") or re.search("Loss(2d)?$", n)} - {"AdaptiveLogSoftmaxWithLoss"}
    swept = {name.split()[0] for name in PARTS}
    assert every - rest - NO_ACTIVATIONS <= swept | {"Upsample"}
    refused = sum(part.refused is not None for part in PARTS.values())
    assert refused <= 0.06 * len(PARTS)
