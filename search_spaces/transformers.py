"""Search spaces of the transformers: on genes, on components, on single genes."""

from typing import Any

from search_spaces.parts import (
    SMALL_NETWORK,
    SMALL_TRANSFORMER,
    among,
    between,
    blocks,
    scores,
    together,
    transformer,
)
from search_spaces.space import Part, Scale, SearchSpace, TrialLike, suggest_one

TOKENS_SMALL = (50, 25, 10)
# Published searches offer up to 320, of which those above the number of training regions fail
MOST_COMPONENTS = 320
READOUTS = ("flatten", "attention")


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
            together(scores(MOST_COMPONENTS), ON_SCORES),
            begins_small=_SMALL_SCORES,
            most_components={"n_components": MOST_COMPONENTS},
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
