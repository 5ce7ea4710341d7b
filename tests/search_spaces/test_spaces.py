"""Every search space, through the same tests."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import optuna
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution

from gx2c.data.brain import Regions
from gx2c.errors import UserError
from gx2c.fit.config import FitConfig, GeneOptions
from gx2c.models import MODELS
from gx2c.models.spec import TRAIN_TEST_EDGES
from search_spaces import SEARCH_SPACES, Scale, SearchSpace, get_search_space, suggest_config

NAMES = sorted(SEARCH_SPACES)
GENES = GeneOptions(which="500_var", order="expression", seed=3)
SCALES = {
    "paper": Scale(small=False, n_genes=7380, n_train_regions=228, max_epochs=110, patience=50),
    "embedded": Scale(small=False, n_genes=15633, n_train_regions=48, max_epochs=60, patience=20),
    "quick": Scale(small=True, n_genes=500, n_train_regions=48, max_epochs=12, patience=5),
}

scales = st.builds(
    Scale,
    small=st.booleans(),
    n_genes=st.integers(1, 300),
    n_train_regions=st.integers(2, 300),
    max_epochs=st.integers(1, 200),
    patience=st.integers(1, 50),
)


class DrawnTrial:
    """Answers with values that hypothesis draws, the ends of ranges among them."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        self.names: list[str] = []

    def suggest_float(self, name, low, high, *, log=False):
        self.names.append(name)
        assert low < high and (low > 0 or not log)
        return self.data.draw(st.floats(low, high), label=name)

    def suggest_int(self, name, low, high, *, log=False):
        self.names.append(name)
        assert low < high and (low > 0 or not log)
        return self.data.draw(st.integers(low, high), label=name)

    def suggest_categorical(self, name, choices: Sequence):
        self.names.append(name)
        assert len(choices) == len(set(choices)) > 1, "one choice is no choice"
        assert all(isinstance(choice, bool | int | float | str) for choice in choices)
        return self.data.draw(st.sampled_from(choices), label=name)


def build(config: FitConfig, *, n_genes: int):
    spec = MODELS[config.model]
    if not spec.trains_in_epochs:
        return spec.build(**config.hyperparameters)
    return spec.build(n_genes, **config.hyperparameters)


def ask(space: SearchSpace, study: optuna.Study, scale: Scale) -> tuple[optuna.Trial, FitConfig]:
    trial = study.ask()
    return trial, suggest_config(space, trial, scale, GENES)


def replay(space: SearchSpace, params: dict, scale: Scale) -> FitConfig:
    return suggest_config(space, optuna.trial.FixedTrial(params), scale, GENES)


def random_study(seed: int) -> optuna.Study:
    return optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))


def test_every_model_has_a_space_and_every_space_a_model():
    assert set(SEARCH_SPACES) == set(MODELS)


def test_unknown_model_is_refused_with_the_names_there_are():
    with pytest.raises(UserError, match=r"'smtt'; did you mean 'smt' or 'smt_ae'"):
        get_search_space("smtt")


def test_one_training_region_is_refused():
    with pytest.raises(UserError, match="needs at least"):
        Scale(small=True, max_epochs=1, patience=1, n_genes=5, n_train_regions=1)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(data=st.data(), scale=scales)
def test_every_config_is_valid_and_builds_its_model(name, data, scale):
    trial = DrawnTrial(data)
    config = suggest_config(get_search_space(name), trial, scale, GENES)
    assert len(trial.names) == len(set(trial.names)), "asked twice for one name"
    assert (config.model, config.genes) == (name, GENES)
    assert FitConfig.from_dict(config.to_dict()) == config
    build(config, n_genes=scale.n_genes)
    if MODELS[name].trains_in_epochs:
        training = config.training
        assert training.block_regions <= scale.n_train_regions
        assert (training.max_epochs, training.patience) == (scale.max_epochs, scale.patience)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=10)
@given(scale=scales)
def test_defaults_are_accepted_unchanged_at_every_scale(name, scale):
    space = get_search_space(name)
    defaults = space.defaults(scale)
    study = random_study(0)
    study.enqueue_trial(defaults)
    trial, config = ask(space, study, scale)
    assert trial.params == defaults
    assert config == replay(space, defaults, scale)


