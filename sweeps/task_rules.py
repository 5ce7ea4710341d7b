"""Which models take which features and targets; one sentence for each contradiction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gx2c.data.views import STRUCTURAL
from gx2c.fit.features import EXPRESSION
from gx2c.fit.task import GEOGRAPHY_RESIDUAL
from gx2c.models import MODELS
from gx2c.models.protocol import TRAIN_TEST_EDGES
from sweeps.option_checks import Check

if TYPE_CHECKING:
    from sweeps.options import SweepOptions


def _check_installed(options: SweepOptions) -> str:
    missing = MODELS[options.model].missing
    return missing() if missing else ""


def _check_features(options: SweepOptions) -> str:
    spec, names = MODELS[options.model], options.task.features
    if names == (EXPRESSION,):
        return ""
    if EXPRESSION not in spec.uses:
        return f"{spec.name} reads no expression for --features to stand in for; leave them out"
    if spec.gene_tokens:
        return (
            f"{spec.name} reads expression as a sequence of genes, which --features "
            f"{options.features} is not; choose another model, or leave the features out"
        )
    if "coordinates" in names and "coordinates" in spec.uses:
        return f"{spec.name} reads coordinates anyway; leave them out of --features"
    return ""


def _check_residual(options: SweepOptions) -> str:
    if options.target == GEOGRAPHY_RESIDUAL and options.model == "geography":
        return "geography cannot learn what geography leaves; give --target functional"
    if options.target == GEOGRAPHY_RESIDUAL and TRAIN_TEST_EDGES in MODELS[options.model].uses:
        return (
            f"{options.model} reads train x test edges, of which geography cannot be taken out by "
            "cross-fitting; give --target functional"
        )
    return ""


def _check_train_test_edges(options: SweepOptions) -> str:
    if options.train_test_edges and TRAIN_TEST_EDGES in MODELS[options.model].uses:
        return (
            f"{options.model} learns from train x test edges, and scores on them would be scores "
            "on what it learned; leave out --train-test-edges"
        )
    return ""


def _check_communities(options: SweepOptions) -> str:
    if options.target == STRUCTURAL and options.split == "community-structural":
        return (
            "--split community-structural finds its communities in the target of --target "
            "structural; give --split community-target, which says so in every output"
        )
    return ""


def _check_augmentation(options: SweepOptions) -> str:
    if options.augmentation.kinds and not options.iterative:
        return f"augmentation varies the steps of a network, and {options.model} takes none"
    return ""


def _check_side_files(options: SweepOptions) -> str:
    spec = MODELS[options.model]
    if spec.reads_embeddings and not options.embeddings:
        return (
            f"{spec.name} reads embeddings of regions; give their file with --embeddings, a table "
            "with a row a region: its name in regions.tsv, then numbers"
        )
    if options.embeddings and EXPRESSION not in spec.uses:
        return f"{spec.name} reads no expression for --embeddings to stand in for; leave them out"
    if options.gene_vectors and not spec.reads_gene_vectors:
        return f"{spec.name} reads no gene vectors; leave --gene-vectors out"
    return ""


TASK_RULES: tuple[Check, ...] = (
    _check_installed,
    _check_features,
    _check_residual,
    _check_train_test_edges,
    _check_communities,
    _check_augmentation,
    _check_side_files,
)
