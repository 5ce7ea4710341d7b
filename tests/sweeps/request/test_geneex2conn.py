"""Experiment files of GeneEx2Conn become options of a sweep, and no name of theirs is lost."""

from __future__ import annotations

import io
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from gx2c.errors import UserError
from gx2c.importing.gene_lists import GENE_SET_SOURCES
from gx2c.importing.registry import remotes
from sweeps.cli import app as cli
from sweeps.cli.tables import print_table
from sweeps.request import geneex2conn_names as names
from sweeps.request.geneex2conn import translate
from sweeps.request.geneex2conn_options import PUBLISHED
from sweeps.request.options import SweepOptions, make_options

ROOT = Path(__file__).parents[3]
# The registry and the arguments of the published `single_sim_run`, and what else its files hold
MODELS = """cge gaussian_kernel exponential_decay bilinear_lowrank bilinear_CM xgboost pls_twostep
pls_mlpdecoder pls_bilineardecoder dynamic_mlp shared_mlp_encoder shared_linear_encoder
shared_transformer shared_transformer_pool shared_transformer_cls shared_transformer_cls_pool
shared_transformer_conv shared_transformer_pca shared_transformer_pls shared_transformer_ae
shared_transformer_celltype shared_transformer_geneformer self_attention_genevec
cross_attention_genevec mixed_attention_genevec shared_transformer_gene2vec linear ridge pls
random_forest svm""".split()
ARGUMENTS = """feature_type train_shared_regions test_shared_regions omit_subcortical dataset
parcellation hemisphere connectome_target impute_strategy sort_genes gene_list cv_type resolution
random_seed search_method track_wandb skip_cv model_type use_gpu null_model save_model use_folds
n_cvs include_conn_feats use_shared_regions binarize""".split()
SPATIAL = """
feature_type:
  - transcriptome: null
dataset: 'UKBB'
parcellation: 'S456'
hemisphere: 'both'
connectome_target: 'FC'
impute_strategy: 'mirror_interpolate'
sort_genes: '20bin_constrained_kmeans'
gene_list: '0.2'
null_model: 'spin'
cv_type: spatial
resolution: 1.0
random_seed: 7
search_method: ['wandb', 'mse', 3]
track_wandb: true
skip_cv: false
use_folds: [0, 1, 2, 3]
model_type: shared_transformer
use_gpu: true
"""


def test_every_published_name_is_known():
    assert set(MODELS) <= set(names.MODELS)
    assert set(ARGUMENTS) <= set(PUBLISHED)
    fetched = names.OUR_DATASETS - {"schaefer100"}
    assert fetched <= set(remotes())
    lists = {o.options["genes"] for o in names.GENES.values() if "gmt" in o.options["genes"]}
    assert {name.removesuffix(".gmt") for name in lists} <= set(GENE_SET_SOURCES)


@pytest.mark.parametrize("model", names.MODELS)
def test_every_model_is_one_here_and_the_command_has_the_same_options(
    model, translated, options_of
):
    given = {"embeddings": "rows.tsv"} if model == "shared_transformer_geneformer" else {}

    found = translated(given, model_type=model)

    assert found.model == names.MODELS[model].options["model"]
    same = make_options(found.model, preset="standard", **found.options)
    assert options_of(found.command("standard")) == same
    # a file without an option means the published default
    assert (same.split, same.dataset, same.samples, same.seeds) == ("random", "ukbb_s456", 5, "42")
    assert same.nulls == 0


