"""Peak memory of the mask methods: the same for few masks and many, one background sample and many."""

from __future__ import annotations

import subprocess
import sys

import pytest

_SCRIPT = """
import resource, warnings
import numpy as np
import dlexplain as dlx

if {framework!r} == "keras":
    import keras
    model = keras.Sequential([keras.Input((64, 64, 3)), keras.layers.Conv2D(8, 3), keras.layers.GlobalAveragePooling2D()])
    shape = (64, 64, 3)
else:
    from torch import nn
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    shape = (3, 64, 64)
warnings.simplefilter("ignore")
x = np.random.default_rng(0).random((2, *shape), np.float32)


def held():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def ask(masks, orders, background):
    b = np.random.default_rng(1).random((background, *shape), np.float32)
    for method, options in (
        ("rise", dict(samples=masks)),
        ("lime", dict(samples=masks)),
        ("kernel_shap", dict(samples=masks)),
        ("permutation_shapley", dict(samples=orders, segments=16)),
    ):
        dlx.explain(model, x, method, target=0, **options)
        dlx.explain(model, x, method, target=0, baseline=b, batch_size=64, **options)


ask(100, 1, 2)
small = held()
ask(2000, 4, 12)
print(small, held())
"""


@pytest.mark.slow
@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_memory_is_bounded_whatever_the_masks_and_background(framework):
    script = _SCRIPT.format(framework=framework)
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    small, large = map(float, ran.stdout.split()[-2:])
    # 1,900 more masked pictures of 48 KiB, kept all at once, would take 180 MB for 2 samples.
    assert large < small + 60
