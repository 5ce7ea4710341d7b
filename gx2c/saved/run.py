"""The saved models of a run, without anything else of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from gx2c.data.brain import Brain, FloatArray
from gx2c.data.unmeasured import Unmeasured
from gx2c.errors import UserError
from gx2c.files import load_json, user_path
from gx2c.fit.scoring import mean_prediction
from gx2c.models.names import GEOGRAPHY
from gx2c.saved import INDEX_FILE, MODEL_FILE
from gx2c.saved.loading import load_model, refuse_newer
from gx2c.saved.matching import MOST_MISSING
from gx2c.saved.model import SavedModel
from gx2c.saved.pretrained import find_model
from gx2c.saved.schema import IndexFile
from gx2c.sealed import DamagedError, checked, unsealed

_HINT = "finish the run with `gx2c sweep --resume`, which writes it again"


@dataclass(frozen=True, repr=False)
class SavedRun:
    """A run whose retrained models can be loaded.

    Attributes
    ----------
    folder
        The run folder.
    index
        Which models it has.
    """

    folder: Path
    index: IndexFile

    def __repr__(self) -> str:
        index = self.index
        return f"SavedRun({str(self.folder)!r}: {index.model}, {len(index.models)} saved models)"

    @cached_property
    def models(self) -> list[SavedModel]:
        """The models of the sweep, one for each seed and outer fold; an ensemble is one model."""
        return self.models_of(self.index.model)

    @cached_property
    def geography(self) -> list[SavedModel]:
        """The spatial baseline, one for each seed and outer fold."""
        return self.models_of(GEOGRAPHY)

    def models_of(self, name: str) -> list[SavedModel]:
        """Return the saved models of a name, in the order of seeds and folds.

        Raises
        ------
        UserError
            If the run has none, or one cannot be loaded.
        """
        entries = [entry for entry in self.index.models if entry.model == name]
        if not entries:
            known = sorted({entry.model for entry in self.index.models})
            raise UserError(f"{self.folder} has no saved model {name!r}; it has {known}")
        models = []
        for entry in entries:
            folder = self.folder / entry.folder
            model = load_model(folder)
            if (model.about.model, model.about.fold) != (entry.model, entry.fold):
                raise DamagedError(
                    f"{folder} holds {model.about.model} of fold {model.about.fold}, not "
                    f"{entry.model} of fold {entry.fold}; {_HINT}"
                )
            models.append(model)
        return sorted(models, key=lambda model: (model.about.seed, model.about.fold))


def load_run(path: str | Path) -> SavedRun:
    """Find the saved models of a run; neither Ray nor the dataset is needed.

    Parameters
    ----------
    path
        The run folder.

    Raises
    ------
    UserError
        If it has no list of models, or the list is damaged.
    """
    folder = user_path(path)
    file = folder / INDEX_FILE
    try:
        plain = load_json(file)
    except FileNotFoundError:
        raise UserError(
            f"{folder} is no run with saved models (no {INDEX_FILE}); give a run that this version "
            "of gx2c finished, or `gx2c rerun` it"
        ) from None
    except (OSError, ValueError) as error:
        raise DamagedError(f"{file} cannot be read ({error}); {_HINT}") from None
    refuse_newer(plain, file)
    return SavedRun(folder, checked(IndexFile, unsealed(plain, file, hint=_HINT), file, hint=_HINT))


def load_models(path: str | Path) -> list[SavedModel]:
    """Load the models of a run, one for each fold, or the one model of a folder.

    Parameters
    ----------
    path
        A run folder, the folder of a saved model, or the name of one that comes with gx2c.

    Raises
    ------
    UserError
        If it is neither; see `load_run` and `load_model`.
    """
    folder = find_model(path)
    is_model = (folder / MODEL_FILE).exists()
    return [load_model(folder)] if is_model else load_run(folder).models


def predict_mean(
    models: Sequence[SavedModel], brain: Brain | Unmeasured, *, most_missing: float = MOST_MISSING
) -> tuple[FloatArray, FloatArray]:
    """Predict all regions of a brain with every member of several models.

    Parameters
    ----------
    models
        Such as those of a run, one for each fold.
    brain, most_missing
        As in `SavedModel.predict`.

    Returns
    -------
    mean, deviation
        (n_regions, n_regions) each, over members and models, without members that diverged; the
        standard deviation is NaN of a single member.
    """
    found = [model.predict_members(brain, most_missing=most_missing) for model in models]
    members = np.concatenate(found)
    finite = members[np.isfinite(members).all(axis=(1, 2))]
    if len(finite) < 2:
        return mean_prediction(members), np.full(members.shape[1:], np.nan)
    return mean_prediction(finite), finite.std(axis=0, ddof=1)
