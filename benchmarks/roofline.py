"""How fast a piece of work could be on this machine: its operations, its bytes, and both rates.

References
----------
Williams, Waterman & Patterson (2009), "Roofline", Communications of the ACM 52(4), 65-76.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

from benchmarks.frame import seconds_of

# torch counts the attention kernels of a GPU, and not that of a CPU
_ATTENTION = {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: (
        lambda q, k, v, *_, **__: sdpa_flop_count(q, k, v)
    ),
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: (
        lambda grad, q, k, v, *_, **__: sdpa_backward_flop_count(grad, q, k, v)
    ),
}
# about what a step of eight quick members makes, in operands as large as its own
FOOTPRINT_MIB = 32
OPERAND_MIB = 1


@dataclass(frozen=True)
class Work:
    """What a piece of work asks of a machine.

    Attributes
    ----------
    operations
        Additions and multiplications of matrix products, attention's included.
    n_bytes
        Read and written, if every operation of torch fetched its operands and stored its result.
    """

    operations: int
    n_bytes: int

    def shares(self, seconds: dict[str, float]) -> dict[str, float]:
        """Return which share of the matrix rate was reached, by the median and by the fastest.

        `attainable_fraction` is the share if products ran at that rate, everything was fetched
        and stored at `memory_rate` meanwhile or afterwards, and calling torch took no time.
        """
        products = self.operations / matrix_rate()
        return {
            "roofline_fraction": round(products / seconds["median"], 3),
            "fastest_roofline_fraction": round(products / seconds["fastest"], 3),
            "attainable_fraction": round(products / (products + self.n_bytes / memory_rate()), 3),
        }


def count(work: Callable[[], Any]) -> Work:
    """Run a piece of work twice and count what it asks for."""
    with FlopCounterMode(display=False, custom_mapping=_ATTENTION) as operations:
        work()
    with _Bytes() as moved:
        work()
    return Work(operations.get_total_flops(), moved.n_bytes)


class _Bytes(TorchDispatchMode):
    """Adds up the operands and results of all operations but those that make views."""

    n_bytes = 0

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = operation(*args, **(kwargs or {}))
        if not (operation.is_view or operation is torch.ops.aten._unsafe_view.default):
            tensors = tree_leaves((args, kwargs, result))
            self.n_bytes += sum(_bytes_of(t) for t in tensors if isinstance(t, Tensor))
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
