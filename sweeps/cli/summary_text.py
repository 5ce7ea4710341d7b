"""A finished sweep as the tables that end a run."""

import math
from collections.abc import Mapping
from shlex import quote
from typing import Any

from rich.console import Console

from gx2c.metrics import HEADLINE
from gx2c.models import MODELS
from gx2c.models.names import GEOGRAPHY, split_name
from gx2c.nulls import SURROGATES
from sweeps.cli.tables import print_line, print_table, terminal
from sweeps.folder.paths import SweepPaths
from sweeps.folder.summary_file import Summary
from sweeps.folder.summary_parts import Average, FoldSummary, Nulls
from sweeps.nulls.evaluation import EvaluationSummary
from sweeps.request.ensemble import parse_ensemble
from sweeps.request.options import SweepOptions

CEILING = "noise_ceiling_r"


def evaluation_lines(summary: EvaluationSummary) -> list[str]:
    """Return the output of `gx2c nulls evaluate`."""
    interval, sequential, nulls = summary.gain_interval, summary.sequential, summary.nulls
    test, geography = summary.test[HEADLINE], summary.geography[HEADLINE]
    seeds = ", ".join(map(str, summary.seeds))
    lines = [
        f"{summary.model} on {summary.dataset}, {summary.split} split, seeds {seeds}",
        f"test r {test:.3f}, geography {geography:.3f}, gain {test - geography:+.3f} "
        f"(95 % interval {interval.low:+.3f} to {interval.high:+.3f}; {interval.of})",
        f"{nulls.n} nulls: {nulls.method}, moved: {nulls.moved}, "
        f"search: {nulls.search}; {summary.surrogate}",
        *_gain_lines(nulls),
    ]
    if nulls.selection:
        found = nulls.selection
        angle, stay = found.mean_angle_deg, found.share_within_one_parcel
        lines.append(
            f"best of {found.candidates} {found.method} spins: they turn by "
            f"{angle.best:.0f} degrees on average (all {angle.all:.0f}); {stay.best:.1%} of "
            f"their regions stay within one parcel (all {stay.all:.1%})"
        )
    if sequential:
        lines.append(
            f"sequential (Besag-Clifford, stop after {sequential.stop_after}): "
            f"p = {sequential.p_value:.3f} from {sequential.n_used} nulls"
        )
    return [*lines, f"caution: {nulls.caution}"] if nulls.caution else lines


def _gain_lines(nulls: Nulls) -> list[str]:
    """Return the gain over geography against nulls, else the score against nulls."""
    if not nulls.over_geography:
        spread = nulls.spread(HEADLINE)
        secondary = (
            f"gain over nulls {nulls.gain[HEADLINE]:+.3f} (nulls {spread.mean:.3f}, "
            f"SD {spread.sd:.3f}), {_test(nulls, nulls)}; not adjusted for geography"
        )
        return [secondary]
    by_metric = nulls.over_geography.by_metric
    head = by_metric[HEADLINE]
    return [
        f"null gain over geography {head.null_mean:+.3f} (SD {head.null_sd:.3f}), "
        f"{_test(nulls, head)}",
        *(
            f"  {name:<10} gain {one.gain:+.4f}  p {one.p_value:.4f}  "
            f"max-T {one.p_max_t:.4f}  FDR {one.p_fdr:.4f}"
            for name, one in by_metric.items()
        ),
    ]


def _test(nulls: Nulls, found: Any) -> str:
    return (
        f"z {found.z:.1f}, {p_name(nulls)} = {found.p_value:.4f} (Monte-Carlo SE "
        f"{found.p_se:.4f}; two-sided {found.p_two_sided:.4f})"
    )


def print_summary(summary: Summary, paths: SweepPaths, console: Console | None = None) -> None:
    """Print the verdict, a table per outer fold, the rivals, and where the files are."""
    console = console or terminal()
    for line in verdict_lines(summary):
        print_line(line, console)
    print_line(_title(summary), console)
    disk = summary.provenance.disk_bytes
    notes = [
        *(
            f"{name}  {': '.join(filter(None, (fold.name, _chosen(fold))))}"
            for name, fold in zip(summary.fold_names, summary.folds, strict=True)
        ),
        *summary_lines(summary),
        *([f"disk     {disk / 1e6:.1f} MB"] if disk else []),
        f"report   {quote(str(paths.report))}",
        f"rerun    gx2c rerun {quote(str(paths.root))} --out FOLDER",
    ]
    print_table(_fold_rows(summary), console=console)
    for note in notes:
        print_line(note, console)


