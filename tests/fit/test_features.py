"""Features in the place of expression, against scikit-learn and direct loops."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from garbage import with_garbage
from sklearn.decomposition import PCA
from small_fits import PROFILE, make_brain, make_fold, network_config

from gx2c.errors import UserError
from gx2c.fit import FitConfig, GeneOptions, Task, TrainingSet, retrain
from gx2c.fit.features import (
    FEATURES,
    check_features,
    feature_rule,
    learn_features,
    n_columns,
    parse_features,
)

TRAIN = np.arange(0, 40, 2)
OTHERS = np.arange(1, 40, 2)
GENES = np.array([4, 1, 9, 20, 11, 17])


@pytest.fixture(scope="module")
def brain():
    return make_brain()


def columns(brain, name, regions, train=TRAIN):
    return learn_features((name,), brain, train, GENES)(brain, regions)


def test_components_are_those_of_the_training_regions(brain):
    pca = PCA(3).fit(brain.expression[np.ix_(TRAIN, GENES)])
    expected = pca.transform(brain.expression[np.ix_(OTHERS, GENES)])
    found = columns(brain, "expression-pca:3", OTHERS)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-9)


def test_components_that_cannot_be_are_zeros(brain):
    found = columns(brain, "expression-pca:9", OTHERS)
    assert found.shape == (20, 9)
    assert np.ptp(found[:, :6], axis=0).all() and not found[:, 6:].any()


def test_a_profile_holds_structural_connectivity_with_training_regions_alone(brain):
    found = columns(brain, "structural", np.arange(40))
    for i in range(40):
        for j in range(40):
            known = j in TRAIN and i != j
            assert found[i, j] == (brain.structural_connectome[i, j] if known else 0.0)


@pytest.mark.parametrize("name", ["structural-laplacian:4", "structural-adjacency:4"])
def test_eigenvectors_of_the_training_block_are_extended_to_others(brain, name):
    block = brain.structural_connectome[np.ix_(TRAIN, TRAIN)].copy()
    np.fill_diagonal(block, 0.0)
    degrees = block.sum(1)
    if name.startswith("structural-laplacian"):
        matrix = np.eye(20) - block / np.sqrt(np.outer(degrees, degrees))
        values, vectors = np.linalg.eigh(matrix)
        expected, to_value = vectors[:, 1:5], 1.0 - values[1:5]
    else:
        values, vectors = np.linalg.eigh(block)
        order = np.argsort(-np.abs(values))[:4]
        expected, to_value = vectors[:, order], values[order]
    found = columns(brain, name, TRAIN)
    signs = np.sign((found * expected).sum(0))
    np.testing.assert_allclose(found, expected * signs, atol=1e-9)
    others = columns(brain, name, OTHERS)
    for row, region in zip(others, OTHERS, strict=True):
        edges = brain.structural_connectome[region, TRAIN]
        if name.startswith("structural-laplacian"):
            edges = edges / np.sqrt(edges.sum() * degrees)
        np.testing.assert_allclose(row, (edges @ expected) * signs / to_value, atol=1e-9)


def test_combined_features_stand_side_by_side(brain):
    names = parse_features("coordinates + expression+structural-adjacency:2")
    found = learn_features(names, brain, TRAIN, GENES)(brain, OTHERS)
    assert found.shape == (20, n_columns(names, n_genes=6, n_regions=40)) == (20, 3 + 6 + 2)
    np.testing.assert_array_equal(found[:, :3], brain.coords_mm[OTHERS])
    np.testing.assert_array_equal(found[:, 3:9], brain.expression[np.ix_(OTHERS, GENES)])


@pytest.mark.parametrize("name", FEATURES)
def test_features_are_learned_without_other_regions(brain, name):
    """Neither those of training regions nor those of one other change with the rest."""
    shown = np.append(TRAIN, OTHERS[0])
    garbage = with_garbage(brain, OTHERS[1:])
    np.testing.assert_array_equal(columns(garbage, name, shown), columns(brain, name, shown))
    spoiled = with_garbage(brain, TRAIN)
    assert not np.array_equal(columns(spoiled, name, shown), columns(brain, name, shown))


@pytest.mark.parametrize("name", FEATURES)
def test_a_training_set_shows_features_in_the_place_of_expression(brain, name):
    task = Task((name,))
    cut = TrainingSet.cut(brain, TRAIN, GeneOptions(), task)
    shown = cut.show(brain, OTHERS)
    wanted = n_columns((name,), n_genes=brain.n_genes, n_regions=brain.n_regions)
    assert cut.regions.expression.shape == shown.expression.shape == (20, wanted)
    np.testing.assert_array_equal(shown.coords_mm, brain.coords_mm[OTHERS])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no feature named ''"),
        ("expresion", "no feature named 'expresion'; choose from"),
        ("coordinates+coordinates", "name one kind twice"),
        ("expression-pca:2+expression-pca:3", "name one kind twice"),
        ("expression:3", "goes with"),
        ("expression-pca:0", "from 1 to"),
        ("expression-pca:x", "from 1 to"),
        ("expression-pca:", "from 1 to"),
    ],
)
def test_features_that_cannot_be_are_refused(text, words):
    with pytest.raises(UserError, match=words):
        parse_features(text)


def test_structural_features_need_a_structural_connectome(brain):
    without = dataclasses.replace(brain, structural_connectome=None)
    check_features(("structural",), brain)
    check_features(("expression", "coordinates"), without)
    with pytest.raises(UserError, match="has none; add one to the dataset"):
        check_features(("expression", "structural-laplacian:3"), without)


def test_a_config_comes_back_with_its_task():
    config = FitConfig("mlp", task=Task(("coordinates", "expression-pca:4"), "geography-residual"))
    assert FitConfig.from_dict(config.to_dict()) == config
    old = config.to_dict()
    del old["task"]
    assert FitConfig.from_dict(old).task == Task()
    with pytest.raises(UserError, match="no feature named"):
        FitConfig.from_dict(config.to_dict() | {"task": {"features": ["smell"]}})


def test_networks_of_folds_of_different_size_train_side_by_side(brain):
    fold = make_fold(brain)
    for name in FEATURES:
        config = dataclasses.replace(network_config("mlp"), task=Task((name,)))
        result = retrain(
            config, [brain, brain], fold, learning_rates=[3e-3], seeds=[1, 2], profile=PROFILE
        )
        assert all(np.isfinite(r.scores["mse"]) for r in result), name


def test_default_components():
    assert feature_rule("expression-pca")[1] == 20
