"""The page shows what saved models look at, and nothing else that lies there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from report_additions import with_explained
from report_fixtures import make_run, read_summary, write_summary
from report_pages import report

from gx2c.errors import UserError
from sweeps.folder.regions import refuse_unlisted
from sweeps.report.build import write_report
from sweeps.report.catalogue import figures_of
from sweeps.report.explained import read_explained
from sweeps.report.reading import read_run
from sweeps.report.table_files import write_tables


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
