"""Experiment files of GeneEx2Conn become options of a sweep, and no name of theirs is lost."""

from __future__ import annotations

import io
import re
import shlex
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from rich.console import Console

from gx2c.errors import UserError
from gx2c.importing.gene_lists import GENE_SET_SOURCES
from gx2c.importing.registry import remotes
from search_spaces import Scale, get_search_space
from sweeps.cli import app as cli
from sweeps.cli.models import dimensions
from sweeps.cli.tables import print_table
from sweeps.request import geneex2conn_names as names
from sweeps.request.geneex2conn import Translation, translate
from sweeps.request.geneex2conn_options import PUBLISHED
from sweeps.request.geneex2conn_search import AXES, EPOCHS, LEFT_OUT, axes_of
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
# Whatever the published searches vary
VARIED = """epochs learning_rate batch_size weight_decay dropout_rate deep_hidden_dims
transformer_dropout prefetch_factor num_workers num_layers nhead d_model aug_prob use_alibi
token_encoder_dim n_components aug_style encoder_output_dim cosine_lr scale pooling_mode max_iter
lambda_sym lambda_reg genevec_type expression_bins use_attention_pooling regularization
optimize_encoder hidden_dims cls_init use_mlp_downsampler use_bilinear subsample stride
shared_weights scale_range scale_pos_weight roi_combination region_emb_init reg_lambda reg_alpha
reduced_dim projection_layers pooling out_channels num_tokens n_estimators n_components_l
n_components_k min_child_weight max_depth kernel_size init_sigma gamma finetune_last_layer
encoder_hidden_dim colsample_bytree cls_dropout bidirectional activation SA_lambda SA_inf
input_dim""".split()
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


@lru_cache
def sweep_command() -> Any:
    return typer.main.get_command(cli.app).commands["sweep"]


def options_of(command: str) -> SweepOptions:
    """Read a printed command as the command line does."""
    program, name, *words = shlex.split(command)
    assert (program, name) == ("gx2c", "sweep")
    given = sweep_command().make_context("sweep", words).params
    free = {"out", "resume", "notify", "from_geneex2conn"}
    return make_options(**{name: value for name, value in given.items() if name not in free})


@pytest.fixture
def translated(tmp_path: Path):
    def call(given: dict[str, Any] | None = None, **file: Any) -> Translation:
        path = tmp_path / "experiment.yml"
        path.write_text(yaml.safe_dump(file))
        return translate(path, given or {})

    return call


def test_every_published_name_is_known():
    assert set(MODELS) <= set(names.MODELS)
    assert set(ARGUMENTS) <= set(PUBLISHED)
    fetched = names.OUR_DATASETS - {"schaefer100"}
    assert fetched <= set(remotes())
    lists = {o.options["genes"] for o in names.GENES.values() if "gmt" in o.options["genes"]}
    assert {name.removesuffix(".gmt") for name in lists} <= set(GENE_SET_SOURCES)


@pytest.mark.parametrize("model", names.MODELS)
def test_every_model_is_one_here_and_the_command_has_the_same_options(model, translated):
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


REFUSED = {
    "an unknown option": ({"model_typ": "cge", "cv_type": "random"}, "did you mean 'model_type'"),
    "an unknown model": ({"model_type": "shared_transformers"}, "'shared_transformer'"),
    "a list of models": ({"model_type": ["cge"]}, r"no model \['cge'\]"),
    "the target as a feature": ({"feature_type": ["functional"]}, "leaks the target"),
    "no features": ({"feature_type": []}, "names no feature"),
    "the last eigenvectors": ({"feature_type": ["structural_spectral_L_-3"]}, "positive"),
    "a curve as target": ({"connectome_target": "FC_EXP_DECAY"}, "--target NAME"),
    "no public data": ({"dataset": "HCP", "parcellation": "S156"}, "--dataset"),
    "embeddings": ({"sort_genes": "geneformer_raw"}, "--embeddings FILE"),
    "a word for a number": ({"random_seed": "x"}, "no whole number"),
    "a word for a switch": ({"skip_cv": "false"}, "neither true nor false"),
    "half a search": ({"search_method": "random"}, "number of trials"),
    "no experiment": ({"gx2c": 1}, "holds no experiment"),
    "an unknown axis": ({"parameters": {"depth": {"values": [2]}}}, "varies no 'depth'"),
    "no seed": ({"random_seed": -1}, "experiment.yml: random_seed: --seeds: '-1' is no list"),
    "no trials": ({"n_cvs": 0}, "n_cvs: --samples is 0; give a whole number from 1"),
    "no such resolution": ({"cv_type": "community", "resolution": 10**400}, "it is too large"),
    "no number": ({"cv_type": "community", "resolution": float("nan")}, "--resolution is nan"),
    "no feature": ({"feature_type": ["structural_spectral_L_0"]}, "from 1 to 1000"),
    "a path of genes": ({"gene_list": "../x_var"}, "no list of genes"),
    "a word for a GPU": ({"use_gpu": "maybe"}, "neither true nor false"),
    "no values": ({"parameters": {"nhead": {"values": []}}, "name": "cge"}, "nhead is {'values'"),
    "two ways": ({"parameters": {"nhead": {"value": 2, "values": [4]}}}, "value, values, or min"),
    "a range upside down": ({"parameters": {"nhead": {"min": 4, "max": 2}}}, "from 4 to 2; give"),
    "a range of NaN": ({"parameters": {"nhead": {"min": float("nan"), "max": 2}}}, "from nan to 2"),
    "a mapping as value": ({"parameters": {"nhead": {"value": {"a": 1}}}}, "numbers, words or"),
    "no epochs": (
        {"parameters": {"epochs": {"values": [True]}}, "name": "dynamic_mlp"},
        "yml: epochs are",
    ),
    "epochs out of range": (
        {"parameters": {"epochs": {"value": 10**9}}, "name": "dynamic_mlp"},
        "yml: --max-epochs is",
    ),
    "no parameters": ({"parameters": [1]}, "parameters are no mapping"),
    "more than a search": ({"parameters": {}, "dataset": "HCP"}, "a search has no 'dataset'"),
    "a search of no model": ({"parameters": {}, "name": "cnn"}, "no model 'cnn'"),
    "a search of a list": ({"parameters": {}, "name": ["cge"]}, "did you mean 'cge'.*as name"),
    "several mistakes": ({"cv_type": "x", "gene_list": "y"}, "gene_list: .*cv_type: "),
}


