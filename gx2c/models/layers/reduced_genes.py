"""Reductions of a region's genes to fewer numbers: layers fixed before the first epoch."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gx2c.data.brain import FloatArray
from gx2c.errors import require_choice
from gx2c.models.layers.bases import PairNetwork
from gx2c.models.layers.population import (
    EPSILON,
    PopulationBatchNorm,
    PopulationLinear,
    PreparedLayer,
    initialise,
    zeros,
)
from gx2c.models.protocol import TrainingData
from gx2c.models.reduction import fit_reduction, spanned_basis

# weight (n_in, n_out) and bias (n_out,)
Layer = tuple[FloatArray, FloatArray]

HIDDEN_DIMS = (500, 250, 125)
N_STEPS = 150
LEARNING_RATE = 1e-3


class ReducedGenes(PreparedLayer):
    """Scores of PCA or PLS, or the code of an autoencoder, learned from training regions alone.

    These layers are not trained with the network. They are part of its state, so exported weights
    predict from genes.

    Parameters
    ----------
    n_genes
        Genes per region.
    kind
        A key of `REDUCERS`.
    n_components
        Numbers per region; those beyond the maximum that the training regions allow are zero.
    whiten
        Whether to divide each score by its deviation over the training regions, or all by the root
        of their mean variance, which leaves the first components the largest.
    """

    def __init__(self, n_genes: int, kind: str, n_components: int, *, whiten: bool) -> None:
        super().__init__()
        require_choice("reduction", kind, REDUCERS)
        self.kind, self.n_components, self.whiten = kind, n_components, whiten
        widths = [n_genes, *REDUCERS[kind][1], n_components]
        for number, (n_in, n_out) in enumerate(zip(widths, widths[1:], strict=False)):
            self.register_buffer(f"weight_{number}", zeros(n_in, n_out))
            self.register_buffer(f"bias_{number}", zeros(1, n_out))
        self.n_layers = len(widths) - 1

    def prepare(self, member: int, training: TrainingData, *, seed: int) -> None:
        """Learn a member's layers from its training regions."""
        learn, _ = REDUCERS[self.kind]
        layers = learn(training, self.n_components, seed)
        weight, bias = layers[-1]
        scores = run(layers, training.regions.expression)
        layers[-1] = scaled(weight, bias, scores, whiten=self.whiten)
        for number, values in enumerate(layers):
            for name, value in zip(("weight", "bias"), values, strict=True):
                buffer = self.get_buffer(f"{name}_{number}")[member]
                # with fewer components than columns, zeros remain
                buffer[..., : value.shape[-1]].copy_(torch.from_numpy(value.astype(np.float32)))

    def forward(self, expression: Tensor) -> Tensor:
        """Reduce (n_members, n_regions, n_genes) to (n_members, n_regions, n_components)."""
        x = expression
        for number in range(self.n_layers):
            x = F.elu(x) if number > 0 else x
            weight, bias = (self.get_buffer(f"{name}_{number}") for name in ("weight", "bias"))
            x = torch.baddbmm(bias, x, weight)
        return x


def on_scores(
    n_genes: int,
    *,
    network: Callable[..., PairNetwork],
    reduction: str,
    n_components: int = 27,
    whiten: bool = False,
    **of_network: Any,
) -> PairNetwork:
    """Make a network that reads scores in place of genes.

    Parameters
    ----------
    n_genes, reduction, n_components, whiten
        See `ReducedGenes`.
    network, of_network
        Makes the network from the number of features of a region, and its other keywords.
    """
    made = network(n_components, **of_network)
    made.reduced = ReducedGenes(n_genes, reduction, n_components, whiten=whiten)
    return made


def run(layers: list[Layer], expression: FloatArray) -> FloatArray:
    """Apply layers to (n_regions, n_genes), with ELU between them."""
    x = expression
    for number, (weight, bias) in enumerate(layers):
        if number > 0:
            x = np.where(x > 0, x, np.expm1(np.minimum(x, 0)))
        x = x @ weight + bias
    return x


def scaled(weight: FloatArray, bias: FloatArray, scores: FloatArray, *, whiten: bool) -> Layer:
    """Rescale the layer of some scores to centred scores of unit variance, each or on average."""
    variance = scores.var(axis=0)
    per_score = np.broadcast_to(variance if whiten else variance.mean(), variance.shape)
    scale = np.where(per_score > 0, 1 / np.sqrt(np.where(per_score > 0, per_score, 1)), 0)
    return weight * scale, (bias - scores.mean(axis=0)) * scale


def _scores(name: str, training: TrainingData, n_components: int, seed: int) -> list[Layer]:
    reduction = fit_reduction(
        name, training.regions.expression, training.connectome, n_components=n_components
    )
    return [(reduction.rotation, -(reduction.mean @ reduction.rotation))]


def learn_autoencoder(expression: FloatArray, *, code_dim: int, seed: int) -> list[Layer]:
    """Train an autoencoder and return its encoder, batch normalisation folded into the layers.

    The widths are genes, 500, 250, 125, code, and back; each hidden layer is Linear, BatchNorm,
    ELU. It runs in the space that the training regions span, where squared errors are the same and
    15,000 genes take no more columns than there are regions. The part of a new region outside that
    space is ignored.

    Parameters
    ----------
    expression
        (n_train_regions, n_genes), standardised.
    code_dim
        Length of the code.
    seed
        Seed of the initial weights; every step uses all training regions.

    Returns
    -------
    list of Layer
        Layers from genes to the code, to be applied with ELU between them.

    References
    ----------
    GeneEx2Conn, model `shared_transformer_ae`, whose weights come from training on all regions.
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
        layers += [PopulationLinear(n_in, n_out), PopulationBatchNorm(n_out), nn.ELU()]
    return nn.Sequential(*layers, PopulationLinear(widths[-2], widths[-1]))


@torch.no_grad()
def _folded(encoder: nn.Sequential, x: torch.Tensor) -> list[Layer]:
    """Return the encoder's layers with the statistics of all training regions folded in."""
    layers: list[Layer] = []
    for module in encoder:
        if isinstance(module, PopulationLinear):
            x = module(x)
            assert module.bias is not None
            layers.append((_plain(module.weight[0]), _plain(module.bias[0, 0])))
        elif isinstance(module, PopulationBatchNorm):
            variance, mean = torch.var_mean(x[0], dim=0, correction=0)
            scale = module.weight[0] / (variance + EPSILON).sqrt()
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


# (training, number of components, seed) -> layers, and the widths between genes and scores
REDUCERS: dict[str, tuple[Callable[[TrainingData, int, int], list[Layer]], tuple[int, ...]]] = {
    "pca": (partial(_scores, "pca"), ()),
    "pls": (partial(_scores, "pls"), ()),
    "autoencoder": (
        lambda training, n_components, seed: learn_autoencoder(
            training.regions.expression, code_dim=n_components, seed=seed
        ),
        HIDDEN_DIMS,
    ),
}
