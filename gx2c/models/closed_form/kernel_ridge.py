"""Kernel ridge regression of the connectome on expression, coordinates or both."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from gx2c.data.brain import FloatArray, Regions
from gx2c.errors import UserError, require_choice, require_fraction, require_positive
from gx2c.models.closed_form import kernels
from gx2c.models.closed_form.distance import MEAN_FUNCTIONS
from gx2c.models.closed_form.kronecker import KroneckerRidge, aligned_weight
from gx2c.models.spec import CLOSED_FORM, COORDINATES, EXPRESSION, PAIR_DISTANCE, ModelSpec

# (coordinate kernel, expression kernel, gene weight) -> one kernel between regions
JOINED_KERNELS: dict[str, Callable[[FloatArray, FloatArray, float], FloatArray]] = {
    "sum": lambda places, genes, weight: (1 - weight) * places + weight * genes,
    "product": lambda places, genes, weight: places * genes,
}
AVERAGE = "average"
# A sum whose weight is learned from the training edges
LEARNED = "learned"
JOINED_KERNELS[LEARNED] = JOINED_KERNELS["sum"]
DIAGONALS = ("impute", "zero")


class KernelRidge:
    """Kronecker kernel ridge regression, optionally of the residual of a mean function.

    y_ij = mean(i, j) + f(i, j), where f has the kernel k(i, i') k(j, j') and k compares two
    regions by expression, by coordinates or by both (with a mean function: universal kriging).
    Training is closed form; one eigendecomposition serves every ridge.

    Parameters
    ----------
    expression_kernel, coordinate_kernel
        "cosine": ((1 + cos) / 2)^power; "rbf": exp(-d^2 / (scale * median d^2)), the median over
        pairs of training regions; "linear": inner products in units of their mean over training
        regions; "polynomial": (1 + that)^power; or "none". At least one kernel is required.
        Coordinates are centred with the statistics of training regions.
    expression_power, coordinate_power
        Power of a cosine or polynomial kernel: 1, 2, 3, ….
    expression_scale, coordinate_scale
        Scale of an rbf kernel.
    expression_scaling
        "centre": subtract each gene's training mean; expression is normalised per gene in the
        dataset, and a spin then only permutes the kernel's inner products. "z-score": also scale
        each gene to unit variance in training.
    mirrored
        Whether to compare coordinates on `(|x|, y, z)`, so that homologues are neighbours.
    combine
        Combination of two kernels. "sum": k is their weighted sum. "learned": the same, with the
        weight that best aligns k with the training edges (see `aligned_weight`). "product": k is
        their product. "average": each smooths the same residual with its own ridge, and the two
        predictions are averaged.
    gene_weight
        Share of the expression kernel in a sum or average, 0 to 1; unused if it is learned.
    ridge
        Added to products of eigenvalues; in an average, the ridge of the coordinate kernel.
    gene_ridge
        Ridge of the expression kernel in an average; unused otherwise.
    mean
        "none", "constant" (the average training edge) or "geography" (see `GeographyMean`).
    mean_ridge
        Penalty of the geography mean, as a fraction of the number of training edges.
    diagonal
        "impute": self-connections are missing data. "zero": their residual is set to 0, which is
        faster and allowed only with a mean function.

    Raises
    ------
    UserError
        If keywords contradict each other or are out of range.

    Attributes
    ----------
    used_weight
        Share of the expression kernel, given or learned, after `fit`.

    References
    ----------
    Stock et al. (2018), Neural Computation 30(8), 2245 (Kronecker kernel ridge regression).
    Cressie (1993), Statistics for Spatial Data, section 3.4 (universal kriging).
    """

    LEARNED: ClassVar[tuple[str, ...]] = ("mean", "kernels", "used_weight", "_smoothers")

    def __init__(
        self,
        *,
        expression_kernel: str = "cosine",
        expression_power: int = 4,
        expression_scale: float = 1.0,
        expression_scaling: str = "centre",
        coordinate_kernel: str = kernels.NO_KERNEL,
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
                "diagonal='zero' without a mean function would set self-connections to 0; use "
                "diagonal='impute', or mean='geography' so that only their residual is 0"
            )
        for keyword, value in (("ridge", ridge), ("gene_ridge", gene_ridge)):
            require_positive(keyword, value)
        places = kernels.coordinate_kernel(
            coordinate_kernel, scale=coordinate_scale, power=coordinate_power, fold=mirrored
        )
        genes = kernels.expression_kernel(
            expression_kernel,
            scale=expression_scale,
            power=expression_power,
            scaling=expression_scaling,
        )
        self.kernels = [kernel for kernel in (places, genes) if kernel is not None]
        if not self.kernels:
            raise UserError(
                "expression_kernel and coordinate_kernel are both 'none'; choose a kernel "
                "for at least one"
            )
        self.averages = combine == AVERAGE and len(self.kernels) == 2
        self.ridges = (ridge, gene_ridge) if self.averages else (ridge,)
        self.gene_weight = gene_weight
        self.mean = MEAN_FUNCTIONS[mean](mean_ridge)
        self.mean_key = (mean, mean_ridge if mean == "geography" else None)
        self.isometric = expression_kernel == kernels.NO_KERNEL or expression_scaling == "centre"
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
        """Predict the connectome among unseen regions; see `Model.predict`."""
        predicted = self.mean.predict(regions)
        predicted = (predicted + predicted.T) / 2
        blocks = [kernel.to_training(regions) for kernel in self.kernels]
        blocks = self.join(blocks, self.used_weight)
        for smoother, block, share, ridge in zip(
            self._smoothers, blocks, self.shares, self.ridges, strict=True
        ):
            predicted += share * smoother.predict(block, [ridge])[0]
        return predicted

    def leave_region_out(self) -> FloatArray:
        """Predict the edges of each training region without it, after `fit`; no refit is needed.

        The mean function, the scaling of features and length scales keep what they learned from
        all training regions.

        Returns
        -------
        FloatArray
            (n_train_regions, n_train_regions); row r holds the edges of region r without r.

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
        """Count the mean's parameters and a dual weight per pair and smoother; see `Model`."""
        return self.mean.n_parameters + len(self.ridges) * n_regions * (n_regions + 1) // 2

    def weight_of(self, blocks: list[FloatArray], residual: FloatArray) -> float:
        """Return the share of expression, given or learned from training regions.

        Parameters
        ----------
        blocks
            (n_train_regions, n_train_regions) kernels, that of coordinates first.
        residual
            (n_train_regions, n_train_regions), residual of the mean function.
        """
        if self.combine == LEARNED and len(blocks) == 2:
            places, genes = blocks
            return aligned_weight(places, genes, residual)
        return self.gene_weight

    def join(self, blocks: list[FloatArray], weight: float) -> list[FloatArray]:
        """Combine two kernels into one, unless they are averaged or there is only one."""
        if self.averages or len(blocks) == 1:
            return blocks
        places, genes = blocks
        return [JOINED_KERNELS[self.combine](places, genes, weight)]

    @property
    def shares(self) -> tuple[float, ...]:
        """Weight of each smoother's prediction: coordinates, then expression."""
        return (1 - self.gene_weight, self.gene_weight) if self.averages else (1.0,)


def sources_of(keywords: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the inputs of a `KernelRidge` with some keywords."""
    given = _DEFAULTS | dict(keywords)
    geography = given["mean"] == "geography"
    read = {
        EXPRESSION: given["expression_kernel"] != kernels.NO_KERNEL,
        COORDINATES: given["coordinate_kernel"] != kernels.NO_KERNEL or geography,
        PAIR_DISTANCE: geography,
    }
    return tuple(source for source, is_read in read.items() if is_read)


# Defaults that `sources_of` assumes for omitted keywords
_DEFAULTS = {"expression_kernel": "cosine", "coordinate_kernel": kernels.NO_KERNEL, "mean": "none"}


SPECS = (
    ModelSpec(
        "kernel_ridge",
        KernelRidge,
        CLOSED_FORM,
        summary="Kronecker kernel ridge on expression, coordinates or both",
        reference="Stock et al. (2018), Neural Computation 30(8), 2245",
        uses=(EXPRESSION, COORDINATES, PAIR_DISTANCE),
        uses_with=sources_of,
        # the settings behind the project's check values on schaefer100
        best={"mean": "geography", "diagonal": "zero"},
        kernel_nulls=True,
    ),
)
