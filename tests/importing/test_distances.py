"""Distances of regions in place of coordinates: places that meet them, and who may use these."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist
from world import N, World, imported, square

import gx2c
from gx2c.data import Brain, load_dataset, write_dataset
from gx2c.data.places import misfit, places_of
from gx2c.data.sides import mirrored, nearest_homologues
from gx2c.errors import DataError, UserError
from sweeps.cli.app import main

SIDES = np.repeat([0, 1], N // 2)


def write_set(world: World, folder: Path, distances: np.ndarray) -> None:
    square(world.connectome, world.labels).to_csv(folder / "fc.csv")
    square(distances, world.labels).to_csv(folder / "geodesic.csv")
    world.frame().to_csv(folder / "expression.csv")


@pytest.fixture
def pair(world: World, raw: Path) -> tuple[Brain, Brain]:
    """Return one brain by its distances, and the same by coordinates."""
    write_set(world, raw, cdist(world.coords_mm, world.coords_mm))
    by_distance, made = imported(raw)
    assert "distances of geodesic.csv stand in for coordinates" in " ".join(made.draft.notes)
    (raw / "geodesic.csv").unlink()
    world.regions().to_csv(raw / "regions.csv", index=False)
    return by_distance, imported(raw)[0]


def test_distances_give_the_folds_and_scores_of_the_coordinates_they_come_from(
    pair: tuple[Brain, Brain],
) -> None:
    by_distance, by_place = pair
    assert by_distance.coords_mm.shape == (N, 3) and by_place.distances_mm is None
    np.testing.assert_allclose(by_distance.coords_mm[:, 0], by_place.coords_mm[:, 0])
    folds = [gx2c.make_folds(b, n_folds=3, n_inner_folds=2, seed=1, buffer_mm=5) for b in pair]
    for one, other in zip(*folds, strict=True):
        np.testing.assert_array_equal(one.train_regions, other.train_regions)
        np.testing.assert_array_equal(one.test_regions, other.test_regions)
    for model in (gx2c.models.Geography(), gx2c.models.ExponentialDecay()):
        predicted = [
            gx2c.clone(model).fit(b, f[0].train_regions).predict(b, f[0].test_regions)
            for b, f in zip(pair, folds, strict=True)
        ]
        np.testing.assert_allclose(predicted[0], predicted[1], atol=1e-6)


def test_hemispheres_without_distances_between_them_lie_beside_each_other(world: World) -> None:
    """Great circles on two spheres: only nearly met in space; homologues share names."""
    sphere = world.coords_mm - [0, -15, 20]
    sphere[:, 0] = np.abs(sphere[:, 0]) - 37
    sphere *= 80 / np.linalg.norm(sphere, axis=1)[:, None]
    circle = 80 * np.arccos(np.clip(sphere @ sphere.T / 80**2, -1, 1))
    across = SIDES[:, None] != SIDES
    known = np.where(across, np.inf, circle)
    places = places_of(known, SIDES, world.labels)
    error_mm, alike = misfit(known, places)
    assert error_mm < 0.08 * np.median(circle) and alike > 0.97
    assert (np.sign(places[:, 0]) == np.where(SIDES, 1, -1)).all()
    np.testing.assert_array_equal(
        nearest_homologues(places, SIDES), np.stack([np.arange(16), np.arange(16, 32)], axis=1)
    )
    # the axes after the first are principal ones
    assert (np.diff(places[:, 1:].std(axis=0)) <= 1e-9).all()
    # folded, a region is as far from the other side's as from their homologues
    folded = cdist(mirrored(places), mirrored(places))
    np.testing.assert_allclose(folded[:16, 16:], folded[:16, :16], atol=1e-6)
    names = tuple(f"region{i}" for i in range(N))
    with pytest.raises(DataError, match="between left and right regions are missing"):
        places_of(known, SIDES, names)
    known[0, 1] = known[1, 0] = np.nan
    with pytest.raises(DataError, match="no distance between 'LH_Vis_1', 'LH_Vis_2'"):
        places_of(known, SIDES, world.labels)


def test_the_dataset_keeps_distances_and_no_coordinates(
    pair: tuple[Brain, Brain], tmp_path: Path
) -> None:
    brain, _ = pair
    folder = write_dataset(tmp_path / "again", brain, {"Name": "again"})
    again = load_dataset(folder)
    np.testing.assert_allclose(again.distances_mm, brain.distances_mm)
    np.testing.assert_allclose(again.coords_mm, brain.coords_mm)
    assert not any("mni" in name for name in pd.read_csv(folder / "regions.tsv", sep="\t"))
    half = gx2c.data.BrainView(hemisphere="left").of(again)
    assert half.distances_mm.shape == (16, 16)
    next(folder.glob("*Distance_relmat.tsv")).unlink()
    with pytest.raises(DataError, match="has no column 'x_mni_mm'.*give them, or distances"):
        load_dataset(folder)
    with pytest.raises(DataError, match="distances reach 9; those of a brain"):
        replace(brain, distances_mm=brain.distances_mm * 9 / brain.distances_mm.max())


def test_regions_that_distances_leave_out_are_named_and_mapped(world: World, raw: Path) -> None:
    """Region 3 has no distance, and the distances have a region more, in an order of their own."""
    write_set(world, raw, cdist(world.coords_mm, world.coords_mm))
    order = [i for i in reversed(range(N)) if i != 3]
    rows = np.vstack([world.coords_mm[order], [[1, 2, 3]]])
    names = (*(world.full_labels[i] for i in order), "7Networks_RH_Limbic_9")
    square(cdist(rows, rows), names).to_csv(raw / "geodesic.csv")
    brain, made = imported(raw, distances=str(raw / "geodesic.csv"))
    assert brain.labels == tuple(world.labels[i] for i in range(N) if i != 3)
    kept = world.coords_mm[[i for i in range(N) if i != 3]]
    np.testing.assert_allclose(brain.distances_mm, cdist(kept, kept), atol=1e-9)
    extra = "geodesic.csv: 1 regions that the connectome lacks are left out"
    assert f"{extra}: '7Networks_RH_Limbic_9'" in made.draft.changed
    assert (
        f"1 regions have no distances and are left out: '{world.labels[3]}'" in made.draft.changed
    )
    assert made.draft.mapping[world.labels[5]]["geodesic.csv"] == world.full_labels[5]
    assert "geodesic.csv: 31 regions, such as '7Networks_" in "\n".join(made.lines())
    text = (raw.parent / "raw-out" / "README.md").read_text()
    assert f"{extra}: 7Networks_RH_Limbic_9" in text and "| geodesic.csv |" in text


def test_what_reads_x_y_and_z_is_refused(
    pair: tuple[Brain, Brain], raw: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    brain, _ = pair
    with pytest.raises(UserError, match="mlp_coords reads x, y and z, and .* has distances"):
        gx2c.models.MLPCoords().fit(brain, np.arange(20))
    with pytest.raises(UserError, match="the feature 'coordinates' needs"):
        gx2c.models.KernelRidge(inputs="coordinates").fit(brain, np.arange(20))
    folder = write_dataset(raw.parent / "named", brain, {"Name": "named"})
    with pytest.raises(SystemExit) as ended:
        main(["sweep", "smt_cls", "--dataset", str(folder), "--out", str(raw.parent / "run")])
    assert ended.value.code == 2 and not (raw.parent / "run").exists()
    assert "smt_cls reads x, y and z" in capsys.readouterr().err


def test_distances_that_cannot_be_are_refused_with_the_remedy(world: World, raw: Path) -> None:
    distances = cdist(world.coords_mm, world.coords_mm)
    write_set(world, raw, distances)
    with pytest.raises(UserError, match="--project-spheres needs coordinates"):
        imported(raw, project_spheres=True)
    write_set(world, raw, distances / 100)
    with pytest.raises(DataError, match="are these other units"):
        imported(raw, distances=str(raw / "geodesic.csv"))
    names = tuple(f"region{i}" for i in range(N))
    square(world.connectome, names).to_csv(raw / "fc.csv")
    square(distances, names).to_csv(raw / "geodesic.csv")
    with pytest.raises(UserError, match="names the side of 'region0', .* give --regions TABLE"):
        imported(raw)
