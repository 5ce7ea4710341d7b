"""`gx2c data ahba`: abagen's numbers, what each region draws on, and the way to a dataset."""

from __future__ import annotations

import ast
import gzip
import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from donors import DATA, DONORS, write_donors

from gx2c.data import check_dataset, describe_dataset, load_dataset, resolve_genes
from gx2c.data.checks import FILLED, MIRRORED
from gx2c.errors import UserError
from gx2c.importing.ahba.atlas import read_atlas
from gx2c.importing.ahba.make import AhbaRequest, make_expression
from gx2c.importing.ahba.options import ABAGEN_OPTIONS, NOT_OPTIONS
from gx2c.importing.ahba.options import DONORS as KNOWN_DONORS
from gx2c.importing.labels import make_names
from gx2c.importing.regions import empty_table
from sweeps.cli.app import main

REFERENCES = json.loads((Path(__file__).parent / "data/ahba_references.json").read_text())
QUICK = {"default", "max_intensity", "samples", "rnaseq", "reannotated"}
# In the process alone: every variant in turn, as the references were made
VARIANTS = """
import json, sys
from gx2c.importing.ahba.compatibility import import_abagen
abagen = import_abagen()
abagen.probes_.resource_filename = lambda *_: sys.argv[3] + "/reannotated.csv.gz"
for name, options in json.loads(sys.argv[1]).items():
    expression, counts = abagen.get_expression_data(
        sys.argv[2] + "/atlas-desikankilliany.nii.gz", sys.argv[2] + "/atlas-desikankilliany.csv",
        data_dir=sys.argv[3], return_counts=True, **options)
    print(json.dumps([name, list(expression.columns), expression.to_numpy(float).tolist(),
                      counts.to_numpy().sum(axis=1).tolist()]))
"""
BASE = {"donors": ",".join(DONORS), "reannotated": False}
ATLAS = "desikankilliany"


@pytest.fixture(scope="module")
def donors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_donors(tmp_path_factory.mktemp("donors"))


def made(donors: Path, out: Path, **options: object) -> Path:
    request = AhbaRequest(ATLAS, {**BASE, **options}, donors_dir=str(donors))
    return make_expression(request, out).folder


def regions_of(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "regions.tsv", sep="\t", index_col="label", keep_default_na=False)


@pytest.mark.parametrize(
    "names", [QUICK, pytest.param(set(REFERENCES) - QUICK, marks=pytest.mark.slow)]
)
def test_abagen_gives_the_numbers_of_the_versions_it_was_written_for(
    donors: Path, names: set[str]
) -> None:
    options = json.dumps({name: REFERENCES[name]["options"] for name in sorted(names)})
    command = [sys.executable, "-W", "ignore", "-c", VARIANTS, options, str(DATA), str(donors)]
    environment = {**os.environ, "ABAGEN_DATA": str(donors)}
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=300, env=environment
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == sorted(names)
    for name, genes, values, counts in lines:
        true, table = REFERENCES[name], np.array(values)
        assert (genes, counts) == (true["genes"], true["n_samples"]), name
        assert np.flatnonzero(np.isnan(table).all(axis=1)).tolist() == true["empty"], name
        for axis, key in ((1, "of_regions"), (0, "of_genes")):
            np.testing.assert_allclose(np.nansum(table, axis), true[key], atol=1e-9, err_msg=name)


