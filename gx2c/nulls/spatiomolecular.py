"""Spatiomolecular nulls: spins selected because they keep the decay of correlated expression.

Selected spins are not exchangeable with the true data, so a p-value against them is descriptive
only, and is reported together with that against unselected spins.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from gx2c.data.brain import Brain, FloatArray, IntArray
from gx2c.errors import UserError
from gx2c.nulls.quality import share_staying
from gx2c.nulls.spheres import as_left
from gx2c.nulls.spins import spin_rotations
from gx2c.nulls.surrogate import Surrogate, make_brain_spins, moving_rows

# The best N_BEST of N_CANDIDATES spins with this reassignment are used
CANDIDATE_METHOD = "vasa"
N_CANDIDATES = 1_000
N_BEST = 100
BIN_MM = 5.0
START = (0.0, 10.0)
LIMITS = ([-1.0, 0.0], [1.0, 100.0])
MOST_KEPT = 4
STATEMENT = (
    "p is descriptive, because selected spins are not exchangeable with the true data; compare"
    " with unselected spins"
)


@dataclass(frozen=True)
class SpinRanking:
    """Spins ranked by how well they keep the decay of correlated expression.

    Attributes
    ----------
    spins
        (n_regions, n_spins), all candidates.
    order
        (n_spins,), column numbers of the spins, best first.
    angle_deg
        (n_spins,), rotation angle, 0 to 180.
    share_staying
        (n_spins,), share of regions that keep their own data.
    share_near
        (n_spins,), share of regions whose data come from themselves or their nearest neighbour,
        that is, from within about one parcel.
    """

    spins: IntArray
    order: IntArray
    angle_deg: FloatArray
    share_staying: FloatArray
    share_near: FloatArray

    def indices(self, first: int, n: int) -> IntArray:
        """Return the best spins number first, first + 1, …, (n_regions, n), best first.

        Raises
        ------
        UserError
            If more than the best `N_BEST` are requested; the rest are hardly selected.
        """
        if first + n > N_BEST:
            raise UserError(too_many(first + n))
        return np.ascontiguousarray(self.spins[:, self.order[first : first + n]])

    def facts(self, n: int) -> dict[str, Any]:
        """Describe the best n spins, compared with all candidates."""
        best, all_ = self.order[:n], slice(None)
        return {
            "candidates": N_CANDIDATES,
            "method": CANDIDATE_METHOD,
            "angle_deg": [round(float(a), 1) for a in self.angle_deg[best]],
            **{
                name: {key: float(values[of].mean()) for key, of in (("best", best), ("all", all_))}
                for name, values in (
                    ("mean_angle_deg", self.angle_deg),
                    ("share_staying", self.share_staying),
                    ("share_within_one_parcel", self.share_near),
                )
            },
        }


def surrogate(brain: Brain, seed: int, _: IntArray | None) -> Surrogate:
    """Select the spins that best keep the decay of a brain's expression."""
    return moving_rows(
        "spatiomolecular",
        f"the best {N_BEST} of {N_CANDIDATES} {CANDIDATE_METHOD} spins by decay of correlated gene"
        " expression with distance and by assignment cost: selected, so p is descriptive",
        select_spins(brain, seed=seed).indices,
    )


def rank_spins(brain: Brain, spins: IntArray, rotations: FloatArray) -> SpinRanking:
    """Rank spins by decay of correlated gene expression and by assignment cost.

    Correlated gene expression, the Pearson correlation of two regions over genes, is averaged in
    5 mm bins of the true distance; s + (1 - s) exp(-d / l) and a cubic in d are fitted to the
    means, for the true brain and for each spin. A spin's place is the mean of three ranks: of the
    total absolute differences of both curves' parameters from those of the true brain, each
    standardised over spins, and of the total distance from each region to its rotated source.

    Parameters
    ----------
    brain
        A brain with sphere coordinates.
    spins
        (n_regions, n_spins), at least 2 spins.
    rotations
        (n_spins, 3, 3), rotations of the left sphere (`spin_rotations`), in the order of `spins`.

    Raises
    ------
    UserError
        If shapes do not agree or the brain has no sphere coordinates.
    """
    if brain.sphere_coords is None or spins.shape != (brain.n_regions, len(rotations)):
        raise UserError(
            f"spins have shape {spins.shape} with {len(rotations)} rotations; {brain.n_regions}"
            " regions with sphere coordinates and one rotation per spin are needed"
        )
    if len(rotations) < 2:
        raise UserError(f"{len(rotations)} spin cannot be ranked; make at least 2")
    decays = _decays(brain, spins)
    exponential = _distance_from_true([fit_exponential(*decay) for decay in decays])
    cubic = _distance_from_true([fit_cubic(*decay) for decay in decays])
    cost = _assignment_cost(brain.sphere_coords, brain.hemisphere, spins, rotations)
    orders = [np.argsort(error, kind="stable") for error in (cost, exponential, cubic)]
    mean_rank = np.mean([np.argsort(order, kind="stable") for order in orders], axis=0)
    return SpinRanking(
        spins=spins,
        order=np.argsort(mean_rank, kind="stable"),
        angle_deg=rotation_angles(rotations),
        share_staying=share_staying(spins),
        share_near=_share_near(brain.coords_mm, brain.hemisphere, spins),
    )


