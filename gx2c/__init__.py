"""gx2c: predict the functional connectome from gene expression, against a geography baseline.

Each part is imported when it is first used, and neither Ray nor Optuna is needed.

Data
    `load_dataset` and `make_synthetic_brain` return a `Brain`; `list_datasets` names datasets.
Splits
    `make_folds` cuts a brain's regions into a tuple of `Fold`.
Models
    `models` has a scikit-learn estimator for each model, such as ``gx2c.models.SMT()``; `clone`
    copies one unfitted.
Evaluation
    `cross_validate` scores a model on held-out regions; `null_test` tests its gain over geography
    against surrogates of the genes.
Saved models
    `load_model` and `load_run` load what a sweep has retrained, or a model that comes with gx2c, to
    predict new regions; `explain` shows what such a model reads.
Errors
    `UserError` is raised for every mistake that a caller can correct.
Rooms
    `data`, `splits`, `metrics`, `nulls`, `fit` and `saved` hold the parts.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

__version__ = "0.1.0"
