"""A finished sweep as the tables that end a run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from gx2c.models import MODELS
from gx2c.nulls import DEFAULT_SURROGATE, SPIN_METHODS
from sweeps.options import SweepOptions
from sweeps.paths import SweepPaths

SHOWN = "pearson_r"
COLUMNS = (
    "fold",
    "regions",
    "configs",
    "pruned",
    "failed",
    "passes",
    "val. r",
    "test r",
    "geo. r",
)


def print_summary(
    summary: Mapping[str, Any], paths: SweepPaths, console: Console | None = None
) -> None:
    """Print a table per outer fold, the rivals, and where the files are."""
    console = console or Console(highlight=False)
    console.print(_title(summary), soft_wrap=True)
    console.print(_fold_table(summary))
    for fold in summary["folds"]:
        held_out = f"{fold['name']}: " if fold["name"] else ""
        line = f"fold {fold['fold']}  {held_out}{_config(fold['best_config'])}"
        console.print(line, soft_wrap=True)
    for line in summary_lines(summary):
        console.print(line, soft_wrap=True)
    if disk := summary["provenance"].get("disk_bytes"):
        console.print(f"disk     {disk / 1e6:.1f} MB")
    console.print(f"report   {paths.report}", soft_wrap=True)
    console.print(f"rerun    gx2c rerun {paths.best} --out FOLDER", soft_wrap=True)


def summary_lines(summary: Mapping[str, Any]) -> list[str]:
    """Return the result in a few plain lines."""
    test, geography = summary["test"][SHOWN], summary["geography"]
    lines = [
        f"{summary['model']:<20} test r {_spread(test)}",
        f"{'geography alone':<20} test r {_spread(geography['test'][SHOWN])}",
        f"{'gain over geography':<20} {_spread(geography['gain'][SHOWN], signed=True)}",
    ]
    if across := summary["train_test"]:
        score = across["models"][summary["model"]]["mean"][SHOWN]
        lines.append(f"{'train x test edges':<20} r {_spread(score)}; one end seen in training")
    nulls = summary["nulls"]
    if nulls is None:
        return [*lines, f"{'gain over spin nulls':<20} not asked for (--nulls)"]
    gain = (
        f"{_gain_name(nulls):<20} {nulls['gain'][SHOWN]:+.3f} "
        f"(nulls {nulls[SHOWN]['mean']:.3f}, SD {nulls[SHOWN]['sd'] or float('nan'):.3f}, "
        f"n {nulls['n']}), {p_name(nulls)} = {nulls['p_value']:.3f} (floor {nulls['p_floor']:.3f})"
    )
    lines += [gain, f"{'':<20} {_labels(nulls)}"]
    if (nested := nulls.get("over_geography")) is not None:
        found = nested[SHOWN]
        lines.append(
            f"{'the same, and nulls':<20} {found['gain']:+.3f} "
            f"(nulls {found['null_mean']:+.3f}, SD {found['null_sd'] or float('nan'):.3f}), "
            f"{p_name(nulls)} = {found['p_value']:.3f} (two-sided {found['p_two_sided']:.3f}, "
            f"max-T over metrics {found['p_max_t']:.3f})"
        )
    if caution := nulls.get("caution"):
        lines.append(f"{'caution':<20} {caution}")
    return lines


def p_name(nulls: Mapping[str, Any]) -> str:
    """Return what to call a p-value: against selected spins it only describes."""
    return "descriptive p" if nulls.get("descriptive") else "p"


def _gain_name(nulls: Mapping[str, Any]) -> str:
    spun = nulls["method"] in (*SPIN_METHODS, DEFAULT_SURROGATE)
    return "gain over spin nulls" if spun else "gain over nulls"


def _labels(nulls: Mapping[str, Any]) -> str:
    adjusted = "adjusted" if nulls["adjusted_for_geography"] else "not adjusted"
    search = "search repeated in each null" if nulls["search"] == "full" else nulls["search"]
    kind = f"{nulls['method']} nulls move {nulls['moved']}"
    return f"{kind}; {search}; {adjusted} for geography"


def _spread(average: Mapping[str, Any], *, signed: bool = False) -> str:
    sign = "+" if signed else ""
    mean, sd, se = (
        float("nan") if average[k] is None else average[k] for k in ("mean", "sd", "se")
    )
    return f"{mean:{sign}.3f} (SD {sd:.3f}, SE {se:.3f}, n {average['n']} folds)"


def _split(summary: Mapping[str, Any]) -> str:
    """Name the split, with what belongs to its name wherever it is printed, and conditions."""
    label = f" ({summary['split_label']})" if summary["split_label"] else ""
    return ", ".join([f"{summary['split']} split{label}", *summary["conditions"]])


def _title(summary: Mapping[str, Any]) -> str:
    return (
        f"{summary['model']} on {summary['dataset']}, {_split(summary)}, "
        f"{summary['n_regions']} regions, {summary['n_genes']} genes, seed {summary['seed']}"
    )


def _fold_table(summary: Mapping[str, Any]) -> Table:
    table = Table()
    for name in COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    for fold, rival in zip(summary["folds"], summary["geography"]["folds"], strict=True):
        trials = fold["trials"]
        table.add_row(
            str(fold["fold"]),
            f"{fold['n_train_regions']}/{fold['n_test_regions']}",
            *(str(trials[name]) for name in ("total", "pruned", "failed")),
            str(fold["passes"]),
            _number(fold["validation"][SHOWN]),
            _number(fold["test"][SHOWN]),
            _number(rival["test"][SHOWN]),
        )
    return table


def _number(value: float | None) -> str:
    return "undefined" if value is None or math.isnan(value) else f"{value:.3f}"


def _config(config: Mapping[str, Any]) -> str:
    values = {**config["hyperparameters"]}
    if MODELS[config["model"]].kind == "iterative":
        values["learning_rate"] = config["training"]["learning_rate"]
    return " ".join(f"{name}={_short(value)}" for name, value in values.items())


def _short(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "-".join(str(item) for item in value)
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def print_reductions(options: SweepOptions) -> None:
    """Say what a reduced preset reduces."""
    if options.small:
        print(
            f"preset {options.preset} reduces: genes {options.genes}, narrow and shallow networks, "
            f"{options.samples} configs per outer fold, at most {options.max_epochs} passes, "
            f"{options.nulls} nulls; use --preset standard for the full search space"
        )


def print_rerun(summary: Mapping[str, Any]) -> None:
    """Print the scores of a rerun."""
    if summary["split_label"] or summary["conditions"]:
        print(f"{summary['model']} on {summary['dataset']}, {_split(summary)}")
    for fold in summary["folds"]:
        print(f"fold {fold['fold']}  test r {_number(fold['test'][SHOWN])}")
    print(f"{summary['model']:<20} test r {_spread(summary['test'][SHOWN])}")
    if summary["geography"]:
        gain = summary["geography"]["gain"][SHOWN]
        print(f"{'gain over geography':<20} {_spread(gain, signed=True)}")
