"""Two-step PLS: expression -> connectivity with the training regions -> any other region.

Step 1 predicts from a region's expression its profile, the connectivity with every training
region. Step 2 predicts from a profile the connectivity with a region that was not trained on. The
published step 2 learns that from the measured edges between training and test regions, which no
other model is shown; here they are the profiles that step 1 predicts for the test regions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gx2c.data.brain import Regions
from gx2c.errors import UserError
from gx2c.models.features import Standardiser
from gx2c.models.keywords import require_positive
from gx2c.models.protocol import EXPRESSION, TRAIN_TEST_EDGES, ModelSpec
from gx2c.models.reduction import connectivity_profiles, fit_pls, fit_pls_scores, most_components

FloatArray = NDArray[np.float64]


class PLSRegressor:
    """Linear regression of many targets on PLS scores, all centred on training regions.

    Parameters
    ----------
    scores
        (n_train_regions, n_components), orthogonal columns of zero mean.
    targets
        (n_train_regions, n_targets).
    """

    def __init__(self, scores: FloatArray, targets: FloatArray) -> None:
        self.mean = targets.mean(axis=0)
        self.slopes = np.linalg.lstsq(scores, targets - self.mean, rcond=None)[0]

    def __call__(self, scores: FloatArray) -> FloatArray:
        """Predict the targets of any regions, (n_regions, n_targets)."""
        predicted: FloatArray = scores @ self.slopes + self.mean
        return predicted


class TwoStepPLS:
    """PLS to profiles, then PLS of profiles on the profiles predicted for the other end.

    With p(x) the profile that step 1 predicts and t(p) its scores on the components of the
    measured training profiles, y_ij = mean p(x_j) + t(p(x_i)) T^+ (p(x_j) - mean p(x_j)), averaged
    over both directions.

    Parameters
    ----------
    n_components_l, n_components_k
        Components of step 1 and of step 2; capped at what the training regions allow.

    References
    ----------
    GeneEx2Conn, NeurIPS 2025, model `pls_twostep`.
    """

    def __init__(self, *, n_components_l: int = 10, n_components_k: int = 5) -> None:
        require_positive("n_components_l", n_components_l)
        require_positive("n_components_k", n_components_k)
        self.n_components_l, self.n_components_k = n_components_l, n_components_k

    def fit(self, training: Regions, connectome: FloatArray) -> None:
        """Learn both steps from training regions; see `Model.fit`."""
        profiles = connectivity_profiles(connectome)
        self._genes = fit_pls(training.expression, connectome, n_components=self.n_components_l)
        self._first = PLSRegressor(self._genes.transform(training.expression), profiles)
        self._fit_profile_components(profiles, profiles)

    def predict(self, regions: Regions) -> FloatArray:
        """Predict the connectome among regions never seen; see `Model.predict`."""
        profiles = self._profiles_of(regions)
        second = PLSRegressor(self._profile_scores, profiles.T)
        return _symmetric(second(self._scores_of(profiles)))

    def n_parameters(self, n_genes: int, n_regions: int) -> int:
        """Return the directions and slopes of both steps; see `Model.n_parameters`."""
        cap = most_components(n_regions, n_genes)
        first = min(self.n_components_l, cap) * (n_genes + n_regions)
        return first + 2 * min(self.n_components_k, cap) * n_regions

    def _profiles_of(self, regions: Regions) -> FloatArray:
        return self._first(self._genes.transform(regions.expression))

    def _fit_profile_components(self, profiles: FloatArray, targets: FloatArray) -> None:
        """Find the components of training profiles that explain the targets."""
        self._profile_scale = Standardiser.learn(profiles)
        standardised = self._profile_scale.apply(profiles)
        n_components = min(self.n_components_k, most_components(*profiles.shape))
        self._rotation = fit_pls_scores(standardised, targets, n_components)
        self._profile_scores = standardised @ self._rotation

    def _scores_of(self, profiles: FloatArray) -> FloatArray:
        scores: FloatArray = self._profile_scale.apply(profiles) @ self._rotation
        return scores


class PublishedTwoStepPLS(TwoStepPLS):
    """The published step 2, which learns from measured edges between training and test regions.

    It cannot predict regions whose edges with the training regions are unknown, and its scores
    compare with no other model's. See `TwoStepPLS` for the parameters.
    """

    def fit(self, training: Regions, connectome: FloatArray) -> None:
        """Learn step 1 from training regions; see `Model.fit`."""
        super().fit(training, connectome)
        self._profiles = connectivity_profiles(connectome)

    def see_edges(self, train_test_edges: FloatArray) -> None:
        """Learn step 2 from measured edges.

        Parameters
        ----------
        train_test_edges
            (n_train_regions, n_test_regions), in the order of the regions that `predict` gets.
        """
        self._fit_profile_components(self._profiles, train_test_edges)
        self._second = PLSRegressor(self._profile_scores, train_test_edges)

    def predict(self, regions: Regions) -> FloatArray:
        """Predict the connectome among the regions whose edges were seen; see `Model.predict`.

        Raises
        ------
        UserError
            If these are not as many regions as edges were seen of.
        """
        if len(regions) != len(self._second.mean):
            raise UserError(
                f"pls_twostep_published saw edges of {len(self._second.mean)} regions and is to "
                f"predict {len(regions)}; use pls_twostep, which needs none"
            )
        return _symmetric(self._second(self._scores_of(self._profiles_of(regions))))


def _symmetric(directed: FloatArray) -> FloatArray:
    mean: FloatArray = (directed + directed.T) / 2
    return mean


_REFERENCE = "GeneEx2Conn, NeurIPS 2025; Wold et al. (2001), Chemometr. Intell. Lab. 58(2), 109"
_PUBLISHED = {"n_components_l": 10, "n_components_k": 5}

SPECS = (
    ModelSpec(
        name="pls_twostep",
        kind="closed_form",
        uses=(EXPRESSION,),
        build=TwoStepPLS,
        summary="PLS from expression to profiles, and from profiles to edges",
        reference=_REFERENCE,
        defaults=_PUBLISHED,
    ),
    ModelSpec(
        name="pls_twostep_published",
        kind="closed_form",
        uses=(EXPRESSION, TRAIN_TEST_EDGES),
        build=PublishedTwoStepPLS,
        summary="Two-step PLS as published: it uses train x test edges",
        reference=_REFERENCE,
        defaults=_PUBLISHED,
    ),
)