def too_many(n: int) -> str:
    """Return the error for more selected spins than there are."""
    return (
        f"{n} spatiomolecular nulls: they are the best {N_BEST} of {N_CANDIDATES} spins, so request"
        f" {N_BEST} or fewer"
    )


# The latest rankings of this process, by a hash of their inputs
_RANKED: dict[str, SpinRanking] = {}


def select_spins(brain: Brain, *, seed: int) -> SpinRanking:
    """Make and rank the candidates of a seed; a process ranks the same brain only once.

    Raises
    ------
    UserError
        As `make_brain_spins`.
    """
    content = hashlib.sha256(f"{N_CANDIDATES} {seed} {brain.expression.shape}".encode())
    for array in (brain.expression, brain.coords_mm, brain.sphere_coords, brain.hemisphere):
        content.update(b"" if array is None else np.ascontiguousarray(array).tobytes())
    key = content.hexdigest()
    if key not in _RANKED:
        spins = make_brain_spins(brain, n_spins=N_CANDIDATES, seed=seed, method=CANDIDATE_METHOD)
        _RANKED[key] = rank_spins(brain, spins, spin_rotations(seed, range(N_CANDIDATES)))
        if len(_RANKED) > MOST_KEPT:
            del _RANKED[next(iter(_RANKED))]
    return _RANKED[key]


def rotation_angles(rotations: FloatArray) -> FloatArray:
    """Return the angles of rotations, (n,), degrees."""
    cosine = (np.trace(rotations, axis1=1, axis2=2) - 1) / 2
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


def fit_exponential(distance_mm: FloatArray, correlation: FloatArray) -> FloatArray:
    """Fit s + (1 - s) exp(-d / l); return (s, l), l in mm within 0 and 100."""

    def decay(d: FloatArray, s: float, length: float) -> FloatArray:
        return np.asarray(s + (1 - s) * np.exp(-d / max(length, 1e-6)))

    found = scipy.optimize.curve_fit(decay, distance_mm, correlation, p0=START, bounds=LIMITS)[0]
    return np.asarray(found, dtype=np.float64)


def fit_cubic(distance_mm: FloatArray, correlation: FloatArray) -> FloatArray:
    """Fit a cubic in distance; return its 4 coefficients, constant first."""
    # on [-1, 1], and only then in mm: powers of 150 mm are ill-conditioned
    line = np.polynomial.Polynomial.fit(distance_mm, correlation, 3).convert()
    return np.asarray(line.coef, dtype=np.float64)


def _decays(brain: Brain, spins: IntArray) -> list[tuple[FloatArray, FloatArray]]:
    coupled: FloatArray = np.asarray(np.corrcoef(brain.expression))
    first, second = np.triu_indices(brain.n_regions, 1)
    distance = scipy.spatial.distance.cdist(brain.coords_mm, brain.coords_mm)[first, second]
    _, bins = np.unique(np.floor(distance / BIN_MM), return_inverse=True)
    counts = np.bincount(bins)
    middle = np.bincount(bins, distance) / counts
    columns = [np.arange(brain.n_regions), *spins.T]
    # a region used twice has correlation 1 with itself, like any two equal rows of expression
    return [(middle, np.bincount(bins, coupled[s[first], s[second]]) / counts) for s in columns]


def _distance_from_true(parameters: list[FloatArray]) -> FloatArray:
    true, spun = parameters[0], np.array(parameters[1:])
    spread = spun.std(axis=0)
    errors = np.abs(spun - true) / np.where(spread > 0, spread, 1.0)
    return np.asarray(errors.sum(axis=1), dtype=np.float64)


def _assignment_cost(
    sphere_coords: FloatArray, hemisphere: IntArray, spins: IntArray, rotations: FloatArray
) -> FloatArray:
    on_sphere = sphere_coords / np.linalg.norm(sphere_coords, axis=1, keepdims=True)
    left = as_left(on_sphere, hemisphere)
    moved = np.einsum("kab,ikb->ika", rotations, left[spins])
    return np.linalg.norm(moved - left[:, None, :], axis=2).sum(axis=0)


def _share_near(coords_mm: FloatArray, hemisphere: IntArray, spins: IntArray) -> FloatArray:
    distance = scipy.spatial.distance.cdist(coords_mm, coords_mm)
    other = np.where(hemisphere[:, None] == hemisphere, distance, np.inf)
    np.fill_diagonal(other, np.inf)
    moved = distance[np.arange(len(spins))[:, None], spins]
    return (moved <= other.min(axis=1)[:, None]).mean(axis=0)
