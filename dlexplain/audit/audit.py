"""The audit: every check asked, every section told, and a record of it whatever goes wrong on the way."""

from __future__ import annotations

import hashlib
import logging
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from dlexplain.audit import plain, preparing
from dlexplain.audit.check import CheckFacts, SectionFacts
from dlexplain.audit.profile import Profile
from dlexplain.audit.record import Check, Part
from dlexplain.audit.result import AuditRecord, verdict_of
from dlexplain.audit.subject import Subject
from dlexplain.errors import DlexplainError, InputError, MissingPackageError

Progress = Callable[[int, str], None]
_LOG = logging.getLogger(__name__)
_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")  # in a message of Python's own: differs from run to run
_KINDS = {"image": "pictures", "table": "tables", "series": "time series", "tokens": "token ids"}


def audit(
    model: Any,
    inputs: Any,
    labels: Any,
    *,
    background: Any = None,
    feature_names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    slices: Sequence[str] | None = None,
    profile: str | Profile | None = None,
    seed: int = 0,
    methods: Sequence[str] | Mapping[str, Any] | None = None,
    columns: Mapping[str, Any] | None = None,
    train: tuple[Any, Any] | None = None,
    card: Any = None,
    sections: Iterable[int] | None = None,
    progress: Progress | None = None,
) -> AuditRecord:
    """May this model, and these explanations of it, be relied on? Every question, with what the answer rests on.

    `inputs`: as for `dlx.explain`. `labels`: `(n,)`, class numbers, class names, or values of a regression.
    `background`: samples that stand for the data, `(m, *shape)`; None: at most 100 of `train`, or of the inputs.
    `slices`: names of columns, of a table or of `columns` (`{name: (n,)}`). `profile`: thresholds, by kind of input
    unless named. `methods`: names, or `{name: function(model, inputs, target, seed)}`. `train`: (inputs, labels).
    `card`: what only you can say of the model's use, a dict or a YAML file. `sections`: numbers; None: all.
    `progress`: called with each section's number and title. Raises `InputError`, `UnsupportedModelError`.
    """
    from dlexplain.audit import registry

    asked = registry.chosen(sections)
    if progress is not None and not callable(progress):
        raise InputError(f"progress={progress!r} must be a function(number, title), or None.")
    with _random_kept():
        subject = preparing.subject(
            model,
            inputs,
            labels,
            background=background,
            feature_names=feature_names,
            class_names=class_names,
            slices=slices,
            profile=profile,
            seed=seed,
            methods=methods,
            columns=columns,
            train=train,
            card=card,
        )
        return record_of(subject, asked, progress)


def record_of(subject: Subject, asked: Sequence[int], progress: Progress | None = None) -> AuditRecord:
    """The record: sections 1 to 15, then those that speak of all the others, the verdict last."""
    import dlexplain
    from dlexplain.audit import registry
    from dlexplain.audit.sections.identity import fingerprints

    last = (*registry.CLOSING, registry.VERDICT)
    order = [n for n in sorted(registry.SECTIONS) if n not in last] + [n for n in last if n in registry.SECTIONS]
    for number in order:
        facts = registry.SECTIONS[number]
        if number not in asked:
            subject.told[number] = _left_out(subject, facts, registry.checks_of(number))
            continue
        if progress is not None:
            progress(number, facts.title)
        subject.told[number] = _told(subject, facts, registry.checks_of(number), everything=number in last)
    parts = tuple(subject.told[number] for number in sorted(subject.told))
    settings = " ".join([*fingerprints(subject).values(), str(subject.seed), subject.profile.name, repr(tuple(asked))])
    return AuditRecord(
        verdict=verdict_of(check for part in parts for check in part.checks),
        parts=parts,
        fingerprint=hashlib.sha256(settings.encode()).hexdigest(),
        seed=subject.seed,
        profile=subject.profile.name,
        version=dlexplain.__version__,
    )


def _told(subject: Subject, facts: SectionFacts, checks: Sequence[CheckFacts], *, everything: bool) -> Part:
    """One section: its checks, and the story round them. Sections that speak of all the others are given all checks."""
    start = time.perf_counter()
    own = tuple(answered(subject, check) for check in checks)
    known = tuple(check for part in subject.told.values() for check in part.checks)
    try:
        part = plain.part(facts.function(subject, known if everything else own))
    except Exception as error:
        words = f"This section could not be told: {_said(error)}"
        part = Part(number=facts.number, title=facts.title, question=facts.question, summary=(plain.text(words),))
    # What a section may have judged on its own is kept beside its checks; what it was given of others is not its own.
    extra = tuple(c for c in part.checks if c.section == facts.number and c.name not in {o.name for o in own})
    stamps = {"seconds": round(time.perf_counter() - start, 3), **part.stamps}
    return replace(part, checks=(*own, *extra), stamps=stamps)


def _left_out(subject: Subject, facts: SectionFacts, checks: Sequence[CheckFacts]) -> Part:
    words = "This section was not asked for."
    made = tuple(_not_run(subject, check, words) for check in checks)
    return Part(number=facts.number, title=facts.title, question=facts.question, summary=(words,), checks=made)


def answered(subject: Subject, check: CheckFacts) -> Check:
    """The check's answer, or why there is none: nothing that goes wrong in one loses the audit."""
    if subject.kind not in check.kinds:
        asked = _listed([_KINDS[kind] for kind in check.kinds])
        return _not_run(subject, check, f"It is asked of {asked} only; these inputs are {_KINDS[subject.kind]}.")
    if subject.task not in check.tasks:
        return _not_run(subject, check, f"It is asked of a {_listed(check.tasks)} only; this is a {subject.task}.")
    try:
        return plain.check(check.function(subject))
    except MissingPackageError as error:
        return _not_run(subject, check, str(error), "Install the package and audit again.")
    except DlexplainError as error:
        return _without_answer(subject, check, _said(error))
    except Exception as error:
        # Whatever a framework or a library throws; the trace goes to the log, for whoever mends it.
        _LOG.warning("The check %s ended with an error.", check.name, exc_info=error)
        return _without_answer(subject, check, f"The check ended with an error: {_said(error)}")


def _without_answer(subject: Subject, check: CheckFacts, reason: str) -> Check:
    advice = "The question stands open: mend what is named here and audit again."
    return subject.judged(check.name, None, reason=plain.text(reason), advice=advice, status="INCONCLUSIVE")


def _not_run(subject: Subject, check: CheckFacts, reason: str, advice: str = "") -> Check:
    return subject.judged(check.name, None, reason=plain.text(reason), advice=advice, status="NOT RUN")


def _said(error: Exception) -> str:
    """A message that is the same in each run."""
    text = str(error) if isinstance(error, DlexplainError) else f"{type(error).__name__}: {error}"
    return _ADDRESS.sub("0x…", text)[:1000]


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


@contextmanager
def _random_kept() -> Iterator[None]:
    """The caller's random numbers go on as if no library under the audit had drawn any."""
    ours, theirs = random.getstate(), np.random.get_state()
    random.seed(0)
    np.random.seed(0)
    try:
        yield
    finally:
        random.setstate(ours)
        np.random.set_state(theirs)
