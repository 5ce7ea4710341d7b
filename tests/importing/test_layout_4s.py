"""The atlas 4S: cortex by Schaefer, deep regions and cerebellum, and labels that fit it or not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from world import GENES, World, imported, square

from gx2c.errors import UserError


def write_4s(world: World, raw: Path, *, order: list[int] | None = None) -> pd.DataFrame:
    """Write the table of 4S: 32 cortical, 4 subcortical and 3 cerebellar regions of both sides."""
    rng = np.random.default_rng(9)
    deep = ["LH-Pu", "RH-Pu", "LH-Ca", "RH-Ca", *(f"Cerebellar_Region{i}" for i in (1, 2, 3))]
    places = np.array([[-25, 5, 0], [25, 5, 0], [-12, 8, 10], [12, 8, 10]], dtype=float)
    places = np.vstack([places, rng.uniform([-40, -80, -50], [-10, -50, -20], (3, 3))])
    table = pd.DataFrame(
        {
            "label": [*world.labels, *deep],
            "network_label": [*world.network, *[""] * 4, *["Cerebellum"] * 3],
            "label_7network": [*world.full_labels, *["Subcortical"] * 4, *["Cerebellum"] * 3],
            "atlas_name": ["4S39"] * 32 + ["CIT168Subcortical"] * 4 + ["Cerebellum"] * 3,
            "id": range(1, 40),
            "hemisphere": [*world.sides, "L", "R", "L", "R", "B", "B", "B"],
            "structure": ["cortex"] * 32 + ["subcortex"] * 7,
        }
    )
    coords = np.vstack([world.coords_mm, places])
    table = table.assign(**{f"mni_{axis}": coords[:, i] for i, axis in enumerate("xyz")})
    if order is not None:
        table = table.iloc[order]
    table.to_csv(raw / "atlas-4S39Parcels_dseg_reformatted.csv", index=False)
    return table


def whole_matrix(world: World) -> np.ndarray:
    rng = np.random.default_rng(3)
    noise = rng.uniform(-0.3, 0.3, (39, 39))
    matrix = (noise + noise.T) / 2
    matrix[:32, :32] = world.connectome
    np.fill_diagonal(matrix, 1.0)
    return matrix


def test_4s_has_regions_of_both_sides_and_orders_unlabelled_matrices(
    world: World, raw: Path
) -> None:
    table = write_4s(world, raw)
    matrix = whole_matrix(world)
    pd.DataFrame(matrix).to_csv(raw / "UKBB_S39_FC_mu.csv", index=False)
    brain, made = imported(raw)
    assert brain.labels == tuple(table["label"])
    off = ~np.eye(39, dtype=bool)
    np.testing.assert_allclose(brain.connectome[off], matrix[off], atol=1e-12)
    assert brain.hemisphere.tolist() == ["LRB".index(side) for side in table["hemisphere"]]
    structure = ("cortex",) * 32 + ("subcortex",) * 4 + ("cerebellum",) * 3
    assert brain.structure == structure
    assert brain.network[32:] == ("Subcortical",) * 4 + ("Cerebellum",) * 3
    assert any("rows are in the order of atlas-4S39Parcels" in note for note in made.draft.notes)


def test_a_4s_table_in_another_order_is_matched_by_label(world: World, raw: Path) -> None:
    order = np.random.default_rng(0).permutation(39).tolist()
    table = write_4s(world, raw, order=order)
    labels = tuple(table.sort_values("id")["label"])
    matrix = whole_matrix(world)
    square(matrix, labels).to_csv(raw / "fc.csv")
    brain, _ = imported(raw)
    assert brain.labels == labels
    np.testing.assert_array_equal(brain.coords_mm[:32], world.coords_mm)


def test_labels_of_17_networks_lead_to_the_rows_of_4s(world: World, raw: Path) -> None:
    """Both networks' names of a region stand in one row, and only one of them in the matrix."""
    table = write_4s(world, raw)
    order = np.random.default_rng(4).permutation(16)
    names = [f"{net}_{i + 1}" for net in ("VisCent_ExStr", "DefaultC_PHC") for i in range(8)]
    labels = tuple(f"17Networks_{side}H_{names[i]}" for side in "LR" for i in order)
    table["label_17network"] = [*labels, *[""] * 7]
    table.to_csv(raw / "atlas-4S39Parcels_dseg_reformatted.csv", index=False)
    rows = sorted(range(32), key=lambda i: labels[i])
    matrix = world.connectome[np.ix_(rows, rows)]
    square(matrix, tuple(labels[i] for i in rows)).to_csv(raw / "fc.csv")
    brain, made = imported(raw)
    assert brain.labels == tuple(labels[i] for i in rows)
    np.testing.assert_array_equal(brain.coords_mm, world.coords_mm[rows])
    assert brain.network == tuple(world.network[i] for i in rows)
    off = ~np.eye(32, dtype=bool)
    np.testing.assert_allclose(brain.connectome[off], matrix[off], atol=1e-12)


