"""From a region's inputs to the tokens of a transformer, and from tokens to an embedding."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gx2c.errors import UserError, require_choice
from gx2c.models.layers.population import (
    Layer,
    PopulationBatchNorm,
    PopulationDropout,
    PopulationLayer,
    PopulationLayerNorm,
    PopulationLinear,
    zeros,
)
from gx2c.models.layers.transformer import gene_tokens

# Turns a standard deviation (some 30 mm) into hundreds of radians: the closest neighbours among
# regions, a few mm apart, get unrelated values
FREQUENCY = 300.0
POOLING_DIM = 32
POOLING_DROPOUT = 0.1


class ScrambledCoordinates(PopulationLayer):
    """Three numbers per region without information about its location.

    sqrt(2) sin(F c + p), where each member has its own, very large F: the same region always gets
    the same numbers, held-out regions get numbers too, and neighbours share none.
    """

    frequency: Tensor
    phase: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("frequency", zeros(1, 3, 3))
        self.register_buffer("phase", zeros(1, 3))

    def reset_member(self, member: int, generator: torch.Generator) -> None:
        """Draw the frequencies and phases."""
        self.frequency[member].normal_(0, FREQUENCY, generator=generator)
        self.phase[member].uniform_(0, 2 * math.pi, generator=generator)

    def forward(self, coords: Tensor) -> Tensor:
        """Scramble (n_members, n_regions, 3)."""
        # not a matrix product, because half precision would round it to another hash
        angle = (coords.unsqueeze(3) * self.frequency).sum(2) + self.phase
        return math.sqrt(2) * torch.sin(angle)


# A trained map of coordinates; a map that stays at its initial values; a trained map of noise
COORDINATE_TOKENS: dict[str, Callable[[int], nn.Module]] = {
    "learned": lambda model_dim: PopulationLinear(3, model_dim),
    "fixed": lambda model_dim: PopulationLinear(3, model_dim).requires_grad_(False),
    "random": lambda model_dim: nn.Sequential(
        ScrambledCoordinates(), PopulationLinear(3, model_dim)
    ),
}


class Tokeniser(Layer):
    """Maps (n_members, n_regions, n_genes) and coordinates to `n_tokens` tokens of a region."""

    n_tokens: int

    def forward(self, expression: Tensor, coords: Tensor) -> Tensor:
        """Return (n_members, n_regions, n_tokens, model_dim)."""
        raise NotImplementedError


class GeneChunks(Tokeniser):
    """One linear map of contiguous genes, which are in genomic (or another meaningful) order."""

    def __init__(self, n_genes: int, genes_per_token: int, *, model_dim: int) -> None:
        super().__init__()
        self.genes_per_token = genes_per_token
        self.n_tokens = -(-n_genes // genes_per_token)
        self.embed = PopulationLinear(genes_per_token, model_dim)

    def forward(self, expression: Tensor, coords: Tensor) -> Tensor:
        """Cut the genes into chunks and embed them."""
        tokens = gene_tokens(expression, self.genes_per_token)
        return self.embed(tokens.flatten(1, 2)).view(*tokens.shape[:3], -1)


class WithCoordinates(Tokeniser):
    """A token made by one of `COORDINATE_TOKENS`, followed by another tokeniser's tokens."""

    def __init__(self, tokens: Tokeniser, kind: str, *, model_dim: int) -> None:
        super().__init__()
        self.tokens = tokens
        self.n_tokens = tokens.n_tokens + 1
        require_choice("coordinates", kind, COORDINATE_TOKENS)
        self.cls = COORDINATE_TOKENS[kind](model_dim)

    def forward(self, expression: Tensor, coords: Tensor) -> Tensor:
        """Prepend the coordinates' token."""
        return torch.cat([self.cls(coords).unsqueeze(2), self.tokens(expression, coords)], dim=2)


