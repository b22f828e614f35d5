"""Torch: deep networks of pictures, written after their papers: residual, inverted residual, MobileNetV2, ResNet."""

from __future__ import annotations

import math

from torch import nn

from tests.zoo.torch_specimens import torch_specimen


def _head(width, units=3):
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, units))


class Residual(nn.Module):
    """The basic block of He and others (2015): one ReLU used twice, in place, as stock networks have it."""

    def __init__(self, before, after, stride):
        super().__init__()
        self.one, self.first = nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after)
        self.two, self.second = nn.Conv2d(after, after, 3, 1, 1, bias=False), nn.BatchNorm2d(after)
        self.relu = nn.ReLU(inplace=True)
        self.short = nn.Identity() if stride == 1 and before == after else _projection(before, after, stride)

    def forward(self, x):
        y = self.second(self.two(self.relu(self.first(self.one(x)))))
        y += self.short(x)
        return self.relu(y)


class Bottleneck(nn.Module):
    """The block of ResNet-50 and deeper: 1x1, 3x3, 1x1 to four times the width."""

    def __init__(self, before, width, stride):
        super().__init__()
        after = 4 * width
        self.one, self.first = nn.Conv2d(before, width, 1, bias=False), nn.BatchNorm2d(width)
        self.two, self.second = nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.three, self.third = nn.Conv2d(width, after, 1, bias=False), nn.BatchNorm2d(after)
        self.relu = nn.ReLU(inplace=True)
        self.short = nn.Identity() if stride == 1 and before == after else _projection(before, after, stride)

    def forward(self, x):
        y = self.relu(self.first(self.one(x)))
        y = self.third(self.three(self.relu(self.second(self.two(y)))))
        y += self.short(x)
        return self.relu(y)


def _projection(before, after, stride):
    return nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))


def _resnet(block, depths, expansion):
    """At a quarter of the stock width, so that it runs in a test."""
    layers, width = (
        [nn.Conv2d(3, 16, 7, 2, 3, bias=False), nn.BatchNorm2d(16), nn.ReLU(True), nn.MaxPool2d(3, 2, 1)],
        16,
    )
    for stage, depth in enumerate(depths):
        for number in range(depth):
            layers.append(block(width, 16 << stage, 2 if stage and not number else 1))
            width = expansion * (16 << stage)
    return nn.Sequential(*layers, _head(width, 5))


@torch_specimen("residual network", (2, 8, 8))
def residual():
    return nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), Residual(4, 4, 1), Residual(4, 6, 2), _head(6))


@torch_specimen("ResNet-18", (3, 32, 32))
def resnet_18():
    return _resnet(Residual, (2, 2, 2, 2), 1)


@torch_specimen("ResNet-50", (3, 32, 32))
def resnet_50():
    return _resnet(Bottleneck, (3, 4, 6, 3), 4)


class Inverted(nn.Module):
    """The inverted residual of Sandler and others (2018)."""

    def __init__(self, before, after, stride, expand):
        super().__init__()
        inner = before * expand
        wide = [nn.Conv2d(before, inner, 1, bias=False), nn.BatchNorm2d(inner), nn.ReLU6(True)] if expand > 1 else []
        self.path = nn.Sequential(
            *wide,
            nn.Conv2d(inner, inner, 3, stride, 1, groups=inner, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU6(True),
            nn.Conv2d(inner, after, 1, bias=False),
            nn.BatchNorm2d(after),
        )
        self.adds = stride == 1 and before == after

    def forward(self, x):
        return x + self.path(x) if self.adds else self.path(x)


@torch_specimen("inverted residual", (4, 8, 8))
def inverted_residual():
    return nn.Sequential(Inverted(4, 4, 1, 2), Inverted(4, 6, 2, 2), _head(6))


@torch_specimen("MobileNetV2", (3, 32, 32))
def mobile_net():
    width, layers = 16, [nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU6(True)]
    # expansion, channels, repeats, stride: table 2 of the paper, at 0.35 of its width
    for expand, channels, repeats, stride in (
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)
    ):  # fmt: skip
        after = max(8, math.ceil(0.35 * channels / 8) * 8)
        for number in range(repeats):
            layers.append(Inverted(width, after, stride if not number else 1, expand))
            width = after
    top = [nn.Conv2d(width, 1280, 1, bias=False), nn.BatchNorm2d(1280), nn.ReLU6(True)]
    return nn.Sequential(*layers, *top, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(1280, 5))