@pytest.mark.parametrize(("file", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_has_no_meaning_here_is_refused(file, sentence, translated):
    with pytest.raises(UserError, match=sentence):
        translated(**file)


# each line repeats the one before it ten times
BOMB = "\n".join(["_0: &a0 x", *(f"_{n}: &a{n} [{f'*a{n - 1},' * 10}]" for n in range(1, 12))])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("!!python/object/apply:os.system ['touch executed']", "not YAML"),
        ("- a\n- b", "holds no experiment"),
        ("", "holds no experiment"),
        ("a: [", "not YAML"),
        ("cv_type: random\ncv_type: spatial", "line 2, column 1: 'cv_type' is given twice"),
        ("n_cvs: 3\n\tcv_type: random", "line 2, column 1: found character"),
        ("save_model: &a [*a]", "its aliases (*) repeat too much"),
        (BOMB, "its aliases (*) repeat too much"),
        (b"save_model: \xff", "byte 13 is not UTF-8 text"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_experiment_ends_in_a_sentence(
    text, sentence, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    if text is not None:
        Path("experiment.yml").write_bytes(text if isinstance(text, bytes) else text.encode())

    with pytest.raises(SystemExit) as stop:
        cli.main(["sweep", "--from-geneex2conn", "experiment.yml"])

    assert stop.value.code == 2
    assert sentence in " ".join(capsys.readouterr().err.split())
    assert not Path("executed").exists()


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


def test_whatever_a_published_search_varies_has_a_name_in_some_search_space_or_a_reason():
    assert set(VARIED) == {*AXES, *LEFT_OUT, EPOCHS}
    published = Scale(small=False, n_genes=7380, n_train_regions=228, max_epochs=110, patience=50)
    found: dict[str, set[str]] = {}
    for model in {ours.options["model"] for ours in names.MODELS.values()}:
        space = dimensions(get_search_space(model), published)
        for name, axis, _ in axes_of(model, dict.fromkeys(AXES, [1])):
            if axis in space:
                found.setdefault(name, set()).add(axis)
    assert {name: set(axes) for name, axes in AXES.items()} == found


def test_a_search_file_names_its_model_and_the_longest_training(tmp_path):
    path = tmp_path / "shared_transformer_sweep_config.yml"
    path.write_text(yaml.safe_dump({
        "method": "random",
        "parameters": {
            "nhead": {"values": [2, 4]},
            "learning_rate": {"distribution": "log_uniform_values", "min": 1e-5, "max": 1e-2},
            "deep_hidden_dims": {"values": [[256, 128], [512, 256, 128]]},
            "num_workers": {"value": 2},
            "epochs": {"values": [90, 110]},
        },
        "best_parameters": {"nhead": {"values": [4]}},
    }))  # fmt: skip

    found = translate(path, {})

    rows = {row["published"]: (row["here"], row["difference"]) for row in found.rows[-5:]}
    assert (found.model, found.options["max_epochs"]) == ("smt", 110)
    assert rows["nhead: 2, 4"] == ("n_heads (searched)", "none")
    assert rows["deep_hidden_dims: [256, 128], [512, 256, 128]"][0] == "hidden_dims (searched)"
    assert rows["num_workers: 2"] == ("-", LEFT_OUT["num_workers"])
    assert options_of(found.command("quick")) == make_options(
        "smt", preset="quick", **found.options
    )
    assert translate(path, {"max_epochs": 9, "model": "cge"}).options["max_epochs"] == 9


def test_the_page_shows_the_translation_of_its_experiment(tmp_path):
    text = (ROOT / "docs/compared.md").read_text()
    (file,) = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    commands = re.findall(r"^gx2c sweep smt .*$", text, re.MULTILINE)
    path = tmp_path / "experiment.yml"
    path.write_text(file)

    assert translate(path, {}).command("standard") in commands
