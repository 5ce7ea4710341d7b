"""Building blocks of networks: their base class, an encoder, penalties, the asymmetry of pairs."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from gx2c.errors import require_choice
from gx2c.models.layers.heads import Head

# Sums over each member's parameters; the published "l2" is an un-squared norm
PENALTIES: dict[str, Callable[[Tensor], Tensor]] = {"l1": torch.abs, "l2": torch.square}


class PairNetwork(nn.Module):
    """A network y_ij = decode(encode(x_i), encode(x_j)), trained by gradient descent.

    Every tensor has a leading axis of independent members; see `gx2c.models.layers.population`.
    Subclasses encode what `self.reduced` makes of expression; `self.head` decodes embeddings.

    Attributes
    ----------
    symmetry_weight
        Factor on the `asymmetry` of a block in the training loss, beyond `TrainingSettings`.
    """

    head: Head
    symmetry_weight: float = 0.0

    def __init__(self) -> None:
        super().__init__()
        # see `gx2c.models.layers.reduced_genes.on_scores`
        self.reduced: nn.Module = nn.Identity()

    def encode(self, expression: Tensor, coords: Tensor) -> Tensor:
        """Encode each region once.

        Parameters
        ----------
        expression, coords
            (n_members, n_regions, n_genes) and (n_members, n_regions, 3), standardised with
            training statistics.

        Returns
        -------
        Tensor
            (n_members, n_regions, embedding_dim).
        """
        raise NotImplementedError

    def decode_within(self, z: Tensor) -> Tensor:
        """Decode all ordered pairs i != j of one block of embeddings, row-major.

        Returns
        -------
        Tensor
            (n_members, n_regions * (n_regions - 1)).
        """
        return self.head.within(z)

    def decode_between(self, left: Tensor, right: Tensor) -> Tensor:
        """Decode every ordered pair of two lists of embeddings, (n_members, n_left, n_right)."""
        return self.head.between(self.head.left(left), self.head.right(right))

    def penalty(self) -> Tensor | None:
        """Return the term added to the training loss, summed over members, or None."""
        return None

    def set_output_mean(self, means: Tensor) -> None:
        """Start the output at the mean training edge of each member, (n_members,)."""
        self.head.set_output_mean(means)


class EncoderNetwork(PairNetwork):
    """One encoder shared by both regions of a pair, and a head.

    Batch statistics of an encoder count each region of a block once; in the published code, which
    encodes both ends of every pair, a region counts once per pair.

    Parameters
    ----------
    encoder
        (n_members, n_regions, n_features) -> (n_members, n_regions, embedding_dim).
    head
        Decodes pairs of embeddings.
    with_coords
        Whether to append the region's coordinates to its expression.
    penalty_norm, penalty_weight
        A key of `PENALTIES` and the factor on its sum over the penalised parameters, added to the
        loss.
    penalised
        The part of the network to which the penalty applies; None for all of it.
    """

    def __init__(
        self,
        encoder: nn.Module,
        head: Head,
        *,
        with_coords: bool = False,
        penalty_norm: str = "l2",
        penalty_weight: float = 0.0,
        penalised: nn.Module | None = None,
    ) -> None:
        super().__init__()
        require_choice("penalty_norm", penalty_norm, PENALTIES)
        self.encoder, self.head, self.with_coords = encoder, head, with_coords
        self.penalty_norm, self.penalty_weight = PENALTIES[penalty_norm], penalty_weight
        self._penalised = [*(self if penalised is None else penalised).parameters()]

    def encode(self, expression: Tensor, coords: Tensor) -> Tensor:
        """Encode each region once, (n_members, n_regions, embedding_dim)."""
        features = self.reduced(expression)
        return self.encoder(torch.cat([features, coords], 2) if self.with_coords else features)

    def penalty(self) -> Tensor | None:
        """Return the weighted norm, summed over members."""
        if self.penalty_weight == 0:
            return None
        norms = [self.penalty_norm(weight).sum() for weight in self._penalised]
        return self.penalty_weight * torch.stack(norms).sum()


def asymmetry(predicted: Tensor) -> Tensor:
    """Return mean((y_ij - y_ji)^2) over the ordered pairs of a block, (n_members,).

    Parameters
    ----------
    predicted
        (n_members, n * (n - 1)), all ordered pairs i != j, row-major.

    References
    ----------
    GeneEx2Conn, `SymmetricLoss`.
    """
    swapped = predicted[:, swapped_pairs(predicted.shape[1], predicted.device)]
    return (predicted.float() - swapped.float()).square().mean(dim=1)


def swapped_pairs(n_pairs: int, device: torch.device) -> Tensor:
    """Return the position of (j, i) for each (i, j) among n * (n - 1) row-major pairs."""
    n = (1 + math.isqrt(1 + 4 * n_pairs)) // 2
    places = torch.arange(n_pairs, device=device)
    i, rest = places // (n - 1), places % (n - 1)
    j = rest + (rest >= i)
    return j * (n - 1) + i - (i > j).long()
