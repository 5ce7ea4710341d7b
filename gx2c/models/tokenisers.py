"""From a region's inputs to the tokens of a transformer; one class a kind of token."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gx2c.errors import UserError
from gx2c.models.coordinate_token import coordinate_token
from gx2c.models.population import PopulationLinear
from gx2c.models.protocol import TrainingView
from gx2c.models.transformer import gene_tokens


class Tokeniser(nn.Module):
    """Maps (n_members, n_regions, n_genes) and coordinates to tokens.

    Attributes
    ----------
    n_tokens
        Tokens of a region.
    """

    n_tokens: int

    def forward(self, expression: Tensor, coords: Tensor) -> Tensor:
        """Return (n_members, n_regions, n_tokens, model_dim)."""
        raise NotImplementedError

    def prepare(self, member: int, training: TrainingView, *, seed: int) -> None:
        """Set what a member's training regions fix before the first pass; here nothing."""


class GeneChunks(Tokeniser):
    """Contiguous genes through one linear map.

    Parameters
    ----------
    n_genes
        Genes per region, in genomic (or another meaningful) order.
    genes_per_token
        Length of a chunk.
    model_dim
        Token width.
    n_members
        Networks held side by side.
    """

    def __init__(
        self, n_genes: int, genes_per_token: int, *, model_dim: int, n_members: int
    ) -> None:
        super().__init__()
        self.genes_per_token = genes_per_token
        self.n_tokens = -(-n_genes // genes_per_token)
        self.embed = PopulationLinear(genes_per_token, model_dim, n_members=n_members)

    def forward(self, expression: Tensor, coords: Tensor) -> Tensor:
        """Cut the genes into chunks and embed them."""
        tokens = gene_tokens(expression, self.genes_per_token)
        embedded: Tensor = self.embed(tokens.flatten(1, 2))
        return embedded.view(*tokens.shape[:3], -1)


class WithCoordinates(Tokeniser):
    """Another tokeniser's tokens behind one made from the region's coordinates.

    Parameters
    ----------
    tokens
        The other tokeniser.
    kind
        A key of `gx2c.models.coordinate_token.COORDINATE_TOKENS`.
    model_dim, n_members
        As those of `tokens`.
    """

    def __init__(self, tokens: Tokeniser, kind: str, *, model_dim: int, n_members: int) -> None:
        super().__init__()
        self.tokens = tokens
        self.n_tokens = tokens.n_tokens + 1
        self.cls = coordinate_token(kind, model_dim, n_members=n_members)

    def forward(self, expression: Tensor, coords: Tensor) -> Tensor:
        """Prepend the coordinates' token."""
        return torch.cat([self.cls(coords).unsqueeze(2), self.tokens(expression, coords)], dim=2)


class ConvolvedGenes(Tokeniser):
    """A convolution along the genes with ReLU, averaged to a fixed number of tokens.

    The published map from channels to `model_dim` comes before the average; both are linear, so
    that it may come after, on far fewer columns.

    Parameters
    ----------
    n_genes
        Genes per region, in genomic (or another meaningful) order; zeros fill up the last window.
    kernel_size, stride, out_channels
        Of the convolution.
    n_tokens
        Averages over equal stretches, at most as many as there are windows.
    model_dim
        Token width.
    n_members
        Networks held side by side.
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
        n_members: int,
    ) -> None:
        super().__init__()
        if stride > kernel_size:
            raise UserError(
                f"stride {stride} is above kernel_size {kernel_size}: genes between windows would "
                "never be read; give a smaller stride"
            )
        self.kernel_size, self.stride = kernel_size, stride
        n_windows = max(0, -(-(n_genes - kernel_size) // stride)) + 1
        self.padding = kernel_size + (n_windows - 1) * stride - n_genes
        self.n_tokens = min(n_tokens, n_windows)
        self.convolve = PopulationLinear(kernel_size, out_channels, n_members=n_members)
        self.widen = PopulationLinear(out_channels, model_dim, n_members=n_members)
        average = averages(n_windows, self.n_tokens)
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
        embedded: Tensor = self.widen(averaged.flatten(1, 2))
        return embedded.view(n_members, n_regions, self.n_tokens, -1)


def averages(n_windows: int, n_tokens: int) -> Tensor:
    """Return the matrix (n_tokens, n_windows) of `torch.nn.AdaptiveAvgPool1d`.

    As a product it has a deterministic gradient on every device.
    """
    identity = torch.eye(n_windows, dtype=torch.float64).unsqueeze(0)
    return F.adaptive_avg_pool1d(identity, n_tokens)[0].T.float().contiguous()
