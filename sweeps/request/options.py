"""The options of a sweep, their defaults, and contradictions, checked before anything starts."""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, asdict, dataclass
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, ValidationError, create_model

from gx2c.data.layout import MAIN_COHORT
from gx2c.data.views import STRUCTURAL, BrainView
from gx2c.errors import UserError
from gx2c.fit import Task
from gx2c.fit.augmentation import Augmentation, parse_kinds
from gx2c.fit.config import CONNECTOME, GEOGRAPHY_RESIDUAL
from gx2c.fit.features import EXPRESSION, feature_rule, parse_features, reads_expression
from gx2c.fit.stacking import EQUAL
from gx2c.models.names import BEST, families_of, spec_of, split_name
from gx2c.models.spec import TRAIN_TEST_EDGES, ModelSpec
from gx2c.nulls import SURROGATES
from gx2c.nulls.spatiomolecular import too_many
from gx2c.splits import SPLITTERS
from sweeps.request.budget import CPU_BUDGET, EPOCH_SHARES, budgeted
from sweeps.request.ensemble import usual_ensemble
from sweeps.request.null_kinds import AS_NEEDED, parse_null_methods
from sweeps.request.table import GENES, NO_BUDGET, OPTIONS, PRESET_NAMES, SPINS, OptionTable

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
        settings["budgeted"] = budgeted(chosen)
    return SweepOptions(**settings)


