"""The options of GeneEx2Conn, each with its default and the rule that translates it."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from gx2c.errors import UserError, did_you_mean
from gx2c.models.names import NAMES, join_name, spec_of
from gx2c.models.spec import COORDINATES, EXPRESSION
from sweeps.request import geneex2conn_names as names
from sweeps.request.geneex2conn_names import Ours

T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    """The options that a rule may read.

    Attributes
    ----------
    there
        Every published option, with the published default where the file has none.
    given
        Options of the command line.
    chosen
        Options here so far, those of the command line included.
    """

    there: Mapping[str, Any]
    given: Mapping[str, Any]
    chosen: Mapping[str, Any]


Rule = Callable[[Any, Request], Ours]
NO_SEARCH = "skip_cv leaves no search"


@dataclass(frozen=True)
class Published:
    """A published option: its default, what it is here, and the options that may replace it."""

    default: Any
    rule: Rule
    replaced_by: tuple[str, ...] = ()


def choose(table: Mapping[str, T], name: Any, kind: str) -> T:
    """Look up a published name."""
    if not isinstance(name, str) or name not in table:
        hint = did_you_mean(f"{name}", table) or f"choose from {', '.join(table)}"
        raise UserError(f"GeneEx2Conn has no {kind} {name!r}; {hint}".strip())
    return table[name]


def among(table: Mapping[Any, Ours], kind: str) -> Rule:
    """Translate a name by a table."""

    def rule(value: Any, request: Request) -> Ours:
        if isinstance(value, bool | None) and value in table:
            return table[value]
        return choose({n: ours for n, ours in table.items() if isinstance(n, str)}, value, kind)

    return rule


def dropped(why: str) -> Rule:
    """Leave an option out."""
    return lambda value, request: Ours(why=why)


def unread(why: str) -> Rule:
    """Leave a switch out, whether it is true or false."""
    return switch(dropped(why), why)


def switch(on: Rule, off: str = "") -> Rule:
    """Translate true by a rule, and leave false out."""

    def rule(value: Any, request: Request) -> Ours:
        if not isinstance(value, bool):
            raise UserError(f"{value!r} is neither true nor false; give one of them")
        return on(value, request) if value else Ours(why=off)

    return rule


def whole(option: str, write: Callable[[int], Any], why: str = "") -> Rule:
    """Translate a whole number to an option."""

    def rule(value: Any, request: Request) -> Ours:
        if not isinstance(value, int) or isinstance(value, bool):
            raise UserError(f"{value!r} is no whole number; give one, such as 5")
        return Ours({option: write(value)}, why)

    return rule


def dataset_of(value: Any, request: Request) -> Ours:
    """Translate dataset and parcellation; earlier files name the parcellation alone."""
    parcellation = f"{request.there['parcellation']}"
    pair = ("BHA2" if parcellation.startswith("iPA") else f"{value}", parcellation)
    if pair not in names.DATASETS:
        known = ", ".join(" ".join(one) for one in names.DATASETS)
        raise UserError(
            f"there is no public {' '.join(pair)}, only {known}; give a dataset of yours with "
            "--dataset"
        )
    return names.DATASETS[pair]


def genes_of(value: Any, request: Request) -> Ours:
    """Translate a list of genes; lists of stable genes need a dataset that knows stability."""
    text = f"{value}"
    if re.fullmatch(r"[1-9]\d*_var", text):
        return Ours({"genes": text}, "the most variable in training regions, not in all")
    if re.fullmatch(r"0\.\d+", text):
        dataset = request.chosen.get("dataset")
        if dataset not in names.OUR_DATASETS:
            return Ours({"genes": f"stable:{text}"})
        if dataset not in ("ukbb_s456", "hcp_s456"):
            return Ours({"genes": "all"}, "the dataset states no stability of its genes")
        others = "" if float(text) == 0.2 else f", and no stability by which {text} could choose"
        return Ours({"genes": "all"}, f"the dataset has those that are stable at 0.2{others}")
    return choose(names.GENES, text, "list of genes")


def order_of(value: Any, request: Request) -> Ours:
    """Translate the order of genes, some of which are embeddings of regions instead."""
    if f"{value}".startswith("geneformer"):
        raise UserError(f"{value} reads embeddings, which are not public; give --embeddings FILE")
    return among(names.GENE_ORDERS, "order of genes")(value, request)


def features_of(value: Any, request: Request) -> Ours:
    """Translate features; with some of them a model is another one here."""
    keys = list(_feature_keys(value))
    if not keys:
        raise UserError("it names no feature; give one, such as transcriptome")
    parts = list(dict.fromkeys(part for key in keys for part in _features(key)))
    model = request.chosen.get("model", "")
    uses, why = spec_of(model).uses if model in NAMES else (EXPRESSION,), ""
    if EXPRESSION not in uses:
        return Ours(why="this model reads coordinates alone")
    if COORDINATES in uses and COORDINATES in parts:
        parts, why = [p for p in parts if p != COORDINATES], "the model reads coordinates anyway"
    if "model" not in request.given:
        on_scores = len(parts) == 1 and parts[0].startswith("expression-pca")
        if on_scores and model in names.ON_COMPONENTS:
            return Ours(
                {"model": names.ON_COMPONENTS[model]},
                "components are those of training regions, and their number is searched",
            )
        if set(parts) == {EXPRESSION, COORDINATES} and model in names.WITH_COORDINATES:
            return Ours({"model": names.WITH_COORDINATES[model]}, "coordinates are mm")
    if any(":" in part or part == "structural" for part in parts):
        why = "learned on training regions, not on all"
    return Ours({"features": "+".join(parts)} if parts else {}, why)


def _feature_keys(value: Any) -> Iterator[str]:
    """Yield the published names of features: of {name: processing}, or written as text."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            yield from (f"{k}" if v is None else f"{k}_{v}" for k, v in item.items())
        else:
            yield f"{item}"