def test_the_command_leads_into_the_importer(
    donors: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, brain_dir = tmp_path / "ahba", tmp_path / "brain"
    options = ["--atlas", ATLAS, "--donors-dir", str(donors), "--donors", BASE["donors"]]
    options += ["--no-reannotated", "--missing", "centroids", "--out", str(out)]
    with pytest.raises(SystemExit) as ended:
        main(["data", "ahba", *options])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert "donor 12876: 90 of 90 samples lie in 29 regions" in told
    steps = [
        told.index(f"donor {donor}: {step}") for step in ("reading", "90 of") for donor in DONORS
    ]
    assert steps == sorted(steps)
    assert "83 regions: 62 samples, 21 filled" in told
    # the values of abagen, and of each donor, and before normalisation
    values = pd.read_parquet(out / "expression.parquet")
    true = REFERENCES["centroids"]
    np.testing.assert_allclose(values.sum(axis=1), true["of_regions"], atol=1e-9)
    apart = [pd.read_parquet(out / f"donors/expression_donor{d}.parquet") for d in DONORS]
    np.testing.assert_allclose(np.nanmean(apart, axis=0), values, atol=1e-9)
    raw = pd.read_parquet(out / "donors/samples_before_normalisation.parquet")
    assert (len(raw), raw[list(values)].to_numpy().min() > 3) == (270, True)
    per_region = pd.read_csv(out / "samples_per_region.tsv", sep="\t", index_col=0)
    assert per_region.sum(axis=1).tolist() == true["n_samples"]
    assert raw.region.value_counts().to_dict() == {
        label: n for label, n in per_region.sum(axis=1).items() if n
    }
    assert "abagen toolbox (version 0.1.3" in (out / "methods.txt").read_text()
    digest = hashlib.sha256((DATA / "atlas-desikankilliany.nii.gz").read_bytes()).hexdigest()
    assert f"atlas_sha256: {digest}" in (out / "ahba.yaml").read_text()
    # nothing of this reached the pandas of this process
    assert not hasattr(pd.DataFrame, "append") and "abagen" not in sys.modules

    matrix = np.corrcoef(np.random.default_rng(0).normal(size=(83, 200)))
    names = list(regions_of(out).index[::-1])
    pd.DataFrame(matrix, names, names).to_csv(tmp_path / "fc.csv")
    with pytest.raises(SystemExit) as ended:
        main(["data", "import", str(tmp_path / "fc.csv"), str(out), "--out", str(brain_dir)])
    assert ended.value.code == 0
    assert "expression of 21 regions is filled" in capsys.readouterr().out
    assert check_dataset(brain_dir) == []
    brain = load_dataset(brain_dir)
    assert describe_dataset(brain_dir)["expression_from"] == {FILLED: 21, "samples": 62}
    assert brain.labels == tuple(names) and brain.expression_from is not None
    np.testing.assert_array_equal(brain.expression, values.loc[names, list(brain.genes)])
    assert set(brain.structure or ()) == {"cortex", "subcortex", "brainstem"} - {"brainstem"}
    shared = regions_of(out).shares_samples_with.to_dict()
    for i, label in enumerate(names):
        others = {names[j] for j in np.flatnonzero(brain.shared_samples[i])}
        assert others == set(shared[label].split("|")) - {"n/a"}
        assert (brain.expression_from[i] == FILLED) == (per_region.loc[label].sum() == 0)
    # the mean correlation of ranks over pairs of donors, in regions that both sampled
    ranks = [table[per_region[d] > 0].rank() for d, table in zip(DONORS, apart, strict=True)]
    pairs = [one.corrwith(other) for one, other in combinations(ranks, 2)]
    stability = pd.read_csv(out / "stability.tsv", sep="\t", index_col=0).stability
    np.testing.assert_allclose(stability, np.mean(pairs, axis=0), atol=1e-6)
    np.testing.assert_array_equal(brain.stability, stability.loc[list(brain.genes)])
    chosen = resolve_genes("stable:0.5", brain.genes, brain.stability)
    assert chosen == tuple(sorted(stability.index[stability > 0.5]))
    for choice in ("stable:0.999", "stable:most"):
        with pytest.raises(UserError, match=r"highest is 0\.|such as stable:0\.2"):
            resolve_genes(choice, brain.genes, brain.stability)
    with pytest.raises(UserError, match="gx2c data ahba makes it"):
        resolve_genes("stable:0.2", brain.genes)


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["centroids", "interpolate"])
def test_other_regions_change_with_a_regions_samples_exactly_where_they_are_recorded_to_share(
    tmp_path: Path, missing: str
) -> None:
    donors = write_donors(tmp_path / "donors")
    options = {
        "missing": missing,
        "lr_mirror": "bidirectional" if missing == "centroids" else "none",
        "sample_norm": "none",
        "gene_norm": "none",
        "probe_selection": "average",
    }
    before = made(donors, tmp_path / "before", **options)
    again = made(donors, tmp_path / "again", **options)
    for path in sorted(p for p in before.rglob("*") if p.is_file()):
        assert path.read_bytes() == (again / path.relative_to(before)).read_bytes(), path
    table = regions_of(before)
    shares = {r: set(c.split("|")) - {"n/a"} for r, c in table.shares_samples_with.items()}
    raw = pd.read_parquet(before / "donors/samples_before_normalisation.parquet")
    sources = table.expression_from
    kind = FILLED if missing == "centroids" else "partly filled"
    region = next(
        r
        for r in shares
        if sources[r] in ("samples", MIRRORED) and any(sources[s] == kind for s in shares[r])
    )
    wells = set(raw.well_id[raw.region == region])
    for donor in DONORS:
        folder = donors / "microarray" / f"normalized_microarray_donor{donor}"
        places = pd.read_csv(folder / "SampleAnnot.csv").well_id.isin(wells)
        levels = pd.read_csv(folder / "MicroarrayExpression.csv", header=None, index_col=0)
        levels.iloc[:, np.flatnonzero(places)] += 5
        levels.to_csv(folder / "MicroarrayExpression.csv", header=False)
    after = made(donors, tmp_path / "after", **options)
    one, other = (pd.read_parquet(f / "expression.parquet") for f in (before, after))
    changed = set(one.index[(one - other).abs().max(axis=1) > 1e-9])
    assert changed == {region} | shares[region] and len(changed) > 1
    if missing == "centroids":
        assert (sources == MIRRORED).sum() > 40


