"""A small network with hand-set weights, and its inputs: what it decides can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn


@pytest.fixture
def net() -> nn.Module:
    """8 x 8 pictures, two classes: class 0 counts ink in the left half, class 1 in the right half."""
    net = nn.Sequential(
        nn.Conv2d(1, 2, 1, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(128, 2, bias=False)
    )
    with torch.no_grad():
        net[0].weight[:] = torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1)
        sides = torch.zeros(2, 2, 8, 8)
        sides[0, 0, :, :4] = 1.0
        sides[1, 0, :, 4:] = 1.0
        net[3].weight[:] = sides.reshape(2, 128)
    return net.eval()


@pytest.fixture
def pictures() -> np.ndarray:
    """Four pictures `(4, 1, 8, 8)`: ink to the left, to the right, both, everywhere."""
    pictures = np.zeros((4, 1, 8, 8), np.float32)
    pictures[0, 0, 2:6, 1] = 1
    pictures[1, 0, 2:6, 6] = 1
    pictures[2, 0, 2:6, [1, 6]] = 0.5
    pictures[3] = 0.25
    return pictures
