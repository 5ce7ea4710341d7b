"""Fewer numbers a region in place of its genes: layers that are fixed before the first pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gx2c.models.autoencoder import HIDDEN_DIMS, Layer, learn_autoencoder
from gx2c.models.keywords import require_choice
from gx2c.models.protocol import FloatArray, TrainingView
from gx2c.models.reduction import fit_reduction


class ReducedGenes(nn.Module):
    """Scores of PCA or PLS, or the code of an autoencoder, learned from training regions alone.

    Nothing of it is trained with the network. The layers are part of its state, so that exported
    weights predict from genes.

    Parameters
    ----------
    n_genes
        Genes per region.
    kind
        A key of `REDUCERS`.
    n_components
        Numbers a region; those that the training regions do not allow are zero.
    whiten
        Divide each score by its deviation over the training regions, or all by the root of their
        mean variance, which leaves the first components the largest.
    n_members
        Networks held side by side.
    """

    def __init__(
        self, n_genes: int, kind: str, n_components: int, *, whiten: bool, n_members: int
    ) -> None:
        super().__init__()
        require_choice("reduction", kind, REDUCERS)
        self.reducer, self.n_components, self.whiten = REDUCERS[kind], n_components, whiten
        widths = [n_genes, *self.reducer.hidden_dims, n_components]
        for number, (n_in, n_out) in enumerate(zip(widths, widths[1:], strict=False)):
            self.register_buffer(f"weight_{number}", torch.zeros(n_members, n_in, n_out))
            self.register_buffer(f"bias_{number}", torch.zeros(n_members, 1, n_out))
        self.n_layers = len(widths) - 1

    def prepare(self, member: int, training: TrainingView, *, seed: int) -> None:
        """Learn a member's layers from its training regions."""
        layers = self.reducer.learn(training, self.n_components, seed)
        weight, bias = layers[-1]
        layers[-1] = scaled(weight, bias, run(layers, training.expression), whiten=self.whiten)
        for number, values in enumerate(layers):
            for name, value in zip(("weight", "bias"), values, strict=True):
                buffer = self.get_buffer(f"{name}_{number}")[member]
                # fewer components than columns leave zeros behind
                buffer[..., : value.shape[-1]].copy_(torch.from_numpy(value.astype(np.float32)))

    def forward(self, expression: Tensor) -> Tensor:
        """Reduce (n_members, n_regions, n_genes) to (n_members, n_regions, n_components)."""
        x = expression
        for number in range(self.n_layers):
            x = F.elu(x) if number > 0 else x
            weight, bias = (self.get_buffer(f"{name}_{number}") for name in ("weight", "bias"))
            x = torch.baddbmm(bias, x, weight)
        return x


def run(layers: list[Layer], expression: FloatArray) -> FloatArray:
    """Apply layers to (n_regions, n_genes), with ELU between them."""
    x = expression
    for number, (weight, bias) in enumerate(layers):
        if number > 0:
            x = np.where(x > 0, x, np.expm1(np.minimum(x, 0)))
        x = x @ weight + bias
    return x


def scaled(weight: FloatArray, bias: FloatArray, scores: FloatArray, *, whiten: bool) -> Layer:
    """Make the layer that gave some scores give centred ones of unit variance, or of unit mean."""
    variance = scores.var(axis=0)
    per_score = np.broadcast_to(variance if whiten else variance.mean(), variance.shape)
    scale = np.where(per_score > 0, 1 / np.sqrt(np.where(per_score > 0, per_score, 1)), 0)
    return weight * scale, (bias - scores.mean(axis=0)) * scale


@dataclass(frozen=True)
class Reducer:
    """One kind of reduction.

    Attributes
    ----------
    learn
        (training, number of components, seed) -> layers, ELU between them.
    hidden_dims
        Widths between genes and scores.
    """

    learn: Callable[[TrainingView, int, int], list[Layer]]
    hidden_dims: tuple[int, ...] = ()


def _scores_of(name: str) -> Callable[[TrainingView, int, int], list[Layer]]:
    def learn(training: TrainingView, n_components: int, seed: int) -> list[Layer]:
        reduction = fit_reduction(
            name, training.expression, training.connectome, n_components=n_components
        )
        return [(reduction.rotation, -(reduction.mean @ reduction.rotation))]

    return learn


def _code(training: TrainingView, n_components: int, seed: int) -> list[Layer]:
    return learn_autoencoder(training.expression, code_dim=n_components, seed=seed)


REDUCERS: dict[str, Reducer] = {
    "pca": Reducer(_scores_of("pca")),
    "pls": Reducer(_scores_of("pls")),
    "autoencoder": Reducer(_code, HIDDEN_DIMS),
}
