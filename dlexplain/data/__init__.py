"""Data to learn from: a catalogue with licences and checksums, one `load`, data with a known truth."""

from __future__ import annotations

from dlexplain.data.commands import command_get, command_list
from dlexplain.data.dataset import Dataset
from dlexplain.data.fleet import by_machine, fleet
from dlexplain.data.generators import planted_table, shapes, spirals, two_moons
from dlexplain.data.listing import catalogue
from dlexplain.data.loading import load
from dlexplain.data.speech import spectrogram, spectrograms
from dlexplain.data.turbofan import EngineDataset

__all__ = [
    "Dataset",
    "EngineDataset",
    "by_machine",
    "catalogue",
    "command_get",
    "command_list",
    "fleet",
    "load",
    "planted_table",
    "shapes",
    "spectrogram",
    "spectrograms",
    "spirals",
    "two_moons",
]