EACH = [
    ("feature_type", [{"transcriptome": None}], {}),
    ("feature_type", ["transcriptome", "euclidean"], {"model": "mlp_coords"}),
    ("feature_type", [{"transcriptome": "PCA_95var"}], {"model": "mlp_pca"}),
    ("feature_type", [{"transcriptome": "PCA_95var"}, {"euclidean": None}],
     {"features": "expression-pca:27+coordinates"}),
    ("feature_type", "euclidean", {"features": "coordinates"}),
    ("feature_type", [{"structural": "spectral_L_12"}], {"features": "structural-laplacian:12"}),
    ("feature_type", [{"structural_spectral_A_5": None}], {"features": "structural-adjacency:5"}),
    ("feature_type", ["structural_spatial_null"], {"features": "coordinates+structural"}),
    ("train_shared_regions", True, {}),
    ("use_shared_regions", True, {}),
    ("include_conn_feats", True, {}),
    ("test_shared_regions", True, {"train_test_edges": True}),
    ("omit_subcortical", True, {"cortex_only": True}),
    ("dataset", "HCP", {"dataset": "hcp_s456"}),
    ("parcellation", "S400", {"dataset": "ukbb_s456"}),
    ("parcellation", "iPA_183", {"dataset": "ipa183"}),
    ("hemisphere", "left", {"hemisphere": "left"}),
    ("connectome_target", "sc", {"target": "structural"}),
    ("connectome_target", "FC_EXP_RES", {"model": "geography+mlp"}),
    ("binarize", True, {"binarise": 0.3}),
    ("impute_strategy", "mirror", {}),
    ("sort_genes", None, {}),
    ("sort_genes", "expression", {"gene_order": "expression"}),
    ("sort_genes", "180bin_constrained_kmeans", {"gene_order": "cluster_180"}),
    ("gene_list", "100_var", {"genes": "100_var"}),
    ("gene_list", 0.2, {"genes": "all"}),
    ("gene_list", "all_abagen", {"genes": "all_groups"}),
    ("gene_list", "syngo", {"genes": "syngo.gmt"}),
    ("null_model", "spin", {"nulls": 100, "null_method": "verdict"}),
    ("null_model", True, {"nulls": 100}),
    ("null_model", "random", {"nulls": 100, "null_method": "random"}),
    ("cv_type", "random_full", {"split": "random", "folds": 100}),
    ("cv_type", "schaefer", {"split": "network"}),
    ("cv_type", "lobe", {"split": "lobe"}),
    ("cv_type", "community", {"split": "community-target", "resolution": 1.0}),
    ("resolution", 2, {"resolution": 1.0}),
    ("random_seed", 9, {"seeds": "9"}),
    ("search_method", ["wandb", "mse", 12], {"samples": 12}),
    ("n_cvs", 7, {"samples": 7}),
    ("skip_cv", True, {"samples": 1}),
    ("use_folds", [0, 1], {"folds": 4}),
    ("use_gpu", False, {}),
    ("track_wandb", True, {}),
    ("save_model", "stem", {}),
    ("model_type", "shared_transformer_cls", {"model": "smt_cls"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "expected"), EACH)
def test_every_option_is_translated_or_left_out_with_a_reason(name, value, expected, translated):
    found = translated(**{name: value})

    options = make_options(found.model, preset="standard", **found.options)
    assert {key: getattr(options, key) for key in expected} == expected
    (row,) = [row for row in found.rows if row["published"].startswith(f"{name}: ")]
    if row["here"] == "-" and value is not False:
        assert row["difference"] != "none"


def test_each_option_has_an_example():
    assert {name for name, *_ in EACH} == set(PUBLISHED)


@pytest.mark.parametrize("model", ["smt_cls", "gaussian_kernel"])
def test_coordinates_are_given_once(model, translated):
    published = {ours.options["model"]: name for name, ours in names.MODELS.items()}[model]
    found = translated(model_type=published, feature_type=["euclidean", "transcriptome"])

    assert found.model == model
    assert make_options(found.model, preset="standard", **found.options).features == "expression"


def test_a_transformer_with_coordinates_is_the_one_with_a_token_of_them(translated):
    found = translated(
        model_type="shared_transformer", feature_type=[{"transcriptome": None}, {"euclidean": None}]
    )

    assert found.model == "smt_cls"


def test_the_command_line_replaces_the_file_and_the_printed_command_sweeps_the_same(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    Path("spatial.yml").write_text(SPATIAL)
    swept: list[SweepOptions] = []

    def stop(options: SweepOptions, *_: Any, **__: Any) -> None:
        swept.append(options)
        raise UserError("stopped before the sweep")

    monkeypatch.setattr("sweeps.run.sweep.run_sweep", stop)
    given = "--dataset schaefer100 --preset quick --split bilateral --gpus-per-trial auto"

    with pytest.raises(SystemExit):
        cli.main(["sweep", "--from-geneex2conn", "spatial.yml", "cge", *given.split()])

    (command,) = re.findall("^equivalent  (.*)$", capsys.readouterr().out, re.MULTILINE)
    with pytest.raises(SystemExit):
        cli.main(shlex.split(command)[1:])
    first, again = swept
    assert first == again
    assert (first.model, first.split, first.dataset) == ("cge", "bilateral", "schaefer100")
    # from the file
    assert (first.samples, first.seeds, first.genes, first.gene_order) == (
        3, "7", "all", "cluster_20",
    )  # fmt: skip
    # of the preset
    assert first.nulls == 20


def test_a_file_may_merge_keys_and_its_long_values_are_shortened(tmp_path):
    path = tmp_path / "experiment.yml"
    merged = "model_type: &m cge\n<<: {random_seed: 3, model_type: xgboost}\n"
    path.write_text(f"{merged}save_model: {'x' * 5000}\nuse_folds: {list(range(99))}\n")

    found = translate(path, {})

    assert (found.model, found.options["seeds"]) == ("cge", "3")
    rows = {row["published"].partition(":")[0]: row["published"] for row in found.rows}
    assert rows["use_folds"] == "use_folds: 0, 1, 2, 3, 4, 5, 6, 7, 91 more"
    assert rows["save_model"].endswith("xx…") and len(rows["save_model"]) < 250


@pytest.mark.parametrize(
    ("file", "samples"),
    [
        ({"n_cvs": 7, "search_method": ["wandb", "mse", 3]}, 7),
        ({"n_cvs": 7, "skip_cv": True}, 1),
    ],
)
def test_only_the_option_that_counts_the_trials_is_translated(file, samples, translated):
    found = translated(**file)

    here = [row["here"] for row in found.rows if "--samples" in row["here"]]
    assert (here, found.options["samples"]) == ([f"--samples {samples}"], samples)


def test_a_ranking_that_is_not_followed_is_named(translated):
    (row,) = [
        row for row in translated(search_method=["random", "pearson", 3]).rows
        if row["published"].startswith("search_method")
    ]  # fmt: skip
    assert row["difference"].endswith("by mean squared error, not by pearson")


def test_the_table_fits_80_columns(translated):
    file = {name: value for name, value, _ in EACH}
    screen = Console(file=io.StringIO(), width=80, force_terminal=True, highlight=False)

    found = translated(**file)
    print_table(found.rows, found.notes, left=found.rows[0], console=screen)

    shown = re.sub("\x1b\\[[0-9;]*m", "", screen.file.getvalue())
    lines = shown.splitlines()
    assert max(len(line) for line in lines if "│" in line) <= 80
    assert all(name in shown for name in file)


def test_the_page_shows_the_translation_of_its_experiment(tmp_path):
    text = (ROOT / "docs/compared.md").read_text()
    (file,) = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    commands = re.findall(r"^gx2c sweep smt .*$", text, re.MULTILINE)
    path = tmp_path / "experiment.yml"
    path.write_text(file)

    assert translate(path, {}).command("standard") in commands
