"""What the audited model answers at inputs that are not in its data: outputs, decisions, probabilities."""

from __future__ import annotations

import numpy as np

from dlexplain.audit.answers import as_probabilities
from dlexplain.audit.subject import Subject
from dlexplain.frameworks.questions import Inputs


def outputs_at(subject: Subject, inputs: Inputs) -> np.ndarray:
    """`(n, outputs)`, float64."""
    found = subject.model.all_outputs(inputs, subject.rows)[0]
    return found.reshape(len(found), -1).astype(np.float64)


def probabilities(subject: Subject, outputs: np.ndarray) -> np.ndarray:
    """`(n, classes)`: the outputs read as the subject's own were, as logits or as probabilities."""
    own = subject.outputs.reshape(len(subject), -1)
    return as_probabilities(np.concatenate([own, outputs]))[0][len(own) :]


def decided(subject: Subject, outputs: np.ndarray) -> np.ndarray:
    """`(n,)`: the class that each row of outputs stands for."""
    return probabilities(subject, outputs).argmax(1)
