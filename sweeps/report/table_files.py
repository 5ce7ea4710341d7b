"""The tables of a run as CSV, LaTeX and Markdown, for `gx2c tables`."""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from gx2c.explain.cases import KINDS
from gx2c.explain.edges import ALL
from gx2c.metrics import HEADLINE
from sweeps.folder.explained import read_attention
from sweeps.folder.records import write_bytes
from sweeps.folder.summary_file import Summary
from sweeps.folder.summary_parts import Average
from sweeps.report.brain_figures import region_errors
from sweeps.report.edge_figures import network_pairs
from sweeps.report.reading import RunFiles
from sweeps.report.scores import fold_scores, kind_gains
from sweeps.report.wording import ABSENT, MINUS, compact, flat, fold_name, kind_name
from sweeps.report.writing import write_files

DIGITS = 3
# Of a ranking of genes
MOST_UNITS = 100


def _folds(s: Summary) -> pd.DataFrame:
    rows = [
        {
            "seed": s.seed if fold.seed is None else fold.seed,
            "fold": fold.in_seed,
            **row._asdict(),
            "name": fold.name,
            "train regions": fold.n_train_regions,
            "test regions": fold.n_test_regions,
            "epochs": fold.epochs,
        }
        for row, fold in zip(fold_scores(s), s.folds, strict=True)
    ]
    return pd.DataFrame(rows)


def _metrics(s: Summary) -> pd.DataFrame:
    rows = [
        {
            "metric": name,
            s.model: mean.mean,
            "SD": mean.sd,
            "geography": s.rival(name).mean,
            "geography SD": s.rival(name).sd,
            "gain": s.gain(name).mean,
            "gain SE": s.gain(name).se,
        }
        for name, mean in s.test.items()
    ]
    return pd.DataFrame(rows)


def _kinds(s: Summary) -> pd.DataFrame:
    own, rival = s.details.get(s.model), s.details.get("geography")
    gains = {row.score: row for row in kind_gains(s)}
    rows = []
    for score, mean in (own.mean if own else {}).items():
        other = rival.mean.get(score, Average()) if rival else Average()
        gain = gains[score].gain if score in gains else None
        rows.append(
            {
                "edges": kind_name(score),
                s.model: mean.mean,
                "SD": mean.sd,
                "geography": other.mean,
                "gain": gain and gain.mean,
                "gain SE": gain and gain.se,
                "low": gain and gain.low,
                "high": gain and gain.high,
                "folds": mean.n,
            }
        )
    return pd.DataFrame(rows)


def _nulls(s: Summary) -> pd.DataFrame:
    found = {} if s.nulls is None else {s.nulls.method: s.nulls} | s.more_nulls
    rows = []
    for kind, nulls in found.items():
        nested = nulls.over_geography.by_metric.get(HEADLINE) if nulls.over_geography else None
        rows.append(
            {
                "surrogate": kind,
                "n": nulls.n,
                "null r": nulls.spread(HEADLINE).mean,
                "null SD": nulls.spread(HEADLINE).sd,
                "p": nulls.p_value,
                "null gain over geography": nested and nested.null_mean,
                "p of gain": nested and nested.p_value,
                "smallest p": nulls.p_floor,
            }
        )
    return pd.DataFrame(rows)


def _configs(s: Summary) -> pd.DataFrame:
    configs = {fold_name(fold): flat(fold.best_config) for fold in s.folds}
    names = dict.fromkeys(name for config in configs.values() for name in config)
    rows = [
        {"value": name} | {k: compact(c[name]) if name in c else "" for k, c in configs.items()}
        for name in names
    ]
    return pd.DataFrame(rows)


def _networks(run: RunFiles) -> pd.DataFrame:
    found = network_pairs(run)
    if found is None:
        return pd.DataFrame()
    rows = [
        {
            "network": one,
            "other network": other,
            "mean absolute error": found.error[i, j],
            "gain over geography": found.gain[i, j],
            "edges": int(found.n[i, j]),
        }
        for i, one in enumerate(found.names)
        for j, other in enumerate(found.names)
        if i <= j and found.n[i, j]
    ]
    return pd.DataFrame(rows)


