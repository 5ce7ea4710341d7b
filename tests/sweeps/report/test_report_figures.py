"""Figures and tables of a run show its numbers."""

from __future__ import annotations

import base64
import re
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from report_additions import with_details
from report_fixtures import make_run, read_summary
from report_pages import report

from gx2c.errors import UserError
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import ConfigRecord
from sweeps.report import catalogue
from sweeps.report.brain_figures import nearest_regions, region_errors, surfaces
from sweeps.report.catalogue import FIGURES, figures_of, write_figures
from sweeps.report.connectomes import DIVERGING, connectome_figure
from sweeps.report.edge_figures import calibration, network_pairs, scatter_figure
from sweeps.report.picture import Picture, padded
from sweeps.report.reading import FoldConnectomes, read_run
from sweeps.report.search_figures import Search
from sweeps.report.table_files import write_tables
from sweeps.report.wording import MINUS


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
