"""Names of the columns that a model reads, and of the tokens that it makes of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gx2c.data.brain import Brain, IntArray
from gx2c.data.gene_starts import chromosome_and_tss, known_starts
from gx2c.data.unmeasured import Unmeasured
from gx2c.fit.config import FitConfig
from gx2c.fit.feature_kinds import ShowAll, ShowFeature, ShowGenes
from gx2c.fit.features import n_columns
from gx2c.models.layers.bases import PairNetwork
from gx2c.models.layers.reduced_genes import ReducedGenes
from gx2c.models.layers.tokens import ConvolvedGenes, GeneChunks, WithCoordinates
from gx2c.models.networks.gene_signatures import SignedGenes
from gx2c.models.networks.genevec import SingleGenes

UNKNOWN = "n/a"


@dataclass(frozen=True)
class Token:
    """One token of a region.

    Attributes
    ----------
    name
        The gene, "FIRST…LAST" of several, or "CLS" of the token made of coordinates.
    chromosome
        Chromosome of its genes, "FIRST-LAST" of several, "n/a" if unknown.
    columns
        Names of the columns that it is made of: genes, or other features.
    """

    name: str
    chromosome: str
    columns: tuple[str, ...]


def parts_of(config: FitConfig, features: ShowFeature) -> list[tuple[str, ShowFeature]]:
    """Return the parts of a config's features by name, in the order of their columns."""
    parts = features.parts if isinstance(features, ShowAll) else [features]
    return list(zip(config.task.features, parts, strict=True))


def column_names(
    config: FitConfig, features: ShowFeature, genes: Sequence[str], n_regions: int
) -> list[str]:
    """Name the columns that a model reads: genes by symbol, others by feature and number.

    Parameters
    ----------
    config, features
        The config, and its features as learned.
    genes
        Symbols of the genes to whose indices the features refer.
    n_regions
        Regions of the brain.
    """
    names: list[str] = []
    for name, part in parts_of(config, features):
        own = [genes[gene] for gene in part.read_genes().tolist()]
        if type(part) is ShowGenes:
            names += own
        else:
            width = n_columns((name,), n_genes=len(own), n_regions=n_regions)
            names += [f"{name} {k + 1}" for k in range(width)]
    return names


def chromosomes(brain: Brain | Unmeasured, genes: Sequence[str]) -> dict[str, str]:
    """Return the chromosome of each gene: that of the brain's table, else of the shipped one."""
    tss = getattr(brain, "tss", None)
    if tss is None:
        return {row[0]: row[1] for row in known_starts(genes)}
    known = dict(zip(brain.genes, tss.tolist(), strict=True))
    return {gene: chromosome_and_tss(known.get(gene, np.nan))[0] for gene in genes}


def tokens_of(
    network: PairNetwork, columns: Sequence[str], chromosome: Mapping[str, str]
) -> list[Token]:
    """Name the tokens that a network makes of each region.

    Parameters
    ----------
    network
        A network with a tokeniser.
    columns
        As `column_names` returns them.
    chromosome
        As `chromosomes` returns them.
    """
    if isinstance(network.reduced, ReducedGenes):
        # the scores have lost the genes
        kind, n = network.reduced.kind, network.reduced.n_components
        columns = [f"{kind} {k + 1}" for k in range(n)]
    tokeniser: Any = network.tokeniser
    spans = SPANS[type(tokeniser)](tokeniser, len(columns))
    return [_token([columns[k] for k in span], chromosome) for span in spans]


def _token(columns: Sequence[str], chromosome: Mapping[str, str]) -> Token:
    if not columns:
        return Token("CLS", UNKNOWN, ())
    known = [place for name in columns if (place := chromosome.get(name, UNKNOWN)) != UNKNOWN]
    ends = list(dict.fromkeys([known[0], known[-1]])) if known else [UNKNOWN]
    name = columns[0] if len(columns) == 1 else f"{columns[0]}…{columns[-1]}"
    return Token(name, "-".join(ends), tuple(columns))


def _chunks(tokeniser: GeneChunks, n: int) -> list[range]:
    size = tokeniser.genes_per_token
    return [range(first, min(first + size, n)) for first in range(0, n, size)]


def _averages(tokeniser: ConvolvedGenes, n: int) -> list[range]:
    found = []
    for row in tokeniser.average.cpu().numpy():
        windows: IntArray = np.flatnonzero(row)
        last = int(windows[-1]) * tokeniser.stride + tokeniser.kernel_size
        found.append(range(int(windows[0]) * tokeniser.stride, min(last, n)))
    return found


def _singles(tokeniser: SingleGenes | SignedGenes, n: int) -> list[range]:
    return [range(k, k + 1) for k in range(n)]


# The columns of which each token is made; none for that of coordinates
SPANS: dict[type, Callable[[Any, int], list[range]]] = {
    GeneChunks: _chunks,
    ConvolvedGenes: _averages,
    SingleGenes: _singles,
    SignedGenes: _singles,
    WithCoordinates: lambda tokeniser, n: [
        range(0),
        *SPANS[type(tokeniser.tokens)](tokeniser.tokens, n),
    ],
}
