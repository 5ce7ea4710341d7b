"""The layouts of other people's data, written small with a known truth."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest
import scipy.io
from world import GENES, World, assert_same, imported, square, zero_diagonal

from gx2c.data import check_dataset
from gx2c.errors import UserError
from gx2c.importing.options import ImportOptions
from gx2c.importing.roles import gather_roles

ENIGMA_DEEP = "accumb amyg caud hippo pal put thal".split()


def bids_name(*entities: str) -> str:
    return "_".join([*entities, "relmat.tsv"])


@pytest.mark.parametrize(
    "name",
    [
        bids_name("task-rest", "seg-Small", "meas-PearsonCorrelation"),
        bids_name("seg-Small", "meas-PearsonCorrelation", "task-rest"),
        bids_name("meas-PearsonCorrelation", "desc-x", "task-rest", "seg-Small"),
        "space-MNI_seg-Small_stat-pearsoncorrelation_relmat.tsv",
        "task-rest_atlas-Small_measure-pearsoncorrelation_conmat.tsv",
    ],
)
def test_bids_matrices_of_any_order_of_entities(world: World, raw: Path, name: str) -> None:
    square(world.connectome, world.labels).rename_axis("Node").to_csv(raw / name, sep="\t")
    (raw / name).with_suffix(".json").write_text(json.dumps({"Directed": False}))
    world.regions().to_csv(raw / "seg-Small_dseg.tsv", sep="\t", index=False)
    assert_same(imported(raw)[0], world)


def test_parcels_of_low_coverage_in_xcp_d_are_left_out_by_name(world: World, raw: Path) -> None:
    matrix = world.connectome.copy()
    matrix[[3, 20], :] = matrix[:, [3, 20]] = np.nan
    name = "sub-01_task-rest_seg-4S_stat-pearsoncorrelation_relmat.tsv"
    frame = square(matrix, world.labels).rename_axis("Node")
    frame.to_csv(raw / name, sep="\t", na_rep="n/a")
    world.regions().to_csv(raw / "regions.csv", index=False)
    brain, made = imported(raw)
    assert_same(brain, world, [i for i in range(32) if i not in (3, 20)])
    assert any(
        f"2 regions have no connectivity (all missing) and are left out: '{world.labels[3]}'"
        in line
        for line in made.draft.changed
    )


def test_files_of_several_people_are_averaged_and_kept(world: World, raw: Path) -> None:
    z = np.arctanh(zero_diagonal(world.connectome))
    for person, shift in enumerate((-0.1, 0.0, 0.1)):
        matrix = np.tanh(z + shift)
        folder = raw / f"sub-{person:02}" / "func"
        folder.mkdir(parents=True)
        name = f"sub-{person:02}_task-rest_seg-S_stat-pearsoncorrelation_relmat.tsv"
        square(matrix, world.labels).rename_axis("Node").to_csv(folder / name, sep="\t")
    world.regions().to_csv(raw / "regions.csv", index=False)
    brain, made = imported(raw)
    assert_same(brain, world)
    assert brain.individual_connectomes is not None
    assert brain.individual_connectomes.shape == (3, 32 * 31 // 2)
    edges = z[np.triu_indices(32, 1)]
    np.testing.assert_allclose(brain.individual_connectomes[0], np.tanh(edges - 0.1), atol=1e-5)
    assert "the connectome is their mean in Fisher z" in made.draft.notes


def write_enigma(world: World, raw: Path) -> None:
    """Write matrices without names, lines of labels, expression with deep rows, vertex labels."""
    z = np.clip(np.arctanh(zero_diagonal(world.connectome)), 0, None)
    np.savetxt(raw / "funcMatrix_ctx.csv", z, delimiter=",")
    whole = np.pad(z, (0, 14), constant_values=0.1)
    np.savetxt(raw / "funcMatrix_with_sctx.csv", whole, delimiter=",")
    np.savetxt(raw / "funcMatrix_sctx.csv", np.full((14, 32), 0.1), delimiter=",")
    logged = np.log1p(world.counts)
    np.savetxt(raw / "strucMatrix_ctx.csv", logged, delimiter=",")
    deep = [f"{side}{name}" for side in "LR" for name in ENIGMA_DEEP]
    for start in ("func", "struc"):
        (raw / f"{start}Labels_ctx.csv").write_text(",".join(world.full_labels) + "\r\n")
    (raw / "funcLabels_sctx.csv").write_text(",".join(deep))
    (raw / "funcLabels_with_sctx.csv").write_text(",".join([*world.full_labels, *deep]))
    frame = pd.DataFrame(world.expression, list(world.full_labels), list(GENES))
    frame.iloc[5] = np.nan
    rest = pd.DataFrame(0.5, deep, list(GENES))
    pd.concat([frame, rest]).rename_axis("label").to_csv(raw / "allgenes_stable_r0.6.csv")


def write_mesh(world: World, folder: Path, prefix: str = "conte69_32k") -> np.ndarray:
    """Write surfaces and spheres on which each region has 70 vertices about its centroid."""
    rng = np.random.default_rng(5)
    offsets = rng.normal(0, 1, (70, 3))
    offsets -= offsets.mean(axis=0)
    for side, rows in (("lh", range(16)), ("rh", range(16, 32))):
        mirror = [-1 if side == "lh" else 1, 1, 1]
        surface = np.vstack([world.coords_mm[i] + offsets * mirror for i in rows])
        surface = np.vstack([surface, np.zeros((30, 3))])
        # the sphere of a hemisphere about its own middle, mirrored between the two
        middle = np.array([mirror[0] * 37.0, -15.0, 20.0])
        sphere = surface - middle
        sphere *= 100 / np.linalg.norm(sphere, axis=1, keepdims=True)
        for name, points in ((f"{prefix}_{side}", surface), (f"{prefix}_{side}_sphere", sphere)):
            array = nibabel.gifti.GiftiDataArray(
                points.astype(np.float32), intent="NIFTI_INTENT_POINTSET"
            )
            nibabel.save(nibabel.gifti.GiftiImage(darrays=[array]), folder / f"{name}.gii")
    half = np.concatenate([np.repeat(np.arange(1, 17), 70), np.zeros(30, dtype=int)])
    return np.concatenate([half, np.where(half > 0, half + 16, 0)])


def test_enigma_with_surfaces_and_spheres(world: World, raw: Path) -> None:
    write_enigma(world, raw)
    surfaces = raw.parent / "surfaces"
    surfaces.mkdir()
    numbers = write_mesh(world, surfaces)
    np.savetxt(raw / "small_conte69.csv", numbers, fmt="%d")
    brain, made = imported(raw, surfaces)
    off = ~np.eye(31, dtype=bool)
    rows = [i for i in range(32) if i != 5]
    true = np.clip(world.connectome[np.ix_(rows, rows)], 0, None)
    np.testing.assert_allclose(brain.connectome[off], true[off], atol=1e-6)
    np.testing.assert_allclose(brain.coords_mm, world.coords_mm[rows], atol=2e-3)
    np.testing.assert_allclose(brain.expression, world.expression[rows], atol=1e-6)
    assert brain.excluded == (world.full_labels[5],) and brain.network == tuple(
        world.network[i] for i in rows
    )
    assert brain.sphere_coords is not None
    np.testing.assert_allclose(np.linalg.norm(brain.sphere_coords, axis=1), 100, atol=2e-3)
    left = brain.sphere_coords[brain.hemisphere == 0][:5]
    np.testing.assert_allclose(left * [-1, 1, 1], brain.sphere_coords[15:20], atol=2e-3)
    weights = np.log1p(world.counts)[np.ix_(rows, rows)] / np.log1p(world.counts).max()
    assert brain.structural_connectome is not None
    np.testing.assert_allclose(brain.structural_connectome, weights, atol=1e-6)
    told = [*made.draft.notes, *made.draft.changed]
    assert any("recognised as Fisher z" in line for line in told)
    assert any("negative connectivity was set to 0" in line for line in told)
    assert any("taken as logarithms" in line for line in told)
    assert any("funcMatrix_with_sctx.csv (46 regions) is not used" in line for line in told)
    assert any("14 rows of no region are left out: 'Laccumb'" in line for line in told)
    assert made.folder is not None and check_dataset(made.folder) == []


def test_deep_regions_without_places_are_left_out_and_never_stop(world: World, raw: Path) -> None:
    write_enigma(world, raw)
    for name in ("funcMatrix_ctx.csv", "funcLabels_ctx.csv"):
        (raw / name).unlink()
    world.regions().to_csv(raw / "regions.csv", index=False)
    brain, made = imported(raw)
    assert brain.n_regions == 31 and len(made.draft.parts["labels"]) == 32
    assert any("14 regions have no coordinates and are left out: 'Laccumb'" in line
               for line in made.draft.changed)  # fmt: skip


def test_abagen_ids_and_labels_that_repeat_across_sides(world: World, raw: Path) -> None:
    bare = [label[3:] for label in world.labels]
    table = pd.DataFrame({"id": range(1, 33), "label": bare, "hemisphere": world.sides})
    table["structure"] = ["cortex"] * 28 + ["subcortex/brainstem"] * 4
    table.to_csv(raw / "atlas-small.csv", index=False)
    pd.DataFrame(world.expression, index=pd.RangeIndex(1, 33, name="label"), columns=list(GENES)
                 ).to_csv(raw / "expression.csv")  # fmt: skip
    square(world.connectome, world.labels).to_csv(raw / "fc.csv")
    world.regions()[["label", "x", "y", "z"]].to_csv(raw / "centroids.csv", index=False)
    brain, made = imported(raw)
    assert_same(brain, world)
    assert brain.structure == ("cortex",) * 28 + ("subcortex",) * 4
    assert "expression.csv: ids of atlas-small.csv name its rows" in made.draft.notes


def test_repeated_labels_get_their_side(world: World, raw: Path) -> None:
    bare = [label[3:] for label in world.labels]
    table = pd.DataFrame({"id": range(1, 33), "label": bare, "hemisphere": world.sides})
    table = table.assign(**{axis: world.coords_mm[:, i] for i, axis in enumerate("xyz")})
    table.to_csv(raw / "atlas-small.csv", index=False)
    square(world.connectome, tuple(map(str, range(1, 33)))).to_csv(raw / "fc.csv")
    brain, _ = imported(raw)
    assert brain.labels[0] == "L_Vis_1" and brain.labels[16] == "R_Vis_1"
    np.testing.assert_array_equal(brain.coords_mm, world.coords_mm)


def test_ipa_tables_tell_sides_and_lobes_by_shares(world: World, raw: Path) -> None:
    table = pd.DataFrame({"ROI_number": range(1, 33)})
    table = table.assign(
        **{f"{axis.upper()}_MNI": world.coords_mm[:, i] for i, axis in enumerate("xyz")}, VOL=800
    )
    lobes = ["Frontal", "Occipital", "Parietal", "Subcortical"]
    for lobe in lobes:
        for side in "LR":
            table[f"{lobe}_{side}"] = [
                float(lobes[i % 4] == lobe and world.sides[i] == side) for i in range(32)
            ]
    table.loc[0, ["Frontal_L", "Frontal_R"]] = [0.4, 0.6]
    table.loc[1, ["Occipital_L", "Occipital_R"]] = [0.98, 0.02]
    table.to_csv(raw / "iPA_32.csv", index=False)
    (raw / "fc").mkdir()
    np.savetxt(raw / "fc" / "fc_mean.csv", zero_diagonal(world.connectome), delimiter=",")
    brain, _ = imported(raw)
    assert brain.labels == tuple(map(str, range(1, 33))) and brain.n_genes == 0
    assert brain.hemisphere.tolist() == [2, *[0] * 15, *[1] * 16]
    assert brain.lobe == tuple(lobes[i % 4] for i in range(32))
    assert brain.structure is not None and brain.structure[3] == "subcortex"
    off = ~np.eye(32, dtype=bool)
    np.testing.assert_allclose(brain.connectome[off], world.connectome[off], atol=1e-9)


def test_a_stack_of_people_is_averaged(world: World, raw: Path) -> None:
    z = np.arctanh(zero_diagonal(world.connectome))
    np.save(raw / "fc.npy", np.tanh(np.stack([z - 0.2, z + 0.2], axis=-1)))
    (raw / "labels.txt").write_text("\n".join(world.labels))
    world.regions().to_csv(raw / "regions.csv", index=False)
    brain, _ = imported(raw)
    assert_same(brain, world)
    assert brain.individual_connectomes is not None and len(brain.individual_connectomes) == 2


def test_schaefers_table_of_centroids(world: World, raw: Path) -> None:
    """The published titles: an id under `ROI Label`, and right, anterior, superior."""
    table = pd.DataFrame({"ROI Label": range(1, 33), "ROI Name": world.full_labels})
    table[["R", "A", "S"]] = world.coords_mm
    table.to_csv(raw / "Schaefer2018_32Parcels_7Networks_order_Centroid_RAS.csv", index=False)
    square(world.connectome, tuple(map(str, range(1, 33)))).to_csv(raw / "fc.csv")
    world.frame().to_csv(raw / "expression.csv")
    brain, _ = imported(raw)
    assert_same(brain, world)
    assert brain.labels == world.full_labels and brain.network == world.network


def kind_files(world: World, raw: Path) -> dict[str, tuple[str, str]]:
    """Write files of every kind; return those that a kind's role is left to and taken from."""
    table = square(world.connectome, world.labels).rename_axis("Node")
    bids = bids_name("task-rest", "seg-Small", "meas-PearsonCorrelation")
    xcp_d = bids_name("sub-01_task-rest", "seg-Small", "stat-pearsoncorrelation")
    for name in (bids, xcp_d):
        table.to_csv(raw / name, sep="\t")
    table.to_csv(raw / "funcMatrix_ctx.csv")
    np.save(raw / "fc.npy", world.connectome)
    square(world.counts, world.labels).to_csv(raw / "sc.csv")
    scipy.io.savemat(raw / "x_count.mat", {"connectivity": world.counts})
    world.frame().to_csv(raw / "named.csv")
    world.frame().set_axis(range(1, 33)).to_csv(raw / "numbered.csv", index_label="label")
    world.regions().assign(id=range(1, 33)).to_csv(raw / "regions.csv", index=False)
    return {
        "bids": (bids, "funcMatrix_ctx.csv"),
        "xcp_d": (xcp_d, bids),
        "enigma": ("funcMatrix_ctx.csv", "sc.csv"),
        "csv": ("sc.csv", "x_count.mat:connectivity"),
        "dsi": ("x_count.mat:connectivity", "sc.csv"),
        "abagen": ("numbered.csv", "named.csv"),
    }