def verdict_lines(summary: Summary) -> list[str]:
    """Return the verdict with its grade, and its limits; none for a run without one."""
    found = summary.verdict
    if found is None:
        return []
    tested = f"tested up to {found.tested_up_to}"
    return [f"grade {found.grade} of 4 ({tested}): {found.sentence}", f"caveat   {found.caveat}"]


def summary_lines(summary: Summary) -> list[str]:
    """Return the result in a few plain lines."""
    lines = [
        f"{summary.model:<20} test r {_spread(summary.score(HEADLINE))}",
        f"{'geography alone':<20} test r {_spread(summary.rival(HEADLINE))}",
        f"{'gain over geography':<20} {_gain(summary)}",
    ]
    lines[1:1] = [
        f"{name:<20} test r {_spread(scores[HEADLINE])}"
        for name, scores in summary.families.items()
        if name != GEOGRAPHY
    ]
    if summary.alone:
        lines.insert(1, f"{alone_name(summary):<20} test r {_spread(summary.alone[HEADLINE])}")
    if summary.single:
        lines.append(f"{'best config alone':<20} {ensemble_words(summary)}")
    if across := summary.train_test:
        score = across.models[summary.model].mean[HEADLINE]
        lines.append(f"{'train x test edges':<20} r {_spread(score)}; one end seen in training")
    details = summary.details.get(summary.model)
    elsewhere = any(words.startswith("tested on") for words in summary.conditions)
    if elsewhere and details and (ceiling := details.mean.get(CEILING)):
        lines.append(f"{'ceiling of transfer':<20} r {_spread(ceiling)}; both connectomes")
    nulls = summary.nulls
    if nulls is None:
        return [*lines, f"{'gain over spin nulls':<20} not asked for (--nulls)"]
    spread = nulls.spread(HEADLINE)
    gain = (
        f"{_gain_name(nulls):<20} {nulls.gain[HEADLINE]:+.3f} "
        f"(nulls {spread.mean:.3f}, SD {spread.sd:.3f}, "
        f"n {nulls.n}), {p_name(nulls)} = {nulls.p_value:.3f} (floor {nulls.p_floor:.3f})"
    )
    lines += [gain, f"{'':<20} {_labels(nulls)}"]
    if nulls.over_geography:
        found = nulls.over_geography.by_metric[HEADLINE]
        lines.append(
            f"{'gain over geography':<20} {found.gain:+.3f}; with permuted genes "
            f"{found.null_mean:+.3f} (SD {found.null_sd:.3f}), "
            f"{p_name(nulls)} = {found.p_value:.3f} (two-sided {found.p_two_sided:.3f}, "
            f"max-T over metrics {found.p_max_t:.3f})"
        )
    if nulls.caution:
        lines.append(f"{'caution':<20} {nulls.caution}")
    return lines


def alone_name(summary: Summary) -> str:
    """Name the model of `geography+MODEL` without geography."""
    return f"{split_name(summary.model)[0]} alone"


def ensemble_words(summary: Summary) -> str:
    """Compare an ensemble with its best configs alone and with the spread of its members."""
    diverged = sum(fold.n_diverged for fold in summary.folds)
    spread = [fold.spread[HEADLINE] for fold in summary.folds]
    words = (
        f"test r {summary.single[HEADLINE].mean:.3f}; the model is the mean of {summary.members} "
        f"(test r with SD {sum(spread) / len(spread):.3f} over members)"
    )
    return f"{words}, {diverged} of all diverged" if diverged else words


def p_name(nulls: Nulls) -> str:
    """Return what to call a p-value: against selected spins it only describes."""
    return "descriptive p" if nulls.descriptive else "p"


def _gain_name(nulls: Nulls) -> str:
    spun = nulls.method in SURROGATES and SURROGATES[nulls.method].spheres == "all"
    return "gain over spin nulls" if spun else "gain over nulls"


