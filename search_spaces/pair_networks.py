"""Search spaces of the networks without tokens: pair MLPs, bilinear forms, shared encoders."""

from typing import Any

from gx2c.fit.config import TrainingSettings
from search_spaces.parts import (
    SMALL_MLP,
    SMALL_NETWORK,
    among,
    between,
    mlp,
    penalty,
    penalty_of,
    scores,
    together,
)
from search_spaces.space import Scale, SearchSpace, TrialLike

WIDTHS = ("256-128", "512-256-128", "1024-512-256-128")
SHARED_WIDTHS, DECODER_WIDTHS = ("32-16", "64-32", "128-64-32"), ("32", "64-32")
# Published searches of mlp_pca offer up to 320, of which those above the number of training
# regions fail
MOST_PCA, MOST_COMPONENTS = 320, 64
# A form of 25 x 25 has more weights than a small search has steps: it begins with the fewest
# components of the published search (5, 10, 12, 25, 30, 50)
SMALL_BILINEAR = {**SMALL_NETWORK, "n_components": 5}

LOW_RANK = together(
    between("rank", (2, 32), log=True),
    among("activation", ("none", "relu", "sigmoid", "softplus")),
    among("shared_weights", (True, False)),
    penalty("l1", "l2"),
)


class ReducedLowRank(SearchSpace):
    """A low-rank form on scores, which are asked for last: a random search draws in this order."""

    def ask(self, trial: TrialLike, scale: Scale) -> tuple[dict[str, Any], TrainingSettings]:
        """Ask for the form, the training and the scores."""
        form, training = super().ask(trial, scale)
        return {**scores(MOST_COMPONENTS)(trial, scale), **form}, training


def suggest_shared_mlp(trial: TrialLike, scale: Scale) -> dict[str, Any]:
    """Suggest a `shared_mlp`, whose penalty has a fixed norm."""
    encoder = together(
        between("encoder_dim", (128, 512), log=True, small=(32, 128)),
        between("embedding_dim", (4, 32), log=True),
        among("decoder", ("bilinear", "mlp")),
        penalty("l1"),
    )(trial, scale)
    encoder.pop("penalty_norm", None)
    if encoder["decoder"] == "mlp":
        encoder |= mlp(DECODER_WIDTHS, small=DECODER_WIDTHS)(trial, scale)
    return encoder


_CAP = {"n_components": MOST_COMPONENTS}

SPACES = (
    # a penalty is this form's regulariser; weight decay would regularise twice
    SearchSpace(
        "bilinear_lowrank",
        LOW_RANK,
        begins=penalty_of("bilinear_lowrank"),
        begins_small=SMALL_NETWORK,
        weight_decays=(0.0,),
    ),
    SearchSpace("mlp", mlp(WIDTHS), begins_small=SMALL_MLP),
    SearchSpace("mlp_coords", mlp(WIDTHS), begins_small=SMALL_MLP),
    SearchSpace(
        "shared_linear",
        together(
            between("embedding_dim", (8, 128), log=True, small=(8, 32)),
            mlp(SHARED_WIDTHS, small=SHARED_WIDTHS),
            penalty("l1", "l2"),
        ),
        begins=penalty_of("shared_linear"),
        begins_small=SMALL_NETWORK,
    ),
    SearchSpace(
        "shared_mlp",
        suggest_shared_mlp,
        begins=penalty_of("shared_mlp"),
        begins_small={**SMALL_NETWORK, "encoder_dim": 64},
    ),
    *(
        ReducedLowRank(
            model,
            LOW_RANK,
            begins=penalty_of(model),
            begins_small=SMALL_BILINEAR,
            most_components=_CAP,
            weight_decays=(0.0,),
        )
        for model in ("bilinear_lowrank_pca", "bilinear_lowrank_pls")
    ),
    SearchSpace(
        "pls_bilinear",
        scores(MOST_COMPONENTS),
        begins_small=SMALL_BILINEAR,
        most_components=_CAP,
        weight_decays=(0.0, 1e-3, 1e-2, 1e-1, 1.0),
    ),
    SearchSpace(
        "pls_mlp",
        together(scores(MOST_COMPONENTS), mlp(("128-64", "256-128", "512-256-128"))),
        begins_small=SMALL_NETWORK,
        most_components=_CAP,
    ),
    SearchSpace(
        "mlp_pca",
        together(scores(MOST_PCA), mlp(WIDTHS)),
        begins_small=SMALL_MLP,
        most_components={"n_components": MOST_PCA},
    ),
)
