"""Keeps TensorFlow's log to the process itself out of a notebook's cells."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import logging
import os
import sys
import tempfile
from collections.abc import Iterator


def hush_tensorflow() -> None:
    """Imports TensorFlow, where it is installed and not there yet, and has it report errors only.

    A notebook paints all that is written to the process's own error stream red into the running cell.
    TensorFlow writes some ten lines there while it is imported, before it obeys any setting, and later ones
    at levels that TF_CPP_MIN_LOG_LEVEL does turn off. Its Python log is about retracing, which happens
    when a learner asks several models one question.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "tensorflow" not in sys.modules and importlib.util.find_spec("tensorflow") is not None:
        with _errors_withheld():
            importlib.import_module("tensorflow")
    # After the import, which sets the level itself.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


@contextlib.contextmanager
def _errors_withheld() -> Iterator[None]:
    """File descriptor 2 leads to a file; what was written there is given out only where the block fails."""
    if sys.__stderr__ is not None:
        sys.__stderr__.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            if sys.__stderr__ is not None:
                sys.__stderr__.flush()
            os.dup2(kept, 2)
            os.close(kept)
            if failed:
                file.seek(0)
                os.write(2, file.read())
