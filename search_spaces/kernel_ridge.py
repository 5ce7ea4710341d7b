"""Search spaces of kernel ridge and of its two fixed forms, geography and geography with genes.

Of two kernels that are joined, `gene_weight` acts in an average, or in a sum where it is not
learned, and `gene_ridge` in an average alone; the penalty of the mean acts if the mean has one; the
residual's diagonal can be 0 only after a mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from search_spaces.space import Scale, SearchSpace, Suggestion, TrialLike, Value

# A share of the median squared distance
COORDINATE_SCALES = (0.02, 2.0)
EXPRESSION_SCALES = (0.05, 10.0)
POWERS = (1, 16)
# Of a polynomial: a higher one is ruled by the few longest rows
DEGREES = (2, 4)
JOINTS = ("average", "sum", "product")
KERNELS = ("cosine", "rbf", "linear", "polynomial")
# Added to products of eigenvalues
RIDGES = (1e-3, 1e2)
MEAN_RIDGES = (1e-4, 1.0)

# The settings behind the project's check values on schaefer100
_MEAN: Mapping[str, Value] = {"mean_ridge": 0.01, "diagonal": "zero"}
_PLACES: Mapping[str, Value] = {"coordinate_scale": 0.1, "ridge": 0.3}
_GENES: Mapping[str, Value] = {"expression_kernel": "cosine", "expression_power": 4}
FIRST_GEOGRAPHY: Mapping[str, Value] = {**_PLACES, **_MEAN}
FIRST_GEOGRAPHY_GENES: Mapping[str, Value] = {
    **_PLACES,
    **_GENES,
    **_MEAN,
    "combine": "average",
    "gene_weight": 0.5,
    "gene_ridge": 1.0,
}
FIRST_KERNEL_RIDGE: Mapping[str, Value] = {
    **_GENES,
    **_MEAN,
    "with_coordinates": False,
    "ridge": 1.0,
    "mean": "geography",
}


def suggest_geography(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest the baseline: kriging on mirrored coordinates, no gene."""
    return {
        "coordinate_scale": _suggest_coordinate_scale(trial),
        "ridge": _suggest_log(trial, "ridge", RIDGES),
        "mean_ridge": _suggest_log(trial, "mean_ridge", MEAN_RIDGES),
        "diagonal": _suggest_diagonal(trial),
    }, None


def suggest_geography_genes(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest `geography` with a gene kernel added to its residual."""
    geography, _ = suggest_geography(trial, scale)
    return {**geography, **_suggest_expression(trial), **_suggest_joint(trial, JOINTS)}, None


def suggest_kernel_ridge(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest kernel ridge on expression, with or without coordinates.

    Coordinates alone are not on offer: that model is `geography`, and no gene would count.
    """
    hyperparameters = {
        **_suggest_expression(trial, KERNELS),
        "ridge": _suggest_log(trial, "ridge", RIDGES),
        **_suggest_mean(trial),
    }
    if trial.suggest_categorical("with_coordinates", (False, True)):
        joint = _suggest_joint(trial, (*JOINTS, "learned"))
        hyperparameters |= {**_suggest_coordinates(trial), **joint}
    return hyperparameters, None


def _suggest_expression(
    trial: TrialLike, kernels: tuple[str, ...] = ("cosine", "rbf")
) -> dict[str, Any]:
    kernel = trial.suggest_categorical("expression_kernel", kernels)
    return {
        "expression_kernel": kernel,
        **_suggest_shape(trial, "expression", kernel, EXPRESSION_SCALES),
    }


def _suggest_coordinates(trial: TrialLike) -> dict[str, Any]:
    kernel = trial.suggest_categorical("coordinate_kernel", KERNELS)
    mirrored = trial.suggest_categorical("mirrored", (True, False))
    shape = _suggest_shape(trial, "coordinate", kernel, COORDINATE_SCALES)
    return {"coordinate_kernel": kernel, "mirrored": mirrored, **shape}


def _suggest_shape(
    trial: TrialLike, of: str, kernel: str, scales: tuple[float, float]
) -> dict[str, Any]:
    """Suggest what a kernel reads: a length, a power or, if linear, nothing."""
    if kernel == "linear":
        return {}
    if kernel == "rbf":
        return {f"{of}_scale": _suggest_log(trial, f"{of}_scale", scales)}
    if kernel == "polynomial":
        return {f"{of}_power": trial.suggest_int(f"{of}_degree", *DEGREES)}
    return {f"{of}_power": trial.suggest_int(f"{of}_power", *POWERS, log=True)}


def _suggest_coordinate_scale(trial: TrialLike) -> float:
    return _suggest_log(trial, "coordinate_scale", COORDINATE_SCALES)


def _suggest_joint(trial: TrialLike, joints: tuple[str, ...]) -> dict[str, Any]:
    joint: dict[str, Any] = {"combine": trial.suggest_categorical("combine", joints)}
    if joint["combine"] in ("average", "sum"):
        joint["gene_weight"] = trial.suggest_float("gene_weight", 0.0, 1.0)
    if joint["combine"] == "average":
        joint["gene_ridge"] = _suggest_log(trial, "gene_ridge", RIDGES)
    return joint


def _suggest_mean(trial: TrialLike) -> dict[str, Any]:
    mean = trial.suggest_categorical("mean", ("geography", "constant", "none"))
    if mean == "none":
        return {"mean": mean, "diagonal": "impute"}
    chosen: dict[str, Any] = {"mean": mean, "diagonal": _suggest_diagonal(trial)}
    if mean == "geography":
        chosen["mean_ridge"] = _suggest_log(trial, "mean_ridge", MEAN_RIDGES)
    return chosen


def _suggest_diagonal(trial: TrialLike) -> str:
    return trial.suggest_categorical("diagonal", ("zero", "impute"))


def _suggest_log(trial: TrialLike, name: str, bounds: tuple[float, float]) -> float:
    return trial.suggest_float(name, *bounds, log=True)


SPACES = (
    SearchSpace(model="kernel_ridge", suggest=suggest_kernel_ridge, first=FIRST_KERNEL_RIDGE),
    SearchSpace(model="geography", suggest=suggest_geography, first=FIRST_GEOGRAPHY),
    SearchSpace(
        model="geography+genes", suggest=suggest_geography_genes, first=FIRST_GEOGRAPHY_GENES
    ),
)
