"""The page must say what the files say, and load nothing."""

from __future__ import annotations

import re
from html import escape, unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from report_additions import grade_run, with_details
from report_fixtures import make_labels, make_run, read_summary
from report_pages import change, report

from gx2c.metrics import corrected_resampled_t
from sweeps.folder.paths import SweepPaths
from sweeps.report.build import write_report
from sweeps.report.catalogue import figures_of
from sweeps.report.reading import read_run
from sweeps.report.table_files import write_tables
from sweeps.report.verdict_figure import verdict_rows
from sweeps.report.wording import KINDS, MINUS, duration, number, p_text, signed


@pytest.mark.pictures
def test_page_loads_nothing_and_runs_no_script(small: SweepPaths) -> None:
    page = report(small)
    assert page.source.count("<!doctype html>") == 1
    for tag, attributes in page.elements:
        assert tag not in {"link", "iframe", "object", "embed", "base", "form", "script"}
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href", "xlink:href", "srcset", "action"):
            assert re.match(r"data:image/png|#", attributes.get(name) or "#")
    assert not re.search(r"https?://|url\((?!#)|@import", page.source)
    policy = next(a["content"] for t, a in page.elements if t == "meta" and "http-equiv" in a)
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


@pytest.mark.pictures
def test_every_reference_inside_the_page_has_one_target(small: SweepPaths) -> None:
    page = report(small)
    ids = [a["id"] for _, a in page.elements if a.get("id")]
    assert len(ids) == len(set(ids))
    used = set(re.findall(r"url\(#([^)]+)\)", page.source))
    used |= {(a["href"] or "")[1:] for _, a in page.elements if (a.get("href") or "")[:1] == "#"}
    assert used
    assert used <= set(ids)


def test_page_says_what_the_summary_says(run: SweepPaths) -> None:
    summary, text = read_summary(run), report(run).text
    model, geography = summary["test"]["pearson_r"], summary["geography"]["test"]["pearson_r"]
    gain = summary["geography"]["gain"]["pearson_r"]
    assert (
        f"smt predicts held-out connectivity at r = {number(model['mean'])} "
        f"(SD {number(model['sd'])} over 4 folds); geography alone reaches "
        f"{number(geography['mean'])}, gain {signed(gain['mean'])}."
    ) in text
    for fold, other in zip(summary["folds"], summary["geography"]["folds"], strict=True):
        for metric, digits in (("pearson_r", 3), ("spearman_r", 3), ("mse", 4)):
            assert number(fold["test"][metric], digits) in text
            assert number(other["test"][metric], digits) in text
        assert f"{fold['best_config']['training']['learning_rate']:.3g}" in text
    for words in (
        "p = .048, the smallest possible with 20 nulls",
        "not adjusted for geography",
        "tuned on the true data",
        "7Networks_RH_SomMot_2",
        "gx2c sweep smt --preset quick",
        "3f2a9c1d0b7e4f55a1c2",
        "4 min 18 s",
        "99 regions",
        "15,633 genes",
        # what the choices of the first two folds read
        "reads expression, coordinates expression",
    ):
        assert words in text


def test_the_verdict_is_the_headline_and_estimates_alone_claim_nothing(run: SweepPaths) -> None:
    summary = read_summary(run)
    gain = summary["geography"]["gain"]["pearson_r"]
    gain |= {"mean": 0.02, "per_fold": [0.05, 0.05, -0.01, -0.01]}
    rival = {"r": 0.4, "gain": 0.02, "bound": -0.01}
    verdict = {
        **{"grade": 1, "tested_up_to": 2, "sentence": "Better & not <shown>.", "caveat": "One."},
        "evidence": {"r": 0.42, "decay": rival, "geography": rival},
    }
    more = {"random_field": summary["nulls"] | {"n": 77}}
    changes = {"geography": summary["geography"], "verdict": verdict, "more_nulls": more}
    page = report(change(run, **changes))
    assert page.count("h1") == 1
    assert "<h1>Better &amp; not &lt;shown&gt;.</h1>" in page.source
    assert "grade 1 of 4 tested up to 2" in page.text
    assert "One. smt predicts held-out connectivity at r = " in page.text
    assert "gain +.020. smt: Spatiomolecular Transformer on gene tokens." in page.text
    assert "outperforms" not in page.text
    assert "random_field nulls 77" in page.text


@pytest.mark.parametrize("grade", range(5))
def test_every_grade_has_its_sentence_and_colour(tmp_path: Path, grade: int) -> None:
    paths = make_run(tmp_path / "run", n_folds=2, n_configs=2)
    found = grade_run(paths, grade)
    assert found.grade == grade
    page = report(paths)
    assert page.count("h1") == 1
    assert f"<h1>{escape(found.sentence, quote=True)}</h1>" in page.source
    assert ("header", {"class": f"grade-{grade}"}) in page.elements
    assert re.search(rf"\.grade-{grade} {{ --grade: #\w{{6}}; }}", page.source)


