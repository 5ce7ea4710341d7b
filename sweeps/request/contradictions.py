"""Contradictions between options that are valid one by one."""

from collections.abc import Iterator

from gx2c.data.layout import MAIN_COHORT
from gx2c.data.views import STRUCTURAL
from gx2c.fit.augmentation import Augmentation, parse_kinds
from gx2c.fit.features import EXPRESSION, feature_rule, parse_features, reads_expression
from gx2c.fit.stacking import EQUAL
from gx2c.models.names import BEST, families_of, spec_of
from gx2c.models.spec import TRAIN_TEST_EDGES, ModelSpec
from gx2c.nulls import SURROGATES
from gx2c.nulls.spatiomolecular import too_many
from sweeps.request.null_kinds import AS_NEEDED, parse_null_methods
from sweeps.request.table import GENES, OPTIONS, STARTED, OptionTable


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
    yield from _of_starts(options, spec)
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


def _of_starts(options: OptionTable, spec: ModelSpec) -> Iterator[str]:
    if not options.init_from:
        return
    if options.model == BEST:
        yield f"--init-from gives the weights of one network, and {BEST} averages several models"
    elif not spec.trains_in_epochs:
        yield (
            f"--init-from gives weights from which networks start, and {spec.name} is fitted in "
            "one step; omit it, or sweep a network"
        )
    for name, value in STARTED.items():
        if getattr(options, name) != value:
            yield f"--init-from fixes {name.replace('_', ' ')}; omit {OPTIONS[name].label}"
    if options.features != EXPRESSION:
        yield f"--init-from needs networks that read expression; omit --features {options.features}"


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
