"""How a fit is computed: device, threads, number format, attention kernel."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from gx2c.models.attention import flash_attention_is_available


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
        Of one fit, for torch and BLAS alike.
    dtype
        "float32", or "bfloat16" for autocast.
    attention
        A key of `gx2c.models.attention.ATTENTION_KERNELS`.
    """

    device: str = "cpu"
    threads: int = 1
    dtype: str = "float32"
    attention: str = "sdpa"

    @classmethod
    def choose(cls, *, gpu: bool, threads: int = 1) -> ComputeProfile:
        """Choose for a trial that has, or has not, (a fraction of) a GPU."""
        if not gpu:
            return cls(threads=threads)
        attention = "flash" if flash_attention_is_available() else "sdpa"
        return cls(device="cuda", threads=threads, dtype="bfloat16", attention=attention)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

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
