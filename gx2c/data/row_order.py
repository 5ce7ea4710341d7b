"""Statistics that show whether the rows of a dataset's parts are in the same order.

A table sorted by the 7-network order with a matrix sorted by the 17-network order fits in every
other respect, and a model of geography then fails where it should succeed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from gx2c.data.checks import shown
from gx2c.data.individuals import FloatArray, IntArray
from gx2c.data.sides import MIRROR, same_named_pairs

if TYPE_CHECKING:
    from gx2c.data.brain import Brain

# Between the values of true datasets and of datasets in another order, as docs/data.md lists them
MIN_SPHERE_AGREEMENT = 0.4
MAX_HOMOLOGUE_MM = 25.0
MAX_EXPRESSION_DECAY = -0.15
MAX_NEIGHBOUR_RANK = 0.25
MIN_PAIRS = 4
# With fewer regions in a hemisphere, ranks among them are too coarse
MIN_MEMBERS = 15
# The same places come again with every surrogate of a brain
CACHED = 64


@dataclass(frozen=True)
class RowOrder:
    """How well the parts of a brain agree; None where a part is missing."""

    # Spearman correlation of MNI with sphere distances within hemispheres
    sphere: float | None = None
    # Median distance of a region from its same-named homologue, mirrored in x
    homologue_mm: float | None = None
    # The same-named pairs that lie further apart than `MAX_HOMOLOGUE_MM`
    far_pairs: tuple[str, ...] = ()
    named: bool = False  # Whether labels name regions, rather than number them
    # Spearman correlation of distance with correlated expression within hemispheres
    expression: float | None = None
    # Median rank, within [0, 1], of a region's nearest neighbour among all regions of its
    # hemisphere by connectivity; 0 is strongest
    connectome: float | None = None

    def problems(self) -> Iterator[str]:
        """Yield what cannot be in one order, a sentence each."""
        remedy = "sort all files alike, or give --trust-row-order if the rows are right"
        if self.sphere is not None and self.sphere < MIN_SPHERE_AGREEMENT:
            yield (
                f"distances in MNI space and on the spheres hardly agree (Spearman "
                f"{self.sphere:.2f}; true brains: .7 to .8): the coordinates of one are in another "
                f"order; {remedy}"
            )
        if self.named and self._far:
            yield f"{self._far}: coordinates are in another order than labels; {remedy}"

    def warnings(self) -> Iterator[str]:
        """Yield what is suspicious, a sentence each."""
        if self._far and not self.named:
            yield f"{self._far}: if these are homologues, coordinates are in another order"
        if self.expression is not None and self.expression > MAX_EXPRESSION_DECAY:
            yield (
                f"expression hardly becomes less alike with distance (Spearman "
                f"{self.expression:.2f}; true brains: -.3 to -.5): its rows may be in another "
                "order than coordinates"
            )
        if self.connectome is not None and self.connectome > MAX_NEIGHBOUR_RANK:
            yield (
                "the connectome hardly connects neighbours (median rank of the nearest "
                f"{self.connectome:.2f}; true brains: .04 to .15): its rows may be in another order"
                " than coordinates"
            )

    def lines(self) -> Iterator[str]:
        """Yield each statistic with the values of true brains."""
        for name, value, true in (
            ("MNI against sphere distances, Spearman", self.sphere, ".74 to .80"),
            ("same-named homologues after mirroring, mm", self.homologue_mm, "2.5 to 13.4"),
            ("distance against correlated expression, Spearman", self.expression, "-.52 to -.29"),
            ("rank of the nearest neighbour by connectivity", self.connectome, ".04 to .15"),
        ):
            if value is not None:
                yield f"{name}: {value:.2f} (true brains: {true})"

    @property
    def _far(self) -> str:
        if self.homologue_mm is None or self.homologue_mm <= MAX_HOMOLOGUE_MM:
            return ""
        return (
            f"homologues of one name lie {self.homologue_mm:.0f} mm apart after mirroring (true "
            f"brains: 3 to 14 mm), for example {shown(self.far_pairs)}"
        )


def row_order(brain: "Brain") -> RowOrder:
    """Compute the statistics of a brain."""
    return replace(
        place_order(brain.parts()),
        expression=_expression_decay(brain),
        connectome=_neighbour_rank(brain.connectome, brain.coords_mm, brain.hemisphere),
    )


def place_order(parts: Mapping[str, Any]) -> RowOrder:
    """Compare labels, coordinates and spheres alone, given the attributes of `Brain` by name.

    Places made of distances show nothing: they have no space in common with spheres.
    """
    if parts.get("distances_mm") is not None:
        return RowOrder()
    sphere = parts.get("sphere_coords")
    return _place_order(
        tuple(parts["labels"]),
        np.asarray(parts["hemisphere"], dtype=np.int64).tobytes(),
        np.asarray(parts["coords_mm"], dtype=np.float64).tobytes(),
        b"" if sphere is None else np.asarray(sphere, dtype=np.float64).tobytes(),
    )


@lru_cache(maxsize=CACHED)
def _place_order(
    labels: tuple[str, ...], hemisphere: bytes, coords_mm: bytes, sphere: bytes
) -> RowOrder:
    sides = np.frombuffer(hemisphere, dtype=np.int64)
    coords = np.frombuffer(coords_mm).reshape(-1, 3)
    pairs, named = same_named_pairs(labels, sides)
    apart = np.linalg.norm(coords[pairs[:, 0]] - coords[pairs[:, 1]] * MIRROR, axis=1)
    far = tuple(f"{labels[a]} and {labels[b]}" for a, b in pairs[apart > MAX_HOMOLOGUE_MM].tolist())
    return RowOrder(
        sphere=_sphere_agreement(coords, np.frombuffer(sphere).reshape(-1, 3), sides),
        homologue_mm=float(np.median(apart)) if len(pairs) >= MIN_PAIRS else None,
        far_pairs=far,
        named=named,
    )


def mean_ranks(values: FloatArray) -> FloatArray:
    """Rank values from 1, with mean ranks for ties and NaN if any value is, as SciPy's `rankdata`.

    Each worker of a sweep would otherwise import scipy.stats for this alone, which takes .6 s.
    """
    if np.isnan(values).any():
        return np.full(len(values), np.nan)
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]


def _within(hemisphere: IntArray) -> tuple[IntArray, IntArray]:
    rows, columns = np.triu_indices(len(hemisphere), 1)
    same = (hemisphere[rows] == hemisphere[columns]) & (hemisphere[rows] < 2)
    return rows[same], columns[same]


def _distances(places: FloatArray, pairs: Sequence[IntArray]) -> FloatArray:
    return np.linalg.norm(places[pairs[0]] - places[pairs[1]], axis=1)


def _spearman(one: FloatArray, other: FloatArray) -> float | None:
    if len(one) < MIN_PAIRS or np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    return float(np.corrcoef(mean_ranks(one), mean_ranks(other))[0, 1])


def _sphere_agreement(
    coords_mm: FloatArray, sphere: FloatArray, hemisphere: IntArray
) -> float | None:
    if not len(sphere):
        return None
    pairs = _within(np.where(np.isfinite(sphere).all(axis=1), hemisphere, 2))
    return _spearman(_distances(coords_mm, pairs), _distances(sphere, pairs))


def _expression_decay(brain: "Brain") -> float | None:
    spread = brain.expression.std(axis=0)
    genes = brain.expression[:, spread > 0]
    if genes.shape[1] < MIN_PAIRS:
        return None
    alike = np.corrcoef((genes - genes.mean(axis=0)) / genes.std(axis=0))
    pairs = _within(brain.hemisphere)
    return _spearman(_distances(brain.coords_mm, pairs), alike[pairs])


def _neighbour_rank(
    connectome: FloatArray, coords_mm: FloatArray, hemisphere: IntArray
) -> float | None:
    ranks: list[float] = []
    for side in (0, 1):
        members = np.flatnonzero(hemisphere == side)
        if len(members) < MIN_MEMBERS:
            continue
        places, values = coords_mm[members], connectome[np.ix_(members, members)].copy()
        apart = np.linalg.norm(places[:, None] - places, axis=2)
        np.fill_diagonal(apart, np.inf)
        np.fill_diagonal(values, -np.inf)
        nearest = values[np.arange(len(members)), apart.argmin(axis=1)]
        ranks += ((values > nearest[:, None]).sum(axis=1) / (len(members) - 1)).tolist()
    return float(np.median(ranks)) if ranks else None
