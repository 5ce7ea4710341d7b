"""A network that decodes with a head: what MLPs, shared encoders and transformers share."""

from __future__ import annotations

from torch import Tensor, nn

from gx2c.models.bilinear_head import BilinearHead
from gx2c.models.pair_head import PairHead
from gx2c.models.protocol import TrainingView


class HeadedNetwork(nn.Module):
    """Decodes embeddings through `self.head`; subclasses encode."""

    head: PairHead | BilinearHead

    def decode_within(self, z: Tensor) -> Tensor:
        """Decode all ordered pairs of a block; see `PairNetwork`."""
        return self.head.within(z)

    def decode_between(self, left: Tensor, right: Tensor) -> Tensor:
        """Decode every pair of two lists of embeddings; see `PairNetwork`."""
        return self.head.between(self.head.left(left), self.head.right(right))

    def prepare(self, member: int, training: TrainingView, *, seed: int) -> None:
        """Do nothing: all is learned by gradient descent."""

    def penalty(self) -> Tensor | None:
        """Return no term: weight decay is the only regulariser."""
        return None

    def set_output_mean(self, means: Tensor) -> None:
        """Start the last bias at the mean training edge of each member, (n_members,)."""
        self.head.set_output_mean(means)
