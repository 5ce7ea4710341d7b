"""Max-T and FDR-adjusted p-values for models tested on the same surrogates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from gx2c.data.brain import FloatArray
from gx2c.errors import UserError
from gx2c.metrics import HEADLINE, METRICS, better_by
from gx2c.nulls import SURROGATES, fdr_p_values, max_t_p_values, spin_p_value
from sweeps.nulls.summary import Scores, null_gains


@dataclass(frozen=True)
class Candidate:
    """A model's gains over geography, on the true brain and on surrogates.

    Attributes
    ----------
    name
        Name of the model or its run.
    surrogates
        Settings that determine surrogate k; candidates must share them.
    observed
        (n_metrics,), larger is better.
    nulls
        (n_nulls, n_metrics), row k on surrogate k.
    """

    name: str
    surrogates: Mapping[str, Any]
    observed: FloatArray
    nulls: FloatArray

    @classmethod
    def of(
        cls,
        name: str,
        surrogates: Mapping[str, Any],
        nulls: Mapping[str, pd.DataFrame],
        *,
        model: str,
        test: Scores,
        geography: Scores,
    ) -> Self:
        """Make a candidate from the arguments of `summarise_sweep_nulls`."""
        observed = np.array(list(better_by(test, geography).values()))
        return cls(name, surrogates, observed, null_gains(nulls, model, geography=geography))

    def by(self, metric: str) -> tuple[float, FloatArray]:
        """Return the observed gain by one metric, and those of the nulls, (n_nulls,)."""
        place = list(METRICS).index(metric)
        return float(self.observed[place]), self.nulls[:, place]


def over_candidates(
    candidates: Sequence[Candidate], metric: str = HEADLINE
) -> list[dict[str, Any]]:
    """Return each candidate's p-value, with max-T and FDR adjustment over all candidates.

    Null k of every candidate is on the same surrogate k, so max-T accounts for the similarity of
    candidates.

    Raises
    ------
    UserError
        If there is only one candidate, a score is undefined, or they were not tested on the same
        surrogates.

    References
    ----------
    Westfall & Young (1993), Resampling-Based Multiple Testing, section 2.6.
    """
    check_same_surrogates({one.name: one.surrogates for one in candidates})
    gains = [one.by(metric) for one in candidates]
    observed, nulls = np.array([g for g, _ in gains]), np.stack([n for _, n in gains], axis=1)
    if not np.isfinite(observed).all():
        lacking = [c.name for c, o in zip(candidates, observed, strict=True) if not np.isfinite(o)]
        raise UserError(f"{metric} of {', '.join(lacking)} is undefined; leave it out")
    p_values = np.array([spin_p_value(*one) for one in gains])
    over_all = zip(max_t_p_values(observed, nulls), fdr_p_values(p_values), strict=True)
    return [
        {
            "model": one.name,
            "gain": float(observed[k]),
            "null_mean": float(nulls[:, k].mean()),
            "p_value": float(p_values[k]),
            "p_max_t": float(max_t),
            "p_fdr": float(fdr),
            "descriptive": bool(SURROGATES[one.surrogates["surrogate"]].descriptive),
        }
        for k, (one, (max_t, fdr)) in enumerate(zip(candidates, over_all, strict=True))
    ]


def check_same_surrogates(candidates: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise an error if models were not tested on the same surrogates, or there is only one."""
    (first, wanted), *others = candidates.items()
    if not others:
        raise UserError(f"{first} is the only model; give two or more")
    for name, surrogates in others:
        if differ := sorted(k for k, v in surrogates.items() if v != wanted[k]):
            raise UserError(
                f"{name} and {first} were not tested on the same surrogates (different"
                f" {', '.join(differ)}); give runs of one dataset, split and seed, with equal nulls"
            )
