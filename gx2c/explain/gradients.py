"""Integrated gradients of networks: how much each gene of held-out regions adds to predictions.

Captum has neither the axis of members nor heads that read pairs of regions from one encoding; here
the head's gradient is taken for all pairs at once, and that of the encoder once per region.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gx2c.data.brain import Brain, FloatArray, IntArray, Regions
from gx2c.errors import UserError
from gx2c.explain.edges import HeldOutEdges
from gx2c.explain.tokens import parts_of
from gx2c.fit.config import FitConfig
from gx2c.fit.feature_kinds import ShowComponents, ShowGenes
from gx2c.fit.features import n_columns
from gx2c.fit.fitted import FittedModels
from gx2c.fit.predictor import MAX_PAIRS_AT_ONCE, MAX_REGIONS_AT_ONCE, NetworkPredictor
from gx2c.fit.prepare import InputMaker, View
from gx2c.models.layers.bases import PairNetwork
from gx2c.models.networks.genevec import BinTable

STEPS, MOST_STEPS = 64, 1024
# Steps are doubled while contributions miss more than this share of the predictions' change
COMPLETE = 0.01


class Gradients(NamedTuple):
    """Contributions of one member.

    Attributes
    ----------
    values
        (n_genes, n_groups), what each gene of the brain contributes to the agreement of held-out
        edges in each group, both ends of an edge together.
    gap
        Difference of the contributions' sum and the change of agreement from the training mean to
        the regions' expression, as a share of the mean absolute change of edges (by weight).
    """

    values: FloatArray
    gap: float


def member_gradients(
    fitted: FittedModels,
    brains: Sequence[Brain],
    regions: IntArray,
    edges: HeldOutEdges,
    *,
    steps: int | None = None,
) -> list[Gradients]:
    """Attribute the agreement of predicted edges to genes, from the training mean of expression.

    Gradients are averaged along the straight line from training means, where both regions of every
    edge have mean expression and their own coordinates, to the regions' own expression. A gene's
    contribution is its distance from the mean times that gradient. Clipping to [-1, 1] is left out.

    Parameters
    ----------
    fitted
        Networks of one config.
    brains
        One for each member, whose regions it is shown.
    regions
        (n_regions,) indices of the held-out regions.
    edges
        Those among these regions.
    steps
        Points along the line; if None 64, doubled (at most to 1024) until the mean gap over members
        is at most .01.

    Raises
    ------
    UserError
        If the network reads expression in bins, which have no gradient.

    References
    ----------
    Sundararajan, Taly & Yan (2017), ICML 34, 3319.
    """
    found: list[Gradients] = []
    for group in fitted.groups:
        if not isinstance(group, NetworkPredictor):
            raise UserError(
                f"{fitted.config.model} is fitted in closed form and has no gradients; choose "
                "permutation or left-out"
            )
        if any(isinstance(module, BinTable) for module in group.network.modules()):
            raise UserError(
                f"this {fitted.config.model} reads expression in bins, which have no gradient; "
                "choose permutation"
            )
        first = len(found)
        views, own = fitted.views[first:][: len(group)], brains[first:][: len(group)]
        shown = [view.show(brain, regions) for view, brain in zip(views, own, strict=True)]
        back = [
            _BackToGenes.of(fitted.config, *parts, regions)
            for parts in zip(views, own, group.input_makers, strict=True)
        ]
        found += _until_complete(group, shown, back, edges, steps)
    return found


def _until_complete(
    group: NetworkPredictor,
    shown: Sequence[Regions],
    back: "Sequence[_BackToGenes]",
    edges: HeldOutEdges,
    steps: int | None,
) -> list[Gradients]:
    number = steps or STEPS
    while True:
        found = list(_of_group(group, shown, back, edges, number))
        complete = np.mean([one.gap for one in found]) <= COMPLETE
        if complete or steps or number >= MOST_STEPS:
            return found
        number *= 2


def _of_group(
    group: NetworkPredictor,
    shown: Sequence[Regions],
    back: "Sequence[_BackToGenes]",
    edges: HeldOutEdges,
    steps: int,
) -> Iterator[Gradients]:
    network, (expression, coords) = group.network.eval().requires_grad_(False), group.inputs(shown)
    moves = torch.stack([one.moves for one in back]).unsqueeze(1)
    n_members, n = expression.shape[:2]
    partners = _partners(edges)
    ends = np.zeros((n_members, len(partners), edges.network.shape[1], back[0].n_genes))
    per_chunk = max(1, MAX_REGIONS_AT_ONCE // n_members)
    for share, weight in zip(*_points(steps), strict=True):
        x = torch.where(moves, float(share) * expression, expression)
        z = _encoded(network, x, coords, per_chunk)
        pulls = _head_gradients(network, z, partners)
        for rows in torch.split(torch.arange(n), per_chunk):
            part = x[:, rows].requires_grad_()
            out = network.encode(part, coords[:, rows])
            of_network = edges.network[rows.numpy()].T
            for p, pull in enumerate(pulls):
                (gradient,) = torch.autograd.grad(
                    out, part, pull[:, rows].to(out.dtype), retain_graph=p + 1 < len(pulls)
                )
                for member, own in enumerate(gradient.double().cpu().numpy()):
                    ends[member, p] += of_network @ back[member].contributions(own, rows) * weight
    change = [
        _predicted(network, _encoded(network, x, coords, per_chunk))
        for x in (torch.where(moves, 0.0, expression), expression)
    ]
    n_networks = edges.network.shape[1]
    for member, one in enumerate(back):
        # genes last become first, behind them the networks of one end and of its partner
        of_pairs = ends[member, :n_networks].transpose(2, 1, 0)
        of_bands = ends[member, n_networks:].sum(axis=1).T
        values = edges.by_group(of_pairs, of_bands)
        moved = change[1][member] - change[0][member]
        size = np.abs(edges.weights * moved).sum() / 2
        left = abs(float(values[:, 0].sum() - edges.agreement(moved)[0]))
        yield Gradients(values * one.weight, left / size if size > 0 else 0.0)


def _points(steps: int) -> tuple[FloatArray, FloatArray]:
    """Return points along the line and their weights; denser near the mean.

    There LayerNorm turns small steps into large ones, and equal steps would miss most of the path.
    """
    parts = (np.arange(steps) + 0.5) / steps
    return parts**2, 2 * parts / steps


def _partners(edges: HeldOutEdges) -> Tensor:
    """Return weights of pairs by the network of the partner, then by band of distance.

    (n_networks + n_bands, n_regions, n_regions), rows are regions and columns their partners; half
    of each weight, because y_ij is the mean of both directions.
    """
    of_networks = edges.weights * edges.network.T[:, None, :]
    stacked = np.concatenate([of_networks, edges.weights * edges.bands])
    return torch.from_numpy(stacked / 2).float()


@torch.no_grad()
def _encoded(network: PairNetwork, x: Tensor, coords: Tensor, per_chunk: int) -> Tensor:
    parts = (torch.split(tensor, per_chunk, dim=1) for tensor in (x, coords))
    return torch.cat([network.encode(*part) for part in zip(*parts, strict=True)], dim=1)


def _row_chunks(z: Tensor) -> tuple[Tensor, ...]:
    n_members, n = z.shape[:2]
    return torch.split(torch.arange(n), max(1, MAX_PAIRS_AT_ONCE // (n_members * n)))


def _head_gradients(network: PairNetwork, z: Tensor, partners: Tensor) -> list[Tensor]:
    """Return the gradients of each weighted sum of pairs by a region's embedding, as `z` each."""
    pulls = [torch.zeros_like(z) for _ in partners]
    right = z.clone().requires_grad_()
    for rows in _row_chunks(z):
        left = z[:, rows].clone().requires_grad_()
        directed = network.decode_between(left, right)
        for weights, pull in zip(partners.to(directed), pulls, strict=True):
            # a region comes first in one direction, and second in the other
            pull[:, rows] += _pull(directed, left, weights[rows])
            pull += _pull(directed, right, weights.T[rows])
    return pulls


