"""Files that are no experiment of GeneEx2Conn, or ask for what has no meaning here, are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from gx2c.errors import UserError
from sweeps.cli import app as cli

REFUSED = {
    "an unknown option": ({"model_typ": "cge", "cv_type": "random"}, "did you mean 'model_type'"),
    "an unknown model": ({"model_type": "shared_transformers"}, "'shared_transformer'"),
    "a list of models": ({"model_type": ["cge"]}, r"no model \['cge'\]"),
    "the target as a feature": ({"feature_type": ["functional"]}, "leaks the target"),
    "no features": ({"feature_type": []}, "names no feature"),
    "the last eigenvectors": ({"feature_type": ["structural_spectral_L_-3"]}, "positive"),
    "a curve as target": ({"connectome_target": "FC_EXP_DECAY"}, "--target NAME"),
    "no public data": ({"dataset": "HCP", "parcellation": "S156"}, "--dataset"),
    "embeddings": ({"sort_genes": "geneformer_raw"}, "--embeddings FILE"),
    "a word for a number": ({"random_seed": "x"}, "no whole number"),
    "a word for a switch": ({"skip_cv": "false"}, "neither true nor false"),
    "half a search": ({"search_method": "random"}, "number of trials"),
    "no experiment": ({"gx2c": 1}, "holds no experiment"),
    "an unknown axis": ({"parameters": {"depth": {"values": [2]}}}, "varies no 'depth'"),
    "no seed": ({"random_seed": -1}, "experiment.yml: random_seed: --seeds: '-1' is no list"),
    "no trials": ({"n_cvs": 0}, "n_cvs: --samples is 0; give a whole number from 1"),
    "no such resolution": ({"cv_type": "community", "resolution": 10**400}, "it is too large"),
    "no number": ({"cv_type": "community", "resolution": float("nan")}, "--resolution is nan"),
    "no feature": ({"feature_type": ["structural_spectral_L_0"]}, "from 1 to 1000"),
    "a path of genes": ({"gene_list": "../x_var"}, "no list of genes"),
    "a word for a GPU": ({"use_gpu": "maybe"}, "neither true nor false"),
    "no values": ({"parameters": {"nhead": {"values": []}}, "name": "cge"}, "nhead is {'values'"),
    "two ways": ({"parameters": {"nhead": {"value": 2, "values": [4]}}}, "value, values, or min"),
    "a range upside down": ({"parameters": {"nhead": {"min": 4, "max": 2}}}, "from 4 to 2; give"),
    "a range of NaN": ({"parameters": {"nhead": {"min": float("nan"), "max": 2}}}, "from nan to 2"),
    "a mapping as value": ({"parameters": {"nhead": {"value": {"a": 1}}}}, "numbers, words or"),
    "no epochs": (
        {"parameters": {"epochs": {"values": [True]}}, "name": "dynamic_mlp"},
        "yml: epochs are",
    ),
    "epochs out of range": (
        {"parameters": {"epochs": {"value": 10**9}}, "name": "dynamic_mlp"},
        "yml: --max-epochs is",
    ),
    "no parameters": ({"parameters": [1]}, "parameters are no mapping"),
    "more than a search": ({"parameters": {}, "dataset": "HCP"}, "a search has no 'dataset'"),
    "a search of no model": ({"parameters": {}, "name": "cnn"}, "no model 'cnn'"),
    "a search of a list": ({"parameters": {}, "name": ["cge"]}, "did you mean 'cge'.*as name"),
    "several mistakes": ({"cv_type": "x", "gene_list": "y"}, "gene_list: .*cv_type: "),
}


@pytest.mark.parametrize(("file", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_has_no_meaning_here_is_refused(file, sentence, translated):
    with pytest.raises(UserError, match=sentence):
        translated(**file)


# each line repeats the one before it ten times
BOMB = "\n".join(["_0: &a0 x", *(f"_{n}: &a{n} [{f'*a{n - 1},' * 10}]" for n in range(1, 12))])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("!!python/object/apply:os.system ['touch executed']", "not YAML"),
        ("- a\n- b", "holds no experiment"),
        ("", "holds no experiment"),
        ("a: [", "not YAML"),
        ("cv_type: random\ncv_type: spatial", "line 2, column 1: 'cv_type' is given twice"),
        ("n_cvs: 3\n\tcv_type: random", "line 2, column 1: found character"),
        ("save_model: &a [*a]", "its aliases (*) repeat too much"),
        (BOMB, "its aliases (*) repeat too much"),
        (b"save_model: \xff", "byte 13 is not UTF-8 text"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_experiment_ends_in_a_sentence(
    text, sentence, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    if text is not None:
        Path("experiment.yml").write_bytes(text if isinstance(text, bytes) else text.encode())

    with pytest.raises(SystemExit) as stop:
        cli.main(["sweep", "--from-geneex2conn", "experiment.yml"])

    assert stop.value.code == 2
    assert sentence in " ".join(capsys.readouterr().err.split())
    assert not Path("executed").exists()
