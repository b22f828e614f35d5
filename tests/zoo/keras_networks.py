"""Keras: whole networks of `keras.applications`, without weights."""

from __future__ import annotations

import keras

from tests.zoo.keras_specimens import keras_specimen


@keras_specimen("keras.applications MobileNetV2", (32, 32, 3))
def mobile_net():
    return keras.applications.MobileNetV2((32, 32, 3), alpha=0.35, weights=None, classes=5)


@keras_specimen("keras.applications ResNet50V2", (32, 32, 3))
def resnet():
    return keras.applications.ResNet50V2(weights=None, input_shape=(32, 32, 3), classes=5, classifier_activation=None)


@keras_specimen("keras.applications EfficientNetB0", (32, 32, 3), scale=60)
def efficient_net():
    return keras.applications.EfficientNetB0(weights=None, input_shape=(32, 32, 3), classes=5)


@keras_specimen("keras.applications DenseNet121", (32, 32, 3))
def dense_net_121():
    return keras.applications.DenseNet121(weights=None, input_shape=(32, 32, 3), classes=5, classifier_activation=None)
