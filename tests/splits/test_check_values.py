"""On real brains a mean of distances scores what was measured independently on the same folds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bare_brain import brain_at
from scipy.spatial.distance import cdist

from gx2c.splits import make_folds

REFERENCE_DATA = Path(__file__).parents[2] / "../shared/data"
SEEDS = (1, 2, 3, 4, 42)


def load_reference(name):
    path = REFERENCE_DATA / f"{name}.npz"
    if not path.exists():
        pytest.skip(f"{path.name} is not here; the planted tests of this folder need no data")
    with np.load(path) as arrays:
        usable = np.isfinite(arrays["expression"]).all(axis=1)
        connectome = arrays["fc"][np.ix_(usable, usable)].astype(float)
        hemisphere = (arrays["hemisphere"][usable] == "R").astype(int)
        return arrays["xyz_mni"][usable].astype(float), hemisphere, connectome


def distance_features(coords_mm, hemisphere):
    mirrored = np.column_stack([np.abs(coords_mm[:, 0]), coords_mm[:, 1:]])
    distances = [cdist(points, points) for points in (coords_mm, mirrored)]
    same = (hemisphere[:, None] == hemisphere).astype(float)
    decays = [np.exp(-d / length) for d in distances for length in (5, 10, 20, 40, 80)]
    return np.stack([*decays, same, same * np.exp(-distances[0] / 20)], axis=-1)


def ridge_mean_r(features, connectome, fold):
    def edges(regions):
        first, second = np.triu_indices(len(regions), 1)
        return features[regions[first], regions[second]], connectome[
            regions[first], regions[second]
        ]

    seen, target = edges(fold.train_regions)
    centre, spread = seen.mean(axis=0), seen.std(axis=0)
    scaled = (seen - centre) / spread
    gram = scaled.T @ scaled + 0.01 * len(target) * np.eye(scaled.shape[1])
    weights = np.linalg.solve(gram, scaled.T @ (target - target.mean()))
    held_out, measured = edges(fold.test_regions)
    return np.corrcoef((held_out - centre) / spread @ weights, measured)[0, 1]


@pytest.mark.parametrize(
    ("name", "expected"), [("schaefer100_hcp_ahba", 0.483), ("schaefer400_hcp_ahba282", 0.446)]
)
def test_bilateral_mean_alone(name, expected):
    coords_mm, hemisphere, connectome = load_reference(name)
    features = distance_features(coords_mm, hemisphere)
    brain = brain_at(coords_mm, hemisphere)
    scores = [
        ridge_mean_r(features, connectome, fold)
        for seed in SEEDS
        for fold in make_folds(brain, split="bilateral", seed=seed)
    ]
    assert np.mean(scores) == pytest.approx(expected, abs=0.001)
