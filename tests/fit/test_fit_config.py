from __future__ import annotations

import dataclasses
import json

import pytest
import yaml

from gx2c.errors import UserError
from gx2c.fit import FitConfig, GeneOptions, TrainingSettings

CONFIG = FitConfig(
    "smt",
    {"hidden_dims": (64, 32), "alibi": False, "dropout": 0.25},
    TrainingSettings(learning_rate=2e-4, schedule="plateau", block_regions=24, patience=7),
    GeneOptions(which=("GENE2", "GENE1"), order="random", seed=9),
)


@pytest.mark.parametrize(
    "config", [CONFIG, FitConfig("cge"), FitConfig("mlp", genes=GeneOptions("5_var"))]
)
@pytest.mark.parametrize(
    "write_and_read",
    [lambda plain: json.loads(json.dumps(plain)), lambda p: yaml.safe_load(yaml.safe_dump(p))],
    ids=["json", "yaml"],
)
def test_a_config_survives_a_file(config, write_and_read):
    assert FitConfig.from_dict(write_and_read(config.to_dict())) == config


def test_plain_values_are_a_copy():
    plain = CONFIG.to_dict()
    plain["hyperparameters"]["hidden_dims"].append(1)
    plain["training"]["patience"] = 1
    assert CONFIG.hyperparameters["hidden_dims"] == (64, 32) and CONFIG.training.patience == 7


BAD = {
    "no model": (lambda p: p.pop("model"), "not a config of a fit"),
    "unknown model": (
        lambda p: p.update(model="smpt"),
        "no model named 'smpt'; did you mean 'smt'",
    ),
    "unknown key": (lambda p: p.update(hyperparams={}), r"has no \['hyperparams'\]"),
    "unknown setting": (lambda p: p["training"].update(lr=1), "unexpected keyword argument 'lr'"),
    "unknown gene option": (lambda p: p["genes"].update(n=1), "unexpected keyword argument 'n'"),
    "list for a mapping": (lambda p: p.update(hyperparameters=[1]), "not a config of a fit"),
    "nothing for a mapping": (lambda p: p.update(training=None), "not a config of a fit"),
    "schedule": (lambda p: p["training"].update(schedule="step"), "no learning-rate schedule"),
    "block": (lambda p: p["training"].update(block_regions=1), "block_regions is 1; give a whole"),
    "epochs": (lambda p: p["training"].update(max_epochs=1.5), "max_epochs is 1.5; give a whole"),
    "patience": (lambda p: p["training"].update(patience=0), "patience is 0; give a whole"),
    "rate": (lambda p: p["training"].update(learning_rate="1e-3"), "learning_rate is '1e-3'"),
    "nan": (lambda p: p["training"].update(weight_decay=float("nan")), "weight_decay is nan"),
    "negative": (lambda p: p["training"].update(learning_rate=-1), "learning_rate is -1"),
    "which genes": (lambda p: p["genes"].update(which=500), "genes 500 are no choice"),
    "gene order": (lambda p: p["genes"].update(order="size"), "no gene order named 'size'"),
    "gene seed": (lambda p: p["genes"].update(seed=-1), "the seed of genes is -1"),
}


@pytest.mark.parametrize(("spoil", "message"), BAD.values(), ids=BAD.keys())
def test_a_bad_config_is_refused_in_one_sentence(spoil, message):
    plain = CONFIG.to_dict()
    spoil(plain)
    with pytest.raises(UserError, match=message) as refusal:
        FitConfig.from_dict(plain)
    assert "\n" not in str(refusal.value)


def test_configs_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        CONFIG.model = "mlp"
