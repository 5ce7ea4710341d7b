"""Tokens, transformer blocks, a readout and a pair head: the frame of the SMT family."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from gx2c.models.headed_network import HeadedNetwork
from gx2c.models.keywords import require_choice
from gx2c.models.mean_head import HEADS
from gx2c.models.protocol import TrainingView
from gx2c.models.readout import make_readout
from gx2c.models.tokenisers import Tokeniser
from gx2c.models.transformer import TransformerBlock, make_blocks


class TokenNetwork(HeadedNetwork):
    """A transformer over the tokens of each region, encoded once, and a pair head.

    Parameters
    ----------
    tokeniser
        Makes the tokens.
    model_dim
        Token width inside the transformer.
    token_output_dim
        Width to which each token is mapped before all are flattened into the embedding; unused
        by other readouts.
    n_heads, n_layers
        Of the transformer.
    hidden_dims
        Of the pair head.
    alibi
        Linear attention bias by distance between tokens.
    encoder_dropout, dropout
        In the transformer and in the pair head.
    readout
        From tokens to the embedding, a key of `READOUTS`.
    combine
        How the embeddings of a pair enter the head: "concat", or "mean".
    n_members, attention
        See `gx2c.models.population` and `gx2c.models.attention`.

    Raises
    ------
    UserError
        If the heads do not divide the width.
    """

    def __init__(
        self,
        tokeniser: Tokeniser,
        *,
        model_dim: int = 128,
        token_output_dim: int = 10,
        n_heads: int = 4,
        n_layers: int = 4,
        hidden_dims: Sequence[int] = (512, 256, 128),
        alibi: bool = True,
        encoder_dropout: float = 0.1,
        dropout: float = 0.1,
        readout: str = "flatten",
        combine: str = "concat",
        n_members: int = 1,
        attention: str = "sdpa",
    ) -> None:
        super().__init__()
        self.tokeniser, self.n_tokens = tokeniser, tokeniser.n_tokens
        self.blocks = make_blocks(
            TransformerBlock,
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
            self.n_tokens,
            token_output_dim=token_output_dim,
            n_members=n_members,
        )
        require_choice("combine", combine, HEADS)
        self.head = HEADS[combine](
            self.readout.embedding_dim, hidden_dims, dropout=dropout, n_members=n_members
        )

    def encode(self, expression: Tensor, coords: Tensor) -> Tensor:
        """Encode each region once, (n_members, n_regions, embedding_dim)."""
        tokens: Tensor = self.tokeniser(expression, coords)
        x = tokens.flatten(1, 2)
        for block in self.blocks:
            x = block(x, self.n_tokens)
        z: Tensor = self.readout(x.view(tokens.shape))
        return z

    def prepare(self, member: int, training: TrainingView, *, seed: int) -> None:
        """Set what a member's training regions fix before the first pass."""
        self.tokeniser.prepare(member, training, seed=seed)
