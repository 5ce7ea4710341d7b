"""A run folder as a finished sweep leaves it, made up from a seed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import ConfigRecord, RecordStore, State

METRICS = ("pearson_r", "spearman_r", "r2", "mse", "mae")
NETWORKS = (
    "Vis",
    "SomMot",
    "DorsAttn_Post",
    "SalVentAttn_Med",
    "Limbic_OFC",
    "Cont_PFCl",
    "Default_PFC",
)


def make_run(
    root: Path,
    *,
    model: str = "smt",
    n_folds: int = 4,
    n_regions: int = 25,
    n_configs: int = 24,
    n_nulls: int = 20,
    n_epochs: int = 30,
    seed: int = 0,
    places: bool = False,
    n_seeds: int = 1,
) -> SweepPaths:
    """Write a whole run folder; `n_regions` are the test regions of each fold.

    With several seeds, each has `n_folds` of its own.

    Their networks and places, for pictures of the brain, are written with `places`.

    No nulls are written with `n_nulls=0`, no curves with `n_epochs=0`.
    """
    rng, per_seed, n_folds = np.random.default_rng(seed), n_folds, n_folds * n_seeds
    paths = SweepPaths(root)
    root.mkdir(parents=True, exist_ok=True)
    summary = make_summary(model, n_folds, n_regions, n_configs, n_nulls, rng)
    for folds in (summary["folds"], summary["geography"]["folds"]) if n_seeds > 1 else ():
        for place, fold in enumerate(folds):
            fold |= {"seed": 1 + place // per_seed, "fold": place % per_seed}
    write_summary(paths, summary)
    for fold in range(n_folds):
        write_connectomes(paths, model, fold, n_regions, rng)
    if places:
        write_region_table(paths, n_regions)
    store = RecordStore(paths)
    for name, count in ((model, n_configs), ("geography", 6)):
        for fold in range(n_folds):
            for number in range(count):
                epochs = n_epochs if name == model else 0
                store.save(make_record(name, fold, number, epochs, rng))
    if n_nulls:
        scores = rng.normal(0.21, 0.05, (n_nulls, len(METRICS)))
        table = pd.DataFrame(scores, columns=list(METRICS))
        table.insert(0, "null", range(n_nulls))
        paths.null_scores(model).parent.mkdir(parents=True)
        table.to_csv(paths.null_scores(model), sep="\t", index=False)
    return paths


def write_summary(paths: SweepPaths, summary: dict[str, Any]) -> None:
    paths.summary.write_text(json.dumps(summary), encoding="utf-8")


def read_summary(paths: SweepPaths) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads(paths.summary.read_text(encoding="utf-8"))
    return summary


def make_scores(r: float, rng: np.random.Generator) -> dict[str, float]:
    noise = rng.normal(0, 0.01, 4)
    values = (r, r - 0.03 + noise[0], r * r - 0.05 + noise[1], 0.03 * (1 - r * r), 0.12 + noise[3])
    return dict(zip(METRICS, map(float, values), strict=True))


def average(scores: list[dict[str, float]], *, per_fold: bool = False) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for metric in METRICS:
        values = np.array([s[metric] for s in scores])
        sd = float(values.std(ddof=1)) if len(values) > 1 else float("nan")
        result[metric] = {
            "mean": float(values.mean()),
            "sd": sd,
            "se": sd / len(values) ** 0.5,
            "n": len(values),
        }
        if per_fold:
            result[metric]["per_fold"] = values.tolist()
    return result


def make_config(model: str, rng: np.random.Generator) -> dict[str, Any]:
    return {
        "model": model,
        "hyperparameters": {
            "genes_per_token": int(rng.choice([20, 40, 60])),
            "model_dim": 32,
            "n_heads": 4,
            "n_layers": int(rng.choice([1, 2])),
            "hidden_dims": [128, 64],
            "dropout": float(rng.uniform(0, 0.3)),
        },
        "training": {
            "learning_rate": float(10 ** rng.uniform(-4, -2.5)),
            "weight_decay": float(10 ** rng.uniform(-6, -3)),
            "schedule": "cosine",
            "block_regions": 32,
            "max_epochs": 30,
            "patience": 10,
        },
        "genes": {"which": "1000_var", "order": "tss", "seed": 0},
    }


def make_summary(
    model: str, n_folds: int, n_regions: int, n_configs: int, n_nulls: int, rng: np.random.Generator
) -> dict[str, Any]:
    test = [make_scores(float(rng.normal(0.41, 0.05)), rng) for _ in range(n_folds)]
    geography = [make_scores(float(rng.normal(0.53, 0.05)), rng) for _ in range(n_folds)]
    gains = [{m: a[m] - b[m] for m in METRICS} for a, b in zip(test, geography, strict=True)]
    nulls = {
        "n": n_nulls, "method": "hungarian", "moved": "genes",
        "search": "tuned on the true data", "adjusted_for_geography": False,
        "pearson_r": {"mean": 0.211, "sd": 0.048}, "gain": {"pearson_r": 0.198},
        "p_value": 1 / (n_nulls + 1), "p_floor": 1 / (n_nulls + 1), "z": 4.12,
    }  # fmt: skip
    return {
        "model": model,
        "dataset": "schaefer100",
        "split": "bilateral",
        "seed": 1,
        "n_regions": 99,
        "n_genes": 15633,
        "folds": [
            {
                "fold": fold,
                "n_train_regions": 99 - n_regions,
                "n_test_regions": n_regions,
                "best_config": make_config(model, rng),
                "uses": ["expression", "coordinates"] if fold == 0 else ["expression"],
                "epochs": int(rng.integers(12, 30)),
                "validation": make_scores(test[fold]["pearson_r"] + 0.06, rng),
                "test": test[fold],
                "trials": {"total": n_configs, "pruned": n_configs // 3, "failed": 1},
            }
            for fold in range(n_folds)
        ],
        "test": average(test),
        "geography": {
            "model": "geography",
            "folds": [
                {"fold": fold, "validation": scores, "test": scores}
                for fold, scores in enumerate(geography)
            ],
            "test": average(geography),
            "gain": average(gains, per_fold=True),
        },
        "nulls": nulls if n_nulls else None,
        "provenance": {
            "versions": {"gx2c": "0.1.0", "ray": "2.60.0", "torch": "2.13.0", "numpy": "2.4.0"},
            "git_commit": "3f2a9c1d0b7e4f55a1c2",
            "dataset": {
                "name": "schaefer100",
                "checksum": "sha256:9f86d081884c7d659a2feaa0c55ad015",
            },
            "seeds": {"sweep": 1, "nulls": 1},
            "profile": {"threads": 1, "dtype": "float32", "attention": "sdpa"},
            "host": {"system": "linux x86_64", "processor": "any", "cpus": 2},
            "command": "gx2c sweep smt --preset quick",
            "finished": "2026-05-02T10:15:30+00:00",
        },
        "seconds": {"total": 258.2, "search": 171.0, "retrain": 22.4, "nulls": 64.8},
        "notes": ["1 of 100 regions has no expression and was left out: 7Networks_RH_SomMot_2."],
    }


def write_region_table(paths: SweepPaths, n_regions: int) -> None:
    labels = make_labels(n_regions)
    names = {"LH": "left", "RH": "right"}
    half = np.arange(n_regions) / max(n_regions, 2)
    table = pd.DataFrame(
        {
            "label": labels,
            "network": [label.split("_")[2] for label in labels],
            "hemisphere": [names[label.split("_")[1]] for label in labels],
            "x_mm": [40.0 if "_RH_" in label else -40.0 for label in labels],
            "y_mm": -80 + 140 * half,
            "z_mm": 30 * np.cos(9 * half),
        }
    )
    table.to_csv(paths.regions, sep="\t", index=False)


def make_labels(n_regions: int) -> list[str]:
    per_side = -(-n_regions // 2)
    labels = []
    for side in ("LH", "RH"):
        names = np.sort(np.arange(per_side) * len(NETWORKS) // per_side)
        labels += [f"7Networks_{side}_{NETWORKS[k]}_{i + 1}" for i, k in enumerate(names)]
    return labels[:n_regions]


def write_connectomes(
    paths: SweepPaths,
    model: str,
    fold: int,
    n_regions: int,
    rng: np.random.Generator,
    measure: str = "PearsonCorrelation",
) -> None:
    labels = make_labels(n_regions)
    place = np.cumsum(rng.normal(0, 0.6, (n_regions, 3)), axis=0)
    distance = np.linalg.norm(place[:, None] - place[None], axis=2)
    noise = rng.normal(0, 0.12, (2, n_regions, n_regions))
    noise = (noise + noise.transpose(0, 2, 1)) / 2
    measured = np.clip(0.75 * np.exp(-distance / 3) - 0.05 + noise[0], -0.4, 0.95)
    predicted = 0.2 + 0.4 * measured + 0.6 * noise[1]
    data = fold, "schaefer100", measure
    write_relmat(paths.measured(model, *data), measured, labels)
    write_relmat(paths.predicted(model, *data), predicted, labels)
    geography = 0.3 + 0.5 * np.exp(-distance / 2)
    write_relmat(paths.predicted("geography", *data), geography, labels)


def write_relmat(path: Path, values: np.ndarray, labels: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    off_diagonal = np.where(np.eye(len(labels), dtype=bool), np.nan, values)
    table = pd.DataFrame(off_diagonal, index=pd.Index(labels, name="region"), columns=labels)
    table.to_csv(path, sep="\t", float_format="%.8g", na_rep="n/a")


def make_record(
    model: str, fold: int, number: int, n_epochs: int, rng: np.random.Generator
) -> ConfigRecord:
    state: State = "FAILED" if number == 9 else "PRUNED" if number % 3 == 1 else "COMPLETE"
    last = max(1, n_epochs // 4 if state == "PRUNED" else n_epochs)
    best = (
        -0.02 - 0.012 * abs(rng.normal()) * (1 + 8 / (number + 2)) - (0.9 if number == 5 else 0.0)
    )
    course = best - 0.05 * np.exp(-np.arange(1, last + 1) / rng.uniform(2, 6))
    course += rng.normal(0, 0.0008, last)
    curve = [
        {"epochs": k + 1, "score": float(score), "validation": {"mse": -float(score)},
         "train_mse": -float(score) * 0.8, "learning_rate": 1e-3}
        for k, score in enumerate(course)
    ]  # fmt: skip
    failed = state == "FAILED"
    config = make_config(model, rng)
    return ConfigRecord(
        model=model,
        fold=fold,
        number=number,
        batch=number // 4,
        params=config["hyperparameters"],
        config=config,
        seed=number,
        state=state,
        score=None if failed else float(course.max()),
        epochs=last,
        validation={},
        curve=[] if failed else curve if n_epochs else curve[:1],
        seconds=2.5,
    )
