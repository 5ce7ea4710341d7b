"""Search spaces of kernel ridge and of its two fixed forms, geography and geography with genes.

With two kernels, `gene_weight` acts in an average, or in a sum where it is not learned, and
`gene_ridge` in an average alone; the penalty of the mean acts if the mean has one; the residual's
diagonal can be 0 only after a mean.
"""

from typing import Any

from search_spaces.parts import among, between, together
from search_spaces.space import Part, Scale, SearchSpace, TrialLike

# A share of the median squared distance
COORDINATE_SCALES = (0.02, 2.0)
EXPRESSION_SCALES = (0.05, 10.0)
JOINTS = ("average", "sum", "product")
KERNELS = ("cosine", "rbf", "linear", "polynomial")

RIDGE = between("ridge", (1e-3, 1e2), log=True)  # added to products of eigenvalues
MEAN_RIDGE = between("mean_ridge", (1e-4, 1.0), log=True)
DIAGONAL = among("diagonal", ("zero", "impute"))


def kernel(side: str, kinds: tuple[str, ...], scales: tuple[float, float], *more: Part) -> Part:
    """Ask for a kernel of "expression" or "coordinate" and what it reads; for `more` in between."""

    def ask(trial: TrialLike, scale: Scale) -> dict[str, Any]:
        name = f"{side}_kernel"
        kind = trial.suggest_categorical(name, kinds)
        rest = together(*more)(trial, scale)
        return {name: kind, **rest, **_shape(trial, side, kind, scales)}

    return ask


def _shape(trial: TrialLike, side: str, kind: str, scales: tuple[float, float]) -> dict[str, float]:
    """Suggest what a kernel reads: a length, a power or, if linear, nothing."""
    if kind == "linear":
        return {}
    if kind == "rbf":
        return {f"{side}_scale": trial.suggest_float(f"{side}_scale", *scales, log=True)}
    if kind == "polynomial":
        # a higher degree is ruled by the few longest rows
        return {f"{side}_power": trial.suggest_int(f"{side}_degree", 2, 4)}
    return {f"{side}_power": trial.suggest_int(f"{side}_power", 1, 16, log=True)}


def joint(*combinations: str) -> Part:
    """Ask for a combination of two kernels and what it reads."""

    def ask(trial: TrialLike, scale: Scale) -> dict[str, Any]:
        combine = trial.suggest_categorical("combine", combinations)
        weight = between("gene_weight", (0.0, 1.0)) if combine in ("average", "sum") else together()
        ridge = between("gene_ridge", (1e-3, 1e2), log=True)
        rest = together(weight, *((ridge,) if combine == "average" else ()))
        return {"combine": combine, **rest(trial, scale)}

    return ask


def suggest_mean(trial: TrialLike, scale: Scale) -> dict[str, Any]:
    """Suggest a mean function and, with one, its penalty and the residual's diagonal."""
    mean = trial.suggest_categorical("mean", ("geography", "constant", "none"))
    if mean == "none":
        return {"mean": mean, "diagonal": "impute"}
    parts = together(DIAGONAL, *((MEAN_RIDGE,) if mean == "geography" else ()))
    return {"mean": mean, **parts(trial, scale)}


def suggest_coordinates(trial: TrialLike, scale: Scale) -> dict[str, Any]:
    """Suggest a kernel of coordinates and its combination with that of expression, or neither."""
    if not trial.suggest_categorical("with_coordinates", (False, True)):
        return {}
    combined = joint(*JOINTS, "learned")(trial, scale)
    mirrored = among("mirrored", (True, False))
    places = kernel("coordinate", KERNELS, COORDINATE_SCALES, mirrored)
    return places(trial, scale) | combined


GEOGRAPHY = together(
    between("coordinate_scale", COORDINATE_SCALES, log=True), RIDGE, MEAN_RIDGE, DIAGONAL
)

SPACES = (
    # coordinates alone are not on offer: that model is `geography`, and no gene would count
    SearchSpace(
        "kernel_ridge",
        together(
            kernel("expression", KERNELS, EXPRESSION_SCALES),
            RIDGE,
            suggest_mean,
            suggest_coordinates,
        ),
        begins={"with_coordinates": False},
    ),
    SearchSpace("geography", GEOGRAPHY),
    SearchSpace(
        "geography+genes",
        together(
            GEOGRAPHY, kernel("expression", ("cosine", "rbf"), EXPRESSION_SCALES), joint(*JOINTS)
        ),
    ),
)