def test_another_parcellation_with_the_same_names_is_not_mixed_in(world: World, raw: Path) -> None:
    """LH_Vis_1 of a finer parcellation is another region."""
    write_4s(world, raw)
    pd.DataFrame(whole_matrix(world)).to_csv(raw / "S39_FC.csv", index=False)
    finer = [f"{side}H_{net}_{i + 1}" for side in "LR" for net in
             ("Vis", "SomMot", "DorsAttn_Post", "Default_PFC") for i in range(12)]  # fmt: skip
    counts = np.ones((96, 96))
    counts[0, 1] = counts[1, 0] = 9
    square(counts, tuple(finer)).to_csv(raw / "SC_counts.csv")
    brain, made = imported(raw)
    assert brain.structural_connectome is None
    assert any("of another parcellation than the 39" in note for note in made.draft.notes)
    with pytest.raises(UserError, match="SC_counts.csv cannot be the structural connectome"):
        imported(raw, structural=str(raw / "SC_counts.csv"))


def test_labels_of_7_and_17_networks_are_not_mixed(world: World, raw: Path) -> None:
    square(world.connectome, world.full_labels).to_csv(raw / "fc.csv")
    table = world.regions()
    table["label"] = [f"17Networks_{label}" for label in world.labels]
    table.to_csv(raw / "regions.csv", index=False)
    with pytest.raises(UserError, match="no file places the 32 regions"):
        imported(raw)


def test_the_published_layout_with_connectomes_of_people(world: World, raw: Path) -> None:
    """The folder of GeneEx2Conn: matrices without names, upper triangles, masks and a pickle."""
    write_4s(world, raw)
    matrix = whole_matrix(world)
    np.savetxt(raw / "HCP_S39_FC_mu.csv", matrix, delimiter=",")
    frame = pd.DataFrame(np.vstack([world.expression, np.full((7, 12), 0.5)]), columns=list(GENES))
    frame.to_csv(raw / "AHBA_expression.csv")
    upper = matrix[np.triu_indices(39, 1)]
    people = np.stack([upper, upper * 0.5]).astype(np.float32)
    masks = np.ones(people.shape, dtype=bool)
    masks[1, 7] = False
    np.save(raw / "connectomes_upper.npy", people)
    np.save(raw / "masks.npy", masks)
    np.save(raw / "subject_ids.npy", np.array(["a", "b"]))
    np.save(raw / "upper_triangle_index_map.npy", np.array({(0, 1): 0}, dtype=object))
    brain, made = imported(raw, kind="geneex2conn")
    off = ~np.eye(39, dtype=bool)
    np.testing.assert_allclose(brain.connectome[off], matrix[off], atol=1e-12)
    np.testing.assert_allclose(brain.expression[:32], world.expression)
    assert brain.individual_connectomes is not None
    expected = np.where(masks, people, np.nan)
    np.testing.assert_allclose(brain.individual_connectomes, expected, atol=1e-6)
    assert any("upper_triangle_index_map.npy cannot be read" in note for note in made.draft.notes)
