"""The options of a sweep, their defaults, and contradictions, checked before anything starts."""

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, ValidationError, create_model

from gx2c.data.views import BrainView
from gx2c.errors import UserError
from gx2c.fit import Task
from gx2c.fit.augmentation import Augmentation, parse_kinds
from gx2c.fit.config import CONNECTOME, GEOGRAPHY_RESIDUAL
from gx2c.fit.features import parse_features
from gx2c.models.names import spec_of, split_name
from gx2c.splits import SPLITTERS
from sweeps.request.budget import CPU_BUDGET, EPOCH_SHARES, budgeted
from sweeps.request.contradictions import contradictions, reads_genes
from sweeps.request.ensemble import usual_ensemble
from sweeps.request.null_kinds import AS_NEEDED
from sweeps.request.table import (
    GENES,
    NO_BUDGET,
    OPTIONS,
    PRESET_NAMES,
    SPINS,
    STARTED,
    OptionTable,
)

PRESETS: dict[str, dict[str, Any]] = {
    preset: {
        name: one.presets.get(preset, one.default)
        for name, one in OPTIONS.items()
        if one.default is not MISSING and name != "preset"
    }
    for preset in PRESET_NAMES
}

_FIELDS: Any = {
    name: (
        Annotated[
            one.type,
            # NaN is in no range
            Field(strict=True, ge=one.within[0], le=one.within[1]),
            AfterValidator(one.refuse_if_wrong),
        ],
        None,
    )
    for name, one in OPTIONS.items()
}
_CHECKED = create_model("_CHECKED", **_FIELDS)


def check_values(values: Mapping[str, Any]) -> None:
    """Refuse values that options cannot have, each by itself; one message names all of them."""
    try:
        _CHECKED(**values)
    except ValidationError as error:
        raise UserError("; ".join(map(_sentence, error.errors()))) from None


def _sentence(error: Any) -> str:
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    one = OPTIONS[error["loc"][0]]
    return f"{one.label} is {error['input']!r}; give {one.wanted()}"


@dataclass(frozen=True, kw_only=True)
class SweepOptions(OptionTable):
    """All options of a sweep: what it computes, and where and how it runs.

    Values that are invalid or contradict each other are refused; the message names all of them.
    """

    def __post_init__(self) -> None:
        check_values(vars(self))
        # only valid options can contradict each other
        if problems := list(contradictions(self)):
            raise UserError("; ".join(problems))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {n: list(v) if isinstance(v, tuple) else v for n, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Rebuild from plain values, refusing names that are not options and lists with gaps."""
        # sweeps of earlier versions had one seed
        plain = {"seeds": f"{plain.get('seed', 1)}"} | {
            k: v for k, v in plain.items() if k != "seed"
        }
        if unknown := sorted(set(plain) - set(OPTIONS)):
            raise UserError(f"unknown options {unknown}; use the file written by gx2c")
        if missing := [
            n for n, one in OPTIONS.items() if n not in plain and one.default is MISSING
        ]:
            raise UserError(f"no options {missing}; use a file written by this version of gx2c")
        given: dict[str, Any] = {
            n: tuple(v) if isinstance(v, list) else v for n, v in plain.items()
        }
        return cls(**given)

    @property
    def view(self) -> BrainView:
        """The part of the dataset to use."""
        return BrainView(
            hemisphere=self.hemisphere,
            cortex_only=self.cortex_only,
            connectome=self.target,
            threshold=self.binarise,
            embeddings=self.embeddings,
            gene_vectors=self.gene_vectors,
            trust_row_order=self.trust_row_order,
            test_dataset=self.test_dataset,
            test_connectome=self.test_connectome,
        )

    @property
    def task(self) -> Task:
        """The model's features, target and augmentation."""
        kinds = parse_kinds(self.augment)
        augmentation = Augmentation(
            kinds,
            probability=self.augment_probability,
            schedule=self.augment_schedule,
            noise=self.augment_noise,
        )
        return Task(
            features=parse_features(self.features),
            learned=GEOGRAPHY_RESIDUAL if split_name(self.model)[1] else CONNECTOME,
            augmentation=augmentation if kinds else Augmentation(),
        )

    @property
    def conditions(self) -> list[str]:
        """Deviations from the defaults in data, target and split, repeated in every output.

        They include a model that sees more than others.
        """
        label = spec_of(self.model).label
        values = {name: getattr(self, name) for name in OPTIONS}
        words = [
            one.condition.format(values[name])
            for name, one in OPTIONS.items()
            if one.condition and values[name] != one.default
        ]
        return [f"the model {label}", *words] if label else words


def make_options(model: str, *, preset: str, **given: Any) -> SweepOptions:
    """Combine a preset with the given options; None means not given. Errors are `SweepOptions`'."""
    chosen = {"model": model, "preset": preset}
    chosen |= {name: value for name, value in given.items() if value is not None}
    check_values(chosen)
    settings = PRESETS[preset] | chosen
    settings |= usual_options(model, settings) | chosen
    if settings["budget"] != NO_BUDGET:
        # what a saved model fixes is as good as given
        fixed = {**STARTED, "small": None} if settings["init_from"] else {}
        settings["budgeted"] = budgeted({**fixed, **chosen})
    return SweepOptions(**settings)


def usual_options(model: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the defaults that depend on the model or on other options."""
    longest = settings["max_epochs"]
    usual: dict[str, Any] = {
        name: max(1, round(longest * share)) for name, share in EPOCH_SHARES.items()
    }
    # only surrogates that move whole regions can move more than genes
    usual["null_method"] = AS_NEEDED if settings["null_moves"] == GENES else SPINS
    usual["ensemble"] = usual_ensemble(model, settings["preset"], settings["samples"])
    on_cpus = not settings["gpus_per_trial"]
    usual["budget"] = CPU_BUDGET if settings["preset"] == "standard" and on_cpus else NO_BUDGET
    usual["null_search"] = spec_of(model).fitted_by.null_search
    if not reads_genes(model, settings["features"]):
        usual["nulls"] = 0
    if SPLITTERS[settings["split"]].deterministic:
        usual["seeds"] = "1"
    usual |= spec_of(model).usual_options
    # no null has a model of measured genes to start from: none can raise the grade
    return usual | ({**STARTED, "nulls": 0} if settings["init_from"] else {})
