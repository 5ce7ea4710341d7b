"""Networks that attend across the two regions of a pair, so that each pair is evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from gx2c.models.cross_attention import CrossAttentionBlock
from gx2c.models.headed_network import HeadedNetwork
from gx2c.models.mean_head import MeanHead
from gx2c.models.pair_chunks import ordered_pairs, over_pairs, unordered_pairs
from gx2c.models.pair_head import PairHead, off_diagonal
from gx2c.models.population import PopulationLinear
from gx2c.models.protocol import TrainingView
from gx2c.models.readout import make_readout
from gx2c.models.symmetry import SymmetricLoss, swapped_pairs
from gx2c.models.tokenisers import Tokeniser
from gx2c.models.transformer import TransformerBlock, make_blocks


class PairAttention(SymmetricLoss, HeadedNetwork):
    """What the two kinds share: a region's tokens are embedded once, its pairs in chunks.

    Parameters
    ----------
    tokeniser
        Makes the tokens of a region.
    block
        Class of the blocks.
    n_tokens_read
        Tokens that the readout is given.
    head
        Class of the pair head.
    model_dim
        Token width.
    n_heads, n_layers, alibi, encoder_dropout
        Of the blocks; the heads must divide the width.
    readout
        From tokens to an embedding, a key of `READOUTS`; a flat one takes one number a token.
    hidden_dims, dropout
        Of the pair head.
    symmetry_weight
        See `SymmetricLoss`.
    n_members, attention
        See `gx2c.models.population` and `gx2c.models.attention`.
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
        n_members: int = 1,
        attention: str = "sdpa",
    ) -> None:
        super().__init__()
        self.tokeniser, self.symmetry_weight = tokeniser, symmetry_weight
        self.n_tokens, self.model_dim = tokeniser.n_tokens, model_dim
        self.blocks = make_blocks(
            block,
            n_layers,
            model_dim,
            n_heads=n_heads,
            dropout=encoder_dropout,
            alibi=alibi,
            n_members=n_members,
            attention=attention,
        )
        self.readout = make_readout(
            readout,
            model_dim,
            n_tokens_read,
            token_output_dim=1,
            n_members=n_members,
            of_pairs=True,
        )
        self.head = head(
            self.readout.embedding_dim, hidden_dims, dropout=dropout, n_members=n_members
        )

    def encode(self, expression: Tensor, coords: Tensor) -> Tensor:
        """Embed the tokens of each region, (n_members, n_regions, n_tokens * model_dim)."""
        tokens: Tensor = self.tokeniser(expression, coords)
        return tokens.flatten(2)

    def prepare(self, member: int, training: TrainingView, *, seed: int) -> None:
        """Set what a member's training regions fix before the first pass."""
        self.tokeniser.prepare(member, training, seed=seed)

    def _tokens(self, z: Tensor) -> Tensor:
        return z.view(*z.shape[:2], self.n_tokens, self.model_dim)


class CrossGenevec(PairAttention):
    """Each region's genes attend to the other's, layer by layer; both regions are then pooled.

    The two directions of a pair are one computation, because both regions are updated at once
    and by the same weights: half the published work, and the same values.

    Parameters
    ----------
    tokeniser, shared
        See `PairAttention`.
    bidirectional
        Whether the head sees both regions' embeddings, or the first region's alone.
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
        pairs = unordered_pairs(n, z.device)
        either = torch.cat(over_pairs(self, self._embed, tokens, tokens, pairs), dim=1)
        first = places_of_first(n, z.device)
        second = first[swapped_pairs(len(first), z.device)]
        return self.remember(self._decode(either[:, first], either[:, second]))

    def decode_between(self, left: Tensor, right: Tensor) -> Tensor:
        """Decode every pair of two lists of embeddings; see `PairNetwork`."""
        pairs = ordered_pairs(left.shape[1], right.shape[1], left.device)
        own, other = over_pairs(self, self._embed, self._tokens(left), self._tokens(right), pairs)
        return self._decode(own, other).view(len(left), left.shape[1], right.shape[1])

    def _embed(self, left: Tensor, right: Tensor) -> tuple[Tensor, ...]:
        both = torch.stack([left, right], dim=1)
        for block in self.blocks:
            both = block(both)
        embedded: Tensor = self.readout(both.flatten(1, 2))
        return embedded.chunk(2, dim=1)

    def _decode(self, own: Tensor, other: Tensor) -> Tensor:
        second = other if self.bidirectional else own
        predicted: Tensor = self.head.decode_hidden(self.head.left(own) + self.head.right(second))
        return predicted


class MixedGenevec(PairAttention):
    """The genes of both regions in one sequence, through transformer blocks and a readout.

    Parameters
    ----------
    tokeniser, n_members, shared
        See `PairAttention`.
    with_coords
        Whether a linear map of a region's coordinates is added to its tokens.
    """

    def __init__(
        self,
        tokeniser: Tokeniser,
        *,
        with_coords: bool = False,
        n_members: int = 1,
        **shared: Any,
    ) -> None:
        super().__init__(
            tokeniser,
            block=TransformerBlock,
            n_tokens_read=2 * tokeniser.n_tokens,
            head=MeanHead,
            n_members=n_members,
            **shared,
        )
        self.place = (
            PopulationLinear(3, self.model_dim, n_members=n_members) if with_coords else None
        )

    def encode(self, expression: Tensor, coords: Tensor) -> Tensor:
        """Embed the tokens of each region, (n_members, n_regions, n_tokens * model_dim)."""
        tokens: Tensor = self.tokeniser(expression, coords)
        if self.place is not None:
            tokens = tokens + self.place(coords).unsqueeze(2)
        return tokens.flatten(2)

    def decode_within(self, z: Tensor) -> Tensor:
        """Decode all ordered pairs of a block; see `PairNetwork`."""
        n = z.shape[1]
        square = ordered_pairs(n, n, z.device).T.view(1, n, n, 2)
        return self.remember(self._decode(z, z, off_diagonal(square)[0].T))

    def decode_between(self, left: Tensor, right: Tensor) -> Tensor:
        """Decode every pair of two lists of embeddings; see `PairNetwork`."""
        pairs = ordered_pairs(left.shape[1], right.shape[1], left.device)
        return self._decode(left, right, pairs).view(len(left), left.shape[1], right.shape[1])

    def _decode(self, left: Tensor, right: Tensor, pairs: Tensor) -> Tensor:
        (z,) = over_pairs(self, self._embed, self._tokens(left), self._tokens(right), pairs)
        predicted: Tensor = self.head.decode_hidden(self.head.left(z) + self.head.right(z))
        return predicted

    def _embed(self, left: Tensor, right: Tensor) -> tuple[Tensor, ...]:
        tokens = torch.cat([left, right], dim=2)
        x = tokens.flatten(1, 2)
        for block in self.blocks:
            x = block(x, tokens.shape[2])
        return (self.readout(x.view(tokens.shape)),)


def places_of_first(n: int, device: torch.device) -> Tensor:
    """Return where the first region's embedding of each ordered pair stands, row-major.

    Embeddings of pairs i < j come first, as `unordered_pairs` lists them: those of i, then
    those of j.
    """
    i, j = off_diagonal(ordered_pairs(n, n, device).T.view(1, n, n, 2))[0].T
    low, high = torch.minimum(i, j), torch.maximum(i, j)
    pair = low * n - low * (low + 1) // 2 + high - low - 1
    place: Tensor = pair + (i > j).long() * (n * (n - 1) // 2)
    return place
