"""What every model promises: fit on some regions, predict the connectome of others.

A model never sees a `Brain`, only the training regions handed to `fit`, so that a test region
cannot reach it. Closed-form models implement `Model` directly; networks that train in passes
implement `PairNetwork` and are trained by `gx2c.fit`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gx2c.data.brain import Regions
from gx2c.models.population import count_parameters

FloatArray = NDArray[np.float64]

# What a model may read of regions. The pair distance is that between the two regions of an edge;
# train x test edges are connectivity that no other model is shown.
EXPRESSION, COORDINATES, PAIR_DISTANCE = "expression", "coordinates", "pair distance"
TRAIN_TEST_EDGES = "train x test edges"
SOURCES = (EXPRESSION, COORDINATES, PAIR_DISTANCE, TRAIN_TEST_EDGES)


class Model(Protocol):
    """A closed-form model of the connectome."""

    def fit(self, training: Regions, connectome: FloatArray) -> None:
        """Learn from training regions.

        Parameters
        ----------
        training
            The training regions, raw (each model standardises with their statistics alone).
        connectome
            (n_train_regions, n_train_regions), symmetric; the diagonal is not data.
        """

    def predict(self, regions: Regions) -> FloatArray:
        """Predict the connectome among regions never seen, (n_regions, n_regions), symmetric.

        The diagonal is meaningless.
        """

    def n_parameters(self, n_genes: int, n_regions: int) -> int:
        """Return how many numbers a fit learns from so many genes and training regions."""


@dataclass(frozen=True)
class TrainingView:
    """What a network may learn from before its first pass: the training regions of one member.

    Attributes
    ----------
    expression
        (n_train_regions, n_genes), standardised as the network is shown it.
    connectome
        (n_train_regions, n_train_regions).
    coords_mm
        (n_train_regions, 3), mm.
    gene_vectors
        (n_genes, n_dims), numbers that describe each gene, from a user's file, or None.
    """

    expression: FloatArray
    connectome: FloatArray
    coords_mm: FloatArray
    gene_vectors: FloatArray | None = None


class PairNetwork(Protocol):
    """A network y_ij = decode(encode(x_i), encode(x_j)), trained by gradient descent.

    Every tensor has a leading axis of independent members; see `gx2c.models.population`.
    """

    def encode(self, expression: Tensor, coords: Tensor) -> Tensor:
        """Encode each region once.

        Parameters
        ----------
        expression
            (n_members, n_regions, n_genes), standardised with training statistics.
        coords
            (n_members, n_regions, 3), standardised with training statistics.

        Returns
        -------
        Tensor
            (n_members, n_regions, embedding_dim).
        """

    def decode_within(self, z: Tensor) -> Tensor:
        """Decode all ordered pairs i != j of one block of embeddings, row-major.

        Returns
        -------
        Tensor
            (n_members, n_regions * (n_regions - 1)).
        """

    def decode_between(self, left: Tensor, right: Tensor) -> Tensor:
        """Decode every ordered pair of two lists of embeddings, (n_members, n_left, n_right)."""

    def prepare(self, member: int, training: TrainingView, *, seed: int) -> None:
        """Set what stays as it is while training: bins, reductions, units.

        Parameters
        ----------
        member
            Which member.
        training
            Its training regions; nothing may be learned from others.
        seed
            Of whatever is drawn.
        """

    def penalty(self) -> Tensor | None:
        """Return the term added to the training loss, summed over members, or None."""

    def set_output_mean(self, means: Tensor) -> None:
        """Start the output at the mean training edge of each member, (n_members,)."""


@dataclass(frozen=True)
class ModelSpec:
    """One row of the table `MODELS`.

    Attributes
    ----------
    name
        The model's name everywhere: command line, files, tables.
    kind
        "closed_form" (a `Model`) or "iterative" (a `PairNetwork`).
    uses
        What a model with its default keywords reads, some of `SOURCES`.
    build
        Keywords of the model -> the model. An iterative model is also given `n_genes`,
        `n_members` and `attention`.
    gene_tokens
        Whether it reads expression as a sequence or a set of named genes, so that no other
        features can stand in its place.
    summary
        One line for tables.
    reference
        Paper and equation.
    defaults
        Keywords of the published, or the usual, form.
    uses_with
        Keywords -> what a model with them reads, for a model where that depends on them.
    missing
        Says what must be installed for the model, or nothing if all is there.
    usual_options
        Options of a sweep that fit the model, unless told otherwise.
    reads_embeddings
        Whether numbers from a user's file must stand in the place of expression.
    reads_gene_vectors
        Whether the model may read numbers that describe genes; `build` is then given
        `n_gene_dims` too, where there are any.
    """

    name: str
    kind: Literal["closed_form", "iterative"]
    uses: tuple[str, ...]
    build: Callable[..., Any]
    summary: str
    reference: str
    defaults: Mapping[str, Any] = field(default_factory=dict)
    gene_tokens: bool = False
    uses_with: Callable[[Mapping[str, Any]], tuple[str, ...]] | None = None
    missing: Callable[[], str] | None = None
    usual_options: Mapping[str, str] = field(default_factory=dict)
    reads_embeddings: bool = False
    reads_gene_vectors: bool = False

    @property
    def label(self) -> str:
        """What belongs to the model's name wherever it is printed; empty for most."""
        return f"uses {TRAIN_TEST_EDGES}" if TRAIN_TEST_EDGES in self.uses else ""

    def used_by(self, keywords: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what a model with some keywords reads."""
        return self.uses if self.uses_with is None else self.uses_with(keywords)

    def count_parameters(
        self, n_genes: int, n_regions: int, keywords: Mapping[str, Any] | None = None
    ) -> int:
        """Count what is learned from so many genes and training regions.

        Parameters
        ----------
        n_genes, n_regions
            That one fit is given.
        keywords
            Of the model; `defaults` if None.
        """
        keywords = self.defaults if keywords is None else keywords
        if self.kind == "closed_form":
            return int(self.build(**keywords).n_parameters(n_genes, n_regions))
        # on "meta" nothing is allocated
        with torch.device("meta"):
            network = self.build(n_genes, n_members=1, attention="sdpa", **keywords)
        return count_parameters(network)
