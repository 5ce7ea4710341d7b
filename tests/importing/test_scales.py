"""Scales are recognised, stated and converted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from world import World, imported, square, zero_diagonal

from gx2c.errors import UserError
from gx2c.importing.scales import symmetric, to_correlations, to_weights

OFF = ~np.eye(32, dtype=bool)


@pytest.mark.parametrize(
    ("change", "scale", "said"),
    [
        (lambda r: r, "r", "recognised as Pearson r"),
        (np.arctanh, "z", "recognised as Fisher z"),
        (lambda r: 100 * r, "percent", "recognised as percent"),
    ],
)
def test_functional_scales_become_r(world: World, change, scale: str, said: str) -> None:
    found = to_correlations(change(zero_diagonal(world.connectome)), "fc.csv")
    np.testing.assert_allclose(found.values[OFF], world.connectome[OFF], atol=1e-12)
    assert found.scale == scale and said in found.notes[0]


def test_a_given_scale_is_taken(world: World) -> None:
    z = np.arctanh(0.5 * zero_diagonal(world.connectome))
    assert np.abs(z).max() < 1  # nothing tells it from r
    found = to_correlations(z, "fc.csv", scale="z")
    np.testing.assert_allclose(found.values[OFF], 0.5 * world.connectome[OFF], atol=1e-12)
    assert "taken as Fisher z" in found.notes[0]


def test_values_that_are_no_correlation_are_refused_with_the_remedy(world: World) -> None:
    with pytest.raises(UserError, match="neither Pearson r, Fisher z nor percent.*--structural"):
        to_correlations(world.counts, "sc.csv")
    with pytest.raises(UserError, match="up to 1.472 as r; Pearson r stays within 1"):
        to_correlations(np.arctanh(zero_diagonal(world.connectome)), "fc.csv", scale="r")
    with pytest.raises(UserError, match="--scale counts is none of it"):
        to_correlations(world.connectome, "fc.csv", scale="counts")


def test_clipped_negatives_are_noticed(world: World) -> None:
    notes = to_correlations(np.clip(world.connectome, 0, None), "fc.csv").notes
    assert any("negative connectivity was set to 0 before" in note for note in notes)
    assert len(to_correlations(world.connectome, "fc.csv").notes) == 1


def test_counts_are_logged_once(world: World) -> None:
    logged = np.log1p(world.counts)
    expected = logged / logged.max()
    counts = to_weights(world.counts, "sc.csv")
    np.testing.assert_allclose(counts.values, expected, atol=1e-12)
    again = to_weights(logged, "sc.csv")
    np.testing.assert_allclose(again.values, expected, atol=1e-12)
    assert (counts.scale, again.scale) == ("counts", "log")
    assert "so that no further one is taken" in again.notes[0]
    mean_counts = to_weights(world.counts * 0.9, "sc.csv")
    assert mean_counts.scale == "counts"


def test_a_scale_of_counts_or_logarithms_is_that_of_the_structural_connectome(
    world: World, raw: Path
) -> None:
    world.regions().to_csv(raw / "regions.csv", index=False)
    square(world.connectome, world.labels).to_csv(raw / "fc.csv")
    square(world.counts, world.labels).to_csv(raw / "sc.csv")
    brain, _ = imported(raw, scale="log")
    assert brain.structural_connectome is not None
    order = [world.labels.index(label) for label in brain.labels]
    expected = world.counts[np.ix_(order, order)] / world.counts.max()
    np.testing.assert_allclose(brain.structural_connectome, expected, atol=1e-6)
    (raw / "sc.csv").unlink()
    with pytest.raises(UserError, match="--scale log is none of it"):
        imported(raw, scale="log")


def test_weights_stay_and_negatives_become_0(world: World) -> None:
    weights = world.counts / world.counts.max()
    np.testing.assert_array_equal(to_weights(weights, "sc.csv").values, weights)
    logged = np.log1p(world.counts)
    logged[0, 1] = logged[1, 0] = -1.75
    found = to_weights(logged, "sc.csv")
    assert found.values.min() == 0 and "are negative and become 0" in found.notes[1]
    with pytest.raises(UserError, match="no value above 0"):
        to_weights(np.zeros((8, 8)), "sc.csv")


def test_halves_are_mended_or_refused(world: World) -> None:
    whole = world.connectome
    half, notes = symmetric(np.triu(whole), "fc.csv")
    np.testing.assert_allclose(half, whole)
    assert "the lower half is empty" in notes[0]
    rounded = whole.copy()
    rounded[0, 1] += 4e-4
    mean, notes = symmetric(rounded, "fc.csv")
    assert mean[0, 1] == mean[1, 0] == pytest.approx(whole[0, 1] + 2e-4)
    assert "averaged" in notes[0]
    with pytest.raises(UserError, match="is not symmetric: .* in row 1, column 2 and the reverse"):
        rounded[0, 1] += 0.1
        symmetric(rounded, "fc.csv")
    one_sided = whole.copy()
    one_sided[3, 9] = np.nan
    np.testing.assert_allclose(symmetric(one_sided, "fc.csv")[0], whole)
