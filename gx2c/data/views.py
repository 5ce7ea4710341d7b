"""The part of a dataset that a run uses."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gx2c.data.brain import Brain, FloatArray, take_regions
from gx2c.data.checks import CORTEX
from gx2c.data.dataset import load_dataset
from gx2c.data.layout import FIBRES, HOLDOUT_COHORT, MAIN_COHORT
from gx2c.data.side_files import with_gene_vectors, with_region_embeddings
from gx2c.data.two_brains import join_brains
from gx2c.errors import UserError, logger

SIDES = {"left": 0, "right": 1}
BOTH = "both"
HEMISPHERES = (*SIDES, BOTH)
# Names that datasets of whole brains give to regions outside the cortex instead of a network
OUTSIDE_CORTEX = ("Subcortical", "Cerebellum")
FUNCTIONAL, STRUCTURAL = "functional", "structural"
# Connectomes of a dataset that models can be tested on
TEST_CONNECTOMES = (MAIN_COHORT, HOLDOUT_COHORT)


@dataclass(frozen=True)
class BrainView:
    """A part of a dataset's brain; recorded with results, so that a rerun takes the same part.

    Attributes
    ----------
    hemisphere
        One of `HEMISPHERES`.
    cortex_only
        Whether regions outside the cortex are left out: by `Brain.structure`, else those without
        sphere coordinates, or in a brain without any, those whose network is one of
        `OUTSIDE_CORTEX`.
    connectome
        Which connectome is to be predicted: "functional", "structural", or one of `Brain.measures`.
        Where it is the structural one, nothing else may be made of it. There is no holdout
        connectome of any but the functional one. Values beyond [-1, 1] are divided by the largest
        magnitude.
    threshold
        Edges above it are 1 and all others 0; None to keep their values.
    embeddings, gene_vectors
        Files of `with_region_embeddings` and `with_gene_vectors`; empty for none.
    trust_row_order
        Whether the dataset is loaded although its rows seem to be in different orders.
    test_dataset, test_connectome
        Another dataset, by name or folder, or empty; and one of `TEST_CONNECTOMES`. Models that are
        trained on this part are tested on the same part of that dataset, and on that connectome.
    """

    hemisphere: str = BOTH
    cortex_only: bool = False
    connectome: str = FUNCTIONAL
    threshold: float | None = None
    embeddings: str = ""
    gene_vectors: str = ""
    trust_row_order: bool = False
    test_dataset: str = ""
    test_connectome: str = MAIN_COHORT

    def __post_init__(self) -> None:
        if self.hemisphere not in HEMISPHERES:
            raise UserError(f"no hemisphere {self.hemisphere!r}; choose from {sorted(HEMISPHERES)}")
        if self.threshold is not None and not abs(self.threshold) < 1:
            raise UserError(f"the threshold is {self.threshold}; give a number between -1 and 1")

    def of(self, brain: Brain) -> Brain:
        """Take this part of a brain; the brain itself if that is all of it.

        Raises
        ------
        UserError
            If the dataset lacks what is asked for, or too little is left.
        """
        keep = np.ones(brain.n_regions, dtype=bool)
        if self.hemisphere != BOTH:
            keep &= brain.hemisphere == SIDES[self.hemisphere]
        if self.cortex_only:
            inside = _in_cortex(brain)
            keep &= inside
            outside = [brain.labels[i] for i in np.flatnonzero(~inside).tolist()]
            logger.info(
                "%s: %d region(s) outside the cortex left out: %s",
                brain.name,
                len(outside),
                ", ".join(outside),
            )
        part = brain if keep.all() else take_regions(brain, np.flatnonzero(keep))
        if self.connectome != FUNCTIONAL:
            part = _predict(part, self.connectome)
        elif part.measures:
            part = replace(part, measures=None)
        if self.embeddings:
            part = with_region_embeddings(part, self.embeddings)
        if self.gene_vectors:
            part = with_gene_vectors(part, self.gene_vectors)
        part = part if self.threshold is None else _binarised(part, self.threshold)
        return self._tested_elsewhere(part) if self.transfers else part

    @property
    def transfers(self) -> bool:
        """Whether models are tested on other data than they are trained on."""
        return bool(self.test_dataset) or self.test_connectome != MAIN_COHORT

    def _tested_elsewhere(self, part: Brain) -> Brain:
        """Join the brain on which models of this part are tested."""
        other = part
        if self.test_dataset:
            view = replace(self, test_dataset="", test_connectome=MAIN_COHORT)
            trust = self.trust_row_order
            other = view.of(load_dataset(self.test_dataset, trust_row_order=trust))
        if self.test_connectome != MAIN_COHORT:
            other = replace(other, connectome=_holdout_of(other))
        elif other.connectome.shape == part.connectome.shape and np.array_equal(
            other.connectome, part.connectome, equal_nan=True
        ):
            raise UserError(
                f"{other.name} has the connectome on which models are trained, so a test on it "
                "tests no transfer; give another dataset, or --test-connectome holdout"
            )
        name = HOLDOUT_COHORT if other.name == part.name else other.name
        return join_brains(part, other, name=name)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Rebuild from plain values.

        Raises
        ------
        UserError
            If there is a key too many, or a value cannot be.
        """
        try:
            return cls(**plain)
        except TypeError as error:
            raise UserError(
                f"not a view of a dataset ({error}); take one that gx2c wrote"
            ) from None


