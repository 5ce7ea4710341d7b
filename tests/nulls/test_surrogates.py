"""A surrogate moves expression rows and nothing else."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from gx2c.data.brain import Brain
from gx2c.errors import UserError
from gx2c.nulls import make_brain_spins, spin_expression

MIRROR = np.array([-1, 1, 1])


@pytest.fixture
def brain():
    rng = np.random.default_rng(0)
    left = rng.normal(size=(10, 3))
    left /= np.linalg.norm(left, axis=1, keepdims=True)
    sphere_coords = 100 * np.concatenate([left, left * MIRROR])
    hemisphere = np.repeat([0, 1], 10)
    offset = np.where(hemisphere == 0, -35, 35)[:, None] * [1, 0, 0]
    return Brain(
        name="planted",
        labels=tuple(f"region_{region}" for region in range(20)),
        genes=tuple(f"GENE{gene}" for gene in range(6)),
        expression=rng.normal(size=(20, 6)),
        connectome=np.corrcoef(rng.normal(size=(20, 40))),
        coords_mm=sphere_coords * [0.3, 0.8, 0.5] + offset,
        hemisphere=hemisphere,
        network=("Vis",) * 20,
        sphere_coords=sphere_coords,
    )


def test_only_expression_moves(brain):
    spin = make_brain_spins(brain, n_spins=1, seed=0)[:, 0]
    surrogate = spin_expression(brain, spin)
    for region, source in enumerate(spin):
        np.testing.assert_array_equal(surrogate.expression[region], brain.expression[source])
    assert not np.array_equal(surrogate.expression, brain.expression)
    for field in fields(brain):
        if field.name != "expression":
            np.testing.assert_array_equal(
                getattr(surrogate, field.name), getattr(brain, field.name)
            )


def test_brain_without_spheres_is_refused(brain):
    with pytest.raises(UserError, match="planted has no sphere coordinates"):
        make_brain_spins(replace(brain, sphere_coords=None), n_spins=1, seed=0)


def test_handedness_is_checked(brain):
    wrong = brain.sphere_coords * np.where(brain.hemisphere[:, None] == 1, MIRROR, 1)
    with pytest.raises(UserError, match="change the sign"):
        make_brain_spins(replace(brain, sphere_coords=wrong), n_spins=1, seed=0)
