"""Kernel ridge regression of the connectome on expression, coordinates or both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gx2c.data.brain import Regions
from gx2c.errors import UserError
from gx2c.models.alignment import aligned_weight
from gx2c.models.kernels import NO_KERNEL, RegionKernel, coordinate_kernel, expression_kernel
from gx2c.models.keywords import require_choice, require_fraction, require_positive
from gx2c.models.kronecker import KroneckerRidge
from gx2c.models.mean_function import MEAN_FUNCTIONS
from gx2c.models.protocol import COORDINATES, EXPRESSION, PAIR_DISTANCE, ModelSpec

FloatArray = NDArray[np.float64]

# (coordinate kernel, expression kernel, gene weight) -> one kernel between regions
JOINED_KERNELS: dict[str, Callable[[FloatArray, FloatArray, float], FloatArray]] = {
    "sum": lambda places, genes, weight: (1 - weight) * places + weight * genes,
    "product": lambda places, genes, weight: places * genes,
}
AVERAGE = "average"
# A sum whose weight follows from the training edges
LEARNED = "learned"
JOINED_KERNELS[LEARNED] = JOINED_KERNELS["sum"]
DIAGONALS = ("impute", "zero")


class KernelRidge:
    """Kronecker kernel ridge regression, optionally of what a mean function leaves over.

    y_ij = mean(i, j) + f(i, j), where f has the kernel k(i, i') k(j, j') and k compares two
    regions by expression, by coordinates or by both (with a mean function: universal kriging).
    Training is closed form; one eigendecomposition serves every ridge.

    Parameters
    ----------
    expression_kernel, coordinate_kernel
        "cosine": ((1 + cos) / 2)^power; "rbf": exp(-d^2 / (scale * median d^2)), the median over
        pairs of training regions; "linear": inner products in units of their mean over training
        regions; "polynomial": (1 + that)^power; or "none". At least one must be there.
        Coordinates are centred with training regions' statistics.
    expression_power, coordinate_power
        Of a cosine or polynomial kernel: 1, 2, 3, ….
    expression_scale, coordinate_scale
        Of an rbf kernel.
    expression_scaling
        "centre": each gene's training mean is taken off; expression is normalised per gene in the
        dataset, and a spin then only permutes the kernel's inner products. "z-score": each gene
        is also scaled to unit variance in training.
    mirrored
        Compare coordinates on (|x|, y, z), so that homologues are neighbours.
    combine
        What two kernels do. "sum": k is their weighted sum. "learned": the same, with the weight
        that best aligns k with the training edges (see `aligned_weight`). "product": k is their
        product. "average": each smooths the same residual by itself, with a ridge of its own, and
        the two predictions are averaged.
    gene_weight
        Share of the expression kernel in a sum or average, 0 to 1; unused if it is learned.
    ridge
        Added to products of eigenvalues; in an average, that of the coordinate kernel.
    gene_ridge
        Ridge of the expression kernel in an average; unused otherwise.
    mean
        "none", "constant" (the average training edge) or "geography" (see `GeographyMean`).
    mean_ridge
        Penalty of the geography mean, as a fraction of the number of training edges.
    diagonal
        "impute": self-connections are missing data. "zero": the residual's are taken to be 0,
        which is faster and allowed only after a mean function.

    Raises
    ------
    UserError
        If the keywords contradict each other or lie outside their range.

    Attributes
    ----------
    used_weight
        Share of the expression kernel that was given or learned, after `fit`.

    References
    ----------
    Stock et al. (2018), Neural Computation 30(8), 2245 (Kronecker kernel ridge regression).
    Cressie (1993), Statistics for Spatial Data, section 3.4 (universal kriging).
    """

    def __init__(
        self,
        *,
        expression_kernel: str = "cosine",
        expression_power: int = 4,
        expression_scale: float = 1.0,
        expression_scaling: str = "centre",
        coordinate_kernel: str = NO_KERNEL,
        coordinate_power: int = 4,
        coordinate_scale: float = 0.1,
        mirrored: bool = True,
        combine: str = AVERAGE,
        gene_weight: float = 0.5,
        ridge: float = 1.0,
        gene_ridge: float = 1.0,
        mean: str = "none",
        mean_ridge: float = 0.01,
        diagonal: str = "impute",
    ) -> None:
        require_choice("combine", combine, [*JOINED_KERNELS, AVERAGE])
        require_choice("mean", mean, MEAN_FUNCTIONS)
        require_choice("diagonal", diagonal, DIAGONALS)
        require_fraction("gene_weight", gene_weight)
        if diagonal == "zero" and mean == "none":
            raise UserError(
                "diagonal='zero' says that a region is not connected with itself; use "
                "diagonal='impute', or mean='geography' so that only the residual is 0"
            )
        for keyword, value in (("ridge", ridge), ("gene_ridge", gene_ridge)):
            require_positive(keyword, value)
        self.kernels = _region_kernels(
            places=(coordinate_kernel, coordinate_scale, coordinate_power, mirrored),
            genes=(expression_kernel, expression_scale, expression_power, expression_scaling),
        )
        self.averages = combine == AVERAGE and len(self.kernels) == 2
        self.ridges = (ridge, gene_ridge) if self.averages else (ridge,)
        self.gene_weight = gene_weight
        self.mean = MEAN_FUNCTIONS[mean](mean_ridge)
        self.mean_key = (mean, mean_ridge if mean == "geography" else None)
        self.isometric = expression_kernel == NO_KERNEL or expression_scaling == "centre"
        self.combine = combine
        self.impute_diagonal = diagonal == "impute"

    def fit(self, training: Regions, connectome: FloatArray) -> None:
        """Learn from training regions; see `Model.fit`."""
        self.mean.fit(training, connectome)
        self._training_mean = self.mean.predict(training)
        residual = connectome - self._training_mean
        blocks = [kernel.fit(training) for kernel in self.kernels]
        self.used_weight = self.weight_of(blocks, residual)
        blocks = self.join(blocks, self.used_weight)
        self._smoothers = [
            KroneckerRidge(block, residual, impute_diagonal=self.impute_diagonal)
            for block in blocks
        ]

    def predict(self, regions: Regions) -> FloatArray:
        """Predict the connectome among regions never seen; see `Model.predict`."""
        predicted: FloatArray = self.predict_ridges(regions, np.array([self.ridges]))[0]
        return predicted

    def leave_region_out(self) -> FloatArray:
        """Predict the edges of each training region without it, after `fit`; no refit is needed.

        The mean function, the scaling of features and length scales keep what they learned from
        all training regions.

        Returns
        -------
        FloatArray
            (n_train_regions, n_train_regions); row r holds the edges of region r when r is out.

        Raises
        ------
        UserError
            If self-connections are imputed; see `KroneckerRidge.leave_region_out`.
        """
        predicted = self._training_mean.copy()
        for smoother, share, ridge in zip(self._smoothers, self.shares, self.ridges, strict=True):
            predicted += share * smoother.leave_region_out(ridge)
        return predicted

    def n_parameters(self, n_genes: int, n_regions: int) -> int:
        """Return the mean's, and a dual weight per pair and smoother; see `Model.n_parameters`."""
        return self.mean.n_parameters + len(self.ridges) * n_regions * (n_regions + 1) // 2

    def predict_ridges(self, regions: Regions, ridges: FloatArray) -> FloatArray:
        """Predict for many ridges from one fit.

        Parameters
        ----------
        regions
            Regions never seen.
        ridges
            (n_ridges,) or (n_ridges, n_smoothers); `n_smoothers` is 2 for an average of two
            kernels, whose columns are `ridge` and `gene_ridge`, else 1.

        Returns
        -------
        FloatArray
            (n_ridges, n_regions, n_regions), symmetric.

        Raises
        ------
        UserError
            If `ridges` has another shape or holds a number that is not positive.
        """
        table = self._ridge_table(ridges)
        predicted = self.mean.predict(regions)[None]
        predicted = np.repeat((predicted + predicted.transpose(0, 2, 1)) / 2, len(table), axis=0)
        blocks = [kernel.to_training(regions) for kernel in self.kernels]
        blocks = self.join(blocks, self.used_weight)
        for smoother, block, share, column in zip(
            self._smoothers, blocks, self.shares, table.T, strict=True
        ):
            distinct, which = np.unique(column, return_inverse=True)
            predicted += share * smoother.predict(block, distinct.tolist())[which]
        return predicted

    def weight_of(self, blocks: list[FloatArray], residual: FloatArray) -> float:
        """Return the share of expression: that given, or that learned from training regions.

        Parameters
        ----------
        blocks
            (n_train_regions, n_train_regions) kernels, that of coordinates first.
        residual
            (n_train_regions, n_train_regions) what the mean leaves over.
        """
        if self.combine == LEARNED and len(blocks) == 2:
            places, genes = blocks
            return aligned_weight(places, genes, residual)
        return self.gene_weight

    def join(self, blocks: list[FloatArray], weight: float) -> list[FloatArray]:
        """Make one kernel of two, unless they are averaged or there is but one."""
        if self.averages or len(blocks) == 1:
            return blocks
        places, genes = blocks
        return [JOINED_KERNELS[self.combine](places, genes, weight)]

    @property
    def shares(self) -> tuple[float, ...]:
        """What each smoother's prediction counts: of coordinates, then of expression."""
        return (1 - self.gene_weight, self.gene_weight) if self.averages else (1.0,)

    def _ridge_table(self, ridges: FloatArray) -> FloatArray:
        table = np.asarray(ridges, dtype=np.float64)
        table = table[:, None] if table.ndim == 1 else table
        needed = len(self.ridges)
        if table.ndim != 2 or table.shape[1] != needed or not (table > 0).all():
            raise UserError(
                f"ridges has shape {np.shape(ridges)}; (n_ridges, {needed}) positive numbers "
                "are needed, a column for each kernel that has its own ridge"
            )
        return table


