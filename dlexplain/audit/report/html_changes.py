"""What is different from an earlier record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlexplain.audit.report.html_text import Index

if TYPE_CHECKING:
    from dlexplain.audit.comparing import Changes


def changed(changes: Changes, index: Index) -> str:
    return ""
