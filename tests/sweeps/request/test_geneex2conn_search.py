"""Files of searches become a model and its longest training, and whatever they vary is named."""

from __future__ import annotations

import yaml

from search_spaces import Scale, get_search_space
from sweeps.cli.models import dimensions
from sweeps.request import geneex2conn_names as names
from sweeps.request.geneex2conn import translate
from sweeps.request.geneex2conn_search import AXES, EPOCHS, LEFT_OUT, axes_of
from sweeps.request.options import make_options

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


def test_a_search_file_names_its_model_and_the_longest_training(tmp_path, options_of):
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
