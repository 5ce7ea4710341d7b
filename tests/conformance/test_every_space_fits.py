"""Whatever a search space may suggest for a small brain fits it and predicts numbers."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from cases import GENES, NETWORKS, SCALE, outer_fold, retrained
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gx2c.splits import Fold
from search_spaces import SEARCH_SPACES, suggest_config

# of networks the learning rate may blow up a fit, which the search ranks last
QUICK, THOROUGH = 4, 12


class DrawnTrial:
    """Answers with values that hypothesis draws, the ends of ranges among them."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data

    def suggest_float(self, name, low, high, *, log=False):
        return self.data.draw(st.floats(low, high), label=name)

    def suggest_int(self, name, low, high, *, log=False):
        return self.data.draw(st.integers(low, high), label=name)

    def suggest_categorical(self, name, choices):
        return self.data.draw(st.sampled_from(choices), label=name)


def fit_a_sample(data: st.DataObject, model: str) -> None:
    config = suggest_config(SEARCH_SPACES[model], DrawnTrial(data), SCALE, GENES)
    if model in NETWORKS:
        training = dataclasses.replace(config.training, max_epochs=1, learning_rate=1e-4)
        config = dataclasses.replace(config, training=training)
    fold = outer_fold().inner[0]
    predicted = retrained(config, fold=Fold(fold.train_regions, fold.test_regions)).predicted
    assert np.isfinite(predicted[np.triu_indices(len(predicted), 1)]).all()


def _samples(n: int):
    return settings(max_examples=n, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("model", SEARCH_SPACES)
@_samples(QUICK)
@given(data=st.data())
def test_samples_fit_a_small_brain(model, data):
    fit_a_sample(data, model)


@pytest.mark.slow
@pytest.mark.parametrize("model", SEARCH_SPACES)
@_samples(THOROUGH)
@given(data=st.data())
def test_many_samples_fit_a_small_brain(model, data):
    fit_a_sample(data, model)
