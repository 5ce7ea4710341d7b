"""`--init-from`: the folds of a sweep whose networks start from a saved model."""

from collections.abc import Sequence

from gx2c.data import Brain
from gx2c.fit.start import Start, StartedFold
from gx2c.saved.starting import Starts
from gx2c.splits import SPLITTERS, Fold
from sweeps.request.options import SweepOptions


def with_starts(options: SweepOptions, brain: Brain, folds: Sequence[Fold]) -> tuple[Fold, ...]:
    """Return folds whose networks start from the model of `--init-from`, if one is given.

    Raises
    ------
    UserError
        As `Starts.of` and `Starts.begin`.
    """
    if not options.init_from:
        return tuple(folds)
    return Starts.of(options.init_from, options.model).begin(
        brain,
        folds,
        buffer_mm=options.buffer_mm,
        homologues=SPLITTERS[options.split].homologues,
    )


def starts_of(folds: Sequence[Fold]) -> list[Start]:
    """Return the start of each fold that has one; none has without `--init-from`."""
    return [fold.start for fold in folds if isinstance(fold, StartedFold) and fold.start]
