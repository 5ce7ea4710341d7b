from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from gx2c.data.brain import Regions
from gx2c.errors import UserError
from gx2c.models.closed_form.cge import CorrelatedGeneExpression


def make_regions(n_regions=12, n_genes=30, seed=0):
    rng = np.random.default_rng(seed)
    coords_mm = rng.uniform(-60, 60, size=(n_regions, 3))
    expression = rng.normal(loc=3.0, size=(n_regions, n_genes)) * rng.uniform(0.1, 5, n_genes)
    return Regions(expression, coords_mm, (coords_mm[:, 0] > 0).astype(np.int64))


@pytest.fixture
def connectome():
    values = np.random.default_rng(1).uniform(-0.2, 0.8, size=(12, 12))
    return (values + values.T) / 2


def test_without_standardising_it_is_numpys_correlation(connectome):
    training, held_out = make_regions(), make_regions(5, seed=2)
    model = CorrelatedGeneExpression(features="raw")
    model.fit(training, connectome)
    np.testing.assert_allclose(model.predict(held_out), np.corrcoef(held_out.expression))


def test_genes_are_standardised_with_training_statistics(connectome):
    training, held_out = make_regions(), make_regions(5, seed=2)
    model = CorrelatedGeneExpression(features="z_scored")
    model.fit(training, connectome)
    scored = (held_out.expression - training.expression.mean(0)) / training.expression.std(0)
    np.testing.assert_allclose(model.predict(held_out), np.corrcoef(scored))


def test_components_are_those_of_training_regions(connectome):
    training, held_out = make_regions(), make_regions(5, seed=2)
    model = CorrelatedGeneExpression(features="pca", n_components=6)
    model.fit(training, connectome)
    scores = PCA(6).fit(training.expression).transform(held_out.expression)
    # the sign of a component is free, and a correlation over components does not forget it
    scores *= np.sign((scores * model.features.of(held_out)).sum(axis=0))
    np.testing.assert_allclose(model.predict(held_out), np.corrcoef(scores))


def test_units_of_genes_do_not_matter_after_standardising(connectome):
    training, held_out = make_regions(), make_regions(5, seed=2)
    units = np.random.default_rng(3).uniform(1e-3, 1e3, size=30)
    predictions = []
    for scale in (1.0, units):
        model = CorrelatedGeneExpression()
        model.fit(
            Regions(training.expression * scale + scale, training.coords_mm, training.hemisphere),
            connectome,
        )
        rows = held_out.expression * scale + scale
        predictions.append(model.predict(Regions(rows, held_out.coords_mm, held_out.hemisphere)))
    np.testing.assert_allclose(predictions[0], predictions[1], atol=1e-9)


def test_scale_range_maps_training_predictions_onto_training_edges(connectome):
    training = make_regions()
    model = CorrelatedGeneExpression(scale_range=True)
    model.fit(training, connectome)
    edges = np.triu_indices(12, 1)
    predicted, measured = model.predict(training)[edges], connectome[edges]
    assert predicted.min() == pytest.approx(measured.min())
    assert predicted.max() == pytest.approx(measured.max())
    plain = CorrelatedGeneExpression()
    plain.fit(training, connectome)
    assert np.corrcoef(plain.predict(training)[edges], predicted)[0, 1] == pytest.approx(1.0)


def test_region_without_variation_predicts_zero_not_nan(connectome):
    training = make_regions()
    held_out = make_regions(4, seed=2)
    held_out.expression[0] = 7.0
    model = CorrelatedGeneExpression(features="raw")
    model.fit(training, connectome)
    np.testing.assert_array_equal(model.predict(held_out)[0], 0.0)


def test_one_gene_is_refused(connectome):
    with pytest.raises(UserError, match="at least 2 are needed"):
        CorrelatedGeneExpression().fit(make_regions(n_genes=1), connectome)


def test_equal_predictions_cannot_be_scaled(connectome):
    training = make_regions()
    training.expression[:] = training.expression[0]
    with pytest.raises(UserError, match="scale_range=False"):
        CorrelatedGeneExpression(scale_range=True).fit(training, connectome)
