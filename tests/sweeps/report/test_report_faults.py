"""The page survives what is missing or undefined, and refuses what is broken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from report_fixtures import make_labels, make_run, read_summary, write_relmat, write_summary
from report_pages import change, report

from gx2c.errors import UserError
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import read_json, write_json
from sweeps.report.build import write_report


@pytest.mark.pictures
def test_names_from_files_are_never_markup(tmp_path: Path) -> None:
    attack = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
    paths = make_run(tmp_path / "<b>run", n_folds=1)
    labels = [f"{attack}{k}" for k in range(25)]
    for path in (paths.measured("smt", 0, "schaefer100"), paths.predicted("smt", 0, "schaefer100")):
        write_relmat(path, np.eye(25), labels)
    summary = read_summary(paths)
    summary["folds"][0]["best_config"]["hyperparameters"][attack] = attack
    summary["nulls"]["method"] = attack
    record = read_json(paths.record("smt", 0, 3))
    write_json(paths.record("smt", 0, 3), record | {"cause": attack, "node": attack})
    change(
        paths, folds=summary["folds"], nulls=summary["nulls"], split=attack, notes=[attack],
        provenance={"command": attack, "options": {attack: attack}}, seconds={attack: 1.0},
        test=summary["test"] | {attack: summary["test"]["mse"]},
    )  # fmt: skip
    page = report(paths)
    assert page.count("script") == page.count("img") == 0
    assert page.count("b", None) == page.source.count("<b>")
    assert attack in page.text


def test_a_model_name_cannot_reach_outside_the_run_folder(tmp_path: Path) -> None:
    paths = make_run(tmp_path / "run", n_folds=1)
    outside = make_run(tmp_path / "other", n_folds=1)
    stray = str(outside.retrained_dir("smt", 0).parent)
    page = report(change(paths, model=stray))
    assert "outside the run folder" in page.text
    assert not [tip for tip in page.tips if ", predicted " in tip]


@pytest.mark.pictures
def test_undefined_scores_are_named(small: SweepPaths) -> None:
    summary = read_summary(small)
    summary["test"]["pearson_r"] = {"mean": None, "sd": float("nan"), "se": None, "n": 4}
    summary["folds"][1]["test"]["pearson_r"] = float("nan")
    summary["geography"]["gain"]["pearson_r"] = {"mean": None, "per_fold": [None] * 2, "n": 4}
    summary["nulls"] |= {"p_value": None, "z": None, "gain": {"pearson_r": None}}
    write_summary(small, summary)
    page = report(small)
    assert "smt has no defined score" in page.text
    assert "p is not defined" in page.text
    assert "nan" not in page.text.lower().split()
    places = [a.get(name) or "" for _, a in page.elements for name in ("x", "y", "d")]
    assert not any("nan" in place or "inf" in place for place in places)


@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("garbage", [b"", b"\xff\xfe\x00 not a table\n1\t2"])
def test_files_that_are_broken_are_refused(run: SweepPaths, garbage: bytes, part: int) -> None:
    path = parts_of(run)[part]
    path.write_bytes(garbage)
    with pytest.raises(UserError, match=path.name):
        write_report(run)


def parts_of(run: SweepPaths) -> tuple[Path, ...]:
    return (
        run.record("smt", 0, 3),
        run.null_scores("smt"),
        run.measured("smt", 0, "schaefer100"),
        run.predicted("smt", 1, "schaefer100"),
    )


@pytest.mark.pictures
def test_files_that_are_missing_are_named(run: SweepPaths) -> None:
    for path in parts_of(run):
        path.unlink()
    page = report(run)
    assert "scores.tsv of the nulls of smt is missing" in page.text
    assert "Fold 0: " in page.text
    assert "Fold 1: " in page.text
    assert len([tip for tip in page.tips if ", predicted " in tip]) == 2 * 25 * 24 // 2


def test_connectomes_of_different_regions_are_not_compared(run: SweepPaths) -> None:
    write_relmat(run.measured("smt", 2, "schaefer100"), np.eye(25), make_labels(25)[::-1])
    assert "Fold 2: the two connectomes name different regions" in report(run).text


@pytest.mark.pictures
def test_connectomes_without_a_column_of_labels_are_read(small: SweepPaths) -> None:
    for path in (small.measured("smt", 0, "schaefer100"), small.predicted("smt", 0, "schaefer100")):
        table = pd.read_csv(path, sep="\t", index_col=0, keep_default_na=False)
        table.to_csv(path, sep="\t", index=False)
    page = report(small)
    assert len([tip for tip in page.tips if ", predicted " in tip]) == 2 * 9 * 8 // 2


def test_smallest_summary_gives_a_page(tmp_path: Path) -> None:
    paths = SweepPaths(tmp_path)
    facts = {"model": "m", "dataset": "d", "split": "random", "seed": 1, "n_regions": 9}
    write_summary(paths, facts | {"folds": [{"fold": 0}], "test": {}})
    text = report(paths).text
    assert "m has no defined score" in text
    assert "No nulls were run" in text
    assert "has no provenance" in text


@pytest.mark.parametrize(
    "text",
    [None, "", "{", "[]", "{}", '{"model": "smt", "dataset": "d", "folds": [], "test": {}}',
     '{"model": "smt", "dataset": "d", "folds": [{"fold": 0, "test": 3}], "test": {}}'],
)  # fmt: skip
def test_no_summary_no_page(tmp_path: Path, text: str | None) -> None:
    paths = SweepPaths(tmp_path)
    if text is not None:
        paths.summary.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=r"summary\.json.*finished") as caught:
        write_report(paths)
    assert "\n" not in str(caught.value)
    assert not paths.report.exists()
