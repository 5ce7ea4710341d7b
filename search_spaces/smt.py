"""Search spaces of the Spatiomolecular Transformer and its kin on the genes themselves."""

from __future__ import annotations

from collections.abc import Mapping

from search_spaces.space import Scale, SearchSpace, Suggestion, TrialLike, Value, suggest_one
from search_spaces.training import suggest_training
from search_spaces.transformer import (
    FIRST_TRANSFORMER,
    FIRST_TRANSFORMER_SMALL,
    suggest_transformer,
)

GENES_PER_TOKEN = (20, 60, 180)
GENES_PER_TOKEN_POOLED = (10, 20, 60)
TOKENS_SMALL = (50, 25, 10)

# GeneEx2Conn, NeurIPS 2025, sweep `shared_transformer`
FIRST: Mapping[str, Value] = {
    **FIRST_TRANSFORMER,
    "genes_per_token": 60,
    "token_output_dim": 10,
    "encoder_dropout": 0.2,
    "dropout": 0.2,
    "learning_rate": 1e-4,
    "weight_decay": 1e-4,
    "block_regions": 23,
}
# The same model's sweeps `shared_transformer_cls`, `_pool`, `_cls_pool` and `_conv`
FIRST_CLS: Mapping[str, Value] = {**FIRST, "genes_per_token": 20, "block_regions": 32}
FIRST_POOL: Mapping[str, Value] = {**FIRST_TRANSFORMER, "genes_per_token": 60}
FIRST_CLS_POOL: Mapping[str, Value] = {**FIRST_POOL, "cls_dropout": 0.5}
FIRST_CONV: Mapping[str, Value] = {
    **FIRST_TRANSFORMER,
    "kernel_size": 32,
    "stride": 32,
    "out_channels": 32,
    "n_tokens": 128,
}
FIRST_SMALL: Mapping[str, Value] = {**FIRST_TRANSFORMER_SMALL, "genes_per_token": 20}
FIRST_CONV_SMALL: Mapping[str, Value] = {**FIRST_TRANSFORMER_SMALL, "n_tokens": 16, "stride": 16}


def suggest_smt(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest an `smt` and how to train it."""
    genes_per_token = suggest_one(trial, "genes_per_token", token_choices(scale, GENES_PER_TOKEN))
    hyperparameters = {
        "genes_per_token": genes_per_token,
        **suggest_transformer(trial, scale, flat=True),
    }
    return hyperparameters, suggest_training(trial, scale)


def suggest_smt_pool(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest an `smt_pool` and how to train it."""
    choices = token_choices(scale, GENES_PER_TOKEN_POOLED)
    hyperparameters = {
        "genes_per_token": suggest_one(trial, "genes_per_token", choices),
        **suggest_transformer(trial, scale, model_dims=(64, 128, 256), flat=False),
    }
    return hyperparameters, suggest_training(trial, scale)


def suggest_smt_cls_pool(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest an `smt_cls_pool` and how to train it."""
    choices = token_choices(scale, GENES_PER_TOKEN_POOLED)
    hyperparameters = {
        "genes_per_token": suggest_one(trial, "genes_per_token", choices),
        **suggest_transformer(trial, scale, flat=False),
        "cls_dropout": trial.suggest_float("cls_dropout", 0.0, 0.8),
    }
    return hyperparameters, suggest_training(trial, scale)


def suggest_smt_conv(trial: TrialLike, scale: Scale) -> Suggestion:
    """Suggest an `smt_conv` and how to train it; the network caps tokens at its windows."""
    tokens = (8, 16) if scale.small else (64, 96, 128, 256)
    kernel_size = trial.suggest_categorical("kernel_size", (16, 32, 64))
    hyperparameters = {
        "kernel_size": kernel_size,
        # a stride above the kernel would leave genes unread
        "stride": trial.suggest_categorical("stride", (16, 32)) if kernel_size > 16 else 16,
        "out_channels": trial.suggest_categorical("out_channels", (16, 32)),
        "n_tokens": trial.suggest_categorical("n_tokens", tokens),
        **suggest_transformer(trial, scale, flat=False),
    }
    return hyperparameters, suggest_training(trial, scale)


def token_choices(scale: Scale, published: tuple[int, ...]) -> tuple[int, ...]:
    """Return the token lengths on offer, of which every one gives several tokens.

    The published lengths are numbers of genes; a small search, whose genes are few, offers
    numbers of tokens instead.
    """
    lengths = (
        tuple(sorted({-(-scale.n_genes // n) for n in TOKENS_SMALL})) if scale.small else published
    )
    return tuple(n for n in lengths if n < scale.n_genes) or (max(1, scale.n_genes // 2),)


SPACES = (
    *(
        SearchSpace(model=model, suggest=suggest_smt, first=first, first_small=FIRST_SMALL)
        for model, first in (
            ("smt", FIRST),
            ("smt_cls", FIRST_CLS),
            ("smt_cls_fixed", FIRST_CLS),
            ("smt_cls_random", FIRST_CLS),
        )
    ),
    SearchSpace(
        model="smt_pool", suggest=suggest_smt_pool, first=FIRST_POOL, first_small=FIRST_SMALL
    ),
    SearchSpace(
        model="smt_cls_pool",
        suggest=suggest_smt_cls_pool,
        first=FIRST_CLS_POOL,
        first_small=FIRST_SMALL,
    ),
    SearchSpace(
        model="smt_conv", suggest=suggest_smt_conv, first=FIRST_CONV, first_small=FIRST_CONV_SMALL
    ),
)
