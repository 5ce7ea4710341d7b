"""Layers that hold K independent members (folds, seeds, nulls) and run them as one computation.

Every parameter has a leading member dimension and every input is (members, rows, features), so
that K small networks cost one batched matrix product instead of K launches. Members never mix:
each has its own weights, rows, batch statistics and random stream.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gx2c.errors import UserError
from gx2c.models.protocol import TrainingData

EPSILON = 1e-5
_MEMBERS: ContextVar[int] = ContextVar("members", default=1)


@contextmanager
def holding(n_members: int) -> Iterator[None]:
    """Make every layer that is built within hold so many members; outside it holds one."""
    token = _MEMBERS.set(n_members)
    try:
        yield
    finally:
        _MEMBERS.reset(token)


def zeros(*shape: int) -> Tensor:
    """Return zeros with a leading axis of members."""
    return torch.zeros(_MEMBERS.get(), *shape)


def parameter(*shape: int) -> nn.Parameter:
    """Return a parameter with a leading axis of members; `initialise` draws its values."""
    return nn.Parameter(torch.empty(_MEMBERS.get(), *shape))


def normalise_rows(x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Normalise each member's features over its rows, then scale and shift them.

    torch's own kernel has no member axis: members would have to become channels, which copies all
    rows twice in the forward and twice in the backward pass.

    Parameters
    ----------
    x
        (n_members, rows, dim).
    weight, bias
        (n_members, dim).

    Returns
    -------
    tuple of Tensor
        Result in the shape and number format of x; mean and (biased) variance, (n_members, dim)
        each, without gradient.
    """
    full = torch.promote_types(x.dtype, torch.float32)
    out, mean, variance = _Normalise.apply(x.to(full), weight, bias)  # type: ignore[no-untyped-call]
    return out.to(x.dtype), mean, variance


class _Normalise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean = x.mean(1, keepdim=True)
        centred = x - mean
        variance = centred.square().mean(1)
        inverse = (variance + EPSILON).rsqrt()
        ctx.save_for_backward(centred, inverse, weight)
        scale = (inverse * weight).unsqueeze(1)
        mean = mean.squeeze(1)
        ctx.mark_non_differentiable(mean, variance)
        return torch.addcmul(bias.unsqueeze(1), centred, scale), mean, variance

    @staticmethod
    def backward(ctx: Any, grad: Tensor, *_: Any) -> tuple[Tensor, Tensor, Tensor]:
        centred, inverse, weight = ctx.saved_tensors
        rows, scale = grad.shape[1], inverse * weight
        d_bias = grad.sum(1)
        d_weight = (grad * centred).sum(1).mul_(inverse)
        # scale * (grad - mean(grad) - normalised * mean(grad * normalised))
        shift, slope = -scale * d_bias / rows, -scale * inverse * d_weight / rows
        d_x = torch.addcmul(shift.unsqueeze(1), centred, slope.unsqueeze(1))
        return d_x.addcmul_(grad, scale.unsqueeze(1)), d_weight, d_bias


LEAST_MOMENTUM = 0.1


