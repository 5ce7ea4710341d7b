"""No word of a held-out region reaches a score in the search, a fitted weight or a prediction.

Held-out regions are replaced by garbage while the folds stand still. The same garbage in training
regions must change every answer, or these tests could not fail.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from cases import (
    CLOSED_FORMS,
    NETWORKS,
    all_but_exempt,
    first_config,
    nested,
    outer_fold,
    planted_brain,
    retrained,
)
from garbage import with_garbage

from gx2c.fit import validate_closed_form
from gx2c.splits import Fold

RULE = "blind_to_test_regions"
every_network = pytest.mark.parametrize("model", all_but_exempt(RULE, NETWORKS))


@every_network
def test_search_of_a_network_never_sees_test_regions(model):
    fold, config = outer_fold(), first_config(model, max_epochs=2)

    def curve(brain):
        # as text, in which an undefined correlation equals itself
        return [repr(point) for point in nested(brain, config, fold=fold).points()]

    honest = curve(planted_brain())
    assert curve(with_garbage(planted_brain(), fold.test_regions)) == honest
    assert curve(with_garbage(planted_brain(), fold.train_regions)) != honest


@pytest.mark.parametrize("split", ["bilateral", "random"])
@pytest.mark.parametrize("model", all_but_exempt(RULE, CLOSED_FORMS))
def test_search_of_a_closed_form_never_sees_test_regions(model, split):
    fold, config = outer_fold(split), first_config(model)

    def validated(brain):
        return validate_closed_form(brain, fold, config, metric="val_mse")

    honest = validated(planted_brain())
    assert np.isfinite(honest.score)
    assert validated(with_garbage(planted_brain(), fold.test_regions)) == honest
    assert validated(with_garbage(planted_brain(), fold.train_regions)) != honest


@every_network
def test_weights_of_a_retrained_network_never_saw_test_regions(model):
    fold, config = outer_fold(), first_config(model, max_epochs=2)
    honest, spoiled, retaught = (
        retrained(config, brain=brain).weights
        for brain in (
            planted_brain(),
            with_garbage(planted_brain(), fold.test_regions),
            with_garbage(planted_brain(), fold.train_regions),
        )
    )
    assert honest.keys() == spoiled.keys()
    assert all(torch.equal(values, spoiled[name]) for name, values in honest.items())
    assert not all(torch.equal(values, retaught[name]) for name, values in honest.items())


@pytest.mark.parametrize("model", all_but_exempt(RULE))
def test_a_prediction_depends_on_no_other_held_out_region(model):
    """Half the test regions are probes; the other half is garbage, then part of training is."""
    fold, config = outer_fold(), first_config(model, max_epochs=2)
    probes, others = fold.test_regions[::2], fold.test_regions[1::2]
    shown = Fold(fold.train_regions, probes)

    def predicted(brain):
        return retrained(config, brain=brain, fold=shown).predicted

    honest = predicted(planted_brain())
    np.testing.assert_array_equal(predicted(with_garbage(planted_brain(), others)), honest)
    # not all of training: an exponential may not fit garbage alone
    spoiled = predicted(with_garbage(planted_brain(), fold.train_regions[:12]))
    assert np.abs(spoiled - honest)[np.triu_indices(len(probes), 1)].max() > 1e-6


@every_network
def test_an_inner_fold_never_trains_on_its_validation_regions(model):
    fold, config = outer_fold(), first_config(model)
    held_out = fold.inner[1].test_regions

    def weights(brain):
        fit = nested(brain, config)
        fit.advance()
        return fit.fit.weights()

    honest = weights(planted_brain())
    spoiled = weights(with_garbage(planted_brain(), held_out))
    for name, values in honest.items():
        assert torch.equal(spoiled[name][1], values[1])
    changed = [name for name, values in honest.items() if not torch.equal(spoiled[name], values)]
    assert changed, "the other inner fold trains on these regions"
