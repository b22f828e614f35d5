"""What a running kernel and its children use of processor and memory."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any

_EVERY = 0.1


class Watch:
    """Samples a process tree from a thread; ends it above `limit` bytes."""

    def __init__(self, pid: int, limit: float) -> None:
        import psutil

        self._psutil = psutil
        self._process = psutil.Process(pid)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._cpu = 0.0
        self.limit = limit
        self.peak = 0
        self.killed = False

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(
        self, sort: type[BaseException] | None, fault: BaseException | None, where: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self.memory_bytes()

    def cpu_seconds(self) -> float:
        """Processor seconds of the process and its children so far; the last known figure once it is gone."""
        try:
            times = self._process.cpu_times()
            total = times.user + times.system + times.children_user + times.children_system
            for child in self._process.children(recursive=True):
                used = child.cpu_times()
                total += used.user + used.system
        except self._psutil.Error:
            return self._cpu
        self._cpu = max(self._cpu, total)
        return self._cpu

    def memory_bytes(self) -> int:
        """Resident bytes of the tree now; the highest is kept in `peak`."""
        try:
            now = self._process.memory_info().rss
            for child in self._process.children(recursive=True):
                now += _own_memory(child, self._psutil)
        except self._psutil.Error:
            return 0
        self.peak = max(self.peak, now, _high_water(self._process.pid))
        return now

    def _sample(self) -> None:
        while not self._stop.wait(_EVERY):
            if self.memory_bytes() > self.limit:
                self.killed = True
                self._end()
                return

    def _end(self) -> None:
        for process in [*self._process.children(recursive=True), self._process]:
            try:
                process.kill()
            except self._psutil.NoSuchProcess:
                continue


def _own_memory(child: Any, psutil: Any) -> int:
    try:
        return child.memory_info().rss
    except psutil.Error:  # it ended between being listed and being asked
        return 0


def _high_water(pid: int) -> int:
    # Not ru_maxrss: that one is inherited from the process that started the kernel.
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            lines = [line for line in status if line.startswith("VmHWM:")]
    except OSError:
        return 0
    return int(lines[0].split()[1]) * 1024 if lines else 0
