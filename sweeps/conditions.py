"""What was asked for beside the defaults, in words that every output repeats."""

from __future__ import annotations

from gx2c.data.views import BOTH, FUNCTIONAL
from gx2c.fit.features import EXPRESSION
from gx2c.models import MODELS
from sweeps.options import SweepOptions


def conditions(options: SweepOptions) -> list[str]:
    """Return a few words for each option of data, target and split that is not the default.

    A model that sees more than others is among them.
    """
    words = {
        f"the model {MODELS[options.model].label}": bool(MODELS[options.model].label),
        f"{options.hemisphere} hemisphere": options.hemisphere != BOTH,
        "cortex only": options.cortex_only,
        f"features {options.features}": options.features != EXPRESSION,
        f"target {options.target}": options.target != FUNCTIONAL,
        f"edges above {options.binarise} are present": options.binarise is not None,
        f"embeddings {options.embeddings} in place of expression": bool(options.embeddings),
        f"gene vectors {options.gene_vectors}": bool(options.gene_vectors),
        f"augmentation {options.augment}": bool(options.augmentation.kinds),
        "scores of edges between two held-out folds": options.score == "block-pairs",
        f"buffer {options.buffer_mm:g} mm": bool(options.buffer_mm),
    }
    return [text for text, holds in words.items() if holds]
