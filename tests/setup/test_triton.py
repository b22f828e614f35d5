"""TensorFlow and the real Triton in one process: the abort is real; the guard prevents it in every order."""

from __future__ import annotations

import itertools
import os
import queue
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager
from processes import ROOT, python, succeeded

pytestmark = [
    pytest.mark.triton,
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Triton has wheels for Linux only"),
]
TRITON = "triton==3.9.0"
HOME = ROOT / ".venv-triton"
ABORT = "inconsistency in registered CommandLine options"
KEPT_OUT = "TensorFlow was imported before Triton"
MODULES = ("dlexplain", "tensorflow", "keras", "torch")
TOUCH = """
import sys, torch
weight = torch.nn.Parameter(torch.ones(1))
optimiser = torch.optim.Adam([weight])
weight.sum().backward()
optimiser.step()
torch._dynamo.reset()
print("alive", "with" if sys.modules.get("triton") else "without", "triton")
"""


@pytest.fixture(scope="module")
def interpreter() -> Path:
    """Python of an environment with this one's packages and the real Triton; made once, kept in the tree."""
    python_there, made = HOME / "bin" / "python", HOME / f"made-{TRITON}-{sys.version_info[1]}"
    if not made.exists():
        shutil.rmtree(HOME, ignore_errors=True)
        run = lambda *command: subprocess.run([sys.executable, "-m", *command], check=True)  # noqa: E731
        run("venv", "--without-pip", str(HOME))
        (packages,) = HOME.glob("lib/python3*/site-packages")
        (packages / "base.pth").write_text(str(Path(pytest.__file__).parents[1]))
        run("pip", "--python", str(python_there), "install", "--quiet", "--no-deps", TRITON)
        made.touch()
    return python_there


def ended(interpreter: Path, code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return python(code, interpreter=interpreter, **{"PYTHONPATH": str(ROOT), **environ})


@pytest.mark.parametrize("touch", [TOUCH, "import torch._dynamo", "import triton"])
def test_without_the_guard_the_process_dies(interpreter, touch):
    done = ended(interpreter, "import tensorflow\n" + touch)
    assert done.returncode < 0
    assert ABORT in done.stderr


@pytest.mark.parametrize("order", itertools.permutations(MODULES), ids="-".join)
def test_no_order_of_imports_ends_the_process(interpreter, order):
    done = ended(interpreter, f"import {', '.join(order)}\n{TOUCH}")
    first = min(order.index("tensorflow"), order.index("keras"))
    if order.index("dlexplain") < first:
        assert "alive with triton" in succeeded(done)
        assert KEPT_OUT not in done.stderr
    else:
        assert "alive without triton" in succeeded(done)
        assert done.stderr.count(KEPT_OUT) == 1
        assert "restart" in done.stderr


def test_torch_used_before_tensorflow_needs_no_guard_and_gets_no_warning(interpreter):
    done = ended(interpreter, f"{TOUCH}\nimport tensorflow, dlexplain\n{TOUCH}")
    assert succeeded(done).split("\n")[-2] == "alive with triton"
    assert KEPT_OUT not in done.stderr


def test_compiling_works_where_triton_is_kept_out(interpreter):
    code = """
import tensorflow, dlexplain, torch
network = torch.compile(torch.nn.Linear(2, 2), backend="aot_eager")
print(tuple(network(torch.ones(3, 2)).shape))
"""
    assert "(3, 2)" in succeeded(ended(interpreter, code))


def test_frameworks_imported_in_threads(interpreter):
    code = """
import dlexplain, importlib, threading
names = ["tensorflow", "torch._dynamo", "triton", "tensorflow"]
threads = [threading.Thread(target=importlib.import_module, args=(name,)) for name in names]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""
    assert "alive with triton" in succeeded(ended(interpreter, code + TOUCH))


def test_a_triton_that_cannot_be_imported_is_kept_out_and_named(interpreter, tmp_path):
    (tmp_path / "triton").mkdir()
    (tmp_path / "triton" / "__init__.py").write_text("raise ImportError('libtriton.so: file too short')")
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = ended(interpreter, f"import dlexplain, tensorflow\n{TOUCH}", PYTHONPATH=path)
    assert "alive without triton" in succeeded(done)
    assert "libtriton.so: file too short" in done.stderr
    assert "Reinstall Torch" in done.stderr


@pytest.fixture
def kernel_config(interpreter):
    """The environment's own IPython configuration, absent before and after."""
    config = HOME / "etc" / "ipython" / "ipython_kernel_config.py"
    config.unlink(missing_ok=True)
    yield config
    config.unlink(missing_ok=True)


def test_doctor_finds_the_combination(interpreter, kernel_config):
    code = "from dlexplain.doctor import *; raise SystemExit(report(check_triton()))"
    before = succeeded(ended(interpreter, code))
    assert before.startswith("note   Triton beside TensorFlow: triton 3.9.0, tensorflow")
    assert "dlexplain doctor --guard-kernels" in before
    succeeded(ended(interpreter, "from dlexplain.cli import main; main(['doctor', '--guard-kernels'])"))
    after = succeeded(ended(interpreter, code))
    assert after.startswith("ok ")
    assert "guarded from their start" in after


@pytest.mark.parametrize("guarded", [True, False])
def test_a_guarded_kernel_survives_torch_after_tensorflow(interpreter, kernel_config, guarded, tmp_path):
    if guarded:
        succeeded(ended(interpreter, "from dlexplain.doctor import guard_kernels; guard_kernels()"))
    assert runs_in_kernel(interpreter, "import tensorflow\n" + TOUCH, tmp_path) is guarded


def runs_in_kernel(interpreter: Path, code: str, folder: Path) -> bool:
    """Whether a real kernel that never imports dlexplain gets through `code`; False where it dies of it."""
    command = [str(interpreter), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    manager = KernelManager(connection_file=str(folder / "kernel.json"))
    manager._kernel_spec = KernelSpec(argv=command, display_name="Triton", language="python")
    manager.start_kernel(cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(folder)})
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=120)
        asked, deadline = client.execute(code), time.monotonic() + 300
        while time.monotonic() < deadline:
            try:
                reply = client.get_shell_msg(timeout=1)
            except queue.Empty:
                if not manager.is_alive():
                    return False
                continue
            if reply["parent_header"].get("msg_id") == asked:
                assert reply["content"]["status"] == "ok", reply["content"]
                return True
        raise AssertionError("the kernel neither answered nor died")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
