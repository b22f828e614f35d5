"""Which layer a class activation map is read from, and which layers are refused or passed over."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch
from torch import nn

import dlexplain as dlx
from tests.attribution.cam_networks import HALVES, ByClassToken, TorchHalves

ALL = ("gradcam", "gradcam_plus_plus", "hirescam", "layercam", "xgradcam", "scorecam", "eigencam")


def test_behind_the_last_attention_a_class_token_models_patches_are_silent():
    """Why the default is not the last layer, as in the formula tests: there the map would be empty."""
    halves = next(h for h in HALVES if h.name == "torch-by class token")
    model, x = halves.make()
    for layer in ("norm", "blocks.1", "blocks.1.norm2"):
        assert not dlx.explain(model, x, "gradcam", target=1, layer=layer).values.any()
    for layer in ("blocks.0", "blocks.1.norm1", "patch"):
        assert dlx.explain(model, x, "gradcam", target=1, layer=layer).values.any()


class Fused(TorchHalves):
    """Torch's own encoder layers, which run as one fused operation where nobody looks."""

    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True)
        self.embed, self.encoder, self.out = nn.Linear(16, 8), nn.TransformerEncoder(layer, 2), nn.Linear(8, 3)
        self.token = nn.Parameter(torch.randn(1, 1, 8))

    def forward(self, x):
        patches = x.unfold(2, 4, 4).unfold(3, 4, 4).reshape(len(x), 16, 16)
        tokens = torch.cat([self.token.expand(len(x), 1, 8), self.embed(patches)], 1)
        return self.out(self.encoder(tokens)[:, 0])


def test_torchs_own_transformer_is_read_at_what_its_last_layer_is_given():
    torch.manual_seed(0)
    model, x = Fused(), np.random.default_rng(0).random((2, 1, 16, 16), np.float32)
    found = dlx.explain(model, x, "gradcam", target=1)
    assert found.options["layer"] == "encoder.layers.0.norm2"
    assert found.values.any()
    assert dlx.explain(model, x, "eigencam").options["layer"] == "encoder.layers.0.norm2"


def test_a_keras_class_token_model_is_read_before_its_last_attention():
    keras.utils.set_random_seed(1)
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Reshape((16, 6))(keras.layers.Conv2D(6, 2, 2)(inputs))
    x = keras.layers.Concatenate(axis=1)([keras.layers.Dense(6)(x[:, :1]), x])
    for k in range(2):
        h = keras.layers.LayerNormalization(name=f"norm_{k}")(x)
        x = keras.layers.Add()([x, keras.layers.MultiHeadAttention(2, 3)(h, h)])
    x = keras.layers.LayerNormalization(name="final")(x)
    model = keras.Model(inputs, keras.layers.Dense(2)(x[:, 0]))
    found = dlx.explain(model, np.random.default_rng(0).random((2, 8, 8, 1), np.float32), "gradcam", target=1)
    assert found.options["layer"] == "norm_1"
    assert found.values.any()


class _Steps(nn.Module):
    """Attention over steps `(n, 6, 4)`, which may come before the samples, and a head that takes their mean."""

    def __init__(self, mix: nn.Module, before: bool):
        super().__init__()
        torch.manual_seed(5)
        self.norm, self.mix, self.out, self.before = nn.LayerNorm(4), mix, nn.Linear(4, 2), before

    def forward(self, x):
        x = self.norm(x.transpose(0, 1) if self.before else x)
        mixed = self.mix(x, x, x, need_weights=False)[0] if isinstance(self.mix, nn.MultiheadAttention) else self.mix(x)
        return self.out(mixed.mean(0 if self.before else 1))


class _Scored(nn.Module):
    def __init__(self):
        super().__init__()
        self.key, self.value = nn.Linear(4, 3), nn.Linear(4, 4)

    def forward(self, x):
        key = self.key(x)
        return torch.softmax(key @ key.transpose(1, 2), -1) @ self.value(x)


def steps(kind: str) -> tuple[nn.Module, np.ndarray]:
    torch.manual_seed(2)
    before = kind == "time first"
    model = _Steps(_Scored() if kind == "spelled out" else nn.MultiheadAttention(4, 2, batch_first=not before), before)
    return model.eval(), np.random.default_rng(2).standard_normal((3, 6, 4)).astype(np.float32)


@pytest.mark.parametrize("kind", ["samples first", "time first", "spelled out"])
@pytest.mark.parametrize("batch", [1, 3, 6])
def test_a_map_over_steps_lies_along_the_steps(kind, batch):
    """By hand at the attention: its output times its mean gradient over the steps. No layer tells which axis is time."""
    model, x = steps(kind)
    x = np.concatenate([x, -x])[:batch]
    held = []
    handle = model.mix.register_forward_hook(lambda _m, _x, y: held.append(y[0] if isinstance(y, tuple) else y))
    scores = model(torch.tensor(x))
    handle.remove()
    (gradients,) = torch.autograd.grad(scores[:, 1].sum(), held)
    values, gradients = (t.detach().numpy() for t in (held[0], gradients))
    if kind == "time first":
        values, gradients = values.swapaxes(0, 1), gradients.swapaxes(0, 1)
    expected = np.maximum((values * gradients.mean(1, keepdims=True)).sum(-1), 0)
    found = dlx.explain(model, x, "gradcam", target=1, layer="mix")
    np.testing.assert_allclose(found.values, np.repeat(expected[..., None] / 4, 4, 2), atol=1e-6)
    chosen = dlx.explain(model, x, "gradcam", target=1).options["layer"]
    assert chosen == ("norm" if kind == "spelled out" else "mix")  # no name tells that the module is an attention


