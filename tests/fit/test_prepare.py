from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from small_fits import make_brain

from gx2c.data.brain import Regions
from gx2c.fit import FitConfig, GeneOptions, TrainingSet
from gx2c.fit.fitted import FittedModels
from gx2c.fit.prepare import InputMaker
from gx2c.models import MODELS

CPU = torch.device("cpu")
TRAIN, OTHERS = np.arange(0, 30), np.arange(30, 40)


@pytest.fixture(scope="module")
def brain():
    return make_brain()


def test_training_regions_have_zero_mean_and_unit_variance(brain):
    regions = brain.regions(TRAIN)
    inputs = InputMaker.learn(regions)(regions, CPU)
    for values in (inputs.expression, inputs.coords):
        assert values.dtype == torch.float32
        np.testing.assert_allclose(values.mean(0), 0, atol=1e-6)
        np.testing.assert_allclose(values.std(0, correction=0), 1, atol=1e-6)


def test_other_regions_are_seen_through_the_training_statistics(brain):
    shown = InputMaker.learn(brain.regions(TRAIN))(brain.regions(OTHERS), CPU)
    train = brain.expression[TRAIN]
    expected = (brain.expression[OTHERS] - train.mean(0)) / train.std(0)
    np.testing.assert_allclose(shown.expression, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e6 / 3])
def test_a_gene_that_is_constant_in_training_carries_nothing(brain, constant):
    """Not even where the mean of equal numbers is off by rounding."""
    expression = brain.expression.copy()
    expression[TRAIN, 4] = constant
    train, others = (
        Regions(expression[rows], brain.coords_mm[rows], brain.hemisphere[rows])
        for rows in (TRAIN, OTHERS)
    )
    maker = InputMaker.learn(train)
    for regions in (train, others):
        assert not maker(regions, CPU).expression[:, 4].any()
    assert maker(others, CPU).expression[:, 5].any()


def test_genes_are_chosen_on_the_training_regions_and_kept_for_others(brain):
    cut = TrainingSet.cut(brain, TRAIN, GeneOptions(which="7_var", order="expression"))
    train = brain.expression[TRAIN]
    most = np.sort(np.argsort(-train.var(axis=0))[:7])
    expected = most[np.argsort(train[:, most].mean(axis=0))]
    np.testing.assert_array_equal(cut.gene_indices, expected)
    np.testing.assert_array_equal(cut.regions.expression, train[:, expected])
    shown = cut.show(brain, OTHERS)
    np.testing.assert_array_equal(shown.expression, brain.expression[OTHERS][:, expected])
    np.testing.assert_array_equal(cut.connectome, brain.connectome[:30, :30])


def test_genes_stand_in_the_order_of_their_starts(brain):
    cut = TrainingSet.cut(brain, TRAIN, GeneOptions())
    assert (np.diff(brain.tss[cut.gene_indices]) > 0).all()


def test_a_symbol_list_chooses_genes(brain):
    without_starts = dataclasses.replace(brain, tss=None)
    cut = TrainingSet.cut(without_starts, TRAIN, GeneOptions(which=("GENE9", "GENE3")))
    assert {brain.genes[i] for i in cut.gene_indices} == {"GENE3", "GENE9"}


def test_a_model_of_place_alone_gets_no_genes_and_predicts_as_with_them(brain):
    fitted = FittedModels.fit(FitConfig("geography"), [brain], TRAIN)
    assert fitted.views[0].show(brain, TRAIN).expression.shape == (len(TRAIN), 0)
    shown = [brain.regions(rows) for rows in (TRAIN, OTHERS)]
    model = MODELS["geography"].build()
    model.fit(shown[0], brain.connectome_block(TRAIN))
    np.testing.assert_array_equal(fitted.predict([brain], OTHERS)[0], model.predict(shown[1]))
