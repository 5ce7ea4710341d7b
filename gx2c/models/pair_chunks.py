"""Compute something for every pair of regions, some pairs at a time.

What attends between two regions must be evaluated for each pair. So that memory does not grow
with the pairs, it is done in chunks, and where a gradient is wanted each chunk is computed again
on the way back in place of being kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from gx2c.models.population import PopulationDropout, RandomStreams

# Of one chunk, whatever the number of members: their dropout must not depend on their company
MAX_TOKENS_AT_ONCE = 65_536

# tokens of the first and the second region of some pairs, (n_members, n_pairs, n_tokens, dim)
# each -> one or more (n_members, n_pairs, ...)
OfPairs = Callable[[Tensor, Tensor], tuple[Tensor, ...]]


def over_pairs(
    network: nn.Module,
    of_pairs: OfPairs,
    left: Tensor,
    right: Tensor,
    pairs: Tensor,
) -> tuple[Tensor, ...]:
    """Apply a function to pairs of regions in chunks.

    Parameters
    ----------
    network
        Whose dropouts the function uses.
    of_pairs
        The function.
    left, right
        (n_members, n_left, n_tokens, dim) and (n_members, n_right, n_tokens, dim).
    pairs
        (2, n_pairs) indices into `left` and `right`.

    Returns
    -------
    tuple of Tensor
        What the function returns, for all pairs.
    """
    per_chunk = max(1, MAX_TOKENS_AT_ONCE // (2 * left.shape[2]))
    chunks = torch.split(pairs, per_chunk, dim=1)

    def of_chunk(left: Tensor, right: Tensor, pairs: Tensor) -> tuple[Tensor, ...]:
        return of_pairs(left[:, pairs[0]], right[:, pairs[1]])

    compute = of_chunk
    if len(chunks) > 1 and torch.is_grad_enabled():
        compute = partial(
            checkpoint,
            of_chunk,
            use_reentrant=False,
            preserve_rng_state=False,
            context_fn=partial(_same_masks, _streams_of(network)),
        )
    parts = [compute(left, right, chunk) for chunk in chunks]
    return tuple(torch.cat(part, dim=1) for part in zip(*parts, strict=True))


def unordered_pairs(n_regions: int, device: torch.device) -> Tensor:
    """Return i < j of all pairs, (2, n_pairs)."""
    return torch.triu_indices(n_regions, n_regions, 1, device=device)


def ordered_pairs(n_left: int, n_right: int, device: torch.device) -> Tensor:
    """Return every (i, j), row-major, (2, n_left * n_right)."""
    indices = torch.arange(n_left * n_right, device=device)
    return torch.stack([indices // n_right, indices % n_right])


def _streams_of(network: nn.Module) -> RandomStreams | None:
    dropouts = (m for m in network.modules() if isinstance(m, PopulationDropout))
    return next((d.streams for d in dropouts), None)


def _same_masks(
    streams: RandomStreams | None,
) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """Make the second computation of a chunk draw what the first drew."""
    if streams is None:
        return nullcontext(), nullcontext()
    return nullcontext(), _rewound(streams, [g.get_state() for g in streams.generators])


@contextmanager
def _rewound(streams: RandomStreams, states: list[Tensor]) -> Iterator[None]:
    now = [generator.get_state() for generator in streams.generators]
    _restore(streams, states)
    try:
        yield
    finally:
        _restore(streams, now)


def _restore(streams: RandomStreams, states: list[Tensor]) -> None:
    for generator, state in zip(streams.generators, states, strict=True):
        generator.set_state(state)
