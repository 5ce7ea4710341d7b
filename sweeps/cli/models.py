"""Every model as a row: what it reads, how it is fitted, how large it is, what may vary."""

from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from rich.console import Console

from gx2c.data import load_dataset
from gx2c.models import MODELS
from gx2c.models.names import families_of, spec_of
from search_spaces import Scale, SearchSpace, get_search_space
from sweeps.cli.tables import print_line, print_table, terminal
from sweeps.request.table import OPTIONS

# Genes, and regions that train in an outer and in an inner fold: two quarters of 455 in the latter
PUBLISHED = 7380, 341, 228
# Of the regions of another dataset: three of four folds, and three of four folds of these
SHARE_TRAIN, SHARE_INNER = 3 / 4, 9 / 16
N_DRAWS = 64


def describe_models(dataset: str | None = None, *, name: str | None = None) -> list[dict[str, Any]]:
    """Describe every model, or the one of a name.

    Parameters
    ----------
    dataset
        Name or folder of a dataset, for whose genes and regions parameters and ranges are
        counted, under the default four outer and four inner folds; None for the published one.

    Returns
    -------
    list of dict
        With name, kind, uses, label, parameters, dimensions (what may vary, by name), caps,
        summary, reference and counted_for.

    Raises
    ------
    UserError
        If the dataset cannot be loaded.
    """
    if name is not None:
        OPTIONS["model"].refuse_if_wrong(name)
    n_genes, n_train, n_inner = PUBLISHED
    if dataset is not None:
        # only counted, in whatever order they are
        brain = load_dataset(dataset, trust_row_order=True)
        n_genes, n_regions = brain.n_genes, brain.n_regions
        n_train, n_inner = round(n_regions * SHARE_TRAIN), round(n_regions * SHARE_INNER)
    scale = Scale(
        small=False, n_genes=n_genes, n_train_regions=n_inner, max_epochs=200, patience=67
    )
    size = {"dataset": dataset or "published", "n_genes": n_genes, "n_train_regions": n_train}
    return [
        {
            "name": spec.name,
            "kind": spec.fitted_by.kind,
            "uses": list(spec.uses),
            "uses_depend_on_config": spec.uses_with is not None,
            "label": spec.label,
            "parameters": spec.count_parameters(n_genes, n_train),
            "dimensions": dimensions(get_search_space(spec.name), scale),
            "caps": get_search_space(spec.name).cap_notes(scale),
            "summary": spec.summary,
            "reference": spec.reference,
            "counted_for": size,
        }
        for spec in (MODELS.values() if name is None else map(spec_of, families_of(name)))
    ]


def dimensions(space: SearchSpace, scale: Scale) -> dict[str, Any]:
    """Return everything that may vary, some of it under conditions.

    Returns
    -------
    dict
        Name -> a list of choices, or low, high and log of a range.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    found: dict[str, Any] = {}
    # a space has no list of its parameters; this many draws visit every branch
    for _ in range(N_DRAWS):
        trial = study.ask()
        space.ask(trial, scale)
        found |= {n: _plain(d) for n, d in trial.distributions.items() if n not in found}
    return found


def _plain(distribution: Any) -> Any:
    if isinstance(distribution, optuna.distributions.CategoricalDistribution):
        return list(distribution.choices)
    return {"low": distribution.low, "high": distribution.high, "log": distribution.log}


def print_models(rows: Sequence[Mapping[str, Any]], console: Console | None = None) -> None:
    """Print the rows as a table, and what the numbers were counted for."""
    shown = [_row(row) for row in rows]
    notes = [
        _counted_for(rows[0]),
        "geography+MODEL, such as geography+smt: MODEL learns what geography leaves",
        *(f"{r['name']}: {note}" for r in rows for note in r["caps"]),
    ]
    print_table(
        shown,
        notes,
        left=set(shown[0]) - {"parameters"},
        drop=("reference", "varies", "uses", "kind"),
        hint="`gx2c models NAME` shows all of one model",
        console=console,
    )


def print_model(row: Mapping[str, Any], console: Console | None = None) -> None:
    """Print all of one model, a line per fact and one per value that may vary."""
    console = console or terminal()
    facts = _row(row) | {"varies": ""} if row["dimensions"] else _row(row)
    for name, value in facts.items():
        print_line(f"{name:<12} {value}".rstrip(), console)
        if name == "varies":
            for one, range_ in row["dimensions"].items():
                print_line(f"  {one}: {_range(range_)}", console)
    for note in (*row["caps"], _counted_for(row)):
        print_line(note, console)


def _row(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "model": row["name"],
        "kind": row["kind"].replace("_", " "),
        "uses": ", ".join(row["uses"]) + " (by config)" * row["uses_depend_on_config"],
        "parameters": f"{row['parameters']:,}",
        "varies": ", ".join(row["dimensions"]) or "nothing",
        "summary": row["summary"],
        "reference": row["reference"],
    }


def _range(dimension: Any) -> str:
    if isinstance(dimension, list):
        return "one of " + ", ".join(map(str, dimension))
    scale = " (log scale)" if dimension["log"] else ""
    return f"{dimension['low']:g} to {dimension['high']:g}{scale}"


def _counted_for(row: Mapping[str, Any]) -> str:
    size = row["counted_for"]
    return (
        f"parameters of default settings at {size['n_genes']:,} genes and "
        f"{size['n_train_regions']} training regions ({size['dataset']} dataset)"
    )
