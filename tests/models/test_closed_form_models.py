"""What every closed-form model owes: symmetry, and no word from regions that it was not given."""

from __future__ import annotations

import numpy as np
import pytest

from gx2c.data import make_synthetic_brain
from gx2c.data.brain import Regions
from gx2c.models.cge import SPECS as CGE_SPECS
from gx2c.models.decay import SPECS as DECAY_SPECS
from gx2c.models.geography import SPECS as GEOGRAPHY_SPECS
from gx2c.models.kernel_ridge import SPECS as KERNEL_RIDGE_SPECS

SPECS = [*DECAY_SPECS, *CGE_SPECS, *KERNEL_RIDGE_SPECS, *GEOGRAPHY_SPECS]
every_model = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)


@pytest.fixture(scope="module")
def brain():
    return make_synthetic_brain(n_regions=36, n_genes=40, seed=0)


@pytest.fixture
def train(brain):
    return np.sort(np.random.default_rng(0).permutation(brain.n_regions)[:26])


@pytest.fixture
def held_out(brain, train):
    return np.setdiff1d(np.arange(brain.n_regions), train)


def fitted(spec, brain, train, **keywords):
    model = spec.build(**spec.defaults, **keywords)
    model.fit(brain.regions(train), brain.connectome_block(train))
    return model


@every_model
def test_predictions_are_symmetric_and_finite(spec, brain, train, held_out):
    predicted = fitted(spec, brain, train).predict(brain.regions(held_out))
    assert predicted.shape == (10, 10)
    assert np.isfinite(predicted).all()
    np.testing.assert_array_equal(predicted, predicted.T)


@every_model
def test_a_pair_is_predicted_alike_in_any_company(spec, brain, train, held_out):
    model = fitted(spec, brain, train)
    together = model.predict(brain.regions(held_out))
    for a, b in ((0, 1), (7, 3), (9, 2)):
        alone = model.predict(brain.regions(held_out[[a, b]]))
        assert alone[0, 1] == pytest.approx(together[a, b], abs=1e-12)


@every_model
def test_order_of_training_regions_does_not_matter(spec, brain, train, held_out):
    shuffled = np.random.default_rng(1).permutation(train)
    predictions = [
        fitted(spec, brain, order).predict(brain.regions(held_out)) for order in (train, shuffled)
    ]
    np.testing.assert_allclose(*predictions, atol=1e-6)


@every_model
def test_the_diagonal_of_the_connectome_is_not_data(spec, brain, train, held_out):
    spoiled = brain.connectome_block(train).copy()
    np.fill_diagonal(spoiled, np.nan)
    model = spec.build(**spec.defaults)
    model.fit(brain.regions(train), spoiled)
    expected = fitted(spec, brain, train).predict(brain.regions(held_out))
    np.testing.assert_array_equal(model.predict(brain.regions(held_out)), expected)


@every_model
def test_fitting_leaves_its_input_alone(spec, brain, train):
    regions, connectome = brain.regions(train), brain.connectome_block(train)
    before = [a.copy() for a in (regions.expression, regions.coords_mm, connectome)]
    spec.build(**spec.defaults).fit(regions, connectome)
    for kept, now in zip(before, (regions.expression, regions.coords_mm, connectome), strict=True):
        np.testing.assert_array_equal(kept, now)


@every_model
def test_only_what_a_model_says_it_uses_changes_its_prediction(spec, brain, train, held_out):
    model = fitted(spec, brain, train)
    shown = brain.regions(held_out)
    rng = np.random.default_rng(2)
    changed = {
        "expression": Regions(rng.normal(size=(10, 40)), shown.coords_mm, shown.hemisphere),
        "coordinates": Regions(
            shown.expression, rng.uniform(-60, 60, size=(10, 3)), shown.hemisphere
        ),
    }
    expected = model.predict(shown)
    for source, regions in changed.items():
        assert np.array_equal(model.predict(regions), expected) == (source not in spec.uses)
