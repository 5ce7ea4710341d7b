"""The options of a sweep, checked before anything starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from gx2c.errors import UserError
from gx2c.fit import SELECTION_METRICS, Task
from gx2c.fit.features import EXPRESSION, parse_features, reads_expression
from gx2c.models import MODELS
from search_spaces import SEARCH_SPACES
from sweeps.augment_options import AUGMENT_CHECKS, AugmentOptions
from sweeps.data_options import DATA_CHECKS, DATA_RULES, TARGETS, DataOptions
from sweeps.limit_options import LIMIT_CHECKS, LimitOptions
from sweeps.null_options import GENES, NULL_CHECKS, NullOptions, usual_method
from sweeps.option_checks import Check, at_least, choice
from sweeps.search.rungs import SCHEDULERS
from sweeps.split_options import SPLIT_CHECKS, SPLIT_RULES, SplitOptions
from sweeps.storage.uri import storage_problem
from sweeps.task_rules import TASK_RULES

GEOGRAPHY = "geography"
# A network uses one GPU; Ray counts shares in steps of this size
LEAST_GPU_SHARE = 1e-4
# As a share: measure on a GPU how many trials it holds
AUTO_GPUS = -1.0


@dataclass(frozen=True)
class SweepOptions(DataOptions, SplitOptions, AugmentOptions, NullOptions, LimitOptions):
    """All that decides what a sweep computes, and where and how it runs.

    Those of `DataOptions`, `SplitOptions`, `AugmentOptions`, `NullOptions` and `LimitOptions` come
    with it; all lie side by side in sweep.yaml.

    Attributes
    ----------
    model
        A key of `MODELS`.
    samples
        Configs per outer fold.
    max_epochs, grace_epochs, patience
        Passes of a network at most, before the first rung, and without improvement.
    metric
        By which configs are ranked.
    seed
        Of everything random.
    small
        Whether widths and depths are reduced (preset quick).
    preset
        Which preset the options started from.
    scheduler
        One of `SCHEDULERS`.
    storage
        Where checkpoints and finished work are kept for all nodes; empty for the run folder.
    cpus_per_trial, gpus_per_trial, max_concurrent
        Resources.
    warm_start
        Run folders whose trials the searches are told of, where that leaks nothing.
    """

    model: str
    samples: int = 32
    max_epochs: int = 200
    grace_epochs: int = 20
    patience: int = 67
    metric: str = "val_mse"
    seed: int = 1
    small: bool = False
    preset: str = "standard"
    scheduler: str = "asha"
    storage: str = ""
    cpus_per_trial: int = 1
    gpus_per_trial: float = 0.0
    max_concurrent: int = 0
    warm_start: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        problems = [problem for check in _CHECKS if (problem := check(self))]
        # only options that can be may contradict each other
        problems = problems or [problem for check in _RULES if (problem := check(self))]
        if problems:
            raise UserError("; ".join(problems))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self) | {"warm_start": list(self.warm_start)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> SweepOptions:
        """Rebuild from plain values, refusing names that are not options."""
        unknown = sorted(set(plain) - {f.name for f in fields(cls)})
        if unknown:
            raise UserError(f"unknown options {unknown}; take the file that gx2c wrote")
        return cls(**{**plain, "warm_start": tuple(plain.get("warm_start", ()))})

    @property
    def task(self) -> Task:
        """What the model reads and learns, and how its training data are varied."""
        return Task(
            features=parse_features(self.features),
            learned=TARGETS[self.target][1],
            augmentation=self.augmentation,
        )

    @property
    def uses_expression(self) -> bool:
        """Whether the model reads genes at all, as they are or as features made of them."""
        return _reads_genes(self.model, self.task.features)

    @property
    def iterative(self) -> bool:
        """Whether the model trains in passes."""
        return MODELS[self.model].kind == "iterative"


# First rung and patience, of max_epochs: what searched best on recorded learning curves
# (docs/performance.md)
PASS_SHARES = {"grace_epochs": 1 / 10, "patience": 1 / 3}

PRESETS: dict[str, dict[str, Any]] = {
    "quick": {
        "small": True,
        "genes": "500_var",
        "samples": 8,
        "max_epochs": 60,
        "nulls": 20,
    },
    "standard": {"samples": 32, "max_epochs": 200, "nulls": 100},
    "paper": {"samples": 100, "max_epochs": 300, "nulls": 1000},
}


def make_options(model: str, *, preset: str, **given: Any) -> SweepOptions:
    """Combine a preset with the options given; None means not given.

    Raises
    ------
    UserError
        If the preset or the model is unknown, or options contradict each other.
    """
    if preset not in PRESETS:
        raise UserError(f"no preset {preset!r}; choose from {sorted(PRESETS)}")
    if model not in SEARCH_SPACES:
        raise UserError(f"no model {model!r}; choose from {sorted(SEARCH_SPACES)}")
    chosen = {name: value for name, value in given.items() if value is not None}
    fitting: dict[str, Any] = {
        "null_search": "full" if MODELS[model].kind == "closed_form" else "none"
    }
    fitting["null_method"] = usual_method(chosen.get("null_moves", GENES))
    if not _reads_genes(model, parse_features(chosen.get("features", EXPRESSION))):
        fitting["nulls"] = 0
    fitting |= MODELS[model].usual_options
    settings = {"model": model, "preset": preset} | PRESETS[preset] | fitting | chosen
    longest = max(1, int(settings["max_epochs"]))
    shares = {name: max(1, round(longest * share)) for name, share in PASS_SHARES.items()}
    return SweepOptions(**(settings | shares | settings))


def _reads_genes(model: str, features: Sequence[str]) -> bool:
    return "expression" in MODELS[model].uses and reads_expression(features)


def _check_gpus(options: SweepOptions) -> str:
    gpus = options.gpus_per_trial
    if gpus in (0, AUTO_GPUS) or LEAST_GPU_SHARE <= gpus <= 1:
        return ""
    return (
        f"gpus_per_trial is {gpus}; give 0, or a share of one GPU from {LEAST_GPU_SHARE} to 1, "
        "or auto"
    )


def _check_nulls(options: SweepOptions) -> str:
    if options.nulls and not options.uses_expression:
        what = options.model if options.features == EXPRESSION else options.features
        return f"{what} reads no genes, so nulls of them change nothing; give --nulls 0"
    return ""


def _check_storage(options: SweepOptions) -> str:
    return storage_problem(options.storage)


_CHECKS: tuple[Check, ...] = (
    choice("model", MODELS),
    *DATA_CHECKS,
    *SPLIT_CHECKS,
    *AUGMENT_CHECKS,
    *NULL_CHECKS,
    *LIMIT_CHECKS,
    choice("metric", SELECTION_METRICS),
    choice("scheduler", SCHEDULERS),
    at_least("samples", 1),
    at_least("max_epochs", 1),
    at_least("grace_epochs", 1),
    at_least("patience", 1),
    at_least("seed", 0),
    at_least("cpus_per_trial", 1),
    _check_gpus,
    _check_storage,
    at_least("max_concurrent", 0),
)
_RULES: tuple[Check, ...] = (
    _check_nulls,
    *SPLIT_RULES,
    *DATA_RULES,
    *TASK_RULES,
)
