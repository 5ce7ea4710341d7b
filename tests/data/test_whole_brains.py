"""Datasets of whole brains: structures, regions of both sides, and none of the genes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dataset_editing import Rows, rewrite_table

from gx2c.data import (
    Brain,
    BrainView,
    check_dataset,
    describe_dataset,
    load_dataset,
    make_synthetic_brain,
    write_dataset,
)
from gx2c.errors import DataError, UserError
from gx2c.metrics.detail import hemisphere_groups
from gx2c.nulls import SURROGATES, make_brain_spins, make_surrogate
from gx2c.splits.fold import match_homologues
from sweeps.request.options import make_options
from sweeps.request.plan import make_plan


@pytest.fixture(scope="module")
def brain() -> Brain:
    """30 regions, of which one lies on both sides and two are subcortical."""
    made = make_synthetic_brain(n_regions=30, n_genes=5, seed=4)
    hemisphere, coords_mm = made.hemisphere.copy(), made.coords_mm.copy()
    hemisphere[3], coords_mm[3, 0] = 2, -30.0
    structure = ["cortex"] * 30
    structure[3], structure[4], structure[20] = "cerebellum", "subcortex", "subcortex"
    labels = tuple(f"region{i}" for i in range(30))
    return replace(
        made, labels=labels, hemisphere=hemisphere, coords_mm=coords_mm, structure=tuple(structure)
    )


def test_structures_and_regions_of_both_sides_are_written_and_read(
    brain: Brain, tmp_path: Path
) -> None:
    folder = write_dataset(tmp_path / "whole", brain, {"Name": "whole"})
    assert check_dataset(folder) == []
    loaded = load_dataset(folder)
    assert loaded.structure == brain.structure
    np.testing.assert_array_equal(loaded.hemisphere, brain.hemisphere)
    facts = describe_dataset(folder)
    assert (facts["n_left"], facts["n_right"], facts["n_both_sides"]) == (14, 15, 1)
    assert facts["structures"] == {"cortex": 27, "cerebellum": 1, "subcortex": 2}
    assert "14 left, 15 right, 1 both" in repr(loaded)


def test_structures_are_read_in_any_case_and_must_be_known(brain: Brain, tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "whole", brain, {"Name": "whole"})

    def name_first(structure: str) -> None:
        def edit(rows: Rows) -> Rows:
            rows[1][rows[0].index("structure")] = structure
            return rows

        rewrite_table(folder / "regions.tsv", edit)

    name_first(" Cortex")
    assert load_dataset(folder).structure == brain.structure
    name_first("pallium")
    with pytest.raises(DataError, match="structure 'pallium' is none of cortex, subcortex, cereb"):
        load_dataset(folder)


def test_the_cortex_is_told_by_structure_without_spheres(brain: Brain) -> None:
    kept = BrainView(cortex_only=True).of(replace(brain, sphere_coords=None))
    assert kept.n_regions == 27 and kept.structure == ("cortex",) * 27
    assert not {"region3", "region4", "region20"} & set(kept.labels)


def test_a_region_of_both_sides_has_no_homologue_and_is_between_no_hemispheres(
    brain: Brain,
) -> None:
    units = match_homologues(brain.coords_mm, brain.hemisphere)
    assert np.count_nonzero(units == units[3]) == 1
    edges = np.triu_indices(30, 1)
    groups = hemisphere_groups(brain.hemisphere, edges)
    of_both = (edges[0] == 3) | (edges[1] == 3)
    assert not any((group & of_both).any() for group in groups.values())
    assert np.logical_or.reduce(list(groups.values()))[~of_both].all()


def test_a_region_of_both_sides_is_never_spun(brain: Brain) -> None:
    assert np.flatnonzero(np.isnan(brain.sphere_coords).all(axis=1)).tolist() == [3]
    with pytest.raises(UserError, match="1 of 30 regions have no sphere.*--cortex-only.*stitched"):
        make_brain_spins(brain, n_spins=1, seed=0)
    cortex = BrainView(cortex_only=True).of(brain)
    assert make_brain_spins(cortex, n_spins=1, seed=0).shape == (27, 1)
    with pytest.raises(UserError, match="29 cortical and 1 other.*at least 3 others"):
        make_surrogate("stitched", brain, seed=0)
    assert not {"hungarian", "stitched"} & {n for n, s in SURROGATES.items() if s.suits(brain)}
    cortex_on_spheres = np.where(
        [[name == "cortex"] for name in brain.structure], brain.sphere_coords, np.nan
    )
    whole = replace(brain, sphere_coords=cortex_on_spheres)
    assert SURROGATES["stitched"].suits(whole)
    moved = make_surrogate("stitched", whole, seed=0).expression(whole, 0)
    spun = moved[[name == "cortex" for name in brain.structure]]
    own = brain.expression[[name == "cortex" for name in brain.structure]]
    np.testing.assert_array_equal(np.sort(spun[:, 0]), np.sort(own[:, 0]))


@pytest.fixture
def places(brain: Brain, tmp_path: Path) -> Path:
    """Write a dataset without genes."""
    without = replace(brain, genes=(), expression=np.empty((30, 0)), tss=None, sphere_coords=None)
    return write_dataset(tmp_path / "places", without, {"Name": "places"})


def test_a_dataset_may_have_no_genes(places: Path) -> None:
    assert not list(places.glob("*.parquet")) and not (places / "genes.tsv").exists()
    assert check_dataset(places) == []
    loaded = load_dataset(places)
    assert (loaded.n_genes, loaded.n_regions, loaded.excluded) == (0, 30, ())


def test_models_of_genes_refuse_a_dataset_without_any(places: Path) -> None:
    options = {"dataset": str(places), "preset": "quick", "folds": 2, "inner_folds": 2}
    with pytest.raises(UserError, match="has no gene expression, which kernel_ridge reads; add it"):
        make_plan(make_options("kernel_ridge", **options))
    assert make_plan(make_options("geography", **options)).n_genes() == 0
