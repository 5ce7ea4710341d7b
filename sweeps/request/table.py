"""The options of a sweep, one entry each, for the command line, presets, checks and docs."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from sweeps.request.gpu_share import check_gpu_share, read_gpu_share
from sweeps.request.option import Affects, option, options_of
from sweeps.request.seeds import parse_seeds
from sweeps.search.rungs import SCHEDULERS
from sweeps.storage.uri import check_storage

PRESET_NAMES = ("quick", "standard", "paper")
GENES, SPINS = "genes", "hungarian"
NO_BUDGET = "none"
# Values of options whose place a saved model takes (`--init-from`)
STARTED: dict[str, Any] = {"genes": "all", "gene_order": "tss"}

# headings, with the effects of most options under each
_data = partial(option, group="Data", affects=Affects.SCORE)
_augmentation = partial(
    option, group="Augmentation of training data (networks)", affects=Affects.SCORE
)
_training = partial(option, group="Training of networks", affects=Affects.SCORE)
_held_out = partial(option, group="Held-out regions", affects=Affects.RESULT)
_search = partial(option, group="Search", affects=Affects.RESULT)
_nulls = partial(option, group="Null models", affects=Affects.NULLS)
_where = partial(option, group="Where and for how long", affects=Affects.PLACEMENT)


@dataclass(frozen=True, kw_only=True)
class OptionTable:
    """All options of a sweep, as in sweep.yaml."""

    model: str = _data(
        help="Name of a model; `gx2c models` lists them. geography+MODEL learns what geography "
        "leaves; best is the mean of several models. `all`, or several names joined by commas, are "
        "swept on the same folds and ranked.",
        affects=Affects.RESULT,
        choices="gx2c.models.names:NAMES",
        flag="",
    )
    preset: str = _data(
        "standard",
        help="Set of defaults: quick, standard or paper.",
        affects=Affects.RESULT,
        choices=PRESET_NAMES,
        flag="",
    )
    # the data a sweep was started with are compared by content, not by name
    dataset: str = _data(
        "schaefer100",
        help="Name or folder of a dataset.",
        affects=Affects.RESULT,
        details="`gx2c data list` lists the names; [data.md](data.md) describes the folder.",
    )
    hemisphere: str = _data(
        "both",
        help="Hemisphere whose regions are used: left, right or both.",
        choices="gx2c.data.views:HEMISPHERES",
        condition="{} hemisphere",
    )
    trust_row_order: bool = _data(
        False,
        help="Accept a dataset whose rows seem to be in different orders.",
        condition="row order trusted",
    )
    cortex_only: bool = _data(False, help="Use cortical regions only.", condition="cortex only")
    genes: str = _data(
        "all",
        help="Genes to use: all, N_var (the N most variable in training), stable:X (differential "
        "stability above X), a named group, or a file of symbols or sets.",
        affects=Affects.RESULT,
        presets={"quick": "500_var"},
        details="FILE.gmt#NAME takes one set of a GMT file. Models of single genes default to "
        "100_var.",
    )
    gene_order: str = _data(
        "tss",
        help="Order of the genes: tss (along the genome), expression, random, listed or cluster_K "
        "(co-expressed genes in clusters of K).",
        check="gx2c.data.genes:gene_order",
    )
    features: str = _data(
        "expression",
        help="Features that models read as expression, joined by +: expression, "
        "expression-pca:20, coordinates, structural, structural-laplacian:20, "
        "structural-adjacency:20.",
        check="gx2c.fit.features:parse_features",
        condition="features {}",
        details="The number is the number of components.",
    )
    target: str = _data(
        "functional",
        help="Connectome to predict: functional, structural, or the NAME of a file "
        "meas-NAME_relmat.tsv of the dataset.",
        retired={
            "geography-residual": "--target geography-residual is part of the model's name now: "
            "gx2c sweep geography+MODEL"
        },
        condition="target {}",
    )
    test_connectome: str = _data(
        "main",
        help="Connectome to test on: main, on which models are trained, or holdout.",
        choices="gx2c.data.views:TEST_CONNECTOMES",
        condition="tested on the {} connectome",
        details="Folds, training and search stay; each fold's held-out regions are scored on the "
        "other group's edges, and so are geography and nulls. With `--test-dataset`, its holdout.",
    )
    test_dataset: str = _data(
        "",
        help="Name or folder of a dataset to test on, in place of the one in training.",
        condition="tested on {}",
        details="With the same parcellation each fold tests its held-out regions there; with "
        "another, the regions that no training region overlaps "
        "([method.md](method.md#transfer)).",
    )
    binarise: float | None = _data(
        None,
        help="Predict which edges exceed this value, instead of their values.",
        within=(-1, 1),
        condition="edges above {} are present",
    )
    embeddings: str = _data(
        "",
        help="File with a row of numbers per region, read in place of expression.",
        condition="embeddings {} in place of expression",
        details="`smt_geneformer` needs one.",
    )
    gene_vectors: str = _data(
        "",
        help="File with a row of numbers per gene, a GMT file, or groups (bundled gene groups).",
        condition="gene vectors {}",
        details="`smt_celltype` reads them (its default is groups), and so do the `genevec` models "
        "if given. A GMT file stands for membership in each of its sets.",
    )

    augment: str = _augmentation(
        "none",
        help="Augmentation of training steps, joined by +: subjects or subject-edges (targets of "
        "individuals), strong-edges, noise.",
        check="gx2c.fit.augmentation:parse_kinds",
        condition="augmentation {}",
    )
    augment_probability: float = _augmentation(
        0.3, help="Share of training steps that are augmented.", within=(0, 1)
    )
    augment_schedule: str = _augmentation(
        "constant",
        help="How that share changes over the epochs: constant, decay, increase or peak.",
        choices="gx2c.fit.augmentation:SCHEDULES",
    )
    augment_search: bool = _augmentation(
        False,
        help="Search the probability and schedule of augmentation in the published ranges.",
        condition="augmentation is searched",
        details="Only for models whose published sweeps vary them; both options are then unused.",
    )
    augment_noise: float = _augmentation(
        0.04,
        help="Noise added to features, in standard deviations of each feature.",
        within=(0, 100),
    )

    correlation_loss: float = _training(
        0.0,
        help="Share of 1 - r over a block in the loss; the rest is mean squared error.",
        within=(0, 1),
        condition="correlation loss {:g}",
    )
    symmetric_loss: float = _training(
        0.0,
        help="Weight in the loss of the mean squared difference of the two directions of an edge.",
        within=(0, 1e6),
        condition="symmetric loss {:g}",
        details="It has no effect on models that predict both directions alike.",
    )
    init_from: str = _training(
        "",
        help="Saved model from which networks start: its folder, that of a run, or the name of a "
        "pretrained model. Refused if it may have seen test regions.",
        affects=Affects.RESULT,
        condition="networks start from {}",
        details="Architecture and genes are those of the model; its regions are compared by place "
        "and hemisphere ([after.md](after.md#fine-tuning)).",
    )
    ema_decay: float = _training(
        0.0,
        help="Decay per step of a moving average of the weights, which then predicts; 0: none.",
        within=(0, 0.99999),
        condition="averaged weights, decay {:g}",
    )

    # folds are compared by their regions
    split: str = _held_out(
        "bilateral",
        help="Regions that are held out together: bilateral (neighbours with their homologues), "
        "spatial, random, network, lobe, community and others; see docs/options.md.",
        choices="gx2c.splits:SPLITTERS",
    )
    folds: int = _held_out(
        4,
        help="Outer folds. Splits by network, lobe or community make one per group.",
        within=(2, 1_000),
    )
    inner_folds: int = _held_out(4, help="Inner folds of each outer fold.", within=(2, 1_000))
    inner_repeats: int = _held_out(
        1,
        help="Sets of inner folds; configs are ranked by their mean over all sets.",
        within=(1, 1_000),
    )
    score: str = _held_out(
        "folds",
        help="Edges that are scored: folds (within each held-out fold), or block-pairs (between "
        "two folds held out together).",
        affects=Affects.SCORE,
        choices="gx2c.splits:FOLD_SCORES",
        condition="scores of edges between two held-out folds",
    )
    buffer_mm: float = _held_out(
        0.0,
        help="Drop training regions closer than this to a held-out region or its mirror image, mm.",
        within=(0, 1_000),
        unit="mm",
        condition="buffer {:g} mm",
        flag="--buffer",
    )
    train_test_edges: bool = _held_out(
        False, help="Also score edges between training and test regions, separately."
    )
    resolution: float = _held_out(
        1.0,
        help="Resolution of community splits; above 1 gives more communities.",
        within=(1e-6, 1_000),
    )

    small: bool = _search(
        False,
        help="Search narrow and shallow networks only.",
        affects=Affects.SCORE,
        presets={"quick": True},
        flag="",
    )
    samples: int = _search(
        32,
        help="Configs tried per outer fold.",
        presets={"quick": 8, "paper": 100},
        within=(1, 100_000),
    )
    max_epochs: int = _search(
        200,
        help="Maximum number of epochs of a network.",
        details="Poor networks may be stopped after a tenth of it, and any network after a third "
        "without improvement.",
        affects=Affects.SCORE,
        presets={"quick": 60, "paper": 300},
        within=(1, 1_000_000),
    )
    grace_epochs: int = _search(
        help="Epochs before a network can be stopped in favour of others.",
        within=(1, 1_000_000),
        flag="",
    )
    patience: int = _search(
        help="Epochs without improvement after which a network stops.",
        affects=Affects.SCORE,
        within=(1, 1_000_000),
        flag="",
    )
    metric: str = _search(
        "val_mse",
        help="Validation metric that ranks configs: val_mse or val_pearson_r.",
        affects=Affects.SCORE,
        choices="gx2c.fit:SELECTION_METRICS",
    )
    scheduler: str = _search(
        "asha",
        help="Rule that stops poor configs early: asha (reproducible), asha-async (depends on "
        "timing), one-epoch or none.",
        choices=SCHEDULERS,
    )
    seeds: str = _search(
        "1,2,3",
        help="Random seeds, joined by commas: each splits the same regions into folds of its own, "
        "with a search each. Scores are means over all of them.",
        presets={"quick": "1", "paper": ",".join(map(str, range(1, 11)))},
        usually="1,2,3; quick 1, paper 1 to 10; 1 for splits that are the same for every seed",
        check=parse_seeds,
        alias="--seed",
        details="`--seed S` means `--seeds S`. The first seed also draws the surrogates, of which "
        "there is one set for all folds.",
    )
    warm_start: tuple[str, ...] = _search(
        (),
        help="Folder of an earlier run whose trials the search learns from; repeatable.",
        details="A trial is used for a fold only if all regions that it trained or validated on "
        "are training regions of that fold; a run that offers none is refused.",
    )

    budget: str = _search(
        NO_BUDGET,
        usually="2h for standard on CPUs, none for others",
        help="Time that the whole sweep may take, such as 30m or 2h: nulls, size of networks, "
        "seeds, ensembles, configs and epochs are lowered to fit; none for no limit.",
        check="sweeps.request.budget:parse_budget",
        details="A few configs are timed before the search, and half of the time is planned for, "
        "because the estimate may be wrong by a factor of two. Options that are given are kept.",
    )
    budgeted: tuple[str, ...] = _search(
        (),
        help="Options that the budget could lower.",
        affects=Affects.PLACEMENT,
        flag="",
    )
    # the value of runs from before there were ensembles
    ensemble: str = _search(
        "1",
        usually="for closed forms 10, or a third of --samples if that is less; for networks 3x2, "
        "quick 1x1, paper 3x3",
        help="Configs and seeds that are retrained and averaged, such as 3x2: the best 3 configs, "
        "each with 2 seeds; 1 for the single best config, of geography too.",
        check="sweeps.request.ensemble:parse_ensemble",
        details="Where a search finished fewer configs, because it stopped the others early, "
        "further seeds take their places. Closed forms have one seed. Unless it is 1, geography is "
        "the mean of its best 10 configs.",
    )

    weights: str = _search(
        "mean",
        help="How best weighs its models: mean (equally), nnls (non-negative least squares) or "
        "greedy (selection with replacement).",
        choices="gx2c.fit.stacking:RULES",
        details="Weights are learned on inner folds of another seed than those that choose configs "
        "and epochs, and shrunk halfway to equal ones.",
    )

    nulls: int = _nulls(
        100,
        help="Number of surrogates, each retrained in full; 0 for models that read no genes.",
        presets={"quick": 20, "paper": 1_000},
        within=(0, 100_000),
    )
    null_method: str = _nulls(
        usually="verdict; hungarian if more than genes move",
        help="Surrogates, joined by commas: hungarian, random_field, residual_spin, moran and "
        "others (docs/nulls.md); or verdict: the first three, each while it can change the grade.",
        check="sweeps.request.null_kinds:parse_null_methods",
        details="Each has `--nulls` nulls. With verdict, those that the dataset does not allow are "
        "left out, the first one runs in full, and the others stop once ten nulls are as good as "
        "the model. Surrogates that are named all run in full.",
    )
    null_moves: str = _nulls(
        GENES,
        help="Data that a surrogate replaces: genes, genes+coordinates or connectome.",
        choices="gx2c.nulls:MOVES",
    )
    null_search: str = _nulls(
        usually="full for closed forms, none for others",
        help="Whether each surrogate repeats the search (full) or keeps the chosen config (none).",
        choices=("full", "none"),
    )

    storage: str = _where(
        "",
        help="Storage shared by all nodes: a folder, s3://... or gs://...",
        check=check_storage,
        envvar="GX2C_STORAGE",
        details="See [cluster](../cluster/README.md).",
    )
    cpus_per_trial: int = _where(
        1,
        help="CPUs of a trial, which are also the threads of a fit.",
        affects=Affects.ROUNDING,
        within=(1, 1_024),
    )
    gpus_per_trial: float = _where(
        0.0,
        help="Share of a GPU for a trial, for example 0.25, or auto to measure it.",
        affects=Affects.ROUNDING,
        check=check_gpu_share,
        read=read_gpu_share,
    )
    max_concurrent: int = _where(
        0, help="Maximum number of trials at a time; 0 for as many as fit.", within=(0, 100_000)
    )
    time_budget_min: float = _where(
        0.0,
        help="Stop this session after this many minutes, to be resumed; 0 for no limit.",
        within=(0, 1_000_000),
        unit="minutes",
        flag="--time-budget",
    )
    trial_timeout_min: float = _where(
        0.0,
        help="Stop a network that has trained for this many minutes; 0 for no limit.",
        affects=Affects.RESULT,
        within=(0, 1_000_000),
        unit="minutes",
        flag="--trial-timeout",
    )
    max_disk_gb: float = _where(
        0.0,
        help="Maximum size of the run folder, GB; 0 for no limit.",
        within=(0, 1_000_000),
        unit="GB",
        flag="--max-disk",
    )
    keep_checkpoints: bool = _where(False, help="Keep the last checkpoint of every trial.")

    @property
    def all_seeds(self) -> tuple[int, ...]:
        """The seeds of the splits."""
        return parse_seeds(self.seeds)

    @property
    def seed(self) -> int:
        """The first seed, which is also that of everything drawn once for all folds."""
        return self.all_seeds[0]


OPTIONS = options_of(OptionTable)
