from . import data, explain, fit, metrics, models, nulls, saved, splits
from .data import Brain, list_datasets, load_dataset, make_synthetic_brain
from .errors import UserError
from .estimators import clone
from .evaluate import cross_validate, null_test
from .saved.loading import load_model
from .saved.run import load_run
from .splits import Fold, make_folds

__version__: str
__all__ = [
    "Brain",
    "Fold",
    "UserError",
    "clone",
    "cross_validate",
    "data",
    "explain",
    "fit",
    "list_datasets",
    "load_dataset",
    "load_model",
    "load_run",
    "make_folds",
    "make_synthetic_brain",
    "metrics",
    "models",
    "null_test",
    "nulls",
    "saved",
    "splits",
]
