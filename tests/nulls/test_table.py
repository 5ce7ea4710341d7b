"""Every surrogate keeps the same contract; moves and reports hold for all."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from gx2c.data import make_synthetic_brain
from gx2c.errors import UserError
from gx2c.nulls import (
    MOVES,
    SURROGATES,
    Surrogate,
    make_brain_spins,
    make_surrogate,
    move,
    rank_spins,
    select_spins,
    spatiomolecular,
    spin_rotations,
    surrogate_quality,
)
from gx2c.nulls.spatiomolecular import fit_cubic, fit_exponential, rotation_angles

CHOSEN_BY_GENES = {"random_field", "variogram", "spatiomolecular"}


@pytest.fixture(autouse=True)
def few_candidates(monkeypatch):
    monkeypatch.setattr(spatiomolecular, "N_CANDIDATES", 60)


@pytest.fixture(scope="module")
def cortex():
    return make_synthetic_brain(n_regions=60, n_genes=20, seed=0, smoothness_mm=40.0)


@pytest.fixture(scope="module")
def whole(cortex):
    """Ten regions lie below the cortex."""
    sphere = cortex.sphere_coords.copy()
    sphere[[*range(25, 30), *range(55, 60)]] = np.nan
    return replace(cortex, sphere_coords=sphere)


def brain_for(name, cortex, whole):
    return whole if name == "stitched" else cortex


@pytest.mark.parametrize("name", sorted(SURROGATES))
def test_contract(name, cortex, whole):
    brain = brain_for(name, cortex, whole)
    surrogate = make_surrogate(name, brain, seed=3)
    drawn = [surrogate.expression(brain, k) for k in range(4)]
    for one in drawn:
        assert one.shape == brain.expression.shape and np.isfinite(one).all()
        replace(brain, expression=one)
    assert len({one.tobytes() for one in drawn}) == 4
    again = make_surrogate(name, brain, seed=3)
    np.testing.assert_array_equal(again.expression(brain, 2), drawn[2])
    other = make_surrogate(name, brain, seed=4)
    assert not np.array_equal(other.expression(brain, 2), drawn[2])
    assert surrogate.name == name and len(surrogate.statement) > 20
    assert ("naive control" in surrogate.statement) == (name in ("random", "within_compartment"))


@pytest.mark.parametrize("name", sorted(set(SURROGATES) - CHOSEN_BY_GENES))
def test_one_draw_for_all_genes(name, cortex, whole):
    # what is fitted to expression may change with its genes; what moves may not
    brain = brain_for(name, cortex, whole)
    surrogate = make_surrogate(name, brain, seed=0)
    few = replace(brain, genes=brain.genes[:3], expression=brain.expression[:, :3], tss=None)
    np.testing.assert_allclose(
        surrogate.expression(few, 1), surrogate.expression(brain, 1)[:, :3], atol=1e-12
    )


def test_stitched_moves_cortex_by_spins_and_the_rest_by_moran(cortex, whole):
    surrogate = make_surrogate("stitched", whole, seed=0)
    drawn = surrogate.expression(whole, 0)
    inside = np.isfinite(whole.sphere_coords).all(axis=1)
    rows = {row.tobytes() for row in whole.expression[inside]}
    assert {row.tobytes() for row in drawn[inside]} == rows
    np.testing.assert_allclose(
        np.cov(drawn[~inside], rowvar=False),
        np.cov(whole.expression[~inside], rowvar=False),
        atol=1e-10,
    )
    assert "covariance between cortex and the rest is broken" in surrogate.statement
    with pytest.raises(UserError, match="stitching needs cortex and at least 3 others"):
        make_surrogate("stitched", cortex, seed=0)


def test_within_compartment_stays_within(whole):
    surrogate = make_surrogate("within_compartment", whole, seed=0)
    order = surrogate.indices(0, 1)[:, 0]
    inside = np.isfinite(whole.sphere_coords).all(axis=1)
    np.testing.assert_array_equal(whole.hemisphere[order], whole.hemisphere)
    np.testing.assert_array_equal(inside[order], inside)


def test_unknown_names_are_refused(cortex):
    with pytest.raises(UserError, match="no surrogate named 'spin'; choose from"):
        make_surrogate("spin", cortex, seed=0)
    with pytest.raises(UserError, match="seed=-1"):
        make_surrogate("moran", cortex, seed=-1)
    with pytest.raises(UserError, match="'all' cannot move"):
        move(cortex, np.arange(60), what="all")
    without = replace(cortex, sphere_coords=None)
    for name in ("hungarian", "stitched"):
        with pytest.raises(UserError, match="no sphere coordinates"):
            make_surrogate(name, without, seed=0)


@pytest.mark.parametrize("what", sorted(MOVES))
def test_what_moves_and_what_stays(cortex, what):
    spin = make_brain_spins(cortex, n_spins=1, seed=0)[:, 0]
    moved = move(cortex, spin, what=what)
    genes, places = what != "connectome", what == "genes+coordinates"
    stay = np.arange(60)
    np.testing.assert_array_equal(moved.expression, cortex.expression[spin if genes else stay])
    np.testing.assert_array_equal(moved.coords_mm, cortex.coords_mm[spin if places else stay])
    np.testing.assert_array_equal(
        moved.sphere_coords, cortex.sphere_coords[spin if places else stay]
    )
    order = stay if genes else spin
    np.testing.assert_array_equal(moved.connectome, cortex.connectome[np.ix_(order, order)])
    np.testing.assert_array_equal(
        moved.holdout_connectome, cortex.holdout_connectome[np.ix_(order, order)]
    )
    assert moved.labels == cortex.labels


def test_single_people_move_with_the_connectome():
    brain = make_synthetic_brain(n_regions=24, n_genes=3, seed=1, n_subjects=2)
    spin = make_brain_spins(brain, n_spins=1, seed=0)[:, 0]
    pairs = list(combinations(range(24), 2))
    where = {pair: column for column, pair in enumerate(pairs)}
    for what in MOVES:
        moved = move(brain, spin, what=what).individual_connectomes
        for column, (i, j) in enumerate(pairs):
            source = (i, j) if what != "connectome" else (spin[i], spin[j])
            of = where[min(source), max(source)]
            np.testing.assert_array_equal(
                moved[:, column], brain.individual_connectomes[:, of], err_msg=what
            )


def test_moves_that_cannot_be_are_refused(cortex):
    repeated = make_brain_spins(cortex, n_spins=1, seed=0, method="alexander_bloch")[:, 0]
    with pytest.raises(UserError, match="move the connectome with hungarian or vasa"):
        move(cortex, repeated, what="connectome")
    with pytest.raises(UserError, match="cross the midline"):
        move(cortex, np.arange(60)[::-1], what="genes+coordinates")


def test_quality_tells_spins_from_permutations(cortex):
    found = {
        name: surrogate_quality(cortex, make_surrogate(name, cortex, seed=0), numbers=range(20))
        for name in ("hungarian", "moran", "random")
    }
    assert found["moran"].morans_i_error < 1e-10
    assert found["hungarian"].morans_i_error < 0.5 * found["random"].morans_i_error
    assert found["hungarian"].variogram_error < 0.7 * found["random"].variogram_error
    assert found["hungarian"].covariance_error < 1e-10
    assert 0 < found["hungarian"].share_staying < 0.3 and np.isnan(found["moran"].share_staying)
    assert all(report.n_duplicates == report.n_not_finite == 0 for report in found.values())


def test_quality_counts_duplicates_and_what_is_not_finite(cortex):
    def broken(expression, k):
        copy = expression.copy()
        if k == 2:
            copy[0, 0] = np.nan
        return copy if k else copy[::-1]

    report = surrogate_quality(cortex, Surrogate("broken", "broken", broken), numbers=[0, 0, 1, 2])
    assert (report.n_duplicates, report.n_not_finite) == (2, 1)


def test_ranking_puts_the_truth_first(cortex):
    spins = make_brain_spins(cortex, n_spins=30, seed=0)
    rotations = spin_rotations(0, range(30))
    spins = np.concatenate([spins, np.arange(60)[:, None]], axis=1)
    rotations = np.concatenate([rotations, np.eye(3)[None]])
    ranking = rank_spins(cortex, spins, rotations)
    assert ranking.order[0] == 30
    assert ranking.angle_deg[30] == 0
    assert ranking.share_staying[30] == ranking.share_near[30] == 1
    assert (ranking.share_near >= ranking.share_staying).all()
    with pytest.raises(UserError, match="one rotation per spin"):
        rank_spins(cortex, spins, rotations[:-1])


def test_selected_spins_are_the_best_and_each_depends_on_its_number_alone(cortex):
    spins = make_brain_spins(cortex, n_spins=60, seed=5, method="vasa")
    best = rank_spins(cortex, spins, spin_rotations(5, range(60))).order
    surrogate = make_surrogate("spatiomolecular", cortex, seed=5)
    np.testing.assert_array_equal(surrogate.indices(0, 6), spins[:, best[:6]])
    np.testing.assert_array_equal(surrogate.indices(4, 2), spins[:, best[4:6]])
    facts = select_spins(cortex, seed=5).facts(6)
    assert facts["candidates"] == 60 and len(facts["angle_deg"]) == 6
    np.testing.assert_allclose(
        facts["angle_deg"], rotation_angles(spin_rotations(5, best[:6])), atol=0.06
    )
    stay = (spins == np.arange(60)[:, None]).mean(axis=0)
    assert facts["share_staying"]["best"] == pytest.approx(stay[best[:6]].mean())
    assert facts["share_staying"]["all"] == pytest.approx(stay.mean())
    with pytest.raises(UserError, match="request 100 or fewer"):
        surrogate.indices(90, 20)


def test_fits_recover_planted_decays():
    distance = np.arange(2.5, 150, 5)
    planted = 0.2 + 0.8 * np.exp(-distance / 35)
    np.testing.assert_allclose(fit_exponential(distance, planted), [0.2, 35], rtol=1e-4)
    cubic = 1 - 0.02 * distance + 1e-4 * distance**2 - 2e-7 * distance**3
    np.testing.assert_allclose(fit_cubic(distance, cubic), [1, -0.02, 1e-4, -2e-7], rtol=1e-6)
    quarter = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    np.testing.assert_allclose(rotation_angles(np.stack([np.eye(3), quarter])), [0, 90])
