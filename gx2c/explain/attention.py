"""Attention maps as a network uses them, averaged over regions or pairs of regions."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
import torch
from torch import Tensor

from gx2c.data.brain import Brain, FloatArray, IntArray
from gx2c.data.unmeasured import region_indices
from gx2c.errors import UserError
from gx2c.explain.edges import ALL
from gx2c.explain.shown import held_out
from gx2c.explain.tokens import Token, chromosomes, column_names, tokens_of
from gx2c.fit.fitted import FittedModels
from gx2c.fit.predictor import MAX_REGIONS_AT_ONCE, NetworkPredictor
from gx2c.models.layers.bases import PairNetwork
from gx2c.models.layers.transformer import AttentionBlock, AttentionKernel, attention_weights
from gx2c.models.networks.pair_attention import MixedGenevec, PairAttention
from gx2c.saved.matching import MOST_MISSING, match
from gx2c.saved.model import SavedModel, profile_of


@dataclass(frozen=True, repr=False)
class AttentionMaps:
    """Mean attention of one member of a model.

    Attributes
    ----------
    tokens
        The tokens of a region. Where a model reads both regions of a pair in one sequence, those of
        the first, then those of the second.
    groups
        "all", then the networks of the regions, or "A - B" for pairs of regions.
    counts
        (n_groups,), regions or ordered pairs of regions over which a map is the mean.
    maps
        (n_groups, n_layers, n_heads, n_tokens, n_tokens); rows attend to columns and sum to 1.
        Across a pair, rows are tokens of a region, and columns those of its partner.
    """

    tokens: tuple[Token, ...]
    groups: tuple[str, ...]
    counts: IntArray
    maps: FloatArray

    @property
    def received(self) -> FloatArray:
        """Mean attention that each token receives over layers, heads and rows, of each group.

        (n_groups, n_tokens); each group's sum is 1.
        """
        mean: FloatArray = self.maps.mean(axis=(1, 2, 3))
        return mean

    def __repr__(self) -> str:
        layers, heads, tokens, _ = self.maps.shape[1:]
        return (
            f"AttentionMaps({layers} layers, {heads} heads, {tokens} tokens, "
            f"{len(self.groups)} groups)"
        )


def attention_maps(
    model: SavedModel,
    brain: Brain,
    regions: Sequence[int] | IntArray | None = None,
    *,
    most_missing: float = MOST_MISSING,
) -> list[AttentionMaps]:
    """Return the attention maps of each member of a saved network, averaged over regions.

    The weights are computed from the queries, keys and biases that the network's own attention
    receives. Models that attend across a pair are evaluated on all ordered pairs of regions.

    Parameters
    ----------
    model
        A saved transformer.
    brain
        Any regions.
    regions
        (n_regions,) indices; those that the model has not seen if None.
    most_missing
        As in `SavedModel.predict`.

    Raises
    ------
    UserError
        If the model has no attention, or as for `SavedModel.predict`.
    """
    chosen = held_out(model, brain) if regions is None else region_indices(brain, regions, least=2)
    shown = match(model.about, model.arrays, brain, most_missing=most_missing)
    network = np.array(brain.network)[chosen]
    place = chromosomes(brain, model.genes)
    found = []
    with profile_of(model.about).active(), torch.no_grad():
        for fitted in model.fitted:
            for predictor, own in _networks(model, fitted):
                seen = [fitted.views[k].show(shown, chosen) for k in own]
                tokens = _tokens(model, fitted, predictor, place)
                groups, counts, maps = _maps(predictor, predictor.inputs(seen), network)
                found += [AttentionMaps(tokens, groups, counts, one) for one in maps]
    return found


def _networks(
    model: SavedModel, fitted: FittedModels
) -> Iterator[tuple[NetworkPredictor, list[int]]]:
    """Give each group of a config's networks, and the numbers of its members."""
    first = 0
    for group in fitted.groups:
        if not isinstance(group, NetworkPredictor) or not _blocks(group.network):
            raise UserError(
                f"{model.name} has no attention; choose a transformer, such as smt or genevec_self"
            )
        yield group, list(range(first, first + len(group)))
        first += len(group)