def other_value(value, distribution):
    """Return another value of a distribution."""
    if isinstance(distribution, CategoricalDistribution):
        return next(choice for choice in distribution.choices if choice != value)
    return distribution.low if value != distribution.low else distribution.high


def changed_configs(space: SearchSpace, scale: Scale, *, n_trials: int):
    """Yield (name, config, config with another value of that name) over random trials."""
    study = random_study(1)
    for _ in range(n_trials):
        trial, config = ask(space, study, scale)
        for name, distribution in trial.distributions.items():
            changed = trial.params | {name: other_value(trial.params[name], distribution)}
            # what the change brings into play is answered by a trial's own sampling
            study.enqueue_trial(changed)
            yield name, config, ask(space, study, scale)[1]


@pytest.mark.parametrize("name", NAMES)
def test_no_parameter_is_void(name):
    space = get_search_space(name)
    for scale in SCALES.values():
        for parameter, config, changed in changed_configs(space, scale, n_trials=8):
            assert changed != config, parameter


def small_brain() -> tuple[Regions, np.ndarray]:
    rng = np.random.default_rng(7)
    hemisphere = np.repeat([0, 1], 12)
    coords_mm = rng.uniform(10, 60, (24, 3)) * np.where(hemisphere == 0, -1, 1)[:, None] ** [
        1,
        0,
        0,
    ]
    expression = rng.normal(size=(24, 9)) * np.linspace(0.5, 2, 9) + coords_mm[:, :1] / 30
    connectome = np.tanh(expression @ expression.T / 20 + rng.normal(size=(24, 24)) / 10)
    return Regions(expression, coords_mm, hemisphere), (connectome + connectome.T) / 2


# of trees too small to split, no setting changes anything
CLOSED_FORMS = sorted(
    name for name, spec in MODELS.items() if not spec.trains_in_epochs and name != "xgboost"
)


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_every_parameter_changes_what_a_closed_form_model_predicts(name):
    regions, connectome = small_brain()

    def predict(config: FitConfig) -> np.ndarray:
        model = build(config, n_genes=9)
        model.fit(regions, connectome)
        if TRAIN_TEST_EDGES in config.uses:
            model.see_edges(connectome)
        return model.predict(regions)

    changes = changed_configs(get_search_space(name), SCALES["quick"], n_trials=12)
    for parameter, config, changed in changes:
        assert np.abs(predict(config) - predict(changed)).max() > 1e-6, (parameter, config)


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_configs_under_multivariate_tpe(name):
    def configs() -> list[FitConfig]:
        study = optuna.create_study(
            sampler=optuna.samplers.TPESampler(seed=5, multivariate=True, n_startup_trials=5)
        )
        space, found = get_search_space(name), []
        study.enqueue_trial(space.defaults(SCALES["quick"]))
        for number in range(12):
            trial, config = ask(space, study, SCALES["quick"])
            study.tell(trial, float(number % 3))
            found.append(config)
        return found

    first = configs()
    assert first == configs()
    assert len({str(config) for config in first}) > (0 if SEARCH_SPACES[name].fixed else 1)


def test_a_trial_is_rebuilt_from_its_values_alone():
    for name in NAMES:
        space = get_search_space(name)
        for scale in SCALES.values():
            trial, config = ask(space, random_study(2), scale)
            assert replay(space, trial.params, scale) == config


def test_settings_of_the_sweep_reach_every_config():
    wanted = {"correlation_loss": 0.5, "symmetric_loss": 2.0, "ema_decay": 0.9}
    scale = dataclasses.replace(SCALES["quick"], **wanted)
    space = get_search_space("mlp")
    trial = optuna.trial.FixedTrial(space.defaults(scale))
    training = dataclasses.asdict(suggest_config(space, trial, scale, GeneOptions()).training)
    assert wanted.items() <= training.items()
    assert not wanted.keys() & trial.distributions.keys(), "they are not searched"
