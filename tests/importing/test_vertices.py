"""Places of regions from vertices and voxels, with the truth known."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace

import nibabel
import numpy as np
import pandas as pd
import pytest
from test_layouts import write_mesh
from world import World, assert_same, imported, square

from gx2c.data import BrainView, load_dataset
from gx2c.errors import UserError
from gx2c.importing.command import import_dataset
from gx2c.importing.options import ImportOptions
from gx2c.importing.vertices import DESIKAN_KILLIANY, VertexLabels, surface_centroids
from gx2c.nulls.spheres import PROJECTED
from gx2c.nulls.table import make_surrogate


def write_matrix(world: World, raw: Path) -> None:
    square(world.connectome, world.labels).to_csv(raw / "fc.csv")


def label_gifti(numbers: np.ndarray, names: dict[int, str], path: Path) -> None:
    array = nibabel.gifti.GiftiDataArray(numbers.astype(np.int32), intent="NIFTI_INTENT_LABEL")
    table = nibabel.gifti.GiftiLabelTable()
    for key, name in names.items():
        label = nibabel.gifti.GiftiLabel(key)
        label.label = name
        table.labels.append(label)
    nibabel.save(nibabel.gifti.GiftiImage(darrays=[array], labeltable=table), path)


def test_gifti_labels_name_their_regions(world: World, raw: Path) -> None:
    write_matrix(world, raw)
    numbers = write_mesh(world, raw)
    halves = np.split(numbers, 2)
    for side, half, rows in (("L", halves[0], range(16)), ("R", halves[1], range(16, 32))):
        # each side counts from 1, as most files do
        own = np.where(half > 0, half - 16 * (side == "R"), 0)
        names = {0: "???"} | {i % 16 + 1: world.labels[i] for i in rows}
        label_gifti(own, names, raw / f"small.hemi-{side}.label.gii")
    brain, _ = imported(raw)
    assert_same(brain, world)
    assert brain.sphere_coords is not None


def test_freesurfer_annotations(world: World, raw: Path) -> None:
    write_matrix(world, raw)
    numbers = write_mesh(world, raw)
    for side, half, rows in zip(
        ("lh", "rh"), np.split(numbers, 2), (range(16), range(16, 32)), strict=True
    ):
        own = np.where(half > 0, half - 16 * (side == "rh"), 0)
        # the annotation names no side: it is that of the file
        names = ["unknown", *(world.labels[i][3:] for i in rows)]
        colours = np.array([[i, 10, 20, 0, 0] for i in range(17)])
        nibabel.freesurfer.write_annot(raw / f"{side}.x.annot", own, colours, names, fill_ctab=True)
    assert_same(imported(raw)[0], world)


def test_dense_labels_of_cifti(world: World, raw: Path) -> None:
    write_matrix(world, raw)
    numbers = write_mesh(world, raw)
    halves = np.split(numbers, 2)
    models = [
        nibabel.cifti2.BrainModelAxis.from_mask(half > 0, name=f"cortex_{side}")
        for half, side in zip(halves, ("left", "right"), strict=True)
    ]
    table = {0: ("???", (0, 0, 0, 0))} | {
        i + 1: (label, (1, 0, 0, 1)) for i, label in enumerate(world.labels)
    }
    axes = nibabel.cifti2.LabelAxis(["x"], [table]), models[0] + models[1]
    values = numbers[numbers > 0][None].astype(np.float32)
    nibabel.save(nibabel.Cifti2Image(values, axes), raw / "small.dlabel.nii")
    assert_same(imported(raw)[0], world)


@pytest.mark.parametrize("named", ["table", "list"])
def test_an_image_is_named_by_ids_or_a_list(world: World, raw: Path, named: str) -> None:
    write_matrix(world, raw)
    write_image(world, raw / "atlas.nii.gz")
    table = pd.DataFrame({"index": range(1, 33), "name": world.labels})
    if named == "table":
        table.sample(frac=1, random_state=0).to_csv(raw / "dseg.tsv", sep="\t", index=False)
    else:
        (raw / "labels.txt").write_text("\n".join(world.labels))
    brain, _ = imported(raw)
    assert np.abs(brain.coords_mm - world.coords_mm).max() < 0.51
    assert brain.labels == world.labels


def test_the_side_is_that_of_the_label_and_the_centroid_of_that_side_alone() -> None:
    """Glasser's L_p24 has 58 vertices on the left and 63 on the right."""
    numbers = np.array([1] * 58 + [0] * 12 + [1] * 63 + [2] * 7)
    points = np.tile([-10.0, 0, 0], (70, 1)), np.tile([10.0, 0, 0], (70, 1))
    labels = VertexLabels("x", numbers, 70, {})
    named = surface_centroids(labels, points, [1, 2], ["L", "R"])
    assert named.coords_mm.tolist() == [[-10, 0, 0], [10, 0, 0]] and named.sides == ("L", "R")
    unnamed = surface_centroids(labels, points, [1, 2])
    assert unnamed.sides == ("R", "R") and unnamed.coords_mm[0].tolist() == [10, 0, 0]


