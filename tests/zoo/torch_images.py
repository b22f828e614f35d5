"""Torch: convolution networks on pictures, volumes and series."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F

from tests.zoo.torch_specimens import Of, torch_specimen


def _head(width, units=3):
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, units))


@torch_specimen("CNN, batch norm, max-pool", (2, 8, 8))
def cnn_max():
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 3),
        nn.ReLU(inplace=True),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(16, 3),
        nn.Softmax(-1),
    )


@torch_specimen("CNN, average pool", (1, 8, 8))
def cnn_average():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2, padding=1),
        nn.ELU(),
        nn.AvgPool2d(2),
        nn.Conv2d(4, 4, 2),
        nn.Tanh(),
        nn.AdaptiveMaxPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 3),
    )


@torch_specimen("CNN, functional", (1, 8, 8))
def cnn_functional():
    def forward(m, x):
        x = F.max_pool2d(F.relu(m.one(x), inplace=True), 2)
        x = F.dropout(torch.flatten(F.relu(m.two(x)), 1), 0.5, m.training)
        return F.log_softmax(m.last(x), -1)

    return Of(forward, one=nn.Conv2d(1, 4, 3), two=nn.Conv2d(4, 4, 2), last=nn.Linear(16, 3))


@torch_specimen("nested backbone", (1, 8, 8))
def nested():
    backbone = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2))
    return Of(lambda m, x: m.head(m.backbone(torch.cat([x, 0.5 * x, 1 - x], 1))), backbone=backbone, head=_head(4))


@torch_specimen("depthwise separable", (2, 8, 8))
def separable():
    return nn.Sequential(
        nn.Conv2d(2, 2, 3, padding=1, groups=2),
        nn.Conv2d(2, 6, 1),
        nn.ReLU(),
        nn.Conv2d(6, 6, 3, groups=6),
        nn.BatchNorm2d(6),
        nn.ReLU6(),
        nn.Conv2d(6, 6, 1),
        nn.ReLU(),
        _head(6),
    )


@torch_specimen("channel shuffle", (4, 8, 8))
def channel_shuffle():
    return nn.Sequential(
        nn.Conv2d(4, 6, 1, groups=2), nn.ChannelShuffle(2), nn.ReLU(), nn.Conv2d(6, 6, 3, groups=2), nn.ReLU(), _head(6)
    )


@torch_specimen("U-Net", (1, 8, 8), target=(1, 3, 4))
def u_net():
    def forward(m, x):
        one = torch.relu(m.one(x))
        two = torch.relu(m.two(F.max_pool2d(one, 2)))
        low = torch.relu(m.low(F.max_pool2d(two, 2)))
        up = torch.relu(m.up(torch.cat([F.interpolate(low, scale_factor=2.0), two], 1)))
        return m.last(torch.cat([torch.relu(m.wide(up)), one], 1))

    return Of(
        forward,
        one=nn.Conv2d(1, 3, 3, padding=1),
        two=nn.Conv2d(3, 4, 3, padding=1),
        low=nn.Conv2d(4, 5, 3, padding=1),
        up=nn.Conv2d(9, 4, 3, padding=1),
        wide=nn.ConvTranspose2d(4, 3, 2, 2),
        last=nn.Conv2d(6, 2, 1),
    )


@torch_specimen("ConvNeXt block", (2, 8, 8))
def convnext():
    def forward(m, x):
        x = m.outer(m.stem(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        y = m.inner(m.deep(x).permute(0, 2, 3, 1))
        y = m.scale * m.down(F.gelu(m.up(y)))
        return m.head(x + y.permute(0, 3, 1, 2))

    return Of(
        forward,
        stem=nn.Conv2d(2, 4, 2, 2),
        outer=nn.LayerNorm(4, 1e-6),
        deep=nn.Conv2d(4, 4, 3, padding=1, groups=4),
        inner=nn.LayerNorm(4, 1e-6),
        up=nn.Linear(4, 8),
        down=nn.Linear(8, 4),
        scale=nn.Parameter(torch.full((4,), 0.5)),
        head=_head(4),
    )


@torch_specimen("squeeze and excitation", (2, 8, 8))
def squeeze():
    def forward(m, x):
        x = torch.relu(m.conv(x))
        gate = torch.sigmoid(m.up(torch.relu(m.down(x.mean((2, 3))))))
        return m.head(x * gate[:, :, None, None])

    return Of(forward, conv=nn.Conv2d(2, 6, 3), down=nn.Linear(6, 3), up=nn.Linear(3, 6), head=_head(6))


@torch_specimen("Inception block", (2, 8, 8))
def inception():
    def forward(m, x):
        three = F.relu(m.three(F.relu(m.before(x))))
        pool = F.relu(m.pooled(F.max_pool2d(x, 3, 1, 1)))
        return m.head(torch.cat([F.relu(m.one(x)), three, F.relu(m.five(x)), pool], 1))

    return Of(
        forward,
        one=nn.Conv2d(2, 2, 1),
        before=nn.Conv2d(2, 2, 1),
        three=nn.Conv2d(2, 3, 3, padding=1),
        five=nn.Conv2d(2, 2, 5, padding=2),
        pooled=nn.Conv2d(2, 2, 1),
        head=_head(9),
    )


@torch_specimen("DenseNet block", (2, 8, 8))
def dense_net():
    def forward(m, x):
        for norm, conv in zip(m.norms, m.convs, strict=True):
            x = torch.cat([x, conv(F.relu(norm(x)))], 1)
        return m.head(F.avg_pool2d(m.narrow(F.relu(m.last(x))), 2))

    widths = (2, 5, 8)
    return Of(
        forward,
        norms=nn.ModuleList(nn.BatchNorm2d(w) for w in widths),
        convs=nn.ModuleList(nn.Conv2d(w, 3, 3, padding=1) for w in widths),
        last=nn.BatchNorm2d(11),
        narrow=nn.Conv2d(11, 4, 1),
        head=_head(4),
    )


@torch_specimen("group norm CNN", (2, 8, 8))
def group_norm():
    return nn.Sequential(nn.Conv2d(2, 6, 3), nn.GroupNorm(2, 6), nn.ReLU(), _head(6))


@torch_specimen("instance norm CNN", (2, 8, 8))
def instance_norm():
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.InstanceNorm2d(4, affine=True), nn.SiLU(), _head(4))


@torch_specimen("local response norm CNN", (2, 8, 8))
def local_response():
    return nn.Sequential(nn.Conv2d(2, 6, 3), nn.ReLU(), nn.LocalResponseNorm(3, alpha=0.5), _head(6))


@torch_specimen("capsules with squash", (1, 8, 8))
def capsules():
    def forward(m, x):
        x = torch.relu(m.conv(x)).permute(0, 2, 3, 1).reshape(len(x), -1, 4)
        size = x.square().sum(-1, keepdim=True)
        x = size / (1 + size) * x / torch.sqrt(size + 1e-3)
        total = torch.einsum("nic,ick->nik", x, m.votes).mean(1).unflatten(-1, (3, 2))
        return torch.sqrt(total.square().sum(-1) + 1e-3)

    return Of(forward, conv=nn.Conv2d(1, 8, 3, 2), votes=nn.Parameter(0.3 * torch.randn(18, 4, 6)))


@torch_specimen("convolutional autoencoder", (1, 8, 8), target=(0, 3, 7))
def conv_autoencoder():
    return nn.Sequential(
        nn.Conv2d(1, 3, 3, 2, 1),
        nn.ReLU(),
        nn.Conv2d(3, 2, 3, 2, 1),
        nn.ReLU(),
        nn.ConvTranspose2d(2, 3, 3, 2, 1, 1),
        nn.ReLU(),
        nn.Upsample(scale_factor=2, mode="bilinear"),
        nn.ReflectionPad2d(1),
        nn.Conv2d(3, 1, 3),
        nn.Sigmoid(),
    )


@torch_specimen("pixel shuffle up-sampling", (1, 6, 6), target=(0, 4, 5))
def pixel_shuffle():
    return nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.PReLU(8), nn.Conv2d(8, 4, 3, padding=1), nn.PixelShuffle(2))


@torch_specimen("3-D convolution", (1, 5, 5, 5))
def volume():
    return nn.Sequential(
        nn.Conv3d(1, 3, 2),
        nn.ReLU(),
        nn.MaxPool3d(2),
        nn.Conv3d(3, 3, 2),
        nn.ReLU(),
        nn.AdaptiveAvgPool3d(1),
        nn.Flatten(),
        nn.Linear(3, 3),
    )


@torch_specimen("1-D convolution over time", (3, 16))
def over_time():
    return nn.Sequential(
        nn.Conv1d(3, 5, 3),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.Conv1d(5, 5, 3),
        nn.ReLU(),
        nn.AdaptiveMaxPool1d(1),
        nn.Flatten(),
        nn.Linear(5, 3),
    )


@torch_specimen("dilated TCN", (2, 16))
def tcn():
    def forward(m, x):
        x = m.wide(x)
        for layer, mix, dilation in zip(m.layers, m.mixes, (1, 2, 4), strict=True):
            x = torch.relu(x + mix(torch.relu(layer(F.pad(x, (dilation, 0))))))
        return m.last(x[:, :, -1])

    return Of(
        forward,
        wide=nn.Conv1d(2, 4, 1),
        layers=nn.ModuleList(nn.Conv1d(4, 4, 2, dilation=d) for d in (1, 2, 4)),
        mixes=nn.ModuleList(nn.Conv1d(4, 4, 1) for _ in range(3)),
        last=nn.Linear(4, 3),
    )


@torch_specimen("spectral layer (einsum)", (12,))
def spectral():
    angle = 2 * math.pi * torch.outer(torch.arange(7.0), torch.arange(12.0)) / 12

    def forward(m, x):
        real, imaginary = torch.einsum("ft,nt->nf", angle.cos(), x), torch.einsum("ft,nt->nf", angle.sin(), x)
        return m.last(torch.relu(m.first(torch.log(1 + real**2 + imaginary**2))))

    return Of(forward, first=nn.Linear(7, 6), last=nn.Linear(6, 3))


@torch_specimen("spectral layer (FFT)", (12,))
def fourier():
    def forward(m, x):
        kept = torch.fft.rfft(x) * torch.complex(m.real, m.imaginary)
        return m.last(torch.relu(torch.fft.irfft(kept, n=12)))

    return Of(forward, real=nn.Parameter(torch.randn(7)), imaginary=nn.Parameter(torch.randn(7)), last=nn.Linear(12, 3))
