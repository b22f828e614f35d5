"""One cell of the matrix: what a method makes of an architecture, judged by the outputs and not by its word."""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

import dlexplain as dlx
from dlexplain.attribution import registry
from dlexplain.attribution.method import METHODS
from tests.zoo.specimen import Specimen, one_or_all

PEERS = ("captum:DeepLift", "captum:DeepLiftShap", "captum:IntegratedGradients", "shap:Deep", "shap:Gradient")
EXACT = 1e-4


@dataclass(frozen=True)
class Cell:
    """`kind`: exact, converged, ok, refused, not applicable, unfinished, warned, WRONG or ERROR. `gap`: relative, the worst sample's."""

    architecture: str
    method: str
    framework: str
    kind: str
    gap: float | None = None
    reason: str = ""
    seconds: float = 0.0

    @property
    def fault(self) -> bool:
        return self.kind in ("WRONG", "ERROR")

    def text(self) -> str:
        shown = {"converged": f"converged {self.gap or 0:.0e}", "warned": f"warned {self.gap or 0:.0e}"}
        wrong = f"WRONG {self.gap:.0e}" if self.gap is not None else f"WRONG: {self.reason}"
        words = {"WRONG": wrong, "refused": f"refused: {self.reason}", "ERROR": f"ERROR: {self.reason}"}
        return {**shown, **words}.get(self.kind, self.kind)

    def record(self) -> dict[str, Any]:
        return asdict(self)


def methods() -> tuple[str, ...]:
    """Every method of ours, in the order of `dlx.methods()`."""
    return tuple(METHODS)


def cell(specimen: Specimen, method: str, ask: Callable[..., Any] = dlx.explain, seconds: float = 300) -> Cell:
    """Explains the specimen and judges the answer, stopping after `seconds`. No exception leaves but an interrupt."""
    start = time.perf_counter()
    try:
        with _time_limit(seconds):
            kind, gap, reason = _judged(specimen, method, ask)
    except _TooLong:
        kind, gap, reason = "unfinished", None, f"not done after {seconds:g} s"
    except Exception as error:  # the matrix goes on; the cell counts as a fault
        kind, gap, reason = "ERROR", None, _short(f"{type(error).__name__}: {error}")
    spent = round(time.perf_counter() - start, 2)
    return Cell(specimen.name, method, specimen.framework, kind, gap, reason, spent)


def _judged(specimen: Specimen, method: str, ask: Callable[..., Any]) -> tuple[str, float | None, str]:
    facts = registry.get(method)
    given: dict[str, Any] = {"target": specimen.target}
    if facts.background and facts.complete:
        given["baseline"] = one_or_all(specimen.background)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            found = ask(specimen.model, one_or_all(specimen.inputs), method, **given)
        except (dlx.UnsupportedModelError, dlx.InputError, dlx.MissingPackageError) as refusal:
            why = unfit(specimen, method)
            return ("not applicable", None, why) if why else ("refused", None, _short(str(refusal)))
    values = found.values if isinstance(found.values, tuple) else (found.values,)
    if any(v.shape != a.shape for v, a in zip(values, specimen.inputs, strict=True)):
        return "WRONG", None, "values of another shape than the inputs"
    if not all(np.isfinite(v).all() for v in values):
        return "WRONG", None, "values are not finite"
    if not facts.complete:
        return "ok", None, ""
    believed = specimen.tokens or facts.baseline == "none"
    gap = measured_gap(specimen, found, values, given.get("baseline"), believed=believed)
    if gap <= EXACT:
        return "exact", gap, ""
    # Rounding of a float32 output apart, the tolerance holds as it stands.
    if gap <= facts.tolerance * 1.01:
        return "converged", gap, ""
    warned = any(issubclass(w.category, dlx.GapWarning) for w in heard)
    return ("warned" if warned else "WRONG"), gap, "" if warned else "over the tolerance, and silent"