def test_time_first_and_samples_first_give_one_map():
    (one, x), (two, _) = steps("samples first"), steps("time first")
    two.load_state_dict(one.state_dict())
    for method in ALL:
        maps = [dlx.explain(model, x, method, target=0).values for model in (one, two)]
        np.testing.assert_allclose(*maps, atol=1e-6)


@pytest.mark.parametrize("kind", ["samples first", "spelled out"])
def test_maps_are_the_same_whether_or_not_the_user_says_where_steps_lie(kind):
    model, x = steps(kind)
    told = dlx.wrap(model, layout="channels_last", feature_names=list("abcd"))
    for method in ALL:
        maps = [dlx.explain(asked, x, method, target=0).values for asked in (model, told)]
        np.testing.assert_allclose(*maps, atol=1e-6)
        assert np.ptp(maps[0], axis=2).max() < 1e-6 < np.ptp(maps[0], axis=1).max()


def test_time_before_samples_is_not_misread():
    class Sideways(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.out = nn.LayerNorm(3), nn.Linear(3, 2)

        def forward(self, x):
            return self.out(self.norm(x.permute(2, 0, 1)).mean(0))

    class Upright(Sideways):
        def forward(self, x):
            return self.out(self.norm(x.permute(0, 2, 1)).mean(1))

    sideways, upright = Sideways(), Upright()
    upright.load_state_dict(sideways.state_dict())
    for samples in (4, 6):  # as many samples as steps are no excuse
        x = np.random.default_rng(0).random((samples, 3, 6), np.float32)
        for method in ("gradcam", "scorecam", "eigencam"):
            maps = [
                dlx.explain(dlx.wrap(raw, feature_names=["a", "b", "c"]), x, method, target=0).values
                for raw in (sideways, upright)
            ]
            np.testing.assert_allclose(*maps, atol=1e-6)
            assert np.ptp(maps[0], axis=1).max() < 1e-6 < np.ptp(maps[0], axis=2).max()


def test_class_token_halves_are_the_whole_model():
    """The oracle's own two halves give the model's output."""
    torch.manual_seed(3)
    model, x = ByClassToken().eval(), torch.rand(2, 2, 8, 16)
    torch.testing.assert_close(model(x), model.after(model.before(x)))


def _branches(x):
    a = keras.layers.Conv2D(4, 1, activation="relu")(x)
    b = keras.layers.BatchNormalization()(keras.layers.Conv2D(3, 3, padding="same")(x))
    c = keras.layers.Conv2D(2, 1)(keras.layers.AveragePooling2D(3, 1, "same")(x))
    return keras.layers.Concatenate(name="mixed")([a, keras.layers.ReLU()(b), c])


def _squeezed(x):
    h = keras.layers.BatchNormalization()(keras.layers.Conv2D(6, 3, padding="same")(x))
    share = keras.layers.Dense(6, "sigmoid")(keras.layers.GlobalAveragePooling2D()(h))
    h = keras.layers.Multiply(name="scaled")([h, keras.layers.Reshape((1, 1, 6))(share)])
    return keras.layers.ReLU(name="block_out")(keras.layers.Add()([h, keras.layers.Conv2D(6, 1)(x)]))


@pytest.mark.parametrize(("body", "layer"), [(_branches, "mixed"), (_squeezed, "block_out")])
def test_the_default_layer_is_the_end_of_the_last_block(body, layer):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 1))
    x = body(keras.layers.Conv2D(4, 3, 2, "same", activation="relu")(inputs))
    model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(x)))
    x = np.random.default_rng(0).random((2, 8, 8, 1), np.float32)
    assert dlx.explain(model, x, "gradcam", target=1).options["layer"] == layer


def test_a_recurrent_layer_behind_a_convolution_is_not_taken_for_it():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((18, 3))
    h = keras.layers.Conv1D(5, 3, activation="relu", name="wave")(inputs)
    h = keras.layers.LSTM(5, return_sequences=True)(h)
    model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.GlobalAveragePooling1D()(h)))
    x = np.random.default_rng(0).random((2, 18, 3), np.float32)
    assert dlx.explain(model, x, "gradcam", target=1).options["layer"] == "wave"


class Windows(TorchHalves):
    """Attention within windows: there the first axis counts windows, not samples."""

    def __init__(self):
        super().__init__()
        self.patch, self.norm = nn.Conv2d(1, 8, 2, 2), nn.LayerNorm(8)
        self.attend, self.out = nn.MultiheadAttention(8, 2, batch_first=True), nn.Linear(8, 3)

    def forward(self, x):
        x = self.patch(x).unfold(2, 2, 2).unfold(3, 2, 2)
        windows = self.norm(x.permute(0, 2, 3, 4, 5, 1).reshape(-1, 4, 8))
        return self.out(self.attend(windows, windows, windows)[0].reshape(len(x), -1, 8).mean(1))


@pytest.mark.parametrize("method", ALL)
def test_windows_are_not_taken_for_samples(method):
    torch.manual_seed(0)
    model, x = Windows(), np.random.default_rng(0).random((2, 1, 8, 8), np.float32)
    assert dlx.explain(model, x, method, target=1).options["layer"] == "patch"
    with pytest.raises(dlx.UnsupportedModelError, match=f"{method}: the first axis of layer 'norm'"):
        dlx.explain(model, x, method, target=1, layer="norm")
