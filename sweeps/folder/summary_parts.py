"""The parts of summary.json: folds, rivals, nulls, details and origin of a result."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

from gx2c.verdict import Verdict

UNDEFINED = math.nan


# JSON has no NaN: an undefined score comes as null or, from Python, as NaN
Number = Annotated[float, BeforeValidator(lambda value: UNDEFINED if value is None else value)]
Scores = dict[str, Number]
_VERDICT = TypeAdapter(Verdict)
# A file has plain values, which strict models take for no dataclass
StoredVerdict = Annotated[
    Verdict, BeforeValidator(lambda v: v if isinstance(v, Verdict) else _VERDICT.validate_python(v))
]


class Part(BaseModel):
    """Checked whenever it is made; only what was given is written."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Average(Part):
    """One metric over the outer folds of all seeds.

    Where several seeds split the same regions, `se` is corrected for folds that overlap (Nadeau &
    Bengio): they are no replicates.
    """

    mean: Number = UNDEFINED
    sd: Number = UNDEFINED
    se: Number = UNDEFINED
    n: int = 0


class Gain(Average):
    """A model against geography over the same folds, and on each of them in their order.

    `low` and `high` are the 95 % interval of Nadeau & Bengio, where there are several seeds.
    """

    low: Number = UNDEFINED
    high: Number = UNDEFINED
    per_fold: list[Number] = Field(default_factory=list)


Averages = dict[str, Average]


class TrialCounts(Part):
    """How the configs of one search ended."""

    total: int
    pruned: int
    failed: int


class FoldSummary(Part):
    """One outer fold of one seed: what was chosen inside and how it did outside.

    `number` is its number among those of its seed, where `fold` is that among those of all seeds.
    """

    fold: int
    number: int | None = None
    seed: int | None = None
    name: str = ""
    blocks: list[int] | None = None
    n_train_regions: int | None = None
    n_test_regions: int | None = None
    best_config: dict[str, Any] = Field(default_factory=dict)
    uses: list[str] = Field(default_factory=list)
    epochs: int | None = None
    validation: Scores = Field(default_factory=dict)
    test: Scores = Field(default_factory=dict)
    # the best config's first member, and the standard deviation over members, of an ensemble
    single: Scores = Field(default_factory=dict)
    spread: Scores = Field(default_factory=dict)
    n_members: int = 1
    n_diverged: int = 0
    # factor of the model's prediction, added to that of geography
    weight: float | None = None
    # share of each model whose predictions `best` averages
    weights: dict[str, float] = Field(default_factory=dict)
    trials: TrialCounts | None = None

    @property
    def in_seed(self) -> int:
        """Its number among the folds of its seed."""
        return self.fold if self.number is None else self.number


class Geography(Part):
    """The baseline of every result, on the same folds."""

    model: str = "geography"
    folds: list[FoldSummary]
    test: Averages
    gain: dict[str, Gain]


class Spread(Part):
    """Mean and standard deviation of the nulls' scores by one metric."""

    mean: Number = UNDEFINED
    sd: Number = UNDEFINED


class NestedGain(Part):
    """The gain over geography compared with that of nulls, by one metric."""

    gain: Number = UNDEFINED
    null_mean: Number = UNDEFINED
    null_sd: Number = UNDEFINED
    z: Number = UNDEFINED
    p_value: Number = UNDEFINED
    p_se: Number = UNDEFINED
    p_two_sided: Number = UNDEFINED
    p_max_t: Number = UNDEFINED
    p_fdr: Number = UNDEFINED


class OverGeography(Part):
    """The nested test: the gain of genes over geography against the gain of surrogates.

    It also has one `NestedGain` under the name of each metric.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, NestedGain] = Field(init=False)

    statistic: str = ""
    n: int

    @property
    def by_metric(self) -> dict[str, NestedGain]:
        """The test by each metric."""
        return self.__pydantic_extra__


class BestAndAll(Part):
    """A mean over selected spins, and over all candidates."""

    best: Number
    all: Number


class Selection(Part):
    """Properties of selected spins, compared with all candidates."""

    candidates: int
    method: str
    angle_deg: list[Number] = Field(default_factory=list)
    mean_angle_deg: BestAndAll
    share_staying: BestAndAll
    share_within_one_parcel: BestAndAll


class Nulls(Part):
    """The null distribution in a few numbers.

    It also has the `Spread` of the nulls' scores under the name of each metric.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Spread] = Field(init=False)

    n: int
    failed: int = 0
    method: str = "spin"
    moved: str = "genes"
    search: str = ""
    # as `--ensemble`: how many models each null averages
    ensemble: str = ""
    adjusted_for_geography: bool | None = None
    gain: Scores = Field(default_factory=dict)
    p_values: Scores = Field(default_factory=dict)
    p_value: Number = UNDEFINED
    p_two_sided: Number = UNDEFINED
    p_floor: Number = UNDEFINED
    p_se: Number = UNDEFINED
    z: Number = UNDEFINED
    over_geography: OverGeography | None = None
    caution: str = ""
    descriptive: bool = False
    selection: Selection | None = None
    unselected: Nulls | None = None

    def spread(self, metric: str) -> Spread:
        """Return mean and SD of the nulls' scores by a metric."""
        return self.__pydantic_extra__.get(metric, Spread())


class DetailsFold(Part):
    """Detailed scores of one outer fold, and why some are undefined."""

    fold: int
    seed: int | None = None
    values: Scores = Field(default_factory=dict)
    n_edges: dict[str, int] = Field(default_factory=dict)
    reasons: dict[str, str] = Field(default_factory=dict)


class Details(Part):
    """Detailed scores of one model."""

    mean: Averages
    folds: list[DetailsFold]


class AcrossModel(Part):
    """One model's scores of edges with one end in training."""

    mean: Averages
    folds: list[Scores] = Field(default_factory=list)


class Across(Part):
    """Scores of edges between training and test regions, under their label."""

    label: str = Field(min_length=1)
    models: dict[str, AcrossModel] = Field(min_length=1)


class Host(Part):
    """Where a result was computed: kinds of processor round differently."""

    system: str = ""
    processor: str = ""
    cpus: int | None = None


class Provenance(Part):
    """The origin of a result, so that it can be judged and repeated."""

    versions: dict[str, str] = Field(default_factory=dict)
    git_commit: str = ""
    host: Host = Host()
    command: str = ""
    finished: str = ""
    dataset: dict[str, str] = Field(default_factory=dict)
    seeds: dict[str, int] = Field(default_factory=dict)
    profile: dict[str, Any] = Field(default_factory=dict)
    options: dict[str, Any] = Field(default_factory=dict)
    disk_bytes: int = 0
    warm_start: list[dict[str, Any]] = Field(default_factory=list)
