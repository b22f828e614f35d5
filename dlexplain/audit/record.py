"""What an audit leaves: parts in the order of the record, each with checks, facts, tables and figures as evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["PASS", "FAIL", "INCONCLUSIVE", "NOT RUN"]
Verdict = Literal["PASS", "FAIL", "INCONCLUSIVE"]
SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Check:
    """One question with an answer. `figure`: what was measured; `threshold`: in words, such as "at most 0.3".

    `gate`: whether it may fail the whole. `evidence`: identifiers of the tables and exhibits it rests on.
    """

    name: str
    section: int
    title: str
    status: Status
    reason: str
    advice: str = ""
    figure: float | None = None
    threshold: str = ""
    interval: tuple[float, float] | None = None
    gate: bool = True
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows under columns: text, numbers and None."""

    id: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | int | bool | None, ...], ...]
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    """A Plotly figure as its JSON dictionary, with what it shows in words (`alt`)."""

    id: str
    title: str
    alt: str
    figure: Mapping[str, Any]
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One section of the record. `facts`: label and value. `stamps`: what differs from run to run (times, energy)."""

    number: int
    title: str
    question: str
    summary: tuple[str, ...] = ()
    facts: tuple[tuple[str, str | float | int | None], ...] = ()
    checks: tuple[Check, ...] = ()
    tables: tuple[Table, ...] = ()
    exhibits: tuple[Exhibit, ...] = ()
    limits: tuple[str, ...] = ()
    stamps: Mapping[str, str | float] = field(default_factory=dict)