@pytest.mark.parametrize("deterministic", [False, True])
def test_intervals_are_those_of_compare(run: SweepPaths, deterministic: bool) -> None:
    summary = read_summary(change(run, deterministic_split=deterministic))
    rows = verdict_rows(read_run(run))
    r = [fold["test"]["pearson_r"] for fold in summary["folds"]]
    wanted = corrected_resampled_t(r, n_test=[25] * 4, n_train=[74] * 4)
    assert rows[0].found.mean == pytest.approx(wanted.mean)
    if deterministic:
        assert np.isnan([rows[0].found.low, rows[0].found.high]).all()
        assert "no intervals" in report(run).text
    else:
        assert (rows[0].found.low, rows[0].found.high) == pytest.approx((wanted.low, wanted.high))
        assert "95 % interval" in report(run).text


def test_the_picture_has_every_rival_and_null(run: SweepPaths) -> None:
    grade_run(run, 3)
    with_details(run)
    names = [row.name for row in verdict_rows(read_run(run))]
    assert names == [
        "smt", "the same on coordinates", "geography", "distance decay", "noise ceiling",
        "99 nulls: hungarian", "99 nulls: random_field", "99 nulls: residual_spin",
    ]  # fmt: skip


def test_a_gain_is_bold_only_where_it_exceeds_its_noise(run: SweepPaths) -> None:
    with_details(run)
    page = report(run)
    assert "<b>+.200</b>" in page.source
    kinds = page.source.split('<section id="kinds">')[1].split("</section>")[0]
    assert kinds.count("<b>") == 1
    rows = [unescape(row).strip() for row in re.findall(r'<th scope="row">([^<]+)', kinds)]
    assert rows == ["short edges, up to 58 mm", "long edges", KINDS["noise_ceiling_r"]]


def test_methods_cite_what_the_options_used(run: SweepPaths) -> None:
    assert "no options, from which methods are written" in report(run).text
    used = {
        "inner_folds": 3,
        "samples": 24,
        "scheduler": "asha",
        "max_epochs": 30,
        "genes": "50_var",
    }
    change(run, provenance={"options": used | {"metric": "val_mse"}})
    text = report(run).text.partition("Methods Models")[2].partition("Limits of")[0]
    for words in (
        "50 genes that vary most were chosen on the training regions",
        "3 inner folds", "24 configs", "Li et al. (2020)", "Nadeau & Bengio (2003)",
        "20 hungarian surrogates", "Markello & Misic (2021)",
    ):  # fmt: skip
        assert words in text
    assert "Besag" not in text
    cited = {int(n) for group in re.findall(r"\[([\d, ]+)\]", text) for n in group.split(",")}
    assert cited == set(range(1, max(cited) + 1))
    closed = change(run, model="cge", provenance={"options": used | {"scheduler": "none"}})
    assert "Li et al." not in report(closed).text


@pytest.mark.pictures
def test_many_seeds_show_the_folds_of_the_first_and_means_of_all(tmp_path: Path) -> None:
    paths = make_run(tmp_path / "run", n_folds=5, n_regions=20, n_seeds=3, places=True)
    page, run = report(paths), read_run(paths)
    assert paths.report.stat().st_size < 5_000_000
    rows = re.findall(r'<th scope="row">(seed \d fold \d) *</th>', page.source)
    assert rows == [f"seed {seed} fold {fold}" for seed in (1, 2, 3) for fold in range(5)]
    panels = re.findall(r'<label for="pick-\d">([^<]+)', page.source)
    assert panels == [f"seed 1 fold {fold}" for fold in range(5)]
    first = [fold["test"]["pearson_r"] for fold in read_summary(paths)["folds"][:5]]
    assert f"seed 1, smt, test: r = {number(float(np.mean(first)))}" in page.tips
    assert "gx2c figures" in page.text
    tests = [f"fold {fold} of seed" for fold in range(15)]
    assert not any(words in page.text for words in tests)
    names = {name for name, _ in figures_of(run)}
    wanted = {f"{name}_seed_{seed}" for name in ("search", "curves") for seed in (1, 2, 3)}
    assert wanted | {"brain_folds_seed_2", "connectomes_seed_3_fold_4"} <= names
    (path,) = [p for p in write_tables(run, tmp_path, "csv") if p.name == "folds.csv"]
    table = pd.read_csv(path)
    assert table["seed"].tolist() == [1] * 5 + [2] * 5 + [3] * 5
    assert table["fold"].tolist() == [*range(5)] * 3


