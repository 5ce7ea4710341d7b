"""How fast a piece of work could be on this machine: its operations, its bytes, and both rates.

References
----------
Williams, Waterman & Patterson (2009), "Roofline", Communications of the ACM 52(4), 65-76.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry, sdpa_backward_flop_count, sdpa_flop_count

from benchmarks.frame import seconds_of

# torch knows the attention kernels of a GPU, and not that of a CPU
_COUNTS: Mapping[Any, Callable[..., int]] = {
    **flop_registry,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: (
        lambda q, k, v, *_, **__: sdpa_flop_count(q.shape, k.shape, v.shape)
    ),
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: (
        lambda g, q, k, v, *_, **__: sdpa_backward_flop_count(g.shape, q.shape, k.shape, v.shape)
    ),
}
# about what a step of eight quick members makes, in operands as large as its own
FOOTPRINT_MIB = 32
OPERAND_MIB = 1


@dataclass(frozen=True)
class Work:
    """What a piece of work asks of a machine, one entry for each call of a torch operation.

    Attributes
    ----------
    operations
        Additions and multiplications of matrix products, attention's included; 0 for others.
    n_bytes
        Of its operands and results.
    """

    operations: tuple[int, ...]
    n_bytes: tuple[int, ...]

    def shares(self, seconds: dict[str, float]) -> dict[str, float]:
        """Return which share of the matrix rate was reached, by the median and by the fastest.

        `attainable_fraction` is the share if every call took what its products take at that
        rate, or what its bytes take at `memory_rate` where that is longer, and nothing else.
        """
        products = sum(self.operations) / matrix_rate()
        calls = zip(self.operations, self.n_bytes, strict=True)
        least = sum(max(n / matrix_rate(), size / memory_rate()) for n, size in calls)
        return {
            "roofline_fraction": round(products / seconds["median"], 3),
            "fastest_roofline_fraction": round(products / seconds["fastest"], 3),
            "attainable_fraction": round(products / least, 3),
        }


def count(work: Callable[[], Any]) -> Work:
    """Run a piece of work twice and count what it asks for the second time.

    The first may make what others use again, as the state of an optimiser.
    """
    work()
    with _Counter() as counter:
        work()
    return Work(tuple(counter.operations), tuple(counter.n_bytes))


class _Counter(TorchDispatchMode):
    """Counts all calls but those that make views."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[int] = []
        self.n_bytes: list[int] = []

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        result = operation(*args, **kwargs)
        if not (operation.is_view or operation is torch.ops.aten._unsafe_view.default):
            tensors = tree_leaves((args, kwargs, result))
            self.n_bytes.append(sum(_bytes_of(t) for t in tensors if isinstance(t, Tensor)))
            counted = _COUNTS.get(operation.overloadpacket)
            self.operations.append(counted(*args, **kwargs, out_val=result) if counted else 0)
        return result


def _bytes_of(tensor: Tensor) -> int:
    """Count an expanded axis once: it is the same memory."""
    held = [size for size, stride in zip(tensor.shape, tensor.stride(), strict=True) if stride]
    return torch.Size(held).numel() * tensor.element_size()


@functools.cache
def matrix_rate(size: int = 2_048) -> float:
    """Measure the machine's rate of float32 matrix products, operations per second."""
    a, b = torch.randn(size, size), torch.randn(size, size)
    return 2 * size**3 / seconds_of(lambda: a @ b, repeats=7)["fastest"]


@functools.cache
def memory_rate() -> float:
    """Measure how fast torch multiplies a step's worth of operands, bytes per second."""
    operands = [torch.ones(OPERAND_MIB * 2**18) for _ in range(FOOTPRINT_MIB // OPERAND_MIB)]

    def scale_all() -> None:
        for source, target in zip(operands[::2], operands[1::2], strict=True):
            torch.mul(source, 2.0, out=target)

    return FOOTPRINT_MIB * 2**20 / seconds_of(scale_all, repeats=30, warm_up=3)["fastest"]
