"""The auditor's own words on what the model is for: a small YAML file, read safely; blanks stay blanks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlexplain.errors import InputError, MissingPackageError, suggest

# key: the question that a person answers
FIELDS = {
    "name": "What is the model called, and which version is this?",
    "owner": "Who answers for it?",
    "auditor": "Who audits it?",
    "use": "What is it for? Which decision rests on it?",
    "users": "Who uses it, and what must they know to use it well?",
    "affected": "Whom do its answers touch?",
    "misuse": "What could it foreseeably be used for that it must not be?",
    "out_of_scope": "For which data, places or times does it not hold?",
    "oversight": "Who may overrule it, how, and how fast?",
    "harm": "What does a wrong answer cost, and whom?",
    "training_data": "What was it trained on, from where, from when?",
    "evaluation_data": "What are the data of this audit, and how do they differ from those of its use?",
    "licence": "Under which licence does it stand?",
    "contact": "Where can a fault be reported?",
}
_BYTES = 200_000  # of a file that a person writes by hand


def template() -> str:
    """The YAML file to fill in: every field with its question, every answer blank."""
    head = "# What only you can say of the model. Leave blank what is not known: the record shows it as blank.\n"
    return head + "".join(f"\n# {question}\n{key}:\n" for key, question in FIELDS.items())


def read(card: Any) -> dict[str, str]:
    """A mapping or the path of a YAML file as text by field; fields left blank are left out. Raises `InputError`."""
    if card is None:
        return {}
    if isinstance(card, (str, os.PathLike)):
        card = _from_file(Path(card))
    if not isinstance(card, Mapping):
        raise InputError(f"card: {type(card).__name__} is no mapping of fields to text. Fields: {', '.join(FIELDS)}.")
    filled = {}
    for key, value in card.items():
        if key not in FIELDS:
            raise InputError(f"card: unknown field {key!r}. {suggest(key, FIELDS)}Fields: {', '.join(FIELDS)}.")
        text = _text(key, value)
        if text:
            filled[str(key)] = text
    return {key: filled[key] for key in FIELDS if key in filled}


def _text(key: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (list, tuple)) and all(not isinstance(v, (Mapping, list, tuple)) for v in value):
        return "; ".join(str(v).strip() for v in value if v is not None)
    if isinstance(value, (Mapping, list, tuple)):
        raise InputError(f"card: {key!r} must be text or a list of texts.")
    return str(value).strip()


def _from_file(path: Path) -> Any:
    try:
        import yaml
    except ImportError as error:
        raise MissingPackageError(
            "card: reading YAML needs the package PyYAML. Install it with: pip install 'dlexplain[audit]'; or give a dict."
        ) from error
    try:
        if path.stat().st_size > _BYTES:
            raise InputError(f"card: {path} has over {_BYTES:,} bytes; a card is a page that a person fills in.")
        text = path.read_text(encoding="utf-8")
        # An alias lets a few lines stand for billions; a page written by hand needs none.
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):
            raise InputError(f"card: {path} holds YAML aliases (*name); write the text out.")
        return yaml.safe_load(text) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise InputError(f"card: {path} could not be read as YAML: {error}") from error
