"""The declaration of a model, from which the rest of the project takes all facts about it."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import nn

from gx2c.models.layers.population import holding

# Inputs of a model. The pair distance is that between the two regions of an edge; train x test
# edges are connectivity that no other model sees.
EXPRESSION, COORDINATES, PAIR_DISTANCE = "expression", "coordinates", "pair distance"
TRAIN_TEST_EDGES = "train x test edges"
SOURCES = (EXPRESSION, COORDINATES, PAIR_DISTANCE, TRAIN_TEST_EDGES)

# Keyword of a network that follows from the data, never from a config
GENE_DIMS = "n_gene_dims"

# Parts of models' names that are not capitalised like other words
WORDS = {
    one.lower(): one
    for one in ("AE CGE CLS CM MLP PCA PLS SMT CellType LowRank TwoStep XGBoost").split()
}


@dataclass(frozen=True)
class FittedBy:
    """How a model is fitted, and the consequences.

    Attributes
    ----------
    kind
        Name in tables and files.
    trains_in_epochs
        True for a `PairNetwork`, trained by gradient descent; False for a `Model`, which fits in
        one call.
    null_search
        Default of `--null-search`: whether each null repeats the search ("full") or not ("none").
    """

    kind: str
    trains_in_epochs: bool = False
    null_search: str = "full"


CLOSED_FORM, TREES = FittedBy("closed_form"), FittedBy("trees")
NETWORK = FittedBy("iterative", trains_in_epochs=True, null_search="none")


@dataclass(frozen=True)
class ModelSpec:
    """One row of the table `MODELS`; models of one family differ in a few attributes.

    Attributes
    ----------
    name
        The model's name everywhere: command line, files, tables.
    builder
        The class, or a function that makes an instance. A network also receives `n_genes` and the
        keyword `GENE_DIMS`.
    fitted_by
        `CLOSED_FORM`, `TREES` or `NETWORK`.
    summary
        One line for tables.
    reference
        Paper and equation.
    uses
        Inputs of the model with its defaults, some of `SOURCES`.
    uses_with
        Keywords -> inputs with these keywords, for models whose inputs depend on them.
    fixed
        Keywords that distinguish it from other models of its family.
    passes_to
        Classes to which `builder` passes the keywords that it does not name itself.
    best
        Published or usual values of keywords that differ from the defaults of the class.
    training
        Published learning rate, weight decay, schedule and block size of a network, with the names
        of `gx2c.fit.TrainingSettings`.
    published
        Every value of the published sweep, with the names of the search space. Of
        `augment_probability` and `augment_schedule` the best comes first.
    contains_geography
        Whether the prediction contains the full spatial baseline, also in nulls.
    kernel_nulls
        Whether it is a `KernelRidge`, whose nulls `gx2c.fit.search_kernel_nulls` computes at once.
    gene_tokens
        Whether it reads expression as a sequence or a set of named genes, so that no other
        features can replace them.
    reads_embeddings
        Whether numbers from a user's file must replace expression.
    reads_gene_vectors
        Whether the model may read numbers that describe genes.
    usual_options
        Defaults of sweep options for this model.
    missing
        Returns a sentence that names the package to install, or "" if it is installed.
    """

    name: str
    builder: Callable[..., Any]
    fitted_by: FittedBy
    summary: str
    reference: str
    uses: tuple[str, ...] = (EXPRESSION,)
    uses_with: Callable[[Mapping[str, Any]], tuple[str, ...]] | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict)
    passes_to: tuple[Callable[..., Any], ...] = ()
    best: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    published: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    contains_geography: bool = False
    kernel_nulls: bool = False
    gene_tokens: bool = False
    reads_embeddings: bool = False
    reads_gene_vectors: bool = False
    usual_options: Mapping[str, str] = field(default_factory=dict)
    missing: Callable[[], str] = str

    @property
    def class_name(self) -> str:
        """Name of its estimator in `gx2c.models`, such as KernelRidge for kernel_ridge."""
        return "".join(WORDS.get(w, w.capitalize()) for w in re.split(r"[_+]", self.name))

    @property
    def trains_in_epochs(self) -> bool:
        """Whether the model is a network; see `FittedBy`."""
        return self.fitted_by.trains_in_epochs

    @property
    def label(self) -> str:
        """Text printed with the model's name everywhere; empty for most models."""
        return f"uses {TRAIN_TEST_EDGES}" if TRAIN_TEST_EDGES in self.uses else ""

    @cached_property
    def defaults(self) -> Mapping[str, Any]:
        """Every keyword that a config may set, with its default."""
        chain = (*reversed(self.passes_to), self.builder)
        own = {name: value for one in chain for name, value in _keyword_defaults(one).items()}
        fixed = {*self.fixed, GENE_DIMS}
        return {name: value for name, value in (own | dict(self.best)).items() if name not in fixed}

    def build(self, *n_genes: int, n_members: int = 1, **keywords: Any) -> Any:
        """Make the model; omitted keywords take the defaults of its class.

        Parameters
        ----------
        n_genes
            Genes per region, for networks only.
        n_members
            Number of independent networks held side by side.
        keywords
            The model's keywords.
        """
        with holding(n_members):
            return self.builder(*n_genes, **{**self.fixed, **keywords})

    def used_by(self, keywords: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the inputs of the model with some keywords."""
        return self.uses if self.uses_with is None else self.uses_with(keywords)

    def count_parameters(
        self, n_genes: int, n_regions: int, keywords: Mapping[str, Any] | None = None
    ) -> int:
        """Return the number of parameters that one fit learns.

        Parameters
        ----------
        n_genes, n_regions
            Numbers of genes and of training regions.
        keywords
            The model's keywords; `defaults` if None.
        """
        keywords = self.defaults if keywords is None else keywords
        if not self.trains_in_epochs:
            return int(self.build(**keywords).n_parameters(n_genes, n_regions))
        # on "meta" nothing is allocated
        with torch.device("meta"):
            return count_parameters(self.build(n_genes, **keywords))


def count_parameters(network: nn.Module) -> int:
    """Return the number of trained parameters of one member."""
    return sum(p[0].numel() for p in network.parameters() if p.requires_grad)


def plateau(learning_rate: float, *, weight_decay: float, block_regions: int) -> dict[str, Any]:
    """Return a network's published `training`: the learning rate drops when validation stalls."""
    return {
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        "schedule": "plateau",
        "block_regions": block_regions,
    }


def _keyword_defaults(function: Callable[..., Any]) -> dict[str, Any]:
    return {
        name: parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is not parameter.empty
    }
