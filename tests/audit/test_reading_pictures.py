"""Folders of pictures: every picture that does not fit is named."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from PIL import Image
from torch import nn

import dlexplain as dlx
from dlexplain.audit.reading import read
from dlexplain.errors import InputError


@pytest.fixture
def folder(tmp_path):
    """Three grey pictures of cats, two of dogs, 6 wide and 8 high; each of one shade."""
    root = tmp_path / "pets"
    for name, shades in (("dog", (10, 20)), ("cat", (30, 40, 50))):
        (root / name).mkdir(parents=True)
        for shade in shades:
            Image.fromarray(np.full((8, 6), shade, np.uint8)).save(root / name / f"{shade}.png")
    return root


def grey() -> dlx.Model:
    return dlx.wrap(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(48, 2)), input_shape=(1, 8, 6))


def test_classes_shapes_and_scale(folder):
    data = read(folder, model=grey())
    assert data.class_names == ("cat", "dog")
    assert data.labels.tolist() == [0, 0, 0, 1, 1]
    assert data.inputs.shape == (5, 1, 8, 6)
    assert np.allclose(data.inputs[:, 0, 0, 0] * 255, [30, 40, 50, 10, 20])
    assert any("0 to 1" in note for note in data.notes)


def test_channels_last_and_a_first_layer_that_scales(folder):
    layers = [keras.Input((8, 6, 1)), keras.layers.Rescaling(1 / 255), keras.layers.Flatten(), keras.layers.Dense(2)]
    data = read(folder, model=dlx.wrap(keras.Sequential(layers)))
    assert data.inputs.shape == (5, 8, 6, 1)
    assert data.inputs[0, 0, 0, 0] == 30
    assert any("own first layer" in note for note in data.notes)


def test_a_scale_that_was_asked_for(folder):
    assert np.allclose(read(folder, model=grey(), pixels="signed").inputs[0, 0, 0, 0], 30 / 127.5 - 1)
    assert read(folder, model=grey(), pixels="byte").inputs[0, 0, 0, 0] == 30


def test_a_broken_picture_is_named(folder):
    whole = (folder / "cat" / "30.png").read_bytes()
    (folder / "cat" / "40.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"cat.40\.png is a broken picture"):
        read(folder, model=grey())


def test_a_picture_of_another_size_is_named(folder):
    Image.fromarray(np.zeros((6, 8), np.uint8)).save(folder / "dog" / "10.png")
    with pytest.raises(InputError, match=r"dog.10\.png is 8 by 6 pixels; the model takes 6 by 8"):
        read(folder, model=grey())


def test_colours_for_a_grey_model_are_refused(folder):
    Image.fromarray(np.zeros((8, 6, 3), np.uint8)).save(folder / "dog" / "10.png")
    with pytest.raises(InputError, match=r"dog.10\.png has 3 channels; the model takes 1"):
        read(folder, model=grey())


def test_a_palette_is_refused(folder):
    Image.fromarray(np.zeros((8, 6), np.uint8)).convert("P").save(folder / "dog" / "10.png")
    with pytest.raises(InputError, match=r"dog.10\.png has the mode 'P'"):
        read(folder, model=grey())


def test_what_is_no_picture_is_named(folder):
    (folder / "dog" / "notes.txt").write_text("good boy")
    with pytest.raises(InputError, match=r"dog/notes\.txt is no picture"):
        read(folder, model=grey())


def test_hidden_files_are_no_pictures(folder):
    (folder / "dog" / ".DS_Store").write_text("")
    (folder / ".cache").mkdir()
    assert len(read(folder, model=grey())) == 5


def test_a_folder_without_classes_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no folders"):
        read(tmp_path)


def test_an_empty_class_is_refused(folder):
    (folder / "fish").mkdir()
    with pytest.raises(InputError, match="fish holds no pictures"):
        read(folder, model=grey())


def test_a_class_that_is_only_in_training_keeps_its_number(folder, tmp_path):
    train = tmp_path / "train"
    for name in ("bird", "cat", "dog"):
        (train / name).mkdir(parents=True)
        Image.fromarray(np.zeros((8, 6), np.uint8)).save(train / name / "0.png")
    data = read(folder, model=grey(), train=train)
    assert data.class_names == ("bird", "cat", "dog")
    assert data.labels.tolist() == [1, 1, 1, 2, 2]
    assert data.train[1].tolist() == [0, 1, 2]