def _pull(directed: Tensor, embedded: Tensor, weights: Tensor) -> Tensor:
    cotangent = weights.expand_as(directed)
    return torch.autograd.grad(directed, embedded, cotangent, retain_graph=True)[0]


@torch.no_grad()
def _predicted(network: PairNetwork, z: Tensor) -> FloatArray:
    chunks = [network.decode_between(z[:, rows], z).float() for rows in _row_chunks(z)]
    directed = torch.cat(chunks, dim=1).double().cpu().numpy()
    mean: FloatArray = (directed + directed.transpose(0, 2, 1)) / 2
    return mean


@dataclass(frozen=True)
class _BackToGenes:
    """Contributions of genes through the columns that a member reads.

    Attributes
    ----------
    moves
        (n_columns,), whether a column is made of genes.
    parts
        For each feature made of genes, its columns, the genes' indices, and for components a
        member's (n_columns, n_genes) map to them.
    standard
        (n_regions, n_columns), the regions' columns in standard deviations from the training mean.
    away
        (n_regions, n_genes) or empty: expression less its training mean, for components.
    """

    moves: Tensor
    parts: tuple[tuple[slice, IntArray, FloatArray | None, FloatArray | None], ...]
    standard: FloatArray
    n_genes: int
    weight: float

    @classmethod
    def of(
        cls, config: FitConfig, view: View, brain: Brain, maker: InputMaker, regions: IntArray
    ) -> "_BackToGenes":
        """Prepare a member."""
        standard = maker.expression.apply(view.features(brain, regions))
        moves, parts, first = torch.zeros(standard.shape[1], dtype=torch.bool), [], 0
        for name, part in parts_of(config, view.features):
            genes = part.read_genes()
            width = n_columns((name,), n_genes=len(genes), n_regions=brain.n_regions)
            here, first = slice(first, first + width), first + width
            if not isinstance(part, ShowGenes):
                continue
            moves[here] = True
            to_genes = away = None
            if isinstance(part, ShowComponents):
                k = part.reduction.n_components
                inverse = maker.expression.inverse_deviation[here][:k]
                to_genes = inverse[:, None] * part.reduction.rotation.T
                away = brain.expression[np.ix_(regions, genes)] - part.reduction.mean
            parts.append((here, genes, to_genes, away))
        weight = 1.0 if view.geography is None else view.weight
        return cls(moves, tuple(parts), standard, brain.n_genes, weight)

    def contributions(self, gradient: FloatArray, rows: Tensor) -> FloatArray:
        """Return gradients by columns times the distance from the mean, (n_rows, n_genes)."""
        own, found = rows.numpy(), np.zeros((len(rows), self.n_genes))
        for here, genes, to_genes, away in self.parts:
            if to_genes is None or away is None:
                found[:, genes] += gradient[:, here] * self.standard[own][:, here]
            else:
                found[:, genes] += (gradient[:, here][:, : len(to_genes)] @ to_genes) * away[own]
        return found
