"""What a made-up run may have besides: a verdict, detailed scores, explanations."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from report_fixtures import (
    METRICS,
    average,
    make_labels,
    make_scores,
    read_summary,
    write_relmat,
    write_summary,
)
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
