from __future__ import annotations

import importlib.util
import math
from dataclasses import replace
from typing import Any

import pytest

from gx2c.errors import UserError
from gx2c.models import MODELS
from sweeps.options import PRESETS, SweepOptions, make_options


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("split", "lobes", "choose from ['bilateral', 'bilateral-random', 'community',"),
        ("score", "pairs", "choose from ['block-pairs', 'folds']"),
        ("buffer_mm", -1.0, "a width in mm of at least 0"),
        ("buffer_mm", math.nan, "a width in mm of at least 0"),
        ("resolution", 0.0, "a number above 0"),
        ("hemisphere", "top", "choose from ['both', 'left', 'right']"),
        ("metric", "val_r2", "choose from ['val_mse', 'val_pearson_r']"),
        ("gene_order", "alphabet", "choose from"),
        ("scheduler", "hyperband", "choose from ['asha', 'asha-async', 'none', 'one-epoch']"),
        ("null_search", "some", "choose from ['full', 'none']"),
        ("null_method", "shuffle", "choose from ['alexander_bloch'"),
        ("null_moves", "all", "choose from ['connectome', 'genes', 'genes+coordinates']"),
        ("folds", 1, "at least 2"),
        ("inner_folds", 0, "at least 2"),
        ("samples", 0, "at least 1"),
        ("max_epochs", 0, "at least 1"),
        ("grace_epochs", 0, "at least 1"),
        ("patience", -3, "at least 1"),
        ("nulls", -1, "at least 0"),
        ("seed", -1, "at least 0"),
        ("cpus_per_trial", 0, "at least 1"),
        ("max_concurrent", -1, "at least 0"),
        ("gpus_per_trial", -0.5, "give 0, or a share of one GPU"),
        ("gpus_per_trial", 1.5, "give 0, or a share of one GPU"),
        ("gpus_per_trial", 1e-6, "give 0, or a share of one GPU"),
        ("gpus_per_trial", math.nan, "give 0, or a share of one GPU"),
        ("gpus_per_trial", math.inf, "give 0, or a share of one GPU"),
    ],
)
def test_an_option_out_of_range_is_one_sentence(name, value, words):
    with pytest.raises(UserError) as caught:
        make_options("smt", preset="standard", **{name: value})
    text = str(caught.value)
    assert words in text
    assert name in text
    assert repr(value) in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("model", "given", "words"),
    [
        ("geography", {"nulls": 5}, "geography reads no genes"),
        ("exponential_decay", {"nulls": 1}, "give --nulls 0"),
        ("pls_twostep_published", {"train_test_edges": True}, "leave out --train-test-edges"),
        ("smt", {"score": "block-pairs", "folds": 2}, "give --folds 3 or more"),
    ],
)
def test_options_that_contradict_each_other_are_refused(model, given, words):
    with pytest.raises(UserError, match=words):
        make_options(model, preset="standard", **given)


def test_a_model_whose_package_is_absent_is_refused_before_anything_starts(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'gx2c\[trees\]'"):
        make_options("xgboost", preset="quick")


def test_every_problem_is_named_at_once():
    with pytest.raises(UserError) as caught:
        make_options("smt", preset="quick", folds=0, samples=0, split="lobes")
    assert all(word in str(caught.value) for word in ("folds", "samples", "split"))


@pytest.mark.parametrize(
    ("model", "preset", "words"),
    [("smd", "quick", "no model 'smd'"), ("smt", "quickly", "no preset 'quickly'")],
)
def test_unknown_names_are_answered_with_those_there_are(model, preset, words):
    with pytest.raises(UserError, match=f"{words}; choose from"):
        make_options(model, preset=preset)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("model", MODELS)
def test_every_model_takes_every_preset(model, preset):
    needed = {"embeddings": "table.csv"} if MODELS[model].reads_embeddings else {}
    options = make_options(model, preset=preset, **needed)
    assert options.preset == preset
    assert (options.nulls > 0) is ("expression" in MODELS[model].uses)
    assert (options.null_search == "full") is (MODELS[model].kind == "closed_form")


def test_quick_is_what_is_promised():
    options = make_options("smt", preset="quick")
    assert options.small
    assert options.samples >= 8
    # no config that finishes has trained fewer passes than its patience
    assert min(options.max_epochs, options.patience) >= 10
    assert (options.grace_epochs, options.patience) == (6, 20)
    assert options.nulls == 20
    assert options.scheduler == "asha"
    assert options.split == "bilateral"


def test_what_is_given_beats_the_preset_and_none_is_not_given():
    options = make_options("smt", preset="quick", nulls=3, genes=None, samples=0x10)
    assert (options.nulls, options.genes, options.samples) == (3, "500_var", 16)


def test_options_come_back_from_plain_values():
    options = make_options("kernel_ridge", preset="paper", gpus_per_trial=0.25, seed=4)
    assert SweepOptions.from_dict(options.to_dict()) == options


def test_an_unknown_option_in_a_file_is_refused():
    plain: dict[str, Any] = make_options("smt", preset="quick").to_dict() | {"colour": "red"}
    with pytest.raises(UserError, match="colour"):
        SweepOptions.from_dict(plain)


def test_options_are_checked_however_they_are_made():
    with pytest.raises(UserError, match="folds"):
        replace(make_options("smt", preset="quick"), folds=1)


@pytest.mark.parametrize(
    ("model", "given", "message"),
    [
        ("smt_geneformer", {}, "smt_geneformer reads embeddings of regions; .* --embeddings"),
        ("geography", {"embeddings": "e.csv"}, "geography reads no expression for --embeddings"),
        ("smt", {"gene_vectors": "v.csv"}, "smt reads no gene vectors"),
        (
            "genevec_self",
            {"gene_vectors": "v.csv", "embeddings": "e.csv"},
            "embeddings have no genes that vectors could describe",
        ),
    ],
)
def test_files_that_a_model_cannot_do_with_or_without(model, given, message):
    with pytest.raises(UserError, match=message):
        make_options(model, preset="quick", **given)


def test_models_of_single_genes_take_few_and_signatures_come_with_gx2c():
    assert make_options("genevec_cross", preset="standard").genes == "100_var"
    options = make_options("smt_celltype", preset="standard")
    assert (options.genes, options.gene_vectors) == ("100_var", "groups")
    assert make_options("genevec_cross", preset="quick", genes="50_var").genes == "50_var"