def _labels(nulls: Nulls) -> str:
    adjusted = "adjusted" if nulls.adjusted_for_geography else "not adjusted"
    search = "search repeated in each null" if nulls.search == "full" else nulls.search
    kind = f"{nulls.method} nulls move {nulls.moved}"
    return f"{kind}; {search}; {adjusted} for geography"


def _spread(average: Average, *, signed: bool = False) -> str:
    sign, of = "+" if signed else "", average
    return f"{of.mean:{sign}.3f} (SD {of.sd:.3f}, SE {of.se:.3f}, n {of.n} folds)"


def _gain(summary: Summary) -> str:
    """Return the gain over geography, with its interval where there are several seeds."""
    gain = summary.gain(HEADLINE)
    if not math.isfinite(gain.low):
        return _spread(gain, signed=True)
    return (
        f"{_spread(gain, signed=True)}; Nadeau-Bengio 95 % interval {gain.low:+.3f} to "
        f"{gain.high:+.3f}: {len(summary.seeds)} seeds split the same regions"
    )


def _split(summary: Summary) -> str:
    """Name the split, with what belongs to its name wherever it is printed, and conditions."""
    label = f" ({summary.split_label})" if summary.split_label else ""
    return ", ".join([f"{summary.split} split{label}", *summary.conditions])


def _title(summary: Summary) -> str:
    return (
        f"{summary.model} on {summary.dataset}, {_split(summary)}, "
        f"{summary.n_regions} regions, {summary.n_genes} genes, "
        f"{summary.seeds_named}"
    )


def _fold_rows(summary: Summary) -> list[dict[str, Any]]:
    return [
        {
            "fold": name.removeprefix("fold "),
            "regions": f"{fold.n_train_regions}/{fold.n_test_regions}",
            "configs": fold.trials.total if fold.trials else "-",
            "pruned": fold.trials.pruned if fold.trials else "-",
            "failed": fold.trials.failed if fold.trials else "-",
            "epochs": "-" if fold.epochs is None else fold.epochs,
            "val. r": _number(fold.validation[HEADLINE]) if fold.validation else "-",
            "test r": _number(fold.test[HEADLINE]),
            "geo. r": _number(rival.test[HEADLINE]),
        }
        for name, fold, rival in zip(
            summary.fold_names, summary.folds, summary.rival_folds, strict=True
        )
    ]


def _number(value: float) -> str:
    return "undefined" if math.isnan(value) else f"{value:.3f}"


def _chosen(fold: FoldSummary) -> str:
    if len(set(fold.weights.values())) == 1:
        return f"mean of {len(fold.weights)} models"
    if fold.weights:
        return " ".join(f"{name}={weight:.2f}" for name, weight in fold.weights.items())
    return _config(fold.best_config)


def _config(config: Mapping[str, Any]) -> str:
    values = {**config["hyperparameters"]}
    if MODELS[config["model"]].trains_in_epochs:
        values["learning_rate"] = config["training"]["learning_rate"]
    return " ".join(f"{name}={_short(value)}" for name, value in values.items())


def _short(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "-".join(str(item) for item in value)
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def print_reductions(options: SweepOptions) -> None:
    """Print what a reduced preset reduces."""
    if options.small:
        alone = parse_ensemble(options.ensemble) == (1, 1)
        averaged = "the best config alone" if alone else f"ensembles of {options.ensemble}"
        print(
            f"preset {options.preset} reduces: genes {options.genes}, narrow and shallow networks, "
            f"{options.samples} configs per outer fold, at most {options.max_epochs} epochs, "
            f"{averaged}, {options.nulls} nulls per surrogate; use --preset "
            "standard for the full search space"
        )


def print_rerun(summary: Summary) -> None:
    """Print the scores of a rerun."""
    if summary.split_label or summary.conditions:
        print(f"{summary.model} on {summary.dataset}, {_split(summary)}")
    for line in verdict_lines(summary):
        print(line)
    for name, fold in zip(summary.fold_names, summary.folds, strict=True):
        print(f"{name}  test r {_number(fold.test[HEADLINE])}")
    print(f"{summary.model:<20} test r {_spread(summary.score(HEADLINE))}")
    if summary.geography:
        print(f"{'gain over geography':<20} {_gain(summary)}")
