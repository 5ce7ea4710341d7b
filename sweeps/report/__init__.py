"""The page that a finished run leaves: it reads results and computes none."""

from __future__ import annotations

from sweeps.report.build import write_report

__all__ = ["write_report"]
