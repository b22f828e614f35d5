"""Every layer of `keras.layers` that holds activations: its books balance on the operation graph, or it is refused."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
from keras import layers as L

import dlexplain as dlx
from dlexplain.errors import UnsupportedModelError
from dlexplain.frameworks.questions import Target

pytestmark = pytest.mark.slow  # a sweep: each case is quick, all together are not

IMAGE, SERIES, FLAT, VOLUME = (8, 8, 4), (6, 4), (6,), (6, 6, 6, 2)


def whole(size: int) -> tuple[int | str, ...]:
    """Whole numbers that name categories."""
    return (size, "int32")


def one(layer: Callable[[], L.Layer], *shapes: tuple[int | str, ...]) -> Callable[[], keras.Model]:
    """The layer between the inputs and a linear head."""

    def build() -> keras.Model:
        inputs = [keras.Input(s[:-1], dtype=s[-1]) if s[-1] == "int32" else keras.Input(s) for s in shapes]
        hidden = layer()(inputs[0] if len(inputs) == 1 else inputs)
        hidden = keras.ops.cast(hidden, "float32") if hidden.dtype != "float32" else hidden
        return keras.Model(inputs, L.Dense(2)(L.Flatten()(hidden)))

    return build


def attended(layer: Callable[[], L.Layer], **options) -> Callable[[], keras.Model]:
    def build() -> keras.Model:
        query, value = keras.Input((4, 6)), keras.Input((5, 6))
        return keras.Model([query, value], L.Dense(2)(L.Flatten()(layer()(query, value, **options))))

    return build


def itself(layer: Callable[[], L.Layer], **options) -> Callable[[], keras.Model]:
    def build() -> keras.Model:
        x = keras.Input((4, 6))
        return keras.Model(x, L.Dense(2)(L.Flatten()(layer()(x, x, **options))))

    return build


def pairwise(layer: Callable[[], L.Layer]) -> Callable[[], keras.Model]:
    def build() -> keras.Model:
        query, value = keras.Input((4, 6)), keras.Input((4, 6))
        return keras.Model([query, value], L.Dense(2)(L.Flatten()(layer()([query, value]))))

    return build


def masked(layer: Callable[[], L.Layer]) -> Callable[[], keras.Model]:
    def build() -> keras.Model:
        x = keras.Input((5, 3))
        return keras.Model(x, L.Dense(2)(L.Flatten()(layer()(L.Masking(0.0)(x)))))

    return build


def tokens(layer: Callable[[], L.Layer], masks: bool = True) -> Callable[[], keras.Model]:
    def build() -> keras.Model:
        ids = keras.Input((5,), dtype="int32")
        return keras.Model(ids, L.Dense(2)(L.Flatten()(layer()(L.Embedding(9, 6, mask_zero=masks)(ids)))))

    return build


def cell(layer: Callable[[], L.Layer], states: int) -> Callable[[], keras.Model]:
    """One step of a cell from states that come from the input too."""

    def build() -> keras.Model:
        x = keras.Input((4,))
        before = [L.Dense(3, "tanh")(x) for _ in range(states)]
        output, _ = layer()(x, before if states > 1 else before[0])
        return keras.Model(x, L.Dense(2)(output))

    return build


@keras.saving.register_keras_serializable("tests")
class Leaky(L.Layer):
    """A recurrent cell of a user's own, with a gate."""

    state_size = output_size = 3

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], 3))
        self.loop = self.add_weight(shape=(3, 3))

    def call(self, x, states):
        gate = keras.ops.sigmoid(x @ self.kernel)
        state = gate * states[0] + (1 - gate) * keras.ops.tanh(states[0] @ self.loop + x @ self.kernel)
        return state, [state]


