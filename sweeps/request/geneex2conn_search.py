"""Files of GeneEx2Conn with the ranges of a model's search, and the names of what they vary.

Ranges are declared in `search_spaces` and hold every published value, so that a file names a model
and its longest training; the rest is stated.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from gx2c.data.checks import shown
from gx2c.errors import UserError
from gx2c.fit.config import TrainingSettings
from gx2c.models.names import spec_of
from sweeps.request.geneex2conn_names import Ours

ENDING = "_sweep_config"
# Parts of these files, of which only the first and the name are read
PARTS = ("parameters", "best_parameters", "name", "method", "metric")
NOTE = (
    "gx2c models {} lists the ranges of the search, which contain every published value; the "
    "search begins with the published best and learns from its trials"
)
EPOCHS = "epochs"
# Names in search spaces; the first that a model has is meant
AXES: Mapping[str, tuple[str, ...]] = {
    "token_encoder_dim": ("genes_per_token",),
    "d_model": ("model_dim",),
    "encoder_output_dim": ("token_output_dim", "embedding_dim"),
    "encoder_hidden_dim": ("encoder_dim",),
    "nhead": ("n_heads",),
    "num_layers": ("n_layers",),
    "hidden_dims": ("hidden_dims",),
    "deep_hidden_dims": ("hidden_dims",),
    "use_alibi": ("alibi",),
    "transformer_dropout": ("encoder_dropout",),
    "dropout_rate": ("dropout",),
    "cls_dropout": ("cls_dropout",),
    "learning_rate": ("learning_rate",),
    "cosine_lr": ("schedule",),
    "weight_decay": ("weight_decay", "ridge"),
    "lambda_reg": ("ridge", "l2_weight", "l1_weight"),
    "regularization": ("penalty_norm",),
    "batch_size": ("block_regions",),
    "reduced_dim": ("rank",),
    "activation": ("activation",),
    "shared_weights": ("shared_weights",),
    "use_bilinear": ("decoder",),
    "scale_range": ("scale_range",),
    "n_components": ("n_components",),
    "n_components_l": ("n_components_l",),
    "n_components_k": ("n_components_k",),
    "genevec_type": ("identity",),
    "expression_bins": ("expression_bins",),
    "roi_combination": ("combine",),
    "lambda_sym": ("symmetry_weight",),
    "bidirectional": ("bidirectional",),
    "pooling_mode": ("readout",),
    "pooling": ("readout",),
    "use_attention_pooling": ("readout",),
    "use_mlp_downsampler": ("readout",),
    "projection_layers": ("projection_layers",),
    "kernel_size": ("kernel_size",),
    "out_channels": ("out_channels",),
    "stride": ("stride",),
    "num_tokens": ("n_tokens",),
    "n_estimators": ("n_trees",),
    "max_depth": ("max_depth",),
    "subsample": ("row_share",),
    "colsample_bytree": ("column_share",),
    "gamma": ("min_split_gain",),
    "reg_lambda": ("l2",),
    "reg_alpha": ("l1",),
    "min_child_weight": ("min_weight",),
}
_IN_MEMORY = "regions are in memory: nothing is loaded in the background"
_LEARNED = "the fit finds it, whatever its start"
_AUGMENTED = "--augment subject-edges --augment-search, where a dataset has connectomes of people"
LEFT_OUT: Mapping[str, str] = {
    "input_dim": "follows from the data",
    "num_workers": _IN_MEMORY,
    "prefetch_factor": _IN_MEMORY,
    "SA_inf": _LEARNED,
    "SA_lambda": _LEARNED,
    "init_sigma": _LEARNED,
    "max_iter": "PLS runs until it converges",
    "scale": "PLS always scales",
    "optimize_encoder": "PLS scores stay as fitted",
    "finetune_last_layer": "the autoencoder stays as trained",
    "scale_pos_weight": "a regression does not read it",
    "cls_init": "smt_cls_fixed and smt_cls_random are models of their own",
    "region_emb_init": "tokens hold no coordinates, as in every published sweep",
    "aug_prob": _AUGMENTED,
    "aug_style": f"{_AUGMENTED}; strong-edges is the curriculum",
}


def read_search(path: Path, file: Mapping[Any, Any]) -> tuple[Any, Mapping[str, Sequence[Any]]]:
    """Return the model of a file and, for each hyperparameter, its values, or least and most.

    Raises
    ------
    UserError
        If it is no such file, or varies what is not known; the message names everything.
    """
    if unknown := [name for name in file if name not in PARTS]:
        raise UserError(f"{path}: a search has no {shown(unknown)}; its parts are {list(PARTS)}")
    parameters = file["parameters"]
    if not isinstance(parameters, dict):
        raise UserError(f"{path}: parameters are no mapping of names to values; restore the file")
    known = {*AXES, *LEFT_OUT, EPOCHS}
    if unknown := [name for name in parameters if name not in known]:
        raise UserError(f"{path}: GeneEx2Conn varies no {shown(unknown)}; remove it")
    values = {name: _values(path, name, given) for name, given in parameters.items()}
    return file.get("name", path.stem.removesuffix(ENDING)), values


def _values(path: Path, name: str, given: Any) -> Sequence[Any]:
    ways = sorted({"value", "values", "min", "max"} & set(given)) if isinstance(given, dict) else []
    if ways == ["value"]:
        values = [given["value"]]
    elif ways == ["values"] and isinstance(given["values"], list) and given["values"]:
        values = given["values"]
    elif ways == ["max", "min"]:
        values = [given["min"], given["max"]]
        # NaN is in no range
        if not all(isinstance(v, int | float) for v in values) or not values[0] <= values[1]:
            raise UserError(f"{path}: {name} is from {values[0]} to {values[1]}; give min <= max")
    else:
        raise UserError(f"{path}: {name} is {given}; give it value, values, or min and max")
    if any(isinstance(v, dict) for v in values):
        raise UserError(f"{path}: {name} has values {values}; give numbers, words or lists of them")
    return values


def axes_of(
    model: str, parameters: Mapping[str, Sequence[Any]]
) -> Iterator[tuple[str, str | None, Ours]]:
    """Yield each hyperparameter, its name in the search space of a model, and options instead."""
    spec = spec_of(model)
    norms = spec.published.get("penalty_norm", ())
    known = {*spec.defaults, *spec.published, *(f"{norm}_weight" for norm in norms)}
    if spec.trains_in_epochs:
        known |= {field.name for field in fields(TrainingSettings)}
    for name, values in parameters.items():
        if name == EPOCHS:
            yield name, None, _epochs(values, trains=spec.trains_in_epochs)
            continue
        axis = next((one for one in AXES.get(name, ()) if one in known), None)
        yield name, axis, Ours(why=LEFT_OUT.get(name, "" if axis else f"{model} has none"))


def _epochs(values: Sequence[Any], *, trains: bool) -> Ours:
    if not trains:
        return Ours(why="fitted in one step")
    if not all(type(value) is int for value in values):
        raise UserError(f"epochs are {values}; give whole numbers")
    return Ours({"max_epochs": max(values)}, "at most: inner folds decide how many")
