"""The same answers as neuromaps 0.0.7 and brainspace 0.3.0; see data/make_references.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from gx2c.nulls import SPIN_METHODS
from gx2c.nulls.moran import moran_eigenvectors, randomise
from gx2c.nulls.spheres import unit_spheres
from gx2c.nulls.spins import rotate_regions
from gx2c.nulls.vertex_spins import rotate_vertices

FILE = Path(__file__).parent / "data" / "references.npz"


@pytest.fixture(scope="module")
def reference():
    with np.load(FILE) as found:
        return dict(found)


@pytest.mark.parametrize("method", sorted(SPIN_METHODS))
def test_same_rotations_give_the_reassignments_of_neuromaps(reference, method):
    hemisphere = reference["hemisphere"]
    on_sphere = unit_spheres(reference["sphere_coords"], hemisphere)
    spins = rotate_regions(on_sphere, hemisphere, reference["rotations"], method=method)
    np.testing.assert_array_equal(spins, reference[method])


def test_same_rotations_give_the_vertex_spins_of_neuromaps(reference):
    hemisphere = reference["vertex_hemisphere"]
    on_sphere = unit_spheres(reference["vertex_coords"].astype(float), hemisphere)
    spins = rotate_vertices(
        on_sphere, reference["vertex_region"], hemisphere, reference["rotations"]
    )
    np.testing.assert_array_equal(spins, reference["baum"])


def test_moran_equals_brainspace(reference):
    coords = reference["moran_coords"]
    vectors, values = moran_eigenvectors(cdist(coords, coords))
    # brainspace's weights have a diagonal of 1, which only shifts eigenvalues; it uses float32
    np.testing.assert_allclose(values + 1, reference["moran_values"], atol=1e-5)
    overlap = np.abs((vectors * reference["moran_vectors"]).sum(axis=0))
    np.testing.assert_allclose(overlap, 1, atol=1e-5)
    for signs, drawn in zip(reference["moran_signs"], reference["moran_drawn"], strict=True):
        ours = randomise(reference["moran_maps"], vectors, signs)
        np.testing.assert_allclose(ours, drawn, atol=1e-3)
        theirs = reference["moran_vectors"].astype(float)
        ours = randomise(reference["moran_maps"], theirs, signs)
        np.testing.assert_allclose(ours, drawn, atol=2e-6)
