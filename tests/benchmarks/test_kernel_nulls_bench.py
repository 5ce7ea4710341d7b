"""The benchmark of kernel nulls compares what gives the same scores."""

from __future__ import annotations

from benchmarks.kernel_nulls import measure


def test_both_ways_agree():
    found = measure(40, 60, n_fast=5, n_many=20)
    assert found["largest_gap_of_r"] < 1e-9
