"""The course as static pages: each lesson as it looks after a run, an index; from a folder, without a network."""

from __future__ import annotations
