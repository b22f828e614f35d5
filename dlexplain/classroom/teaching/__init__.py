"""For teachers: a guide a lesson, slides, a workbook, a class set to carry into a room, and marking."""

from __future__ import annotations
