"""The record as JSON, and back. What differs from run to run stands in one place, `stamps`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from dlexplain.audit.record import SCHEMA, Check, Exhibit, Part, Table
from dlexplain.audit.result import AuditRecord
from dlexplain.errors import InputError

_HEAD = ("verdict", "fingerprint", "seed", "profile", "version")


def write(record: AuditRecord) -> str:
    """The record as JSON text, valid under `schema()`; without its stamps the same for the same model, data and seed."""
    head = {"schema": SCHEMA, **{name: getattr(record, name) for name in _HEAD}}
    parts = [{k: v for k, v in asdict(part).items() if k != "stamps"} for part in record.parts]
    stamps = {str(number): dict(found) for number, found in record.stamps.items()}
    return json.dumps({**head, "parts": parts, "stamps": stamps}, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def load(path: Path) -> AuditRecord:
    """Raises `InputError` for a file that `write` did not make."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{path} is not a record in JSON ({error}).") from error
    except OSError as error:
        raise InputError(f"{path} could not be read ({error.strerror}).") from error
    return read(content, str(path))


def read(content: Any, name: str = "the record") -> AuditRecord:
    """The record from its JSON. Raises `InputError` where it is none, or of another schema."""
    if not isinstance(content, Mapping) or "schema" not in content:
        raise InputError(f"{name} is not a record of an audit: it has no 'schema'.")
    if content["schema"] != SCHEMA:
        raise InputError(f"{name} has schema {content['schema']!r}; this dlexplain reads schema {SCHEMA}. Audit again.")
    try:
        stamps = content["stamps"]
        parts = tuple(replace(_part(part), stamps=stamps.get(str(part["number"]), {})) for part in content["parts"])
        return AuditRecord(**{key: content[key] for key in _HEAD}, parts=parts)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{name} is not a whole record of an audit ({type(error).__name__}: {error}).") from error


def schema() -> dict[str, Any]:
    """The published JSON Schema (draft 2020-12) of the record."""
    file = Path(__file__).with_name(f"schema-{SCHEMA}.json")
    return json.loads(file.read_text(encoding="utf-8"))


def _part(content: Mapping[str, Any]) -> Part:
    made = {
        "summary": tuple(content["summary"]),
        "facts": tuple((label, value) for label, value in content["facts"]),
        "checks": tuple(_check(check) for check in content["checks"]),
        "tables": tuple(_table(table) for table in content["tables"]),
        "exhibits": tuple(Exhibit(**exhibit) for exhibit in content["exhibits"]),
        "limits": tuple(content["limits"]),
    }
    return Part(**{**content, **made})


def _check(content: Mapping[str, Any]) -> Check:
    interval = content["interval"]
    made = {"interval": None if interval is None else tuple(interval), "evidence": tuple(content["evidence"])}
    return Check(**{**content, **made})


def _table(content: Mapping[str, Any]) -> Table:
    return Table(**{**content, "columns": tuple(content["columns"]), "rows": tuple(map(tuple, content["rows"]))})
