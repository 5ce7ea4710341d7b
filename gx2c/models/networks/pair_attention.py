"""Networks that attend across the two regions of a pair, so that each pair is evaluated.

Chunks of pairs keep memory independent of their number; if a gradient is needed, each chunk is
recomputed in the backward pass instead of being stored.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from gx2c.models.layers.bases import PairNetwork, swapped_pairs
from gx2c.models.layers.heads import MeanHead, PairHead, off_diagonal
from gx2c.models.layers.population import PopulationDropout, PopulationLinear
from gx2c.models.layers.tokens import Tokeniser, make_readout
from gx2c.models.layers.transformer import CrossAttentionBlock, TransformerBlock, make_blocks

# Size of a chunk, whatever the number of members: dropout must not depend on the other members
MAX_TOKENS_AT_ONCE = 65_536

# tokens of the first and the second region of some pairs, (n_members, n_pairs, n_tokens, dim)
# each -> one or more (n_members, n_pairs, ...)
OfPairs = Callable[[Tensor, Tensor], tuple[Tensor, ...]]


class PairAttention(PairNetwork):
    """Base of both kinds: a region's tokens are embedded once, its pairs evaluated in chunks.

    Parameters
    ----------
    tokeniser
        Makes the tokens of a region.
    block
        Class of the blocks.
    n_tokens_read
        Number of tokens that the readout receives.
    head
        Class of the pair head.
    model_dim
        Token width.
    n_heads, n_layers, alibi, encoder_dropout
        Settings of the blocks; the number of heads must divide the width.
    readout
        A key of `READOUTS`, from tokens to an embedding; a flat one takes one number per token.
    hidden_dims, dropout
        Hidden layers and dropout of the pair head.
    symmetry_weight
        Factor on mean((y_ij - y_ji)^2) over the pairs of a block, added to the training loss.
    """

    head: PairHead

    def __init__(
        self,
        tokeniser: Tokeniser,
        *,
        block: type[TransformerBlock] | type[CrossAttentionBlock],
        n_tokens_read: int,
        head: type[PairHead],
        model_dim: int = 32,
        n_heads: int = 2,
        n_layers: int = 2,
        alibi: bool = True,
        encoder_dropout: float = 0.1,
        readout: str = "flatten",
        hidden_dims: Sequence[int] = (256, 128, 64),
        dropout: float = 0.1,
        symmetry_weight: float = 0.0,
    ) -> None:
        super().__init__()
        self.tokeniser, self.symmetry_weight = tokeniser, symmetry_weight
        self.n_tokens, self.model_dim = tokeniser.n_tokens, model_dim
        self.blocks = make_blocks(
            block, n_layers, model_dim, n_heads=n_heads, dropout=encoder_dropout, alibi=alibi
        )
        self.readout = make_readout(
            readout, model_dim, n_tokens_read, token_output_dim=1, of_pairs=True
        )
        self.head = head(self.readout.embedding_dim, hidden_dims, dropout=dropout)

    def encode(self, expression: Tensor, coords: Tensor) -> Tensor:
        """Embed the tokens of each region, (n_members, n_regions, n_tokens * model_dim)."""
        return self.tokeniser(expression, coords).flatten(2)

    def _tokens(self, z: Tensor) -> Tensor:
        return z.view(*z.shape[:2], self.n_tokens, self.model_dim)


class CrossGenevec(PairAttention):
    """Attention of each region's genes to the other's, layer by layer, then pooling of both.

    The two directions of a pair are one computation, because both regions are updated together with
    the same weights: half the published work, and the same values.

    Parameters
    ----------
    tokeniser, shared
        See `PairAttention`.
    bidirectional
        Whether the head sees the embeddings of both regions or only that of the first.
    """

    def __init__(self, tokeniser: Tokeniser, *, bidirectional: bool = True, **shared: Any) -> None:
        super().__init__(
            tokeniser,
            block=CrossAttentionBlock,
            n_tokens_read=tokeniser.n_tokens,
            head=PairHead if bidirectional else MeanHead,
            **shared,
        )
        self.bidirectional = bidirectional

    def decode_within(self, z: Tensor) -> Tensor:
        """Decode all ordered pairs of a block; see `PairNetwork`."""
        tokens, n = self._tokens(z), z.shape[1]
        pairs = torch.triu_indices(n, n, 1, device=z.device)
        either = torch.cat(over_pairs(self, self._embed, tokens, tokens, pairs), dim=1)
        first = places_of_first(n, z.device)
        second = first[swapped_pairs(len(first), z.device)]
        return self._decode(either[:, first], either[:, second])

    def decode_between(self, left: Tensor, right: Tensor) -> Tensor:
        """Decode every pair of two lists of embeddings; see `PairNetwork`."""
        pairs = ordered_pairs(left.shape[1], right.shape[1], left.device)
        own, other = over_pairs(self, self._embed, self._tokens(left), self._tokens(right), pairs)
        return self._decode(own, other).view(len(left), left.shape[1], right.shape[1])

    def _embed(self, left: Tensor, right: Tensor) -> tuple[Tensor, ...]:
        both = torch.stack([left, right], dim=1)
        for block in self.blocks:
            both = block(both)
        return self.readout(both.flatten(1, 2)).chunk(2, dim=1)

    def _decode(self, own: Tensor, other: Tensor) -> Tensor:
        second = other if self.bidirectional else own
        return self.head.decode_hidden(self.head.left(own) + self.head.right(second))


class MixedGenevec(PairAttention):
    """The genes of both regions in one sequence, through transformer blocks and a readout.

    Parameters
    ----------
    tokeniser, shared
        See `PairAttention`.
    with_coords
        Whether a linear map of a region's coordinates is added to its tokens.
    """

    def __init__(self, tokeniser: Tokeniser, *, with_coords: bool = False, **shared: Any) -> None:
        super().__init__(
            tokeniser,
            block=TransformerBlock,
            n_tokens_read=2 * tokeniser.n_tokens,
            head=MeanHead,
            **shared,
        )
        self.place = PopulationLinear(3, self.model_dim) if with_coords else None

    def encode(self, expression: Tensor, coords: Tensor) -> Tensor:
        """Embed the tokens of each region, (n_members, n_regions, n_tokens * model_dim)."""
        tokens = self.tokeniser(expression, coords)
        if self.place is not None:
            tokens = tokens + self.place(coords).unsqueeze(2)
        return tokens.flatten(2)

    def decode_within(self, z: Tensor) -> Tensor:
        """Decode all ordered pairs of a block; see `PairNetwork`."""
        n = z.shape[1]
        square = ordered_pairs(n, n, z.device).T.view(1, n, n, 2)
        return self._decode(z, z, off_diagonal(square)[0].T)

    def decode_between(self, left: Tensor, right: Tensor) -> Tensor:
        """Decode every pair of two lists of embeddings; see `PairNetwork`."""
        pairs = ordered_pairs(left.shape[1], right.shape[1], left.device)
        return self._decode(left, right, pairs).view(len(left), left.shape[1], right.shape[1])

    def _decode(self, left: Tensor, right: Tensor, pairs: Tensor) -> Tensor:
        (z,) = over_pairs(self, self._embed, self._tokens(left), self._tokens(right), pairs)
        return self.head.decode_hidden(self.head.left(z) + self.head.right(z))

    def _embed(self, left: Tensor, right: Tensor) -> tuple[Tensor, ...]:
        tokens = torch.cat([left, right], dim=2)
        x = tokens.flatten(1, 2)
        for block in self.blocks:
            x = block(x, tokens.shape[2])
        return (self.readout(x.view(tokens.shape)),)


def places_of_first(n: int, device: torch.device) -> Tensor:
    """Return the position of the first region's embedding of each ordered pair, row-major.

    Embeddings of pairs i < j come first, as `torch.triu_indices` lists them: those of i, then
    those of j.
    """
    i, j = off_diagonal(ordered_pairs(n, n, device).T.view(1, n, n, 2))[0].T
    low, high = torch.minimum(i, j), torch.maximum(i, j)
    pair = low * n - low * (low + 1) // 2 + high - low - 1
    return pair + (i > j).long() * (n * (n - 1) // 2)


def over_pairs(
    network: nn.Module, of_pairs: OfPairs, left: Tensor, right: Tensor, pairs: Tensor
) -> tuple[Tensor, ...]:
    """Apply a function, which uses the dropout layers of a network, to pairs of regions in chunks.

    Parameters
    ----------
    network, of_pairs
        The network and the function.
    left, right
        (n_members, n_left, n_tokens, dim) and (n_members, n_right, n_tokens, dim).
    pairs
        (2, n_pairs) indices into `left` and `right`.
    """
    per_chunk = max(1, MAX_TOKENS_AT_ONCE // (2 * left.shape[2]))
    chunks = torch.split(pairs, per_chunk, dim=1)

    def of_chunk(left: Tensor, right: Tensor, pairs: Tensor) -> tuple[Tensor, ...]:
        return of_pairs(left[:, pairs[0]], right[:, pairs[1]])

    compute = of_chunk
    if len(chunks) > 1 and torch.is_grad_enabled():
        compute = partial(
            checkpoint,
            of_chunk,
            use_reentrant=False,
            preserve_rng_state=False,
            context_fn=partial(_same_masks, network),
        )
    parts = [compute(left, right, chunk) for chunk in chunks]
    return tuple(torch.cat(part, dim=1) for part in zip(*parts, strict=True))


def ordered_pairs(n_left: int, n_right: int, device: torch.device) -> Tensor:
    """Return every (i, j), row-major, (2, n_left * n_right)."""
    indices = torch.arange(n_left * n_right, device=device)
    return torch.stack([indices // n_right, indices % n_right])


def _same_masks(
    network: nn.Module,
) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """Make the recomputation of a chunk draw the same dropout masks."""
    dropouts = (m for m in network.modules() if isinstance(m, PopulationDropout))
    streams = next((dropout.streams for dropout in dropouts), None)
    generators = streams.generators if streams else []
    return nullcontext(), _rewound(generators, [g.get_state() for g in generators])


@contextmanager
def _rewound(generators: Sequence[torch.Generator], states: Sequence[Tensor]) -> Iterator[None]:
    """Set the states of generators back within, and restore them afterwards."""
    now = [generator.get_state() for generator in generators]
    for generator, state in zip(generators, states, strict=True):
        generator.set_state(state)
    try:
        yield
    finally:
        for generator, state in zip(generators, now, strict=True):
            generator.set_state(state)
