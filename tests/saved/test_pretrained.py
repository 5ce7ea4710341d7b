"""The models that come with gx2c: by name, small, and with the numbers that are written of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import gx2c
from gx2c.errors import UserError
from gx2c.metrics import score_edges
from gx2c.saved.pretrained import pretrained_folders
from sweeps.cli.pretrained import describe_pretrained

FOLDER = Path(__file__).parents[2] / "data/pretrained"
NAMES = ("geography+genes", "geography+smt", "smt", "smt_cls")
ROW = re.compile(r"^\| ([a-z_+]+) \| (\d+) \| ([.\d]+) \| ([.\d]+) \| ([.\d]+) \|$", re.MULTILINE)
WRITTEN = {name: numbers for name, *numbers in ROW.findall((FOLDER / "README.md").read_text())}


@pytest.fixture(scope="module")
def brain():
    return gx2c.load_dataset("schaefer100")


@pytest.mark.parametrize("name", NAMES)
def test_a_pretrained_model_reproduces_its_numbers(name, brain):
    model = gx2c.load_model(name)
    assert pretrained_folders()[name] == FOLDER / name
    assert sum(path.stat().st_size for path in (FOLDER / name).iterdir()) < 3e6
    about = model.about
    assert (about.model, about.fold, about.dataset.checksum) == (name, None, brain.checksum)
    assert about.training_regions == list(brain.labels)
    predicted = model.predict(brain)
    fit, other = (
        score_edges(predicted, measured)["pearson_r"]
        for measured in (brain.connectome, brain.holdout_connectome)
    )
    numbers = [f"{r:.3f}".lstrip("0") for r in (about.expected["pearson_r"], fit, other)]
    assert WRITTEN[name] == [str(model.n_members), *numbers]


def test_all_are_listed_and_another_name_is_refused(tmp_path, monkeypatch):
    assert tuple(row["name"] for row in describe_pretrained()) == NAMES == tuple(sorted(WRITTEN))
    with pytest.raises(UserError, match="no pretrained model 'smtt'.*choose from"):
        gx2c.load_model("smtt")
    # a folder of that name comes first
    monkeypatch.chdir(tmp_path)
    gx2c.models.Geography().fit(gx2c.make_synthetic_brain(n_regions=16, seed=1)).save("smt")
    assert gx2c.load_model("smt").name == "geography"
