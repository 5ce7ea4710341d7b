"""A thousand configs on a virtual cluster; ten thousand are `gx2c bench load`."""

from __future__ import annotations

import pytest

from benchmarks import full_grid, load


@pytest.mark.slow
def test_a_thousand_configs_cost_little_each():
    found = load.run(1_000)
    assert found["configs"] == 1_000
    assert found["workers"] == 2
    # generous, for a shared machine: a leak or something quadratic is far beyond
    assert found["overhead_ms_per_config"] < 250
    assert found["driver_kib_per_config"] < 200


def test_the_full_grid_is_what_its_parts_are():
    found = full_grid.run()
    assert found["sweeps"] == 500
    assert found["fits_per_sweep"] == {"search": 320, "retrain": 4, "nulls": 4000}
    assert found["fits"] == 500 * 4324
    # 341 regions: 29 blocks of 64 have as many ordered pairs as 341 x 340
    assert found["encodings_per_pass"]["blocks"] == 29 * 64
    published, blocks = found["schemes"].values()
    assert published["gpu_hours"] == pytest.approx(500 * 4324 * 592 / 3600, rel=1e-3)
    assert published["gpu_hours"] / blocks["gpu_hours"] == pytest.approx(found["ratio"], rel=1e-2)
