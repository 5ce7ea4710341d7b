"""Train on one brain and test on another: no tested region overlaps one that was trained on."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import scipy

from gx2c.data import make_synthetic_brain
from gx2c.data.two_brains import is_one_parcellation, join_brains, overlap_mm, training_part
from gx2c.errors import UserError
from gx2c.nulls import surrogate_brains
from gx2c.splits import make_folds
from gx2c.splits.transfer import transfer_folds

SPLITS = ("bilateral", "spatial")


def unpredictable(n_regions, rng):
    """Edges that are noise: no model finds them but from a region that overlaps."""
    noise = np.triu(rng.uniform(-1, 1, size=(n_regions, n_regions)), 1)
    return noise + noise.T + np.eye(n_regions)


def parcellations():
    """A brain of noise, and a finer one whose regions are its regions' halves, with their edges."""
    rng = np.random.default_rng(5)
    brain = make_synthetic_brain(n_regions=120, n_genes=20, seed=5)
    brain = dataclasses.replace(brain, connectome=unpredictable(120, rng))
    parent = np.repeat(np.arange(120), 2)
    fine = make_synthetic_brain(n_regions=240, n_genes=20, seed=6)
    order = scipy.optimize.linear_sum_assignment(
        scipy.spatial.distance.cdist(brain.coords_mm[parent], fine.coords_mm)
    )[1]
    halves = dataclasses.replace(
        fine,
        connectome=brain.connectome[np.ix_(parent, parent)],
        coords_mm=fine.coords_mm[order],
        hemisphere=fine.hemisphere[order],
        sphere_coords=fine.sphere_coords[order],
        holdout_connectome=None,
        structural_connectome=None,
        trust_row_order=True,
    )
    return brain, halves


def copied_r(joined, fold):
    """Copy each tested edge from the nearest training regions: a model that can only leak."""
    apart = scipy.spatial.distance.cdist(
        joined.coords_mm[fold.test_regions], joined.coords_mm[fold.train_regions]
    )
    source = fold.train_regions[apart.argmin(axis=1)]
    edges = np.triu_indices(len(fold.test_regions), 1)
    first, second = source[edges[0]], source[edges[1]]
    known = first != second
    copied = joined.connectome[first, second][known]
    return np.corrcoef(copied, joined.connectome_block(fold.test_regions)[edges][known])[0, 1]


@pytest.mark.parametrize("split", SPLITS)
def test_regions_that_overlap_training_regions_are_not_tested(split):
    brain, halves = parcellations()
    joined = join_brains(brain, halves, name="fine")
    folds = make_folds(joined, split=split, seed=1)
    n_own, least_mm = brain.n_regions, overlap_mm(brain, halves)
    tested = np.concatenate([fold.test_regions for fold in folds])
    assert len(np.unique(tested)) == len(tested) >= 0.2 * halves.n_regions
    assert tested.min() >= n_own
    for fold, plain in zip(folds, make_folds(brain, split=split, seed=1), strict=True):
        np.testing.assert_array_equal(fold.train_regions, plain.train_regions)
        assert all(inner.test_regions.max() < n_own for inner in fold.inner)
        for region in fold.test_regions:
            side = joined.hemisphere[fold.train_regions] == joined.hemisphere[region]
            places = joined.coords_mm[fold.train_regions[side]]
            nearest = np.linalg.norm(places - joined.coords_mm[region], axis=1).min()
            assert nearest >= least_mm
        assert abs(copied_r(joined, fold)) < 0.15
        # the plant: were all regions of the fine brain tested, copying would succeed
        leaky = dataclasses.replace(fold, test_regions=np.arange(n_own, joined.n_regions))
        assert copied_r(joined, leaky) > 0.35


def test_a_buffer_widens_the_gap_and_too_wide_a_gap_is_refused():
    brain, halves = parcellations()
    joined = join_brains(brain, halves, name="fine")
    plain = make_folds(brain, split="spatial", n_folds=2, seed=1)
    sizes = [
        sum(len(f.test_regions) for f in transfer_folds(joined, plain, buffer_mm=mm))
        for mm in (0, 30)
    ]
    assert sizes[1] < sizes[0]
    with pytest.raises(UserError, match="regions of the test brain further than 150.0 mm"):
        transfer_folds(joined, plain, buffer_mm=150)


def test_one_parcellation_is_told_by_labels_and_places():
    brain = make_synthetic_brain(n_regions=32, n_genes=20, seed=3)
    rows = np.random.default_rng(0).permutation(32)[1:]
    parts = {n: tuple(getattr(brain, n)[i] for i in rows) for n in ("labels", "network")}
    arrays = ("expression", "coords_mm", "hemisphere", "sphere_coords")
    parts |= {n: getattr(brain, n)[rows] for n in arrays}
    cohort = dataclasses.replace(
        brain,
        **parts,
        name="cohort",
        genes=("NEW", *brain.genes[1:]),
        connectome=brain.holdout_connectome[np.ix_(rows, rows)],
        holdout_connectome=None,
        structural_connectome=None,
    )
    joined = join_brains(brain, cohort, name="cohort")
    assert is_one_parcellation(joined)
    own = training_part(joined)
    assert own.labels == tuple(label for label in brain.labels if label in cohort.labels)
    assert own.genes == brain.genes[1:]
    kept = [brain.labels.index(label) for label in own.labels]
    block = np.ix_(kept, kept)
    np.testing.assert_array_equal(joined.connectome[31:, 31:], brain.holdout_connectome[block])
    np.testing.assert_array_equal(joined.holdout_connectome[31:, 31:], brain.connectome[block])
    # the same labels at other places are another parcellation
    left = np.flatnonzero(cohort.hemisphere == 0)
    labels = np.array(cohort.labels)
    labels[left] = np.roll(labels[left], 4)
    elsewhere = dataclasses.replace(cohort, labels=tuple(labels.tolist()), trust_row_order=True)
    assert not is_one_parcellation(join_brains(brain, elsewhere, name="cohort"))
    with pytest.raises(UserError, match="have 1 genes in common"):
        strange = tuple(f"X{k}" for k in range(19))
        join_brains(brain, dataclasses.replace(cohort, genes=(*strange, "GENE2")), name="cohort")


def test_nulls_move_the_genes_of_two_parcellations_alike():
    brain, halves = parcellations()
    joined = join_brains(brain, halves, name="fine")
    (fold, *_) = make_folds(joined, seed=1)
    options = {"moves": "genes", "seed": 2, "training_regions": fold.train_regions}
    (spun,) = surrogate_brains(joined, [4], method="hungarian", **options)
    for part, own in ((brain, slice(0, 120)), (halves, slice(120, None))):
        (alone,) = surrogate_brains(part, [4], method="hungarian", moves="genes", seed=2)
        np.testing.assert_array_equal(spun.expression[own], alone.expression)
    (field,) = surrogate_brains(joined, [4], method="random_field", **options)
    near = scipy.spatial.distance.cdist(brain.coords_mm, halves.coords_mm).argmin(axis=1)
    own, other = field.expression[:120, 0], field.expression[120:][near, 0]
    assert np.corrcoef(own, other)[0, 1] > 0.5
    with pytest.raises(UserError, match="moran nulls cannot move the genes of two parcellations"):
        surrogate_brains(joined, [4], method="moran", **options)
