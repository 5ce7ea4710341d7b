"""Every model: what is saved predicts the same digits, whatever the order of genes."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from cases import (
    NETWORKS,
    PROFILE,
    brief_config,
    brief_fit,
    outer_fold,
    planted_brain,
    saved_fit,
)

from gx2c.data.matrix import matrix_text
from gx2c.errors import UserError
from gx2c.fit import GeneOptions, retrain
from gx2c.models import MODELS
from gx2c.saved.starting import Starts


def check_embedding(loaded, brain, regions, predicted):
    """The head makes of the embeddings what the model predicts."""
    (embedding,) = loaded.embed(brain, regions)
    network = loaded.fitted[0].groups[0].network
    z = torch.from_numpy(embedding[None].astype(np.float32))
    with torch.no_grad():
        directed = network.decode_between(z, z)[0].double().numpy()
    mean = np.clip((directed + directed.T) / 2, -1, 1)
    np.testing.assert_allclose(mean, predicted, atol=1e-6)


@pytest.mark.parametrize("model", MODELS)
def test_a_saved_model_predicts_the_same_digits(model, tmp_path):
    brain, fold, found = planted_brain(), outer_fold(), brief_fit(model)
    loaded = saved_fit(model, tmp_path)
    order = np.random.default_rng(0).permutation(brain.n_genes)
    turned = dataclasses.replace(
        brain,
        genes=tuple(brain.genes[i] for i in order),
        expression=brain.expression[:, order],
        tss=None,
        gene_vectors=None,
    )
    labels = loaded.about.test_regions
    printed = matrix_text(labels, found.predicted, digits=8, index="region")
    for shown in (brain, turned):
        predicted = loaded.predict(shown, fold.test_regions)
        assert matrix_text(labels, predicted, digits=8, index="region") == printed
    assert loaded.name == model and loaded.n_members == 1
    if model in NETWORKS:
        check_embedding(loaded, brain, fold.test_regions, found.predicted)
    else:
        with pytest.raises(UserError, match="encodes no region"):
            loaded.embed(brain)
    assert len(loaded.genes) == (30 if "expression" in brief_config(model).uses else 0)


IN_A_FRESH_PROCESS = """
import sys
sys.modules.update(ray=None, optuna=None)
import gx2c, gx2c.explain, numpy as np
from gx2c.data.unmeasured import Unmeasured
names, given = ("labels", "genes"), dict(np.load("new.npz"))
regions = Unmeasured("new", **given | {name: tuple(given[name].tolist()) for name in names})
test = np.load("test.npy")
models = {name: gx2c.load_model(name) for name in sys.argv[1:]}
np.savez("found.npz", **{name: model.predict(regions, test) for name, model in models.items()})
"""


def test_a_fresh_process_without_ray_predicts_the_same_digits(tmp_path):
    """All models in one process, where importing Ray or Optuna fails."""
    brain, test = planted_brain(), outer_fold().test_regions
    expected = {name: saved_fit(name, tmp_path / name).predict(brain, test) for name in MODELS}
    fields = ("labels", "genes", "expression", "coords_mm", "hemisphere")
    np.savez(tmp_path / "new.npz", **{name: getattr(brain, name) for name in fields})
    np.save(tmp_path / "test.npy", test)
    done = subprocess.run(
        [sys.executable, "-c", IN_A_FRESH_PROCESS, *MODELS],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert not done.returncode, done.stderr
    found = np.load(tmp_path / "found.npz")
    assert sorted(found) == sorted(MODELS)
    for name, predicted in expected.items():
        np.testing.assert_allclose(found[name], predicted, atol=1e-7, err_msg=name)


@pytest.mark.parametrize("model", NETWORKS)
def test_a_network_starts_where_a_saved_one_ended(model, tmp_path):
    """Without a step of training it predicts what that one does; with one, something else."""
    brain, loaded = planted_brain(), saved_fit(model, tmp_path)
    (fold,) = Starts.of(tmp_path, model).begin(brain, [outer_fold()])
    config = dataclasses.replace(
        brief_config(model), genes=GeneOptions(loaded.genes, order="listed")
    )
    expected = loaded.predict(brain, fold.test_regions)
    for n_epochs in (0, 1):
        rates = [0.01] * n_epochs
        (found,) = retrain(config, [brain], fold, learning_rates=rates, seeds=[77], profile=PROFILE)
        assert np.allclose(found.predicted, expected, atol=1e-6) is (n_epochs == 0)