def test_the_gain_over_geography_stands_beside_that_of_nulls(run: SweepPaths) -> None:
    found = {
        **{"gain": 0.039, "null_mean": 0.032, "null_sd": 0.01},
        **{"p_value": 0.21, "p_two_sided": 0.42, "p_max_t": 0.38},
    }
    nested = {"statistic": "gain over geography", "n": 199, "pearson_r": found}
    nulls = read_summary(run)["nulls"]
    text = report(change(run, nulls=nulls | {"over_geography": nested})).text.replace("\xa0", " ")
    assert "genes to geography gains +.039; adding surrogate genes gains +.032 on average" in text
    assert "199 nulls): p = .210 (two-sided p = .420, over all metrics by max-T p = .380)" in text
    undefined = nested | {"pearson_r": found | {"p_value": None}}
    assert (
        "p is not defined" in report(change(run, nulls=nulls | {"over_geography": undefined})).text
    )
    assert "with surrogates of them" not in report(change(run, nulls=nulls)).text


@pytest.mark.pictures
def test_every_fold_has_both_connectomes_and_every_config_a_mark(small: SweepPaths) -> None:
    tips = report(small).tips
    labels = make_labels(9)
    for fold in range(2):
        measured = pd.read_csv(small.measured("smt", fold, "schaefer100"), sep="\t", index_col=0)
        value = number(float(measured.iloc[1, 4]))
        assert f"{labels[1]} – {labels[4]}: measured {value}" in tips
    cells = [tip for tip in tips if re.fullmatch(r".+ – .+: [a-z]+ [^,]+", tip)]
    edges = [tip for tip in tips if ", predicted " in tip]
    assert len(cells) == 2 * 4 * 9 * 8
    assert len(edges) == 2 * 9 * 8 // 2
    configs = [tip for tip in tips if tip.startswith("config ")]
    assert len([tip for tip in configs if "failed" in tip]) == 2
    assert len([tip for tip in configs if "below the axis" in tip]) == 2  # config 5 diverged
    assert sum(int(tip.split(" null")[0]) for tip in tips if " (hungarian) b" in tip) == 20


def test_no_nulls(tmp_path: Path) -> None:
    page = report(make_run(tmp_path / "run", n_nulls=0))
    assert "No nulls were run" in page.text
    assert not [tip for tip in page.tips if " null" in tip]


@pytest.mark.pictures
def test_many_nulls_become_bars_and_undefined_ones_are_counted(tmp_path: Path) -> None:
    paths = make_run(tmp_path / "run", n_nulls=400)
    table = pd.read_csv(paths.null_scores("smt"), sep="\t")
    table.loc[:2, "pearson_r"] = np.nan
    table.to_csv(paths.null_scores("smt"), sep="\t", index=False)
    page = report(paths)
    assert sum(int(tip.split(" null")[0]) for tip in page.tips if " (hungarian) b" in tip) == 397
    assert "3 nulls without a defined score" in page.text


def test_one_fold_closed_form_model(tmp_path: Path) -> None:
    page = report(make_run(tmp_path / "run", model="cge", n_folds=1, n_epochs=0))
    assert "(one fold)" in page.text
    assert "No learning curves" in page.text
    assert "Learning curves of" not in page.source


@pytest.mark.pictures
def test_page_of_a_large_brain_stays_small(tmp_path: Path) -> None:
    paths = make_run(
        tmp_path / "run", n_regions=120, n_configs=60, n_epochs=60, n_nulls=1000, n_folds=2
    )
    page = report(paths)
    assert paths.report.stat().st_size < 5_000_000
    assert not [tip for tip in page.tips if ", predicted " in tip]
    assert "The best 80 of" in page.text


@pytest.mark.pictures
def test_the_same_files_give_the_same_page(small: SweepPaths) -> None:
    first = write_report(small).read_bytes()
    assert write_report(small).read_bytes() == first


@pytest.mark.parametrize(
    ("value", "printed"),
    [(0.4123, ".412"), (-0.12, f"{MINUS}.120"), (1.0, "1.000"), (-0.0001, ".000"), (None, "n/a"),
     (float("nan"), "n/a"), (float("inf"), "n/a"), (-12.5, f"{MINUS}12.500")],
)  # fmt: skip
def test_numbers(value: float | None, printed: str) -> None:
    assert number(value) == printed


def test_signs_p_values_and_durations() -> None:
    assert [signed(v) for v in (0.02, -0.02, 0.0001)] == ["+.020", f"{MINUS}.020", ".000"]
    assert p_text(0.0476) == "p\xa0=\xa0.048"
    assert p_text(0.0001) == "p\xa0<\xa0.001"
    assert [duration(s) for s in (4.25, 48, 200)] == ["4.2 s", "48 s", "3 min 20 s"]
    assert duration(7500) == "2 h 5 min"
