"""What every test shares: quiet frameworks on one thread each, and a browser where one is needed."""

from __future__ import annotations

import os

# Two workers on two cores: each framework keeps to one thread. Set before anything imports them.
os.environ.update(
    {
        "OMP_NUM_THREADS": "1",
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "KERAS_BACKEND": "tensorflow",
    }
)

import pytest

from dlexplain.doctor import find_chromium


@pytest.fixture(scope="session")
def chromium_options() -> dict[str, object]:
    """Keyword arguments for `playwright.chromium.launch`: the system's browser, or Playwright's own."""
    found = find_chromium()
    options: dict[str, object] = {"headless": True, "args": ["--no-sandbox"]}
    return {**options, "executable_path": found} if found else options
