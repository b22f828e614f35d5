"""Which layers of two models belong together."""

from __future__ import annotations

import numpy as np
import pytest

import dlexplain as dlx
from dlexplain.widgets import DrawingBoard, ExplanationExplorer, explanation_figure
from dlexplain.widgets.twins import choice_of, in_layout_of, layer_choices, wrapped_twins


@pytest.fixture
def twins(net) -> dict:
    return wrapped_twins({"Torch": net, "Keras": dlx.convert(net, to="keras", input_shape=(1, 8, 8))}, None)


def test_layers_of_twins_are_paired_by_what_they_hold(twins, pictures) -> None:
    samples = {label: in_layout_of(model, pictures) for label, model in twins.items()}
    choices = layer_choices(twins, samples)
    assert len(choices) > 1
    for names in choices.values():
        inside = {k: twins[k].activations(samples[k][:1], [name])[name] for k, name in names.items()}
        np.testing.assert_allclose(
            np.sort(inside["Torch"].ravel()), np.sort(inside["Keras"].ravel()), atol=1e-5, err_msg=str(names)
        )
    assert "1" in {names["Torch"] for names in choices.values()}, (
        "the activation function's own layer is there"
    )


def test_other_models_are_paired_by_the_last_layer_of_equal_shape() -> None:
    from torch import nn

    deep = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(128, 2))
    plain = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.Linear(128, 2))
    models = wrapped_twins({"deep": deep, "plain": plain}, None)
    samples = dict.fromkeys(models, np.ones((1, 1, 8, 8), np.float32))
    for names in layer_choices(models, samples, {"deep": ["1", "3"], "plain": ["1", "2"]}).values():
        assert set(names) == {"deep", "plain"}
    with pytest.raises(dlx.InputError, match="pair up"):
        layer_choices(models, samples, {"deep": ["1"], "plain": []})


def test_a_layer_is_found_by_the_name_in_either_model(twins, pictures) -> None:
    choices = {"a / b": {"Torch": "a", "Keras": "b"}}
    assert choice_of("b", choices) == choice_of("a / b", choices) == "a / b"
    with pytest.raises(dlx.InputError, match="'c'"):
        choice_of("c", choices)


def test_channels_move_only_where_the_shape_asks_for_it(twins) -> None:
    last = np.zeros((2, 8, 8, 1), np.float32)
    assert in_layout_of(twins["Torch"], last).shape == (2, 1, 8, 8)
    assert in_layout_of(twins["Keras"], last).shape == (2, 8, 8, 1)
    assert in_layout_of(twins["Keras"], np.moveaxis(last, -1, 1)).shape == (2, 8, 8, 1)
    assert in_layout_of(twins["Torch"], np.moveaxis(last, -1, 1)).shape == (2, 1, 8, 8)


def two_inputs(framework: str):
    """A model that adds up two inputs of different widths."""
    if framework == "torch":
        from torch import nn

        class Both(nn.Module):
            def forward(self, a, b):
                return a[:, :2] + b[:, :2]

        return Both().eval()
    import keras

    a, b = keras.Input((4,), name="left"), keras.Input((3,), name="right")
    return keras.Model([a, b], keras.layers.Dense(2)(keras.layers.Concatenate()([a, b])))


@pytest.mark.parametrize("framework", ["keras", "torch"])
def test_a_model_of_several_inputs_is_refused_with_the_call_that_draws_them(framework) -> None:
    model = two_inputs(framework)
    inputs = (np.ones((5, 4), np.float32), np.ones((5, 3), np.float32))
    for ask in (
        lambda: ExplanationExplorer(model, inputs),
        lambda: ExplanationExplorer({"one": model}, {"one": inputs}),
        lambda: explanation_figure(model, inputs, method="saliency"),
    ):
        with pytest.raises(dlx.UnsupportedModelError, match=r"takes 2 inputs.*dlx\.explain\(model, \(a, b\)\)\.plot"):
            ask()
    assert dlx.explain(model, inputs, "saliency", target=0).plot().alt.count("Input ") == 10, "and that call draws both"


def test_a_drawing_board_refuses_several_inputs_by_their_names() -> None:
    with pytest.raises(dlx.UnsupportedModelError, match=r"takes 2 inputs \(left, right\)"):
        DrawingBoard(two_inputs("keras"))


def test_samples_of_different_shapes_are_refused_in_words(net) -> None:
    with pytest.raises(dlx.InputError, match="samples differ in shape"):
        ExplanationExplorer(net, [np.ones((1, 8, 8)), np.ones((1, 4, 8))])
