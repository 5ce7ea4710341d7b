"""Every model as a row: what it reads, how it is fitted, how large it is, what may vary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from rich.console import Console
from rich.table import Table

from gx2c.data import load_dataset
from gx2c.models import MODELS, ModelSpec
from search_spaces import SEARCH_SPACES, Scale, SearchSpace
from search_spaces.components import cap_notes

# The published dataset: 7,380 genes; 455 regions, of which two quarters train in an inner fold
PUBLISHED_GENES, PUBLISHED_REGIONS, PUBLISHED_TRAIN, PUBLISHED_INNER = 7380, 455, 341, 228
N_DRAWS = 64
SHARE_TRAIN, SHARE_INNER = 3 / 4, 9 / 16


def describe_models(dataset: str | None = None) -> list[dict[str, Any]]:
    """Describe every model.

    Parameters
    ----------
    dataset
        A dataset's name or folder, whose genes and regions parameters and ranges are counted for,
        under the default four outer and four inner folds; None for the published dataset.

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
    n_genes, n_regions = PUBLISHED_GENES, PUBLISHED_REGIONS
    n_train, n_inner = PUBLISHED_TRAIN, PUBLISHED_INNER
    if dataset is not None:
        brain = load_dataset(dataset)
        n_genes, n_regions = brain.n_genes, brain.n_regions
        n_train, n_inner = round(n_regions * SHARE_TRAIN), round(n_regions * SHARE_INNER)
    scale = Scale(
        small=False, n_genes=n_genes, n_train_regions=n_inner, max_passes=200, patience=67
    )
    size = {"dataset": dataset or "published", "n_genes": n_genes, "n_train_regions": n_train}
    return [_describe(spec, SEARCH_SPACES[spec.name], scale, size) for spec in MODELS.values()]


def _describe(
    spec: ModelSpec, space: SearchSpace, scale: Scale, size: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "name": spec.name,
        "kind": spec.kind,
        "uses": list(spec.uses),
        "uses_depend_on_config": spec.uses_with is not None,
        "label": spec.label,
        "parameters": spec.count_parameters(size["n_genes"], size["n_train_regions"]),
        "dimensions": dimensions(space, scale),
        "caps": cap_notes(space, scale),
        "summary": spec.summary,
        "reference": spec.reference,
        "counted_for": dict(size),
    }


def dimensions(space: SearchSpace, scale: Scale) -> dict[str, Any]:
    """Return all that may vary, some of it under conditions.

    Returns
    -------
    dict
        Name -> a list of choices, or low, high and log of a range.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    found: dict[str, Any] = {}
    # a space says what it asks for by asking; this many draws visit every branch
    for _ in range(N_DRAWS):
        trial = study.ask()
        space.suggest(trial, scale)
        found |= {n: _plain(d) for n, d in trial.distributions.items() if n not in found}
    return found


def _plain(distribution: Any) -> Any:
    if isinstance(distribution, optuna.distributions.CategoricalDistribution):
        return list(distribution.choices)
    return {"low": distribution.low, "high": distribution.high, "log": distribution.log}


def print_models(rows: Sequence[Mapping[str, Any]], console: Console | None = None) -> None:
    """Print the rows as a table, and what the numbers were counted for."""
    console = console or Console(highlight=False)
    table = Table()
    for name in ("model", "kind", "uses", "parameters", "varies", "summary", "reference"):
        table.add_column(name, justify="right" if name == "parameters" else "left")
    for row in rows:
        uses = ", ".join(row["uses"]) + (" (by config)" if row["uses_depend_on_config"] else "")
        varies = ", ".join(row["dimensions"]) or "nothing"
        table.add_row(
            row["name"],
            row["kind"].replace("_", " "),
            uses,
            f"{row['parameters']:,}",
            varies,
            row["summary"],
            row["reference"],
        )
    console.print(table)
    size = rows[0]["counted_for"]
    console.print(
        f"parameters of default settings at {size['n_genes']:,} genes and "
        f"{size['n_train_regions']} training regions ({size['dataset']} dataset)"
    )
    for row in rows:
        for note in row["caps"]:
            console.print(f"{row['name']}: {note}", soft_wrap=True)
