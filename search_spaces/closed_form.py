"""Search spaces of rules, kernel ridge, bilinear forms, two-step PLS and boosted trees.

With two kernels, `gene_weight` acts in an average, or in a sum where it is not learned, and
`gene_ridge` in an average alone; the penalty of the mean acts if the mean has one; the residual's
diagonal can be 0 only after a mean.
"""

from typing import Any

from search_spaces.parts import among, between, components, together
from search_spaces.space import Part, Scale, SearchSpace, TrialLike

# Added to eigenvalues, which grow with genes x regions; the published ridges are 0.001 to 1
RIDGES = (1e-3, 1e6)
MOST_PCA, MOST_PLS = 64, 50
STEPS = ("n_components_l", "n_components_k")
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


def suggest_cge(trial: TrialLike, scale: Scale) -> dict[str, Any]:
    """Suggest what `CorrelatedGeneExpression` correlates and how it scales its predictions."""
    features = trial.suggest_categorical("features", ("raw", "z_scored", "pca"))
    scale_range = trial.suggest_categorical("scale_range", (True, False))
    reduced = components(MOST_PCA)(trial, scale) if features == "pca" else {}
    return {"features": features, "scale_range": scale_range, **reduced}


def suggest_ridge(trial: TrialLike, scale: Scale) -> dict[str, Any]:
    """Suggest a ridge or leave it to cross-validation, and what self-connections are."""
    diagonal = trial.suggest_categorical("diagonal", ("zero", "impute"))
    rule = trial.suggest_categorical("ridge_rule", ("fixed", "gcv"))
    ridge = {} if rule == "gcv" else {"ridge": trial.suggest_float("ridge", *RIDGES, log=True)}
    return {"diagonal": diagonal, "ridge_rule": rule, **ridge}


_CAP_PCA, _CAP_PLS = {"n_components": MOST_PCA}, {"n_components": MOST_PLS}

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
    # The fit learns all parameters of the rules of distance. The published sweeps vary `SA_inf`,
    # `SA_lambda` and `init_sigma`, which it overwrites or which only move its start.
    SearchSpace("exponential_decay", together()),
    SearchSpace("gaussian_kernel", together()),
    # as the published sweep begins
    SearchSpace("cge", suggest_cge, begins={"features": "pca"}, most_components=_CAP_PCA),
    SearchSpace("bilinear_cm", together(among("features", ("raw", "z_scored")), suggest_ridge)),
    SearchSpace(
        "bilinear_cm_pca", together(components(MOST_PCA), suggest_ridge), most_components=_CAP_PCA
    ),
    SearchSpace(
        "bilinear_cm_pls",
        together(components(MOST_PLS), suggest_ridge),
        begins={"n_components": 25},
        most_components=_CAP_PLS,
    ),
    *(
        SearchSpace(
            model,
            together(*(components(MOST_PLS, step) for step in STEPS)),
            most_components=dict.fromkeys(STEPS, MOST_PLS),
        )
        for model in ("pls_twostep", "pls_twostep_published")
    ),
    # the published sweep also varies `scale_pos_weight`, which a regression does not read
    SearchSpace(
        "xgboost",
        together(
            components(MOST_PCA),
            between("n_trees", (50, 350), small=(20, 80)),
            between("max_depth", (3, 7), small=(3, 5)),
            between("learning_rate", (1e-4, 0.5), log=True),
            between("row_share", (0.5, 1.0)),
            between("column_share", (0.5, 1.0)),
            between("min_split_gain", (0.0, 0.5)),
            between("l2", (0.0, 1.0)),
            between("l1", (0.0, 1.0)),
            between("min_weight", (1, 5)),
        ),
        begins_small={"n_components": 16, "n_trees": 60, "max_depth": 3},
        most_components={"n_components": MOST_PCA},
    ),
)
