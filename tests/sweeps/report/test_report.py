"""The page must say what the files say, load nothing, and survive what is missing."""

from __future__ import annotations

import base64
import re
import shutil
import sys
from html import escape, unescape
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from report_fixtures import (
    grade_run,
    make_labels,
    make_run,
    read_summary,
    with_details,
    with_explained,
    write_relmat,
    write_summary,
)

from gx2c.errors import UserError
from gx2c.metrics import corrected_resampled_t
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import ConfigRecord, read_json, write_json
from sweeps.folder.regions import refuse_unlisted
from sweeps.report import catalogue
from sweeps.report.brain_figures import nearest_regions, region_errors, surfaces
from sweeps.report.build import write_report
from sweeps.report.catalogue import FIGURES, figures_of, write_figures
from sweeps.report.connectomes import DIVERGING, connectome_figure
from sweeps.report.edge_figures import calibration, network_pairs, scatter_figure
from sweeps.report.explained import read_explained
from sweeps.report.picture import Picture, padded
from sweeps.report.reading import FoldConnectomes, read_run
from sweeps.report.search_figures import Search
from sweeps.report.table_files import write_tables
from sweeps.report.verdict_figure import verdict_rows
from sweeps.report.wording import KINDS, MINUS, duration, number, p_text, signed

VOID = {"br", "img", "input", "meta"}


