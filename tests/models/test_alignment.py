from __future__ import annotations

import numpy as np
import pytest

from gx2c.data import make_synthetic_brain
from gx2c.data.brain import Regions
from gx2c.models.closed_form.kernel_ridge import KernelRidge
from gx2c.models.closed_form.kronecker import aligned_weight

PLACES = {"coordinate_kernel": "rbf", "coordinate_scale": 0.4}
GENES = {"expression_kernel": "rbf", "expression_scale": 1.0}


def kernel(rng, n, rank):
    root = rng.standard_normal((n, rank))
    return root @ root.T


def alignment_by_loops(weight, first, second, target):
    """Of the n^2 x n^2 kernel of ordered pairs, built whole."""
    n = len(first)
    centre = np.eye(n) - 1 / n
    joined = centre @ ((1 - weight) * first + weight * second) @ centre
    edges = (target - np.diag(np.diag(target))).ravel()
    pairs = np.kron(joined, joined)
    return edges @ pairs @ edges / np.sqrt((pairs**2).sum())


@pytest.mark.parametrize("seed", range(6))
def test_no_weight_on_a_fine_grid_is_aligned_better(seed):
    rng = np.random.default_rng(seed)
    first, second = kernel(rng, 8, 3), kernel(rng, 8, 2)
    target = kernel(rng, 8, 4)
    found = aligned_weight(first, second, target)
    best = alignment_by_loops(found, first, second, target)
    on_grid = [alignment_by_loops(w, first, second, target) for w in np.linspace(0, 1, 201)]
    assert 0 <= found <= 1
    assert best >= max(on_grid) - 1e-9


def test_equal_kernels_and_kernels_that_tell_nothing_apart_are_no_mistake():
    rng = np.random.default_rng(0)
    one, target = kernel(rng, 6, 3), kernel(rng, 6, 3)
    assert aligned_weight(one, one, target) == 0.0
    assert aligned_weight(np.ones((6, 6)), np.ones((6, 6)), target) == 0.0


def planted(source):
    """A connectome of one source alone, and regions whose other source is noise."""
    brain = make_synthetic_brain(n_regions=60, n_genes=40, seed=2, noise_weight=0.0)
    rng = np.random.default_rng(1)
    expression = rng.standard_normal((60, 5))
    regions = Regions(expression, brain.coords_mm, brain.hemisphere)
    made = KernelRidge(
        **{"genes": GENES, "places": {**PLACES, "expression_kernel": "none"}}[source]
    )
    (block,) = [one.fit(regions) for one in made.kernels]
    root = np.linalg.cholesky(block + 1e-9 * np.eye(60))
    noise = rng.standard_normal((60, 60))
    return regions, root @ (noise + noise.T) @ root.T


@pytest.mark.parametrize(("source", "low", "high"), [("places", 0, 0.1), ("genes", 0.9, 1)])
def test_the_weight_finds_the_source_of_the_connectome(source, low, high):
    regions, connectome = planted(source)
    model = KernelRidge(**GENES, **PLACES, combine="learned", mean="constant", ridge=0.1)
    model.fit(regions, connectome)
    assert low <= model.used_weight <= high


def test_a_learned_sum_is_the_sum_with_that_weight():
    regions, connectome = planted("genes")
    keywords = {**GENES, **PLACES, "mean": "constant", "ridge": 0.1}
    train, test = (
        Regions(regions.expression[i], regions.coords_mm[i], regions.hemisphere[i])
        for i in (np.arange(40), np.arange(40, 60))
    )
    learned = KernelRidge(**keywords, combine="learned")
    learned.fit(train, connectome[:40, :40])
    given = KernelRidge(**keywords, combine="sum", gene_weight=learned.used_weight)
    given.fit(train, connectome[:40, :40])
    np.testing.assert_array_equal(learned.predict(test), given.predict(test))
