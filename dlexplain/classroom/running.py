"""Run a lesson as its reader would, in a kernel of its own without a network, and report all that breaks.

An ordinary run of a notebook passes over errors in a widget's callback; this one fails on them, then sweeps
every control. It is for the tests; `python -m dlexplain.classroom.running notebook.ipynb` does it by hand.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlexplain.classroom.watching import Watch
from dlexplain.errors import InputError, MissingPackageError, suggest

WIDGET = "application/vnd.jupyter.widget-view+json"
_STATE = "application/vnd.jupyter.widget-state+json"


@dataclass(frozen=True)
class Budget:
    """What a lesson may use; 120 s on two cores are held as seconds of processor."""

    cpu_seconds: float = 240.0
    memory_bytes: float = 3e9
    notebook_bytes: int = 10_000_000
    timeout: float = 600.0


@dataclass(frozen=True)
class Cell:
    """The figures of one code cell: seconds, bytes of memory at its end, bytes of its outputs."""

    index: int
    first_line: str
    wall_seconds: float
    cpu_seconds: float
    memory_bytes: int
    output_bytes: int


@dataclass(frozen=True)
class Run:
    """A run of a notebook; `faults` says in words all that is wrong with it."""

    name: str
    faults: tuple[str, ...]
    cells: tuple[Cell, ...]
    wall_seconds: float
    cpu_seconds: float
    peak_memory_bytes: int
    notebook_bytes: int
    sweep: Mapping[str, Any]
    values: Mapping[str, Any]
    progress: Mapping[str, Any]
    without_twin: tuple[int, ...]
    notebook: Mapping[str, Any] = field(repr=False)

    def value(self, name: str) -> Any:
        """A plain value or small array (as a list) of the notebook, or of an expression asked for."""
        if name not in self.values:
            raise InputError(
                f"{self.name} has no plain value {name!r}. {suggest(name, self.values)}"
                "Numbers, text, small arrays and lists of them are kept; "
                "ask for others with run(..., expressions={name: expression})."
            )
        return self.values[name]

    def html(self, theme: str = "light") -> str:
        """The executed notebook as a page, each widget as its static twin; `theme` is light or dark."""
        try:
            from nbconvert import HTMLExporter
            from nbformat import from_dict
        except ImportError as fault:
            raise MissingPackageError(
                "Pages of lessons need nbconvert: pip install dlexplain[lab]."
            ) from fault
        book = json.loads(json.dumps(self.notebook))
        book["metadata"].pop("widgets", None)
        for cell in book["cells"]:
            for output in cell.get("outputs", ()):
                if "text/html" in output.get("data", {}):
                    output["data"].pop(WIDGET, None)
        exporter = HTMLExporter(template_name="lab", theme=theme)
        exporter.mathjax_url = exporter.require_js_url = ""
        return exporter.from_notebook_node(from_dict(book))[0]

    def summary(self) -> str:
        """The figures, dearest cells first, and the faults, as text."""
        lines = [
            f"{self.name}: {self.wall_seconds:.1f} s ({self.cpu_seconds:.1f} s of processor), "
            f"{self.peak_memory_bytes / 1e9:.2f} GB, {self.notebook_bytes / 1e6:.2f} MB, "
            f"{self.sweep.get('controls', 0)} controls in {self.sweep.get('actions', 0)} actions "
            f"({self.sweep.get('seconds', 0):.1f} s)"
        ]
        for cell in sorted(self.cells, key=lambda each: -each.wall_seconds)[:5]:
            figures = f"{cell.wall_seconds:.1f} s, {cell.output_bytes / 1e6:.2f} MB"
            lines.append(f"  cell {cell.index}: {figures}  {cell.first_line}")
        return "\n".join(lines + [f"  FAULT {fault}" for fault in self.faults])


def run(
    path: str | Path,
    *,
    budget: Budget = Budget(),
    sweep: bool = True,
    expressions: Mapping[str, str] | None = None,
    folder: str | Path | None = None,
) -> Run:
    """Execute a notebook from top to bottom, then sweep its controls. Faults are returned, not raised.

    It works in `folder`, or where it lies. `expressions` are evaluated after its last cell, for `Run.value`.
    """
    try:
        import nbclient  # noqa: F401
        import nbformat
    except ImportError as fault:
        raise MissingPackageError("Running lessons needs nbclient: pip install dlexplain[lab].") from fault
    path = Path(path)
    book = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory(prefix="dlexplain-run-") as scratch:
        runner = _Runner(path, Path(folder or path.parent), book, budget, Path(scratch))
        work = runner.run(sweep, dict(expressions or {}))
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(work)
        # A loop runs in this thread already, as in a notebook: this one needs a thread of its own.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, work).result()


class _Runner:
    def __init__(self, path: Path, folder: Path, book: Any, budget: Budget, scratch: Path) -> None:
        self.path, self.folder, self.book = path, folder.resolve(), book
        self.budget, self.scratch = budget, scratch
        self.faults: list[str] = []
        self.cells: list[Cell] = []

    async def run(self, sweep: bool, expressions: dict[str, str]) -> Run:
        client = _client(self.book, self.budget, self.scratch)
        manager = client.km
        log = open(self.scratch / "kernel.log", "w", encoding="utf-8")  # noqa: SIM115 closed below
        try:
            async with client.async_setup_kernel(
                cwd=str(self.folder),
                env=self._environment(),
                stdout=log,
                stderr=log,
                cleanup_kc=False,
            ):
                nudging = asyncio.ensure_future(_nudged(client.kc))
                try:
                    with Watch(manager.provisioner.pid, 1.5 * self.budget.memory_bytes) as watch:
                        await self._execute(client, watch, sweep, expressions)
                finally:
                    nudging.cancel()
                client.set_widgets_metadata()
        finally:
            if client.kc is not None:
                client.kc.stop_channels()
            if await manager.is_alive():
                await manager.shutdown_kernel(now=True)
            log.close()
        return self._report(watch)

    async def _execute(self, client: Any, watch: Watch, sweep: bool, expressions: dict[str, str]) -> None:
        self.started, self.cpu_before = time.monotonic(), watch.cpu_seconds()
        self.wall = self.cpu = 0.0
        went_well = True
        for index, cell in enumerate(self.book.cells):
            if cell.cell_type == "code" and cell.source.strip():
                went_well = await self._cell(client, watch, cell, index)
            if not went_well:
                break
        self.wall = time.monotonic() - self.started
        self.cpu = watch.cpu_seconds() - self.cpu_before
        if not went_well:
            return
        ours = "from dlexplain.classroom import sweeping as _dlx_sweeping; _dlx_sweeping"
        kept = f"{str(self.scratch / 'values.json')!r}, dict(globals()), {expressions!r}"
        await self._hidden(client, watch, f"{ours}.namespace({kept})", "after the last cell")
        if sweep:
            await self._hidden(
                client, watch, f"{ours}.sweep({str(self.scratch / 'sweep.json')!r})", "in the sweep"
            )
        self._widget_faults(client.widget_state)

    async def _cell(self, client: Any, watch: Watch, cell: Any, index: int) -> bool:
        start, cpu = time.monotonic(), watch.cpu_seconds()
        first = cell.source.strip().splitlines()[0][:60]
        where = f"cell {index} ({first})"
        if not await self._went_well(client, watch, cell, index, where):
            return False
        used = (time.monotonic() - start, watch.cpu_seconds() - cpu, watch.memory_bytes())
        self.cells.append(Cell(index, first, *used, len(json.dumps(cell.outputs))))
        if "raises-exception" not in cell.metadata.get("tags", []):
            self.faults += [f"{where}: {fault}" for fault in _shown_errors(cell.outputs)]
        return True

    async def _went_well(self, client: Any, watch: Watch, cell: Any, index: int, where: str) -> bool:
        from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

        try:
            await client.async_execute_cell(cell, index)
        except CellExecutionError as fault:
            self.faults.append(f"{where}: {fault.ename}: {fault.evalue}")
        except CellTimeoutError:
            self.faults.append(f"{where}: not done after {self.budget.timeout:g} s")
        except (DeadKernelError, RuntimeError) as fault:
            why = f"it took more than {watch.limit / 1e9:.2f} GB" if watch.killed else str(fault)
            self.faults.append(f"{where}: the kernel was lost: {why or 'it died'}")
        else:
            return True
        return False

    async def _hidden(self, client: Any, watch: Watch, code: str, where: str) -> None:
        from nbformat.v4 import new_code_cell

        self.book.cells.append(
            new_code_cell(code)
        )  # as a cell, so that nbclient follows the widgets meanwhile
        try:
            await self._went_well(client, watch, self.book.cells[-1], len(self.book.cells) - 1, where)
        finally:
            self.book.cells.pop()

    def _widget_faults(self, state: Mapping[str, Any]) -> None:
        for model in state.values():
            for fault in _shown_errors(model.get("outputs", ())):
                self.faults.append(f"in a widget's output: {fault}")

    def _environment(self) -> dict[str, str]:
        guard, package = Path(__file__).with_name("guard"), Path(__file__).resolve().parents[2]
        paths = [str(guard), str(package), os.environ.get("PYTHONPATH", "")]
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(part for part in paths if part),
            "DLEXPLAIN_NETWORK_LOG": str(self.scratch / "network.log"),
            "DLEXPLAIN_HOME": str(self.scratch / "home"),
            "IPYTHONDIR": str(self.scratch / "ipython"),
        }

    def _report(self, watch: Watch) -> Run:
        size = len(json.dumps(self.book).encode())
        sweep = self._read("sweep.json")
        self.faults += sweep.get("faults", [])
        if sweep.get("figure_widgets"):
            self.faults.append("a FigureWidget stands in the lesson; it adds megabytes: show a plain figure")
        self.faults += _logged(self.scratch / "kernel.log")
        asked = self.scratch / "network.log"
        if asked.exists():
            lines = dict.fromkeys(asked.read_text(encoding="utf-8").splitlines())
            self.faults += [f"asked the network for {line}" for line in lines]
        self._over("seconds of processor", self.cpu, self.budget.cpu_seconds)
        self._over("bytes of memory", watch.peak, self.budget.memory_bytes)
        self._over("bytes as a notebook", size, self.budget.notebook_bytes)
        return Run(
            name=self.path.name,
            faults=tuple(dict.fromkeys(self.faults)),
            cells=tuple(self.cells),
            wall_seconds=self.wall,
            cpu_seconds=self.cpu,
            peak_memory_bytes=watch.peak,
            notebook_bytes=size,
            sweep=sweep,
            values=self._read("values.json"),
            progress=self._progress(),
            without_twin=tuple(_without_twin(self.book.cells)),
            notebook=json.loads(json.dumps(self.book)),
        )

    def _over(self, what: str, used: float, allowed: float) -> None:
        if used > allowed:
            self.faults.append(f"uses {used:,.0f} {what}; {allowed:,.0f} are allowed")

    def _read(self, name: str) -> dict[str, Any]:
        path = self.scratch / name
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def _progress(self) -> dict[str, Any]:
        kept = sorted((self.scratch / "home" / "progress").glob("lesson_??.json"))
        return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in kept}


def _client(book: Any, budget: Budget, scratch: Path) -> Any:
    from jupyter_client import AsyncKernelManager
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from nbclient import NotebookClient

    class ThisPython(KernelSpecManager):
        """Whatever kernels this machine has: a lesson under test runs in the Python of its tests."""

        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
            argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            return KernelSpec(argv=argv, display_name="this Python", language="python")

    manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=ThisPython())
    if os.name != "nt":  # a port is picked before it is bound: kernels that start at once can pick the same
        manager.transport, manager.ip = "ipc", str(scratch / "kernel")
    return NotebookClient(book, km=manager, timeout=int(budget.timeout), store_widget_state=True)


async def _nudged(channels: Any) -> None:
    """Asks the kernel's channels each second whether something lies there.

    Their file descriptors tell of a message once. Where that was missed, as happened once in some hundred runs on a
    busy machine, a cell that was done waited for its answer until the timeout, ten minutes later.
    """
    import zmq

    while True:
        await asyncio.sleep(1)
        for channel in (channels.shell_channel, channels.iopub_channel):
            channel.socket.get(zmq.EVENTS)


def _shown_errors(outputs: Any) -> list[str]:
    found = []
    for output in outputs:
        if output["output_type"] == "error":
            found.append(f"{output['ename']}: {output['evalue']}")
        elif output["output_type"] == "stream" and "Traceback (most recent call last)" in output["text"]:
            found.append("prints a traceback that ends in " + output["text"].strip().splitlines()[-1])
    return found


def _logged(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    parts = text.split("Traceback (most recent call last)")[1:]
    return [f"the kernel's log holds a traceback: {_last_of_traceback(part)}" for part in parts]


def _last_of_traceback(text: str) -> str:
    for line in text.splitlines()[1:]:
        if line and not line.startswith((" ", "\t")):
            return line[:300]
    return "cut short"


def _without_twin(cells: Any) -> list[int]:
    return [
        index
        for index, cell in enumerate(cells)
        for output in cell.get("outputs", ())
        if WIDGET in output.get("data", {}) and "text/html" not in output["data"]
    ]


def main(arguments: list[str]) -> int:
    """Run notebooks by hand; exit 1 where one has a fault. With `--html FOLDER`, also write pages."""
    pages = Path(arguments[arguments.index("--html") + 1]) if "--html" in arguments else None
    failed = 0
    for name in [each for each in arguments if each.endswith(".ipynb")]:
        done = run(name)
        print(done.summary())
        failed += bool(done.faults)
        if pages:
            pages.mkdir(parents=True, exist_ok=True)
            for theme in ("light", "dark"):
                (pages / f"{Path(name).stem}-{theme}.html").write_text(done.html(theme), encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
