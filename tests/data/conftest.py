"""Every data test has a cache of its own, no folders but those it names, and no proxy."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from dlexplain.data import fetch, folders

REAL = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The empty cache folder; retries do not wait."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(folders, "cache_folder", lambda: folder)
    monkeypatch.setattr(fetch, "cache_folder", lambda: folder)
    monkeypatch.setattr(fetch, "PAUSE", 0)
    monkeypatch.delenv(folders.FOLDERS_VARIABLE, raising=False)
    monkeypatch.delenv(fetch.OFFLINE_VARIABLE, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return folder


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any connection, and any look-up of a name, fails."""

    def refuse(*words: object, **more: object) -> None:
        raise OSError("the network is blocked by the test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch, no_network: None) -> Path:
    """The publishers' real files beside the checkout, reached as a user's own folder would be."""
    if not REAL.is_dir():
        pytest.skip("needs the real files in ../shared/data")
    monkeypatch.setenv(folders.FOLDERS_VARIABLE, str(REAL))
    return REAL
