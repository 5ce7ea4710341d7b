"""The data from which models learn, and the interface of those that fit in one call.

A model never sees a `Brain`, only the training regions passed to `fit`, so test regions cannot
reach it. Networks, which `gx2c.fit` trains in epochs, derive from `PairNetwork` instead.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

from gx2c.data.brain import FloatArray, Regions


class Model(Protocol):
    """A closed-form model of the connectome.

    Attributes
    ----------
    LEARNED
        Names of the attributes that `fit` sets and `predict` reads: what is saved of a model.
        Parts of a model declare theirs in the same way.
    """

    LEARNED: ClassVar[tuple[str, ...]]

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
        """Predict the connectome among unseen regions, (n_regions, n_regions), symmetric.

        The diagonal is meaningless.
        """

    def n_parameters(self, n_genes: int, n_regions: int) -> int:
        """Return the number of learned parameters, given the numbers of genes and regions."""


@runtime_checkable
class ReadsTestEdges(Model, Protocol):
    """A closed form that also learns from edges between training and test regions."""

    def see_edges(self, train_test_edges: FloatArray) -> None:
        """Read measured edges, (n_train_regions, n_test_regions), after `fit`."""


@dataclass(frozen=True)
class TrainingData:
    """Data from which a model may learn.

    Attributes
    ----------
    regions
        The training regions; a network receives standardised expression.
    connectome
        (n_train_regions, n_train_regions), symmetric; the diagonal is not data.
    gene_vectors
        (n_genes, n_dims), numbers that describe each gene, from a user's file, or None.
    """

    regions: Regions
    connectome: FloatArray
    gene_vectors: FloatArray | None = None