def usual_options(model: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the defaults that depend on the model or on other options."""
    longest = settings["max_epochs"]
    usual: dict[str, Any] = {
        name: max(1, round(longest * share)) for name, share in EPOCH_SHARES.items()
    }
    # only surrogates that move whole regions can move more than genes
    usual["null_method"] = AS_NEEDED if settings["null_moves"] == GENES else SPINS
    usual["ensemble"] = usual_ensemble(model, settings["preset"])
    on_cpus = not settings["gpus_per_trial"]
    usual["budget"] = CPU_BUDGET if settings["preset"] == "standard" and on_cpus else NO_BUDGET
    usual["null_search"] = spec_of(model).fitted_by.null_search
    if not reads_genes(model, settings["features"]):
        usual["nulls"] = 0
    if SPLITTERS[settings["split"]].deterministic:
        usual["seeds"] = "1"
    return {**usual, **spec_of(model).usual_options}


def contradictions(options: OptionTable) -> Iterator[str]:
    """Yield a sentence for each contradiction between individually valid options."""
    spec = spec_of(options.model)
    if missing := spec.missing():
        yield missing
    if options.model == BEST:
        yield from _of_best(options)
    elif options.weights != EQUAL:
        yield f"--weights is for {BEST}, and {options.model} is one model; omit it"
    yield from _of_nulls_and_splits(options)
    yield from _of_targets(options, spec)
    yield from _of_features(options, spec)
    yield from _of_side_files(options, spec)
    yield from _of_transfer(options, spec)
    if parse_kinds(options.augment) and not spec.trains_in_epochs:
        yield f"augmentation applies to the training steps of networks, but {spec.name} has none"
    if options.augment_search and not parse_kinds(options.augment):
        yield "--augment-search needs something to search; give kinds with --augment"
    if options.augment_search and "augment_probability" not in spec.published:
        yield f"no published sweep of {spec.name} varies augmentation; omit --augment-search"
    for name in ("correlation_loss", "symmetric_loss", "ema_decay"):
        if getattr(options, name) and not spec.trains_in_epochs:
            flag = "--" + name.replace("_", "-")
            yield f"{flag} applies to the training of networks, and {spec.name} is none; omit it"


def reads_genes(model: str, features: str) -> bool:
    """Return whether a model reads genes, directly or as features made from them."""
    return EXPRESSION in spec_of(model).uses and reads_expression(parse_features(features))


def _of_best(options: OptionTable) -> Iterator[str]:
    models = ", ".join(families_of(BEST))
    if options.warm_start:
        yield f"{BEST} searches {models}; --warm-start is for a sweep of one of them; omit it"
    if options.train_test_edges:
        yield (
            f"{BEST} averages predictions of test regions; omit --train-test-edges, or sweep one "
            f"of {models}"
        )


def _of_nulls_and_splits(options: OptionTable) -> Iterator[str]:
    if options.nulls and not reads_genes(options.model, options.features):
        what = options.model if options.features == EXPRESSION else options.features
        yield f"{what} reads no genes, so nulls have no effect; give --nulls 0"
    for method in parse_null_methods(options.null_method):
        most = SURROGATES[method].at_most
        if most and options.nulls > most:
            yield f"{too_many(options.nulls)} (--nulls {most})"
    if options.null_method == AS_NEEDED and options.null_moves != GENES:
        yield (
            f"--null-method {AS_NEEDED} moves genes, not {options.null_moves}; name a surrogate "
            "that moves regions, such as hungarian"
        )
    if options.score == "block-pairs" and options.folds < 3:
        yield f"--score block-pairs holds out two folds of {options.folds}; give --folds 3 or more"


def _of_targets(options: OptionTable, spec: ModelSpec) -> Iterator[str]:
    sees_test_edges = TRAIN_TEST_EDGES in spec.uses
    if options.binarise is not None and abs(options.binarise) == 1:
        yield f"--binarise is {options.binarise}; give a number between -1 and 1"
    if options.target == STRUCTURAL and options.split == "community-structural":
        yield (
            "--split community-structural finds communities in the target of --target structural; "
            "give --split community-target, which labels every output accordingly"
        )
    if options.train_test_edges and sees_test_edges:
        yield (
            f"{spec.name} learns from train x test edges, so scores on them would be training "
            "scores; omit --train-test-edges"
        )


def _of_features(options: OptionTable, spec: ModelSpec) -> Iterator[str]:
    names = parse_features(options.features)
    structural = [name for name in names if feature_rule(name)[0].reads_structure]
    if options.target == STRUCTURAL and structural:
        yield (
            f"the feature {structural[0]} is made from the target of --target structural; "
            "choose other features or another target"
        )
    if names == (EXPRESSION,):
        return
    if EXPRESSION not in spec.uses:
        yield f"{spec.name} reads no expression that --features could replace; omit --features"
    elif spec.gene_tokens:
        yield (
            f"{spec.name} reads expression as a sequence of genes, which --features "
            f"{options.features} is not; choose another model, or omit --features"
        )
    elif "coordinates" in names and "coordinates" in spec.uses:
        yield f"{spec.name} reads coordinates anyway; remove them from --features"


def _of_transfer(options: OptionTable, spec: ModelSpec) -> Iterator[str]:
    """Yield each thing that two brains, without an edge between them, cannot offer."""
    if not (options.test_dataset or options.test_connectome != MAIN_COHORT):
        return
    names = parse_features(options.features)
    rules = [feature_rule(name)[0] for name in names]
    lacking = {
        "--train-test-edges needs edges": options.train_test_edges,
        f"{spec.name} learns from edges": TRAIN_TEST_EDGES in spec.uses,
        f"--features {options.features} need structural connectivity": any(
            rule.reads_structure for rule in rules
        ),
    }
    for what, asked in lacking.items():
        if asked:
            yield f"{what} between training and test regions, which two brains do not have"
    if Augmentation(parse_kinds(options.augment)).needs_subjects:
        yield "connectomes of individuals are not used for a test on other data; omit --augment"
    if options.split in ("community", "community-structural"):
        yield (
            f"--split {options.split} reads a second connectome, which a test on other data leaves "
            "out; choose another split"
        )


def _of_side_files(options: OptionTable, spec: ModelSpec) -> Iterator[str]:
    if options.embeddings and options.gene_vectors:
        yield "embeddings have no genes that vectors could describe; give only one of the two files"
    if spec.reads_embeddings and not options.embeddings:
        yield (
            f"{spec.name} reads embeddings of regions; give their file with --embeddings, a table "
            "with one row per region: its name in regions.tsv, then numbers"
        )
    if options.embeddings and EXPRESSION not in spec.uses:
        yield f"{spec.name} reads no expression that --embeddings could replace; omit --embeddings"
    if options.gene_vectors and not spec.reads_gene_vectors:
        yield f"{spec.name} reads no gene vectors; omit --gene-vectors"
