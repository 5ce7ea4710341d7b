"""A run folder as a finished sweep leaves it, made up from a seed."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from gx2c.explain.attention import AttentionMaps
from gx2c.explain.importance import tests_of
from gx2c.explain.tokens import Token
from gx2c.verdict import Comparison, Evidence, NullTest, Verdict, verdict
from sweeps.folder.explained import (
    digest_of,
    seal_results,
    write_attention,
    write_embedding,
    write_ranking,
)
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


OWN_R, N_TESTED = 0.5, 99


def evidence_for(grade: int) -> Evidence:
    """Return evidence that is worth a grade, tested as far as the next one."""
    beaten, p = [grade >= least for least in range(5)], {True: 0.01, False: 0.4}
    known = [("hungarian", 3), ("random_field", 3), ("residual_spin", 4)]
    return Evidence(
        r=OWN_R,
        decay=_rival(0.32, 0.49, beaten=beaten[1]),
        geography=_rival(0.4, 0.495, beaten=beaten[2]),
        coordinates=_rival(0.4, 0.49, beaten=beaten[3]) if beaten[2] else None,
        nulls={k: NullTest(p[beaten[of]], N_TESTED) for k, of in known[: max(1, grade)]},
    )


def _rival(clear: float, close: float, *, beaten: bool) -> Comparison:
    """Return a rival that the model beats clearly, or one that it may not beat."""
    r = clear if beaten else close
    return Comparison(
        r, OWN_R - r, 0.04 if beaten else -0.02, (r - 0.03, r - 0.01, r + 0.01, r + 0.03)
    )


def grade_run(paths: SweepPaths, grade: int) -> Verdict:
    """Give a run a verdict, with the scores and nulls that it rests on."""
    found = verdict(evidence_for(grade))
    summary, rng = read_summary(paths), np.random.default_rng(grade)
    spread = np.linspace(-0.03, 0.03, len(summary["folds"]))
    scored = {}
    for name, r, part in (
        ("own", OWN_R, summary),
        ("geography", found.evidence.geography.r, summary["geography"]),
    ):
        scored[name] = [make_scores(r + 0.8 * shift, rng) for shift in spread]
        for fold, test in zip(part["folds"], scored[name], strict=True):
            fold["test"] = test
        part["test"] = average(scored[name])
    gains = [
        {m: own[m] - rival[m] for m in METRICS}
        for own, rival in zip(scored["own"], scored["geography"], strict=True)
    ]
    summary["geography"]["gain"] = average(gains, per_fold=True)
    nulls = {
        kind: _write_nulls(paths, summary, kind, test.p_value)
        for kind, test in found.evidence.nulls.items()
    }
    first, *more = nulls
    changes = {"nulls": nulls[first], "more_nulls": {kind: nulls[kind] for kind in more}}
    write_summary(paths, summary | changes | {"verdict": asdict(found)})
    return found


def _write_nulls(paths: SweepPaths, summary: dict[str, Any], kind: str, p: float) -> dict[str, Any]:
    """Write nulls, as many as good as the model as make p, and return their summary."""
    ranks = 0.02 * norm.ppf((np.arange(N_TESTED) + 0.5) / N_TESTED)
    as_good = round(p * (N_TESTED + 1)) - 1
    r = ranks + (0.42 if not as_good else OWN_R - ranks[-as_good] + 1e-6)
    folder = summary["model"] if kind == "hungarian" else f"{kind}/{summary['model']}"
    paths.null_scores(folder).parent.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame({"null": range(N_TESTED), **dict.fromkeys(METRICS, r)})
    table.to_csv(paths.null_scores(folder), sep="\t", index=False)
    gain = summary["geography"]["gain"]["pearson_r"]["mean"]
    null_gain = gain + float(r.mean()) - OWN_R
    tested = {"gain": gain, "null_mean": null_gain, "null_sd": float(r.std()), "p_value": p}
    joint = {"p_two_sided": min(1.0, 2 * p), "p_max_t": p}
    return summary["nulls"] | {
        "method": kind, "n": N_TESTED, "p_value": p, "p_floor": 0.01, "z": float(-norm.ppf(p)),
        "adjusted_for_geography": True, "gain": {"pearson_r": OWN_R - float(r.mean())},
        "pearson_r": {"mean": float(r.mean()), "sd": float(r.std())},
        "over_geography": {"statistic": "gain", "n": N_TESTED, "pearson_r": tested | joint},
    }  # fmt: skip


def with_details(paths: SweepPaths) -> None:
    """Write detailed scores: short edges are clearly better than geography's, long ones not."""
    summary = read_summary(paths)
    n, better = len(summary["folds"]), {"short_r": 0.2, "long_r": 0.0, "noise_ceiling_r": 0.4}
    details = {}
    for model in (summary["model"], "geography"):
        folds = []
        for k in range(n):
            gain = {
                name: 0.5 + 0.01 * k + more * (model != "geography")
                for name, more in better.items()
            }
            gain["long_r"] += 0.1 * (-1) ** k * (model != "geography")
            folds.append({"fold": k, "values": gain})
        names = folds[0]["values"]
        mean = {
            name: {"mean": float(np.mean([f["values"][name] for f in folds])), "sd": 0.01, "n": n}
            for name in names
        }
        details[model] = {"mean": mean, "folds": folds}
    write_summary(paths, summary | {"details": details})


def with_explained(paths: SweepPaths, n_regions: int) -> None:
    """Write results of `gx2c explain`, `attention` and `embed`: gene G0 alone beats its nulls."""
    (paths.root / "model.json").write_text("{}")
    digest, rng = digest_of(paths.root), np.random.default_rng(0)
    labels, names = make_labels(n_regions), ("smt, fold 0, member 0", "smt, fold 1, member 0")
    titles = {f"smt_fold_{k:02d}_member_00": name for k, name in enumerate(names)}
    tokens = tuple(Token(f"G{k}…G{k + 1}", "1", (f"G{k}",)) for k in range(6))
    for stem in titles:
        write_embedding(paths.embedding / stem, labels, rng.normal(size=(n_regions, 4)))
        maps = rng.dirichlet(np.ones(6), size=(2, 2, 2, 6))
        found = AttentionMaps(tokens, ("all", "Vis"), np.array([n_regions, 2]), maps)
        write_attention(paths.attention / stem, found)
    seal_results(paths.embedding, digest, plane="pca", titles=titles)
    seal_results(paths.attention, digest, titles=titles)
    groups = ("all", "Vis - Vis", "SomMot - Vis", "short")
    for kind, unit in (("genes", "G"), ("sets", "set ")):
        of = [f"{unit}{k}" for k in range(8)]
        true, nulls = np.r_[0.6, np.linspace(0.1, 0.01, 7)], rng.normal(0.0, 0.1, (39, 8))
        tested = {"group": groups[0], "unit": of, "n_genes": 1, "importance": true}
        table = pd.DataFrame(tested | tests_of(true, nulls))
        parts = [table.assign(group=group) for group in groups]
        write_ranking(paths.explained, kind, pd.concat(parts, ignore_index=True))
    asked = {"method": "gradients", "nulls": 39, "surrogate": "residual_spin"}
    seal_results(paths.explained, digest, kinds=["genes", "sets"], **asked)
    folder, change = paths.knock_outs / "G0", rng.normal(0.0, 0.1, (n_regions, n_regions))
    write_relmat(folder / "atlas-a_desc-smtKnockOutMean_meas-b_relmat.tsv", change, labels)
    seal_results(folder, digest, title="smt without G0")


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
