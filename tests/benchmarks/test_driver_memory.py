"""The benchmark's own arithmetic, and in a slow test the limit that it is about."""

from __future__ import annotations

import pytest

from benchmarks import driver_memory

LIMIT_KIB_PER_CONFIG = 10.0


def test_growth_is_counted_after_the_first_tenth():
    points = [(0, 1_000), (50, 5_000), (100, 6_000), (500, 7_000), (1_000, 9_600)]
    assert driver_memory.growth_per_config(points) == pytest.approx(3_600 / 900)
    assert driver_memory.growth_per_config([(10, 500)]) == 0.0


@pytest.mark.slow
def test_the_driver_of_a_long_search_stays_small():
    found = driver_memory.run()
    assert found["configs"] >= 5_000
    assert found["kib_per_config"] < LIMIT_KIB_PER_CONFIG