def test_an_atlas_by_name_matches_samples_by_side_in_cortex(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = pd.read_csv(DATA / "atlas-desikankilliany.csv")
    labels = [f"{side}H_{name}" for side, name in zip(info.hemisphere, info.label, strict=True)]
    table = replace(empty_table(make_names("atlas", [labels])), ids=tuple(map(str, info.id)))
    found = (DATA / "atlas-desikankilliany.nii.gz", table)
    monkeypatch.setattr("gx2c.importing.ahba.atlas.fetch_atlas", lambda name: found)
    atlas = read_atlas("schaefer100", "", ())
    assert atlas.labels == tuple(labels) and atlas.ids == tuple(info.id)
    assert atlas.rows()[40] == {
        "id": 41, "label": labels[40], "hemisphere": info.hemisphere[40], "structure": "cortex"
    }  # fmt: skip
    # without a table numbers are the labels, and abagen is told no sides
    bare = read_atlas(str(DATA / "atlas-desikankilliany.nii.gz"), "", ())
    assert bare.labels == tuple(map(str, info.id)) and not bare.matched
    assert "their numbers do" in bare.notes[0]
    with pytest.raises(UserError, match="there is no atlas"):
        read_atlas(str(tmp_path / "none.nii.gz"), "", ())


@pytest.mark.slow
def test_labels_of_vertices_are_an_atlas_too(donors: Path, tmp_path: Path) -> None:
    folder = tmp_path / "labels"
    folder.mkdir()
    for side in ("lh", "rh"):
        packed = (DATA / f"atlas-desikankilliany-{side}.label.gii.gz").read_bytes()
        (folder / f"{side}.label.gii").write_bytes(gzip.decompress(packed))
    request = AhbaRequest(str(folder), BASE, donors_dir=str(donors))
    table = regions_of(make_expression(request, tmp_path / "ahba").folder)
    assert len(table) == 68 and set(table.structure) == {"cortex"}
    left = table.hemisphere == "L"
    assert (table.x_mni_mm[left] < 0).all() and (table.x_mni_mm[~left] > 0).all()
    assert (table.expression_from == "samples").sum() > 30


def test_the_options_are_those_of_abagen() -> None:
    tree = ast.parse((DATA.parent / "allen.py").read_text())
    own = next(node for node in tree.body if getattr(node, "name", "") == "get_expression_data")
    names = [argument.arg for argument in [*own.args.args, *own.args.kwonlyargs]]
    assert set(names) == {*ABAGEN_OPTIONS, *NOT_OPTIONS}
    for argument, default in zip(own.args.kwonlyargs, own.args.kw_defaults, strict=True):
        if argument.arg in ABAGEN_OPTIONS and default is not None:
            assert ABAGEN_OPTIONS[argument.arg].default == ast.literal_eval(default), argument.arg
    source = (DATA.parent / "datasets/fetchers.py").read_text()
    for donor, (name, archive) in KNOWN_DONORS.items():
        assert f"('{donor}', '{name}', '{archive}'" in source


def test_missing_donors_are_named_with_size_and_source(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        make_expression(AhbaRequest(ATLAS, donors_dir=str(tmp_path)), tmp_path / "out")
    said = str(caught.value)
    assert "30 files of the donors 9861, 10021, 12876, 14380, 15496, 15697 are missing in" in said
    assert "normalized_microarray_donor9861/MicroarrayExpression.csv" in said
    assert "its 6 archives" in said or "their 6 archives" in said
    for part in ("--download", "178238387", "about 4.2 GB", str(tmp_path), "--donors-dir"):
        assert part in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"missing": "centroid"}, "did you mean.*centroids"),
        ({"ibf_threshold": 2.0}, "--ibf-threshold is 2"),
        ({"donors": "9861,1234"}, "no donor '1234'"),
        ({"donors": "9861"}, "two donors or more"),
        ({"sample_normalisation": "rs"}, "no option"),
    ],
)
def test_an_option_that_cannot_be_is_refused_before_anything_starts(
    tmp_path: Path, options: dict[str, object], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        make_expression(AhbaRequest(ATLAS, options, donors_dir=str(tmp_path)), tmp_path / "out")


def test_a_broken_file_of_a_donor_is_one_sentence(tmp_path: Path) -> None:
    donors = write_donors(tmp_path / "donors")
    (donors / "microarray/normalized_microarray_donor10021/PACall.csv").write_text("")
    with pytest.raises(UserError, match=r"abagen stopped \(.*PACall\.csv.*check the atlas"):
        made(donors, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["donors"]


@pytest.mark.slow
@pytest.mark.skipif("ABAGEN_DATA" not in os.environ, reason="needs the donors of the Allen atlas")
def test_real_donors_give_the_genes_of_the_bundled_dataset(tmp_path: Path) -> None:
    out = make_expression(AhbaRequest(ATLAS), tmp_path / "ahba").folder
    values, bundled = pd.read_parquet(out / "expression.parquet"), load_dataset("schaefer100")
    # probes are chosen over all samples, whatever the atlas
    assert len(set(values) & set(bundled.genes)) > 15_600
    empty = set(values.index[values.isna().all(axis=1)])
    assert empty <= {"R_frontalpole", "R_temporalpole"}
    assert values.min().min() >= 0 and values.max().max() <= 1
    stability = pd.read_csv(out / "stability.tsv", sep="\t", index_col=0).stability
    assert 0.1 < stability.median() < 0.6