@keras.saving.register_keras_serializable("tests")
class SelfAttention(L.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        self.mix = L.MultiHeadAttention(2, 3)
        self.supports_masking = True

    def build(self, shape):
        self.mix.build(shape, shape)

    def call(self, x):
        return self.mix(x, x)


ACTIVATIONS = sorted(
    name
    for name in dir(keras.activations)
    if callable(getattr(keras.activations, name))
    and name not in ("deserialize", "get", "serialize", "threshold", "glu")
)
# Augmentation does nothing in inference but resize.
AUGMENTATIONS: dict[str, Callable[[], L.Layer]] = {
    "AugMix": lambda: L.AugMix((0, 1)),
    "CutMix": L.CutMix,
    "MixUp": L.MixUp,
    "RandAugment": lambda: L.RandAugment((0, 1)),
    "RandomBrightness": lambda: L.RandomBrightness(0.2, (0, 1)),
    "RandomColorDegeneration": lambda: L.RandomColorDegeneration(0.2),
    "RandomColorJitter": lambda: L.RandomColorJitter((0, 1), 0.2),
    "RandomContrast": lambda: L.RandomContrast(0.2),
    "RandomCrop": lambda: L.RandomCrop(8, 8),
    "RandomElasticTransform": L.RandomElasticTransform,
    "RandomErasing": L.RandomErasing,
    "RandomFlip": L.RandomFlip,
    "RandomGaussianBlur": L.RandomGaussianBlur,
    "RandomGrayscale": L.RandomGrayscale,
    "RandomHue": lambda: L.RandomHue(0.2, (0, 1)),
    "RandomInvert": L.RandomInvert,
    "RandomPerspective": L.RandomPerspective,
    "RandomPosterization": lambda: L.RandomPosterization(4),
    "RandomRotation": lambda: L.RandomRotation(0.1),
    "RandomSaturation": lambda: L.RandomSaturation(0.2),
    "RandomSharpness": lambda: L.RandomSharpness(0.2),
    "RandomShear": lambda: L.RandomShear(0.1, 0.1),
    "RandomTranslation": lambda: L.RandomTranslation(0.1, 0.1),
    "RandomZoom": lambda: L.RandomZoom(0.1),
}

CASES: dict[str, Callable[[], keras.Model]] = {
    **{f"Activation {name}": one(lambda name=name: L.Activation(name), FLAT) for name in ACTIVATIONS},
    "Activation threshold": one(lambda: L.Activation(lambda x: keras.activations.threshold(x, 0.5, 2.0)), FLAT),
    "Activation glu": one(lambda: L.Lambda(keras.activations.glu, output_shape=(3,)), FLAT),
    **{name: one(layer, (8, 8, 3)) for name, layer in AUGMENTATIONS.items()},
    "ActivityRegularization": one(L.ActivityRegularization, FLAT),
    "AdaptiveAveragePooling1D": one(lambda: L.AdaptiveAveragePooling1D(4), SERIES),
    "AdaptiveAveragePooling2D": one(lambda: L.AdaptiveAveragePooling2D(3), IMAGE),
    "AdaptiveAveragePooling3D": one(lambda: L.AdaptiveAveragePooling3D(4), VOLUME),
    "AdaptiveMaxPooling1D": one(lambda: L.AdaptiveMaxPooling1D(4), SERIES),
    "AdaptiveMaxPooling2D": one(lambda: L.AdaptiveMaxPooling2D(3), IMAGE),
    "AdaptiveMaxPooling3D": one(lambda: L.AdaptiveMaxPooling3D(4), VOLUME),
    "Add": one(L.Add, FLAT, FLAT),
    "AdditiveAttention": pairwise(L.AdditiveAttention),
    "AlphaDropout": one(lambda: L.AlphaDropout(0.5), FLAT),
    "Attention": pairwise(lambda: L.Attention(use_scale=True)),
    "Attention concat": pairwise(lambda: L.Attention(score_mode="concat")),
    "AutoContrast": one(lambda: L.AutoContrast(value_range=(0, 1)), (8, 8, 3)),
    "Average": one(L.Average, FLAT, FLAT),
    "AveragePooling1D": one(lambda: L.AveragePooling1D(2), SERIES),
    "AveragePooling2D": one(lambda: L.AveragePooling2D(3, 2, "same"), IMAGE),
    "AveragePooling3D": one(lambda: L.AveragePooling3D(2), VOLUME),
    "BatchNormalization": one(L.BatchNormalization, IMAGE),
    "Bidirectional": one(lambda: L.Bidirectional(L.LSTM(3, return_sequences=True)), SERIES),
    "Bidirectional mul": one(lambda: L.Bidirectional(L.GRU(3), merge_mode="mul"), SERIES),
    "CategoryEncoding": one(lambda: L.CategoryEncoding(9, "multi_hot"), whole(5)),
    "CategoryEncoding count": one(lambda: L.CategoryEncoding(9, "count"), whole(5)),
    "CenterCrop": one(lambda: L.CenterCrop(4, 5), IMAGE),
    "CenterCrop resize": one(lambda: L.CenterCrop(10, 12), IMAGE),
    "Concatenate": one(lambda: L.Concatenate(1), FLAT, FLAT),
    "ContrastLimitedAdaptiveHistogramEqualization": one(
        lambda: L.ContrastLimitedAdaptiveHistogramEqualization(value_range=(0, 1)), (8, 8, 3)
    ),
    "Conv1D": one(lambda: L.Conv1D(3, 3, activation="relu"), SERIES),
    "Conv1D causal dilated": one(lambda: L.Conv1D(3, 2, padding="causal", dilation_rate=2), SERIES),
    "Conv1D strided same": one(lambda: L.Conv1D(3, 3, 2, "same", activation="silu"), SERIES),
    "Conv1DTranspose": one(lambda: L.Conv1DTranspose(3, 3, 2, activation="gelu"), SERIES),
    "Conv2D": one(lambda: L.Conv2D(3, 3, 2, "same", activation="relu"), IMAGE),
    "Conv2D dilated": one(lambda: L.Conv2D(3, 3, dilation_rate=2, activation="elu"), IMAGE),
    "Conv2D groups": one(lambda: L.Conv2D(4, 3, groups=2, activation="relu"), IMAGE),
    "Conv2D channels first": one(lambda: L.Conv2D(3, 3, data_format="channels_first", activation="relu"), (4, 8, 8)),
    "Conv2DTranspose": one(lambda: L.Conv2DTranspose(3, 3, 2, "same", activation="relu"), IMAGE),
    "Conv3D": one(lambda: L.Conv3D(3, 3, activation="relu"), VOLUME),
    "Conv3DTranspose": one(lambda: L.Conv3DTranspose(3, 2, 2, activation="relu"), VOLUME),
    "ConvLSTM1D": one(lambda: L.ConvLSTM1D(2, 3), (3, 6, 2)),
    "ConvLSTM2D": one(lambda: L.ConvLSTM2D(2, 3, return_sequences=True), (3, 6, 6, 2)),
    "ConvLSTM3D": one(lambda: L.ConvLSTM3D(2, 2), (2, 4, 4, 4, 2)),
    "Cropping1D": one(lambda: L.Cropping1D(1), SERIES),
    "Cropping2D": one(lambda: L.Cropping2D(2), IMAGE),
    "Cropping3D": one(lambda: L.Cropping3D(1), VOLUME),
    "Dense": one(lambda: L.Dense(4, "relu"), SERIES),
    "DepthwiseConv1D": one(lambda: L.DepthwiseConv1D(3, depth_multiplier=2, activation="relu"), SERIES),
    "DepthwiseConv2D": one(lambda: L.DepthwiseConv2D(3, 2, activation="relu"), IMAGE),
    "DepthwiseConv2D dilated": one(lambda: L.DepthwiseConv2D(3, dilation_rate=2, padding="same"), IMAGE),
    "Discretization": one(lambda: L.Discretization([-1.0, 0.0, 1.0], output_mode="int"), FLAT),
    "Discretization one hot": one(lambda: L.Discretization([-1.0, 0.0, 1.0], output_mode="one_hot"), FLAT),
    "Dot": one(lambda: L.Dot(1), FLAT, FLAT),
    "Dot normalised": one(lambda: L.Dot(-1, normalize=True), SERIES, SERIES),
    "Dropout": one(lambda: L.Dropout(0.5), FLAT),
    "ELU": one(L.ELU, FLAT),
    "EinsumDense": one(lambda: L.EinsumDense("abc,cd->abd", (6, 5), bias_axes="d", activation="relu"), SERIES),
    "Embedding": tokens(lambda: L.Activation("tanh"), False),
    "Equalization": one(lambda: L.Equalization(value_range=(0, 1)), (8, 8, 3)),
    "Flatten": one(L.Flatten, IMAGE),
    "GRU": one(lambda: L.GRU(3), SERIES),
    "GRU sequences, not after": one(lambda: L.GRU(3, return_sequences=True, reset_after=False), SERIES),
    "GRU tokens masked": tokens(lambda: L.GRU(3)),
    "GRUCell": cell(lambda: L.GRUCell(3), 1),
    "GaussianDropout": one(lambda: L.GaussianDropout(0.5), FLAT),
    "GaussianNoise": one(lambda: L.GaussianNoise(0.5), FLAT),
    **{
        f"Global{kind}Pooling{rank}D": one(getattr(L, f"Global{kind}Pooling{rank}D"), shape)
        for kind in ("Average", "Max")
        for rank, shape in ((1, SERIES), (2, IMAGE), (3, VOLUME))
    },
    "GlobalAveragePooling1D masked": masked(L.GlobalAveragePooling1D),
    "GroupNormalization": one(lambda: L.GroupNormalization(2), IMAGE),
    "GroupNormalization instance": one(lambda: L.GroupNormalization(-1), IMAGE),
    "GroupedQueryAttention": attended(lambda: L.GroupQueryAttention(3, 4, 2)),
    "HashedCrossing": one(lambda: L.HashedCrossing(7), whole(1), whole(1)),
    "Hashing": one(lambda: L.Hashing(7), whole(5)),
    "Identity": one(L.Identity, FLAT),
    "IntegerLookup": one(lambda: L.IntegerLookup(vocabulary=[1, 2, 3]), whole(5)),
    "LSTM": one(lambda: L.LSTM(3), SERIES),
    "LSTM backwards, sequences": one(lambda: L.LSTM(3, go_backwards=True, return_sequences=True), SERIES),
    "LSTM unrolled": one(lambda: L.LSTM(3, unroll=True), SERIES),
    "LSTM tokens masked": tokens(lambda: L.LSTM(3, return_sequences=True)),
    "LSTM values masked": masked(lambda: L.LSTM(3)),
    "LSTMCell": cell(lambda: L.LSTMCell(3), 2),
    "Lambda": one(lambda: L.Lambda(lambda x: keras.ops.sin(x) * x), FLAT),
    "LayerNormalization": one(L.LayerNormalization, SERIES),
    "LayerNormalization two axes": one(lambda: L.LayerNormalization((1, 2)), SERIES),
    "LeakyReLU": one(L.LeakyReLU, FLAT),
    "Masking": masked(lambda: L.Dense(3)),
    "MaxPooling1D": one(lambda: L.MaxPooling1D(2), SERIES),
    "MaxPooling2D": one(lambda: L.MaxPooling2D(3, 2, "same"), IMAGE),
    "MaxPooling3D": one(lambda: L.MaxPooling3D(2), VOLUME),
    "MaxPooling2D channels first": one(lambda: L.MaxPooling2D(2, data_format="channels_first"), (4, 8, 8)),
    "Maximum": one(L.Maximum, FLAT, FLAT),
    "MelSpectrogram": one(lambda: L.MelSpectrogram(32, 16, 32, sampling_rate=1000, num_mel_bins=8), (128,)),
    "Minimum": one(L.Minimum, FLAT, FLAT),
    "MultiHeadAttention": attended(lambda: L.MultiHeadAttention(2, 3)),
    "MultiHeadAttention causal": itself(lambda: L.MultiHeadAttention(2, 3), use_causal_mask=True),
    "MultiHeadAttention flash off, tokens masked": tokens(lambda: SelfAttention()),
    "Multiply": one(L.Multiply, FLAT, FLAT),
    "Multiply three": one(L.Multiply, FLAT, FLAT, FLAT),
    "Normalization": one(lambda: L.Normalization(mean=[0.5] * 6, variance=[2.0] * 6), FLAT),
    "PReLU": one(lambda: L.PReLU("uniform"), FLAT),
    "Permute": one(lambda: L.Permute((2, 1)), SERIES),
    "Pipeline": one(lambda: L.Pipeline([L.Rescaling(0.5), L.CenterCrop(4, 4)]), IMAGE),
    "RMSNormalization": one(L.RMSNormalization, SERIES),
    "RNN": one(lambda: L.RNN(Leaky()), SERIES),
    "ReLU": one(lambda: L.ReLU(1.0, 0.1, 0.2), FLAT),
    "RepeatVector": one(lambda: L.RepeatVector(3), FLAT),
    "Rescaling": one(lambda: L.Rescaling(0.1, 3.0), FLAT),
    "Reshape": one(lambda: L.Reshape((2, -1)), FLAT),
    **{
        f"Resizing {how}": one(lambda how=how: L.Resizing(5, 11, how), IMAGE)
        for how in ("bilinear", "nearest", "bicubic", "lanczos3", "area")
    },
    "Resizing crop": one(lambda: L.Resizing(5, 9, crop_to_aspect_ratio=True), IMAGE),
    "Resizing pad": one(lambda: L.Resizing(5, 9, pad_to_aspect_ratio=True), IMAGE),
    "ReversibleEmbedding": tokens(lambda: L.Activation("tanh"), False),
    "STFTSpectrogram": one(lambda: L.STFTSpectrogram("log", 32, 16, 32), (128, 1)),
    "SeparableConv1D": one(lambda: L.SeparableConv1D(3, 3, activation="relu"), SERIES),
    "SeparableConv2D": one(lambda: L.SeparableConv2D(3, 3, activation="relu"), IMAGE),
    "SimpleRNN": one(lambda: L.SimpleRNN(3, return_sequences=True), SERIES),
    "SimpleRNNCell": cell(lambda: L.SimpleRNNCell(3), 1),
    "Softmax": one(L.Softmax, FLAT),
    "Softmax other axis": one(lambda: L.Softmax(1), SERIES),
    "Softmax two axes": one(lambda: L.Softmax((1, 2)), SERIES),
    "Solarization": one(lambda: L.Solarization(0.5, 0.5, value_range=(0, 1)), (8, 8, 3)),
    "SpatialDropout1D": one(lambda: L.SpatialDropout1D(0.5), SERIES),
    "SpatialDropout2D": one(lambda: L.SpatialDropout2D(0.5), IMAGE),
    "SpatialDropout3D": one(lambda: L.SpatialDropout3D(0.5), VOLUME),
    "SpectralNormalization": one(lambda: L.SpectralNormalization(L.Dense(4, "relu")), FLAT),
    "StackedRNNCells": one(lambda: L.RNN(L.StackedRNNCells([L.LSTMCell(3), L.GRUCell(2)])), SERIES),
    "Subtract": one(L.Subtract, FLAT, FLAT),
    "TimeDistributed": one(lambda: L.TimeDistributed(L.Dense(3, "relu")), SERIES),
    "UnitNormalization": one(L.UnitNormalization, FLAT),
    "UpSampling1D": one(lambda: L.UpSampling1D(2), SERIES),
    **{
        f"UpSampling2D {how}": one(lambda how=how: L.UpSampling2D(2, interpolation=how), IMAGE)
        for how in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
    },
    "UpSampling3D": one(lambda: L.UpSampling3D(2), VOLUME),
    "ZeroPadding1D": one(lambda: L.ZeroPadding1D(1), SERIES),
    "ZeroPadding2D": one(lambda: L.ZeroPadding2D(1), IMAGE),
    "ZeroPadding3D": one(lambda: L.ZeroPadding3D(1), VOLUME),
}


# What is refused, and by which operation: the runs choose different places, or words have no difference.
REFUSED = {
    "Activation sparsemax": "TopKV2.*sorts",
    "ContrastLimitedAdaptiveHistogramEqualization": "GatherV2.*takes its places",
    "HashedCrossing": "no rule",
    "Hashing": "no rule",
}
# Bases, other programs, text and boxes.
NO_ACTIVATIONS = {
    "Layer", "InputLayer", "InputSpec", "Wrapper", "FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper",
    "StringLookup", "TextVectorization", "MaxNumBoundingBoxes",
}  # fmt: skip


def build(name: str) -> tuple[keras.Model, tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """The model with seeded weights, three samples and a background of two."""
    keras.utils.set_random_seed(3)
    model = CASES[name]()
    generator = np.random.default_rng(len(name))
    for weight in model.weights:
        if weight.path.split("/")[-1] in ("gamma", "moving_variance", "beta", "moving_mean", "bias", "alpha"):
            weight.assign(generator.uniform(0.2, 1.5, weight.shape))

    def some(n: int, about: float) -> tuple[np.ndarray, ...]:
        return tuple(
            generator.integers(0, 9, (n, *t.shape[1:]))
            if t.dtype == "int32"
            else generator.normal(about, 1, (n, *t.shape[1:])).astype(np.float32)
            for t in model.inputs
        )

    return model, some(3, 0.7), some(2, 0)


@pytest.mark.parametrize("name", CASES)
def test_a_layers_books_balance(name):
    raw, x, references = build(name)
    model = dlx.wrap(raw)
    goal = Target(np.ones((3, 1), np.int64))
    if name in REFUSED:
        with pytest.raises(UnsupportedModelError, match=REFUSED[name]):
            model.contributions(x, references, goal, 64, background=True)
        return
    shared = model.contributions(x, references, goal, 64, background=True)
    padding = model.embedded_scores if model.token_inputs(x)[0] is not None else None
    before = (
        padding(x, references, goal, 64, background=True)
        if padding is not None
        else model.outputs(references)[0][:, 1].mean()
    )
    change = model.outputs(x)[0][:, 1] - before
    assert np.abs(change).max() > 1e-3
    assert np.abs(sum(s.reshape(3, -1).sum(1) for s in shared) - change).max() < 1e-4 * np.abs(change).max()


def test_the_table_names_every_layer_of_keras():
    public = {kind.__name__ for kind in vars(L).values() if isinstance(kind, type)}
    assert public - {name.partition(" ")[0] for name in CASES} == NO_ACTIVATIONS
