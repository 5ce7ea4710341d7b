"""What a prediction knows beyond another: partial correlation."""

from __future__ import annotations

import numpy as np

from gx2c.data.brain import FloatArray
from gx2c.metrics.edgewise import pearson_r

# Far above the rounding of float32 predictions, far below any real difference
RESIDUAL_TOLERANCE = 1e-5


def partial_r(predicted: FloatArray, measured: FloatArray, given: FloatArray) -> float:
    """Return the correlation of predicted and measured after a third was regressed out of both.

    With the geography baseline's prediction as the third: what the model explains of the
    connectome that geography, rescaled at will, does not. It may be 0 for a model that is no
    better than geography, and positive for one with a worse correlation that knows something
    else.

    Parameters
    ----------
    predicted, measured, given
        (n_edges,) each.

    Returns
    -------
    float
        In [-1, 1]; NaN where nothing is left of the prediction or of the measurement, as for
        the baseline itself.
    """
    rests = [_residual(values, given) for values in (predicted, measured)]
    if any(rest is None for rest in rests):
        return float("nan")
    return pearson_r(*[rest for rest in rests if rest is not None])


def _residual(values: FloatArray, given: FloatArray) -> FloatArray | None:
    """Take the mean and the slope on `given` away; None if only rounding is left."""
    centred = values.astype(np.float64) - values.mean(dtype=np.float64)
    other = given.astype(np.float64) - given.mean(dtype=np.float64)
    square = float(other @ other)
    rest = centred - other * (float(other @ centred) / square if square > 0 else 0.0)
    scale = RESIDUAL_TOLERANCE * float(np.linalg.norm(centred))
    return rest if float(np.linalg.norm(rest)) > scale else None
