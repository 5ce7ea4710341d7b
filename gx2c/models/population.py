"""Layers that hold K independent members (folds, seeds, nulls) and run them as one computation.

Every parameter has a leading member dimension and every input is (members, rows, features), so
that K small networks cost one batched matrix product instead of K launches. Members never mix:
each has its own weights, rows, batch statistics and random stream.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gx2c.errors import UserError
from gx2c.models.normalise import EPSILON, normalise_rows

LEAST_MOMENTUM = 0.1


class RandomStreams:
    """One random stream a member, re-seeded at every pass.

    A member's masks depend on its own seed and on the pass alone, never on the other members or
    on what ran before; a checkpoint therefore needs no generator state.
    """

    def __init__(self, n_members: int, device: torch.device) -> None:
        self.generators = [torch.Generator(device=device) for _ in range(n_members)]

    def seed(self, seeds: Sequence[int]) -> None:
        """Start each member's stream from its seed."""
        for generator, seed in zip(self.generators, seeds, strict=True):
            generator.manual_seed(seed)

    def keep_mask(self, like: Tensor, keep: float) -> Tensor:
        """Draw a mask of zeros and 1 / keep, each member from its own stream.

        Eight random bits decide an entry: drawing is what a mask costs. `keep` is rounded to a
        256th, and the mask's mean is 1.
        """
        size = like[0].numel()
        bits = torch.empty(len(like), -(-size // 8), dtype=torch.int64, device=like.device)
        for member, generator in zip(bits, self.generators, strict=True):
            member.random_(-(2**63), None, generator=generator)
        n_kept = max(1, round(keep * 256))
        # booleans are slow on a CPU: one float kernel compares and writes the factor
        drawn = bits.view(torch.int8)[:, :size].to(like.dtype)
        factor = drawn.new_full((), 256 / n_kept).expand_as(drawn)
        mask: Tensor = torch.ops.aten.threshold_backward(factor, drawn, 127 - n_kept)
        return mask.view_as(like)


class PopulationLayer(nn.Module):
    """A layer whose members are initialised one by one, so that K never changes a member."""

    def reset_member(self, member: int, generator: torch.Generator) -> None:
        """Draw the member's parameters."""
        raise NotImplementedError


class PopulationLinear(PopulationLayer):
    """y = x W + b for each member; initialised as `torch.nn.Linear`, times `gain`."""

    def __init__(
        self, n_in: int, n_out: int, *, n_members: int, bias: bool = True, gain: float = 1.0
    ) -> None:
        super().__init__()
        self.n_in, self.n_out, self.gain = n_in, n_out, gain
        self.weight = nn.Parameter(torch.empty(n_members, n_in, n_out))
        self.bias = nn.Parameter(torch.empty(n_members, 1, n_out)) if bias else None

    def reset_member(self, member: int, generator: torch.Generator) -> None:
        """Draw from U(-gain/sqrt(n_in), gain/sqrt(n_in))."""
        bound = self.gain / math.sqrt(self.n_in)
        for parameter in self.parameters():
            nn.init.uniform_(parameter.data[member], -bound, bound, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n_members, rows, n_in) to (n_members, rows, n_out)."""
        product = torch.bmm(x, self.weight)
        # baddbmm would first copy the bias to every row
        return product if self.bias is None else product.add_(self.bias)


class PopulationLayerNorm(PopulationLayer):
    """Layer normalisation with an affine map of each member's own."""

    def __init__(self, dim: int, *, n_members: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_members, 1, dim))
        self.bias = nn.Parameter(torch.empty(n_members, 1, dim))

    def reset_member(self, member: int, generator: torch.Generator) -> None:
        """Start as plain normalisation."""
        self.weight.data[member].fill_(1)
        self.bias.data[member].zero_()

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last axis of (n_members, rows, dim)."""
        if len(self.weight) == 1:
            return F.layer_norm(x, x.shape[-1:], self.weight[0, 0], self.bias[0, 0])
        return torch.addcmul(self.bias, F.layer_norm(x, x.shape[-1:]), self.weight)


class PopulationBatchNorm(PopulationLayer):
    """Batch normalisation over rows, with statistics of each member's own.

    The running statistics are the plain mean over the first ten batches, and move by a tenth a
    batch from then on. Moving from (0, 1) by a tenth at once, as is common, predicts close to the
    mean for dozens of batches; on small brains that is many passes of misleading validation.
    """

    running_mean: Tensor
    running_var: Tensor
    n_batches: Tensor

    def __init__(self, dim: int, *, n_members: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_members, dim))
        self.bias = nn.Parameter(torch.empty(n_members, dim))
        self.register_buffer("running_mean", torch.zeros(n_members, dim))
        self.register_buffer("running_var", torch.ones(n_members, dim))
        self.register_buffer("n_batches", torch.zeros(n_members, dtype=torch.int64))
        # the same count where the host can read it without waiting for a device
        self._n_batches = 0
        self.register_load_state_dict_post_hook(_recount)  # type: ignore[no-untyped-call]

    def reset_member(self, member: int, generator: torch.Generator) -> None:
        """Start as plain normalisation."""
        self.weight.data[member].fill_(1)
        self.bias.data[member].zero_()
        self.running_mean[member].zero_()
        self.running_var[member].fill_(1)
        self.n_batches[member] = self._n_batches = 0

    def forward(self, x: Tensor) -> Tensor:
        """Normalise each feature of (n_members, rows, dim) over its rows."""
        if not self.training:
            scale = self.weight * (self.running_var + EPSILON).rsqrt()
            shift = self.bias - self.running_mean * scale
            return torch.addcmul(shift.unsqueeze(1), x, scale.unsqueeze(1)).to(x.dtype)
        out, mean, variance = normalise_rows(x, self.weight, self.bias)
        self.n_batches += 1
        self._n_batches += 1
        momentum = max(LEAST_MOMENTUM, 1 / self._n_batches)
        self.running_mean.lerp_(mean, momentum)
        self.running_var.lerp_(variance * (x.shape[1] / (x.shape[1] - 1)), momentum)
        return out


def _recount(layer: nn.Module, incompatible_keys: object) -> None:
    assert isinstance(layer, PopulationBatchNorm)
    layer._n_batches = int(layer.n_batches[0])


class PopulationDropout(nn.Module):
    """Dropout whose masks come from each member's own stream."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        if not 0 <= probability < 1:
            raise UserError(f"dropout is {probability}; give a probability from 0 to below 1")
        self.probability = probability
        self.streams: RandomStreams | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Zero a share of the entries while training; leave them alone otherwise."""
        if not self.training or self.probability == 0:
            return x
        return x * self._mask(x)

    def add(self, x: Tensor, branch: Tensor) -> Tensor:
        """Add the branch with dropout to x."""
        if not self.training or self.probability == 0:
            return x + branch
        return torch.addcmul(x, branch, self._mask(branch))

    def _mask(self, like: Tensor) -> Tensor:
        assert self.streams is not None, "connect_streams was not called"
        return self.streams.keep_mask(like, 1 - self.probability)


def initialise(network: nn.Module, seeds: Sequence[int]) -> None:
    """Draw each member's weights from its own seed."""
    layers = [m for m in network.modules() if isinstance(m, PopulationLayer)]
    for member, seed in enumerate(seeds):
        generator = torch.Generator().manual_seed(seed)
        for layer in layers:
            layer.reset_member(member, generator)


def connect_streams(network: nn.Module, streams: RandomStreams) -> None:
    """Let every dropout of a network draw from the given streams."""
    for module in network.modules():
        if isinstance(module, PopulationDropout):
            module.streams = streams


def count_parameters(network: nn.Module) -> int:
    """Return the number of trained parameters of one member."""
    return sum(p[0].numel() for p in network.parameters() if p.requires_grad)
