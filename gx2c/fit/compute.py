"""How to compute a fit: device, threads, number format, attention kernel."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from threadpoolctl import threadpool_limits

from gx2c.models.layers.transformer import flash_attention_is_available

AUTO = "auto"
# Compute capability of the first GPUs with bfloat16
AMPERE = (8, 0)


@dataclass(frozen=True)
class ComputeProfile:
    """Recorded with every result, and the same in search, retrain, nulls and rerun.

    The number of threads changes sums in their last digits, so it belongs to the profile and
    never follows from how many trials happen to run at once.

    Attributes
    ----------
    device
        "cpu" or "cuda".
    threads
        Number of threads of one fit, for torch and BLAS.
    dtype
        "float32", or "bfloat16" for autocast.
    attention
        A key of `gx2c.models.layers.transformer.ATTENTION_KERNELS`.
    """

    device: str = "cpu"
    threads: int = 1
    dtype: str = "float32"
    attention: str = "sdpa"

    @classmethod
    def choose(cls, *, gpu: bool, threads: int = 1) -> Self:
        """Choose for a trial that has, or has not, (a fraction of) a GPU.

        The process that chooses may have no GPU: `on_this_device` completes the choice.
        """
        if not gpu:
            return cls(threads=threads)
        return cls(device="cuda", threads=threads, dtype=AUTO, attention=AUTO)

    def on_this_device(self) -> Self:
        """Complete number format and kernel by the GPU on which this process sits.

        Older devices than Ampere (V100, T4) compute in float32 with SDPA: they have no bfloat16,
        and flash-attn does not support them.
        """
        if AUTO not in (self.dtype, self.attention):
            return self
        modern = torch.cuda.get_device_capability() >= AMPERE
        flash = modern and flash_attention_is_available()
        return replace(
            self, dtype="bfloat16" if modern else "float32", attention="flash" if flash else "sdpa"
        )

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """Hold torch and BLAS to this profile's number of threads."""
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            with threadpool_limits(self.threads):
                yield
        finally:
            torch.set_num_threads(before)

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """Return the context in which the forward pass runs."""
        if self.dtype == "float32":
            return contextlib.nullcontext()
        return torch.autocast(self.device, dtype=getattr(torch, self.dtype))
