"""Two-step PLS: expression -> connectivity with the training regions -> any other region.

Step 1 predicts a region's profile, its connectivity with every training region, from its
expression. Step 2 predicts the connectivity with an unseen region from a profile. The published
step 2 learns from the measured edges between training and test regions, which no other model sees;
here it uses the profiles that step 1 predicts for the test regions.
"""

from dataclasses import replace
from typing import ClassVar

import numpy as np

from gx2c.data.brain import FloatArray, Regions
from gx2c.errors import UserError, require_positive
from gx2c.models.features import Standardiser
from gx2c.models.reduction import connectivity_profiles, fit_pls, fit_pls_scores, most_components
from gx2c.models.spec import CLOSED_FORM, EXPRESSION, TRAIN_TEST_EDGES, ModelSpec


class PLSRegressor:
    """Linear regression of (n_train_regions, n_targets) on centred PLS scores of these regions."""

    LEARNED: ClassVar[tuple[str, ...]] = ("mean", "slopes")

    def __init__(self, scores: FloatArray, targets: FloatArray) -> None:
        self.mean = targets.mean(axis=0)
        self.slopes = np.linalg.lstsq(scores, targets - self.mean, rcond=None)[0]

    def __call__(self, scores: FloatArray) -> FloatArray:
        """Predict the targets of any regions, (n_regions, n_targets)."""
        return scores @ self.slopes + self.mean


class TwoStepPLS:
    """PLS from expression to profiles, then PLS from profiles to the other end's predicted profile.

    With p(x) the profile that step 1 predicts, t(p) its scores on the components of the measured
    training profiles, and T those of the training regions, y_ij = mean p(x_j) + t(p(x_i)) T^+
    (p(x_j) - mean p(x_j)), averaged over both directions.

    Parameters
    ----------
    n_components_l, n_components_k
        Components of steps 1 and 2, capped at the maximum that the training regions allow.

    References
    ----------
    GeneEx2Conn, NeurIPS 2025, model `pls_twostep`.
    """

    LEARNED: ClassVar[tuple[str, ...]] = (
        "_genes",
        "_first",
        "_profile_scale",
        "_rotation",
        "_profile_scores",
    )

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
        """Predict the connectome among unseen regions; see `Model.predict`."""
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
        return self._profile_scale.apply(profiles) @ self._rotation


class PublishedTwoStepPLS(TwoStepPLS):
    """The published step 2, which learns from measured edges between training and test regions.

    It cannot predict regions whose edges with the training regions are unknown, and its scores are
    not comparable with those of other models. See `TwoStepPLS` for the parameters.
    """

    LEARNED: ClassVar[tuple[str, ...]] = (*TwoStepPLS.LEARNED, "_second")

    def fit(self, training: Regions, connectome: FloatArray) -> None:
        """Learn step 1 from training regions; see `Model.fit`."""
        super().fit(training, connectome)
        self._profiles = connectivity_profiles(connectome)

    def see_edges(self, train_test_edges: FloatArray) -> None:
        """Learn step 2 from measured edges.

        Parameters
        ----------
        train_test_edges
            (n_train_regions, n_test_regions), in the order of the regions given to `predict`.
        """
        self._fit_profile_components(self._profiles, train_test_edges)
        self._second = PLSRegressor(self._profile_scores, train_test_edges)

    def predict(self, regions: Regions) -> FloatArray:
        """Predict the connectome among the regions whose edges were seen; see `Model.predict`.

        Raises
        ------
        UserError
            If the number of regions differs from that of the seen edges.
        """
        if len(regions) != len(self._second.mean):
            raise UserError(
                f"pls_twostep_published has edges of {len(self._second.mean)} regions and cannot "
                f"predict {len(regions)}; use pls_twostep, which needs no such edges"
            )
        return _symmetric(self._second(self._scores_of(self._profiles_of(regions))))


def _symmetric(directed: FloatArray) -> FloatArray:
    return (directed + directed.T) / 2


_COMPONENTS = (2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 50)
PLS_TWOSTEP = ModelSpec(
    "pls_twostep",
    TwoStepPLS,
    CLOSED_FORM,
    summary="PLS from expression to profiles, and from profiles to edges",
    reference="GeneEx2Conn, NeurIPS 2025; Wold et al. (2001), Chemometr. Intell. Lab. 58(2), 109",
    published={"n_components_l": _COMPONENTS, "n_components_k": _COMPONENTS},
)
SPECS = (
    PLS_TWOSTEP,
    replace(
        PLS_TWOSTEP,
        name="pls_twostep_published",
        builder=PublishedTwoStepPLS,
        summary="Two-step PLS as published, which uses train x test edges",
        uses=(EXPRESSION, TRAIN_TEST_EDGES),
    ),
)