class RandomStreams:
    """One random stream per member, re-seeded at every epoch.

    A member's masks depend only on its own seed and the epoch, never on other members or earlier
    work; a checkpoint therefore needs no generator state.
    """

    def __init__(self, n_members: int, device: torch.device) -> None:
        self.generators = [torch.Generator(device=device) for _ in range(n_members)]

    def seed(self, seeds: Sequence[int]) -> None:
        """Start each member's stream from its seed."""
        for generator, seed in zip(self.generators, seeds, strict=True):
            generator.manual_seed(seed)

    def keep_mask(self, like: Tensor, keep: float) -> Tensor:
        """Draw a mask of zeros and 1 / keep, for each member from its own stream.

        Eight random bits decide an entry, because random numbers dominate the cost of a mask.
        `keep` is rounded to a 256th, and the mask's mean is 1.
        """
        size = like[0].numel()
        bits = torch.empty(len(like), -(-size // 8), dtype=torch.int64, device=like.device)
        for member, generator in zip(bits, self.generators, strict=True):
            member.random_(-(2**63), None, generator=generator)
        n_kept = max(1, round(keep * 256))
        # booleans are slow on a CPU: one float kernel compares and scales
        drawn = bits.view(torch.int8)[:, :size].to(like.dtype)
        factor = drawn.new_full((), 256 / n_kept).expand_as(drawn)
        mask: Tensor = torch.ops.aten.threshold_backward(factor, drawn, 127 - n_kept)
        return mask.view_as(like)


class Layer(nn.Module):
    """A module that returns one tensor."""

    __call__: Callable[..., Tensor]


class PreparedLayer(Layer):
    """A layer that learns from training regions before the first epoch, and not afterwards."""

    def prepare(self, member: int, training: TrainingData, *, seed: int) -> None:
        """Learn from a member's training regions alone, whose expression is standardised."""
        raise NotImplementedError


class PopulationLayer(Layer):
    """A layer whose members are initialised one by one, independently of their number."""

    def reset_member(self, member: int, generator: torch.Generator) -> None:
        """Draw the member's parameters."""
        raise NotImplementedError


class PopulationLinear(PopulationLayer):
    """y = x W + b for each member; initialised as `torch.nn.Linear`, times `gain`."""

    def __init__(self, n_in: int, n_out: int, *, bias: bool = True, gain: float = 1.0) -> None:
        super().__init__()
        self.n_in, self.n_out, self.gain = n_in, n_out, gain
        self.weight = parameter(n_in, n_out)
        self.bias = parameter(1, n_out) if bias else None

    def reset_member(self, member: int, generator: torch.Generator) -> None:
        """Draw from U(-gain/sqrt(n_in), gain/sqrt(n_in))."""
        bound = self.gain / math.sqrt(self.n_in)
        for parameter in self.parameters():
            nn.init.uniform_(parameter.data[member], -bound, bound, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n_members, rows, n_in) to (n_members, rows, n_out)."""
        product = torch.bmm(x, self.weight)
        # baddbmm would copy the bias to every row first
        return product if self.bias is None else product.add_(self.bias)


class PopulationLayerNorm(PopulationLayer):
    """Layer normalisation with a separate affine map for each member."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weight, self.bias = parameter(1, dim), parameter(1, dim)

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
    """Batch normalisation over rows, with separate statistics for each member.

    The running statistics are the plain mean over the first ten batches, and move by a tenth per
    batch from then on. The usual start at (0, 1) predicts close to the mean for dozens of batches,
    which on small brains is many epochs of misleading validation.
    """

    running_mean: Tensor
    running_var: Tensor
    n_batches: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weight, self.bias = parameter(dim), parameter(dim)
        self.register_buffer("running_mean", zeros(dim))
        self.register_buffer("running_var", zeros(dim) + 1)
        self.register_buffer("n_batches", zeros().long())
        # the same count on the host, which can read it without waiting for a device
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


class PopulationDropout(Layer):
    """Dropout with masks from each member's own stream."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        if not 0 <= probability < 1:
            raise UserError(f"dropout is {probability}; give a probability from 0 to below 1")
        self.probability = probability
        self.streams: RandomStreams | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Zero a share of the entries in training; otherwise return them unchanged."""
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


def prepare(network: nn.Module, member: int, training: TrainingData, *, seed: int) -> None:
    """Let every `PreparedLayer` of a network learn from a member's training regions alone."""
    for module in network.modules():
        if isinstance(module, PreparedLayer):
            module.prepare(member, training, seed=seed)


def connect_streams(network: nn.Module, streams: RandomStreams) -> None:
    """Make every dropout layer of a network draw from the given streams."""
    for module in network.modules():
        if isinstance(module, PopulationDropout):
            module.streams = streams
