"""Search spaces of the networks: pair MLPs, bilinear forms, shared encoders, transformers."""

from typing import Any

from gx2c.fit.config import TrainingSettings
from search_spaces.parts import (
    SMALL_MLP,
    SMALL_NETWORK,
    SMALL_TRANSFORMER,
    among,
    between,
    blocks,
    mlp,
    penalty,
    penalty_of,
    scores,
    together,
    transformer,
)
from search_spaces.space import Part, Scale, SearchSpace, TrialLike, suggest_one

WIDTHS = ("256-128", "512-256-128", "1024-512-256-128")
SHARED_WIDTHS, DECODER_WIDTHS = ("32-16", "64-32", "128-64-32"), ("32", "64-32")
# Published searches of mlp_pca and transformers offer up to 320, of which those above the number
# of training regions fail
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
TOKENS_SMALL = (50, 25, 10)
READOUTS = ("flatten", "attention")


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


def chunks(*published: int) -> Part:
    """Ask for the length of a token, of which every one on offer gives several tokens.

    The published lengths are numbers of genes; a small search, whose genes are few, offers
    numbers of tokens instead.
    """

    def ask(trial: TrialLike, scale: Scale) -> dict[str, Any]:
        small = tuple(sorted({-(-scale.n_genes // n) for n in TOKENS_SMALL}))
        several = tuple(n for n in (small if scale.small else published) if n < scale.n_genes)
        choices = several or (max(1, scale.n_genes // 2),)
        return {"genes_per_token": suggest_one(trial, "genes_per_token", choices)}

    return ask


def suggest_windows(trial: TrialLike, scale: Scale) -> dict[str, Any]:
    """Suggest the convolution of an `smt_conv`; the network caps tokens at its windows."""
    kernel_size = trial.suggest_categorical("kernel_size", (16, 32, 64))
    # a stride above the kernel would leave genes unread
    stride = trial.suggest_categorical("stride", (16, 32)) if kernel_size > 16 else 16
    return {"kernel_size": kernel_size, "stride": stride}


def suggest_identity(trial: TrialLike, scale: Scale) -> dict[str, Any]:
    """Suggest the identity of a gene; vectors are on offer where there are any."""
    identities = ("one_hot", "coexpression") + ("vectors",) * scale.has_gene_vectors
    return {"identity": trial.suggest_categorical("identity", identities)}


def suggest_expression(trial: TrialLike, scale: Scale) -> dict[str, Any]:
    """Suggest how the expression of a gene is embedded, with the bins that this takes."""
    kind = trial.suggest_categorical("expression", ("continuous", "binned", "both"))
    bins = {} if kind == "continuous" else among("expression_bins", (5, 10, 100))(trial, scale)
    return {"expression": kind, **bins}


GENEVEC = together(
    suggest_identity,
    suggest_expression,
    among("model_dim", (16, 32, 64), small=(8, 16)),
    blocks("256-128-64", "128-64"),
    among("readout", (*READOUTS, "mean")),
)


def suggest_symmetry(trial: TrialLike, scale: Scale) -> dict[str, Any]:
    """Suggest the weight of the symmetric loss, or none."""
    if not trial.suggest_categorical("symmetric", (False, True)):
        return {"symmetry_weight": 0.0}
    return between("symmetry_weight", (1e-5, 1.0), log=True)(trial, scale)


def suggest_genevec_self(trial: TrialLike, scale: Scale) -> dict[str, Any]:
    """Suggest a `genevec_self`."""
    combine = trial.suggest_categorical("combine", ("concat", "mean"))
    chosen = {**GENEVEC(trial, scale), "combine": combine}
    # the mean of two embeddings is symmetric already
    return chosen | (suggest_symmetry(trial, scale) if combine == "concat" else {})


# at least 4 tokens, since attention over one token is no attention
ON_SCORES = together(among("n_tokens", (4, 8, 16)), transformer(64, 128, 256, flat=True))
_SMALL = {**SMALL_TRANSFORMER, "genes_per_token": 20}
_SMALL_SCORES = {**SMALL_TRANSFORMER, "n_components": 16, "n_tokens": 4}
_SMALL_GENEVEC = {
    **SMALL_NETWORK,
    "model_dim": 16,
    "n_layers": 1,
    "hidden_dims": "64-32",
    "readout": "flatten",
    "learning_rate": 6e-3,
}

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
    *(
        SearchSpace(
            model, together(chunks(20, 60, 180), transformer(flat=True)), begins_small=_SMALL
        )
        for model in ("smt", "smt_cls", "smt_cls_fixed", "smt_cls_random")
    ),
    SearchSpace(
        "smt_pool", together(chunks(10, 20, 60), transformer(64, 128, 256)), begins_small=_SMALL
    ),
    SearchSpace(
        "smt_cls_pool",
        together(chunks(10, 20, 60), transformer(), between("cls_dropout", (0.0, 0.8))),
        begins_small=_SMALL,
    ),
    SearchSpace(
        "smt_conv",
        together(
            suggest_windows,
            among("out_channels", (16, 32)),
            among("n_tokens", (64, 96, 128, 256), small=(8, 16)),
            transformer(),
        ),
        begins_small={**SMALL_TRANSFORMER, "n_tokens": 16, "stride": 16},
    ),
    SearchSpace(
        "smt_celltype",
        together(among("projection_layers", (1, 3)), among("readout", READOUTS), transformer()),
        begins_small=_SMALL,
    ),
    SearchSpace(
        "smt_geneformer",
        # published is 1; longer tokens cost the square less
        together(chunks(1, 4, 16), among("readout", (*READOUTS, "mlp")), transformer(64, 128, 256)),
        begins_small=_SMALL,
    ),
    *(
        SearchSpace(
            model,
            together(scores(MOST_PCA), ON_SCORES),
            begins_small=_SMALL_SCORES,
            most_components={"n_components": MOST_PCA},
        )
        for model in ("smt_pca", "smt_pls")
    ),
    SearchSpace(
        "smt_ae",
        together(among("n_components", (32, 64, 128), small=(8, 16, 32)), ON_SCORES),
        begins_small=_SMALL_SCORES,
    ),
    SearchSpace(
        "genevec_self",
        suggest_genevec_self,
        begins={"symmetric": True},
        begins_small=_SMALL_GENEVEC,
    ),
    SearchSpace(
        "genevec_cross",
        together(GENEVEC, among("bidirectional", (True, False)), suggest_symmetry),
        begins={"symmetric": True},
        begins_small=_SMALL_GENEVEC,
    ),
    # without coordinates, as published
    SearchSpace(
        "genevec_mixed",
        together(GENEVEC, suggest_symmetry),
        begins={"symmetric": False},
        begins_small=_SMALL_GENEVEC,
    ),
)
