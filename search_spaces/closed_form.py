"""Search spaces of rules, bilinear forms in closed form, two-step PLS and boosted trees."""

from typing import Any

from search_spaces.parts import among, between, components, together
from search_spaces.space import Scale, SearchSpace, TrialLike

# Added to eigenvalues, which grow with genes x regions; the published ridges are 0.001 to 1
RIDGES = (1e-3, 1e6)
MOST_PCA, MOST_PLS = 64, 50
STEPS = ("n_components_l", "n_components_k")


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