def _blocks(network: PairNetwork) -> list[AttentionBlock]:
    return [module for module in network.modules() if isinstance(module, AttentionBlock)]


def _tokens(
    model: SavedModel, fitted: FittedModels, predictor: NetworkPredictor, place: dict[str, str]
) -> tuple[Token, ...]:
    n_regions = len(model.about.dataset.regions)
    columns = column_names(fitted.config, fitted.views[0].features, model.genes, n_regions)
    tokens = tokens_of(predictor.network, columns, place)
    return tuple(tokens * (2 if isinstance(predictor.network, MixedGenevec) else 1))


def _maps(
    predictor: NetworkPredictor, inputs: tuple[Tensor, Tensor], network: np.ndarray
) -> tuple[tuple[str, ...], IntArray, FloatArray]:
    """Return groups, their sizes and maps, (n_members, n_groups, layers, heads, tokens, tokens)."""
    predictor.network.eval()
    over = _over_pairs if isinstance(predictor.network, PairAttention) else _over_regions
    with predictor.profile.autocast():
        names, counts, sums = zip(*over(predictor.network, inputs, network), strict=True)
    n, total = np.array(counts), np.stack(sums, axis=1)
    whole = total.sum(axis=1, keepdims=True)
    sizes = np.array([n.sum(), *n])
    maps = np.concatenate([whole, total], axis=1) / sizes.reshape(-1, *[1] * 4)
    return (ALL, *names), sizes, maps


def _over_regions(
    network: PairNetwork, inputs: tuple[Tensor, Tensor], of_region: np.ndarray
) -> Iterator[tuple[str, int, FloatArray]]:
    per_chunk = max(1, MAX_REGIONS_AT_ONCE // len(inputs[0]))
    for name in dict.fromkeys(of_region.tolist()):
        rows = torch.from_numpy(np.flatnonzero(of_region == name))
        with recorded(network, len(inputs[0])) as sums:
            for chunk in torch.split(rows, per_chunk):
                network.encode(*(tensor[:, chunk] for tensor in inputs))
        yield name, len(rows), np.stack(sums, axis=1)


def _over_pairs(
    network: PairNetwork, inputs: tuple[Tensor, Tensor], of_region: np.ndarray
) -> Iterator[tuple[str, int, FloatArray]]:
    z = network.encode(*inputs)
    rows = {name: np.flatnonzero(of_region == name) for name in dict.fromkeys(of_region.tolist())}
    for one, other in combinations_with_replacement(rows, 2):
        first, second = rows[one], rows[other]
        if one == other and len(first) < 2:
            continue
        with recorded(network, len(z)) as sums:
            if one == other:
                network.decode_within(z[:, first])
            else:
                network.decode_between(z[:, first], z[:, second])
            # a block across a pair updates both of its regions; one sequence has an order
            if one != other and isinstance(network, MixedGenevec):
                network.decode_between(z[:, second], z[:, first])
        n = len(first) * (2 * len(second) if one != other else len(first) - 1)
        yield f"{one} - {other}", n, np.stack(sums, axis=1)


@contextmanager
def recorded(network: PairNetwork, n_members: int) -> Iterator[list[FloatArray]]:
    """Sum the attention weights of each block over everything that a network computes within.

    Yields
    ------
    list of (n_members, n_heads, n_tokens, n_tokens) arrays
        One per block, whose networks attend as ever.
    """
    blocks = _blocks(network)
    sums: list[FloatArray] = [np.zeros(())] * len(blocks)

    def recording(number: int, kernel: AttentionKernel) -> AttentionKernel:
        def attend(q: Tensor, k: Tensor, v: Tensor, slopes: Tensor | None) -> Tensor:
            weights = attention_weights(q, k, slopes).double()
            per_member = weights.view(n_members, -1, *weights.shape[1:]).sum(dim=1)
            sums[number] = sums[number] + per_member.cpu().numpy()
            return kernel(q, k, v, slopes)

        return attend

    kernels = [block.attend for block in blocks]
    for number, (block, kernel) in enumerate(zip(blocks, kernels, strict=True)):
        block.attend = recording(number, kernel)
    try:
        yield sums
    finally:
        for block, kernel in zip(blocks, kernels, strict=True):
            block.attend = kernel
