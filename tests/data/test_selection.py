"""Filters keep whole rows and columns; lobes are read, written and checked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dataset_editing import Rows, rewrite_expression, rewrite_table

from gx2c.data import (
    Brain,
    BrainView,
    check_dataset,
    load_dataset,
    make_synthetic_brain,
    take_regions,
    write_dataset,
)
from gx2c.errors import DataError, UserError

LOBES = ("frontal", "parietal", "temporal", "occipital") * 3


@pytest.fixture(scope="module")
def brain() -> Brain:
    made = make_synthetic_brain(n_regions=40, n_genes=5, seed=2)
    return replace(made, lobe=LOBES * 3 + LOBES[:4])


@pytest.mark.parametrize(("hemisphere", "side"), [("left", 0), ("right", 1)])
def test_a_hemisphere_is_kept_whole(brain: Brain, hemisphere: str, side: int) -> None:
    kept = BrainView(hemisphere=hemisphere).of(brain)
    rows = [i for i in range(40) if brain.hemisphere[i] == side]
    assert kept.labels == tuple(brain.labels[i] for i in rows)
    assert kept.network == tuple(brain.network[i] for i in rows)
    assert kept.lobe is not None and brain.lobe is not None
    assert kept.lobe == tuple(brain.lobe[i] for i in rows)
    assert kept.holdout_connectome is not None and brain.holdout_connectome is not None
    assert kept.sphere_coords is not None and brain.sphere_coords is not None
    for new, i in enumerate(rows):
        np.testing.assert_array_equal(kept.expression[new], brain.expression[i])
        np.testing.assert_array_equal(kept.coords_mm[new], brain.coords_mm[i])
        np.testing.assert_array_equal(kept.sphere_coords[new], brain.sphere_coords[i])
        for other, j in enumerate(rows):
            assert kept.connectome[new, other] == brain.connectome[i, j]
            assert kept.holdout_connectome[new, other] == brain.holdout_connectome[i, j]
    assert kept.genes == brain.genes and kept.checksum == brain.checksum


def test_the_cortex_has_sphere_coordinates(brain: Brain) -> None:
    assert brain.sphere_coords is not None
    sphere = brain.sphere_coords.copy()
    sphere[[3, 25]] = np.nan
    kept = BrainView(cortex_only=True).of(replace(brain, sphere_coords=sphere))
    assert kept.n_regions == 38 and brain.labels[3] not in kept.labels


def test_without_sphere_coordinates_networks_tell_the_cortex(brain: Brain) -> None:
    flat = replace(brain, sphere_coords=None)
    with pytest.raises(UserError, match="no network named Subcortical or Cerebellum"):
        BrainView(cortex_only=True).of(flat)
    deep = replace(flat, network=("Subcortical", *brain.network[1:-1], "Cerebellum"))
    kept = BrainView(hemisphere="left", cortex_only=True).of(deep)
    assert kept.labels == deep.labels[1:20]


def test_nothing_asked_for_changes_nothing(brain: Brain) -> None:
    assert BrainView().of(brain) is brain


def test_mistakes_are_refused(brain: Brain) -> None:
    with pytest.raises(UserError, match="no hemisphere 'L'; choose from .'both', 'left', 'right'"):
        BrainView(hemisphere="L").of(brain)
    with pytest.raises(DataError, match="3 usable regions"):
        take_regions(brain, np.array([0, 5, 9]))


def test_a_brain_may_lack_every_option(brain: Brain) -> None:
    least = replace(brain, holdout_connectome=None, sphere_coords=None, tss=None, lobe=None)
    kept = BrainView(hemisphere="right").of(least)
    assert kept.lobe is None and kept.holdout_connectome is None and kept.sphere_coords is None


def test_lobes_are_written_and_read(small_brain: Brain, tmp_path: Path) -> None:
    with_lobes = replace(small_brain, lobe=LOBES)
    folder = write_dataset(tmp_path / "lobes", with_lobes, {"Name": "lobes"})
    assert check_dataset(folder) == []
    assert load_dataset(folder).lobe == LOBES
    flat = replace(with_lobes, sphere_coords=None)
    assert load_dataset(write_dataset(tmp_path / "flat", flat, {"Name": "f"})).lobe == LOBES


def test_a_dataset_without_lobes_has_no_column(small_folder: Path) -> None:
    header = (small_folder / "regions.tsv").read_text().splitlines()[0]
    assert header.split("\t")[-1] == "z_sphere_mm"
    assert load_dataset(small_folder).lobe is None


def test_lobes_of_regions_without_expression_go_with_them(
    small_brain: Brain, tmp_path: Path
) -> None:
    folder = write_dataset(tmp_path / "x", replace(small_brain, lobe=LOBES), {"Name": "x"})
    rewrite_expression(folder, lambda frame: frame.drop("synthetic_LH_2").reindex(frame.index))
    assert load_dataset(folder).lobe == (LOBES[0], *LOBES[2:])


def test_an_empty_lobe_is_a_problem(small_brain: Brain, tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "x", replace(small_brain, lobe=LOBES), {"Name": "x"})

    def blank(rows: Rows) -> Rows:
        rows[2][-1] = " "
        return rows

    rewrite_table(folder / "regions.tsv", blank)
    with pytest.raises(DataError, match="lobe is empty in regions 'synthetic_LH_2'"):
        load_dataset(folder)
    with pytest.raises(DataError, match="lobe has 11 names; 12 labels need one each"):
        replace(small_brain, lobe=LOBES[1:])
