"""Measurements: each states its machine, versions, repeats and spread; none is a timed test."""

from __future__ import annotations

from benchmarks.frame import BENCHMARKS, run_benchmark

__all__ = ["BENCHMARKS", "run_benchmark"]
