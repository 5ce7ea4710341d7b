from __future__ import annotations

import importlib.util
import math
import os
import shutil
import subprocess
import sys
from dataclasses import MISSING, replace
from pathlib import Path
from typing import Any

import pytest

from gx2c.errors import UserError
from gx2c.models import MODELS
from sweeps.request.budget import EPOCH_SHARES
from sweeps.request.ensemble import ensemble_size
from sweeps.request.options import PRESETS, SweepOptions, make_options
from sweeps.request.table import OPTIONS

ROOT = Path(__file__).parents[3]
HUGE = 10**23
SEEDS = "give 1 to 100 different whole numbers from 0 to 4,294,967,295, joined by commas"
GPU = "give 0, a share of one GPU from 0.0001 to 1, or auto"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("split", "lobes", "choose from ['bilateral', 'bilateral-random', 'community',"),
        ("score", "pairs", "choose from ['block-pairs', 'folds']"),
        ("buffer_mm", -1.0, "a number from 0 to 1,000 mm"),
        ("buffer_mm", math.nan, "a number from 0 to 1,000 mm"),
        ("buffer_mm", math.inf, "a number from 0 to 1,000 mm"),
        ("resolution", 0.0, "a number from 1e-06 to 1,000"),
        ("binarise", 1.0, "a number between -1 and 1"),
        ("hemisphere", "top", "choose from ['both', 'left', 'right']"),
        ("metric", "val_r2", "choose from ['val_mse', 'val_pearson_r']"),
        ("gene_order", "alphabet", "choose from"),
        ("features", "expression-pca:999999999", "a number of components from 1 to 1000"),
        ("scheduler", "hyperband", "choose from ['asha', 'asha-async', 'none', 'one-epoch']"),
        ("null_search", "some", "choose from ['full', 'none']"),
        ("null_method", "shuffle", "choose from ['alexander_bloch'"),
        ("null_moves", "all", "choose from ['connectome', 'genes', 'genes+coordinates']"),
        ("folds", 1, "a whole number from 2 to 1,000"),
        ("folds", 2.0, "a whole number from 2 to 1,000"),
        ("inner_folds", 0, "a whole number from 2 to 1,000"),
        ("inner_repeats", 999_999_999, "a whole number from 1 to 1,000"),
        ("samples", 0, "a whole number from 1 to 100,000"),
        ("samples", True, "a whole number from 1 to 100,000"),
        ("max_epochs", 0, "a whole number from 1 to 1,000,000"),
        ("grace_epochs", 0, "a whole number from 1 to 1,000,000"),
        ("patience", -3, "a whole number from 1 to 1,000,000"),
        ("nulls", -1, "a whole number from 0 to 100,000"),
        ("nulls", HUGE, "a whole number from 0 to 100,000"),
        ("seeds", "", SEEDS),
        ("seeds", "1,", SEEDS),
        ("seeds", "-1", SEEDS),
        ("seeds", "1,2,1", SEEDS),
        ("seeds", "1 2", SEEDS),
        ("seeds", "1,pi", SEEDS),
        ("seeds", f"1,{2**32}", SEEDS),
        ("seeds", "9" * 5_000, SEEDS),
        ("seeds", ",".join(map(str, range(101))), SEEDS),
        ("cpus_per_trial", 0, "a whole number from 1 to 1,024"),
        ("max_concurrent", -1, "a whole number from 0 to 100,000"),
        ("time_budget_min", math.inf, "a number from 0 to 1,000,000 minutes"),
        ("gpus_per_trial", -0.5, GPU),
        ("gpus_per_trial", 1.5, GPU),
        ("gpus_per_trial", 1e-6, GPU),
        ("gpus_per_trial", math.nan, GPU),
        ("gpus_per_trial", math.inf, GPU),
        ("cortex_only", "yes", "true or false"),
        ("genes", 500, "give text"),
        ("warm_start", (3,), "give text"),
    ],
)
def test_an_option_out_of_range_is_one_sentence(name, value, words):
    with pytest.raises(UserError) as caught:
        make_options("smt", preset="standard", **{name: value})
    text = str(caught.value)
    assert words in text
    assert (OPTIONS[name].flag or name) in text or text.startswith(f"no {name.replace('_', ' ')} ")
    assert repr(value).strip("(,)") in text
    assert "\n" not in text


@pytest.mark.parametrize(
    "name", [n for n, one in OPTIONS.items() if one.value_type in (int, float)]
)
def test_every_number_has_bounds(name):
    one = OPTIONS[name]
    assert one.check or None not in one.within
    with pytest.raises(UserError, match=one.label):
        make_options("smt", preset="quick", **{name: one.value_type(1e18)})


