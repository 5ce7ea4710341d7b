"""The regions for which a saved model is explained."""

from collections.abc import Sequence

import numpy as np

from gx2c.data.brain import Brain, IntArray
from gx2c.data.unmeasured import Unmeasured
from gx2c.errors import UserError
from gx2c.models import MODELS
from gx2c.saved.model import SavedModel
from gx2c.splits.fold import MIN_TEST_REGIONS, Fold


def trains_in_epochs(model: SavedModel) -> bool:
    """Return whether a saved model is a network."""
    return MODELS[model.fitted[0].config.model].trains_in_epochs


def held_out(model: SavedModel, brain: Brain | Unmeasured) -> IntArray:
    """Return the regions of a brain that a model has not seen, (n_held_out,).

    They are its test regions where the brain has them, else every region that does not bear the
    label of a training region.

    Raises
    ------
    UserError
        If there are fewer than 3.
    """
    place = {label: index for index, label in enumerate(brain.labels)}
    test: Sequence[int] = [place[label] for label in model.about.test_regions if label in place]
    if len(test) < len(model.about.test_regions) or not test:
        trained = set(model.about.training_regions)
        test = [index for label, index in place.items() if label not in trained]
    if len(test) < MIN_TEST_REGIONS:
        raise UserError(
            f"{brain.name} has {len(test)} regions that {model!r} has not seen, and "
            f"{MIN_TEST_REGIONS} are needed; give a run, whose models each lack a fold, or a "
            "dataset of other regions"
        )
    return np.array(test, dtype=np.int64)


def unseen(model: SavedModel, brain: Brain, fold: Fold) -> IntArray:
    """Return the test regions of a fold, none of which the model may have seen.

    Raises
    ------
    UserError
        If it was trained on some of them.
    """
    trained = set(model.about.training_regions)
    seen = [brain.labels[i] for i in fold.test_regions.tolist() if brain.labels[i] in trained]
    if seen:
        raise UserError(
            f"{model!r} was trained on {len(seen)} of the fold's {len(fold.test_regions)} test "
            f"regions, such as {seen[0]}; give the fold on which it was fitted"
        )
    return fold.test_regions
