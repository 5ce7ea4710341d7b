"""The page must say what the files say, load nothing, and survive what is missing."""

from __future__ import annotations

import base64
import hashlib
import re
import struct
import zlib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from report_fixtures import (
    make_labels,
    make_run,
    read_summary,
    write_relmat,
    write_summary,
)

from gx2c.errors import UserError
from sweeps.paths import SweepPaths
from sweeps.report import write_report
from sweeps.report.axes import padded, tick_texts, ticks
from sweeps.report.heatmap import colours, heatmap_uri
from sweeps.report.markup import Markup, join, node
from sweeps.report.wording import MINUS, duration, number, p_text, signed

VOID = {"br", "img", "input", "meta"}


class Page(HTMLParser):
    """Collects elements and text, and fails on elements that are not closed in order."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).replace("\xa0", " ").split())

    def count(self, tag: str, class_: str | None = None) -> int:
        return sum(t == tag and class_ in (None, a.get("class")) for t, a in self.elements)


@pytest.fixture
def run(tmp_path: Path) -> SweepPaths:
    return make_run(tmp_path / "run")


def report(paths: SweepPaths) -> Page:
    return Page(write_report(paths))


def change(paths: SweepPaths, **values: Any) -> SweepPaths:
    write_summary(paths, read_summary(paths) | values)
    return paths


def test_page_loads_nothing_and_allows_no_script_but_its_own(run: SweepPaths) -> None:
    page = report(run)
    assert page.source.count("<!doctype html>") == 1
    for tag, attributes in page.elements:
        assert tag not in {"link", "iframe", "object", "embed", "base", "form", "foreignobject"}
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href", "xlink:href", "srcset", "action"):
            assert (attributes.get(name) or "data:image/png").startswith("data:image/png")
    assert not re.search(r"https?://|url\(|@import", page.source)
    policy = next(a["content"] for t, a in page.elements if t == "meta" and "http-equiv" in a)
    (script,) = re.findall(r"<script>(.*?)</script>", page.source, re.S)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert f"script-src 'sha256-{digest}'" in policy


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
        "p = .048, the smallest that 20 nulls can give",
        "not adjusted for geography",
        "tuned on the true data",
        "7Networks_RH_SomMot_2",
        "gx2c sweep smt --preset quick",
        "3f2a9c1d0b7e4f55a1c2",
        "4 min 18 s",
        "99 regions",
        "15,633 genes",
        "six donors",
        # what the choices of the first two folds read
        "reads expression, coordinates expression",
    ):
        assert words in text


def test_headline_does_not_flatter(run: SweepPaths) -> None:
    assert "Knowing only where regions lie predicts as well or better" in report(run).text
    summary = read_summary(run)
    gain = summary["geography"]["gain"]["pearson_r"]
    gain |= {"mean": 0.02, "per_fold": [0.05, 0.05, -0.01, -0.01]}
    text = report(change(run, geography=summary["geography"])).text
    assert "as well or better" not in text
    assert "does better than geography: smt is above geography in 2 of 4 folds" in text
    assert "gain +.020" in text


def test_the_gain_over_geography_stands_beside_that_of_nulls(run: SweepPaths) -> None:
    found = {
        **{"gain": 0.039, "null_mean": 0.032, "null_sd": 0.01},
        **{"p_value": 0.21, "p_two_sided": 0.42, "p_max_t": 0.38},
    }
    nested = {"statistic": "gain over geography", "n": 199, "pearson_r": found}
    nulls = read_summary(run)["nulls"]
    text = report(change(run, nulls=nulls | {"over_geography": nested})).text.replace("\xa0", " ")
    assert "gains +.039 over geography, with surrogates of them +.032 on average" in text
    assert "199 nulls): p = .210 (two-sided p = .420, over all metrics by max-T p = .380)" in text
    undefined = nested | {"pearson_r": found | {"p_value": None}}
    assert (
        "p is not defined" in report(change(run, nulls=nulls | {"over_geography": undefined})).text
    )
    assert "with surrogates of them" not in report(change(run, nulls=nulls)).text


def test_every_fold_has_both_connectomes_and_every_config_a_mark(run: SweepPaths) -> None:
    page = report(run)
    matrices = [a for t, a in page.elements if a.get("class") == "matrix"]
    assert len(matrices) == 2 * 4
    measured = pd.read_csv(run.measured("smt", 0, "schaefer100"), sep="\t", index_col=0).to_numpy()
    upper = measured[np.triu_indices(25, k=1)]
    shown = np.array((matrices[0]["data-edges"] or "").split(), dtype=float) / 1000
    np.testing.assert_allclose(shown, upper, atol=6e-4)
    assert (matrices[0]["data-labels"] or "").split("\t") == make_labels(25)
    assert page.count("circle", "edge") == 4 * 25 * 24 // 2
    assert page.count("circle", "pruned-ring") == 4 * (8 + 2)
    assert page.count("path", "failed") == 4
    assert page.count("path", "below") == 4  # config 5 diverged in every fold
    assert page.count("circle", "null-fill") == 20


def test_names_from_files_are_never_markup(tmp_path: Path) -> None:
    attack = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
    paths = make_run(tmp_path / "<b>run", n_folds=1)
    labels = [f"{attack}{k}" for k in range(25)]
    for path in (paths.measured("smt", 0, "schaefer100"), paths.predicted("smt", 0, "schaefer100")):
        write_relmat(path, np.eye(25), labels)
    summary = read_summary(paths)
    summary["folds"][0]["best_config"]["hyperparameters"][attack] = attack
    summary["nulls"]["method"] = attack
    trials = pd.read_parquet(paths.trials)
    trials.loc[3, "state"] = attack
    trials.loc[1, "model"] = attack
    trials.to_parquet(paths.trials)
    change(
        paths, folds=summary["folds"], nulls=summary["nulls"], split=attack, notes=[attack],
        provenance={attack: {attack: attack}}, seconds={attack: attack},
        test=summary["test"] | {attack: summary["test"]["mse"]},
    )  # fmt: skip
    page = report(paths)
    assert page.count("script") == 1
    assert page.count("img") == 0
    assert page.count("b", None) == page.source.count("<b>")
    assert attack in page.text


def test_a_model_name_cannot_reach_outside_the_run_folder(tmp_path: Path) -> None:
    paths = make_run(tmp_path / "run", n_folds=1)
    outside = make_run(tmp_path / "other", n_folds=1)
    stray = str(outside.retrained_dir("smt", 0).parent)
    page = report(change(paths, model=stray))
    assert "outside the run folder" in page.text
    assert page.count("rect", "matrix") == 0


def test_no_nulls(tmp_path: Path) -> None:
    page = report(make_run(tmp_path / "run", n_nulls=0))
    assert "No nulls were run" in page.text
    assert page.count("circle", "null-fill") == 0


def test_many_nulls_become_bars_and_undefined_ones_are_counted(tmp_path: Path) -> None:
    paths = make_run(tmp_path / "run", n_nulls=400)
    table = pd.read_csv(paths.null_scores("smt"), sep="\t")
    table.loc[:2, "pearson_r"] = np.nan
    table.to_csv(paths.null_scores("smt"), sep="\t", index=False)
    page = report(paths)
    bars = [a["data-tip"] or "" for t, a in page.elements if a.get("class") == "null-fill"]
    assert sum(int(tip.split(" null")[0]) for tip in bars) == 397
    assert "3 nulls without a defined score" in page.text


def test_one_fold_closed_form_model(tmp_path: Path) -> None:
    page = report(make_run(tmp_path / "run", model="cge", n_folds=1, n_passes=0))
    assert "(one fold)" in page.text
    assert "No learning curves" in page.text
    assert page.count("polyline", "curve chosen") == 0


def test_undefined_scores_are_named(run: SweepPaths) -> None:
    summary = read_summary(run)
    summary["test"]["pearson_r"] = {"mean": None, "sd": float("nan"), "se": None, "n": 4}
    summary["folds"][1]["test"]["pearson_r"] = float("nan")
    summary["geography"]["gain"]["pearson_r"] = {"mean": None, "per_fold": [None] * 4, "n": 4}
    summary["nulls"] |= {"p_value": None, "z": None, "gain": {"pearson_r": None}}
    write_summary(run, summary)
    page = report(run)
    assert "smt has no defined score" in page.text
    assert "p is not defined" in page.text
    assert "nan" not in page.text.lower().split()
    places = [a.get(name) or "" for _, a in page.elements for name in ("x", "y", "cx", "cy", "d")]
    assert not any("nan" in place or "inf" in place for place in places)


@pytest.mark.parametrize("garbage", [None, b"", b"\xff\xfe\x00 not a table\n1\t2"])
def test_files_that_are_missing_or_broken_are_named(run: SweepPaths, garbage: bytes | None) -> None:
    parts = (
        run.trials,
        run.null_scores("smt"),
        run.measured("smt", 0, "schaefer100"),
        run.predicted("smt", 1, "schaefer100"),
    )
    for path in parts:
        path.unlink()
        if garbage is not None:
            path.write_bytes(garbage)
    page = report(run)
    assert "trials.parquet is missing or cannot be read" in page.text
    assert "scores.tsv of the nulls is missing or cannot be read" in page.text
    assert "Fold 0: " in page.text
    assert "Fold 1: " in page.text
    assert page.count("rect", "matrix") == 2 * 2


def test_connectomes_of_different_regions_are_not_compared(run: SweepPaths) -> None:
    write_relmat(run.measured("smt", 2, "schaefer100"), np.eye(25), make_labels(25)[::-1])
    assert "Fold 2: the two connectomes name different regions" in report(run).text


def test_connectomes_without_a_column_of_labels_are_read(run: SweepPaths) -> None:
    for path in (run.measured("smt", 0, "schaefer100"), run.predicted("smt", 0, "schaefer100")):
        table = pd.read_csv(path, sep="\t", index_col=0, keep_default_na=False)
        table.to_csv(path, sep="\t", index=False)
    page = report(run)
    assert page.count("rect", "matrix") == 2 * 4
    assert page.count("circle", "edge") == 4 * 25 * 24 // 2


def test_smallest_summary_gives_a_page(tmp_path: Path) -> None:
    paths = SweepPaths(tmp_path)
    write_summary(paths, {"model": "m", "dataset": "d", "folds": [{"fold": 0}], "test": {}})
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
    with pytest.raises(UserError, match=r"summary\.json .*finished") as caught:
        write_report(paths)
    assert "\n" not in str(caught.value)
    assert not paths.report.exists()


def test_page_of_a_large_brain_stays_small(tmp_path: Path) -> None:
    paths = make_run(tmp_path / "run", n_regions=120, n_configs=200, n_passes=120, n_nulls=1000)
    page = report(paths)
    assert paths.report.stat().st_size < 8_000_000
    assert page.count("circle", "edge") == 0
    counts = [a["data-tip"] or "" for _, a in page.elements if a.get("class") == "count"]
    assert sum(int(tip.split()[0]) for tip in counts) == 4 * 120 * 119 // 2
    assert "The best 160 of" in page.text


def test_the_same_files_give_the_same_page(run: SweepPaths) -> None:
    first = write_report(run).read_bytes()
    assert write_report(run).read_bytes() == first


def test_text_is_escaped_unless_it_was_made_as_markup() -> None:
    assert node("p", "a < b", Markup("<i>"), class_='"') == '<p class="&quot;">a &lt; b<i></p>'
    assert join(["&", Markup("&amp;")]) == "&amp;&amp;"
    assert node("input", checked=True, disabled=False, value=None) == "<input checked>"


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


def test_ticks_are_round_inside_and_printed_alike() -> None:
    marks = ticks(0.37, 0.56)
    np.testing.assert_allclose(marks, [0.4, 0.45, 0.5, 0.55])
    assert tick_texts(marks) == [".40", ".45", ".50", ".55"]
    assert tick_texts([-0.5, 0.0, 0.5]) == [f"{MINUS}.5", "0", ".5"]
    low, high = padded([0.0, 0.0], least=0.0)
    assert low < 0 < high


def test_colours_are_symmetric_in_lightness_and_zero_is_palest() -> None:
    lightness = colours() @ np.array([0.2126, 0.7152, 0.0722])
    assert np.argmax(lightness) == 127
    assert (np.diff(lightness[:128]) > 0).all()
    assert (np.diff(lightness[127:]) < 0).all()
    assert np.abs(lightness - lightness[::-1]).max() < 30


def test_heatmap_shows_values_as_colours() -> None:
    values = np.array([[np.nan, 0.0], [-1.0, 5.0]])
    index, palette, alpha = decode_png(heatmap_uri(values, 1.0))
    assert index.shape == (480, 480)
    assert alpha[index[0, 0]] == 0
    shown = [palette[index[row, column]] for row, column in ((0, -1), (-1, 0), (-1, -1))]
    np.testing.assert_allclose(shown, np.rint(colours()[[127, 0, 254]]))


def decode_png(uri: str) -> tuple[np.ndarray, np.ndarray, bytes]:
    """Read an unfiltered 8-bit palette PNG as its specification says, checking every CRC."""
    data = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        body = data[at + 4 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length]) == (zlib.crc32(body),)
        chunks[body[:4]] = body[4:]
        at += 12 + length
    width, height, *kind = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert kind == [8, 3, 0, 0, 0]
    pixels = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, width + 1)
    assert not pixels[:, 0].any()
    palette = np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)
    return pixels[:, 1:], palette, chunks[b"tRNS"]
