"""Search spaces of the closed-form bilinear model, on genes, principal components or PLS scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from search_spaces.components import suggest_components
from search_spaces.space import Scale, SearchSpace, Suggestion, TrialLike, Value

# Added to eigenvalues, which grow with genes x regions; the published ridges are 0.001 to 1
RIDGES = (1e-3, 1e6)
MOST_PCA, MOST_PLS = 64, 50

# GeneEx2Conn, NeurIPS 2025: sweeps `bilinear_CM` and `pls_bilineardecoder`
FIRST: Mapping[str, Value] = {
    "features": "raw",
    "ridge_rule": "fixed",
    "ridge": 0.1,
    "diagonal": "zero",
}
FIRST_PCA: Mapping[str, Value] = {**FIRST, "n_components": 27}
FIRST_PLS: Mapping[str, Value] = {**FIRST, "n_components": 25, "ridge": 0.01}


def suggest_bilinear_cm(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest a `BilinearClosedForm` on all genes."""
    features = trial.suggest_categorical("features", ("raw", "z_scored"))
    return {"features": features, **suggest_ridge(trial)}, None


def suggest_bilinear_cm_pca(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest a `BilinearClosedForm` on principal components."""
    n_components = suggest_components(trial, scale, MOST_PCA)
    return {"n_components": n_components, **suggest_ridge(trial)}, None


def suggest_bilinear_cm_pls(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest a `BilinearClosedForm` on PLS scores."""
    n_components = suggest_components(trial, scale, MOST_PLS)
    return {"n_components": n_components, **suggest_ridge(trial)}, None


def suggest_ridge(trial: TrialLike) -> dict[str, Any]:
    """Suggest a ridge or leave it to cross-validation, and what self-connections are."""
    diagonal = trial.suggest_categorical("diagonal", ("zero", "impute"))
    if trial.suggest_categorical("ridge_rule", ("fixed", "gcv")) == "gcv":
        return {"diagonal": diagonal, "ridge_rule": "gcv"}
    ridge = trial.suggest_float("ridge", *RIDGES, log=True)
    return {"diagonal": diagonal, "ridge_rule": "fixed", "ridge": ridge}


SPACES = (
    SearchSpace(model="bilinear_cm", suggest=suggest_bilinear_cm, first=FIRST),
    SearchSpace(
        model="bilinear_cm_pca",
        suggest=suggest_bilinear_cm_pca,
        first=FIRST_PCA,
        most_components={"n_components": MOST_PCA},
    ),
    SearchSpace(
        model="bilinear_cm_pls",
        suggest=suggest_bilinear_cm_pls,
        first=FIRST_PLS,
        most_components={"n_components": MOST_PLS},
    ),
)
