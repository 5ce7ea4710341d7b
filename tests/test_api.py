"""`import gx2c` is light, lists what it has, and its objects fit on a screen."""

from __future__ import annotations

import inspect
import json
import pickle
import re
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from garbage import with_garbage

import gx2c
from gx2c.estimators import ESTIMATORS, Estimator
from gx2c.fit import ComputeProfile, NullDraw, retrain
from gx2c.metrics import METRICS
from gx2c.models import MODELS
from gx2c.models.spec import TRAIN_TEST_EDGES, ModelSpec

HEAVY = ("numpy", "pandas", "ray", "scipy", "sklearn", "torch")


def loaded_after(code: str) -> set[str]:
    """Run code in a new process; return which heavy packages it has loaded."""
    report = (
        f"{code}\nimport json, sys; print(json.dumps([m for m in {HEAVY} if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return set(json.loads(done.stdout))


def test_importing_loads_nothing_and_data_and_folds_load_no_torch() -> None:
    assert loaded_after("import gx2c") == set()
    light = loaded_after("import gx2c; gx2c.make_folds(gx2c.load_dataset('schaefer100'), seed=1)")
    assert "numpy" in light
    assert not light & {"ray", "sklearn", "torch"}


def test_the_docstring_lists_every_public_name() -> None:
    listed = set(re.findall(r"`(\w+)`", gx2c.__doc__ or ""))

    assert listed == set(gx2c.__all__) <= set(dir(gx2c))
    assert all(getattr(gx2c, name).__doc__ for name in gx2c.__all__)


def test_a_brain_prints_one_screen() -> None:
    brain = gx2c.load_dataset("schaefer100")
    many = replace(
        brain,
        network=tuple(f"network {k}" for k in range(brain.n_regions)),
        excluded=tuple(f"region {k}" for k in range(500)),
    )

    for shown in (brain, many):
        lines = repr(shown).splitlines()
        assert len(lines) <= 10 and max(map(len, lines)) <= 120
    for needed in (
        "'schaefer100'",
        "99 regions",
        "15,633 genes",
        "50 left, 49 right",
        "Default 24",
    ):
        assert needed in repr(brain)
    assert re.search("present .*sphere_coords", repr(brain))
    assert re.search("absent .*structural_connectome", repr(brain))


def test_regions_and_folds_print_their_sizes() -> None:
    brain = gx2c.load_dataset("schaefer100")
    fold = gx2c.make_folds(brain, seed=1)[0]

    assert repr(fold) == "Fold(75 training regions, 24 test regions, 3 inner folds)"
    assert repr(brain.regions(np.arange(5))) == "Regions(5 regions, 15,633 columns of expression)"


BLOCK = """
brain = gx2c.load_dataset("schaefer100")
folds = gx2c.make_folds(brain, split="bilateral", n_folds=4, seed=1)
model = gx2c.models.KernelRidge(ridge=1.0)
result = gx2c.cross_validate(model, brain, folds)
test = gx2c.null_test(model, brain, folds, surrogate="hungarian", n=99, seed=0)
gx2c.clone(model); model.get_params(); model.fit(brain, folds[0].train_regions)
model.predict(brain, regions=None)
"""
SMT = "gx2c.models.SMT(genes_per_token=20, model_dim=32, n_epochs=30)"


def run_block(text: str) -> dict[str, Any]:
    names: dict[str, Any] = {"gx2c": gx2c}
    exec(compile(text, "block", "exec"), names)
    return names


def test_the_block_runs_as_written() -> None:
    found = run_block(BLOCK)
    result, test = found["result"], found["test"]

    assert list(result.scores.columns) == list(METRICS) and len(result.scores) == 4
    assert result.mean == dict(result.scores.mean())
    assert [p.shape for p in result.predictions] == [(24, 24)] * 3 + [(27, 27)]
    assert test.nulls.shape == (99,)
    assert test.p_value == (np.count_nonzero(test.nulls >= test.gain) + 1) / 100
    geography = gx2c.cross_validate(gx2c.models.Geography(), found["brain"], found["folds"])
    assert test.gain == result.mean["pearson_r"] - geography.mean["pearson_r"]
    assert max(len(repr(one)) for one in (result, test)) < 250


@pytest.mark.slow
def test_the_block_runs_with_a_network() -> None:
    """As written, but for the genes (200), epochs (8) and the null test (1 null, 1 fold)."""
    smt = SMT.replace("n_epochs=30", 'n_epochs=8, genes="200_var"')
    text = BLOCK.replace("gx2c.models.KernelRidge(ridge=1.0)", smt)
    found = run_block(text.replace("folds, surrogate", "folds[:1], surrogate").replace("=99", "=1"))

    assert found["result"].mean["pearson_r"] > 0.2
    assert found["test"].nulls.shape == (1,)


@pytest.fixture(scope="module")
def brain() -> gx2c.Brain:
    """Return a brain whose connectome is a function of its genes alone."""
    weights = {"expression_weight": 1.0, "geography_weight": 0.0, "noise_weight": 0.2}
    return gx2c.make_synthetic_brain(
        n_regions=48, n_genes=30, n_latents=3, symmetric=False, seed=0, **weights
    )


@pytest.fixture(scope="module")
def folds(brain: gx2c.Brain) -> tuple[gx2c.Fold, ...]:
    return gx2c.make_folds(brain, n_folds=3, seed=1)


def small(spec: ModelSpec) -> Estimator:
    """Return a model's estimator with what is quick to fit in place of slow defaults."""
    quick = {"n_epochs": 1, "genes": "8_var", "n_trees": 5}
    known = inspect.signature(ESTIMATORS[spec.class_name]).parameters
    return ESTIMATORS[spec.class_name](**{k: v for k, v in quick.items() if k in known})


@pytest.mark.parametrize("spec", MODELS.values(), ids=MODELS)
def test_every_model_is_an_estimator(spec: ModelSpec) -> None:
    """The signature has the declaration's keywords and defaults; clones are equal and unfitted."""
    one = getattr(gx2c.models, spec.class_name)
    parameters = inspect.signature(one).parameters
    defaults = {name: p.default for name, p in parameters.items()}

    assert {p.kind for p in parameters.values()} <= {inspect.Parameter.KEYWORD_ONLY}
    assert spec.defaults.items() <= defaults.items() and one().get_params() == defaults
    assert all(re.search(rf"^(.*, )?{name}(,.*)?$", one.__doc__, re.M) for name in parameters)
    assert one.__name__ in dir(gx2c.models) and pickle.loads(pickle.dumps(one)) is one
    changed = one().set_params(profile=ComputeProfile(threads=2))
    again = gx2c.clone(changed)
    assert again is not changed and again.get_params() == changed.get_params()


@pytest.mark.parametrize("spec", MODELS.values(), ids=MODELS)
def test_every_model_fits_and_predicts(
    spec: ModelSpec, brain: gx2c.Brain, folds: tuple[gx2c.Fold, ...]
) -> None:
    if spec.reads_gene_vectors:
        vectors = np.random.default_rng(0).normal(size=(brain.n_genes, 4))
        brain = replace(brain, gene_vectors=vectors)
    model = small(spec)
    if TRAIN_TEST_EDGES in spec.uses:
        with pytest.raises(gx2c.UserError, match="cross_validate"):
            model.fit(brain, folds[0].train_regions)
        result = gx2c.cross_validate(model, brain, folds[:1])
        assert np.isfinite(result.predictions[0]).all()
        return
    predicted = model.fit(brain, folds[0].train_regions).predict(brain)

    assert predicted.shape == (brain.n_regions,) * 2 and np.isfinite(predicted).all()
    again = pickle.loads(pickle.dumps(model)).predict(brain)
    np.testing.assert_array_equal(again, predicted)
    hyperparameters = model.config(brain).hyperparameters
    assert hyperparameters == {name: getattr(model, name) for name in spec.defaults}


def test_a_list_of_layers_is_the_same_as_a_tuple(
    brain: gx2c.Brain, folds: tuple[gx2c.Fold, ...]
) -> None:
    predicted = [
        gx2c.models.MLP(hidden_dims=dims, n_epochs=1)
        .fit(brain, folds[0].train_regions)
        .predict(brain)
        for dims in ([8, 4], (8, 4))
    ]
    np.testing.assert_array_equal(*predicted)


@pytest.mark.parametrize("name", ["smt", "kernel_ridge", "cge"])
def test_a_fit_is_what_a_sweep_retrains(
    name: str, brain: gx2c.Brain, folds: tuple[gx2c.Fold, ...]
) -> None:
    model, fold = small(MODELS[name]), folds[0]
    (retrained,) = retrain(
        model.config(brain),
        [brain],
        fold,
        learning_rates=model.learning_rates(),
        seeds=[3],
        profile=ComputeProfile(),
    )
    fitted = model.fit(brain, fold.train_regions, seed=3)

    predicted = fitted.predict(brain, fold.test_regions)
    np.testing.assert_array_equal(predicted, retrained.predicted)
    scored = gx2c.cross_validate(model, brain, folds[:1], seed=3).scores.iloc[0]
    if not MODELS[name].trains_in_epochs:
        assert dict(scored) == retrained.scores


LEARNERS = (
    gx2c.models.KernelRidge(),
    gx2c.models.BilinearCM(inputs="expression-pca:5+coordinates", target="geography-residual"),
    gx2c.models.MLP(hidden_dims=(16,), genes="12_var", gene_order="expression", n_epochs=5),
)


@pytest.mark.parametrize("model", LEARNERS, ids=lambda model: type(model).__name__)
def test_no_test_region_reaches_a_fit(
    model: Estimator, brain: gx2c.Brain, folds: tuple[gx2c.Fold, ...]
) -> None:
    train, test = folds[0].train_regions, folds[0].test_regions
    structure = np.abs(brain.connectome) - np.diag(np.diag(np.abs(brain.connectome)))
    brain = replace(brain, structural_connectome=np.clip(structure, 0, 1))

    def predicted(seen: gx2c.Brain) -> np.ndarray:
        return gx2c.clone(model).fit(seen, train).predict(brain, test)

    np.testing.assert_array_equal(predicted(with_garbage(brain, test)), predicted(brain))
    assert not np.allclose(predicted(with_garbage(brain, train)), predicted(brain))


def test_a_planted_gain_is_found_and_a_broken_one_is_not(
    brain: gx2c.Brain, folds: tuple[gx2c.Fold, ...]
) -> None:
    model = gx2c.models.MLP(hidden_dims=(32,), n_epochs=30, learning_rate=3e-3, genes="all")
    order = np.random.default_rng(1).permutation(brain.n_regions)
    broken = replace(brain, expression=brain.expression[order])

    found = gx2c.null_test(model, brain, folds, surrogate="random", n=9, seed=0)
    lost = gx2c.null_test(model, broken, folds, surrogate="random", n=9, seed=0)

    assert found.p_value == 0.1 and found.gain > 0.4 > found.nulls.max() + 0.2
    assert lost.p_value > 0.1 and abs(lost.gain) < 0.4


def test_nulls_depend_on_the_seed_alone(brain: gx2c.Brain, folds: tuple[gx2c.Fold, ...]) -> None:
    model = gx2c.models.MLP(hidden_dims=(8,), n_epochs=2, genes="all")

    def nulls(seed: int, n: int = 3) -> np.ndarray:
        return gx2c.null_test(model, brain, folds[:1], surrogate="random", n=n, seed=seed).nulls

    first = nulls(0)
    np.testing.assert_array_equal(nulls(0), first)
    np.testing.assert_allclose(nulls(0, n=2), first[:2], atol=1e-6)
    assert not np.allclose(nulls(1), first)


def test_predictions_follow_the_order_of_the_regions(brain: gx2c.Brain) -> None:
    model = gx2c.models.KernelRidge().fit(brain, np.arange(0, 48, 2))

    whole = model.predict(brain)
    np.testing.assert_allclose(model.predict(brain, [5, 1, 3]), whole[np.ix_([5, 1, 3], [5, 1, 3])])
    assert model.regions_.tolist() == list(range(0, 48, 2))


@pytest.mark.slow
def test_nulls_do_not_depend_on_the_number_of_processes(
    brain: gx2c.Brain, folds: tuple[gx2c.Fold, ...]
) -> None:
    model = gx2c.models.MLP(hidden_dims=(8,), n_epochs=2, genes="all")
    alone, shared = (gx2c.null_test(model, brain, folds, n=3, n_jobs=k) for k in (1, 2))

    np.testing.assert_array_equal(alone.nulls, shared.nulls)


def test_kernels_and_whole_brains_give_the_same_nulls(
    brain: gx2c.Brain, folds: tuple[gx2c.Fold, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = gx2c.models.GeographyGenes()
    fast = gx2c.null_test(model, brain, folds, n=3)
    monkeypatch.setattr(NullDraw, "kernel_scores", lambda *_: None)

    slow = gx2c.null_test(model, brain, folds, n=3)

    np.testing.assert_allclose(fast.nulls, slow.nulls, atol=1e-8)
    assert fast.gain == slow.gain


def without_genes(brain: gx2c.Brain) -> gx2c.Brain:
    return replace(brain, genes=(), expression=brain.expression[:, :0], tss=None)


MISTAKES = {
    "no parameter 'n_epoch'": lambda m, b, f: m.SMT(n_epoch=3),
    "has no Kernel; its models are .* KernelRidge": lambda m, b, f: m.Kernel,
    "not fitted yet": lambda m, b, f: m.Geography().predict(b),
    "no region 48; indices go from 0 to 47": lambda m, b, f: m.Geography().fit(b, [0, 1, 2, 48]),
    "give at least 4, each once": lambda m, b, f: m.Geography().fit(b, [0, 1, 2, 2]),
    "give a list of indices": lambda m, b, f: m.Geography().fit(b, [0.5]),
    "a Brain is needed, not a str": lambda m, b, f: m.Geography().fit("schaefer100"),
    "is no estimator": lambda m, b, f: gx2c.cross_validate("smt", b, f),
    "folds are needed": lambda m, b, f: gx2c.cross_validate(m.Geography(), b, f[0]),
    "seed is -1": lambda m, b, f: gx2c.cross_validate(m.Geography(), b, f, seed=-1),
    "no surrogate named 'spin'": lambda m, b, f: gx2c.null_test(m.CGE(), b, f, surrogate="spin"),
    "n is 0": lambda m, b, f: gx2c.null_test(m.CGE(), b, f, n=0),
    r"Geography\(\) reads no expression": lambda m, b, f: gx2c.null_test(m.Geography(), b, f),
    "'plateau' follows validation": lambda m, b, f: m.MLP(schedule="plateau").fit(b),
    "schedule 'x'; choose from": lambda m, b, f: m.MLP(schedule="x").fit(b),
    "epochs is 0": lambda m, b, f: m.MLP(n_epochs=0, genes="all").fit(b),
    "ridge": lambda m, b, f: m.KernelRidge(ridge=-1).fit(b),
    "has no gene expression": lambda m, b, f: m.CGE().fit(without_genes(b)),
    "other genes": lambda m, b, f: m.CGE().fit(b).predict(replace(b, genes=b.genes[::-1])),
}


@pytest.mark.parametrize("sentence", MISTAKES)
def test_mistakes_get_one_sentence(
    sentence: str, brain: gx2c.Brain, folds: tuple[gx2c.Fold, ...]
) -> None:
    with pytest.raises((gx2c.UserError, AttributeError), match=sentence) as caught:
        MISTAKES[sentence](gx2c.models, brain, folds)

    assert "\n" not in str(caught.value)
