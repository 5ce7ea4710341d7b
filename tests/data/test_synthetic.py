from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gx2c.data import make_synthetic_brain, planted_parts
from gx2c.data.smooth_fields import mirrored_cortex
from gx2c.errors import UserError

SIZE: dict[str, Any] = {"n_regions": 60, "n_genes": 40, "seed": 5}
PARTS = ("from_expression", "from_geography", "from_noise")


def edges(matrix: np.ndarray) -> np.ndarray:
    return matrix[np.triu_indices(len(matrix), 1)]


def test_the_same_seed_gives_the_same_brain() -> None:
    one, again = (make_synthetic_brain(**SIZE) for _ in range(2))
    np.testing.assert_array_equal(one.expression, again.expression)
    np.testing.assert_array_equal(one.connectome, again.connectome)
    other = make_synthetic_brain(**SIZE | {"seed": 6})
    assert not np.allclose(one.connectome, other.connectome)


def test_the_weights_are_recovered_by_least_squares() -> None:
    weights = np.array([1.0, 0.5, 0.25])
    brain = make_synthetic_brain(
        **SIZE, expression_weight=1.0, geography_weight=0.5, noise_weight=0.25
    )
    parts = planted_parts(**SIZE)
    design = np.stack([edges(getattr(parts, part)) for part in PARTS], axis=1)
    found = np.linalg.lstsq(design, edges(brain.connectome), rcond=None)[0]
    np.testing.assert_allclose(found / found[0], weights, atol=1e-8)


def test_without_noise_the_connectome_is_a_bilinear_form_of_expression() -> None:
    brain = make_synthetic_brain(**SIZE, geography_weight=0, noise_weight=0, gene_noise=0)
    genes = np.linalg.svd(brain.expression, full_matrices=False)[0][:, :8]
    rows, columns = np.triu_indices(60, 1)
    products = np.stack(
        [
            genes[rows, i] * genes[columns, j] + genes[rows, j] * genes[columns, i]
            for i in range(8)
            for j in range(i, 8)
        ],
        axis=1,
    )
    design = np.column_stack([products, np.ones(len(rows))])
    target = edges(brain.connectome)
    residual = target - design @ np.linalg.lstsq(design, target, rcond=None)[0]
    assert np.abs(residual).max() < 1e-8


def test_the_fields_do_not_follow_the_weights() -> None:
    one = make_synthetic_brain(**SIZE, expression_weight=0.1)
    other = make_synthetic_brain(**SIZE, expression_weight=5.0)
    np.testing.assert_array_equal(one.expression, other.expression)


@pytest.mark.parametrize("field", ["mni", "sphere"])
@pytest.mark.parametrize("symmetric", [True, False])
def test_fields_are_smooth_and_smoothness_is_adjustable(field: Any, symmetric: bool) -> None:
    def likeness_of_neighbours(smoothness_mm: float) -> float:
        parts = planted_parts(
            n_regions=200,
            n_genes=1,
            seed=1,
            field=field,
            symmetric=symmetric,
            smoothness_mm=smoothness_mm,
            n_latents=20,
        )
        places = mirrored_cortex(200)[field == "sphere"][:100]
        distance = np.linalg.norm(places[:, None] - places[None], axis=2)
        np.fill_diagonal(distance, np.inf)
        nearest = distance.argmin(axis=1)
        return float(np.mean(parts.latent[:100] * parts.latent[:100][nearest]))

    rough, smooth = likeness_of_neighbours(3.0), likeness_of_neighbours(60.0)
    assert abs(rough) < 0.3
    assert smooth > 0.6


def test_homologues_share_their_fields_only_if_symmetric() -> None:
    alike = planted_parts(**SIZE).latent
    np.testing.assert_array_equal(alike[:30], alike[30:])
    apart = planted_parts(**SIZE, symmetric=False, field="sphere").latent
    assert not np.allclose(apart[:30], apart[30:], atol=0.1)


def test_hemispheres_mirror_each_other() -> None:
    coords_mm, sphere_coords, hemisphere = mirrored_cortex(20)
    for places in (coords_mm, sphere_coords):
        np.testing.assert_allclose(places[:10] * [-1, 1, 1], places[10:])
    np.testing.assert_allclose(np.linalg.norm(sphere_coords, axis=1), 100.0)
    assert (np.sign(coords_mm[:, 0]) == 2 * hemisphere - 1).all()


def test_correlations_keep_their_range_and_holdout_shares_the_signal() -> None:
    brain = make_synthetic_brain(**SIZE, noise_weight=0.5)
    assert np.abs(edges(brain.connectome)).max() == pytest.approx(0.95)
    assert brain.holdout_connectome is not None
    r = np.corrcoef(edges(brain.connectome), edges(brain.holdout_connectome))[0, 1]
    assert 0.7 < r < 0.99


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_regions": 7}, "n_regions is 7; an even number from 8 on"),
        ({"n_genes": 0}, "n_genes is 0"),
        ({"expression_weight": -1}, "none may be negative"),
        ({"expression_weight": 0, "geography_weight": 0, "noise_weight": 0}, "one must be posit"),
        ({"smoothness_mm": 0}, "smoothness_mm is 0; it must be positive"),
        ({"field": "plane"}, "field is 'plane'; choose from 'mni' and 'sphere'"),
        ({"n_latents": 0}, "n_latents is 0"),
        ({"gene_noise": -0.1}, "gene_noise is -0.1"),
    ],
)
def test_arguments_out_of_range_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        make_synthetic_brain(**SIZE | change)
