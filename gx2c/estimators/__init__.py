"""Every model as a scikit-learn estimator; `gx2c.models` shows them to users."""

from sklearn.base import clone

from gx2c.estimators.base import Estimator
from gx2c.estimators.classes import ESTIMATORS

__all__ = ["ESTIMATORS", "Estimator", "clone"]