def test_freesurfers_numbers_name_the_desikan_killiany_atlas() -> None:
    numbers = np.repeat(np.arange(71), 2)
    named = VertexLabels("aparc", numbers, 71, {}).named()
    assert len(named) == 68 and not {4, 39} & set(named)
    assert (named[1], named[36], named[70]) == ("L_bankssts", "R_bankssts", "R_insula")
    assert len(DESIKAN_KILLIANY) == 35


def test_surfaces_of_another_mesh_are_refused(world: World, raw: Path) -> None:
    labels = VertexLabels("x", np.ones(10, dtype=np.int64), 5, {})
    with pytest.raises(UserError, match="have 4 and 4 vertices, x labels 5 and 5"):
        surface_centroids(labels, (np.zeros((4, 3)), np.zeros((4, 3))), [1])


def test_centroids_are_projected_only_when_asked_and_said_to_be(world: World, raw: Path) -> None:
    write_matrix(world, raw)
    world.regions().to_csv(raw / "regions.csv", index=False)
    assert imported(raw)[0].sphere_coords is None
    brain, made = imported(raw, project_spheres=True)
    assert brain.sphere_coords is not None
    np.testing.assert_allclose(np.linalg.norm(brain.sphere_coords, axis=1), 100, atol=2e-3)
    assert any("are projected centroids, not places" in line for line in made.draft.changed)
    # spins on them are labelled wherever they are reported, and those on a true surface are not
    half = BrainView(hemisphere="left").of(brain)
    shipped = load_dataset("schaefer100")
    said = [make_surrogate("vasa", b, seed=1).statement for b in (brain, half, shipped)]
    assert [PROJECTED in statement for statement in said] == [True, True, False]
    assert PROJECTED not in make_surrogate("moran", brain, seed=1).statement


def write_image(world: World, path: Path) -> None:
    """Write an image in which each region is a cube of 27 voxels about its centroid."""
    image = np.zeros((140, 170, 120), dtype=np.int16)
    affine = np.array([[-1, 0, 0, 70], [0, 1, 0, -100], [0, 0, 1, -40], [0, 0, 0, 1]], dtype=float)
    voxels = np.round((world.coords_mm - affine[:3, 3]) / np.diag(affine)[:3]).astype(int)
    for i, (x, y, z) in enumerate(voxels):
        image[x - 1 : x + 2, y - 1 : y + 2, z - 1 : z + 2] = i + 1
    nibabel.save(nibabel.Nifti1Image(image, affine), path)


def test_an_atlas_by_name_is_downloaded_by_nilearn(
    world: World, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nilearn import datasets

    asked = {}

    def fetch(**keywords: object) -> SimpleNamespace:
        asked.update(keywords)
        if not (raw.parent / "image.nii.gz").exists():
            write_image(world, raw.parent / "image.nii.gz")
        names = ["Background", *world.full_labels]
        lut = pd.DataFrame({"index": range(33), "name": names})
        return SimpleNamespace(maps=str(raw.parent / "image.nii.gz"), lut=lut)

    monkeypatch.setattr(datasets, "fetch_atlas_schaefer_2018", fetch)
    write_matrix(world, raw)
    brain, made = imported(raw, atlas="schaefer200_17")
    assert (asked["n_rois"], asked["yeo_networks"]) == (200, 17)
    assert np.abs(brain.coords_mm - world.coords_mm).max() < 0.51
    # nilearn pins no checksum, so the import does, and repeats with this image alone
    digest = hashlib.sha256((raw.parent / "image.nii.gz").read_bytes()).hexdigest()
    recipe = raw.parent / "import.yaml"
    recipe.write_text((made.folder / "import.yaml").read_text())
    assert f"atlas_sha256: {digest}" in recipe.read_text()
    assert import_dataset(ImportOptions((str(recipe),)), raw.parent / "again").folder is not None
    recipe.write_text(recipe.read_text().replace(digest, "f" * 64))
    with pytest.raises(UserError, match=f"SHA-256 of the atlas schaefer200_17 is {digest}, and f"):
        import_dataset(ImportOptions((str(recipe),)), raw.parent / "again")

    def fail(**_: object) -> None:
        raise OSError("unreachable")

    monkeypatch.setattr(datasets, "fetch_atlas_schaefer_2018", fail)
    with pytest.raises(UserError, match=r"cannot download the atlas schaefer200 \(unreachable\)"):
        imported(raw, atlas="schaefer200")
