"""The interface of surrogates, which move whole rows of expression or make new values."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gx2c.data.brain import Brain, FloatArray, IntArray


@dataclass(frozen=True)
class Surrogate:
    """Makes surrogate expression, whose pairing with the connectome is broken.

    Attributes
    ----------
    name
        A name in `SURROGATES`.
    statement
        One sentence on the properties that it keeps and breaks, printed with its results.
    draw
        (expression, k) -> surrogate k, (n_regions, n_genes). It depends on k, the seed and the
        geometry of the brain.
    linear
        Whether surrogate k is one linear map between regions, the same for every column.
    indices
        (first, n) -> (n_regions, n), the region whose row each region takes; None for a
        surrogate that makes new values.
    """

    name: str
    statement: str
    draw: Callable[[FloatArray, int], FloatArray]
    linear: bool = False
    indices: Callable[[int, int], IntArray] | None = None

    def expression(self, brain: Brain, k: int) -> FloatArray:
        """Return surrogate k of a brain's expression, (n_regions, n_genes)."""
        return self.draw(brain.expression, k)

    def draws(self, rows: FloatArray, numbers: Sequence[int]) -> Iterator[FloatArray]:
        """Draw surrogates of consecutive numbers, (n_regions, n_columns) each."""
        if self.indices is None:
            return (self.draw(rows, k) for k in numbers)
        return (rows[order] for order in self.indices(numbers[0], len(numbers)).T)


def moving_rows(name: str, statement: str, indices: Callable[[int, int], IntArray]) -> Surrogate:
    """Return a surrogate that moves whole rows; gene-gene covariance in a row is kept."""
    return Surrogate(
        name, statement, lambda rows, k: rows[indices(k, 1)[:, 0]], linear=True, indices=indices
    )
