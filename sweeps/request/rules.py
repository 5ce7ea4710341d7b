"""Contradictions between options, or between options and the model, one sentence each."""

from collections.abc import Iterator

from gx2c.data.views import STRUCTURAL
from gx2c.fit.augmentation import parse_kinds
from gx2c.fit.features import EXPRESSION, feature_rule, parse_features, reads_expression
from gx2c.models.names import spec_of
from gx2c.models.spec import TRAIN_TEST_EDGES, ModelSpec
from gx2c.nulls import SURROGATES
from gx2c.nulls.spatiomolecular import too_many
from sweeps.request.table import OptionTable


def contradictions(options: OptionTable) -> Iterator[str]:
    """Yield a sentence for each contradiction between individually valid options."""
    spec = spec_of(options.model)
    if missing := spec.missing():
        yield missing
    yield from _of_nulls_and_splits(options)
    yield from _of_targets(options, spec)
    yield from _of_features(options, spec)
    yield from _of_side_files(options, spec)
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


def _of_nulls_and_splits(options: OptionTable) -> Iterator[str]:
    if options.nulls and not reads_genes(options.model, options.features):
        what = options.model if options.features == EXPRESSION else options.features
        yield f"{what} reads no genes, so nulls have no effect; give --nulls 0"
    most = SURROGATES[options.null_method].at_most
    if most and options.nulls > most:
        yield f"{too_many(options.nulls)} (--nulls {most})"
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
