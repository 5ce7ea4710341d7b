from . import data, fit, metrics, models, nulls, splits
from .data import Brain, list_datasets, load_dataset, make_synthetic_brain
from .errors import UserError
from .estimators import clone
from .evaluate import cross_validate, null_test
from .splits import Fold, make_folds

__version__: str
__all__ = [
    "Brain",
    "Fold",
    "UserError",
    "clone",
    "cross_validate",
    "data",
    "fit",
    "list_datasets",
    "load_dataset",
    "make_folds",
    "make_synthetic_brain",
    "metrics",
    "models",
    "null_test",
    "nulls",
    "splits",
]
