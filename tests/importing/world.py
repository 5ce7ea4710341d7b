"""A small brain with a known truth, written in the layouts of other people's files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gx2c.data import load_dataset
from gx2c.data.brain import Brain
from gx2c.importing.command import Imported, import_dataset
from gx2c.importing.options import ImportOptions

NETWORKS = ("Vis", "SomMot", "DorsAttn_Post", "Default_PFC")
PER_NETWORK = 4
N = 2 * len(NETWORKS) * PER_NETWORK
GENES = tuple(f"GENE{i}" for i in range(12))


@dataclass(frozen=True)
class World:
    """The truth: 32 regions, left first, in the order of a Schaefer parcellation.

    Attributes
    ----------
    labels
        Without the prefix of networks.
    sides, network
        Texts.
    coords_mm
        (32, 3), mirrored.
    connectome
        (32, 32), r within [-.8, .9], diagonal 1.
    counts
        (32, 32), whole numbers.
    expression
        (32, 12).
    """

    labels: tuple[str, ...]
    sides: tuple[str, ...]
    network: tuple[str, ...]
    coords_mm: NDArray[np.float64]
    connectome: NDArray[np.float64]
    counts: NDArray[np.float64]
    expression: NDArray[np.float64]

    @property
    def full_labels(self) -> tuple[str, ...]:
        return tuple(f"7Networks_{label}" for label in self.labels)

    def frame(self) -> pd.DataFrame:
        """Return regions x genes."""
        return pd.DataFrame(self.expression, index=pd.Index(self.labels), columns=list(GENES))

    def regions(self) -> pd.DataFrame:
        table = pd.DataFrame({"label": self.labels, "hemisphere": self.sides})
        table["network"] = self.network
        return table.assign(**{axis: self.coords_mm[:, i] for i, axis in enumerate("xyz")})


def make_world(seed: int = 0) -> World:
    rng = np.random.default_rng(seed)
    half = [(f"{n}_{i + 1}", n.split("_")[0]) for n in NETWORKS for i in range(PER_NETWORK)]
    sides = ["L"] * len(half) + ["R"] * len(half)
    names = [name for name, _ in half] * 2
    labels = tuple(f"{side}H_{name}" for side, name in zip(sides, names, strict=True))
    left = np.stack(
        [-rng.uniform(15, 60, 16), rng.uniform(-90, 60, 16), rng.uniform(-30, 70, 16)], 1
    ).round(3)
    coords = np.vstack([left, left * [-1, 1, 1]])
    near = np.exp(-np.linalg.norm(coords[:, None] - coords[None], axis=2) / 40)
    noise = rng.normal(0, 0.2, (N, N))
    connectome = np.clip(near - 0.2 + (noise + noise.T) / 2, -0.8, 0.8).round(6)
    for i in range(N // 2):
        connectome[i, i + N // 2] = connectome[i + N // 2, i] = 0.9 - 0.01 * i
    np.fill_diagonal(connectome, 1.0)
    counts = np.round(5000 * near**2 * (rng.random((N, N)) > 0.3))
    counts = np.triu(counts, 1) + np.triu(counts, 1).T
    expression = (near @ rng.normal(size=(N, 12)) + rng.normal(0, 0.1, (N, 12))).round(6)
    return World(
        labels,
        tuple(sides),
        tuple(network for _, network in half) * 2,
        coords,
        connectome,
        counts,
        expression,
    )


def square(matrix: NDArray[np.float64], labels: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame(matrix, index=pd.Index(labels), columns=list(labels))


def zero_diagonal(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.eye(len(matrix), dtype=bool), 0.0, matrix)


def imported(folder: Path, *more: str | Path, **options: object) -> tuple[Brain, Imported]:
    """Import a folder and load what was written."""
    out = folder.parent / f"{folder.name}-out"
    paths = tuple(map(str, (folder, *more)))
    made = import_dataset(ImportOptions(paths, **options), out)  # type: ignore[arg-type]
    return load_dataset(out), made


def assert_same(brain: Brain, world: World, rows: list[int] | None = None) -> None:
    """Compare values, labels and places with the truth, region by region."""
    from gx2c.importing.labels import parse_label

    keys = {parse_label(label).key: i for i, label in enumerate(world.labels)}
    order = [keys[parse_label(label).key] for label in brain.labels]
    assert sorted(order) == (sorted(rows) if rows is not None else list(range(N)))
    off = ~np.eye(len(order), dtype=bool)
    found, true = brain.connectome, world.connectome[np.ix_(order, order)]
    np.testing.assert_allclose(found[off], true[off], atol=1e-5)
    np.testing.assert_allclose(brain.coords_mm, world.coords_mm[order], atol=1e-3)
    sides = ["LRB"[side] for side in brain.hemisphere.tolist()]
    assert sides == [world.sides[i] for i in order]
    if brain.n_genes:
        columns = [GENES.index(gene) for gene in brain.genes]
        np.testing.assert_allclose(
            brain.expression, world.expression[np.ix_(order, columns)], atol=1e-5
        )
