"""Keeps TensorFlow and Triton (which Torch's CUDA build brings) from ending the process together.

Both carry LLVM and register its command-line options in one table. With TensorFlow loaded first, Triton then
stops the process with "LLVM ERROR: inconsistency in registered CommandLine options"; `torch._dynamo` and the
making of any `torch.optim` optimiser load Triton. In the other order both work (measured: TensorFlow 2.21,
Triton 3.9).

So Triton is imported just before TensorFlow. Where TensorFlow came first, Triton is kept out, and Torch goes
on without it, as it can. `import dlexplain` installs this: one comparison an import, nothing loaded.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
import warnings

KEPT_OUT = (
    "TensorFlow was imported before Triton, which comes with Torch. Loading Triton now would end the process "
    '("LLVM ERROR: inconsistency in registered CommandLine options"), so dlexplain keeps it out. Torch '
    "goes on without it, torch.compile cannot use the GPU, and `import triton` is halted. To have all of it, "
    "restart Python (in a notebook: restart the kernel) and make `import dlexplain` the first import."
)
NOT_IMPORTABLE = (
    "Triton, which comes with Torch, is installed but cannot be imported ({reason}). TensorFlow "
    "is coming in, after which Triton would end the process, so dlexplain keeps it out: Torch goes on "
    "without it. Reinstall Torch to mend it."
)


class OrderWarning(RuntimeWarning):
    """Triton is kept out of this process, because TensorFlow is in it."""


class _TritonFirst(importlib.abc.MetaPathFinder):
    """Finds nothing itself: imports Triton at the moment when TensorFlow is looked for."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname == "tensorflow" and _installed("triton") and _installed("tensorflow"):
            _import_triton()
        return None


def install() -> None:
    """Guard this process; call it as often as you like. Warns where TensorFlow already came first."""
    if not any(isinstance(finder, _TritonFirst) for finder in sys.meta_path):
        sys.meta_path.insert(0, _TritonFirst())
    if _loaded("tensorflow") and "triton" not in sys.modules and _installed("triton"):
        _keep_out(KEPT_OUT)


def uninstall() -> None:
    """Take the guard off, and let Triton be found again if it was kept out."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _TritonFirst)]
    if sys.modules.get("triton", uninstall) is None:
        del sys.modules["triton"]


def load_ipython_extension(shell) -> None:
    """`%load_ext dlexplain.frameworks.guard`; `dlexplain doctor --guard-kernels` has every kernel do it."""
    install()


def unload_ipython_extension(shell) -> None:
    uninstall()


def _loaded(name: str) -> bool:
    return sys.modules.get(name) is not None


def _installed(name: str) -> bool:
    """Whether an import of `name` would find it; asks all finders but this one, and imports nothing."""
    if name in sys.modules:
        return _loaded(name)
    others = (finder for finder in sys.meta_path if not isinstance(finder, _TritonFirst))
    return any(finder.find_spec(name, None) is not None for finder in others if hasattr(finder, "find_spec"))


def _import_triton() -> None:
    # Always asked for, even when in sys.modules: another thread may be half-way through importing it, and the
    # import lock makes this one wait until its LLVM is in.
    try:
        importlib.import_module("triton")
    except Exception as error:  # whatever a broken Triton raises, TensorFlow must still come in
        _keep_out(NOT_IMPORTABLE.format(reason=f"{type(error).__name__}: {error}"))


def _keep_out(message: str) -> None:
    # None halts `import triton` and also hides it from importlib.util.find_spec, which Torch asks.
    sys.modules["triton"] = None  # type: ignore[assignment]
    warnings.warn(message, OrderWarning, stacklevel=4)  # the line that imports dlexplain, or TensorFlow
