"""MLflow inside this very process: no server, nothing over the network, nothing reported home."""

from __future__ import annotations

import importlib
import logging
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

INSTALL = 'pip install "dlexplain[tracking]"'


def embedded(folder: Path) -> Any:
    """The `mlflow` package, writing into files below `folder`; None where it is not installed."""
    if find_spec("mlflow") is None:
        return None
    # Both are read when the package comes in. Plain files need no database; MLflow asks to be told that we mean it.
    os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true", MLFLOW_ALLOW_FILE_STORE="true")
    mlflow = importlib.import_module("mlflow")
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    mlflow.set_tracking_uri(Path(folder).absolute().as_uri())
    return mlflow
