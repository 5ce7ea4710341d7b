"""No word of a held-out region reaches a chosen config or a choice of genes.

Held-out regions are replaced by garbage while the folds stand still; tests/conformance does so with
every model. The same garbage in training regions must change the answer.
"""

from __future__ import annotations

import numpy as np
import pytest
from garbage import with_garbage
from small_fits import make_brain, make_fold, nested, network_config

from gx2c.fit import FitConfig, GeneOptions, TrainingSet, rank_closed_forms
from gx2c.models import MODELS

GENES = GeneOptions(which="16_var", order="expression")


@pytest.fixture(scope="module")
def brain():
    return make_brain()


def closed_form_config(model: str, **keywords) -> FitConfig:
    return FitConfig(model, {**MODELS[model].defaults, **keywords}, genes=GENES)


def test_the_config_chosen_never_depends_on_test_regions(brain):
    """Candidates that garbage ranks otherwise, so that a look at the test regions would tell."""
    fold = make_fold(brain)
    candidates = [closed_form_config("kernel_ridge", ridge=10.0**k) for k in range(-3, 4)]

    def chosen(brain):
        return rank_closed_forms(brain, fold, candidates, metric="val_mse")[0]

    assert chosen(with_garbage(brain, fold.test_regions)) == chosen(brain)
    assert chosen(with_garbage(brain, fold.train_regions)) != chosen(brain)


def test_genes_are_chosen_and_ordered_without_test_regions(brain):
    """Garbage makes other genes vary most; only in training regions may that count."""
    fold = make_fold(brain)
    config = network_config("mlp", genes=GENES)

    def genes(brain):
        fit = nested(brain, fold, config)
        return [m.expression.mean.tolist() for group in fit.fit.groups for m in group.input_makers]

    assert genes(with_garbage(brain, fold.test_regions)) == genes(brain)
    assert genes(with_garbage(brain, fold.train_regions)) != genes(brain)
    over_all = [
        TrainingSet.cut(b, np.arange(b.n_regions), GENES).gene_indices.tolist()
        for b in (brain, with_garbage(brain, fold.test_regions))
    ]
    assert over_all[0] != over_all[1], "garbage that changes no choice proves nothing"