def _regions(run: RunFiles) -> pd.DataFrame:
    tested = pd.DataFrame(
        [(label, c.name) for c in run.connectomes for label in c.labels],
        columns=["region", "fold"],
    )
    folds = tested.groupby("region", sort=False)["fold"].agg(", ".join)
    errors = region_errors(run)
    table = pd.DataFrame(
        {
            "region": folds.index,
            "folds": folds.to_numpy(),
            "mean absolute error": [errors.get(label) for label in folds.index],
        }
    )
    return table if run.regions is None else table.join(run.regions, on="region")


def _ranking(run: RunFiles, kind: str) -> pd.DataFrame:
    table = run.explained.rankings.get(kind, pd.DataFrame(columns=["group"]))
    return table[table["group"] == ALL].drop(columns="group").head(MOST_UNITS)


def _attention(run: RunFiles) -> pd.DataFrame:
    shares = {}
    for title, stem in run.explained.attention.items():
        found = read_attention(stem)
        shares[title] = pd.Series(found.received[0], [token.name for token in found.tokens])
    return pd.DataFrame(
        [(title, name, share) for title, s in shares.items() for name, share in s.items()],
        columns=["model", "token", "share of attention"],
    )


def _knock_outs(run: RunFiles) -> pd.DataFrame:
    rows = [
        (name, label, change)
        for name, found in run.explained.knock_outs.items()
        for label, change in zip(found.labels, np.nanmean(found.change, axis=1), strict=True)
    ]
    return pd.DataFrame(rows, columns=["knock-out", "region", "mean change"])


TABLES: Mapping[str, Callable[[RunFiles], pd.DataFrame]] = {
    "folds": lambda run: _folds(run.summary),
    "metrics": lambda run: _metrics(run.summary),
    "kinds": lambda run: _kinds(run.summary),
    "nulls": lambda run: _nulls(run.summary),
    "configs": lambda run: _configs(run.summary),
    "networks": _networks,
    "regions": _regions,
    **{f"ranking_{kind}": functools.partial(_ranking, kind=kind) for kind in KINDS},
    "attention": _attention,
    "knock_outs": _knock_outs,
}


def _markdown(table: pd.DataFrame) -> str:
    cells = [list(table.columns), ["---"] * len(table.columns), *_rounded(table).to_numpy()]
    lines = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in cells]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _latex(table: pd.DataFrame) -> str:
    styled = _rounded(table).style.hide(axis="index").format(escape="latex")
    text = str(styled.format_index(axis="columns", escape="latex").to_latex(hrules=True))
    return text.replace(MINUS, "$-$")


def _rounded(table: pd.DataFrame) -> pd.DataFrame:
    shown = table.map(lambda v: f"{v:.{DIGITS}f}" if isinstance(v, float) and v == v else v)
    return shown.astype(object).where(table.notna(), ABSENT)


ENDINGS = {"csv": "csv", "latex": "tex", "markdown": "md"}
TEXTS: Mapping[str, Callable[[pd.DataFrame], str]] = {
    ".csv": lambda table: str(table.to_csv(index=False, na_rep=ABSENT)),
    ".tex": _latex,
    ".md": _markdown,
}


def write_tables(run: RunFiles, out: Path, formats: str) -> list[Path]:
    """Write each table to a folder in some of `ENDINGS`; errors are those of `write_files`.

    CSV has all digits; LaTeX (for the package booktabs) and Markdown are rounded. Tables for which
    a run has no numbers are left out.
    """
    tables = ((name, table) for name, make in TABLES.items() if len(table := make(run)))
    return write_files(tables, _save, out, formats, ENDINGS)


def _save(table: pd.DataFrame, path: Path) -> None:
    write_bytes(path, TEXTS[path.suffix](table).encode())
