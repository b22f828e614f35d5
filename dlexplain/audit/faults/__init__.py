"""Planted faults: models and explainers with a known fault, by which the audit itself is examined."""

from dlexplain.audit.faults import explainers, models
from dlexplain.audit.faults.clean import CLEAN, Sound, sound
from dlexplain.audit.faults.planted import FAULTS, Fault, Planted, fault

__all__ = ["CLEAN", "FAULTS", "Fault", "Planted", "Sound", "explainers", "fault", "models", "sound"]
