"""An autoencoder of expression, trained on training regions before the network."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gx2c.models.population import (
    PopulationBatchNorm,
    PopulationLinear,
    initialise,
)
from gx2c.models.reduction import spanned_basis

FloatArray = NDArray[np.float64]
# weight (n_in, n_out) and bias (n_out,)
Layer = tuple[FloatArray, FloatArray]

HIDDEN_DIMS = (500, 250, 125)
N_STEPS = 150
LEARNING_RATE = 1e-3
BATCH_NORM_EPSILON = 1e-5


def learn_autoencoder(expression: FloatArray, *, code_dim: int, seed: int) -> list[Layer]:
    """Train an autoencoder and return its encoder, batch normalisation folded into the layers.

    Genes to 500, 250, 125 and the code, each hidden layer Linear, BatchNorm, ELU, and back. It
    runs in the space that the training regions span: squared errors are the same there, 15,000
    genes are no more columns than there are regions, and what of a new region lies outside that
    space is ignored.

    Parameters
    ----------
    expression
        (n_train_regions, n_genes), standardised.
    code_dim
        Length of the code.
    seed
        Of the first weights; every step sees all training regions.

    Returns
    -------
    list of Layer
        From genes to the code; ELU belongs between them.

    References
    ----------
    GeneEx2Conn, model `shared_transformer_ae`, whose weights are trained elsewhere, on all
    regions.
    """
    basis = spanned_basis(expression)
    scores = expression @ basis
    x = torch.from_numpy((scores / scores.std()).astype(np.float32)).unsqueeze(0)
    encoder = _layers([x.shape[2], *HIDDEN_DIMS, code_dim])
    network = nn.Sequential(encoder, nn.ELU(), _layers([code_dim, *HIDDEN_DIMS[::-1], x.shape[2]]))
    initialise(network, [seed])
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE)
    with torch.enable_grad():
        for _ in range(N_STEPS):
            optimizer.zero_grad(set_to_none=True)
            (network(x) - x).square().mean().backward()
            optimizer.step()
    first, *rest = _folded(encoder, x)
    return [(basis @ first[0] / scores.std(), first[1]), *rest]


def _layers(widths: list[int]) -> nn.Sequential:
    """Linear, BatchNorm and ELU between all widths but the last, which is linear."""
    layers: list[nn.Module] = []
    for n_in, n_out in zip(widths, widths[1:-1], strict=False):
        layers += [
            PopulationLinear(n_in, n_out, n_members=1),
            PopulationBatchNorm(n_out, n_members=1),
            nn.ELU(),
        ]
    return nn.Sequential(*layers, PopulationLinear(widths[-2], widths[-1], n_members=1))


@torch.no_grad()
def _folded(encoder: nn.Sequential, x: torch.Tensor) -> list[Layer]:
    """Return the encoder's layers with the statistics of all training regions, once and for all."""
    layers: list[Layer] = []
    for module in encoder:
        if isinstance(module, PopulationLinear):
            x = module(x)
            assert module.bias is not None
            layers.append((_plain(module.weight[0]), _plain(module.bias[0, 0])))
        elif isinstance(module, PopulationBatchNorm):
            variance, mean = torch.var_mean(x[0], dim=0, correction=0)
            scale = module.weight[0] / (variance + BATCH_NORM_EPSILON).sqrt()
            weight, bias = layers[-1]
            layers[-1] = (
                weight * _plain(scale),
                (bias - _plain(mean)) * _plain(scale) + _plain(module.bias[0]),
            )
            x = (x - mean) * scale + module.bias[0]
        else:
            x = module(x)
    return layers


def _plain(values: torch.Tensor) -> FloatArray:
    return values.double().numpy()
