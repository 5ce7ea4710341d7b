"""Every model: what is saved predicts the same digits, whatever the order of genes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from cases import NETWORKS, brief_config, brief_fit, outer_fold, planted_brain, saved_fit

from gx2c.data.matrix import matrix_text
from gx2c.errors import UserError
from gx2c.models import MODELS


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