def _features(key: str) -> tuple[str, ...]:
    if key == "functional":
        raise UserError("a region's row of the connectome to predict leaks the target; remove it")
    for stem, feature in names.EIGENVECTORS.items():
        if re.fullmatch(rf"{stem}\d+", key):
            return (f"{feature}:{key.removeprefix(stem)}",)
        if re.fullmatch(rf"{stem}-\d+", key):
            raise UserError(f"{key} takes the last eigenvectors; a positive number takes the first")
    return choose(names.FEATURES, key, "feature")


def target_of(value: Any, request: Request) -> Ours:
    """Translate the connectome to predict; residuals and curves of distance are none."""
    target, model = f"{value}".upper(), request.chosen.get("model", "")
    if target in names.CURVE_TARGETS:
        raise UserError(
            f"{target} is a curve of distance, which is no measurement; sweep exponential_decay, "
            "or give a matrix of yours with --target NAME"
        )
    if target not in names.RESIDUAL_TARGETS:
        return choose(names.TARGETS, target, "target")
    if "model" in request.given:
        return Ours(why="MODEL is given; geography+MODEL learns such a residual")
    residual = join_name(model, after_geography=True)
    if residual not in NAMES:
        raise UserError(f"{target} is a residual of location, of which {model} cannot learn")
    return Ours(
        {"model": residual},
        "there, the residual of a curve fitted to all edges; here geography is fitted to training "
        "regions, and the sum of both is scored",
    )


def search_of(value: Any, request: Request) -> Ours:
    """Translate (method, metric, number of trials)."""
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= 3:
        raise UserError(f"{value!r} is not [method, metric, number of trials]; write it so")
    metric = "mse" if len(value) == 1 else value[1]
    also = "as there" if metric == "mse" else f"not by {metric}"
    why = f"the search learns from its trials (TPE), ranked by mean squared error, {also}"
    n_trials = whole("samples", int, why)(value[2] if len(value) == 3 else 5, request)
    if request.there["skip_cv"] is True:
        return Ours(why=NO_SEARCH)
    if request.there["n_cvs"] is not None:
        return Ours(why=f"n_cvs is the number of trials; {why}")
    return n_trials


