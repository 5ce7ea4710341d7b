"""What a sweep says of its search before it starts, and in its summary."""

from __future__ import annotations

import dataclasses

import optuna
import pytest
from sweep_fixtures import make_plan

from gx2c.models import MODELS
from search_spaces import get_search_space, suggest_config
from sweeps.request.notes import search_notes
from sweeps.request.plan import configs_per_fold


@pytest.mark.parametrize("model", ["exponential_decay", "gaussian_kernel"])
def test_a_model_without_a_choice_runs_one_config(model):
    plan = make_plan(model, samples=8, nulls=0)
    assert configs_per_fold(plan.options, model) == 1
    assert f"{model} has nothing to search: one config per outer fold" in search_notes(plan)
    assert configs_per_fold(plan.options, "geography") >= 8


def test_a_model_with_choices_runs_all_samples():
    plan = make_plan("cge", samples=8, nulls=0)
    assert configs_per_fold(plan.options, "cge") == 8
    assert not any("nothing to search" in note for note in search_notes(plan))


def test_a_cap_on_components_is_said():
    plan = make_plan("bilinear_cm_pls", nulls=0)
    (note,) = search_notes(plan)
    assert note.startswith(f"n_components is at most {plan.scale().n_train_regions - 1}, not 50")


def test_a_model_that_sees_more_than_others_says_so():
    plan = make_plan("pls_twostep_published", nulls=0)
    assert any("uses train x test edges" in note for note in search_notes(plan))


def test_options_of_training_and_augmentation_reach_every_config():
    given = {"correlation_loss": 0.5, "symmetric_loss": 2.0, "ema_decay": 0.9}
    plan = make_plan("smt", augment="strong-edges", augment_search=True, **given)
    space, published = get_search_space("smt"), MODELS["smt"].published
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    configs = [
        suggest_config(space, study.ask(), plan.scale(), plan.genes, plan.options.task)
        for _ in range(24)
    ]

    for config in configs:
        assert given.items() <= dataclasses.asdict(config.training).items()
        assert config.task.augmentation.kinds == ("strong-edges",)
    # searched, within the values of the published sweep
    found = [config.task.augmentation for config in configs]
    assert {a.probability for a in found} == set(published["augment_probability"])
    assert {a.schedule for a in found} == set(published["augment_schedule"])