@pytest.mark.parametrize("name", OPTIONS)
def test_every_entry_is_whole(name):
    """Names of tables and checks lead somewhere, defaults can be, help is a sentence."""
    one = OPTIONS[name]
    one.allowed()
    for preset in PRESETS:
        default = one.presets.get(preset, one.default)
        assert default is not MISSING or one.usually or name in ("model", *EPOCH_SHARES)
        if default not in (MISSING, None):
            assert one.refuse_if_wrong(default) == default
    assert one.help[0].isupper() and one.help.endswith(".")


@pytest.mark.parametrize(
    ("model", "given", "words"),
    [
        ("geography", {"nulls": 5}, "geography reads no genes"),
        ("exponential_decay", {"nulls": 1}, "give --nulls 0"),
        ("pls_twostep_published", {"train_test_edges": True}, "omit --train-test-edges"),
        ("smt", {"score": "block-pairs", "folds": 2}, "give --folds 3 or more"),
        ("kernel_ridge", {"ema_decay": 0.9}, "--ema-decay applies to the training of networks"),
        ("smt", {"augment_search": True}, "give kinds with --augment"),
        ("mlp", {"augment_search": True, "augment": "noise"}, "omit --augment-search"),
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
        make_options("smd", preset="fast", folds=0, features="smell", split="lobes")
    found = str(caught.value)
    assert all(word in found for word in ("'smd'", "'fast'", "--folds", "'smell'", "'lobes'"))


@pytest.mark.parametrize(
    ("model", "preset", "words"),
    [("smd", "quick", "no model 'smd'"), ("smt", "quickly", "no preset 'quickly'")],
)
def test_unknown_names_are_answered_with_those_there_are(model, preset, words):
    with pytest.raises(UserError, match=f"{words}; did you mean '.*'[?] choose from") as caught:
        make_options(model, preset=preset)
    # dozens of models would bury the close ones
    assert len(str(caught.value)) < 160


@pytest.mark.parametrize("preset", PRESETS)
def test_every_model_takes_every_preset(preset):
    for model, spec in MODELS.items():
        needed = {"embeddings": "table.csv"} if spec.reads_embeddings else {}
        options = make_options(model, preset=preset, **needed)
        assert options.preset == preset
        assert (options.nulls > 0) is ("expression" in spec.uses)
        assert (options.null_search == "full") is not spec.trains_in_epochs


def test_quick_is_what_is_promised():
    options = make_options("smt", preset="quick")
    assert options.small
    assert options.samples >= 8
    # no config that finishes has trained fewer epochs than its patience
    assert min(options.max_epochs, options.patience) >= 10
    assert (options.grace_epochs, options.patience) == (6, 20)
    assert options.nulls == 20
    assert options.scheduler == "asha"
    assert options.ensemble == "1x1"
    assert options.split == "bilateral"


def test_the_default_averages_as_many_as_the_preset_affords():
    for preset, networks in {"quick": "1x1", "standard": "3x2", "paper": "3x3"}.items():
        for model in ("smt", "geography+smt"):
            assert make_options(model, preset=preset).ensemble == networks
        assert make_options("geography", preset=preset).ensemble == "10"
        for model in ("geography+cge", "bilinear_cm"):
            closed = {"quick": "3"}.get(preset, "10")
            assert make_options(model, preset=preset).ensemble == closed
    few = make_options("cge", preset="paper", samples=2)
    assert few.ensemble == "1x1" and ensemble_size(few.ensemble, "geography", of="cge") == (10, 1)
    assert make_options("smt", preset="paper", ensemble="1").ensemble == "1"
    before = make_options("smt", preset="quick").to_dict()
    del before["ensemble"]
    assert SweepOptions.from_dict(before).ensemble == "1", "as runs of earlier versions were"


def test_presets_search_the_folds_of_several_seeds():
    for preset, n_seeds in {"quick": 1, "standard": 3, "paper": 10}.items():
        assert make_options("smt", preset=preset).all_seeds == tuple(range(1, n_seeds + 1))
        # whose folds are the same for every seed
        assert make_options("smt", preset=preset, split="network").all_seeds == (1,)
    assert make_options("smt", preset="quick", split="network", seeds="3, 1").all_seeds == (3, 1)
    before = make_options("smt", preset="standard").to_dict()
    del before["seeds"]
    assert SweepOptions.from_dict(before | {"seed": 4}).all_seeds == (4,), "of earlier versions"


def test_what_is_given_beats_the_preset_and_none_is_not_given():
    options = make_options("smt", preset="quick", nulls=3, genes=None, samples=0x10)
    assert (options.nulls, options.genes, options.samples) == (3, "500_var", 16)


def test_options_come_back_from_plain_values():
    options = make_options("kernel_ridge", preset="paper", gpus_per_trial=0.25, seeds="4")
    assert SweepOptions.from_dict(options.to_dict()) == options


def test_an_unknown_option_in_a_file_is_refused():
    plain: dict[str, Any] = make_options("smt", preset="quick").to_dict() | {"colour": "red"}
    with pytest.raises(UserError, match="colour"):
        SweepOptions.from_dict(plain)


def test_a_file_without_an_option_that_has_no_one_default_is_refused():
    plain = make_options("smt", preset="quick").to_dict()
    del plain["null_method"], plain["keep_checkpoints"]
    with pytest.raises(UserError, match=r"no options \['null_method'\]"):
        SweepOptions.from_dict(plain)


def test_options_are_checked_however_they_are_made():
    with pytest.raises(UserError, match="folds"):
        replace(make_options("smt", preset="quick"), folds=1)


@pytest.mark.parametrize(
    ("model", "given", "message"),
    [
        ("smt_geneformer", {}, "smt_geneformer reads embeddings of regions; .* --embeddings"),
        ("geography", {"embeddings": "e.csv"}, "geography reads no expression that --embeddings"),
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


def test_conditions_are_what_differs_from_the_defaults():
    assert make_options("mlp", preset="quick").conditions == []
    options = make_options(
        "mlp",
        preset="paper",
        hemisphere="left",
        cortex_only=True,
        binarise=0.3,
        features="expression-pca:5",
        augment="noise",
        buffer_mm=10.0,
        score="block-pairs",
    )
    assert options.conditions == [
        "left hemisphere",
        "cortex only",
        "features expression-pca:5",
        "edges above 0.3 are present",
        "augmentation noise",
        "scores of edges between two held-out folds",
        "buffer 10 mm",
    ]
    published = make_options("pls_twostep_published", preset="quick", genes="20_var")
    assert published.conditions == ["the model uses train x test edges"]


ENTRY = """
    colour: str = _data(
        "grey",
        help="Colour of the brain.",
        presets={"paper": "red"},
        choices=("grey", "red"),
        condition="a {} brain",
    )
"""
USE = """
from pathlib import Path
from sweeps.cli.app import main
from sweeps.folder.paths import SweepPaths
from sweeps.request.files import check_folder, read_options
from sweeps.request.options import make_options
import runpy, yaml

quick, paper = (make_options("mlp", preset=name) for name in ("quick", "paper"))
print(quick.colour, paper.colour, quick.conditions, paper.conditions)
paths = SweepPaths(Path("run"))
paths.root.mkdir()
paths.sweep.write_text(yaml.safe_dump(quick.to_dict()))
print(read_options(paths) == quick)
for request in (
    lambda: make_options("mlp", preset="quick", colour="blue"),
    lambda: check_folder(paths, make_options("mlp", preset="quick", colour="red"), resume=True),
):
    try:
        request()
    except ValueError as error:
        print(error)
print(runpy.run_path(PAGE)["page"]())
main(["sweep", "--help"])
"""


def test_a_new_option_is_one_entry(tmp_path):
    """In a copy of the source: command line, presets, checks, sweep.yaml, outputs and docs."""
    for room in ("gx2c", "trainables", "search_spaces", "sweeps", "cluster", "docs"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    table = tmp_path / "sweeps/request/table.py"
    text = table.read_text()
    before = "    cortex_only: bool"
    assert before in text
    table.write_text(text.replace(before, f"{ENTRY}\n{before}"))
    code = USE.replace("PAGE", repr(str(tmp_path / "docs/make_options.py")))
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path), "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
    )
    lines = done.stdout.splitlines()
    assert lines[:4] == [
        "grey red [] ['a red brain']",
        "True",
        "no colour 'blue'; choose from ['grey', 'red']",
        "run was started with different options (colour was 'grey' and is now 'red'); resume with "
        "the same options or give another --out",
    ], done.stderr
    assert "| `--colour` | Colour of the brain. | grey, red | grey, paper red |" in lines
    (shown,) = [line for line in lines if "--colour" in line and "<str>" in line]
    assert "Colour of the brain. [default: (grey, paper red)]" in shown