class Page(HTMLParser):
    """Collects elements and text, and fails on elements that are not closed in order."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.tips: list[str] = []
        self.open: list[str] = []
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "title":
            self.tips.append(data)
        elif self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).replace("\xa0", " ").split())

    def count(self, tag: str, class_: str | None = None) -> int:
        return sum(t == tag and class_ in (None, a.get("class")) for t, a in self.elements)


@pytest.fixture
def run(tmp_path: Path) -> SweepPaths:
    return make_run(tmp_path / "run", n_configs=10)


@pytest.fixture
def small(tmp_path: Path) -> SweepPaths:
    return make_run(tmp_path / "run", n_folds=2, n_regions=9, n_configs=12)


def report(paths: SweepPaths) -> Page:
    return Page(write_report(paths))


def change(paths: SweepPaths, **values: Any) -> SweepPaths:
    write_summary(paths, read_summary(paths) | values)
    return paths


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
def test_figures_and_tables_are_files_for_print(small: SweepPaths, tmp_path: Path) -> None:
    with_details(small)
    run = read_run(small)
    for write, formats, wrong in (
        (write_figures, "svg,pdf,png", "gif"),
        (write_tables, "csv,latex,markdown", "docx"),
    ):
        with pytest.raises(UserError, match=f"format '{wrong}'"):
            write(run, tmp_path / "none", f"{formats},{wrong}")
    assert not (tmp_path / "none").exists()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "FIGURES", {k: FIGURES[k] for k in ("verdict", "kinds", "search")})
        paths = write_figures(run, tmp_path / "figures", "svg,pdf")
    names = {"verdict", "kinds", "search", "search_geography"}
    assert {path.name for path in paths} == {f"{n}.{e}" for n in names for e in ("svg", "pdf")}
    drawn = (tmp_path / "figures" / "verdict.svg").read_text()
    assert "distance decay" not in drawn and ">geography</text>" in drawn, "text is text"
    assert b"/Type /Font" in (tmp_path / "figures" / "verdict.pdf").read_bytes()
    write_tables(run, tmp_path / "tables", "csv,latex,markdown")
    table = pd.read_csv(tmp_path / "tables" / "folds.csv")
    test = [fold["test"]["pearson_r"] for fold in read_summary(small)["folds"]]
    assert table["test"].tolist() == pytest.approx(test, rel=1e-12)
    assert r"\toprule" in (tmp_path / "tables" / "kinds.tex").read_text()
    assert (tmp_path / "tables" / "kinds.md").read_text().startswith("| edges | smt | SD |")


def test_errors_are_averaged_over_edges_of_a_region_and_of_a_pair_of_networks(
    tmp_path: Path,
) -> None:
    run = read_run(make_run(tmp_path / "run", n_folds=1, n_regions=8, places=True))
    (c,) = run.connectomes
    error = np.abs(c.predicted - c.measured)
    rival = np.abs(c.geography - c.measured)
    errors = region_errors(run)
    for k, label in enumerate(c.labels):
        assert errors[label] == pytest.approx(np.delete(error[k], k).mean())
    networks = [label.split("_")[2] for label in c.labels]
    found = network_pairs(run)
    pairs = [
        (i, j)
        for i in range(8)
        for j in range(i)
        if {networks[i], networks[j]} == {"Vis", "SomMot"}
    ]
    place = found.names.index("Vis"), found.names.index("SomMot")
    rows, columns = np.transpose(pairs)
    assert found.n[place] == len(pairs)
    assert found.error[place] == pytest.approx(error[rows, columns].mean())
    assert found.gain[place] == pytest.approx((rival - error)[rows, columns].mean())


def test_edges_are_called_by_the_measure_in_the_names_of_their_tables(tmp_path: Path) -> None:
    paths = make_run(tmp_path / "run", n_folds=1, n_configs=0, n_regions=6)
    assert read_run(paths).measure == "Pearson r"
    for path in paths.root.glob("retrained/*/*/*_relmat.tsv"):
        path.rename(path.with_name(path.name.replace("PearsonCorrelation", "Morphometry")))
    picture = scatter_figure(read_run(paths))
    assert picture is not None and picture.axes.get_xlabel() == "measured edge (Morphometry)"


@pytest.mark.pictures
def test_what_saved_models_look_at_is_shown(tmp_path: Path) -> None:
    paths = make_run(tmp_path / "run", n_folds=2, n_regions=12, n_configs=2, places=True)
    text = report(paths).text
    for command in ("explain run", "attention run", "embed run", "explain run --knock-out GENE"):
        assert f"Not computed: gx2c {command} " in text
    with_explained(paths, 12)
    page = report(paths)
    section = page.source.split('<section id="genes">')[1].split("</section>")[0]
    assert "Not computed" not in section
    assert "retrained on 39 residual_spin surrogates" in section
    # G0 alone, once as a gene and once as a set
    assert re.findall(r'<th scope="row">([^<]+)</th>[^\n]*<b>', section) == ["G0", "set 0"]
    words = [a["aria-label"] or "" for t, a in page.elements if t == "svg"]
    for start in (
        "The 8 most important of genes by smt, mean", "Importance of the first 8 sets by pair",
        "Mean attention of smt, fold 0", "Attention that each of 6 tokens of smt, fold 0",
        "Embeddings of 12 regions by smt, fold 0", "First component of the embeddings by smt, f",
        "Change of the connectome predicted by smt without G0", "Mean change of each region's ed",
    ):  # fmt: skip
        assert sum(word.startswith(start) for word in words) == 1, start
    run = read_run(paths)
    names = {name for name, _ in figures_of(run)}
    for fold in range(2):
        stem = f"smt_fold_{fold:02d}_member_00"
        assert {f"embedding_{stem}", f"embedding_{stem}_brain", f"attention_{stem}_heads"} <= names
    written = write_tables(run, tmp_path / "tables", "csv")
    assert {"ranking_genes.csv", "attention.csv", "knock_outs.csv"} <= {p.name for p in written}
    ranked = pd.read_csv(tmp_path / "tables" / "ranking_genes.csv")
    assert ranked["unit"][0] == "G0" and ranked["p_max_t"][0] == pytest.approx(1 / 40)


def test_results_of_other_models_are_named_and_damaged_ones_refused(tmp_path: Path) -> None:
    paths = make_run(tmp_path / "run", n_folds=1, n_regions=6, n_configs=0)
    with_explained(paths, 6)
    (paths.attention / "about.json").unlink()
    (paths.root / "model.json").write_text("{ }")
    page = report(paths)
    assert "attention was not finished" in page.text
    for name in ("explain", "embedding", "G0"):
        assert f"{name} is of other models than those of this run; delete" in page.text
    assert "most important" not in page.source and "Embeddings of" not in page.source
    (paths.root / "model.json").write_text("{}")
    (paths.explained / "genes.tsv").write_text("group\tunit\n")
    with pytest.raises(UserError, match=r"genes\.tsv is missing or damaged"):
        write_report(paths)


def test_what_others_put_among_the_results_is_no_result(tmp_path: Path) -> None:
    paths = make_run(tmp_path / "run", n_folds=1, n_regions=6, n_configs=0)
    with_explained(paths, 6)
    (paths.knock_outs / "G0" / "a_desc-KnockOutMean_meas-c_relmat.tsv").write_text("mine")
    shutil.rmtree(paths.attention)
    paths.attention.symlink_to(tmp_path / "gone")
    found = read_explained(paths)
    assert found.knock_outs["G0"].change.shape == (6, 6)
    assert found.problems == {"attention": "attention is no folder; delete it."}
    (paths.explained / "genes.tsv").unlink()
    (paths.explained / "genes.tsv").mkdir()
    with pytest.raises(UserError, match=r"genes\.tsv is missing or damaged"):
        read_explained(paths)
    write_summary(paths, read_summary(paths) | {"files": {"knock_outs": "0"}})
    with pytest.raises(UserError, match="knock_outs is damaged"):
        refuse_unlisted(paths, paths.knock_outs)


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


def test_calibration_sorts_edges_by_their_prediction() -> None:
    predicted = pd.Series(np.random.default_rng(0).permutation(np.arange(100.0)))
    found = calibration(predicted, 2 * predicted + 1)
    assert found["n"].tolist() == [10] * 10
    assert found["predicted"].tolist() == pytest.approx(np.arange(10) * 10 + 4.5)
    assert found["measured"].tolist() == pytest.approx(2 * found["predicted"] + 1)


def test_the_surface_takes_the_nearest_region_of_its_hemisphere() -> None:
    rows = [("left", -40, -80, 0), ("left", -40, 40, 0), ("right", 40, -80, 0)]
    regions = pd.DataFrame(rows, columns=["hemisphere", "x_mm", "y_mm", "z_mm"])
    for side, allowed in ((0, {-1, 0, 1}), (1, {-1, 2})):
        nearest, points = nearest_regions(regions, side), surfaces()[side].points
        assert set(nearest.tolist()) == allowed
        for k in range(0, len(points), 500):
            far = np.linalg.norm(points[k] - regions[["x_mm", "y_mm", "z_mm"]], axis=1)
            mine = {0: [0, 1], 1: [2]}[side]
            best = min(mine, key=lambda row: far[row])
            assert nearest[k] == (best if far[best] <= 30 else -1)


def test_without_nilearn_the_page_says_what_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = make_run(tmp_path / "run", n_folds=1, n_configs=0, n_regions=6, places=True)
    assert any("brain" in name for name, _ in figures_of(read_run(paths)))
    monkeypatch.setitem(sys.modules, "nilearn", None)
    assert not any("brain" in name for name, _ in figures_of(read_run(paths)))
    assert "pip install 'gx2c[data]'" in report(paths).text


def test_importance_finds_the_value_that_matters() -> None:
    rng, long = np.random.default_rng(0), "idle_value_that_has_a_name_of_many_letters"
    rows = []
    for k in range(60):
        params = {"rate": float(rng.uniform(1e-4, 1e-1)), long: float(rng.uniform()), "kind": "a"}
        score = -abs(np.log(params["rate"]) + 5)
        common = {
            "model": "m",
            "fold": k % 2,
            "batch": 0,
            "config": {},
            "seed": 0,
            "epochs": 0,
        }
        rows.append(
            ConfigRecord(
                number=k, params=params, state="COMPLETE", score=score, validation={}, **common
            )
        )
    search = Search("m", rows, "val_mse")
    assert search.label.endswith(f"{MINUS}MSE")
    assert search.importance["rate"] > 0.8 and set(search.importance) == {"rate", long}
    # a name that is cut is whole in the tooltips
    for picture in (search.importance_figure(), search.parallel_figure()):
        assert picture is not None
        labels = [
            t.get_text()
            for axis in ("x", "y")
            for t in picture.axes.properties()[f"{axis}ticklabels"]
        ]
        assert f"{long[:25]}…" in labels
        assert any(long in text for texts in picture.tips.values() for text in texts)
    assert Search("m", rows[:6], "val_mse").importance == {}


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


def test_ranges_hold_all_finite_values() -> None:
    low, high = padded([0.0, 0.0], least=0.0)
    assert low < 0 < high
    assert padded([float("nan")]) == (0.0, 1.0)


def test_colours_are_symmetric_in_lightness_and_zero_is_palest() -> None:
    lightness = DIVERGING(np.linspace(0, 1, 255))[:, :3] @ np.array([0.2126, 0.7152, 0.0722])
    assert np.argmax(lightness) == 127
    assert (np.diff(lightness[:126]) >= 0).all()
    assert (np.diff(lightness[129:]) <= 0).all()
    assert np.abs(lightness - lightness[::-1]).max() < 0.12


def test_heat_maps_have_no_diagonal_and_one_scale_and_keep_networks_together() -> None:
    rng = np.random.default_rng(0)
    measured, predicted = rng.normal(size=(2, 4, 4))
    both = FoldConnectomes(0, ("a", "b", "c", "d"), predicted, measured, None)
    ordered = both.ordered(["Vis", "Cont", "Vis", "Cont"])
    assert ordered.labels == ("b", "d", "a", "c")
    picture = connectome_figure(ordered, ["Cont", "Cont", "Vis", "Vis"], limit=0.5)
    shown = [np.ma.masked_invalid(a.get_images()[0].get_array()) for a in picture.all_axes[:3]]
    for values, wanted in zip(shown, (measured, predicted, measured - predicted), strict=True):
        assert np.ma.getmaskarray(values).diagonal().all() and np.ma.getmaskarray(values).sum() == 4
        assert values[0, 2] == wanted[1, 0]
    for axes in picture.all_axes[:3]:
        assert axes.get_images()[0].get_clim() == (-0.5, 0.5)
        for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
            assert [label.get_text() for label in labels] == ["Cont", "Vis"]


@pytest.mark.pictures
def test_points_drawn_together_have_a_text_each_and_colours_follow_the_page() -> None:
    picture = Picture("two points & a <line>")
    points = picture.axes.scatter([0.0, 1.0], [0.0, 1.0], color="#0a5ea8")
    (curve,) = picture.axes.plot([0.0, 1.0], [1.0, 0.0])
    picture.tip(points, "first", "second")
    picture.tip(curve, "a < b")
    svg = picture.svg()
    for text in ("first", "second", "a &lt; b"):
        assert svg.count(f"<title>{text}</title>") == 1
    assert 'aria-label="two points &amp; a &lt;line&gt;"' in svg
    assert "var(--model)" in svg and "#0a5ea8" not in svg
    assert "#0a5ea8" in picture.svg(on_page=False)


@pytest.mark.pictures
def test_images_of_a_page_are_light_and_those_for_print_fine() -> None:
    picture = Picture("a gradient")
    picture.axes.imshow(np.linspace(0, 1, 40_000).reshape(200, 200), cmap="magma")
    images = []
    for on_page in (True, False):
        (found,) = re.findall(r"base64,([^\"]+)", picture.svg(on_page=on_page))
        images.append(Image.open(BytesIO(base64.b64decode(found))))
    page, printed = images
    assert page.mode == "P" and printed.mode == "RGBA" and printed.width > 2 * page.width
    seen = (page.convert("RGBA").convert("RGB"), printed.convert("RGB").resize(page.size))
    apart = np.subtract(*seen, dtype=float)
    assert np.abs(apart).mean() < 3
