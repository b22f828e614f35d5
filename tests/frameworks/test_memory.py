"""Peak memory does not grow with steps, windows or samples: measured in processes of their own."""

from __future__ import annotations

import subprocess
import sys

import pytest

_SCRIPT = """
import os, resource
os.environ.update(OMP_NUM_THREADS="1", TF_CPP_MIN_LOG_LEVEL="3")
import numpy as np
import dlexplain as dlx
framework, steps, stride, background = {framework!r}, {steps}, {stride}, {background}
rng = np.random.default_rng(0)
if framework == "torch":
    import torch
    from torch import nn
    model = nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 2))
    x = rng.random((2, 3, 64, 64), np.float32)
else:
    import keras
    model = keras.Sequential([keras.Input((64, 64, 3)), keras.layers.Conv2D(16, 3, activation="relu"),
                              keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)])
    x = rng.random((2, 64, 64, 3), np.float32)
import warnings
warnings.simplefilter("ignore")
if steps:
    dlx.explain(model, x, steps=steps)
elif background:
    dlx.explain(model, x, "deepshap", baseline=rng.random((background, *x.shape[1:]), np.float32))
else:
    dlx.explain(model, x, "occlusion", window=16, stride=stride)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def _peak(framework: str, steps: int = 0, stride: int = 0, background: int = 0) -> float:
    script = _SCRIPT.format(framework=framework, steps=steps, stride=stride, background=background)
    return float(
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()[-1]
    )


@pytest.mark.slow
@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_memory_is_bounded_whatever_the_steps_and_windows(framework):
    # One step more of 2 pictures holds 2 x 64 x 64 x 19 floats: kept all at once, 1024 steps would take over 600 MB more.
    assert _peak(framework, steps=1024) < _peak(framework, steps=64) + 150
    # 2,401 windows of full boolean masks and pictures would take over 200 MB more than 169.
    assert _peak(framework, stride=1) < _peak(framework, stride=4) + 150


@pytest.mark.slow
@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_memory_is_bounded_whatever_the_background(framework):
    # 400 pairs of a picture and a reference fill a batch. A pair holds some 64 x 64 x 19 floats several times over: 1,600
    # at once would take over 400 MB more; the 600 references more that are given take 30.
    assert _peak(framework, background=800) < _peak(framework, background=200) + 150