def _in_cortex(brain: Brain) -> NDArray[np.bool_]:
    if brain.structure is not None:
        return np.array([structure == CORTEX for structure in brain.structure])
    if brain.sphere_coords is not None:
        return ~np.isnan(brain.sphere_coords[:, 0])
    inside = np.array([network not in OUTSIDE_CORTEX for network in brain.network])
    if inside.all():
        raise UserError(
            f"{brain.name} has no column structure, no sphere coordinates and no network named"
            f" {' or '.join(OUTSIDE_CORTEX)}, so it is unknown which regions are cortex; add the"
            " column structure to regions.tsv, or keep all regions"
        )
    return inside


def _predict(brain: Brain, target: str) -> Brain:
    """Make another connectome the one to be predicted."""
    others = dict(brain.measures or {})
    if brain.structural_connectome is not None:
        others[STRUCTURAL] = brain.structural_connectome
    if target not in others:
        raise UserError(
            f"{brain.name} has no {target} connectome to predict; choose from "
            f"{', '.join([FUNCTIONAL, *others])}, or add one to the dataset (gx2c data import … "
            "--structural FILE, or --measure NAME=FILE)"
        )
    divisor = _divisor(brain.name, target, others[target])
    return replace(
        brain,
        connectome=others[target] / divisor,
        divisor=divisor,
        structural_connectome=None if target == STRUCTURAL else brain.structural_connectome,
        holdout_connectome=None,
        individual_connectomes=None,
        measures=None,
        measure=FIBRES if target == STRUCTURAL else target,
    )


def _holdout_of(brain: Brain) -> FloatArray:
    if brain.holdout_connectome is None:
        raise UserError(
            f"{brain.name} has no holdout connectome of this target to test on; give "
            "--test-dataset, or add one to the dataset (gx2c data import … --holdout FILE)"
        )
    return brain.holdout_connectome


def _divisor(name: str, measure: str, values: FloatArray) -> float:
    """Return the largest magnitude of a measure, at least 1: predictions go up to 1."""
    off = np.abs(values[~np.eye(len(values), dtype=bool)])
    largest = float(np.nanmax(off, initial=1.0))
    if largest > 1:
        logger.info("%s: %s reaches %.4g, by which its values are divided", name, measure, largest)
    return largest


def _binarised(brain: Brain, threshold: float) -> Brain:
    def cut(connectome: NDArray[Any]) -> FloatArray:
        return (connectome > threshold).astype(np.float64)

    edges = cut(brain.connectome)[np.triu_indices(brain.n_regions, 1)]
    if edges.min() == edges.max():
        raise UserError(
            f"all edges of {brain.name} are on one side of the threshold {threshold:g}; "
            "choose another"
        )
    holdout, people = brain.holdout_connectome, brain.individual_connectomes
    return replace(
        brain,
        connectome=cut(brain.connectome),
        divisor=1.0,
        holdout_connectome=None if holdout is None else cut(holdout),
        individual_connectomes=None
        if people is None
        else np.where(np.isnan(people), people, cut(people)).astype(np.float32),
    )