def measured_gap(
    specimen: Specimen, found: Any, values: tuple[np.ndarray, ...], baseline: Any, *, believed: bool
) -> float:
    """The worst sample's gap as a share of its output's change, from the outputs themselves; less what the two outputs'
    own rounding explains, 4e-7 of their size.

    `believed`: from the result's outputs. Token ids have none half-way between two, and some methods make their own
    baseline.
    """
    upper, lower = found.output.astype(np.float64), found.baseline_output.astype(np.float64)
    if not believed:
        zeros = tuple(np.zeros_like(a[:1]) for a in specimen.inputs)
        upper = _scores(specimen, specimen.inputs)
        lower = np.full_like(upper, _scores(specimen, zeros if baseline is None else specimen.background).mean())
    total = sum(v.reshape(len(v), -1).sum(1, dtype=np.float64) for v in values)
    size = np.maximum(np.abs(upper), np.abs(lower))
    change = np.maximum(np.maximum(np.abs(upper - lower), 1e-3 * size), np.finfo(np.float32).tiny)
    missed = np.maximum(np.abs(total - (upper - lower)) - 4 * np.finfo(np.float32).eps * size, 0)
    return float((missed / change).max())


def _scores(specimen: Specimen, inputs: tuple[np.ndarray, ...]) -> np.ndarray:
    outputs = dlx.wrap(specimen.model).predict(one_or_all(inputs))
    target = specimen.target
    if isinstance(outputs, tuple):
        outputs, target = outputs[target[0]], target[1:]
    if outputs.ndim == 1:
        return outputs.astype(np.float64)
    index = target if isinstance(target, tuple) else (target,)
    return outputs[(slice(None), *index)].astype(np.float64)


def unfit(specimen: Specimen, method: str) -> str:
    """Why a method asks for something that this architecture has not, or nothing. Only refusals are excused by it."""
    framework, _, name = method.partition(":") if ":" in method else ("", "", method)
    if framework == "captum" and specimen.framework != "torch":
        return "Captum takes Torch models only"
    family = registry.get(method).family
    ranks = [a.ndim - 1 for a in specimen.inputs]
    if family == "activation map" and (not _has_maps(specimen) or len(ranks) > 1):
        return "no layer holds maps over a single picture or series"
    if "cam" in name and (not _has_maps(specimen) or len(ranks) > 1):
        return "no layer holds maps over a single picture or series"
    if "xrai" in name and (len(ranks) > 1 or ranks[0] != 3):
        return "asks for one picture, whose regions it ranks"
    if any(word in name for word in ("blur", "rise")) and (len(ranks) > 1 or ranks[0] < 2 or specimen.tokens):
        return "asks for one picture or series"
    if "exact" in name and specimen.features > 16:
        return "2^features evaluations: features are too many"
    guided = any(word in name for word in ("guided_backprop", "deconvnet", "guided_gradcam"))
    if guided and not re.search(r"(?<![a-z_])relu", _source(specimen)):
        return "the model has no ReLU, of which alone the method speaks"
    return ""


def _has_maps(specimen: Specimen) -> bool:
    """Whether the model convolves, attends or recurs over a picture or series."""
    if specimen.tokens or specimen.inputs[0].ndim < 3:
        return False
    kinds = {layer.type for layer in dlx.wrap(specimen.model).layers}
    return any(re.search(r"Conv\w*\dd|Pool\w*\dd|Attention|Transformer", kind, re.IGNORECASE) for kind in kinds)


def _source(specimen: Specimen) -> str:
    """Everything that tells of a ReLU: the layers' kinds, and the name that the zoo gave."""
    model = specimen.model
    kinds = " ".join(layer.type for layer in dlx.wrap(model).layers)
    told = str(model.get_config()) if specimen.framework == "keras" and hasattr(model, "get_config") else ""
    return f"{specimen.name} {kinds} {told}".lower()


def _short(text: str) -> str:
    """The first sentence or so, on one line, fit for a table."""
    line = " ".join(text.split()).replace("|", "/")
    return line if len(line) <= 140 else line[:137].rsplit(" ", 1)[0] + " …"


class _TooLong(BaseException):
    """Not an `Exception`, so that no bridge takes it for another library's failure."""


@contextmanager
def _time_limit(seconds: float):
    """`_TooLong` where the system can tell the time to a running call, so that one cell never holds up the rest."""
    import signal
    import threading

    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: Any) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
