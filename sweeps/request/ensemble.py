"""How many models of a search are retrained and averaged."""

import math
import re
from typing import NamedTuple

from gx2c.errors import UserError
from gx2c.models.names import BEST, GEOGRAPHY, spec_of

# Closed forms cost milliseconds: as many of geography are averaged in every ensemble
CLOSED_FORM_CONFIGS = 10
# Of a smaller search at most the best third, as 10 of 32: poor configs spoil a mean (docs/log.md)
CLOSED_FORM_SHARE = 1 / 3
# Each null retrains as many, which a preset for minutes cannot afford
NETWORKS = {"quick": "1x1", "standard": "3x2", "paper": "3x3"}
# The single best config, of the baseline too
ALONE = "1"


class EnsembleSize(NamedTuple):
    """Numbers of configs, the best of a search, and of seeds for each of them."""

    n_configs: int = 1
    n_seeds: int = 1

    def among(self, n_finished: int, model: str) -> "EnsembleSize":
        """Return the size of one model's ensemble after a search that finished so many configs.

        Schedulers stop most networks early; further seeds of the others take their places.
        """
        n_configs = min(self.n_configs, n_finished)
        if not spec_of(model).trains_in_epochs:
            return EnsembleSize(n_configs)
        return EnsembleSize(n_configs, -(-self.n_configs * self.n_seeds // n_configs))


def usual_ensemble(model: str, preset: str, samples: int) -> str:
    """Return the default of `--ensemble` for a search of so many configs."""
    if spec_of(model).trains_in_epochs:
        return NETWORKS[preset]
    if model == GEOGRAPHY:
        return f"{CLOSED_FORM_CONFIGS}"
    n_configs = min(CLOSED_FORM_CONFIGS, math.ceil(CLOSED_FORM_SHARE * samples))
    # `ALONE` would take the average from geography too
    return f"{n_configs}" if n_configs > 1 else "1x1"


def ensemble_size(text: str, model: str, *, of: str = "") -> EnsembleSize:
    """Return the size of one model's ensemble for an option's text; only networks draw from seeds.

    The baseline, like every closed form that a sweep `of` another model searches, is averaged over
    `CLOSED_FORM_CONFIGS`, unless the single best config was requested for all, so that no model
    gains by being averaged alone.
    """
    size = parse_ensemble(text)
    if text == ALONE or spec_of(model).trains_in_epochs:
        return size
    beside = model == GEOGRAPHY or of == BEST
    return EnsembleSize(CLOSED_FORM_CONFIGS if beside else size.n_configs)


def parse_ensemble(text: str) -> EnsembleSize:
    """Read "KxM", K configs times M seeds, or "K" for one seed.

    Raises
    ------
    UserError
        If it is neither.
    """
    match = re.fullmatch(r"([1-9]\d{0,2})(?:x([1-9]\d{0,2}))?", text)
    if match is None:
        raise UserError(
            f"--ensemble is {text!r}; give the numbers of configs and seeds, such as 3x2, or 1 for "
            "the single best config"
        )
    return EnsembleSize(int(match[1]), int(match[2] or 1))
