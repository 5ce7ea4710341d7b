from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gx2c.data import load_dataset
from gx2c.data.brain import Brain
from gx2c.models.closed_form.distance import GeographyMean
from gx2c.models.closed_form.geography import geography, geography_genes
from gx2c.models.closed_form.kernels import CosinePower
from gx2c.models.closed_form.kronecker import KroneckerRidge
from gx2c.models.features import Standardiser
from gx2c.splits import make_folds

SCHAEFER400 = Path(__file__).parents[2] / "../shared/data/schaefer400_hcp_ahba282.npz"
SEEDS = (1, 2, 3, 4, 42)


class MeanAlone(GeographyMean):
    """The mean function as a model."""


class WholeBrainScores:
    """The gene kernel after the mean, as when the check values were measured.

    Genes were z-scored over all regions then, held-out ones included; our models may not.
    """

    def __init__(self, brain: Brain, share_of_geography: float) -> None:
        self.scored = Standardiser.learn(brain.expression).apply(brain.expression)
        self.all_coords = brain.coords_mm
        self.share = share_of_geography
        self.kernel = CosinePower(power=4)

    def scores_of(self, regions):
        rows = [
            int(np.flatnonzero((self.all_coords == place).all(axis=1))[0])
            for place in regions.coords_mm
        ]
        return self.scored[rows]

    def fit(self, training, connectome):
        self.mean, self.geography = GeographyMean(ridge=0.01), geography()
        self.mean.fit(training, connectome)
        self.geography.fit(training, connectome)
        self.training_scores = self.scores_of(training)
        self.smoother = KroneckerRidge(
            self.kernel.between(self.training_scores, self.training_scores),
            connectome - self.mean.predict(training),
            impute_diagonal=False,
        )

    def predict(self, regions):
        mean = self.mean.predict(regions)
        cross = self.kernel.between(self.scores_of(regions), self.training_scores)
        genes = self.smoother.predict(cross, [1.0])[0]
        places = self.geography.predict(regions) - mean
        return mean + self.share * places + (1 - self.share) * genes


def average_r(brain, split, build):
    """Pearson r of undirected held-out edges, averaged over folds and seeds."""
    scores = []
    for seed in SEEDS:
        for fold in make_folds(brain, split=split, seed=seed):
            model = build(brain)
            train, test = fold.train_regions, fold.test_regions
            model.fit(brain.regions(train), brain.connectome_block(train))
            edges = np.triu_indices(len(test), 1)
            predicted = model.predict(brain.regions(test))[edges]
            scores.append(np.corrcoef(predicted, brain.connectome_block(test)[edges])[0, 1])
    return np.mean(scores)


def mean_alone(brain):
    return MeanAlone(ridge=0.01)


def geography_alone(brain):
    return geography()


def genes_and_mean(brain):
    return geography_genes(gene_weight=1.0)


def half_of_each(brain):
    return geography_genes()


def whole_brain_genes_and_mean(brain):
    return WholeBrainScores(brain, 0.0)


def whole_brain_half_of_each(brain):
    return WholeBrainScores(brain, 0.5)


# split, model, value measured independently on schaefer100 and on schaefer400
CHECK_VALUES = [
    ("random", geography_alone, 0.751, 0.844),
    ("spatial", geography_alone, 0.681, 0.674),
    ("bilateral", mean_alone, 0.483, 0.446),
    ("bilateral", geography_alone, 0.531, 0.557),
    ("bilateral", whole_brain_genes_and_mean, 0.549, 0.593),
    ("bilateral", whole_brain_half_of_each, 0.549, 0.613),
]
IDS = [f"{split}-{build.__name__}" for split, build, _, _ in CHECK_VALUES]
# Under bilateral folds all digits agree; the other two columns were met no closer than this
TOLERANCE = {"random": 0.002, "spatial": 0.004, "bilateral": 0.0015}


@pytest.fixture(scope="module")
def schaefer100():
    return load_dataset("schaefer100")


@pytest.fixture(scope="module")
def schaefer400():
    if not SCHAEFER400.exists():
        pytest.skip(f"{SCHAEFER400.name} is not here; schaefer100 is checked the same way")
    with np.load(SCHAEFER400) as arrays:
        usable = np.isfinite(arrays["expression"]).all(axis=1)
        connectome = arrays["fc"][np.ix_(usable, usable)].astype(np.float64)
        return Brain(
            name="schaefer400",
            labels=tuple(arrays["regions"][usable].tolist()),
            genes=tuple(arrays["genes"].tolist()),
            expression=arrays["expression"][usable].astype(np.float64),
            connectome=(connectome + connectome.T) / 2,
            coords_mm=arrays["xyz_mni"][usable].astype(np.float64),
            hemisphere=(arrays["hemisphere"][usable] == "R").astype(np.int64),
            network=tuple(arrays["network"][usable].tolist()),
        )


@pytest.mark.parametrize(("split", "build", "expected", "_"), CHECK_VALUES, ids=IDS)
def test_check_values_of_schaefer100(schaefer100, split, build, expected, _):
    found = average_r(schaefer100, split, build)
    assert found == pytest.approx(expected, abs=TOLERANCE[split])


@pytest.mark.slow
@pytest.mark.parametrize(("split", "build", "_", "expected"), CHECK_VALUES, ids=IDS)
def test_check_values_of_schaefer400(schaefer400, split, build, _, expected):
    found = average_r(schaefer400, split, build)
    assert found == pytest.approx(expected, abs=TOLERANCE[split])


def test_training_statistics_alone_predict_no_worse(schaefer100):
    """Genes z-scored over training regions: .559 and .558 where the check values say .549."""
    assert average_r(schaefer100, "bilateral", genes_and_mean) > 0.555
    assert average_r(schaefer100, "bilateral", half_of_each) > 0.555


def test_shuffled_genes_harm(schaefer100):
    order = np.random.default_rng(0).permutation(schaefer100.n_regions)
    shuffled = replace(schaefer100, expression=schaefer100.expression[order])
    assert average_r(shuffled, "bilateral", genes_and_mean) < 0.50


def test_geography_reads_no_gene(schaefer100):
    train, test = np.arange(0, 99, 2), np.arange(1, 99, 2)
    garbage = replace(schaefer100, expression=np.full((99, schaefer100.n_genes), 0.5))
    predictions = []
    for brain in (schaefer100, garbage):
        model = geography()
        model.fit(brain.regions(train), brain.connectome_block(train))
        predictions.append(model.predict(brain.regions(test)))
    np.testing.assert_array_equal(*predictions)
