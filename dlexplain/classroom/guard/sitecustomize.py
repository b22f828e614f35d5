"""Loaded by every Python that a lesson under test starts: no connection leaves this machine.

An audit hook cannot be taken off again, and it stands before the first line of the lesson. Every attempt is
also written to the file that DLEXPLAIN_NETWORK_LOG names, so that one that the lesson swallows is still seen.
"""

from __future__ import annotations

import os
import sys
import traceback

_ASKED_BY_NAME = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
_SENT_TO = ("socket.connect", "socket.sendto", "socket.sendmsg")


def _host(event: str, args: tuple) -> object:
    if event in _ASKED_BY_NAME:
        return args[0]
    if event in _SENT_TO and isinstance(args[1], tuple) and args[1]:
        return args[1][0]
    return None


def _leaves(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode(errors="replace")
    if not isinstance(host, str):  # none, or a socket within the kernel
        return False
    here = (
        "",
        "localhost",
        "0.0.0.0",
        "::",
        "::1",
        os.uname().nodename if hasattr(os, "uname") else "localhost",
    )
    return host not in here and not host.startswith("127.")


def _hook(event: str, args: tuple) -> None:
    if not event.startswith("socket."):
        return
    host = _host(event, args)
    if not _leaves(host):
        return
    frames = traceback.extract_stack()[-8:-1]
    where = " < ".join(f"{os.path.basename(frame.filename)}:{frame.lineno}" for frame in reversed(frames))
    with open(os.environ["DLEXPLAIN_NETWORK_LOG"], "a", encoding="utf-8") as log:
        log.write(f"{host} ({where})\n")
    raise ConnectionRefusedError(f"A lesson runs without a network, and this asks for {host!r}.")


if "DLEXPLAIN_NETWORK_LOG" in os.environ:
    sys.addaudithook(_hook)
