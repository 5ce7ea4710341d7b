"""The symmetric loss: what a network predicts for (i, j) and (j, i) is drawn together."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class SymmetricLoss(nn.Module):
    """Adds symmetry_weight * mean((y_ij - y_ji)^2) over a block to the training loss.

    A subclass hands what it decodes within a block through `remember`.

    References
    ----------
    GeneEx2Conn, `SymmetricLoss`.
    """

    symmetry_weight: float = 0.0
    _asymmetry: Tensor | None = None

    def remember(self, predicted: Tensor) -> Tensor:
        """Keep how asymmetric a block's predictions are, and return them.

        Parameters
        ----------
        predicted
            (n_members, n * (n - 1)), all ordered pairs i != j, row-major.
        """
        if self.training and self.symmetry_weight > 0:
            swapped = predicted[:, swapped_pairs(predicted.shape[1], predicted.device)]
            self._asymmetry = (predicted.float() - swapped.float()).square().mean(dim=1)
        return predicted

    def penalty(self) -> Tensor | None:
        """Return the weighted asymmetry of the last block, summed over members."""
        if self._asymmetry is None:
            return None
        asymmetry, self._asymmetry = self._asymmetry.sum(), None
        return self.symmetry_weight * asymmetry


def swapped_pairs(n_pairs: int, device: torch.device) -> Tensor:
    """Return where (j, i) stands for each (i, j) among n * (n - 1) row-major pairs."""
    n = (1 + math.isqrt(1 + 4 * n_pairs)) // 2
    places = torch.arange(n_pairs, device=device)
    i, rest = places // (n - 1), places % (n - 1)
    j = rest + (rest >= i)
    return j * (n - 1) + i - (i > j).long()