def resolution_of(value: Any, request: Request) -> Ours:
    """Translate the resolution of communities."""
    if request.there["cv_type"] != "community":
        return Ours(why="only communities have one")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UserError(f"{value!r} is no number; give one, such as 1.0")
    try:
        return Ours({"resolution": float(value)})
    except OverflowError:
        raise UserError("it is too large; give a number, such as 1.0") from None


def trials_of(value: Any, request: Request) -> Ours:
    """Translate the number of trials, which only the command line there had."""
    if value is None:
        return Ours()
    ours = whole("samples", int)(value, request)
    return Ours(why=NO_SEARCH) if request.there["skip_cv"] is True else ours


_TRAINED_BOTH = "edges between training and test regions are never trained on, as there"
_SCORED_BOTH = Ours({"train_test_edges": True}, "these edges are scored, separately from others")
PUBLISHED: Mapping[str, Published] = {
    "model_type": Published("dynamic_mlp", among(names.MODELS, "model"), ("model",)),
    "feature_type": Published([{"transcriptome": None}], features_of, ("features",)),
    "train_shared_regions": Published(False, switch(dropped(_TRAINED_BOTH))),
    "use_shared_regions": Published(False, switch(dropped(f"its earlier name; {_TRAINED_BOTH}"))),
    "test_shared_regions": Published(
        False, switch(lambda value, request: _SCORED_BOTH), ("train_test_edges",)
    ),
    "include_conn_feats": Published(
        False, switch(dropped("left out: rows of the connectome to predict leak the target"))
    ),
    "omit_subcortical": Published(
        False, switch(lambda v, r: Ours({"cortex_only": True})), ("cortex_only",)
    ),
    "dataset": Published("UKBB", dataset_of, ("dataset",)),
    "parcellation": Published("S456", dropped("part of the dataset")),
    "hemisphere": Published(
        "both",
        among({h: Ours({"hemisphere": h}) for h in ("both", "left", "right")}, "hemisphere"),
        ("hemisphere",),
    ),
    "connectome_target": Published("FC", target_of, ("target",)),
    "binarize": Published(
        False,
        switch(
            lambda value, request: Ours(
                {"binarise": 0.01 if request.chosen.get("target") == "structural" else 0.3}
            )
        ),
        ("binarise",),
    ),
    "impute_strategy": Published(
        None,
        dropped(
            "part of the dataset; gx2c data ahba --lr-mirror bidirectional --missing interpolate "
            "makes such expression"
        ),
    ),
    "sort_genes": Published("refgenome", order_of, ("gene_order", "embeddings")),
    "gene_list": Published("0.2", genes_of, ("genes",)),
    "null_model": Published("none", among(names.NULLS, "null model"), ("nulls", "null_method")),
    "cv_type": Published("random", among(names.SPLITS, "split"), ("split",)),
    "resolution": Published(1.0, resolution_of, ("resolution",)),
    "random_seed": Published(
        42, whole("seeds", str, "draws folds, search and nulls, each on its own"), ("seeds",)
    ),
    "search_method": Published(["random", "mse", 5], search_of, ("samples",)),
    "n_cvs": Published(None, trials_of, ("samples",)),
    "skip_cv": Published(
        False,
        switch(lambda v, r: Ours({"samples": 1}, "the one config is the published best")),
        ("samples",),
    ),
    "use_folds": Published([0, 1, 2, 3], dropped("every fold is run")),
    "use_gpu": Published(True, unread("--gpus-per-trial auto trains on GPUs")),
    "track_wandb": Published(False, unread("the run folder and its report replace it")),
    "save_model": Published(None, dropped("every run saves its models")),
}