class ConvolvedGenes(Tokeniser):
    """A convolution along the genes with ReLU, averaged to a fixed number of tokens.

    The published map from channels to `model_dim` precedes the average. Both are linear, so here it
    follows, on far fewer columns.

    Parameters
    ----------
    n_genes
        Genes per region, in genomic (or another meaningful) order; zeros pad the last window.
    kernel_size, stride, out_channels
        Kernel size, stride and channels of the convolution.
    n_tokens
        Number of averages over equal stretches, at most the number of windows.
    model_dim
        Token width.
    """

    average: Tensor

    def __init__(
        self,
        n_genes: int,
        *,
        kernel_size: int,
        stride: int,
        out_channels: int,
        n_tokens: int,
        model_dim: int,
    ) -> None:
        super().__init__()
        if stride > kernel_size:
            raise UserError(
                f"stride {stride} exceeds kernel_size {kernel_size}, so genes between windows "
                "would be unread; choose a smaller stride"
            )
        self.kernel_size, self.stride = kernel_size, stride
        n_windows = max(0, -(-(n_genes - kernel_size) // stride)) + 1
        self.padding = kernel_size + (n_windows - 1) * stride - n_genes
        self.n_tokens = min(n_tokens, n_windows)
        self.convolve = PopulationLinear(kernel_size, out_channels)
        self.widen = PopulationLinear(out_channels, model_dim)
        identity = torch.eye(n_windows, dtype=torch.float64).unsqueeze(0)
        # as a product, adaptive averages have a deterministic gradient on every device
        average = F.adaptive_avg_pool1d(identity, self.n_tokens)[0].T.float().contiguous()
        self.register_buffer("average", average, persistent=False)

    def forward(self, expression: Tensor, coords: Tensor) -> Tensor:
        """Convolve, average and widen."""
        n_members, n_regions, _ = expression.shape
        windows = F.pad(expression, (0, self.padding)).unfold(2, self.kernel_size, self.stride)
        channels = torch.relu(self.convolve(windows.flatten(1, 2)))
        averaged = torch.matmul(
            self.average.to(channels.dtype),
            channels.view(n_members, n_regions, windows.shape[2], -1),
        )
        return self.widen(averaged.flatten(1, 2)).view(n_members, n_regions, self.n_tokens, -1)


class Flatten(Layer):
    """One linear map of each token to `token_output_dim` numbers, then concatenation."""

    def __init__(self, model_dim: int, n_tokens: int, *, token_output_dim: int) -> None:
        super().__init__()
        self.embedding_dim = n_tokens * token_output_dim
        self.project = PopulationLinear(model_dim, token_output_dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (n_members, n_regions, n_tokens, model_dim) to (..., embedding_dim)."""
        return self.project(tokens.flatten(1, 2)).view(*tokens.shape[:2], -1)


class TokenMLP(Layer):
    """The published down-sampler: an MLP of each token to `token_output_dim` numbers, concatenated.

    Linear to half the width, ReLU, Linear. One map serves all tokens.
    """

    def __init__(self, model_dim: int, n_tokens: int, *, token_output_dim: int) -> None:
        super().__init__()
        self.embedding_dim = n_tokens * token_output_dim
        self.hidden = PopulationLinear(model_dim, model_dim // 2)
        self.project = PopulationLinear(model_dim // 2, token_output_dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (n_members, n_regions, n_tokens, model_dim) to (..., embedding_dim)."""
        hidden = torch.relu(self.hidden(tokens.flatten(1, 2)))
        return self.project(hidden).view(*tokens.shape[:2], -1)


class MeanPooling(Layer):
    """The plain mean of the tokens."""

    def __init__(self, model_dim: int) -> None:
        super().__init__()
        self.embedding_dim = model_dim

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (n_members, n_regions, n_tokens, model_dim) to (..., model_dim)."""
        return tokens.mean(dim=2)


class AttentionPooling(Layer):
    """The mean of the tokens, weighted by the softmax of a small network's scores.

    Linear to `POOLING_DIM`, BatchNorm, GELU, Dropout, Linear to one score, Dropout. The batch
    statistics count the tokens of each region of a block once; in the published code, which encodes
    both ends of every pair, a region counts once per pair.

    If the tokens belong to pairs (`of_pairs`), which come in chunks, a LayerNorm replaces the
    BatchNorm, whose statistics would depend on the chunk.
    """

    def __init__(self, model_dim: int, *, of_pairs: bool = False) -> None:
        super().__init__()
        self.embedding_dim = model_dim
        self.hidden = PopulationLinear(model_dim, POOLING_DIM)
        norm = PopulationLayerNorm if of_pairs else PopulationBatchNorm
        self.norm = norm(POOLING_DIM)
        self.score = PopulationLinear(POOLING_DIM, 1)
        self.dropout = PopulationDropout(POOLING_DROPOUT)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (n_members, n_regions, n_tokens, model_dim) to (..., model_dim)."""
        hidden = F.gelu(self.norm(self.hidden(tokens.flatten(1, 2))))
        scores = self.dropout(self.score(self.dropout(hidden)))
        weights = torch.softmax(scores.view(*tokens.shape[:3]), dim=2)
        return (weights.unsqueeze(2) @ tokens.to(weights.dtype)).squeeze(2)


Readout = Flatten | TokenMLP | MeanPooling | AttentionPooling
READOUTS = ("flatten", "mlp", "mean", "attention")


def make_readout(
    kind: str, model_dim: int, n_tokens: int, *, token_output_dim: int, of_pairs: bool = False
) -> Readout:
    """Make one of `READOUTS`; see `Flatten` and `AttentionPooling` for their keywords."""
    require_choice("readout", kind, READOUTS)
    if kind in ("flatten", "mlp"):
        concatenated = Flatten if kind == "flatten" else TokenMLP
        return concatenated(model_dim, n_tokens, token_output_dim=token_output_dim)
    if kind == "mean":
        return MeanPooling(model_dim)
    return AttentionPooling(model_dim, of_pairs=of_pairs)