@pytest.mark.parametrize("kind", ["csv", "bids", "xcp_d", "enigma", "abagen", "dsi"])
def test_a_kind_leaves_its_roles_to_its_own_files(world: World, raw: Path, kind: str) -> None:
    files = kind_files(world, raw)
    own, other = files[kind]
    found = gather_roles(ImportOptions((str(raw),), kind=kind))
    names = [sheet.name for sheet in [*found.matrices, *found.expressions]]
    assert own in names and other not in names
    assert any(other in note and f"kind {kind} and" in note for note in found.notes)
    both = [sheet.name for sheet in gather_roles(ImportOptions((str(raw),))).matrices]
    assert len(both) == 6 and {"fc.npy", "sc.csv"} < set(both)
    # another layout is one sentence
    (raw / own.split(":")[0]).unlink()
    if kind == "csv":
        for path in [*raw.glob("*.csv"), *raw.glob("*.tsv")]:
            path.unlink()
    if kind == "bids":
        (raw / files["xcp_d"][0]).unlink()
    with pytest.raises(UserError, match=f"no file is of the kind {kind}: .*; leave out --kind"):
        gather_roles(ImportOptions((str(raw),), kind=kind))


def test_a_kind_chooses_between_connectomes(world: World, raw: Path) -> None:
    kind_files(world, raw)
    (raw / "sc.csv").unlink()
    (raw / "numbered.csv").unlink()
    with pytest.raises(UserError, match="could each be the connectome"):
        imported(raw)
    brain, _ = imported(raw, kind="enigma")
    assert_same(brain, world)
    with pytest.raises(UserError, match=r"'fc.npy' is not of the kind bids: named KEY-VALUE_"):
        imported(raw, kind="bids", connectome=str(raw / "fc.npy"))
