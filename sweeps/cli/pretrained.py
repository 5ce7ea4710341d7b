"""The fitted models that come with gx2c, as rows."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from gx2c.metrics import HEADLINE
from gx2c.saved.loading import load_model
from gx2c.saved.pretrained import pretrained_folders
from sweeps.cli.tables import print_table

NOTES = (
    "expected r: the mean test r of the sweep whose options chose them, on held-out regions; they "
    "themselves have seen all regions",
    'gx2c predict NAME --expression FILE --out DIR, or gx2c.load_model("NAME")',
)


def describe_pretrained() -> list[dict[str, Any]]:
    """Describe every fitted model that comes with gx2c: name, data, sizes and expected score."""
    rows = []
    for name, folder in pretrained_folders().items():
        model = load_model(folder)
        rows.append(
            {
                "name": name,
                "expected_r": model.about.expected.get(HEADLINE),
                "members": model.n_members,
                "reads": model.about.reads,
                "genes": len(model.genes),
                "regions": len(model.about.training_regions),
                "dataset": model.about.dataset.name,
                "size_mb": round(sum(p.stat().st_size for p in folder.iterdir()) / 1e6, 2),
            }
        )
    return rows


def print_pretrained(rows: Sequence[Mapping[str, Any]], console: Console | None = None) -> None:
    """Print the rows as a table."""
    shown = [
        {
            "model": row["name"],
            "expected r": f"{row['expected_r']:.3f}",
            "members": row["members"],
            "genes": row["genes"],
            "trained on": f"{row['dataset']}, {row['regions']} regions",
            "MB": f"{row['size_mb']:.1f}",
        }
        for row in rows
    ]
    print_table(shown, NOTES, left={"model", "trained on"}, console=console)
