"""Data for an audit from files: archives, tables, folders of pictures."""

from __future__ import annotations

from dlexplain.audit.reading.data import AuditData
from dlexplain.audit.reading.opening import read

__all__ = ["AuditData", "read"]
