from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from gx2c.errors import UserError
from gx2c.models import MODELS
from sweeps.cli.app import main
from sweeps.cli.models import describe_models, print_models


@pytest.fixture(scope="module")
def rows():
    return {row["name"]: row for row in describe_models("schaefer100")}


def test_every_model_is_a_row_with_all_facts(rows):
    assert list(rows) == list(MODELS)
    for name, row in rows.items():
        assert row["uses"] == list(MODELS[name].uses)
        assert row["parameters"] >= 0
        assert row["reference"] and row["summary"]


def test_parameters_are_counted_for_the_dataset(rows):
    assert rows["bilinear_cm"]["parameters"] == 15_633**2 + 1
    published = {row["name"]: row for row in describe_models()}
    assert published["smt"]["parameters"] == 2_162_315
    assert published["bilinear_cm"]["parameters"] == 54_464_401


def test_dimensions_hold_what_only_some_configs_have(rows):
    kernel = rows["kernel_ridge"]["dimensions"]
    assert {"expression_power", "expression_scale", "coordinate_scale", "gene_weight"} <= set(
        kernel
    )
    assert rows["exponential_decay"]["dimensions"] == {}
    assert rows["cge"]["dimensions"]["features"] == ["raw", "z_scored", "pca"]


def test_a_cap_is_shown(rows):
    assert rows["bilinear_cm_pca"]["dimensions"]["n_components"]["high"] == 55
    (note,) = rows["bilinear_cm_pca"]["caps"]
    assert "at most 55, not 64" in note


def test_the_published_two_step_pls_is_marked(rows):
    marked = [name for name, row in rows.items() if row["label"]]
    assert marked == ["pls_twostep_published"]
    assert rows[marked[0]]["label"] == "uses train x test edges"


def test_the_table_shows_every_model(rows):
    console = Console(width=250, force_terminal=True, record=True, file=io.StringIO())
    print_models(list(rows.values()), console)
    text = console.export_text()
    assert all(name in text for name in MODELS)
    assert "244,390,690" in text and "train x test edges" in text


def test_one_after_geography_is_described_as_itself_and_named_below_the_table(rows):
    (one,) = describe_models("schaefer100", name="geography+smt")
    for fact in ("parameters", "dimensions", "uses", "kind"):
        assert one[fact] == rows["smt"][fact]
    assert "geography plus smt" in one["summary"]
    console = Console(width=250, force_terminal=True, record=True, file=io.StringIO())
    print_models(list(rows.values()), console)
    assert "geography+MODEL" in console.export_text()


def test_json_is_a_list_of_objects_with_names(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["models", "--json"])
    assert ended.value.code == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == list(MODELS)


def test_an_unknown_dataset_is_refused():
    with pytest.raises(UserError, match="nowhere"):
        describe_models("nowhere")
