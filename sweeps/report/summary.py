"""The shape of summary.json, as far as the page reads it."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from gx2c.errors import UserError

UNDEFINED = math.nan


def _undefined_if_null(value: Any) -> Any:
    return UNDEFINED if value is None else value


# JSON has no NaN: an undefined score comes as null or, from Python, as NaN
Number = Annotated[float, BeforeValidator(_undefined_if_null)]
Scores = dict[str, Number]


class Average(BaseModel):
    """One metric over the outer folds."""

    mean: Number = UNDEFINED
    sd: Number = UNDEFINED
    se: Number = UNDEFINED
    n: int = 0


class Gain(Average):
    """A model against geography, over the same folds and in their order, as the run gives it."""

    per_fold: list[Number] = Field(default_factory=list)


class TrialCounts(BaseModel):
    """How the configs of one search ended."""

    total: int = 0
    pruned: int = 0
    failed: int = 0


class FoldSummary(BaseModel):
    """One outer fold: what was chosen inside and how it did outside."""

    fold: int
    name: str = ""
    blocks: list[int] | None = None
    n_train_regions: int | None = None
    n_test_regions: int | None = None
    best_config: dict[str, Any] = Field(default_factory=dict)
    uses: list[str] = Field(default_factory=list)
    passes: float | None = None
    validation: Scores = Field(default_factory=dict)
    test: Scores = Field(default_factory=dict)
    trials: TrialCounts | None = None


class GeographyFold(BaseModel):
    """Geography on one outer fold."""

    fold: int
    validation: Scores = Field(default_factory=dict)
    test: Scores = Field(default_factory=dict)


class Geography(BaseModel):
    """The baseline of every result, on the same folds."""

    model: str = "geography"
    folds: list[GeographyFold] = Field(default_factory=list)
    test: dict[str, Average] = Field(default_factory=dict)
    gain: dict[str, Gain] = Field(default_factory=dict)


class NestedGain(BaseModel):
    """The gain over geography beside that of nulls, by one metric."""

    gain: Number = UNDEFINED
    null_mean: Number = UNDEFINED
    null_sd: Number = UNDEFINED
    p_value: Number = UNDEFINED
    p_two_sided: Number = UNDEFINED
    p_max_t: Number = UNDEFINED
    p_fdr: Number = UNDEFINED


class OverGeography(BaseModel):
    """The nested test: what genes add to geography, against what surrogates add."""

    n: int
    pearson_r: NestedGain = Field(default_factory=NestedGain)


class Nulls(BaseModel):
    """The null distribution in a few numbers."""

    n: int
    method: str = "spin"
    moved: str = "genes"
    search: str = ""
    model: str | None = None
    adjusted_for_geography: bool | None = None
    pearson_r: Scores = Field(default_factory=dict)
    gain: Scores = Field(default_factory=dict)
    p_value: Number = UNDEFINED
    p_floor: Number = UNDEFINED
    z: Number = UNDEFINED
    over_geography: OverGeography | None = None
    caution: str = ""
    descriptive: bool = False


class DetailsFold(BaseModel):
    """Detailed scores of one outer fold, and why some are undefined."""

    fold: int
    values: Scores = Field(default_factory=dict)
    reasons: dict[str, str] = Field(default_factory=dict)


class Details(BaseModel):
    """Detailed scores of one model."""

    mean: dict[str, Average] = Field(default_factory=dict)
    folds: list[DetailsFold] = Field(default_factory=list)


class AcrossModel(BaseModel):
    """One model's scores of edges with one end in training."""

    mean: dict[str, Average] = Field(default_factory=dict)


class Across(BaseModel):
    """Scores of edges between training and test regions, under their label."""

    label: str = Field(min_length=1)
    models: dict[str, AcrossModel] = Field(min_length=1)


class Summary(BaseModel):
    """Everything that the page says in numbers."""

    model: str
    dataset: str
    split: str = "n/a"
    split_label: str = ""
    conditions: list[str] = Field(default_factory=list)
    seed: int | None = None
    n_regions: int | None = None
    n_genes: int | None = None
    folds: list[FoldSummary] = Field(min_length=1)
    test: dict[str, Average]
    geography: Geography | None = None
    nulls: Nulls | None = None
    details: dict[str, Details] = Field(default_factory=dict)
    train_test: Across | None = None
    provenance: dict[str, Any] = Field(default_factory=dict)
    seconds: dict[str, Any] = Field(default_factory=dict)
    notes: list[str] = Field(default_factory=list)


def parse_summary(text: str, source: str) -> Summary:
    """Check a summary.

    Raises
    ------
    UserError
        If the text is not JSON or lacks what the page needs; the first problem is named.
    """
    try:
        return Summary.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise UserError(
            f"{source} is not the summary of a sweep ({where}: {first['msg']}); "
            "give a finished run folder, or finish it with `gx2c sweep --resume`"
        ) from None