def sources_of(keywords: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what a `KernelRidge` with some keywords reads."""
    given = _DEFAULTS | dict(keywords)
    geography = given["mean"] == "geography"
    read = {
        EXPRESSION: given["expression_kernel"] != NO_KERNEL,
        COORDINATES: given["coordinate_kernel"] != NO_KERNEL or geography,
        PAIR_DISTANCE: geography,
    }
    return tuple(source for source, is_read in read.items() if is_read)


# What `sources_of` must know of keywords that are left out
_DEFAULTS = {"expression_kernel": "cosine", "coordinate_kernel": NO_KERNEL, "mean": "none"}


def _region_kernels(
    *, places: tuple[str, float, int, bool], genes: tuple[str, float, int, str]
) -> list[RegionKernel]:
    """Build the kernels that are not "none": that of coordinates first."""
    kernels = []
    if places[0] != NO_KERNEL:
        name, scale, power, fold = places
        kernels.append(coordinate_kernel(name, scale=scale, power=power, fold=fold))
    if genes[0] != NO_KERNEL:
        gene_name, scale, power, scaling = genes
        kernels.append(expression_kernel(gene_name, scale=scale, power=power, scaling=scaling))
    if not kernels:
        raise UserError(
            "expression_kernel and coordinate_kernel are both 'none'; choose a kernel "
            "for at least one"
        )
    return kernels


SPECS = (
    ModelSpec(
        name="kernel_ridge",
        kind="closed_form",
        uses=(EXPRESSION, COORDINATES, PAIR_DISTANCE),
        uses_with=sources_of,
        build=KernelRidge,
        summary="Kronecker kernel ridge on expression, coordinates or both",
        reference="Stock et al. (2018), Neural Computation 30(8), 2245",
        defaults={
            "expression_kernel": "cosine",
            "expression_power": 4,
            "coordinate_kernel": "none",
            "ridge": 1.0,
            "mean": "geography",
            "mean_ridge": 0.01,
            "diagonal": "zero",
        },
    ),
)
